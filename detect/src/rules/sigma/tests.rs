//! Whole documents: what they mean, and what is wrong with them in which line.

use super::{
    Bound, Bounds, Condition, Correlation, CorrelationKind, Detection, Document, Edge, Filter,
    Glob, GlobPart, Level, Line, Logs, Operand, Piece, Test, Usual, Whose, read,
};
use std::{fmt::Write, sync::Arc};

mod conditions;
mod correlations;
mod heads;
mod items;

/// The documents and faults (`line: what`) of a text.
fn documents(text: &str) -> (Vec<Document>, Vec<String>) {
    let (mut documents, errors) = read(&Arc::from("rule.yml"), text, Whose::Own);
    documents.retain(|document| !matches!(document, Document::Unused(_)));
    (documents, errors.iter().map(|error| format!("{}: {}", error.line.0, error.what)).collect())
}

#[track_caller]
fn sound(text: &str) -> Document {
    let (mut documents, errors) = documents(text);
    assert!(errors.is_empty() && documents.len() == 1, "{errors:#?}");
    documents.remove(0)
}

#[track_caller]
fn detection(text: &str) -> Detection {
    match sound(text) {
        Document::Detection(detection) => detection,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refuses(text: &str, faults: &[&str]) {
    let (documents, errors) = documents(text);
    assert!(documents.is_empty(), "{documents:?}");
    let is_alike = errors.len() == faults.len()
        && errors.iter().zip(faults).all(|(error, fault)| error.starts_with(fault));
    assert!(is_alike, "{errors:#?}");
}

const HEAD: &str = "title: T\nlogsource: {product: aws, service: cloudtrail}\n";

/// A rule with one condition over these selections, which begin in line 4.
fn rule(selections: &str, condition: &str) -> String {
    let mut text = format!("{HEAD}detection:\n");
    for line in selections.lines() {
        writeln!(text, "  {line}").unwrap();
    }
    text + &format!("  condition: {condition}\n")
}

/// A condition as a line: `(a|contains:x & !b:1)`.
fn line(condition: &Condition) -> String {
    let join = |inner: &[Condition], with: &str| {
        format!("({})", inner.iter().map(line).collect::<Vec<_>>().join(with))
    };
    match condition {
        Condition::All(inner) => join(inner, " & "),
        Condition::Any(inner) => join(inner, " | "),
        Condition::Not(inner) => format!("!{}", line(inner)),
        Condition::Item(item) => {
            let mut text = item.field.as_ref().map(ToString::to_string).unwrap_or_default();
            text += match item.test {
                Test::Equals { cased: false } => "=",
                Test::Equals { cased: true } => "==",
                Test::Regex => "~",
                Test::Cidr => " in ",
                Test::Exists => " is there: ",
                Test::Less => "<",
                Test::LessOrEqual => "<=",
                Test::Greater => ">",
                Test::GreaterOrEqual => ">=",
                Test::FieldRef(Edge::Whole) => "=$",
                Test::FieldRef(Edge::Start) => "^$",
                Test::FieldRef(Edge::End) => "$$",
                Test::FieldRef(Edge::Anywhere) => "*$",
            };
            let with = if item.needs_all { "+" } else { "," };
            text + &item.values.iter().map(value).collect::<Vec<_>>().join(with)
        }
    }
}

fn value(operand: &Operand) -> String {
    match operand {
        Operand::Glob(glob) => shape(glob),
        Operand::Regex(source) => source.clone(),
        Operand::Cidr(address, bits) => format!("{address}/{bits}"),
        Operand::Number(number) => format!("#{number}"),
        Operand::Bool(value) => value.to_string(),
        Operand::Null => "null".into(),
        Operand::Field(field) => field.to_string(),
        Operand::Placeholder(name) => format!("%{name}%"),
    }
}

/// Wildcards in brackets: `[*]x[?]`.
fn shape(Glob(parts): &Glob) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            GlobPart::Text(plain) => text += plain,
            GlobPart::One => text += "[?]",
            GlobPart::Many => text += "[*]",
        }
    }
    text
}

#[track_caller]
fn means(selections: &str, condition: &str, expected: &str) {
    assert_eq!(line(&detection(&rule(selections, condition)).condition), expected);
}

/// One line of a selection.
#[track_caller]
fn item_means(item: &str, expected: &str) {
    means(&format!("s:\n  {item}"), "s", expected);
}

#[track_caller]
fn item_refused(item: &str, fault: &str) {
    refuses(&rule(&format!("s:\n  {item}"), "s"), &[&format!("5: {fault}")]);
}

const WHOLE: &str = r#"
title: A key for another user
id: 929A690E-bef0-4204-a928-ef5e620d6fcc
name: key-for-another
related:
  - {id: 08fbc97d-0a2f-491c-ae21-8ffcfd3174e9, type: derived}
taxonomy: sigma
status: experimental
license: Apache-2.0
author: Somebody
date: 2024-01-31
modified: 2024/02/01
description: |
  Two lines,
  one text.
references: [https://example.org/a, https://example.org/b]
tags: [attack.Persistence, attack.defense_evasion, attack.defense-evasion, attack.t1098.001]
logsource: {product: aws, service: cloudtrail, definition: trails of the account}
detection:
  selection:
    eventSource: iam.amazonaws.com
    eventName: [CreateAccessKey, UpdateAccessKey]
  filter_same:
    userIdentity.userName|fieldref: requestParameters.userName
  condition: selection and not filter_same
fields: [userIdentity.arn]
falsepositives: Administrators at work
level: high
scope: [server]
my-own: {anything: 1}
sentrail:
  guardduty: Persistence:IAMUser/AnomalousBehavior
  summary: made a key for {requestParameters.userName} {{by hand}}
  targets: [requestParameters.userName]
  usual: api
  quiet-when: it is its own key
  misses: nothing
  triage: ask
tests:
  fires:
    - name: another user
      records:
        - {eventName: CreateAccessKey, n: [1, 2.5, true, null, "0x"], o: {p: "a\"\\\n"}}
        - '{"eventName": "UpdateAccessKey"}'
  quiet:
    - {name: itself, record: {eventName: CreateAccessKey}}
"#;

#[test]
fn a_whole_rule_is_read() {
    let rule = detection(WHOLE);
    assert_eq!(
        line(&rule.condition),
        "((eventSource=iam.amazonaws.com & eventName=CreateAccessKey,UpdateAccessKey) & \
         !userIdentity.userName=$requestParameters.userName)"
    );
    let head = &rule.head;
    assert_eq!((head.line, head.title.as_str()), (Line(2), "A key for another user"));
    assert_eq!(head.uuid.as_deref(), Some("929a690e-bef0-4204-a928-ef5e620d6fcc"));
    assert_eq!(head.name.as_deref(), Some("key-for-another"));
    assert_eq!(head.description, "Two lines,\none text.");
    assert_eq!((head.level, rule.logs), (Level::High, Logs::CloudTrail));
    let tags = [
        "attack.persistence",
        "attack.defense_evasion",
        "attack.defense-evasion",
        "attack.t1098.001",
    ];
    assert_eq!(head.tags, tags);
    assert_eq!(head.references, ["https://example.org/a", "https://example.org/b"]);
    assert_eq!(head.false_positives, ["Administrators at work"]);
    let notes = &head.notes;
    assert_eq!(notes.guardduty.as_deref(), Some("Persistence:IAMUser/AnomalousBehavior"));
    assert_eq!((notes.usual, notes.targets.len()), (Usual::Api, 1));
    let summary: Vec<_> = notes.summary.as_ref().unwrap().0.iter().map(piece).collect();
    assert_eq!(summary, ["made a key for ", "<requestParameters.userName>", " {by hand}"]);
    let samples: Vec<_> = head.samples.iter().map(|sample| (sample.line.0, sample.fires)).collect();
    assert_eq!(samples, [(41, true), (46, false)]);
    let record =
        r#"{"eventName":"CreateAccessKey","n":[1,2.5,true,null,"0x"],"o":{"p":"a\"\\\u000a"}}"#;
    assert_eq!(head.samples[0].records, [record, r#"{"eventName": "UpdateAccessKey"}"#]);
    for sample in &head.samples {
        for record in &sample.records {
            assert!(serde_json::from_str::<serde_json::Value>(record).unwrap().is_object());
        }
    }
}

#[test]
fn the_manual_names_every_word_there_is() {
    let page = include_str!("../../../../docs/rules.md");
    let modifiers = super::modifiers::MODIFIERS.map(|(name, _)| name);
    let words = modifiers.into_iter().chain(super::head::NOTES);
    let words = words.chain(super::correlation::KEYS).chain(super::correlation::TYPES);
    for word in words {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field(field) => format!("<{field}>"),
    }
}
