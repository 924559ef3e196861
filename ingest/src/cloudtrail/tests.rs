use super::*;

/// One line per record: its name, or the byte and the complaint.
fn names(text: &str) -> (Vec<String>, Result<Shape, ObjectError>) {
    let mut seen = Vec::new();
    let shape = read(text, |index, record| {
        assert_eq!(index, seen.len());
        seen.push(match record {
            Ok(Record::Event(event)) => event.name.to_string(),
            Ok(Record::Insight(insight)) => format!("insight {}", insight.state),
            Ok(Record::Aggregated(window)) => format!("window {}", window.end_ms - window.start_ms),
            Err(error) => format!("byte {}: {}", error.offset, error.expected),
        });
    });
    (seen, shape)
}

fn record(name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2025-03-14T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"{name}"}}"#
    )
}

#[track_caller]
fn check(text: &str, shape: Shape, expected: &[&str]) {
    let (seen, found) = names(text);
    assert_eq!(seen, expected, "{text}");
    assert_eq!(found, Ok(shape), "{text}");
}

#[test]
fn log_files_are_read_with_keys_around_the_records() {
    let (a, b) = (record("A"), record("B"));
    check(&format!(r#"{{"Records":[{a},{b}]}}"#), Shape::Records, &["A", "B"]);
    check(
        &format!(r#"{{ "x" : [1] , "Records" : [ {a} , {b} ] , "y" : 1 }} "#),
        Shape::Records,
        &["A", "B"],
    );
    check(r#"{"Records":[]}"#, Shape::Records, &[]);
    check(&format!("\u{feff}{{\"Records\":[{a}]}}\n"), Shape::Records, &["A"]);
}

#[test]
fn values_one_after_the_other_are_read() {
    let (a, b) = (record("A"), record("B"));
    check(&a, Shape::Record, &["A"]);
    check(&format!("{a}\n{b}\n"), Shape::Lines, &["A", "B"]);
    check(&format!("{a}{b}"), Shape::Lines, &["A", "B"]);
    check(&format!(r#"{{"Records":[{a}]}}{{"Records":[{b}]}}"#), Shape::Records, &["A", "B"]);
    check(&format!("[{a},{b}]"), Shape::Array, &["A", "B"]);
    check(" \n", Shape::Empty, &[]);
}
