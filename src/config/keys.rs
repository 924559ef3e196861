//! The keys of a configuration file: which there are, and where the file sets them.

use super::{kinds::KindPatterns, rules::DecoyNames, suggest};
use detect::{Catalogue, Settings};
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
    known.insert("rules".into(), Value::Array(Vec::new()));
    known.insert("rules-of-others".into(), Value::Array(Vec::new()));
    known.insert("placeholders".into(), Value::Table(Table::new()));
    known.insert("lists".into(), Value::Table(Table::new()));
    let decoys = Table::try_from(DecoyNames::default()).unwrap_or_default();
    known.insert("decoys".into(), Value::Table(decoys));
    let kinds = Table::try_from(KindPatterns::default()).unwrap_or_default();
    known.insert("kinds".into(), Value::Table(kinds));
    known
}

/// More names than this are not told. Unit: names.
const NAMES_SHOWN_MAX: usize = 40;

/// What stands under a name that the user chooses: in tables of lists, placeholders and ids.
fn chosen(table: &str) -> Option<Value> {
    match table {
        "lists" => {
            let keys = ["file", "trusted"].map(|key| (key.to_owned(), Value::Boolean(false)));
            Some(Value::Table(keys.into_iter().collect()))
        }
        "placeholders" => Some(Value::Array(Vec::new())),
        "detectors.severity" => Some(Value::String(String::new())),
        _ => None,
    }
}

/// Notes where `table` sets keys; the first unknown one is a fault.
pub(super) fn locate(
    table: &DeTable<'_>,
    known: &Table,
    name: &str,
    places: &mut Places,
) -> Result<(), Fault> {
    let chosen = chosen(name);
    for (key, value) in table {
        let text: &str = key.get_ref();
        let Some(expected) = chosen.as_ref().or_else(|| known.get(text)) else {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            return Err((key.span().start, unknown("key", text, &names, name)));
        };
        let full = if name.is_empty() { text.to_owned() } else { format!("{name}.{text}") };
        if let (Some(inner), Value::Table(known)) = (value.get_ref().as_table(), expected) {
            locate(inner, known, &full, places)?;
        }
        if full == "detectors.disable" || name == "kinds" {
            for item in value.get_ref().as_array().into_iter().flatten() {
                if let Some(id) = item.get_ref().as_str() {
                    let place = Place { key: item.span(), value: item.span() };
                    places.insert(format!("{full}.{id}"), place);
                }
            }
        }
        places.insert(full, Place { key: key.span(), value: value.span() });
    }
    Ok(())
}

/// Ids of the switches that nobody has.
pub(super) fn check_ids(
    settings: &Settings,
    catalogue: &Catalogue,
    places: &Places,
) -> Result<(), Fault> {
    let disabled = settings.disable.iter().map(|id| ("detectors.disable", id));
    let changed = settings.severity.keys().map(|id| ("detectors.severity", id));
    for (table, id) in disabled.chain(changed) {
        if catalogue.find(id).is_none() {
            let ids: Vec<_> = catalogue.iter().map(|about| about.id.as_str()).collect();
            let at = places.get(&format!("{table}.{id}")).map_or(0, |place| place.key.start);
            return Err((at, unknown("detector or rule", id, &ids, "")));
        }
    }
    Ok(())
}

/// `no key "call-min" in [detectors.root-use]; did you mean "calls-min"?`
pub(crate) fn unknown(what: &str, word: &str, known: &[&str], table: &str) -> String {
    let within = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
    let word_shown: String = word.chars().take(60).collect();
    let hint = match suggest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        // Nothing but rules has so many.
        None if known.len() > NAMES_SHOWN_MAX => {
            format!("`sentrail detectors list` names all {}", known.len())
        }
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
