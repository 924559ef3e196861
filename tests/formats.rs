//! Findings in the forms of other programs, of real replays: ASFF against the service's own model and a server
//! that speaks it, OCSF against what the same findings say as JSON.

use crate::servers::server;
use crate::support::{archive, run, text};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

/// Real logs, which are not part of the repository.
const REAL: [(&str, &str); 2] = [
    ("bootstrap_account", "../shared/data/cloudtrail/bootstrap_account/AWSLogs"),
    ("invictus-stratus", "../shared/data/cloudtrail/full_traces/invictus-stratus/AWSLogs"),
];

fn replayed(format: &str, logs: &str) -> String {
    run(&["replay", "--quiet", "--format", format, logs]).ends(0).out.clone()
}

#[test]
fn security_hub_takes_every_finding_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut write = |name: &str, logs: &str| {
        let path = folder.path().join(name);
        let lines = replayed("asff", logs);
        assert!(!lines.is_empty(), "no findings of {name}");
        fs::write(&path, lines).unwrap();
        files.push(text(&path));
    };
    write("small-organisation", archive());
    for (name, logs) in REAL {
        if Path::new(logs).is_dir() {
            write(name, logs);
        } else {
            // Not by println: what a test that passes prints is not shown.
            writeln!(io::stderr(), "skipped: {logs} is absent").unwrap();
        }
    }
    let endpoint = format!("http://{}", server().address);
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let mut command = Command::new(python);
    command.args(["tests/formats.py", &endpoint]).args(&files);
    let ended = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let [out, err] = [ended.stdout, ended.stderr].map(|out| String::from_utf8(out).unwrap());
    assert_eq!(ended.status.code(), Some(0), "{out}{err}");
    assert_eq!(out.matches("came back as they were sent").count(), files.len(), "{out}");
    write!(io::stderr(), "{out}").unwrap();
}

#[test]
fn a_detection_finding_says_what_the_finding_says() {
    let rows = |format| -> Vec<Value> {
        let lines = replayed(format, archive());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (findings, detections) = (rows("jsonl"), rows("ocsf"));
    assert!(findings.len() > 10);
    assert_eq!(findings.len(), detections.len());
    let mut patterns = BTreeSet::new();
    for (finding, detection) in findings.iter().zip(&detections) {
        assert_eq!(finding["id"], detection["finding_info"]["uid"]);
        let summary = finding["summary"].as_str().unwrap();
        if !summary.contains("ASIA") {
            assert_eq!(summary, detection["message"]);
        }
        assert_eq!(finding["bits"], detection["unmapped"]["bits"]);
        let at_ms = detection["time"].as_i64().unwrap();
        assert_eq!(finding["last_seen"], ingest::time::format_ms(at_ms));
        let anomalies = detection["anomaly_analyses"][0]["anomalies"].as_array().unwrap();
        assert_eq!(anomalies.len(), finding["parts"].as_array().unwrap().len());
        patterns.extend(anomalies.iter().filter_map(|one| one["observed_pattern"].as_str()));
    }
    // The words of parts are those of `baseline`: should they change, these are not found.
    for pattern in ["HIGH_VOLUME", "UNSEEN"] {
        assert!(patterns.contains(pattern), "{patterns:?}");
    }
}

#[test]
fn kept_findings_are_listed_and_shown_as_they_were_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("findings.db"));
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    for format in ["asff", "ocsf"] {
        let lines = replayed(format, archive());
        let listed = run(&["findings", "list", "--in", &file, "--format", format]);
        let sorted =
            |lines: &str| -> BTreeSet<String> { lines.lines().map(str::to_owned).collect() };
        assert_eq!(sorted(&listed.ends(0).out), sorted(&lines));
        let first = lines.lines().next().unwrap();
        let row: Value = serde_json::from_str(first).unwrap();
        let id = row["Id"].as_str().or(row["finding_info"]["uid"].as_str()).unwrap();
        let shown = run(&["findings", "show", id, "--in", &file, "--format", format]);
        assert_eq!(shown.ends(0).out.trim_end(), first);
    }
}

#[test]
fn forms_of_findings_are_none_of_other_lists() {
    let listed = run(&["detectors", "list", "--format", "asff"]);
    listed.ends(2).tells(&["possible values: table, json, jsonl, csv]"]);
}
