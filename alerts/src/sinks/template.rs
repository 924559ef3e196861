//! # A webhook with a body of one's own
//!
//! Each finding is one `POST` of the JSON that a file of the user's holds, with what is told of the finding put into its
//! texts: for services that have a form of their own, and no sink.
//!
//! ## Sends
//!
//! In the texts of the file `{title}` and its like stand for what is told, `{{` and `}}` for braces. The file is read as
//! JSON at the start, texts are put together, and the whole is written as JSON anew: whatever a log says stays
//! in the text that it was put into. Nothing hidden is told, of access keys the last four characters. What the receiver makes
//! of mark-up in a text is his.
//!
//! ## Limits
//!
//! A body is less than 64,000 bytes; each value is cut to 600 UTF-16 units, in a larger body to 200, then to 60. A file for
//! which that could be too little is refused at the start.
//!
//! ## Answers
//!
//! Those of a webhook.

use super::{
    Event,
    body::json,
    note::{Note, TEXT_UNITS, Told, shown},
};
use crate::report::Report;
use detect::Severity;
use serde_json::Value;

/// What such a file may hold. Unit: bytes.
pub const FILE_BYTES_MAX: usize = 16_384;
/// Unit: bytes.
pub(super) const BODY_BYTES_MAX: usize = 64_000;
/// What takes the place of a field, where it is cut most: 60 UTF-16 units of 6 bytes. Unit: bytes.
const VALUE_BYTES_MAX: usize = 360;
/// The same of the note, which has many lines. Unit: bytes.
const NOTE_BYTES_MAX: usize = 10_000;

/// Of a field that is not known, so much is shown. Unit: UTF-16 units.
const NAME_UNITS_MAX: usize = 60;

/// What is told of a finding.
struct Said<'a> {
    told: Told<'a>,
    report: &'a Report<'a>,
    note: Note,
}

impl Said<'_> {
    /// A fact of the note.
    fn fact(&self, what: &str) -> String {
        let found = self.note.facts.iter().find(|(name, _)| *name == what);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    /// All of the note but its head and summary, line by line.
    fn lines(&self) -> String {
        let facts = self.note.facts.iter().map(|(what, text)| format!("{what}: {text}"));
        let lines = self.note.paragraphs.iter().flatten().cloned();
        facts.chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// How a field is read.
type Read = fn(&Said<'_>) -> String;

/// What may stand in braces.
const FIELDS: [(&str, Read); 20] = [
    ("account", |said| said.report.account.to_owned()),
    ("account_name", |said| said.report.account_name.unwrap_or_default().to_owned()),
    ("confidence", |said| said.report.confidence.level.to_owned()),
    ("count", |said| said.report.count.to_string()),
    ("day", |said| said.report.day.clone()),
    ("detector", |said| said.report.detector.to_owned()),
    ("event", |said| event(said.told.0.event).to_owned()),
    ("first_seen", |said| said.report.first_seen.clone()),
    ("id", |said| said.report.id.clone()),
    ("last_seen", |said| said.report.last_seen.clone()),
    (NOTE, |said| said.lines()),
    ("priority", |said| priority(said.told.1.severity).to_owned()),
    ("series", |said| {
        said.told.0.series.map_or(said.told.1.id, |series| series.opened).to_string()
    }),
    ("severity", |said| said.report.severity.label.to_owned()),
    ("summary", |said| said.report.summary.clone()),
    ("techniques", |said| said.report.techniques.join(", ")),
    ("title", |said| said.report.title.to_owned()),
    ("what_to_do", |said| said.report.what_to_do.clone()),
    ("where", |said| said.fact("where")),
    ("who", |said| said.report.who()),
];
const NOTE: &str = "note";

fn event(event: Event) -> &'static str {
    match event {
        Event::Created => "created",
        Event::Updated => "updated",
    }
}

/// As `P1` to `P4` have it.
fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1",
        Severity::High => "2",
        Severity::Medium => "3",
        Severity::Low => "4",
    }
}

/// A file that bodies are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Value);

/// Why a file is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct NoTemplate {
    /// From 1 on.
    pub line: usize,
    /// What is wrong in it.
    pub what: String,
}

impl Template {
    /// The template that `text` is.
    pub fn parse(text: &str) -> Result<Self, NoTemplate> {
        let value: Value = serde_json::from_str(text).map_err(|error| NoTemplate {
            line: error.line(),
            what: format!("no JSON: {error}"),
        })?;
        let mut n_bytes = json(&value).len();
        for (line, text) in values(text) {
            let pieces = pieces(&text).map_err(|what| NoTemplate { line, what })?;
            let size = |piece: &Piece<'_>| match piece {
                Piece::Text(_) => 0,
                Piece::Field(name, _) if *name == NOTE => NOTE_BYTES_MAX,
                Piece::Field(..) => VALUE_BYTES_MAX,
            };
            n_bytes += pieces.iter().map(size).sum::<usize>();
            if n_bytes >= BODY_BYTES_MAX {
                let what = format!(
                    "up to here a body could have {n_bytes} bytes (expected less than {BODY_BYTES_MAX}: 360 for each \
                     field, {NOTE_BYTES_MAX} for {{note}})"
                );
                return Err(NoTemplate { line, what });
            }
        }
        Ok(Self(value))
    }

    /// The body of a message.
    pub(super) fn body(&self, told: Told<'_>) -> String {
        let (occasion, finding, inputs) = told;
        let report = &Report::new(finding, inputs);
        let of = |n_max| {
            let note = Note::new(occasion, (finding, report), n_max);
            json(&filled(&self.0, &Said { told, report, note }, n_max))
        };
        let [others @ .., last] = TEXT_UNITS;
        let fits = others.into_iter().map(of).find(|body| body.len() < BODY_BYTES_MAX);
        fits.unwrap_or_else(|| of(last))
    }
}

/// A value with what is told in place of its fields.
fn filled(value: &Value, said: &Said<'_>, n_max: usize) -> Value {
    let read = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        // Its lines are cut already, and have ends.
        Piece::Field(NOTE, read) => read(said),
        Piece::Field(_, read) => shown(&read(said), n_max),
    };
    match value {
        // What is no template was refused.
        Value::String(text) => {
            Value::String(pieces(text).unwrap_or_default().into_iter().map(read).collect())
        }
        Value::Array(values) => values.iter().map(|value| filled(value, said, n_max)).collect(),
        Value::Object(fields) => {
            let of = |(name, value): (&String, &Value)| (name.clone(), filled(value, said, n_max));
            Value::Object(fields.iter().map(of).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Part of a text.
enum Piece<'a> {
    Text(&'a str),
    Field(&'static str, Read),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        if behind.starts_with("{{") || behind.starts_with("}}") {
            let (braces, after) = behind.split_at(2);
            pieces.push(Piece::Text(braces.split_at(1).0));
            rest = after;
            continue;
        }
        let inside = behind.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (name, after) =
            inside.ok_or("a brace by itself (expected `{{` or `}}` for a brace)")?;
        let known = FIELDS.iter().find(|(known, _)| *known == name);
        let (name, read) = known.ok_or_else(|| {
            let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
            let name = shown(name, NAME_UNITS_MAX);
            format!(
                "no field {{{name}}} (expected one of {}; `{{{{` for a brace)",
                names.join(", ")
            )
        })?;
        pieces.push(Piece::Field(name, *read));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The texts of JSON that are values, and the lines in which they begin.
fn values(json: &str) -> Vec<(usize, String)> {
    let mut values = Vec::new();
    let (mut line, mut rest) = (1, json);
    while let Some(at) = rest.find('"') {
        let (before, behind) = rest.split_at(at);
        line += before.matches('\n').count();
        let mut is_escaped = false;
        let end = behind.char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        });
        let Some((end, _)) = end else { return values };
        let (text, after) = behind.split_at(end + 1);
        if !after.trim_start().starts_with(':') {
            values.push((line, serde_json::from_str(text).unwrap_or_default()));
        }
        rest = after;
    }
    values
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        escape::is_hidden,
        sample,
        sinks::{
            Occasion,
            note::tests::{full_of, largest_of},
        },
    };
    use detect::Finding;
    use proptest::prelude::*;

    /// Every field, in texts of every kind.
    fn every_field() -> String {
        let each = FIELDS.map(|(name, _)| format!("\"{name}\": [\"{{{name}}}\", 1]"));
        format!("{{\n{},\n\"{{title}}\": \"\\\"{{{{{{id}}}}}}: {{who}}\\n\"}}", each.join(",\n"))
    }

    #[track_caller]
    fn told(template: &str, finding: &Finding) -> Value {
        let body =
            Template::parse(template).unwrap().body((Occasion::NEW, finding, &sample::inputs()));
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        serde_json::from_str(&body).unwrap()
    }

    /// Whether a body is the template, with texts in place of its fields.
    pub(in crate::sinks) fn check(told: Told<'_>) {
        let body = Template::parse(&every_field()).unwrap().body(told);
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        assert!(!body.contains(is_hidden), "{body:?}");
        let value: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value.as_object().unwrap().len(), FIELDS.len() + 1);
        for (name, _) in FIELDS {
            let [text, one] = &value[name].as_array().unwrap()[..] else { panic!("{value}") };
            assert_eq!(one, 1);
            let text = text.as_str().unwrap();
            assert!(!text.chars().any(|c| is_hidden(c) && c != '\n'), "{text:?}");
        }
        assert_eq!(value["id"][0], told.1.id.to_string());
        let both = value["{title}"].as_str().unwrap();
        assert!(
            both.starts_with(&format!("\"{{{}}}: ", told.1.id)) && both.ends_with('\n'),
            "{both}"
        );
    }

    #[test]
    fn fields_are_told_where_they_stand() {
        let template = r#"{"message": "{severity}: {title}", "priority": "P{priority}", "alias": "{series}",
            "details": {"n": 3, "who": ["{who}"], "set": "{{x}}", "where": "{where}"}, "{id}": null}"#;
        let finding = sample::finding("s3-mass-reencryption");
        assert_eq!(
            told(template, &finding),
            serde_json::json!({
                "message": format!("critical: {}", finding.about.title),
                "priority": "P1",
                "alias": finding.id.to_string(),
                "details": {
                    "n": 3,
                    "who": ["hedda@example.com (AWSReservedSSO_Engineer), account 111122223333"],
                    "set": "{x}",
                    "where": "from 203.0.113.0 and 29 more, key ...MPLE, in us-west-2",
                },
                "{id}": null,
            })
        );
        let note = told(r#"["{note}"]"#, &finding);
        let note = note[0].as_str().unwrap();
        assert!(
            note.starts_with("who: hedda@example.com") && note.contains("\n37.34 bits  in all\n")
        );
    }

    #[test]
    fn what_is_no_template_is_told_with_its_line() {
        let known = FIELDS.map(|(name, _)| name).join(", ");
        for (text, told) in [
            ("{\n\"a\": \n}", "3: no JSON: expected value at line 3 column 1".to_owned()),
            (
                "{\"{x}\": 1,\n\"a\": \"\\\" {titel}\"}",
                format!("2: no field {{titel}} (expected one of {known}; `{{{{` for a brace)"),
            ),
            (
                "[\n\n\"{title\"]",
                "3: a brace by itself (expected `{{` or `}}` for a brace)".to_owned(),
            ),
            ("[\"title}\"]", "1: a brace by itself (expected `{{` or `}}` for a brace)".to_owned()),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), told);
        }
        let many = format!("[\n\"{}\"]", "{note}".repeat(7));
        let told = Template::parse(&many).unwrap_err();
        assert!(
            told.line == 2 && told.what.starts_with("up to here a body could have 70"),
            "{told}"
        );
        assert!(Template::parse(&format!("[\"{}\"]", "{note}".repeat(6))).is_ok());
    }

    #[test]
    fn the_largest_body_fits() {
        for wide in ["\u{e0041}", "\u{1f600}", "\"", "\\", "W", "東", "{"] {
            let finding = largest_of(&wide.repeat(5_000));
            told(&format!("[\"{}\"]", "{note}".repeat(6)), &finding);
            told(&format!("[\"{}\"]", "{who}".repeat(150)), &finding);
        }
    }

    proptest! {
        #[test]
        fn any_text_stays_where_it_was_put(text in "\\PC{0,300}|.{0,300}|[{}\"\\\\]{0,60}", times in 1_usize..40) {
            check((Occasion::NEW, &full_of(&text.repeat(times)), &sample::inputs()));
        }

        #[test]
        fn any_file_is_a_template_or_is_refused(text in "[\\[\\]{}\":,a\\\\\n]{0,40}|\\PC{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                let body = template.body((Occasion::NEW, &sample::hostile(), &sample::inputs()));
                prop_assert!(serde_json::from_str::<Value>(&body).is_ok());
            }
        }
    }
}
