//! What a rule says about itself, the tables `sentrail` and `tests` among it.

use super::{
    FieldName, Head, Level, Line, Notes, Piece, Sample, Template, Usual, sample,
    table::{Faults, Table, shown, text, unknown},
};
use crate::rules::yaml::{Fault, Node};
use std::sync::Arc;

/// The longest title and name. Unit: characters, from the specification.
const TITLE_CHARS_MAX: usize = 256;
/// The longest name of a field. Unit: bytes.
const FIELD_BYTES_MAX: usize = 256;

const LEVELS: [(&str, Level); 5] = [
    ("informational", Level::Informational),
    ("low", Level::Low),
    ("medium", Level::Medium),
    ("high", Level::High),
    ("critical", Level::Critical),
];

const USUALS: [(&str, Usual); 3] =
    [("never", Usual::Never), ("api", Usual::Api), ("match", Usual::Match)];

pub(super) const NOTES: [&str; 8] =
    ["cold", "guardduty", "misses", "quiet-when", "summary", "targets", "triage", "usual"];

pub(super) fn head(file: &Arc<str>, table: Table<'_>, faults: &mut Faults) -> Option<Head> {
    let title = faults.keep(title(table));
    let id = id(table, faults);
    let name = faults.keep(short_text(table, "name"));
    let description = faults.keep(table.text("description"));
    let level = level(table, faults);
    let tags = faults.keep(tags(table));
    let false_positives = faults.keep(strings(table, "falsepositives"));
    let references = faults.keep(strings(table, "references"));
    let notes = match table.get("sentrail") {
        Some(node) => faults.keep(Table::of(node, "sentrail")).and_then(|table| {
            faults.keep(table.only(&NOTES));
            notes(table, faults)
        }),
        None => Some(Notes::default()),
    };
    let samples = samples(table, faults);
    let (line, title) = title?;
    let (uuid, called) = id?;
    Some(Head {
        file: Arc::clone(file),
        line,
        title,
        uuid,
        name: name?.or(called),
        description: description?.unwrap_or_default().trim().to_owned(),
        level: level?,
        tags: tags?,
        false_positives: false_positives?,
        references: references?,
        notes: notes?,
        samples: samples?,
        whose: faults.whose,
    })
}

/// Table `tests`.
pub(super) fn samples(table: Table<'_>, faults: &mut Faults) -> Option<Vec<Sample>> {
    table.get("tests").map_or_else(|| Some(Vec::new()), |node| sample::read(node, faults))
}

/// `title` and its line.
pub(super) fn title(table: Table<'_>) -> Result<(Line, String), Fault> {
    let node = table.required("title")?;
    Ok((node.line, short_text(table, "title")?.unwrap_or_default()))
}

fn short_text(table: Table<'_>, key: &str) -> Result<Option<String>, Fault> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let text = text(node, key)?.trim();
    match text.chars().count() {
        length if length > TITLE_CHARS_MAX => {
            let what = format!("{key} of {length} characters (expected at most {TITLE_CHARS_MAX})");
            Err(Fault::new(node.line, what))
        }
        _ => Ok(Some(text.to_owned())),
    }
}

/// 8-4-4-4-12 hexadecimal digits, of any version.
pub(super) fn is_uuid(id: &str) -> bool {
    let is_apt = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.len() == 36 && id.bytes().enumerate().all(is_apt)
}

/// `id` in lower case. What is no UUID is a name, too.
fn id(table: Table<'_>, faults: &mut Faults) -> Option<(Option<String>, Option<String>)> {
    let Some(node) = table.get("id") else { return Some((None, None)) };
    let id = faults.keep(text(node, "id"))?;
    let lower = Some(id.to_lowercase());
    if is_uuid(id) {
        return Some((lower, None));
    }
    let fault = Fault::new(node.line, format!("id {} (expected a UUID)", shown(id)));
    faults.tolerate(Err(fault), (lower, Some(id.to_owned())))
}

/// `level`; Sigma leaves it open, then it is medium.
fn level(table: Table<'_>, faults: &mut Faults) -> Option<Level> {
    let level = one_of(table, "level", &LEVELS).map(|level| level.unwrap_or(Level::Medium));
    let word = table.text("level").ok().flatten().unwrap_or_default();
    match LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        Some((_, meant)) => faults.tolerate(level, *meant),
        None => faults.keep(level),
    }
}

fn tags(table: Table<'_>) -> Result<Vec<String>, Fault> {
    let is_part = |part: &str| {
        let mut chars = part.chars();
        !part.is_empty() && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    let tags = table.texts("tags")?.into_iter().map(|(line, tag)| {
        let tag = tag.to_lowercase();
        match tag.split_once('.') {
            Some((namespace, rest)) if is_part(namespace) && is_part(rest) => Ok(tag),
            _ => {
                let what = format!("tag {} (expected one as attack.t1078)", shown(&tag));
                Err(Fault::new(line, what))
            }
        }
    });
    tags.collect()
}

fn strings(table: Table<'_>, key: &str) -> Result<Vec<String>, Fault> {
    Ok(table.texts(key)?.into_iter().map(|(_, text)| text.to_owned()).collect())
}

/// The value of a key that has but a few.
pub(super) fn one_of<T: Copy>(
    table: Table<'_>,
    key: &str,
    known: &[(&str, T)],
) -> Result<Option<T>, Fault> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let word = text(node, key)?;
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == word) {
        return Ok(Some(*value));
    }
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    Err(Fault::new(node.line, format!("no {key} {}", unknown(word, &names))))
}

fn notes(table: Table<'_>, faults: &mut Faults) -> Option<Notes> {
    let mut sentence = |key| Some(faults.keep(table.text(key))?.map(|text| text.trim().to_owned()));
    let guardduty = sentence("guardduty");
    let quiet_when = sentence("quiet-when");
    let misses = sentence("misses");
    let triage = sentence("triage");
    let summary = faults.keep(table.get("summary").map(template).transpose());
    let targets = faults.keep(fields(table, "targets"));
    let usual = faults.keep(one_of(table, "usual", &USUALS));
    let is_low_cold = faults.keep(cold(table));
    Some(Notes {
        guardduty: guardduty?,
        summary: summary?,
        targets: targets?,
        usual: usual?.unwrap_or_default(),
        is_low_cold: is_low_cold?,
        quiet_when: quiet_when?,
        misses: misses?,
        triage: triage?,
    })
}

/// Whether a match is low while nobody has history, which matters only where history does.
fn cold(table: Table<'_>) -> Result<bool, Fault> {
    let is_low = one_of(table, "cold", &[("low", true)])?.is_some();
    let is_usual = table.text("usual").ok().flatten().is_some_and(|usual| usual != "never");
    match table.get("cold") {
        Some(node) if !is_usual => {
            Err(Fault::new(node.line, "\"cold\" without \"usual\" (expected both)"))
        }
        _ => Ok(is_low),
    }
}

/// The fields that a key names: one, or a list of them.
pub(super) fn fields(table: Table<'_>, key: &str) -> Result<Vec<FieldName>, Fault> {
    table.texts(key)?.into_iter().map(|(line, name)| field(line, name)).collect()
}

/// `requestParameters.userName`. There are no quotes and no indices: lists are looked through.
pub(super) fn field(line: Line, name: &str) -> Result<FieldName, Fault> {
    let is_odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '{' | '}' | '[' | ']')
    };
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    if name.len() > FIELD_BYTES_MAX || name.contains(is_odd) || path.iter().any(String::is_empty) {
        let what = format!("field {} (expected one as requestParameters.userName)", shown(name));
        return Err(Fault::new(line, what));
    }
    Ok(FieldName { line, path })
}

/// `{requestParameters.userName}` is a field; `{{` and `}}` are braces.
fn template(node: &Node) -> Result<Template, Fault> {
    let mut rest = text(node, "summary")?.trim();
    let fault = |what: &str| Fault::new(node.line, format!("summary with {what}"));
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at_checked(at).unwrap_or((rest, ""));
        plain.push_str(before);
        if let Some(after) = brace.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = brace.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some(after) = brace.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| {
                fault("\"{\" and no \"}\" (expected {a.field}, or \"{{\" for a brace)")
            })?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field(field(node.line, name)?));
            rest = after;
        } else {
            return Err(fault("\"}\" and no \"{\" (expected \"}}\" for a brace)"));
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Template(pieces))
}
