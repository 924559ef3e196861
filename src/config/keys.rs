//! The keys of a configuration file: which there are, and where the file sets them.

use super::suggest;
use detect::DETECTORS;
use std::{collections::BTreeMap, ops::Range};
use toml::{Table, Value, de::DeTable};

/// Where a file sets a key, by dotted name. Unit: byte offsets.
pub(super) type Places = BTreeMap<String, Place>;

/// Where a key and its value stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Something wrong, and where. Unit: byte offset.
pub(super) type Fault = (usize, String);

/// Every key there is, with a value of its type.
pub(super) fn known(defaults: &Table) -> Table {
    let mut known = defaults.clone();
    known.insert("city-database".into(), Value::String(String::new()));
    if let Some(Value::Table(detectors)) = known.get_mut("detectors") {
        let ids = DETECTORS.iter().map(|detector| detector.meta.id);
        let severity = ids.map(|id| (id.to_owned(), Value::String(String::new())));
        detectors.insert("severity".into(), Value::Table(severity.collect()));
    }
    known
}

/// Notes where `table` sets keys; the first unknown one is a fault.
pub(super) fn locate(
    table: &DeTable<'_>,
    known: &Table,
    name: &str,
    places: &mut Places,
) -> Result<(), Fault> {
    for (key, value) in table {
        let text: &str = key.get_ref();
        let Some(expected) = known.get(text) else {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            return Err((key.span().start, unknown("key", text, &names, name)));
        };
        let full = if name.is_empty() { text.to_owned() } else { format!("{name}.{text}") };
        if let (Some(inner), Value::Table(known)) = (value.get_ref().as_table(), expected) {
            locate(inner, known, &full, places)?;
        }
        if full == "detectors.disable" {
            let ids: Vec<_> = DETECTORS.iter().map(|detector| detector.meta.id).collect();
            for item in value.get_ref().as_array().into_iter().flatten() {
                if let Some(id) = item.get_ref().as_str().filter(|id| !ids.contains(id)) {
                    return Err((item.span().start, unknown("detector", id, &ids, "")));
                }
            }
        }
        places.insert(full, Place { key: key.span(), value: value.span() });
    }
    Ok(())
}

/// `no key "call-min" in [detectors.root-use]; did you mean "calls-min"?`
pub(crate) fn unknown(what: &str, word: &str, known: &[&str], table: &str) -> String {
    let within = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
    let word_shown: String = word.chars().take(60).collect();
    let hint = match suggest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => format!("expected one of {}", known.join(", ")),
    };
    format!("no {what} \"{}\"{within}; {hint}", alerts::escape(&word_shown))
}

/// Numbers that no threshold can be: not finite, or negative.
pub(super) fn check_numbers(table: &Table, name: &str, places: &Places) -> Result<(), Fault> {
    for (key, value) in table {
        let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        match value {
            Value::Table(inner) => check_numbers(inner, &full, places)?,
            Value::Float(number) if !number.is_finite() || number.is_sign_negative() => {
                let at = places.get(&full).map_or(0, |place| place.value.start);
                return Err((at, format!("{full} = {number} (expected a number from 0 on)")));
            }
            _ => {}
        }
    }
    Ok(())
}
