//! Documents and records for tests of rules.

use super::{
    Names, RuleSet,
    rule::RuleNo,
    sieve::{Candidates, Numbers, Sieve},
    sigma::{
        Condition, Correlation, CorrelationKind, Detection, Document, Edge, FieldName, Glob,
        GlobPart, Head, Item, Level, Line, Logs, Notes, Operand, Test, Whose,
    },
    view::View,
};
use crate::{
    own::NOTHING,
    record::{Acting, Record},
};
use baseline::Principal;
use ingest::{
    Identity, Text, cloudtrail,
    enrich::{Caller, Enrich, caller},
    testkit::object,
};

pub(crate) const LINE: Line = Line(7);

/// A glob, without escapes.
pub(crate) fn glob(text: &str) -> Glob {
    let mut parts = Vec::new();
    for c in text.chars() {
        match (c, parts.last_mut()) {
            ('*', _) => parts.push(GlobPart::Many),
            ('?', _) => parts.push(GlobPart::One),
            (c, Some(GlobPart::Text(text))) => text.push(c),
            (c, _) => parts.push(GlobPart::Text(c.to_string())),
        }
    }
    Glob(parts)
}

pub(crate) fn name(field: &str) -> FieldName {
    FieldName { line: LINE, path: field.split('.').map(str::to_owned).collect() }
}

pub(crate) fn item(field: &str, test: Test, values: Vec<Operand>) -> Condition {
    let field = Some(name(field));
    Condition::Item(Item { line: LINE, field, test, needs_all: false, values })
}

pub(crate) fn globs(values: &[&str]) -> Vec<Operand> {
    values.iter().map(|value| Operand::Glob(glob(value))).collect()
}

/// Whether a field is any of these, with wildcards.
pub(crate) fn is(field: &str, values: &[&str]) -> Condition {
    item(field, Test::Equals { cased: false }, globs(values))
}

/// Whether a field is this value of another kind than text.
pub(crate) fn equals(field: &str, value: Operand) -> Condition {
    item(field, Test::Equals { cased: false }, vec![value])
}

pub(crate) fn exists(field: &str) -> Condition {
    item(field, Test::Exists, vec![Operand::Bool(true)])
}

pub(crate) fn field_ref(field: &str, other: &str) -> Condition {
    item(field, Test::FieldRef(Edge::Whole), vec![Operand::Field(name(other))])
}

pub(crate) fn keywords(values: &[&str], needs_all: bool) -> Condition {
    let test = Test::Equals { cased: false };
    Condition::Item(Item { line: LINE, field: None, test, needs_all, values: globs(values) })
}

pub(crate) fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

pub(crate) fn head(file: &str) -> Head {
    Head {
        file: file.into(),
        line: Line(1),
        title: format!("Title of {file}"),
        uuid: None,
        name: None,
        description: String::new(),
        level: Level::Medium,
        tags: Vec::new(),
        false_positives: Vec::new(),
        references: Vec::new(),
        notes: Notes::default(),
        samples: Vec::new(),
        whose: Whose::Own,
    }
}

pub(crate) fn detection(file: &str, condition: Condition) -> Detection {
    Detection { head: head(file), logs: Logs::CloudTrail, condition }
}

pub(crate) fn correlation(file: &str, rules: &[&str]) -> Correlation {
    Correlation {
        head: head(file),
        kind: CorrelationKind::Temporal,
        rules: rules.iter().map(|rule| (LINE, (*rule).to_owned())).collect(),
        group_by: Vec::new(),
        aliases: Vec::new(),
        timespan_ms: 60_000,
        generate: false,
    }
}

/// A set of whole documents.
#[track_caller]
pub(crate) fn set(documents: Vec<Document>, names: Names) -> RuleSet {
    let (set, errors) = RuleSet::compile(documents, names);
    assert_eq!(errors, []);
    set
}

/// A set of rules about CloudTrail, in files named `0.yml`, `1.yml`...
#[track_caller]
pub(crate) fn rules(conditions: Vec<Condition>) -> RuleSet {
    let documents = conditions
        .into_iter()
        .enumerate()
        .map(|(n, condition)| Document::Detection(detection(&format!("{n}.yml"), condition)));
    set(documents.collect(), Names::default())
}

/// Asks about a raw record.
pub(crate) fn ask<T>(raw: &str, mut question: impl FnMut(&Record<'_>) -> T) -> T {
    let mut answer = None;
    let shape = cloudtrail::read(&object(&[raw]), |_, record| {
        let Ok(cloudtrail::Record::Event(event)) = record else { panic!("{record:?}") };
        let account = event.account().map_or_else(|| "unknown".into(), Text::get);
        let identity = event.identity.map(Identity::of).unwrap_or_default();
        let principal = &Principal::of(&identity, &account);
        let service = event.service();
        let name = event.name.get();
        let api = format!("{service}:{}", baseline::class::unversioned(&name));
        let caller = caller(&event.source_ip.map(Text::get).unwrap_or_default());
        let origin = match caller {
            Caller::Public(address) => Enrich::built_in().origin(address),
            _ => ingest::enrich::Origin::default(),
        };
        let (event, api, account) = (&event, api.as_str(), &*account);
        let acting = Acting::of(&identity);
        let own = &NOTHING;
        answer =
            Some(question(&Record { event, api, principal, acting, caller, origin, account, own }));
    });
    assert_eq!(shape, Ok(cloudtrail::Shape::Records));
    answer.unwrap()
}

/// The numbers of the rules that match a raw record, as the index finds them; every rule is asked
/// besides, whether the index was right to leave it out.
pub(crate) fn matching(rules: &RuleSet, raw: &str) -> Vec<u32> {
    ask(raw, |record| {
        let numbers = Numbers::default();
        let candidates = Candidates { api: &rules.of_api(record.event, record.api), numbers };
        let mut found = Vec::new();
        let mut sieve = Sieve::default();
        let left = sieve.left(rules, candidates, record);
        rules.matches(left, record, &mut |RuleNo(no)| found.push(no));
        found.sort_unstable();
        let view = View::whole(record, rules.names());
        let numbered = (0..).zip(rules.rules());
        let all = numbered.filter(|(_, rule)| rule.predicate().holds(&view).unwrap());
        assert_eq!(found, all.map(|(no, _)| no).collect::<Vec<u32>>(), "{raw}");
        found
    })
}

/// Whether a condition holds of a raw record.
#[track_caller]
pub(crate) fn holds(condition: Condition, raw: &str) -> bool {
    matching(&rules(vec![condition]), raw) == [0]
}
