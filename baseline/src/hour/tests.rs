use super::*;
use crate::value::HashKey;

fn entry(slot: i32, value: &str, amount: u64) -> Entry {
    Entry {
        dimension: Dimension::Denied,
        slot: Slot(slot),
        value: Some(HashKey::DEFAULT.value(value)),
        amount,
        n_records: amount,
        evidence: None,
        first: None,
        others: Vec::new(),
    }
}

#[test]
fn the_whole_of_an_hour_counts_what_is_wanted_alone() {
    let mut hours = Hours::default();
    for (slot, value, amount) in [(12, "a", 3), (12, "b", 2), (13, "a", 1), (24, "b", 9)] {
        let entry = entry(slot, value, amount);
        hours.add(&entry, entry.value.as_ref());
    }
    let whole =
        |wanted: &str| hours.span(Hour(1)).whole(Dimension::Denied, |value| &*value.text == wanted);
    let of_b = whole("b").unwrap();
    assert_eq!((of_b.statistic, &*of_b.slots), (2, &[(Slot(12), 2)][..]));
    assert_eq!(of_b.counted.values.heaviest(), [("b", 2)]);
    assert_eq!(whole("c"), None);
}
