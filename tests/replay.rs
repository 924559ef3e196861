//! `sentrail replay` on the golden archive: what is found, and that nothing beside it matters.

use crate::support::{
    Ended, GOLDEN, copy_tenth, files, golden_records, gzip, run, run_on, run_unread,
    shuffled_objects, text,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, sync::OnceLock};

/// Steps of the attack, and the detector that tells of each.
const COVERED: [(&str, &str); 10] = [
    ("a leaked key is used from Singapore", "impossible-travel"),
    ("40 calls are refused within minutes", "denied-burst"),
    ("a key is created for another user", "credentials-for-others"),
    ("30 secrets are read", "mass-secret-read"),
    ("a console sign-in without second factor", "console-sign-in-without-mfa"),
    ("one of two trails is stopped", "logging-switched-off"),
    ("120 objects are encrypted with a key of the caller's", "s3-mass-reencryption"),
    ("80 objects of another bucket are deleted", "s3-mass-deletion"),
    ("the instance's credentials are used outside of AWS", "compute-credentials-outside-aws"),
    ("the instance scans its neighbours", "port-scan"),
];

/// Steps that no detector looks for.
const NOT_COVERED: [&str; 3] = [
    "encryption with a caller's key is allowed again",
    "every object expires in seven days",
    "a ransom note is left",
];

/// The one act in the archive that is worth a word though nobody means harm.
const WORTH_A_WORD: (&str, &str) =
    ("root-use", "root signs in from the office with its second factor");

fn golden() -> &'static Ended {
    static GOLDEN_RUN: OnceLock<Ended> = OnceLock::new();
    GOLDEN_RUN.get_or_init(|| run(&["replay", "--format", "jsonl", GOLDEN]))
}

fn truth(part: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(GOLDEN).join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    truth[part].as_array().unwrap().clone()
}

fn texts<'a>(value: &'a Value, key: &str) -> BTreeSet<&'a str> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a finding rests on a record of a step, or names interface, peer and port of a flow.
fn rests_on(finding: &Value, step: &Value) -> bool {
    let peers = texts(&finding["flow"], "peers");
    let ports = finding["flow"]["ports"].as_array();
    let ports: Vec<String> = ports.into_iter().flatten().map(Value::to_string).collect();
    let names = |flow: &str| {
        let words: Vec<&str> = flow.split(' ').collect();
        let [interface, from, to, _, port, ..] = words[..] else { panic!("{flow}") };
        finding["flow"]["interface"] == interface
            && (peers.contains(from) || peers.contains(to))
            && ports.iter().any(|one| one == port)
    };
    !texts(step, "event_ids").is_disjoint(&texts(finding, "event_ids"))
        || texts(step, "flows").into_iter().any(names)
}

#[test]
fn every_covered_step_of_the_attack_is_found() {
    let findings = golden().ends(0).rows();
    for step in truth("attack") {
        let name = step["name"].as_str().unwrap();
        let Some((_, detector)) = COVERED.iter().find(|(covered, _)| *covered == name) else {
            assert!(NOT_COVERED.contains(&name), "{name} is in neither list");
            continue;
        };
        let hit = |finding: &&Value| finding["detector"] == *detector && rests_on(finding, &step);
        assert!(findings.iter().any(|finding| hit(&finding)), "{detector} misses: {name}");
    }
}

#[test]
fn nothing_rests_on_what_is_harmless_alone() {
    let attack = truth("attack");
    for finding in golden().rows() {
        let is_low = finding["severity"]["label"] == "low";
        let is_right = attack.iter().any(|step| rests_on(&finding, step));
        let is_worth_a_word = finding["detector"] == WORTH_A_WORD.0
            && truth("hard_negatives").iter().any(|step| {
                step["name"].as_str().unwrap().starts_with(WORTH_A_WORD.1)
                    && rests_on(&finding, step)
            });
        assert!(is_low || is_right || is_worth_a_word, "{finding}");
    }
    assert!(golden().rows().iter().any(|finding| finding["detector"] == WORTH_A_WORD.0));
}

#[test]
fn findings_name_records_that_exist() {
    let (records, _) = golden_records();
    for finding in golden().rows() {
        for id in texts(&finding, "event_ids") {
            assert!(records.contains_key(id), "{id}");
        }
    }
}

#[track_caller]
fn check_same(arguments: &[&str]) {
    let other = run(&[&["replay", "--format", "jsonl"], arguments].concat());
    assert_eq!(golden().out, other.ends(0).out);
}

#[test]
fn threads_do_not_matter() {
    assert!(!golden().out.is_empty());
    check_same(&["--threads", "1", GOLDEN]);
    check_same(&["--threads", "2", GOLDEN]);
    check_same(&["--threads", "7", GOLDEN]);
}

#[test]
fn the_order_of_the_paths_does_not_matter() {
    let objects = shuffled_objects(Path::new(GOLDEN));
    let shuffled: Vec<&str> = objects.iter().map(String::as_str).collect();
    check_same(&shuffled);
    let backwards: Vec<&str> = shuffled.into_iter().rev().collect();
    check_same(&backwards);
}

#[test]
fn what_comes_twice_counts_once() {
    let copy = tempfile::tempdir().unwrap();
    copy_tenth(Path::new(GOLDEN), copy.path());
    check_same(&[&text(copy.path()), GOLDEN]);
    check_same(&[GOLDEN, &text(copy.path())]);
    check_same(&[GOLDEN, GOLDEN]);
}

#[test]
fn from_and_until_bound_what_is_looked_at() {
    let late = run(&["replay", "--format", "jsonl", "--from", "2026-03-12T00:30:00Z", GOLDEN]);
    let found = late.ends(0).rows();
    assert!(!found.is_empty());
    for finding in found {
        assert!(finding["first_seen"].as_str() >= Some("2026-03-12T00:30:00Z"), "{finding}");
    }
    late.tells(&["left out", "outside the time asked for"]);
    late.tells(&["time", "2026-03-12T00:30:"]);
    let early = run(&["replay", "--format", "jsonl", "--until", "2026-03-12", GOLDEN]);
    assert_eq!(early.ends(0).out, "");
    early.tells(&["time", "to 2026-03-11T"]);
}

#[test]
fn accounts_and_regions_bound_what_is_looked_at() {
    check_same(&["--account", "111122223333", GOLDEN]);
    let other = run(&["replay", "--account", "444455556666", GOLDEN]);
    assert_eq!(other.ends(0).out, "");
    other.tells(&["left out", "of an account that was not asked for"]);
    let (records, _) = golden_records();
    let west = run(&["replay", "--format", "jsonl", "--region", "us-west-2", GOLDEN]);
    let found = west.ends(0).rows();
    assert!(!found.is_empty());
    for id in found.iter().flat_map(|finding| texts(finding, "event_ids")) {
        assert_eq!(records[id]["awsRegion"], "us-west-2");
    }
    west.tells(&["left out", "of a region that was not asked for"]);
}

#[test]
fn a_format_speaks_for_flow_logs_without_names_and_headers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.txt");
    let line = |n: u8| format!("111122223333 eni-1 10.0.0.1 8.8.8.{n} 40000 22 6 1 40 60 REJECT\n");
    std::fs::write(&file, (1..=3).map(line).collect::<String>()).unwrap();
    let path = file.to_str().unwrap();
    let format =
        "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes end action";
    let with = |more: &[&str]| run(&[&["replay", "--flow-format", format, path], more].concat());
    with(&[]).ends(0).tells(&["records", "3 of flow logs"]);
    with(&["--account", "444455556666"]).ends(0).tells(&["records", "0 of flow logs"]);
    run(&["replay", path]).ends(4).tells(&[path, "expected a JSON object or array at byte 0"]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_an_example() {
    for (arguments, example) in [
        (["--from", "yesterday"], "2025-03-14T10:00:00Z"),
        (["--from", "2026-02-30"], "2025-03-14"),
        (["--until", "14/03/2025"], "2025-03-14"),
        (["--region", "mars"], "eu-west-1"),
        (["--account", "12"], "123456789012"),
        (["--fail-on", "bad"], "critical"),
        (["--threads", "0"], "1..=1024"),
        (["--format", "xml"], "jsonl"),
        (["--config", "/nowhere/sentrail.toml"], "/nowhere/sentrail.toml"),
    ] {
        let ended = run(&[&["replay"], &arguments[..], &[GOLDEN]].concat());
        assert_eq!(ended.ends(2).out, "");
        assert!(ended.err.contains(example), "{arguments:?}: {}", ended.err);
    }
    let never = run(&["replay", "--from", "2026-03-12", "--until", "2026-03-11", GOLDEN]);
    never.ends(2).tells(&["2026-03-12", "earlier"]);
    run(&["replay"]).ends(2);
    run(&["replay", "/nowhere"]).ends(2).tells(&["no such file or folder: /nowhere"]);
    run(&["replay", "tests/*.nothing"]).ends(2).tells(&["no file matches", "logs/**/*.json.gz"]);
}

/// A folder with the first bytes of one of golden's objects.
fn folder_with_a_cut_object(n_bytes: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let whole = shuffled_objects(&Path::new(GOLDEN).join("AWSLogs/111122223333/CloudTrail"));
    let bytes = fs::read(&whole[0]).unwrap();
    assert!(bytes.len() > n_bytes);
    let name = "111122223333_CloudTrail_us-east-1_20260303T0000Z_AAAAAAAAAAAAAAAA.json.gz";
    fs::write(folder.path().join(name), &bytes[..n_bytes]).unwrap();
    folder
}

#[test]
fn a_damaged_object_is_told_and_costs_only_itself() {
    let folder = folder_with_a_cut_object(300);
    let ended = run(&["replay", "--format", "jsonl", GOLDEN, &text(folder.path())]);
    assert_eq!(ended.ends(4).out, golden().out);
    ended.tells(&["_AAAAAAAAAAAAAAAA.json.gz", "byte 300"]);
    ended.tells(&["objects", "1 could not be read"]);
}

#[test]
fn a_damaged_record_is_told_and_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.json.gz");
    let good = r#"{"eventTime":"2026-03-03T10:00:00Z","eventSource":"s3.amazonaws.com",
        "eventName":"ListBuckets","eventID":"1"}"#;
    let object = format!(r#"{{"Records":[{{"eventName":"NoTime"}},{good}]}}"#);
    fs::write(&path, gzip(object.as_bytes())).unwrap();
    let ended = run(&["replay", &text(&path)]);
    ended.ends(4).tells(&["two.json.gz", "record 0 at byte 12", "expected"]);
    ended.tells(&["records", "1 of CloudTrail"]);
    ended.tells(&["1 records that could not be read"]);
}

#[test]
fn exit_codes_rank() {
    let folder = folder_with_a_cut_object(100);
    let folder = text(folder.path());
    run(&["replay", "--fail-on", "critical", GOLDEN]).ends(3);
    run(&["replay", "--fail-on", "low", GOLDEN]).ends(3);
    run(&["replay", "--fail-on", "low", "--until", "2026-03-10", GOLDEN]).ends(0);
    run(&["replay", "--fail-on", "critical", GOLDEN, &folder]).ends(4);
    run(&["replay", "--from", "never", GOLDEN, &folder]).ends(2);
}

#[test]
fn an_empty_folder_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["replay", &text(folder.path())]);
    assert_eq!(ended.ends(0).out, "");
    ended.tells(&["objects   0 seen, 0 read"]);
}

#[test]
fn standard_input_is_an_object_too() {
    let path = &shuffled_objects(&Path::new(GOLDEN).join("AWSLogs/111122223333/CloudTrail"))[0];
    let from_file = run(&["replay", path]);
    let from_input = run_on(&fs::read(path).unwrap(), &["replay", "-"]);
    from_file.ends(0).tells(&["objects   1 seen, 1 read"]);
    let records = |ended: &Ended| {
        let line = ended.err.lines().find(|line| line.starts_with("records"));
        line.unwrap().to_owned()
    };
    assert_eq!(records(&from_file), records(from_input.ends(0)));
    assert!(!records(&from_file).starts_with("records   0"));
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    for format in ["table", "json", "jsonl", "csv"] {
        let ended = run_unread(&["replay", "--quiet", "--format", format, GOLDEN]);
        assert_eq!(ended, (Some(0), String::new()), "{format}");
    }
}

#[test]
fn quiet_is_silent() {
    let ended = run(&["replay", "--quiet", "--format", "jsonl", GOLDEN]);
    assert_eq!(ended.ends(0).err, "");
    assert_eq!(ended.out, golden().out);
}

#[test]
fn the_summary_counts_what_is_there() {
    let (records, n_records) = golden_records();
    let paths: Vec<String> = files(Path::new(GOLDEN)).iter().map(|path| text(path)).collect();
    let n_digests = paths.iter().filter(|path| path.contains("CloudTrail-Digest")).count();
    let n_objects = shuffled_objects(Path::new(GOLDEN)).len();
    let n_flows: usize = paths
        .iter()
        .filter(|path| path.ends_with(".log.gz"))
        .map(|path| ingest::decode::gunzip(&fs::read(path).unwrap(), 1 << 24).unwrap())
        .map(|log| log.split(|b| *b == b'\n').filter(|line| line.starts_with(b"2 ")).count())
        .sum();
    let ended = golden();
    let n_seen = paths.len();
    ended.tells(&[&format!("objects   {n_seen} seen, {n_objects} read, 0 could not be read")]);
    ended.tells(&[&format!("{n_digests} left out: CloudTrail digests")]);
    let (n, n_twice) = (records.len(), n_records - records.len() as u64);
    ended.tells(&[&format!("records   {n} of CloudTrail, {n_flows} of flow logs")]);
    ended.tells(&[&format!("{n_twice} duplicates dropped")]);
    let times = || records.values().filter_map(|record| record["eventTime"].as_str());
    ended.tells(&["time      ", times().min().unwrap()]);
}
