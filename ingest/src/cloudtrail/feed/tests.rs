use proptest::prelude::*;

use super::*;
use crate::cloudtrail::{read, text};

type Seen = (Vec<String>, Result<Shape, ObjectError>);

fn line(index: usize, record: &Result<Record<'_>, RecordError>) -> String {
    format!("{index} {record:?}")
}

fn whole(bytes: &[u8]) -> Seen {
    let mut seen = Vec::new();
    let result = read(&text(bytes).text, |index, record| seen.push(line(index, &record)));
    (seen, result)
}

fn fed<'a>(mut feed: Feed, blocks: impl Iterator<Item = &'a [u8]>) -> Seen {
    let mut seen = Vec::new();
    for block in blocks {
        let pushed = feed.push(block, |index, record| seen.push(line(index, &record)));
        if let Err(error) = pushed {
            return (seen, Err(error));
        }
    }
    let result = feed.finish(|index, record| seen.push(line(index, &record)));
    (seen, result)
}

#[track_caller]
fn check(bytes: &[u8]) {
    let expected = whole(bytes);
    for size in [1, 2, 3, 5, 17, 64, 1 << 20] {
        let found = fed(Feed::new(text(bytes).text.len()), bytes.chunks(size));
        assert_eq!(found, expected, "{size} {:?}", String::from_utf8_lossy(bytes));
    }
}

fn record(name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2025-03-14T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"{name}"}}"#
    )
}

#[test]
fn every_shape_reads_as_it_does_whole() {
    let (a, b) = (record("A"), record("é😀"));
    let quoted = format!(r#"{{"Events":[{{"CloudTrailEvent":{a:?}}}]}}"#);
    for text in [
        String::new(),
        " \n ".to_owned(),
        a.clone(),
        format!("{a}\n{b}\n"),
        format!("{a}{b}"),
        a.replacen('{', r#"{"readOnly":false,"managementEvent":true,"addendum":null,"#, 1),
        format!("[{a} , {b}]"),
        format!("\u{feff}{{\"x\":[1],\"Records\":[{a},{b}],\"y\":0,\"Records\":[{a}]}} \n"),
        format!(r#"{{"Records":[{a}]}}{{"Records":[{b}]}}"#),
        format!(r#"{{"Records":[{a}],"x":true,"y":null,"z":false}}"#),
        format!("{quoted}{quoted}"),
        format!(r#"{{"detail-type":"x","detail":{a}}}"#),
    ] {
        assert!(whole(text.as_bytes()).1.is_ok());
        check(text.as_bytes());
    }
}

#[test]
fn damage_reads_as_it_does_whole() {
    let (a, b) = (record("A"), record("B"));
    for text in [
        "hello".to_owned(),
        "12".to_owned(),
        format!("{a} 12\n{b}"),
        format!("{a} nul\n{b}"),
        format!(r#"{{"Records":[{a},12,{b},tru,{a}]}}"#),
        format!(r#"{{"Records":[{a},12 {b} {a}]}}"#),
        format!(r#"{{"Records":[{a},é"é{b},{b}]}}"#),
        format!(r#"{{"Records":[{{"eventVersion":nul}},{b}]}}"#),
        format!(r#"{{"Records":[{{"eventVersion":-}},{b}]}}"#),
        format!(r#"{{"Records":[{{"eventVersion":{{]}}}},{b}]}}"#),
        format!(r#"{{"Records":[{{"eventVersion":"1.08,{b}]}}"#),
        format!(r#"{{"Records":[{a},{{"Records":[{a}]}},{b}]}}"#),
        format!(r#"{{"Records":[{a}]"#),
        format!(r#"{{"Records":[{a}"#),
        format!(r#"{{"Records":[{a}],"x":"#),
        format!("{{\"x\n{a}\n{b}"),
    ] {
        check(text.as_bytes());
    }
}

#[test]
fn bytes_that_are_no_text_become_marks() {
    for bad in [&b"\xff"[..], b"\xe2\x82", b"\xf0\x9f\x98", b"\xe2\x28\xa1", b"\xc3\xc3\xa9"] {
        let mut bytes = record("A").into_bytes();
        let at = bytes.len() - 2;
        bytes.splice(at..at, bad.iter().copied());
        check(&bytes);
        let mut feed = Feed::new(bytes.len());
        bytes.chunks(1).for_each(|byte| feed.push(byte, |_, _| {}).unwrap());
        assert!(feed.is_lossy());
        bytes.extend_from_slice(bad);
        check(&bytes);
    }
}

#[test]
fn the_longest_value_is_read_and_the_next_byte_refused_however_cut() {
    let value = record("A");
    let text = format!("[{value}, {value}]");
    for (max, expected) in [
        (value.len(), Ok(Shape::Array)),
        (value.len() - 1, Err(ObjectError::TooLong { offset: 1 })),
    ] {
        for size in [1, 10, value.len(), text.len()] {
            let feed = Feed { value_bytes_max: max, ..Feed::new(text.len()) };
            assert_eq!(fed(feed, text.as_bytes().chunks(size)).1, expected, "{max} {size}");
        }
    }
}

#[test]
fn what_was_read_is_not_held() {
    let line = record("A") + "\n";
    let mut feed = Feed::new(line.len() * 1_000);
    for _ in 0..1_000 {
        feed.push(line.as_bytes(), |_, _| {}).unwrap();
        assert!(feed.window.len() <= 3 * line.len(), "{}", feed.window.len());
    }
    // A search for the next record holds nothing either.
    let mut feed = Feed::new(1 << 20);
    feed.push(b"[x", |_, _| {}).unwrap();
    for _ in 0..1_000 {
        feed.push("é, ".repeat(100).as_bytes(), |_, _| {}).unwrap();
        assert!(feed.window.len() < 1_000, "{}", feed.window.len());
    }
}

/// Parts of objects, whole and broken.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        4 => "[a-zé😀]{0,9}".prop_map(|name| record(&name)),
        2 => "[A-Z]{0,3}".prop_map(|name| record(&name) + ","),
        1 => Just(r#"{"Records":["#.to_owned()),
        1 => Just(r#"],"x":{"y":[null,true,-1.5e3]}}"#.to_owned()),
        1 => Just("]}".to_owned()),
        1 => r#"[\[\]{}":,\\ \n0-9a-eé]{0,9}"#,
        1 => Just(r#"{"eventVersion":"#.to_owned()),
        1 => Just(format!(r#"{{"CloudTrailEvent":{:?}}},"#, record("Q"))),
        1 => Just("\n{".to_owned()),
    ];
    prop_oneof![
        12 => text.prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn cuts_change_nothing(
        pieces in proptest::collection::vec(piece(), 0..8),
        sizes in proptest::collection::vec(1_usize..60, 1..20),
        is_log_file in any::<bool>(),
    ) {
        let mut bytes = if is_log_file { b"{\"Records\":[".to_vec() } else { Vec::new() };
        bytes.extend(pieces.concat());
        let mut rest = bytes.as_slice();
        let mut sizes = sizes.iter().cycle();
        let blocks = std::iter::from_fn(|| {
            let (block, after) = rest.split_at_checked(*sizes.next()?).unwrap_or((rest, &[]));
            rest = after;
            (!block.is_empty()).then_some(block)
        });
        let found = fed(Feed::new(text(&bytes).text.len()), blocks);
        prop_assert_eq!(found, whole(&bytes));
    }
}
