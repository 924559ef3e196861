//! The keys of a configuration file: which there are, and where the file sets them.

use super::{
    aws::AwsTable, kinds::KindPatterns, organization::OrganizationTable, rules::DecoyNames, sinks,
    suggest,
};
use detect::{Rules, Settings, Severity, TAMPERED, slip_of};
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

/// The tables of ids that all who speak share.
const DISABLE: &str = "detectors.disable";
const SEVERITY: &str = "detectors.severity";

/// Every key there is, with a value of its type.
pub(super) fn known(defaults: &Table) -> Table {
    let mut known = defaults.clone();
    known.insert("city-database".into(), Value::String(String::new()));
    known.insert("accounts".into(), Value::String(String::new()));
    known.insert("suppressions".into(), Value::String(String::new()));
    known.insert("rules".into(), Value::Array(Vec::new()));
    known.insert("rules-of-others".into(), Value::Array(Vec::new()));
    known.insert("own".into(), Value::Array(Vec::new()));
    known.insert("placeholders".into(), Value::Table(Table::new()));
    known.insert("lists".into(), Value::Table(Table::new()));
    let decoys = Table::try_from(DecoyNames::default()).unwrap_or_default();
    known.insert("decoys".into(), Value::Table(decoys));
    let kinds = Table::try_from(KindPatterns::default()).unwrap_or_default();
    known.insert("kinds".into(), Value::Table(kinds));
    known.insert("aws".into(), Value::Table(AwsTable::known()));
    known.insert("organization".into(), Value::Table(OrganizationTable::known()));
    known.insert("sinks".into(), Value::Table(Table::new()));
    known
}

/// More names than this are not told. Unit: names.
const NAMES_SHOWN_MAX: usize = 40;
/// A word of the file is cut to this in a message. Unit: characters.
pub(super) const WORD_CHARS_MAX: usize = 60;

/// What stands under a name that the user chooses: in tables of lists, sinks, placeholders and ids.
fn chosen(table: &str) -> Option<Value> {
    match table {
        "lists" => {
            let keys = ["file", "trusted"].map(|key| (key.to_owned(), Value::Boolean(false)));
            Some(Value::Table(keys.into_iter().collect()))
        }
        "sinks" => Some(sinks::known()),
        "placeholders" => Some(Value::Array(Vec::new())),
        SEVERITY => Some(Value::String(String::new())),
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
        if full == DISABLE || name == "kinds" {
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

/// Ids of the switches that nobody has, and rules that are switched twice. A word that can only be a slip
/// of what ships with the program or is the user's own is a fault. Where there are rules of others, any
/// other word may be one of theirs that they have withdrawn: that is only told.
pub(super) fn check_ids(
    settings: &Settings,
    (rules, has_others): (&Rules, bool),
    places: &Places,
) -> Result<Vec<Fault>, Fault> {
    let of_others = rules.of_others();
    let abouts = || rules.catalogue().iter();
    let own = abouts().filter(|about| !of_others.contains(about.id.as_str()));
    let own = own.flat_map(|about| [Some(about.id.as_str()), about.uuid.as_deref()]);
    let own: Vec<&str> = own.flatten().collect();
    check_always_on(settings, places)?;
    let mut warnings = Vec::new();
    let disabled = settings.disable.iter().map(|id| (DISABLE, id));
    let changed = settings.severity.keys().map(|id| (SEVERITY, id));
    for (table, id) in disabled.chain(changed) {
        if rules.catalogue().find(id).is_some() {
            continue;
        }
        let at = start(places, table, id);
        if !has_others || slip_of(id, own.iter().copied()).is_some() {
            return Err((at, unknown("detector or rule", id, &own, "")));
        }
        let near = suggest(id, abouts().map(|about| about.id.as_str()));
        let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        let what = format!(
            "nobody tells anything as {}: taken for a rule of others that was withdrawn or left out{near}",
            shown(id)
        );
        warnings.push((at, what));
    }
    warnings.sort();
    check_severities(settings, rules, places)?;
    Ok(warnings)
}

/// That nobody silences who tells that the watch itself is touched.
fn check_always_on(settings: &Settings, places: &Places) -> Result<(), Fault> {
    let id = TAMPERED;
    let expected = "expected an entry of `suppressions` that names it: that has an owner and an end, and is counted";
    if settings.disable.contains(id) {
        return Err((
            start(places, DISABLE, id),
            format!("{} is always on ({expected})", shown(id)),
        ));
    }
    let lower = settings.severity.get(id).filter(|severity| **severity < Severity::High);
    lower.map_or(Ok(()), |_| {
        let what = format!("{} cannot be made quieter ({expected})", shown(id));
        Err((start(places, SEVERITY, id), what))
    })
}

/// One rule by two names, id and UUID, of which each says another severity.
fn check_severities(settings: &Settings, rules: &Rules, places: &Places) -> Result<(), Fault> {
    for about in rules.catalogue().iter() {
        let mut named = settings.severity.iter().filter(|(name, _)| about.is_called(name));
        let Some((first, severity)) = named.next() else { continue };
        let Some((second, other)) = named.find(|(_, other)| *other != severity) else { continue };
        let mut both = [(first, severity), (second, other)];
        both.sort_by_key(|(name, _)| start(places, SEVERITY, name));
        let [(first, severity), (second, other)] = both;
        let what = format!(
            "{} and {} are one rule with two severities, {} and {} (expected one of them)",
            shown(first),
            shown(second),
            severity.label(),
            other.label()
        );
        return Err((start(places, SEVERITY, second), what));
    }
    Ok(())
}

/// Where a table has an id. Unit: byte offset.
fn start(places: &Places, table: &str, id: &str) -> usize {
    places.get(&format!("{table}.{id}")).map_or(0, |place| place.key.start)
}

/// A word of the file in quotes, cut where nobody would read on.
pub(super) fn shown(word: &str) -> String {
    let word: String = word.chars().take(WORD_CHARS_MAX).collect();
    format!("\"{}\"", alerts::escape(&word))
}

/// `no key "call-min" in [detectors.root-use]; did you mean "calls-min"?`
pub(crate) fn unknown(what: &str, word: &str, known: &[&str], table: &str) -> String {
    let within = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
    let hint = match suggest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        // Nothing but rules has so many.
        None if known.len() > NAMES_SHOWN_MAX => {
            format!("`sentrail detectors list` names all {}", known.len())
        }
        None => format!("expected one of {}", known.join(", ")),
    };
    format!("no {what} {}{within}; {hint}", shown(word))
}

/// Numbers that no threshold can be: not finite, or negative.
pub(super) fn check_numbers(table: &Table, name: &str, places: &Places) -> Result<(), Fault> {
    for (key, value) in table {
        let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        match value {
            Value::Table(inner) => check_numbers(inner, &full, places)?,
            Value::Float(number) if !number.is_finite() || number.is_sign_negative() => {
                let at = places.get(&full).map_or(0, |place| place.value.start);
                return Err((
                    at,
                    format!("{full} = {number} (expected a finite number from 0 on)"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
