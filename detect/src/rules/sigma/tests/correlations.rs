//! Correlations and filters.

use super::{
    Bound, Bounds, Correlation, CorrelationKind, Document, Filter, Line, Logs, line, read, refuses,
    sound,
};
use crate::rules::sigma::{Unused, UnusedKind, Whose};

#[track_caller]
fn correlation(table: &str) -> Correlation {
    match sound(&document(table)) {
        Document::Correlation(correlation) => correlation,
        other => panic!("{other:?}"),
    }
}

/// The table begins in line 3.
fn document(table: &str) -> String {
    let indented: Vec<_> = table.lines().map(|line| format!("  {line}")).collect();
    format!("title: T\ncorrelation:\n{}\n", indented.join("\n"))
}

#[track_caller]
fn refused(table: &str, fault: &str) {
    refuses(&document(table), &[fault]);
}

const COUNT: &str = "type: event_count\nrules: [r]\ngroup-by: [u]\ntimespan: 1h\n";
const TEMPORAL: &str = "type: temporal\nrules: [a, b]\ngroup-by: [u]\ntimespan: 1h\n";

#[test]
fn counts_of_events() {
    let found = correlation(
        "type: event_count\nrules:\n  - r\ngroup-by:\n  - a.b\n  - c\ntimespan: 1h\ncondition:\n  gte: 100",
    );
    assert_eq!(found.kind, CorrelationKind::EventCount(Bounds(vec![(Bound::GreaterOrEqual, 100)])));
    assert_eq!(found.rules, [(Line(5), "r".to_owned())]);
    let fields: Vec<_> = found.group_by.iter().map(ToString::to_string).collect();
    assert_eq!(fields, ["a.b", "c"]);
    assert_eq!((found.timespan_ms, found.generate), (3_600_000, false));
    let found = correlation(&format!("{COUNT}condition: {{gt: 100, lte: 200, neq: 150}}"));
    let bounds = vec![(Bound::Greater, 100), (Bound::LessOrEqual, 200), (Bound::NotEqual, 150)];
    assert_eq!(found.kind, CorrelationKind::EventCount(Bounds(bounds)));
    let alone = correlation("type: event_count\nrules: r\ntimespan: 1s\ncondition: {eq: 3}");
    assert!(alone.group_by.is_empty());
}

#[test]
fn counts_of_values() {
    for (field, n_fields) in [("u", 1), ("[u, v.w]", 2)] {
        let found = correlation(&format!(
            "type: value_count\nrules: [r]\ngroup-by: [x, y]\ntimespan: 1d\ncondition: {{field: {field}, gte: 5}}"
        ));
        let CorrelationKind::ValueCount(fields, bounds) = found.kind else { panic!() };
        assert_eq!((fields.len(), bounds.0.len()), (n_fields, 1));
    }
    let value_count = COUNT.replace("event", "value");
    refused(&format!("{value_count}condition: {{gte: 5}}"), "7: condition has no \"field\"");
    refused(&format!("{value_count}condition: {{field: u}}"), "7: condition without a count (eq,");
    refused(
        &format!("{COUNT}condition: {{gte: 5, field: u}}"),
        "7: condition has no key \"field\"",
    );
}

#[test]
fn temporal_wants_all_of_its_rules() {
    assert_eq!(correlation(TEMPORAL).kind, CorrelationKind::Temporal);
    let ordered = TEMPORAL.replace("temporal", "temporal_ordered");
    assert_eq!(correlation(&ordered).kind, CorrelationKind::TemporalOrdered);
    for all in ["{gte: 2}", "{eq: 2}", "{gt: 1}", "a and b", "b AND a"] {
        assert_eq!(
            correlation(&format!("{TEMPORAL}condition: {all}")).kind,
            CorrelationKind::Temporal
        );
    }
    for other in ["{gte: 1}", "{lt: 2}", "a or b", "a", "a and not b", "a b and", "[a]"] {
        let fault = "7: condition of temporal (not supported: leave it out for all of the rules)";
        refused(&format!("{TEMPORAL}condition: {other}"), fault);
    }
    refused("type: temporal\nrules: [a]\ntimespan: 1h", "4: temporal of one rule");
}

#[test]
fn aliases_stand_for_fields() {
    let found = correlation(
        "type: temporal\nrules: [inside, outside]\ngroup-by: [near, far]\ntimespan: 10s\naliases:\n  near:\n    inside: dst.ip\n    outside: src.ip\n  far: {inside: src.ip, outside: dst.ip}",
    );
    let [near, far] = found.aliases.as_slice() else { panic!() };
    assert_eq!((near.name.as_str(), far.name.as_str()), ("near", "far"));
    assert_eq!(
        (near.fields[1].0.as_str(), near.fields[1].1.to_string()),
        ("outside", "src.ip".into())
    );
    assert_eq!(near.fields[1].1.line, Line(10));
    refused(&format!("{TEMPORAL}aliases: {{u: {{c: x}}}}"), "7: alias for \"c\" (expected one of");
    refused(
        &format!("{TEMPORAL}aliases: {{w: {{a: x}}}}"),
        "7: alias \"w\" that \"group-by\" does",
    );
    refused(&format!("{TEMPORAL}aliases: {{u: {{}}}}"), "7: alias is empty");
    refused(&format!("{TEMPORAL}aliases: {{u: x}}"), "7: alias is a text (expected a mapping)");
}

#[test]
fn timespans_are_seconds_to_days() {
    for (span, span_ms) in [
        ("1s", 1_000),
        ("90m", 5_400_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("1w", 604_800_000),
    ] {
        let found = correlation(&TEMPORAL.replace("1h", span));
        assert_eq!(found.timespan_ms, span_ms);
    }
    for span in ["0s", "8d", "604801s", "99999999999999999999d"] {
        let fault = format!("6: timespan \"{span}\" (expected 1s to 7d)");
        refused(&TEMPORAL.replace("1h", span), &fault);
    }
    for span in ["5", "1y", "1M", "1H", "1h30m", "-1h", "h", "1.5h", "1 h"] {
        let fault = format!("6: timespan \"{span}\" (expected one as 30s, 5m, 2h or 1d)");
        refused(&TEMPORAL.replace("1h", span), &fault);
    }
}

#[test]
fn generate_stands_here_or_there() {
    assert!(correlation(&format!("{TEMPORAL}generate: true")).generate);
    let text = document(TEMPORAL) + "generate: true\n";
    let Document::Correlation(found) = sound(&text) else { panic!() };
    assert!(found.generate);
    refused(&format!("{TEMPORAL}generate: yes"), "7: generate is a text (expected true or false)");
    let text = document(&format!("{TEMPORAL}generate: true")) + "generate: true\n";
    refuses(&text, &["7: \"generate\" a second time"]);
}

#[test]
fn what_is_no_correlation() {
    refused(
        "type: event_count\nrules: [r]\ncondition: {gte: 1}",
        "3: correlation has no \"timespan\"",
    );
    refused("rules: [r, s]\ntimespan: 1h", "3: correlation has no \"type\"");
    refused(COUNT, "3: correlation has no \"condition\"");
    refused(&TEMPORAL.replace("[a, b]", "[]"), "4: rules is an empty list");
    refused(&TEMPORAL.replace("[a, b]", "[a, a]"), "4: rule \"a\" a second time");
    refused(&TEMPORAL.replace("[a, b]", "{a: b}"), "4: rules is a mapping (expected a text)");
    refused("type: temporal\ntimespan: 1h", "3: correlation has no \"rules\"");
    refused(
        &TEMPORAL.replace("type: temporal", "type: value_avg"),
        "3: type \"value_avg\" (not supp",
    );
    refused(
        &TEMPORAL.replace("type: temporal", "type: temporl"),
        "3: no type \"temporl\"; did you",
    );
    refused(
        &format!("{TEMPORAL}groupby: x"),
        "7: correlation has no key \"groupby\"; did you mean \"group-by\"?",
    );
    for (condition, fault) in [
        ("{gte: -1}", "gte is a number (expected a whole number from 0 on)"),
        ("{gte: '5'}", "gte is a text (expected a whole number"),
        ("{gte: 1.5}", "gte is a number"),
        ("{gt: 5, lt: 6}", "condition that no count can meet"),
        ("{eq: 5, neq: 5}", "condition that no count can meet"),
        ("{lt: 0}", "condition that no count can meet"),
        ("{lt: 1}", "condition that no count can meet (expected one for 1 or more)"),
        ("{lte: 0}", "condition that no count can meet"),
        ("{eq: 0}", "condition that no count can meet"),
        ("{lt: 2, neq: 1}", "condition that no count can meet"),
        ("{ge: 5}", "condition has no key \"ge\"; did you mean"),
        ("{}", "condition is empty"),
        ("5", "condition is a number (expected a mapping)"),
    ] {
        refused(&format!("{COUNT}condition: {condition}"), &format!("7: {fault}"));
    }
    let text = document(TEMPORAL) + "logsource: {product: aws, service: cloudtrail}\n";
    refuses(&text, &["7: a correlation has no \"logsource\""]);
}

#[test]
fn filters_name_their_rules() {
    let text = "title: The auditors\nid: 0e95725d-7320-415d-80f7-004da920fc11\ndescription: They read\nlogsource: {product: aws, service: vpcflow}\nfilter:\n  rules:\n    - 6f3e2987-db24-4c78-a860-b4f4095a7095\n    - by-name\n  selection:\n    user|startswith: adm_\n  condition: not selection\n";
    let Document::Filter(found) = sound(text) else { panic!() };
    assert_eq!(
        (found.title.as_str(), found.line, found.logs),
        ("The auditors", Line(1), Logs::Flow)
    );
    let rules = found.rules.as_deref().unwrap();
    assert_eq!(rules[1], (Line(8), "by-name".to_owned()));
    assert_eq!(line(&found.condition), "!user=adm_[*]");
    let any = text
        .replace("rules:\n    - 6f3e2987-db24-4c78-a860-b4f4095a7095\n    - by-name", "rules: any");
    let Document::Filter(Filter { rules, .. }) = sound(&any) else { panic!() };
    assert_eq!(rules, None);
}

#[test]
fn what_is_no_filter() {
    let head = "title: T\nlogsource: {product: aws, service: cloudtrail}\n";
    refuses(
        &format!("{head}filter: {{s: {{a: b}}, condition: s}}"),
        &["3: filter has no \"rules\""],
    );
    refuses(
        &format!("{head}filter: {{rules: [], s: {{a: b}}, condition: s}}"),
        &["3: rules is an empty"],
    );
    refuses(
        &format!("{head}filter: {{rules: [r], s: {{a: b}}}}"),
        &["3: filter has no \"condition\""],
    );
    refuses(
        &format!("{head}level: high\nfilter: {{rules: [r], s: {{a: b}}, condition: s}}"),
        &["3: a filter has no \"level\""],
    );
    refuses(
        "title: T\nfilter: {rules: any, s: {a: b}, condition: s}",
        &["1: document has no \"logsource\""],
    );
}

#[test]
fn what_a_refused_correlation_wants_for_itself_is_kept() {
    let wants = |text: &str| {
        let (documents, errors) = read(&"rule.yml".into(), text, Whose::Own);
        let is_said = errors[0].what.contains("its rules stay silent");
        match documents.as_slice() {
            [Document::Unused(Unused { kind: UnusedKind::Correlation(rules), .. })] => {
                assert_eq!(is_said, !rules.is_empty());
                rules.clone()
            }
            other => panic!("{other:?}"),
        }
    };
    let text = "title: T\ncorrelation: {type: value_max, rules: [a, b], timespan: 1h, condition: {gte: 2}}\n";
    assert_eq!(wants(text), ["a", "b"]);
    assert_eq!(wants(&format!("{text}generate: true\n")), [""; 0]);
    assert_eq!(wants(&text.replace("type", "generate: true, type")), [""; 0]);
    assert_eq!(wants(&text.replace("[a, b]", "{a: b}")), [""; 0]);
}
