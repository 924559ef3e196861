//! A table of fields, each with its path, whether it has to be there, and what it may be; a field that the
//! table does not know is a fault.

use serde_json::Value;
use std::collections::BTreeSet;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Is {
    Object,
    /// From so many values to so many.
    List(usize, usize),
    /// At most so many pairs, of keys and values of at most so many characters.
    Pairs(usize, usize, usize),
    /// Not blank, and at most so many characters as UTF-16 counts them.
    Text(usize),
    /// Any text but an empty one.
    Said,
    /// One of these texts.
    One(&'static [&'static str]),
    /// A whole number in between, both included.
    Whole(i64, i64),
    /// ISO 8601 in UTC.
    Time,
    /// So many digits.
    Digits(usize),
    /// Whatever it holds.
    Anything,
}

/// A field: its path with `*` for the values of a list; whether whatever holds it has to have it; what it is.
pub(super) type Field = (&'static str, bool, Is);

/// What about `value` does not fit `table`.
pub(super) fn faults(value: &Value, table: &[Field]) -> Vec<String> {
    let mut faults = Vec::new();
    let known: BTreeSet<&str> = table.iter().map(|(path, ..)| *path).collect();
    assert_eq!(known.len(), table.len(), "a path stands twice");
    unknown(value, "", table, &mut faults);
    for (path, is_needed, is) in table {
        let (parent, name) = path.rsplit_once('/').unwrap();
        for holder in at(value, parent) {
            let found: Vec<&Value> = match name {
                "*" => holder.as_array().into_iter().flatten().collect(),
                name => holder.get(name).into_iter().collect(),
            };
            if *is_needed && found.is_empty() && name != "*" {
                faults.push(format!("{path} is missing"));
            }
            let wrong = found.into_iter().filter(|one| !fits(one, *is));
            faults.extend(wrong.map(|one| format!("{path}: {one} is not {is:?}")));
        }
    }
    faults
}

/// Every value at `path`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![value];
    for step in path.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|one| match step {
                "*" => one.as_array().into_iter().flatten().collect::<Vec<_>>(),
                name => one.get(name).into_iter().collect(),
            })
            .collect();
    }
    found
}

fn unknown(value: &Value, path: &str, table: &[Field], faults: &mut Vec<String>) {
    let is = table.iter().find(|(known, ..)| *known == path).map(|(.., is)| *is);
    if is.is_none() && !path.is_empty() {
        faults.push(format!("{path} is not in the table"));
    }
    match (value, is) {
        (_, Some(Is::Pairs(..) | Is::Anything)) => {}
        (Value::Object(fields), _) => {
            for (name, value) in fields {
                unknown(value, &format!("{path}/{name}"), table, faults);
            }
        }
        (Value::Array(values), _) => {
            for value in values {
                unknown(value, &format!("{path}/*"), table, faults);
            }
        }
        _ => {}
    }
}

fn fits(value: &Value, is: Is) -> bool {
    let text = value.as_str();
    match is {
        Is::Object => value.as_object().is_some_and(|fields| !fields.is_empty()),
        Is::List(least, most) => {
            value.as_array().is_some_and(|values| (least..=most).contains(&values.len()))
        }
        Is::Pairs(most, key, pair) => value.as_object().is_some_and(|pairs| {
            pairs.len() <= most
                && pairs.iter().all(|(name, value)| {
                    is_text(name, key) && value.as_str().is_some_and(|text| is_text(text, pair))
                })
        }),
        Is::Text(most) => text.is_some_and(|text| is_text(text, most)),
        Is::Said => text.is_some_and(|text| !text.is_empty()),
        Is::One(words) => text.is_some_and(|text| words.contains(&text)),
        Is::Whole(least, most) => {
            value.as_i64().is_some_and(|number| (least..=most).contains(&number))
        }
        Is::Time => text.is_some_and(|text| ingest::instant::parse_instant(text).is_ok()),
        Is::Digits(n) => {
            text.is_some_and(|text| text.len() == n && text.bytes().all(|b| b.is_ascii_digit()))
        }
        Is::Anything => true,
    }
}

/// Whether it is one line with something in it, as `NonEmptyString` of the service asks.
fn is_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty()
        && text.encode_utf16().count() <= most
        && !text.chars().any(crate::escape::is_hidden)
}

#[test]
fn a_table_refuses_what_does_not_fit() {
    let table: &[Field] = &[
        ("/a", true, Is::Text(3)),
        ("/b", false, Is::List(1, 2)),
        ("/b/*", false, Is::Object),
        ("/b/*/c", true, Is::Whole(1, 2)),
        ("/d", false, Is::Pairs(1, 2, 3)),
        ("/e", false, Is::Time),
        ("/f", false, Is::Digits(2)),
        ("/g", false, Is::One(&["x"])),
    ];
    let n_faults = |text: &str| faults(&serde_json::from_str(text).unwrap(), table).len();
    for good in [
        r#"{"a":"abc"}"#,
        r#"{"a":"a","b":[{"c":1},{"c":2}],"d":{"k":"v"},"e":"2026-03-12T14:03:11Z","f":"12","g":"x"}"#,
    ] {
        assert_eq!(n_faults(good), 0, "{good}");
    }
    for bad in [
        "{}",
        r#"{"a":"abcd"}"#,
        r#"{"a":" "}"#,
        r#"{"a":"a\nb"}"#,
        r#"{"a":1}"#,
        r#"{"a":"a","b":[]}"#,
        r#"{"a":"a","b":[{"c":3}]}"#,
        r#"{"a":"a","b":[{"c":1},{"c":1},{"c":1}]}"#,
        r#"{"a":"a","d":{"k":"long"}}"#,
        r#"{"a":"a","d":{"k":"v","l":"v"}}"#,
        r#"{"a":"a","e":"yesterday"}"#,
        r#"{"a":"a","f":"1x"}"#,
        r#"{"a":"a","g":"y"}"#,
        r#"{"a":"a","z":1}"#,
    ] {
        assert_eq!(n_faults(bad), 1, "{bad}");
    }
    // The field that it has to have is missing, and nothing is no object.
    assert_eq!(n_faults(r#"{"a":"a","b":[{}]}"#), 2);
}
