use super::*;
use crate::{dimension::Dimension, history::History, value::HashKey};

const LAG: i32 = 2;

fn value(text: &str) -> Value {
    HashKey::DEFAULT.value(text)
}

/// A plain day of two hours on which these APIs were called.
fn day(apis: &[&str]) -> ClosedDay {
    let mut closed = ClosedDay {
        n_hours: Weight::PLAIN.scale(2),
        n_days: Weight::PLAIN.scale(1),
        has_records: true,
        ..ClosedDay::default()
    };
    let of_api = closed.dimensions.entry(Dimension::Api).or_default();
    of_api.values.absorb(apis.iter().map(|api| (value(api), [1, 0])), |_, _| {});
    // As the days came, all that was new counted.
    of_api.rate.note(apis.len() as u64);
    closed
}

fn days() -> Days {
    let mut days = Days::default();
    for (n, apis) in [(3, &["a", "b", "c"][..]), (1, &["a", "d"]), (2, &["a"])] {
        days.add(Day(100 + n), &day(apis));
    }
    days
}

#[test]
fn new_to_a_day_is_what_no_other_has() {
    let whole = days().whole();
    let news = |n: i32| {
        let closed = &whole[&Day(100 + n)];
        assert_eq!(closed.n_judged_hours, closed.n_hours);
        closed.dimensions.get(&Dimension::Api).unwrap().rate.sum()
    };
    assert_eq!([1, 2, 3].map(news), [1, 0, 2].map(|n| Weight::PLAIN.scale(n)));
}

#[test]
fn a_day_is_judged_by_all_but_itself_and_learns_nothing_more() {
    let mut history = History::in_hindsight(days().whole(), LAG);
    let knows = |history: &mut History, judged: i32, api: &str| {
        let through = Day(100 + judged - LAG);
        history.prepare(through);
        assert_eq!((history.n_days(through), history.at(through).n_days()), (2, 2));
        history.at(through).knows(Dimension::Api, &value(api))
    };
    for (api, known) in [("a", [true; 3]), ("b", [true, true, false]), ("d", [false, true, true])] {
        assert_eq!([1, 2, 3].map(|judged| knows(&mut history, judged, api)), known, "{api}");
    }
    let before = history.clone();
    history.close(Day(104), &day(&["e"]));
    history.merge(Day(110));
    assert!(history == before && !knows(&mut history, 1, "e"));
}
