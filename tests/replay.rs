//! `sentrail replay` on a small archive: what is found, and that nothing beside it matters.

use crate::support::{
    Ended, archive, copy_tenth, files, gzip, logs, records, run, run_on, run_unread,
    shuffled_objects, stories, text,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, sync::OnceLock};

/// Steps of the attacks, and the detector that tells of each.
const COVERED: [(&str, &str, &str); 12] = [
    ("codefinger", "credentials-used-elsewhere", "compute-credentials-outside-aws"),
    ("codefinger", "objects-encrypted", "s3-mass-reencryption"),
    ("stolen-session", "session-used-from-two-places", "impossible-travel"),
    ("stolen-session", "secrets-read", "mass-secret-read"),
    ("leaked-ci-key", "enumeration-refused", "denied-burst"),
    ("leaked-ci-key", "key-created", "credentials-for-others"),
    ("leaked-ci-key", "signed-in-as-the-new-user", "console-sign-in-without-mfa"),
    ("role-chain", "administrator-made", "access-given-outside"),
    ("role-chain", "administrator-made", "credentials-for-others"),
    ("port-scan", "ports-scanned", "port-scan"),
    ("port-scan", "moved-on", "port-scan"),
    ("logging-off", "logging-switched-off", "logging-switched-off"),
];

/// Steps that no detector looks for.
const NOT_COVERED: [(&str, &str); 11] = [
    ("codefinger", "discovery"),
    ("codefinger", "sse-c-unblocked"),
    ("codefinger", "objects-expire"),
    ("codefinger", "ransom-note"),
    ("stolen-session", "objects-read"),
    ("leaked-ci-key", "key-used-from-hosting"),
    ("leaked-ci-key", "user-created"),
    ("role-chain", "discovery"),
    ("role-chain", "roles-tried"),
    ("role-chain", "role-assumed"),
    ("logging-off", "discovery"),
];

/// Harmless stories that are told of all the same: `docs/detection-quality.md` says why.
const WORTH_A_WORD: [(&str, &str); 3] = [
    ("audit-tool", "denied-burst"),
    ("break-glass", "root-use"),
    ("migration", "s3-mass-deletion"),
];

/// Detectors that days of history, other traffic than a scan, or the names of what is sentrail's own have to come
/// before: each has tests of its own.
const NEEDS_MORE: [&str; 23] = [
    "activity-drift",
    "beacon",
    "brute-force-actor",
    "brute-force-target",
    "calls-in-vain",
    "coverage-gap",
    "data-leaving",
    "egress-after-session",
    "encryption-fallback",
    "instance-credentials-elsewhere",
    "lateral-movement",
    "long-session",
    "opened-then-entered",
    "outbound-flood",
    "reject-storm",
    "s3-read-confirmed",
    "segment-drift",
    "sentrail-tampered-with",
    "session-from-outside",
    "silence-after-stop",
    "slow-data-leaving",
    "unusual-port",
    "unusual-resolver",
];

fn replayed() -> &'static Ended {
    static REPLAYED: OnceLock<Ended> = OnceLock::new();
    REPLAYED.get_or_init(|| run(&["replay", "--format", "jsonl", archive()]))
}

/// Stories, harmless ones or attacks.
fn told(is_harmless: bool) -> Vec<Value> {
    let all = stories(Path::new(archive())).into_iter();
    all.filter(|story| story["is_harmless"] == is_harmless).collect()
}

fn steps(story: &Value) -> &[Value] {
    story["steps"].as_array().unwrap()
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
fn every_covered_step_of_an_attack_is_found() {
    let findings = replayed().ends(0).rows();
    for story in told(false) {
        for step in steps(&story) {
            let of = (story["name"].as_str().unwrap(), step["name"].as_str().unwrap());
            let by = COVERED.iter().filter(|(story, step, _)| (*story, *step) == of);
            let by: Vec<&str> = by.map(|(_, _, detector)| *detector).collect();
            assert!(by.is_empty() == NOT_COVERED.contains(&of), "{of:?} is in neither list");
            for detector in by {
                let mut found = findings.iter().filter(|finding| finding["detector"] == detector);
                assert!(found.any(|finding| rests_on(finding, step)), "{detector} misses {of:?}");
            }
        }
    }
    let told: BTreeSet<_> = told(false).iter().map(|story| story["name"].to_string()).collect();
    let listed: BTreeSet<_> = COVERED.iter().map(|(story, ..)| format!("{story:?}")).collect();
    assert_eq!(told, listed);
}

#[test]
fn every_detector_finds_something() {
    let listed = run(&["detectors", "list", "--format", "jsonl"]).ends(0).rows();
    let names = |rows: &[Value], key: &str| -> BTreeSet<String> {
        rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    let (found, listed) = (names(&replayed().rows(), "detector"), names(&listed, "id"));
    assert!(found.is_subset(&listed));
    // Rules have samples of their own; the days of this archive are too few to call anything unusual.
    let (_, readme) = include_str!("../README.md").split_once("<!-- detectors -->\n").unwrap();
    let rows = readme.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next());
    let rows = rows.filter(|id| !id.starts_with("anomalous-") && !NEEDS_MORE.contains(id));
    let detectors: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert!(detectors.len() > 9 && detectors.is_subset(&found), "{detectors:?} {found:?}");
}

#[test]
fn nothing_rests_on_what_is_harmless_or_never_happened() {
    let (attacks, harmless) = (told(false), told(true));
    assert_eq!(harmless.len(), 4);
    let is_about =
        |finding: &Value, story: &Value| steps(story).iter().any(|step| rests_on(finding, step));
    let mut worth_a_word = BTreeSet::new();
    for finding in replayed().rows() {
        let is_low = finding["severity"]["label"] == "low";
        let is_right = attacks.iter().any(|story| is_about(&finding, story));
        let known = WORTH_A_WORD.iter().find(|(name, detector)| {
            let mut named = harmless.iter().filter(|story| story["name"] == *name);
            finding["detector"] == *detector && named.any(|story| is_about(&finding, story))
        });
        worth_a_word.extend(known);
        assert!(is_low || is_right || known.is_some(), "{finding}");
    }
    assert_eq!(worth_a_word, BTreeSet::from(WORTH_A_WORD));
}

#[test]
fn findings_name_records_that_exist() {
    let (records, _) = records();
    for finding in replayed().rows() {
        for id in texts(&finding, "event_ids") {
            assert!(records.contains_key(id), "{id}");
        }
    }
}

#[track_caller]
fn check_same(arguments: &[&str]) {
    let other = run(&[&["replay", "--format", "jsonl"], arguments].concat());
    assert_eq!(replayed().out, other.ends(0).out);
}

#[test]
fn threads_do_not_matter() {
    assert!(!replayed().out.is_empty());
    check_same(&["--threads", "1", archive()]);
    check_same(&["--threads", "2", archive()]);
    check_same(&["--threads", "7", archive()]);
}

#[test]
fn the_order_of_the_paths_does_not_matter() {
    let objects = shuffled_objects(Path::new(archive()));
    let shuffled: Vec<&str> = objects.iter().map(String::as_str).collect();
    check_same(&shuffled);
    let backwards: Vec<&str> = shuffled.into_iter().rev().collect();
    check_same(&backwards);
}

#[test]
fn what_comes_twice_counts_once() {
    let copy = tempfile::tempdir().unwrap();
    copy_tenth(Path::new(archive()), copy.path());
    check_same(&[&text(copy.path()), archive()]);
    check_same(&[archive(), &text(copy.path())]);
    check_same(&[archive(), archive()]);
}

/// When the story of that name begins.
fn begins(name: &str) -> String {
    let story = stories(Path::new(archive())).into_iter().find(|story| story["name"] == name);
    story.unwrap()["first"].as_str().unwrap().to_owned()
}

#[test]
fn from_and_until_bound_what_is_looked_at() {
    let from = begins("break-glass");
    assert!(begins("migration") < from && from < begins("codefinger"));
    let late = run(&["replay", "--format", "jsonl", "--from", &from, archive()]);
    let found = late.ends(0).rows();
    assert!(!found.is_empty());
    for finding in found {
        assert!(finding["first_seen"].as_str() >= Some(&from), "{finding}");
    }
    late.tells(&["left out", "outside the time asked for"]);
    late.tells(&["time", &format!(" {}", from.get(..16).unwrap())]);
    // Nothing but ordinary administration happens on the first day.
    let early = run(&["replay", "--format", "jsonl", "--until", "2026-03-03", archive()]);
    for finding in early.ends(0).rows() {
        assert_eq!(finding["severity"]["label"], "low", "{finding}");
        assert!(finding["last_seen"].as_str() < Some("2026-03-03"), "{finding}");
    }
    early.tells(&["time", "to 2026-03-02T23:"]);
}

#[test]
fn accounts_and_regions_bound_what_is_looked_at() {
    let (records, _) = records();
    let own = records.values().next().unwrap()["recipientAccountId"].as_str().unwrap();
    check_same(&["--account", own, archive()]);
    let other = run(&["replay", "--account", "444455556666", archive()]);
    assert_eq!(other.ends(0).out, "");
    other.tells(&["left out", "of an account that was not asked for"]);
    let east = run(&["replay", "--format", "jsonl", "--region", "us-east-1", archive()]);
    let found = east.ends(0).rows();
    assert!(!found.is_empty());
    for id in found.iter().flat_map(|finding| texts(finding, "event_ids")) {
        assert_eq!(records[id]["awsRegion"], "us-east-1");
    }
    east.tells(&["left out", "of a region that was not asked for"]);
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
        let ended = run(&[&["replay"], &arguments[..], &[archive()]].concat());
        assert_eq!(ended.ends(2).out, "");
        assert!(ended.err.contains(example), "{arguments:?}: {}", ended.err);
    }
    let never = run(&["replay", "--from", "2026-03-12", "--until", "2026-03-11", archive()]);
    never.ends(2).tells(&["2026-03-12", "earlier"]);
    run(&["replay"]).ends(2);
    run(&["replay", "/nowhere"]).ends(2).tells(&["no such file or folder: /nowhere"]);
    run(&["replay", "tests/*.nothing"]).ends(2).tells(&["no file matches", "logs/**/*.json.gz"]);
}

/// A folder with the first bytes of an object of the archive.
fn folder_with_a_cut_object(n_bytes: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let objects = shuffled_objects(&logs("CloudTrail"));
    let mut contents = objects.iter().map(|path| fs::read(path).unwrap());
    let bytes = contents.find(|bytes| bytes.len() > n_bytes).unwrap();
    let name = "111122223333_CloudTrail_us-east-1_20260303T0000Z_AAAAAAAAAAAAAAAA.json.gz";
    fs::write(folder.path().join(name), &bytes[..n_bytes]).unwrap();
    folder
}

#[test]
fn a_damaged_object_is_told_and_costs_only_itself() {
    let folder = folder_with_a_cut_object(300);
    let ended = run(&["replay", "--format", "jsonl", archive(), &text(folder.path())]);
    assert_eq!(ended.ends(4).out, replayed().out);
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
    run(&["replay", "--fail-on", "critical", archive()]).ends(3);
    run(&["replay", "--fail-on", "low", archive()]).ends(3);
    run(&["replay", "--fail-on", "medium", "--until", "2026-03-03", archive()]).ends(0);
    run(&["replay", "--fail-on", "critical", archive(), &folder]).ends(4);
    run(&["replay", "--from", "never", archive(), &folder]).ends(2);
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
    let path = &shuffled_objects(&logs("CloudTrail"))[0];
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
        let ended = run_unread(&["replay", "--quiet", "--format", format, archive()]);
        assert_eq!(ended, (Some(0), String::new()), "{format}");
    }
}

#[test]
fn quiet_is_silent() {
    let ended = run(&["replay", "--quiet", "--format", "jsonl", archive()]);
    assert_eq!(ended.ends(0).err, "");
    assert_eq!(ended.out, replayed().out);
}

#[test]
fn the_summary_counts_what_is_there() {
    let (records, n_records) = records();
    let paths: Vec<String> = files(Path::new(archive())).iter().map(|path| text(path)).collect();
    let n_digests = paths.iter().filter(|path| path.contains("CloudTrail-Digest")).count();
    let n_objects = shuffled_objects(Path::new(archive())).len();
    let n_flows: usize = paths
        .iter()
        .filter(|path| path.ends_with(".log.gz"))
        .map(|path| ingest::decode::gunzip(&fs::read(path).unwrap(), 1 << 24).unwrap())
        .map(|log| log.split(|b| *b == b'\n').filter(|line| line.starts_with(b"2 ")).count())
        .sum();
    let ended = replayed();
    let n_seen = paths.len();
    ended.tells(&[&format!("objects   {n_seen} seen, {n_objects} read, 0 could not be read")]);
    ended.tells(&[&format!("{n_digests} left out: CloudTrail digests")]);
    let (n, n_twice) = (records.len(), n_records - records.len() as u64);
    ended.tells(&[&format!("records   {n} of CloudTrail, {n_flows} of flow logs")]);
    ended.tells(&[&format!("{n_twice} duplicates dropped")]);
    let times = || records.values().filter_map(|record| record["eventTime"].as_str());
    ended.tells(&["time      ", times().min().unwrap()]);
}

#[test]
fn another_configuration_is_compared_finding_by_finding() {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let text = "[detectors]\ndisable = [\"port-scan\"]\nseverity = { denied-burst = \"critical\" }\n\
                [detectors.mass-secret-read]\nsecrets-min = 10000";
    let other = config("other.toml", text);
    let compared = run(&["replay", "--compare", &other, archive()]);
    let rows = compared.ends(0).rows();
    let found = |config: &[&str]| {
        let arguments = [&["replay", "--quiet", archive()], config].concat();
        run(&arguments).ends(0).rows()
    };
    let (before, after) = (found(&[]), found(&["--config", &other]));
    let told = |rows: &[Value], id: &Value| {
        let row = rows.iter().find(|row| row["id"] == *id);
        row.map(|row| (row["severity"].clone(), row["bits"].clone()))
    };
    let ids: BTreeSet<&str> =
        before.iter().chain(&after).map(|row| row["id"].as_str().unwrap()).collect();
    let differ = |id: &&&str| told(&before, &Value::from(**id)) != told(&after, &Value::from(**id));
    assert_eq!(rows.len(), ids.iter().filter(differ).count());
    let of = |detector: &str| rows.iter().find(|row| row["detector"] == detector).unwrap();
    for (detector, change) in
        [("port-scan", "vanishes"), ("mass-secret-read", "vanishes"), ("denied-burst", "changes")]
    {
        let row = of(detector);
        assert_eq!(row["change"], change, "{row}");
        for (side, all) in [("before", &before), ("after", &after)] {
            let (severity, bits) = told(all, &row["id"]).unwrap_or_default();
            assert_eq!((&row[side]["severity"], &row[side]["bits"]), (&severity, &bits), "{row}");
        }
    }
    compared.tells(&["compared ", " 0 appear, ", " vanish, ", " change, ", " stay"]);
    // What is told more counts for the exit code, what is told less does not.
    run(&["replay", "--quiet", "--compare", &other, "--fail-on", "critical", archive()]).ends(3);
    let same = config("same.toml", "# nothing");
    let back = ["replay", "--quiet", "--config", &other, "--compare", &same];
    let back =
        run(&[&back[..], &["--fail-on", "critical", "--format", "table", archive()]].concat());
    assert!(back.ends(0).out.contains("APPEARS   not told -> "), "{}", back.out);
    let none = ["replay", "--compare", &same, "--fail-on", "low", "--format", "table", archive()];
    assert_eq!(run(&none).ends(0).out, "no differences\n");
}

#[test]
fn what_one_of_two_configurations_cannot_read_is_told_and_makes_it_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (small, none) = (file("small.toml", "max-inflated = \"1 MiB\""), file("none.toml", ""));
    let record = r#"{"eventTime":"2025-03-14T09:55:00Z","eventName":"ListBuckets","eventSource":"s3.amazonaws.com","eventID":"e-1"}"#;
    let spaces = " ".repeat(2 << 20);
    let large = file("large.json", &format!("{{\"Records\":[{record}]{spaces}}}"));
    for (config, other) in [(&none, &small), (&small, &none)] {
        let compared = run(&["replay", "--config", config, "--compare", other, &large]);
        compared.ends(4).tells(&["large.json: "]);
    }
    let twice = run(&["replay", "--config", &small, "--compare", &small, &large]);
    twice.ends(4).tells(&["no records were read, so there was nothing to compare"]);
    assert_eq!(twice.err.matches("large.json: ").count(), 1);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let same = folder.path().join("same.toml");
    fs::write(&same, "").unwrap();
    let same = same.to_str().unwrap();
    run(&["replay", "--compare", same, "--format", "csv", archive()])
        .ends(2)
        .tells(&["expected table, jsonl"]);
    run_on(b"{}", &["replay", "--compare", same, "-"]).ends(2).tells(&["standard input"]);
    run(&["replay", "--compare", "missing.toml", archive()]).ends(2).tells(&["missing.toml"]);
    run(&["replay", "--compare", same, "--out", "x.db", archive()])
        .ends(2)
        .tells(&["--compare <FILE>", "--out <FILE>"]);
}
