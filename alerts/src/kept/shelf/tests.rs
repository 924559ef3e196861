use super::*;
use crate::{Learning, Run, StateFile, sample};
use detect::{Blob, Change};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;

#[derive(Debug, Clone)]
enum Step {
    Put(u128, Option<i32>),
    Take(Vec<u128>),
    /// What lies there is kept in the state.
    Keep,
}

/// What is known of somebody: the bytes, and whether they lie on the shelf.
#[derive(Debug, Clone, Default)]
struct Known {
    bytes: Option<Vec<u8>>,
    is_kept: bool,
    lies: bool,
    /// The first open day, of what lies there.
    day: Option<i32>,
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..5_u128;
    prop_oneof![
        6 => (id.clone(), prop::option::of(-2..3_i32)).prop_map(|(id, day)| Step::Put(id, day)),
        3 => prop::collection::vec(id, 0..4).prop_map(Step::Take),
        1 => Just(Step::Keep),
    ]
}

struct Bench {
    file: Option<StateFile>,
    shelf: ProfileShelf,
    _folder: TempDir,
}

impl Bench {
    fn new(has_state: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let run = Run { inputs: sample::inputs(), command: Vec::new() };
        let asked = Learning::new(&detect::Options::default(), (&[], &[]), (None, Day(0)));
        let settings = detect::Settings::default();
        let open = || {
            let file = StateFile::open(&path, (&run, &settings), asked).unwrap();
            file.resume(&mut |_| Ok(())).unwrap()
        };
        let file = has_state.then(open);
        let shelf = ProfileShelf::new(has_state.then_some(&*path), 1 << 20).unwrap();
        Self { file, shelf, _folder: folder }
    }

    /// Keeps what lies on the shelf, as an engine does.
    fn keep(&mut self, known: &mut BTreeMap<u128, Known>) {
        let Self { file: Some(file), shelf, .. } = self else { return };
        let changed = known.iter_mut().filter(|(_, one)| one.lies && !one.is_kept);
        let kept = file.epoch(|file| {
            for (id, one) in changed {
                let bytes = shelf.look(*id).unwrap().unwrap();
                file.change(Change::Put(Blob { part: Part::Entity, key: *id, bytes }))?;
                one.is_kept = true;
            }
            Ok::<_, KeptError>(())
        });
        kept.unwrap();
        shelf.kept().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_was_put_away_last_is_what_comes_back(
        steps in prop::collection::vec(step(), 1..40), has_state: bool,
    ) {
        let mut bench = Bench::new(has_state);
        let mut known: BTreeMap<u128, Known> = BTreeMap::new();
        for (n, step) in (0_u8..).zip(steps) {
            match step {
                Step::Put(id, day) => {
                    let one = known.entry(id).or_default();
                    if one.lies {
                        continue;
                    }
                    // Every other time it comes back as it was.
                    if !one.is_kept || n % 2 == 0 {
                        (one.bytes, one.is_kept) = (Some(vec![n; 3]), false);
                    }
                    (one.lies, one.day) = (true, day);
                    let bytes = one.bytes.clone().filter(|_| !one.is_kept);
                    let away = Away { id, first_open: day.map(Day), bytes };
                    bench.shelf.put(&[away]).unwrap();
                }
                Step::Take(mut ids) => {
                    ids.sort_unstable();
                    ids.dedup();
                    let lie = |id: &&u128| known.get(id).is_some_and(|one| one.lies);
                    let ids: Vec<u128> = ids.iter().filter(lie).copied().collect();
                    let taken = bench.shelf.take(&ids).unwrap();
                    let expected = ids.iter().map(|id| (*id, known[id].bytes.clone().unwrap()));
                    prop_assert_eq!(taken, expected.collect::<Vec<_>>());
                    for id in ids {
                        known.get_mut(&id).unwrap().lies = false;
                    }
                }
                Step::Keep => bench.keep(&mut known),
            }
            let lying = known.iter().filter(|(_, one)| one.lies).map(|(id, _)| *id);
            for bounds in [1..=3, 2..=2] {
                let found = bench.shelf.between(bounds.clone()).unwrap();
                prop_assert!(lying.clone().filter(|id| bounds.contains(id)).all(|id| found.contains(&id)));
                let is_there = |id: &u128| bounds.contains(id) && known.contains_key(id);
                prop_assert!(found.iter().all(is_there));
            }
            let mut days: BTreeMap<i32, Vec<u128>> = BTreeMap::new();
            for (id, one) in &known {
                if let Some(day) = one.day.filter(|_| one.lies) {
                    days.entry(day).or_default().push(*id);
                }
            }
            let first = days.keys().next().map(|day| Day(*day));
            prop_assert_eq!(bench.shelf.first_open().unwrap(), first);
            let mut open: BTreeMap<i32, BTreeSet<u128>> = BTreeMap::new();
            let mut visit = |id, Day(day)| open.entry(day).or_default().extend([id]);
            bench.shelf.each_open(&mut visit).unwrap();
            let expected = days.iter().map(|(day, ids)| (*day, ids.iter().copied().collect()));
            prop_assert_eq!(open, expected.collect::<BTreeMap<_, _>>());
            for (day, ids) in days {
                prop_assert_eq!(bench.shelf.open_on(Day(day), 9).unwrap(), ids.clone());
                prop_assert_eq!(bench.shelf.open_on(Day(day), 1).unwrap(), &ids[..1]);
            }
        }
    }
}

#[test]
fn nobody_is_there_who_was_not_put_away() {
    let mut shelf = ProfileShelf::new(None, 1 << 20).unwrap();
    assert_eq!(shelf.take(&[1, 2]).unwrap(), []);
    assert_eq!((shelf.look(1).unwrap(), shelf.first_open().unwrap()), (None, None));
}
