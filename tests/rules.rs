//! Files of rules through the command line: checked, tested, in force.

#[cfg(test)]
mod others;

use crate::support::{Ended, run, text};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const RULE: &str = "title: Payroll read
logsource: {product: aws, service: cloudtrail}
detection:
  read: {eventName: GetSecretValue, requestParameters.secretId|contains: payroll}
  condition: read
level: high
tests:
  fires:
    - name: somebody reads it
      record: {eventName: GetSecretValue, requestParameters: {secretId: payroll/db}}
  quiet:
    - name: another one is read
      record: {eventName: GetSecretValue, requestParameters: {secretId: web/db}}
";

/// A rule as public sets have them for other logs, with attributes of their own.
const FOREIGN: &str = "title: Logon
id: 0d6f2cd4-5d77-4d39-8a37-7e1d4a9e0f11
levle: high
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4624}, timeframe: 5m, condition: selection | count() > 3}
";

const UUID: &str = "0d6f2cd4-5d77-4d39-8a37-7e1d4a9e0f13";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    text(&folder.path().join(name))
}

#[test]
fn sound_rules_pass_the_check() {
    let folder = folder(&[("a.yml", RULE), ("below/b.yaml", RULE), ("c.md", "none")]);
    let ended = run(&["rules", "check", &path(&folder, "")]);
    assert_eq!(ended.ends(0).out, "");
    assert_eq!(ended.err, "2 loaded (2 rules), 0 rejected\n");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = RULE.replace("requestParameters", "requestParameter");
    let folder = folder(&[("a.yml", &wrong), ("b.yml", &RULE.replace("level: high", "level: hi"))]);
    let ended = run(&["rules", "check", &path(&folder, "")]);
    let lines: Vec<&str> = ended.ends(2).out.lines().collect();
    let (a, b) = (path(&folder, "a.yml"), path(&folder, "b.yml"));
    assert_eq!(
        lines,
        [
            format!(
                "{a}:4: CloudTrail records have no field `requestParameter`; did you mean \
                 `requestParameters`?"
            ),
            format!("{b}:6: no level \"hi\"; did you mean \"high\"?"),
        ]
    );
    ended.tells(&["0 loaded, 2 rejected (2 faults)"]);
    let rows = run(&["rules", "check", "--format", "jsonl", &a]).ends(2).rows();
    assert_eq!((&rows[0]["line"], &rows[0]["why"]), (&json!(4), &json!("fault")));
    run(&["rules", "check", "/nowhere/a.yml"]).ends(2).tells(&["/nowhere/a.yml"]);
    run(&["rules", "check"]).ends(2);
}

#[test]
fn many_faults_are_counted_by_their_reason() {
    let names: Vec<String> = (0..30).map(|n| format!("{n}.yml")).collect();
    let texts: Vec<String> =
        (0..30).map(|n| RULE.replace("eventName: G", &format!("field{n}: G"))).collect();
    let files: Vec<_> = names.iter().zip(&texts).map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let folder = folder(&files);
    let ended = run(&["rules", "check", &path(&folder, "")]);
    assert_eq!(ended.ends(2).out.lines().count(), 30);
    ended.tells(&["30 rejected (30 faults)"]).tells(&["30 CloudTrail records have no field ..."]);
    assert!(!ended.err.contains("more"), "{}", ended.err);
    // Of other reasons, the most frequent are told.
    for (n, (from, to)) in [
        ("level: high", "level: extreme"),
        ("level: high", "id: x"),
        ("level: high", "tags: [attack]"),
        ("level: high", "taxonomy: ecs"),
        ("title: Payroll read", "title: ''"),
        ("condition: read", "condition: read |"),
        ("condition: read", "condition: read and"),
        ("condition: read", "condition: reads"),
        ("condition: read", "timeframe: 5m\n  condition: read"),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(path(&folder, &format!("m{n}.yml")), RULE.replace(from, to)).unwrap();
    }
    let ended = run(&["rules", "check", &path(&folder, "")]);
    ended.ends(2).tells(&["39 rejected (39 faults)"]).tells(&["        and 2 more"]);
}

#[test]
fn a_time_frame_is_told_wherever_it_stands() {
    let rule = RULE.replace("level: high", "timeframe: 5m\nlevel: high");
    let inside = RULE.replace("  condition:", "  timeframe: 5m\n  condition:");
    let folder = folder(&[("a.yml", &rule), ("b.yml", &inside), ("c.yml", RULE)]);
    for others in [&["--others"][..], &[]] {
        let rules = path(&folder, "");
        let ended = run(&[&["rules", "check", &rules], others].concat());
        let what = "\"timeframe\" (not supported: use a correlation with \"timespan\")";
        for (file, line) in [("a.yml", 6), ("b.yml", 5)] {
            let told = format!("{}:{line}: {what}\n", path(&folder, file));
            assert!(ended.out.contains(&told), "{}", ended.out);
        }
        ended.tells(&["1 loaded (1 rule), 2 rejected (2 faults)"]);
    }
}

#[test]
fn rules_for_other_logs_are_counted() {
    let folder = folder(&[("aws/a.yml", RULE), ("windows/b.yml", FOREIGN)]);
    let ended = run(&["rules", "check", &path(&folder, "")]);
    assert_eq!(ended.ends(0).out, "");
    ended.tells(&["1 loaded (1 rule), 0 rejected, 1 about other logs (1 windows)"]);
    let ended = run(&["rules", "check", "--verbose", &path(&folder, "")]);
    assert!(ended.ends(0).out.contains("b.yml:4: sentrail does not read these logs: windows\n"));
    let ended = run(&["rules", "check", &path(&folder, "windows")]);
    ended.ends(2).tells(&["no rule of these is about logs that sentrail reads"]);
}

#[test]
fn what_another_tool_calls_a_field_is_told_with_what_to_write() {
    let wrong = RULE.replace("eventName: G", "status: G");
    let folder =
        folder(&[("a.yml", &wrong), ("b.yml", &RULE.replace("eventName: G", "src_ip: G"))]);
    let ended = run(&["rules", "check", &path(&folder, "")]);
    for words in [
        "a.yml:4: CloudTrail records have no field `status`; write `sentrail.outcome`\n",
        "b.yml:4: CloudTrail records have no field `src_ip`; write `sourceIPAddress`\n",
    ] {
        assert!(ended.ends(2).out.contains(words), "{}", ended.out);
    }
}

#[test]
fn samples_say_whether_they_hold() {
    let folder = folder(&[("a.yml", RULE)]);
    let ended = run(&["rules", "test", &path(&folder, "a.yml")]);
    assert_eq!(ended.ends(0).out, "");
    assert_eq!(ended.err, "1 rule, 0 without samples; 2 samples, 0 do not hold; 0 faults\n");

    let wrong = RULE.replace("web/db", "payroll/web");
    let untested = RULE.split("tests:").next().unwrap();
    fs::write(path(&folder, "a.yml"), wrong).unwrap();
    fs::write(path(&folder, "b.yml"), untested).unwrap();
    let ended = run(&["rules", "test", &path(&folder, "")]);
    let told = format!("{}:12: \"another one is read\" is told", path(&folder, "a.yml"));
    assert!(ended.ends(1).out.starts_with(&told), "{}", ended.out);
    ended.tells(&["2 rules, 1 without samples; 2 samples, 1 do not hold; 0 faults"]);
    let rows = run(&["rules", "test", "--format", "jsonl", &path(&folder, "")]).ends(1).rows();
    assert_eq!((&rows[0]["line"], &rows[0]["why"]), (&json!(12), &json!("sample")));

    fs::write(path(&folder, "a.yml"), "title: [").unwrap();
    run(&["rules", "test", &path(&folder, "")]).ends(2).tells(&["1 fault in 1 file"]);
}

const CONFIG: &str = "rules = [\"rules\"]\n";

const ADA: &str = "arn:aws:sts::111122223333:assumed-role/Engineer/ada@example.com";

/// A call of a person with a role, at an instant of a day.
fn call(n: u32, role: &str, source: &str, name: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "eventID": format!("6f1c0000-0000-4000-8000-{n:012}"),
        "eventTime": format!("2025-03-14T10:{:02}:00Z", n % 60),
        "eventSource": source,
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEENGINEER00:ada@example.com",
            "arn": ADA.replace("Engineer", role),
            "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE000000000",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEENGINEER00",
                "arn": format!("arn:aws:iam::111122223333:role/{role}"),
                "accountId": "111122223333",
                "userName": role,
            }},
        },
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.15.30",
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": true,
        "readOnly": false,
    })
}

fn with(mut record: Value, key: &str, value: Value) -> Value {
    record[key] = value;
    record
}

fn read_secret(n: u32, role: &str, secret: &str) -> Value {
    let record = call(n, role, "secretsmanager.amazonaws.com", "GetSecretValue");
    with(record, "requestParameters", json!({"secretId": secret}))
}

/// Findings on records under a configuration, by id of rule: label and whose.
fn replayed(folder: &TempDir, records: &[Value]) -> Ended {
    let logs = folder.path().join("logs.json");
    fs::write(&logs, json!({"Records": records}).to_string()).unwrap();
    let config = path(folder, "sentrail.toml");
    run(&["replay", "--format", "jsonl", "--config", &config, &text(&logs)])
}

fn found(ended: &Ended) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = ended.ends(0).rows();
    let facts = rows.iter().map(|row| {
        let key = text(&row["entity"]["key"]);
        (text(&row["detector"]), text(&row["severity"]["label"]), key)
    });
    facts.collect()
}

#[track_caller]
fn finds(folder: &TempDir, records: &[Value], expected: &[(&str, &str)]) {
    let ended = replayed(folder, records);
    let found = found(&ended);
    let found: Vec<_> = found.iter().map(|(id, label, _)| (id.as_str(), label.as_str())).collect();
    assert_eq!(found, expected, "{}", ended.err);
}

#[test]
fn a_rule_of_a_folder_finds_something_in_a_replay() {
    let files = [("sentrail.toml", CONFIG), ("rules/payroll-read.yml", RULE)];
    let folder = folder(&[&files[..], &[("rules/foreign.yml", FOREIGN)]].concat());
    let records = [read_secret(1, "Engineer", "payroll/db"), read_secret(2, "Engineer", "web/db")];
    let ended = replayed(&folder, &records);
    let key = "arn:aws:iam::111122223333:role/Engineer#ada@example.com";
    let expected = ("payroll-read".to_owned(), "high".to_owned(), key.to_owned());
    assert_eq!(found(&ended), [expected]);
    let tally = "1 loaded (1 rule), 0 rejected, 1 about other logs (1 windows)";
    ended.tells(&[&format!("rules     {tally}")]);
    let config = path(&folder, "sentrail.toml");
    run(&["config", "check", "--config", &config])
        .ends(0)
        .tells(&[&format!("warning: rules: {tally}")]);
    let page = run(&["detectors", "show", "payroll-read", "--config", &config]).ends(0).out.clone();
    assert!(page.contains("requestParameters.secretId|contains: payroll"), "{page}");
    assert!(!page.contains("somebody reads it"), "{page}");
}

#[test]
fn a_rule_without_words_of_its_own_tells_what_was_called() {
    let rule = RULE.replace(
        "eventName: GetSecretValue, requestParameters.secretId|contains: payroll",
        "eventSource: secretsmanager.amazonaws.com",
    );
    let rule = rule.split("tests:").next().unwrap().to_owned()
        + "description: Secrets are touched.\nfalsepositives: [The payroll itself]\n";
    let folder = folder(&[("sentrail.toml", CONFIG), ("rules/payroll-read.yml", &rule)]);
    let touched = |n, name| call(n, "Engineer", "secretsmanager.amazonaws.com", name);
    let names =
        ["GetSecretValue", "GetSecretValue", "PutSecretValue", "DeleteSecret", "TagResource"];
    let records: Vec<_> = (0..).zip(names).map(|(n, name)| touched(n, name)).collect();
    let rows = replayed(&folder, &records).ends(0).rows();
    let row = rows.iter().find(|row| row["detector"] == "payroll-read").unwrap();
    let summary = row["summary"].as_str().unwrap();
    let told = "called secretsmanager:GetSecretValue, secretsmanager:DeleteSecret, \
                secretsmanager:PutSecretValue and 1 more (matched \"Payroll read\")";
    assert!(summary.contains(told), "{summary}");
    let config = path(&folder, "sentrail.toml");
    let page = run(&["detectors", "show", "payroll-read", "--config", &config]).ends(0).out.clone();
    for words in ["## Fires when\nSecrets are touched.", "It can be harmless: The payroll itself."]
    {
        assert!(page.contains(words), "{page}");
    }
}

#[test]
fn severity_and_silence_hold_for_rules() {
    let folder = folder(&[("sentrail.toml", ""), ("rules/payroll-read.yml", RULE)]);
    let records = [read_secret(1, "Engineer", "payroll/db")];
    let settings = |text: &str| {
        fs::write(path(&folder, "sentrail.toml"), format!("{CONFIG}[detectors]\n{text}")).unwrap();
    };
    settings("severity = { payroll-read = \"low\" }");
    finds(&folder, &records, &[("payroll-read", "low")]);
    settings("disable = [\"payroll-read\"]");
    finds(&folder, &records, &[]);
    // The UUID of a rule stays when its file is called otherwise.
    let uuid = "0D6F2cd4-5d77-4d39-8a37-7e1d4a9e0f12";
    let rule = format!("{RULE}id: {uuid}\n");
    fs::write(path(&folder, "rules/payroll-read.yml"), rule).unwrap();
    settings(&format!("severity = {{ {uuid} = \"low\" }}"));
    finds(&folder, &records, &[("payroll-read", "low")]);
    settings(&format!("disable = [\"{}\"]", uuid.to_lowercase()));
    finds(&folder, &records, &[]);
    settings("\ndisable = [\"payrol-read\"]");
    let ended = replayed(&folder, &records);
    let line = format!("{}:4:12:", path(&folder, "sentrail.toml"));
    ended.ends(2).tells(&[&line, "did you mean \"payroll-read\"?"]);
}

#[test]
fn a_rule_has_one_severity() {
    let rule = format!("{RULE}id: {UUID}\n");
    let folder = folder(&[("rules/payroll-read.yml", &rule)]);
    let records = [read_secret(1, "Engineer", "payroll/db")];
    let settings = |uuid: &str| {
        let text =
            format!("{CONFIG}[detectors.severity]\n{UUID} = \"{uuid}\"\npayroll-read = \"low\"\n");
        fs::write(path(&folder, "sentrail.toml"), text).unwrap();
    };
    settings("low");
    finds(&folder, &records, &[("payroll-read", "low")]);
    settings("critical");
    let told = format!(
        "{}:4:1: \"{UUID}\" and \"payroll-read\" are one rule with two severities, critical and low",
        path(&folder, "sentrail.toml")
    );
    replayed(&folder, &records).ends(2).tells(&[&told]);
}

#[test]
fn a_filter_silences_a_built_in_rule_for_one_role() {
    let filter = "title: Images are made by hand there
logsource: {product: aws, service: cloudtrail}
filter:
  rules: [ec2-user-data-changed]
  builder: {userIdentity.sessionContext.sessionIssuer.userName: ImageBuilder}
  condition: not builder
";
    let changed = |n, role| {
        let record = call(n, role, "ec2.amazonaws.com", "ModifyInstanceAttribute");
        let request = json!({"instanceId": "i-0a1b2c3d4e5f60718", "userData": "x"});
        with(record, "requestParameters", request)
    };
    let records = [changed(1, "Engineer"), changed(2, "ImageBuilder")];
    let folder = folder(&[("sentrail.toml", CONFIG), ("rules/filters.yml", filter)]);
    let told = found(&replayed(&folder, &records));
    let keys: BTreeSet<&str> = told
        .iter()
        .filter(|(id, ..)| id == "ec2-user-data-changed")
        .map(|(.., key)| key.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(keys, BTreeSet::from(["Engineer#ada@example.com"]));
    let config = path(&folder, "sentrail.toml");
    let page = run(&["detectors", "show", "ec2-user-data-changed", "--config", &config]);
    assert!(page.ends(0).out.contains("ImageBuilder"), "{}", page.out);
    run(&["rules", "check", &path(&folder, "rules")]).ends(0).tells(&["1 loaded (1 filter)"]);
    fs::write(path(&folder, "rules/filters.yml"), filter.replace("ec2-user", "ec2-usr")).unwrap();
    let ended = run(&["rules", "check", &path(&folder, "rules")]);
    let words = "filters.yml:4: no rule has the id or name `ec2-usr-data-changed`; did you mean \
                 `ec2-user-data-changed`?";
    assert!(ended.ends(2).out.contains(words), "{}", ended.out);
}

#[test]
fn lists_and_decoys_are_told() {
    let config = "[lists.bad-hosts]\nfile = \"bad.txt\"\n[decoys]\nsecrets = [\"payroll-old\"]\n";
    let folder = folder(&[("sentrail.toml", config), ("bad.txt", "198.51.100.66\n")]);
    let decoy = read_secret(1, "Engineer", "payroll-old");
    finds(&folder, &[decoy], &[("decoy-touched", "critical")]);
    let listed = call(2, "Engineer", "ec2.amazonaws.com", "CreateTags");
    let listed = with(listed, "sourceIPAddress", json!("198.51.100.66"));
    finds(&folder, std::slice::from_ref(&listed), &[("listed-address-changes", "high")]);
    let office = "[lists.offices]\nfile = \"office.txt\"\ntrusted = true\n";
    fs::write(path(&folder, "office.txt"), "198.51.100.0/24\n").unwrap();
    fs::write(path(&folder, "sentrail.toml"), format!("{config}{office}")).unwrap();
    finds(&folder, &[listed], &[]);
    fs::write(path(&folder, "sentrail.toml"), config).unwrap();
    // Rules see them in a test, too.
    let rule = "title: x\nlogsource: {product: aws, service: cloudtrail}\n\
                detection: {s: {sentrail.lists: bad-hosts}, condition: s}\n\
                tests:\n  fires:\n    - name: one\n      record: {sourceIPAddress: 198.51.100.66}\n";
    fs::write(path(&folder, "x.yml"), rule).unwrap();
    let config = path(&folder, "sentrail.toml");
    run(&["rules", "test", &path(&folder, "x.yml")]).ends(1);
    run(&["rules", "test", "--config", &config, &path(&folder, "x.yml")]).ends(0);
}

/// The fenced blocks of a page in one language, by the file that the first line names.
fn blocks(page: &str, language: &str) -> Vec<(String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let fence = format!("```{language}\n");
    let texts = page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let named = texts.map(|text| {
        let name = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let name = name.unwrap_or_else(|| panic!("no `# file` first in {text}"));
        (name.to_owned(), text.to_owned())
    });
    named.collect()
}

#[test]
fn the_examples_of_the_manual_can_be_used() {
    for page in ["docs/rules.md", "README.md"] {
        let mut files = blocks(page, "yaml");
        files.extend(blocks(page, "toml"));
        assert!(!files.is_empty(), "{page}");
        files.push(("offices.txt".to_owned(), "192.0.2.0/24\n".to_owned()));
        files.push(("tor-exits.csv".to_owned(), "ip\n198.51.100.77\n".to_owned()));
        let files: Vec<_> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let folder = folder(&files);
        let config = folder.path().join("sentrail.toml");
        let config = if config.exists() { config } else { PathBuf::from("/dev/null") };
        let config = text(&config);
        for verb in ["check", "test"] {
            let ended = run(&["rules", verb, "--config", &config, &path(&folder, "rules")]);
            assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{page}: {}", ended.err);
            assert!(verb == "check" || ended.err.contains(" 0 without samples"), "{}", ended.err);
        }
        run(&["config", "check", "--config", &config]).ends(0);
    }
}

#[test]
fn the_manual_lists_every_field_that_is_worked_out() {
    let page = include_str!("../docs/rules.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `sentrail.")?.split('`').next());
    let listed: Vec<String> = rows.map(|name| format!("sentrail.{name}")).collect();
    assert_eq!(listed, detect::rules::derived().collect::<Vec<_>>());
}

#[test]
fn the_rules_to_copy_are_there() {
    let page = include_str!("../CONTRIBUTING.md");
    let words = page.split('`');
    let names: Vec<&str> = words.filter(|word| word.rsplit('.').next() == Some("yml")).collect();
    assert!(names.len() > 3, "{names:?}");
    for name in names.iter().filter(|name| !name.contains(['<', '/'])) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("detect/rules").join(name);
        assert!(file.is_file(), "{name}");
    }
}
