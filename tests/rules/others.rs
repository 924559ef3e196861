//! Rules of others through the command line, and who goes before whom.

use super::{RULE, finds, folder, path, read_secret, replayed};
use crate::support::run;
use std::fs;

#[test]
fn rules_of_others_are_judged_as_such() {
    let reference = RULE.replace("level: high", "level: High\nreference: x\nid: read-1");
    let retired = format!("{RULE}status: deprecated\n");
    let wrong = RULE.replace("eventName: G", "status: G");
    let files = [("a.yml", &*reference), ("b.yml", &retired), ("c.yml", &wrong), ("d/a.yml", RULE)];
    let folder = folder(&files);
    let rules = path(&folder, "");
    let ended = run(&["rules", "check", "--others", &rules]);
    ended.ends(0).tells(&["2 loaded (2 rules), 1 rejected (1 fault), 1 deprecated, 4 warnings"]);
    assert!(ended.out.starts_with(&path(&folder, "c.yml")), "{}", ended.out);
    assert_eq!(ended.out.lines().count(), 1);
    let rows = run(&["rules", "check", "--others", "--verbose", "--format", "jsonl", &rules]);
    let whys: Vec<_> = rows.ends(0).rows().iter().map(|row| row["why"].clone()).collect();
    assert_eq!(whys, ["warning", "warning", "warning", "retired", "fault", "warning"]);
    // Nothing to use is what nobody wants, and one's own are told of everything.
    run(&["rules", "check", "--others", &path(&folder, "c.yml")]).ends(2);
    let ended = run(&["rules", "check", &rules]);
    ended.ends(2).tells(&["1 loaded (1 rule), 3 rejected (5 faults)"]);
}

#[test]
fn a_correlation_with_a_fault_does_not_set_its_rules_free() {
    let text = "title: Many\ncorrelation: {type: value_max, rules: [base], timespan: 1h, \
                condition: {gte: 9}}\n---\ntitle: Base\nname: base\n\
                logsource: {service: CloudTrail, category: cloud}\n\
                detection:\n  s: {eventName: GetSecretValue}\n  condition: s\nfalsepositives:\n";
    let config = "rules-of-others = [\"theirs\"]\n";
    let folder = folder(&[("sentrail.toml", config), ("theirs/many.yml", text)]);
    let records = [read_secret(1, "Engineer", "web/db")];
    finds(&folder, &records, &[]);
    replayed(&folder, &records).tells(&["1 loaded (1 rule), 1 rejected (1 fault)"]);
    let ended = run(&["rules", "check", "--others", &path(&folder, "theirs")]);
    assert!(ended.ends(0).out.contains("; its rules stay silent"), "{}", ended.out);
    let free = text.replace("type: value_max", "generate: true, type: value_max");
    fs::write(path(&folder, "theirs/many.yml"), free).unwrap();
    finds(&folder, &records, &[("base", "medium")]);
}

#[test]
fn an_id_stays_when_a_document_beside_it_has_a_fault() {
    let rule = RULE.split("tests:").next().unwrap();
    let text = format!("{}---\n{rule}", rule.replace("level: high", "level: extreme"));
    let config = "rules-of-others = [\"theirs\"]\n[detectors.severity]\n";
    let folder = folder(&[("theirs/many.yml", text.as_str())]);
    let settings = |text: &str| {
        fs::write(path(&folder, "sentrail.toml"), format!("{config}{text} = \"low\"\n")).unwrap();
    };
    let records = [read_secret(1, "Engineer", "payroll/db")];
    settings("many-2");
    finds(&folder, &records, &[("many-2", "low")]);
    settings("many");
    replayed(&folder, &records).ends(2).tells(&["no detector or rule \"many\""]);
}
