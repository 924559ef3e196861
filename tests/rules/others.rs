//! Rules of others through the command line, and who goes before whom.

use super::{FOREIGN, RULE, finds, folder, path, read_secret, replayed};
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
    let tally = "1 loaded (1 rule: 0 tell, 1 tells nothing), 1 rejected (1 fault)";
    replayed(&folder, &records).tells(&[tally]);
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

#[test]
fn why_nothing_is_in_force_is_told() {
    let retired = format!("{RULE}status: deprecated\n");
    let files = [("a/a.yml", &*retired), ("b/b.yml", FOREIGN), ("c/c.yml", "# nothing\n")];
    let folder = folder(&files);
    for (below, told) in [
        ("a", "sentrail: all of these rules are ones that their authors have left behind"),
        ("b", "sentrail: no rule of these is about logs that sentrail reads"),
        ("c", "sentrail: these files hold no rule"),
        (
            "",
            "sentrail: each of these rules is about logs that sentrail does not read, or was left",
        ),
    ] {
        let ended = run(&["rules", "check", "--others", &path(&folder, below)]);
        ended.ends(2).tells(&[told]);
        assert_eq!(ended.err.lines().count(), 2, "{}", ended.err);
    }
}

#[test]
fn rules_that_only_serve_correlations_are_counted_apart() {
    let rule = RULE.split("tests:").next().unwrap();
    let quiet = rule.replace("level: high", "level: informational");
    let many = "title: Many\ncorrelation: {type: event_count, rules: [base], timespan: 1h, \
                condition: {gte: 9}}\n";
    let folder = folder(&[("a.yml", rule), ("base.yml", rule), ("many.yml", many)]);
    let told =
        "3 loaded (2 rules, 1 correlation: 2 tell, 1 only serves correlations), 0 rejected\n";
    let rules = path(&folder, "");
    assert_eq!(run(&["rules", "check", "--others", &rules]).ends(0).err, told);
    fs::write(path(&folder, "quiet.yml"), quiet).unwrap();
    let ended = run(&["rules", "check", "--others", &rules]);
    ended.ends(0).tells(&["1 correlation: 2 tell, 1 only serves correlations, 1 tells nothing)"]);
    // Where they speak for themselves, too, all tell.
    let many = many.replace("type:", "generate: true, type:");
    fs::write(path(&folder, "many.yml"), many).unwrap();
    let ended = run(&["rules", "check", "--others", &rules]);
    ended.ends(0).tells(&["4 loaded (3 rules, 1 correlation: 3 tell, 1 tells nothing)"]);
}
