use super::*;
use crate::{
    aggregate::Entry,
    history::Gathered,
    identity::{Entity, Kind},
    lesson::Lesson,
    memory::Seen,
    value::HashKey,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const LATENESS: fn() -> Lateness = Lateness::default;

fn aggregate(entries: Vec<Entry>) -> Aggregate {
    let entity = Entity { account: "1".into(), kind: Kind::Human, key: "alice".into() };
    Aggregate { entries, ..Aggregate::of(entity) }
}

fn entry(dimension: Dimension, day: i32, slot: i32, value: &str) -> Entry {
    let slot = Slot(Day(day).first_slot().0 + slot);
    let value = Some(HashKey::DEFAULT.value(value));
    Entry {
        dimension,
        slot,
        value,
        amount: 1,
        n_records: 1,
        evidence: None,
        first: None,
        others: Vec::new(),
    }
}

/// A closed day on which each member of `n_members` had `value`.
fn day_of(value: &str, n_members: u32, weight: Weight) -> ClosedDay {
    let mut closed = ClosedDay::default();
    for _ in 0..n_members {
        let mut profile = Profile::new(Day(0), LATENESS());
        profile.apply(
            &aggregate(vec![entry(Dimension::Api, 5, 0, value)]),
            (&|_| None, &|_| 0),
            (Day(0), LATENESS()),
        );
        closed.merge(&profile.close(Day(5), weight, LATENESS()));
    }
    closed
}

fn knows(history: &mut History, through: i32, value: &str) -> bool {
    history.prepare(Day(through));
    history.at(Day(through)).knows(Dimension::Api, &HashKey::DEFAULT.value(value))
}

#[test]
fn a_day_is_judged_by_those_two_days_before() {
    let mut profile = Profile::new(Day(0), LATENESS());
    profile.apply(
        &aggregate(vec![entry(Dimension::Api, 10, 0, "s3:Get")]),
        (&|_| None, &|_| 0),
        (Day(0), LATENESS()),
    );
    profile.close(Day(10), Weight::PLAIN, LATENESS());
    let nothing = History::default();
    let value = HashKey::DEFAULT.value("s3:Get");
    for (day, is_known) in [(10, false), (11, false), (12, true), (13, true)] {
        let (usual, _) = profile.generation(Day(day), [&nothing; N_PRIORS], LATENESS());
        assert_eq!(usual.knows(Dimension::Api, &value), is_known, "{day}");
    }
}

#[test]
fn a_day_learns_so_many_new_values() {
    let entries = |n| (0..n).map(|n| entry(Dimension::Api, 10, 0, &n.to_string())).collect();
    let mut profile = Profile::new(Day(0), LATENESS());
    profile.apply(
        &aggregate(entries(3 * DayDelta::NEWS_MAX)),
        (&|_| None, &|_| 0),
        (Day(0), LATENESS()),
    );
    profile.close(Day(10), Weight::PLAIN, LATENESS());
    let nothing = History::default();
    let (usual, _) = profile.generation(Day(12), [&nothing; N_PRIORS], LATENESS());
    let values = (0..3 * DayDelta::NEWS_MAX).map(|n| HashKey::DEFAULT.value(&n.to_string()));
    let mut known: Vec<_> = values.clone().filter(|v| usual.knows(Dimension::Api, v)).collect();
    let mut smallest: Vec<_> = values.collect();
    known.sort();
    smallest.sort();
    assert_eq!(known, smallest[..DayDelta::NEWS_MAX]);
}

#[test]
fn known_values_leave_room_for_new_ones() {
    let mut profile = Profile::new(Day(0), LATENESS());
    let names = |n: usize, what: &str| (0..n).map(|n| format!("{what}{n}")).collect::<Vec<_>>();
    let apply = |profile: &mut Profile, day, names: &[String]| {
        let entries = names.iter().map(|name| entry(Dimension::Api, day, 0, name)).collect();
        profile.apply(&aggregate(entries), (&|_| None, &|_| 0), (Day(0), LATENESS()));
    };
    apply(&mut profile, 10, &names(DayDelta::NEWS_MAX, "old"));
    profile.close(Day(10), Weight::PLAIN, LATENESS());
    profile.advance(Day(12), LATENESS());
    apply(&mut profile, 13, &names(DayDelta::NEWS_MAX, "old"));
    apply(&mut profile, 13, &names(DayDelta::NEWS_MAX, "new"));
    profile.settle(Day(13), Some(0), LATENESS());
    let novel = profile.hours.novel(Dimension::Api).unwrap();
    let news = novel.windows(Hour(13 * 24), |novel| novel.is_new).map(|news| news.len()).max();
    assert_eq!(news, Some(DayDelta::NEWS_MAX));
    profile.close(Day(13), Weight::PLAIN, LATENESS());
    let nothing = History::default();
    let (usual, _) = profile.generation(Day(15), [&nothing; N_PRIORS], LATENESS());
    for name in names(DayDelta::NEWS_MAX, "new").iter().chain(&names(DayDelta::NEWS_MAX, "old")) {
        assert!(usual.knows(Dimension::Api, &HashKey::DEFAULT.value(name)), "{name}");
    }
}

#[test]
fn a_memory_never_outgrows_its_bound() {
    let mut profile = Profile::new(Day(0), LATENESS());
    let per_day = i32::try_from(DayDelta::NEWS_MAX).unwrap();
    for day in 10..30 {
        let names = (0..per_day).map(|n| format!("{day}-{n}"));
        let entries = names.map(|name| entry(Dimension::Api, day, n_slot(day), &name)).collect();
        profile.apply(&aggregate(entries), (&|_| None, &|_| 0), (Day(0), LATENESS()));
        profile.close(Day(day), Weight::PLAIN, LATENESS());
        profile.advance(Day(day + 1), LATENESS());
    }
    profile.advance(Day(40), LATENESS());
    let seen = profile.history.at(Day(38)).seen(Dimension::Api).unwrap();
    assert_eq!(seen.usual(usize::MAX).len(), Seen::MAX);
    assert!(profile.hours.is_empty() && profile.open.is_empty());
}

fn n_slot(day: i32) -> i32 {
    day % 24
}

#[test]
fn closed_hours_are_forgotten() {
    let mut profile = Profile::new(Day(0), LATENESS());
    for slot in [0, 100, 287] {
        let entries = vec![entry(Dimension::Denied, 10, slot, "iam:ListUsers")];
        profile.apply(&aggregate(entries), (&|_| None, &|_| 0), (Day(0), LATENESS()));
    }
    profile.close(Day(10), Weight::PLAIN, LATENESS());
    profile.advance(Day(11), LATENESS());
    // The last hour stays: the first span of the next day reaches into it.
    assert_eq!(profile.touched(Day(10), Day(10)), [Hour(10 * 24 + 23)]);
    profile.advance(Day(12), LATENESS());
    assert!(profile.hours.is_empty());
}

#[test]
fn values_that_came_before_their_generation_are_left_out_when_judged() {
    let habit = |day| aggregate(vec![entry(Dimension::Api, day, 3, "a")]);
    let mixed = |day| {
        let entries = ["a", "b"].map(|api| entry(Dimension::Api, day, 5, api));
        aggregate(entries.to_vec())
    };
    let (mut early, mut timely) =
        (Profile::new(Day(0), LATENESS()), Profile::new(Day(0), LATENESS()));
    early.apply(&mixed(13), (&|_| None, &|_| 0), (Day(0), LATENESS()));
    for profile in [&mut early, &mut timely] {
        profile.apply(&habit(10), (&|_| None, &|_| 0), (Day(0), LATENESS()));
        profile.close(Day(10), Weight::PLAIN, LATENESS());
    }
    timely.apply(&mixed(13), (&|_| None, &|_| 0), (Day(12), LATENESS()));
    assert_ne!(early.hours, timely.hours);
    early.settle(Day(13), Some(0), LATENESS());
    timely.settle(Day(13), Some(0), LATENESS());
    assert_eq!(early.hours, timely.hours);
    assert_eq!(
        early.close(Day(13), Weight::PLAIN, LATENESS()),
        timely.close(Day(13), Weight::PLAIN, LATENESS())
    );
}

#[test]
fn members_are_counted_whatever_their_day_weighed() {
    let mut closed = day_of("x", 1, Weight::PLAIN);
    closed.merge(&day_of("x", 1, Weight::ALERTED));
    let mut group = History::default();
    group.close(Day(5), &closed);
    group.prepare(Day(6));
    let seen = group.at(Day(6)).seen(Dimension::Api).unwrap();
    // Of the day itself, less two days of decay.
    let n_members = seen.n_members(&HashKey::DEFAULT.value("x"));
    assert!((1.9..2.0).contains(&n_members), "{n_members}");
}

#[test]
fn a_pause_of_years_forgets_nothing_else() {
    let days = [3, 7, 900, 1_500, 4_000];
    let [mut stepped, mut jumped] = [History::default(), History::default()];
    for day in days {
        jumped.close(Day(day), &day_of(&day.to_string(), 1, Weight::PLAIN));
    }
    for day in 0..=4_200 {
        if days.contains(&day) {
            stepped.close(Day(day), &day_of(&day.to_string(), 1, Weight::PLAIN));
        }
        stepped.merge(Day(day));
    }
    assert!(knows(&mut jumped, 4_200, "3"));
    jumped.merge(Day(4_200));
    assert!(stepped == jumped);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn generations_do_not_depend_on_when_days_are_merged(
        days in prop::collection::btree_map(1..60_i32, (0..4_u8, any::<bool>()), 1..12),
        merges in prop::collection::vec(0..70_i32, 0..12),
    ) {
        let closed = |value: u8, is_alerted| {
            let weight = if is_alerted { Weight::ALERTED } else { Weight::PLAIN };
            day_of(&value.to_string(), 1, weight)
        };
        let [mut stepped, mut at_end] = [History::default(), History::default()];
        let mut merges: Vec<_> = merges;
        merges.sort_unstable();
        for (day, (value, is_alerted)) in &days {
            // Only what has closed is merged.
            for through in merges.iter().filter(|through| *through < day) {
                stepped.merge(Day(*through));
            }
            stepped.close(Day(*day), &closed(*value, *is_alerted));
            at_end.close(Day(*day), &closed(*value, *is_alerted));
            for through in *day..*day + 3 {
                stepped.prepare(Day(through));
                at_end.prepare(Day(through));
                prop_assert_eq!(stepped.at(Day(through)), at_end.at(Day(through)));
            }
        }
        stepped.merge(Day(80));
        at_end.merge(Day(80));
        prop_assert!(stepped == at_end);
    }

    #[test]
    fn members_merge_in_any_order_and_grouping(
        members in prop::collection::vec((0..6_u8, 1..3_u32, any::<bool>()), 2..8),
        split in 0..8_usize,
    ) {
        let days = members.iter().map(|(value, n_members, is_alerted)| {
            let weight = if *is_alerted { Weight::ALERTED } else { Weight::PLAIN };
            day_of(&value.to_string(), *n_members, weight)
        });
        let days: Vec<_> = days.collect();
        let merged = |days: &mut dyn Iterator<Item = &ClosedDay>| {
            days.fold(ClosedDay::default(), |mut sum, day| {
                sum.merge(day);
                sum
            })
        };
        let up = merged(&mut days.iter());
        prop_assert!(up == merged(&mut days.iter().rev()));
        let (left, right) = days.split_at(split.min(days.len()));
        let halves = [merged(&mut left.iter()), merged(&mut right.iter())];
        prop_assert!(up == merged(&mut halves.iter()));
        let mut gathered = Gathered::default();
        for day in days {
            gathered.add(day);
        }
        prop_assert!(up == gathered.finish());
    }

    #[test]
    fn a_group_of_many_is_the_sum_of_its_members(
        members in prop::collection::vec(prop::collection::vec(0..400_u16, 0..60), 0..40),
    ) {
        let days = members.iter().map(|values| {
            values.iter().fold(ClosedDay::default(), |mut day, value| {
                day.merge(&day_of(&value.to_string(), 1, Weight::PLAIN));
                day
            })
        });
        let (mut sum, mut gathered) = (ClosedDay::default(), Gathered::default());
        for day in days {
            sum.merge(&day);
            gathered.add(day);
        }
        prop_assert!(sum == gathered.finish());
    }

    #[test]
    fn more_of_anything_never_costs_fewer_bits(
        history in prop::collection::vec((1..20_i32, 0..288_i32, 1..40_u64), 0..30),
        x in 1..5_000_u64,
    ) {
        let mut profile = Profile::new(Day(0), LATENESS());
        let mut days = BTreeSet::new();
        for (day, slot, amount) in history {
            let entry = Entry { amount, ..entry(Dimension::Denied, day, slot, "x") };
            profile.apply(&aggregate(vec![entry]), (&|_| None, &|_| 0), (Day(0), LATENESS()));
            days.insert(day);
        }
        for day in days {
            profile.close(Day(day), Weight::PLAIN, LATENESS());
        }
        let nothing = History::default();
        let (usual, _) = profile.generation(Day(30), [&nothing; N_PRIORS], LATENESS());
        let bits = |x| -> crate::bits::Bits {
            usual.amount(Dimension::Denied, x).iter().map(|part| part.bits).sum()
        };
        prop_assert!(bits(x) <= bits(x + 1));
        prop_assert!(bits(x) <= bits(2 * x));
    }
}

#[test]
fn up_to_what_four_alerted_days_made_usual_nothing_is_surprising() {
    let mut profile = Profile::new(Day(0), LATENESS());
    for day in 1..5 {
        let denied = Entry { amount: 60, ..entry(Dimension::Denied, day, 0, "x") };
        profile.apply(&aggregate(vec![denied]), (&|_| None, &|_| 0), (Day(0), LATENESS()));
        profile.close(Day(day), Weight::ALERTED, LATENESS());
    }
    let nothing = History::default();
    let (usual, _) = profile.generation(Day(10), [&nothing; N_PRIORS], LATENESS());
    let n_parts = |x| usual.amount(Dimension::Denied, x).len();
    assert_eq!((n_parts(90), n_parts(91)), (1, 2));
}

#[test]
fn two_members_on_one_day_share_a_value_for_a_month() {
    let (mut group, nothing) = (History::default(), History::default());
    group.close(Day(5), &day_of("x", 2, Weight::PLAIN));
    let mut is_shared = |day: i32| {
        group.prepare(LATENESS().prior_through(Day(day)));
        let mut profile = Profile::new(Day(0), LATENESS());
        let priors = [&nothing, &group, &nothing, &nothing];
        let (usual, _) = profile.generation(Day(day), priors, LATENESS());
        usual.is_shared(Dimension::Api, &HashKey::DEFAULT.value("x"))
    };
    // 32 days of decay, and the three that peers lag behind.
    assert_eq!((is_shared(5 + 31 + 3), is_shared(5 + 32 + 3)), (true, false));
}

#[test]
fn a_rate_drifts_from_three_weeks_of_history_on() {
    let drifts = |n_days: i32| {
        let mut profile = Profile::new(Day(0), LATENESS());
        for (day, amount) in (1..=n_days).zip((10..).step_by(10)) {
            let calls = Entry { amount, ..entry(Dimension::CallsRead, day, 0, "x") };
            profile.apply(&aggregate(vec![calls]), (&|_| None, &|_| 0), (Day(0), LATENESS()));
            profile.close(Day(day), Weight::PLAIN, LATENESS());
        }
        let nothing = History::default();
        let (usual, _) = profile.generation(Day(n_days + 2), [&nothing; N_PRIORS], LATENESS());
        usual.drift(Dimension::CallsRead, 1_000).is_some()
    };
    assert_eq!((drifts(20), drifts(21)), (false, true));
}

fn said(values: &[&str], lesson: Lesson) -> ClosedDay {
    let values = values.iter().map(|text| (Dimension::Api, HashKey::DEFAULT.value(text)));
    ClosedDay::said(values, lesson)
}

#[test]
fn what_is_said_counts_from_its_day_on_whenever_days_are_merged() {
    let [mut stepped, mut jumped] = [History::default(), History::default()];
    for history in [&mut stepped, &mut jumped] {
        history.close(Day(7), &said(&["known"], Lesson::Known));
        history.close(Day(8), &said(&["barred"], Lesson::Unknown));
    }
    for day in 5..20 {
        for value in ["known", "barred"] {
            let weight = if day < 9 { Weight::ALERTED } else { Weight::PLAIN };
            stepped.close(Day(day), &day_of(value, 1, weight));
            jumped.close(Day(day), &day_of(value, 1, weight));
        }
        stepped.merge(Day(day));
        assert_eq!(knows(&mut stepped, day, "known"), day >= 7, "{day}");
        assert!(!knows(&mut stepped, day, "barred"), "{day}");
        assert_eq!(stepped.n_days(Day(day)), u32::try_from(day - 4).unwrap());
    }
    jumped.merge(Day(19));
    assert_eq!(stepped, jumped);
    for history in [&mut stepped, &mut jumped] {
        history.close(Day(21), &said(&["barred"], Lesson::Known));
        assert_eq!((knows(history, 20, "barred"), knows(history, 21, "barred")), (false, true));
    }
    assert_eq!(stepped.n_days(Day(22)), 15, "what people say is no activity");
}

#[test]
fn an_alerted_day_that_is_made_good_teaches_what_a_plain_one_does() {
    let day = |weight| {
        let mut profile = Profile::new(Day(0), LATENESS());
        let calls = vec![entry(Dimension::CallsRead, 5, 3, "x"); 9];
        profile.apply(&aggregate(calls), (&|_| None, &|_| 0), (Day(0), LATENESS()));
        profile.close(Day(5), weight, LATENESS())
    };
    let alerted = day(Weight::ALERTED);
    let mut made_good = alerted.clone();
    made_good.merge(&alerted.held_back());
    // What several alerted days bring is usual all the same.
    made_good.dimensions.values_mut().for_each(|closed| closed.alerted_most = 0);
    assert_eq!(made_good, day(Weight::PLAIN));
    let mut history = History::default();
    let alerted = day_of("x", 1, Weight::ALERTED);
    history.close(Day(5), &alerted);
    history.close(Day(9), &alerted.held_back());
    assert_eq!((knows(&mut history, 8, "x"), knows(&mut history, 9, "x")), (false, true));
}

#[test]
fn so_many_values_are_barred() {
    let names: Vec<_> = (0..2 * Learned::BARRED_MAX).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut history = History::default();
    history.close(Day(5), &said(&names, Lesson::Unknown));
    history.merge(Day(5));
    let is_barred =
        |name: &&&str| history.at(Day(5)).is_barred(Dimension::Api, &HashKey::DEFAULT.value(name));
    assert_eq!(names.iter().filter(is_barred).count(), Learned::BARRED_MAX);
}

#[test]
fn a_barred_value_does_not_reach_the_peers() {
    let lesson = BTreeMap::from([(Day(5), said(&["bad"], Lesson::Unknown))]);
    let mut profile = Profile::with_lessons(Some(&lesson), Day(0), LATENESS());
    let entries = ["bad", "good"].map(|api| entry(Dimension::Api, 10, 0, api));
    profile.apply(&aggregate(entries.to_vec()), (&|_| None, &|_| 0), (Day(0), LATENESS()));
    let mut peers = History::default();
    peers.close(Day(10), &profile.close(Day(10), Weight::PLAIN, LATENESS()));
    assert_eq!(["bad", "good"].map(|value| knows(&mut peers, 10, value)), [false, true]);
}

#[test]
fn what_people_say_is_no_day_with_any() {
    let mut history = History::default();
    let mut taught = said(&["x"], Lesson::Known);
    taught.has_records = true;
    history.close(Day(3), &taught);
    history.close(Day(9), &said(&["x"], Lesson::Known));
    history.merge(Day(10));
    assert_eq!(history.at(Day(10)).days_of(Dimension::Api), Some((Day(3), Day(3))));
}

#[test]
fn what_was_said_of_learned_days_counts_on_the_first_that_is_not() {
    let known = |history: &mut History, day| {
        history.prepare(Day(day));
        let value = HashKey::DEFAULT.value("x");
        history.at(Day(day)).knows(Dimension::Api, &value)
    };
    for (said_on, first) in [(5, 11), (11, 11), (14, 14)] {
        let mut history = History::default();
        let mut taught = said(&["y"], Lesson::Known);
        taught.has_records = true;
        history.close(Day(3), &taught);
        history.merge(Day(10));
        history.hear(Day(said_on), &said(&["x"], Lesson::Known));
        assert!(!known(&mut history, first - 1) && known(&mut history, first), "{said_on}");
    }
}
