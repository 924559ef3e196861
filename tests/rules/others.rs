//! Rules of others through the command line, and who goes before whom.

use super::{CONFIG, FOREIGN, RULE, UUID, finds, folder, path, read_secret, replayed};
use crate::support::run;
use std::{fs, path::Path};

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
fn of_documents_with_one_uuid_one_is_in_force() {
    let rule = format!("{}id: {UUID}\n", RULE.split("tests:").next().unwrap());
    let files = [("theirs/z/a-read.yml", &*rule), ("theirs/a/b-read.yml", &rule)];
    let folder = folder(&files);
    let settings = |text: &str| fs::write(path(&folder, "sentrail.toml"), text).unwrap();
    settings("rules-of-others = [\"theirs\"]\n");
    // By their names, and not by their folders.
    let records = [read_secret(1, "Engineer", "payroll/db")];
    finds(&folder, &records, &[("a-read", "high")]);
    let ended = run(&["rules", "check", "--others", &path(&folder, "theirs")]);
    let told = format!(
        "{}:1: the UUID {UUID} is that of {}:1, which is in force, and this is not",
        path(&folder, "theirs/a/b-read.yml"),
        path(&folder, "theirs/z/a-read.yml")
    );
    assert!(ended.ends(0).out.starts_with(&told), "{}", ended.out);
    ended.tells(&["1 loaded (1 rule), 1 rejected (1 fault)"]);
    // One's own goes first, though it comes later in the alphabet; of one's own there is but one.
    fs::create_dir(path(&folder, "rules")).unwrap();
    fs::write(path(&folder, "rules/mine.yml"), rule.replace("high", "low")).unwrap();
    settings(&format!("{CONFIG}rules-of-others = [\"theirs\"]\n"));
    finds(&folder, &records, &[("mine", "low")]);
    replayed(&folder, &records).tells(&["1 loaded (1 rule), 2 rejected (2 faults)"]);
    fs::write(path(&folder, "rules/copy.yml"), &rule).unwrap();
    let ended = replayed(&folder, &records);
    let copy = format!("{}:1, which is in force", path(&folder, "rules/copy.yml"));
    ended.ends(2).tells(&[&format!("{}:1: the UUID", path(&folder, "rules/mine.yml")), &copy]);
}

#[test]
fn a_changed_copy_of_a_built_in_rule_can_be_tested_and_has_no_second_uuid() {
    let built_in = "accelerated-instances-started.yml";
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("detect/rules").join(built_in);
    // Only built-in rules learn habits.
    let text = fs::read_to_string(from).unwrap().replace("usual: match", "usual: api");
    let folder = folder(&[("mine.yml", &text)]);
    let mine = path(&folder, "mine.yml");
    run(&["rules", "test", &mine]).ends(0).tells(&["1 rule, 0 without samples", "0 faults"]);
    let told = format!("{mine}:1: the UUID ");
    let ended = run(&["rules", "check", &mine]);
    assert!(ended.ends(2).out.starts_with(&told), "{}", ended.out);
    assert!(ended.out.contains(&format!("is that of built-in/{built_in}:1, ")), "{}", ended.out);
}

#[test]
fn a_rule_that_others_have_withdrawn_stops_no_start() {
    let folder = folder(&[
        ("theirs/payroll-read.yml", RULE),
        ("rules/secrets.yml", &format!("{RULE}id: {UUID}\n")),
    ]);
    let records = [read_secret(1, "Engineer", "payroll/db")];
    let config = path(&folder, "sentrail.toml");
    let both = "rules = [\"rules\"]\nrules-of-others = [\"theirs\"]\n[detectors]\n";
    let settings = |text: &str| fs::write(&config, format!("{both}{text}\n")).unwrap();
    settings(
        "disable = [\"aws-trail-gone\", \"payroll-read\"]\nseverity = { payroll-wrote = \"low\" }",
    );
    finds(&folder, &records, &[("secrets", "high")]);
    let ended = replayed(&folder, &records);
    let told = |place: &str, id: &str| {
        format!(
            "warning: {config}:{place}: nobody tells anything as \"{id}\": taken for a rule of others"
        )
    };
    ended.tells(&["sentrail: ", &told("4:12", "aws-trail-gone")]);
    ended.tells(&[&told("5:14", "payroll-wrote")]);
    let ended = run(&["config", "check", "--config", &config]);
    ended.ends(0).tells(&[&told("4:12", "aws-trail-gone")]);
    // It may be there still, and be out of force.
    settings("disable = [\"payroll-read\"]");
    assert!(!replayed(&folder, &records).err.contains("nobody tells"));
    let retired = format!("{RULE}status: deprecated\n");
    fs::write(path(&folder, "theirs/payroll-read.yml"), retired).unwrap();
    replayed(&folder, &records).ends(0).tells(&[&told("4:12", "payroll-read")]);
    // What can only be a slip of what is one's own or the program's is no such rule.
    for (slip, meant) in [
        ("prot-scan", "port-scan"),
        ("rootuse", "root-use"),
        ("ROOT_USE", "root-use"),
        ("secrts", "secrets"),
        (&UUID.replace("5d77", "5d7"), UUID),
    ] {
        settings(&format!("disable = [\"{slip}\"]"));
        let told = format!("no detector or rule \"{slip}\"; did you mean \"{meant}\"?");
        replayed(&folder, &records).ends(2).tells(&[&told]);
    }
    // Without rules of others nobody can have withdrawn any.
    fs::write(&config, format!("{CONFIG}[detectors]\ndisable = [\"aws-trail-gone\"]\n")).unwrap();
    replayed(&folder, &records).ends(2).tells(&["no detector or rule \"aws-trail-gone\""]);
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
    let ended = replayed(&folder, &records);
    ended.ends(0).tells(&["nobody tells anything as \"many\"", "did you mean \"many-2\"?"]);
}
