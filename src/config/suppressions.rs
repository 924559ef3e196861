//! The file that setting `suppressions` names: of which findings nobody has to be told. In: entries `[[suppress]]`.
//! Out: the same, checked.

use super::{
    ConfigError,
    document::{document, place, text, texts},
    keys::{Fault, shown, unknown},
    wrong,
};
use crate::{clock, run::operations};
use alerts::{
    Criterion, Field, Grounds, OWNER_OPEN, REASON_OPEN, Suppression, Suppressions, parse_day,
};
use baseline::Day;
use detect::TAMPERED;
use std::{collections::BTreeMap, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Each finding is compared with all of them. Unit: entries.
const ENTRIES_MAX: usize = 1_000;
/// Of an entry, which stands in metrics. Unit: characters.
const NAME_CHARS_MAX: usize = 60;
/// As long as that of a mark may be. Unit: characters.
const REASON_CHARS_MAX: usize = 1_000;
/// Of a person or a team. Unit: characters.
const OWNER_CHARS_MAX: usize = 200;

/// The only table of the file.
const SUPPRESS: &str = "suppress";
/// Keys that say who and why.
const NAME: &str = "name";
const REASON: &str = "reason";
const OWNER: &str = "owner";
const EXPIRES: &str = "expires";

/// An entry, with where it stands. Unit: byte offsets.
#[derive(Debug)]
struct Entry {
    suppression: Suppression,
    /// Where the values of its keys stand.
    places: BTreeMap<&'static str, usize>,
}

/// Reads the file at `path`, where detectors and rules of these `ids` tell something; answers what may be a slip, too.
pub(super) fn load(path: &Path, ids: &[&str]) -> Result<(Suppressions, Vec<String>), ConfigError> {
    let (entries, content) = document(("suppressions", path), parse)?;
    let told = entries.iter().flat_map(|entry| warnings(entry, (clock::today(), ids)));
    let told = told.map(|fault| wrong(path, &content, fault).to_string()).collect();
    let entries = entries.into_iter().map(|entry| entry.suppression).collect();
    Ok((Suppressions::new(entries, &of_the_watch()), told))
}

/// Who tells that sentrail sees less than it should.
fn of_the_watch() -> Vec<&'static str> {
    operations::IDS.into_iter().chain([TAMPERED]).collect()
}

fn parse(document: &DeTable<'_>) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    for (key, value) in document {
        if key.get_ref() != SUPPRESS {
            return Err((key.span().start, unknown("table", key.get_ref(), &[SUPPRESS], "")));
        }
        let all = value.get_ref().as_array();
        for one in all.ok_or_else(|| (place(value), EXPECTED.to_owned()))? {
            let n = entries.len() + 1;
            if n > ENTRIES_MAX {
                return Err((place(one), format!("more than {ENTRIES_MAX} entries")));
            }
            let entry = entry(one, n)?;
            let name = &entry.suppression.grounds.name;
            if entries.iter().any(|other| other.suppression.grounds.name == *name) {
                let at = entry.places.get(NAME).copied().unwrap_or_else(|| place(one));
                return Err((at, format!("two entries are called {}", shown(name))));
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Of a day as TOML has them, too: whoever reads it knows it as a text.
const NO_DAY: &str = "expected a day in quotes, such as \"2026-03-31\"";
const EXPECTED: &str = "expected entries, each below a line `[[suppress]]`";

fn entry(value: &Spanned<DeValue<'_>>, n: usize) -> Result<Entry, Fault> {
    let at = place(value);
    let table = value.get_ref().as_table().ok_or_else(|| (at, EXPECTED.to_owned()))?;
    let (mut criteria, mut places) = (Vec::new(), BTreeMap::new());
    let mut said = BTreeMap::from([(NAME, format!("{SUPPRESS} {n}"))]);
    for (key, value) in table {
        let (known, chars_max) = match key.get_ref().as_ref() {
            NAME => (NAME, NAME_CHARS_MAX),
            REASON => (REASON, REASON_CHARS_MAX),
            OWNER => (OWNER, OWNER_CHARS_MAX),
            EXPIRES => (EXPIRES, REASON_CHARS_MAX),
            other => {
                let field = field(other).map_err(|what| (key.span().start, what))?;
                places.insert(field.name(), place(value));
                criteria.push(criterion(field, value)?);
                continue;
            }
        };
        places.insert(known, place(value));
        let said_of = |(at, what): Fault| (at, format!("{known}: {what}"));
        if known == EXPIRES && value.get_ref().as_str().is_none() {
            return Err(said_of((place(value), NO_DAY.to_owned())));
        }
        let text = text(value, chars_max).map_err(said_of)?;
        said.insert(known, text.to_owned());
    }
    let mut take = |key| {
        let missing = || (at, format!("no `{key}` (expected `reason`, `owner` and `expires`)"));
        said.remove(key).ok_or_else(missing)
    };
    let (name, reason, owner) = (take(NAME)?, take(REASON)?, take(OWNER)?);
    let expires = expires(&take(EXPIRES)?).map_err(|what| {
        (places.get(EXPIRES).copied().unwrap_or(at), format!("{EXPIRES}: {what}"))
    })?;
    let suppression = Suppression { grounds: Grounds { name, reason, owner, expires }, criteria };
    if !suppression.narrows() {
        let what = "suppresses every finding (expected what they have in common, such as `detector` and `entity`)";
        return Err((at, what.to_owned()));
    }
    Ok(Entry { suppression, places })
}

fn expires(text: &str) -> Result<Day, String> {
    let expected = || format!("no day {} (expected such as \"2026-03-31\")", shown(text));
    parse_day(text).ok_or_else(expected)
}

fn field(key: &str) -> Result<Field, String> {
    let found = Field::ALL.iter().find(|field| field.name() == key);
    found.copied().ok_or_else(|| {
        let own = [NAME, REASON, OWNER, EXPIRES].into_iter();
        let all: Vec<_> = own.chain(Field::ALL.iter().map(|field| field.name())).collect();
        unknown("key", key, &all, SUPPRESS)
    })
}

fn criterion(field: Field, value: &Spanned<DeValue<'_>>) -> Result<Criterion, Fault> {
    let name = field.name();
    let texts = texts(value).map_err(|(at, what)| (at, format!("{name}: {what}")))?;
    let patterns: Vec<_> = texts.iter().map(|(text, _)| *text).collect();
    Criterion::new(field, &patterns).map_err(|(n, wrong)| {
        let (text, at) = texts.get(n).copied().unwrap_or(("", place(value)));
        (at, format!("{name}: {} is {wrong}", shown(text)))
    })
}

/// What is no fault and may be a slip.
fn warnings(Entry { suppression, places }: &Entry, (today, ids): (Day, &[&str])) -> Vec<Fault> {
    let Grounds { name, reason, owner, expires } = &suppression.grounds;
    let at = |key: &str| places.get(key).copied().unwrap_or_default();
    let mut told = Vec::new();
    if *expires < today {
        let what = format!("{name} expired with {expires}: what was found since is told");
        told.push((at(EXPIRES), what));
    }
    let detectors = suppression.criteria.iter().find(|one| one.field() == Field::Detector);
    if detectors.is_some_and(|detectors| !ids.iter().any(|id| detectors.fits(id))) {
        let what =
            format!("{name}: no detector or rule fits (`sentrail detectors list` names them)");
        told.push((at(Field::Detector.name()), what));
    }
    for (key, said, open) in [(REASON, reason, REASON_OPEN), (OWNER, owner, OWNER_OPEN)] {
        if said == open {
            told.push((at(key), format!("{name}: {key} still says {}", shown(open))));
        }
    }
    told
}

#[cfg(test)]
mod tests;
