use super::*;
use crate::{
    aggregate::{Aggregate, Entry, First},
    dimension::Dimension,
    evidence::{Call, Evidence},
    generation::N_PRIORS,
    history::{ClosedDay, History},
    identity::Kind,
    impact::{Impact, Track},
    memory::Weight,
    place::{Place, Stay},
    time::Slot,
};
use proptest::prelude::*;

const LATENESS: fn() -> Lateness = Lateness::default;
/// The id of the one that is looked at.
const ALICE: u128 = 1 << 64;

fn entity() -> Entity {
    Entity { account: "111122223333".into(), kind: Kind::Human, key: "alice".into() }
}

fn record(slot: Slot, n: u64) -> Evidence {
    let call = Call {
        api: format!("s3:Get{n}").into(),
        address: Some("81.2.69.142".into()),
        access_key: None,
        region: Some("eu-west-1".into()),
        actor: Some("arn:aws:iam::111122223333:user/alice".into()),
    };
    let time_ms = slot.start_ms() + i64::try_from(n).unwrap() * 250;
    Evidence { time_ms, id: u128::from(n).into(), call: call.into(), amount: n % 3 }
}

/// What somebody did: on which day, in which slot, of what, which value, how much.
type Deed = (i32, i32, usize, u8, u64);

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (1..12_i32, 0..288_i32, 0..Dimension::ALL.len(), 0..9_u8, 1..300_u64);
    prop::collection::vec(deed, 0..50)
}

fn aggregate((day, slot, dimension, value, amount): Deed) -> Aggregate {
    let slot = Slot(Day(day).first_slot().0 + slot);
    let dimension = Dimension::ALL[dimension];
    let track = Track { impact: Impact::ALL[usize::from(value) % 10], is_s3: value % 2 == 0 };
    let value = HashKey::DEFAULT.value(&format!("{}-{value}", dimension.name()));
    let entry = Entry {
        dimension,
        slot,
        value: (amount % 5 != 0).then_some(value),
        amount,
        n_records: amount / 2 + 1,
        evidence: (amount % 4 == 0).then(|| Box::new(record(slot, amount))),
        first: Some(First { track, time_ms: slot.start_ms(), row: 7 }),
        others: Vec::new(),
    };
    let of_network = [81, 2, 69, u8::from(amount % 9 == 0)];
    let address = of_network.into();
    let place = Place { rank: amount % 2, address, country: None, network: None, access_key: None };
    let stay = Stay { place, first: record(slot, 7), last: record(slot, amount), n_records: 2 };
    Aggregate { entries: vec![entry], stays: vec![(slot, stay)], ..Aggregate::of(entity()) }
}

/// Profiles of which no more can stay in use.
fn full() -> Profiles {
    let mut profiles = Profiles::new(LATENESS(), HashKey::DEFAULT);
    for id in 0..Profiles::AWAKE_MAX {
        let new = || (entity(), Profile::new(Day(0), LATENESS()));
        // Idle ones would rest.
        let deed = aggregate((1_000, 0, 0, 0, 1));
        profiles.with_new(id as u128, new, |_, profile| {
            profile.apply(&deed, (&|_| None, &|_| 0), (Day(0), LATENESS()));
        });
    }
    profiles
}

/// As many as could stay in use, and are not.
fn idle() -> Profiles {
    let mut profiles = Profiles::new(LATENESS(), HashKey::DEFAULT);
    for id in 0..Profiles::AWAKE_MAX {
        profiles.insert(id as u128, entity(), &Profile::new(Day(0), LATENESS()));
    }
    profiles
}

/// What days teach, when they close.
fn closed_before(profiles: &mut Profiles, oldest_open: Day) -> Vec<(u128, ClosedDay)> {
    let mut taught = Vec::new();
    while let Some(day) = profiles.first_closing(oldest_open) {
        profiles.close(day, |id, _, profile| {
            profile.settle(day, Some(9), LATENESS());
            let weight = if day.0 % 3 == 0 { Weight::ALERTED } else { Weight::PLAIN };
            taught.push((id, profile.close(day, weight, LATENESS())));
        });
    }
    profiles.advance(oldest_open);
    taught
}

/// The same, of those that are full: who fills them comes first every day.
fn close_before(profiles: &mut Profiles, oldest_open: Day) -> Vec<(u128, ClosedDay)> {
    let taught = closed_before(profiles, oldest_open);
    for id in 0..Profiles::AWAKE_MAX {
        profiles.with(id as u128, |_, _| ());
    }
    taught
}

fn is_at_rest(profiles: &Profiles) -> bool {
    matches!(profiles.all[&ALICE].state, State::AtRest(..))
}

fn n_bytes(profiles: &Profiles) -> usize {
    match &profiles.all[&ALICE].state {
        State::AtRest(bytes, _) => bytes.len(),
        State::Awake(_) => 0,
    }
}

fn alice() -> (Entity, Profile) {
    (entity(), Profile::new(Day(0), LATENESS()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn what_a_profile_answers_does_not_depend_on_whether_it_was_at_rest(
        mut deeds in deeds(),
        lag in 1..4_i32,
    ) {
        deeds.sort_by_key(|(day, ..)| *day);
        let mut eager = Profile::new(Day(0), LATENESS());
        let mut lazy = full();
        let mut oldest_open = Day(0);
        let nothing = History::default();
        for deed in deeds {
            let day = Day(deed.0);
            if day.0 - lag > oldest_open.0 {
                oldest_open = Day(day.0 - lag);
                let mut taught = Vec::new();
                while let Some(day) = eager.closing(oldest_open) {
                    eager.settle(day, Some(9), LATENESS());
                    let weight = if day.0 % 3 == 0 { Weight::ALERTED } else { Weight::PLAIN };
                    taught.push((ALICE, eager.close(day, weight, LATENESS())));
                }
                eager.advance(oldest_open, LATENESS());
                prop_assert_eq!(close_before(&mut lazy, oldest_open), taught);
            }
            let of = aggregate(deed);
            let first = |row: u32| Some(record(of.entries[0].slot, row.into()));
            let at = (oldest_open, LATENESS());
            eager.apply(&of, (&first, &|_| 9), at);
            lazy.with_new(ALICE, alice, |_, profile| profile.apply(&of, (&first, &|_| 9), at));
            prop_assert!(is_at_rest(&lazy));
            let same = lazy.with(ALICE, |_, profile| {
                let (usual, hours) = profile.generation(day, [&nothing; N_PRIORS], LATENESS());
                let (expected, as_well) = eager.generation(day, [&nothing; N_PRIORS], LATENESS());
                assert_eq!(usual.held(), expected.held());
                assert_eq!(hours, as_well);
                true
            });
            prop_assert_eq!(same, Some(true));
            let settled = |profile: &mut Profile| {
                let open: Vec<Day> = profile.open_days().collect();
                for day in open {
                    profile.settle(day, Some(9), LATENESS());
                }
                profile.clone()
            };
            let expected = settled(&mut eager.clone());
            let rehearsed = lazy.rehearse(ALICE, |_, profile| settled(profile));
            prop_assert_eq!(rehearsed.as_ref(), Some(&expected));
            prop_assert!(is_at_rest(&lazy));
            let before = eager.clone();
            prop_assert_eq!(eager.rehearse(None, settled), expected);
            prop_assert!(eager == before);
            lazy.with(ALICE, |_, profile| assert_eq!(*profile, eager));
        }
    }
}

fn do_so(profiles: &mut Profiles, deed: Deed) {
    let of = aggregate(deed);
    profiles.with_new(ALICE, alice, |_, profile| {
        profile.apply(&of, (&|_| None, &|_| 9), (Day(deed.0 - 1), LATENESS()));
    });
}

#[test]
fn so_many_stay_in_use() {
    let mut profiles = full();
    do_so(&mut profiles, (5, 0, 0, 1, 1));
    assert!(is_at_rest(&profiles));
    assert_eq!(profiles.rest.n_awake, Profiles::AWAKE_MAX);
    let n_all = Profiles::AWAKE_MAX + 1;
    assert_eq!((profiles.n_all(), profiles.entities().count()), (n_all, n_all));
    // On a new day the first are others.
    profiles.advance(Day(4));
    do_so(&mut profiles, (5, 0, 0, 1, 1));
    assert_eq!((is_at_rest(&profiles), profiles.rest.n_awake), (false, 1));
}

#[test]
fn whoever_has_no_open_day_rests_and_sheds_what_open_days_needed() {
    let mut profiles = idle();
    do_so(&mut profiles, (5, 280, 0, 1, 2));
    do_so(&mut profiles, (5, 281, 9, 1, 4));
    profiles.advance(Day(5));
    assert!(!is_at_rest(&profiles));
    closed_before(&mut profiles, Day(6));
    assert!(is_at_rest(&profiles));
    let with_hours = n_bytes(&profiles);
    closed_before(&mut profiles, Day(7));
    let settled = n_bytes(&profiles);
    assert!(settled < with_hours, "{settled} {with_hours}");
    profiles.advance(Day(500));
    assert_eq!(n_bytes(&profiles), settled, "nothing wakes it any more");
    let mut woken = idle();
    do_so(&mut woken, (5, 280, 0, 1, 2));
    do_so(&mut woken, (5, 281, 9, 1, 4));
    closed_before(&mut woken, Day(500));
    assert!(woken == profiles);
    do_so(&mut woken, (501, 0, 0, 2, 1));
    assert!(woken != profiles);
}

#[test]
fn names_that_nobody_holds_are_forgotten() {
    let mut profiles = full();
    let day_of = |day: i32| {
        let mut of = aggregate((day, 0, 0, 1, 1));
        let entry = of.entries.remove(0);
        let entry = |n: i32| {
            let value = Some(HashKey::DEFAULT.value(&format!("{day}-{n}")));
            Entry { value, ..entry.clone() }
        };
        of.entries.extend((0..64).map(entry));
        of
    };
    let mut n_names_max = 0;
    for day in 1..200 {
        let oldest_open = Day(day - 1);
        close_before(&mut profiles, oldest_open);
        let (of, at) = (day_of(day), (oldest_open, LATENESS()));
        profiles.with_new(ALICE, alice, |_, profile| {
            profile.apply(&of, (&|_| None, &|_| 9), at);
        });
        n_names_max = n_names_max.max(profiles.rest.resting.n_names());
    }
    // 512 are known, those of some days are to be learned.
    assert!((1_000..3_000).contains(&n_names_max), "{n_names_max}");
    let nothing = History::default();
    let known = profiles.with(ALICE, |_, profile| {
        let (usual, _) = profile.generation(Day(199), [&nothing; N_PRIORS], LATENESS());
        usual.knows(Dimension::Api, &HashKey::DEFAULT.value("190-5"))
    });
    assert_eq!(known, Some(true));
}
