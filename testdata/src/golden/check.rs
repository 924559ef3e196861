//! The committed archive is what the source writes, and what AWS could have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::Archive;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use libdeflater::Decompressor;
use serde_json::Value;

/// Of all objects and the truth.
const BYTES_MAX: usize = 600 << 10;
const OBJECTS_MAX: usize = 500;
const RECORDS_MAX: usize = 12_000;
const INFLATED_BYTES_MAX: usize = 8 << 20;

/// Written once for all tests.
fn archive() -> &'static Archive {
    static ARCHIVE: LazyLock<Archive> = LazyLock::new(|| crate::golden::archive().unwrap());
    &ARCHIVE
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = vec![0; INFLATED_BYTES_MAX];
    let length = Decompressor::new().gzip_decompress(bytes, &mut text).unwrap();
    text.truncate(length);
    String::from_utf8(text).unwrap()
}

/// Every record with the key of its object.
fn records(archive: &Archive) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, bytes) in archive.iter().filter(|(key, _)| key.contains("/CloudTrail/")) {
        let mut object: Value = serde_json::from_str(&gunzip(bytes)).unwrap();
        let Value::Array(records) = object["Records"].take() else { panic!("no Records: {key}") };
        all.extend(records.into_iter().map(|record| (key.clone(), record)));
    }
    all
}

fn stamp_s(key: &str) -> i64 {
    let name = key.rsplit('/').next().unwrap();
    let stamp = name.split('_').rev().nth(1).unwrap();
    let time = DateTime::strptime("%Y%m%dT%H%MZ", stamp).unwrap();
    time.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second()
}

fn event_s(record: &Value) -> i64 {
    record["eventTime"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second()
}

fn truth(archive: &Archive) -> Vec<Value> {
    let truth: Value = serde_json::from_slice(&archive["truth.json"]).unwrap();
    let parts = [&truth["attack"], &truth["hard_negatives"]];
    parts.iter().flat_map(|part| part.as_array().unwrap().clone()).collect()
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

#[test]
fn the_committed_folder_is_what_the_source_writes() {
    let again = "regenerate: cargo run -p testdata --bin golden -- testdata/golden";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut paths = Vec::new();
    files_below(&folder, &mut paths);
    let committed: Archive = paths
        .into_iter()
        .map(|path| {
            let parts = path.strip_prefix(&folder).unwrap().iter();
            let key: Vec<&str> = parts.map(|part| part.to_str().unwrap()).collect();
            (key.join("/"), fs::read(&path).unwrap())
        })
        .collect();
    let written = archive();
    let keys = |archive: &Archive| archive.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&committed), keys(written), "other objects; {again}");
    for (key, bytes) in written {
        assert!(committed[key] == *bytes, "{key} differs; {again}");
    }
}

#[test]
fn the_archive_stays_small() {
    let archive = archive();
    let bytes: usize = archive.values().map(Vec::len).sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    assert!(archive.len() <= OBJECTS_MAX, "{} objects", archive.len());
    let records = records(archive).len();
    assert!((1_500..=RECORDS_MAX).contains(&records), "{records} records");
}

/// AWS's own library: `.+_CloudTrail_[\w\-]+_\d{8}T\d{4}Z_[\w]+\.json\.gz`.
fn is_event_name(name: &str) -> bool {
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let Some(rest) = name.strip_suffix(".json.gz") else { return false };
    let parts: Vec<&str> = rest.split('_').collect();
    let [account, "CloudTrail", region, stamp, suffix] = parts[..] else { return false };
    let (date, time) = stamp.split_at(8);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let time_fits = time.len() == 6 && time.starts_with('T') && time.ends_with('Z');
    account.len() == 12
        && digits(account)
        && region.split('-').all(|part| !part.is_empty() && word(part))
        && digits(date)
        && time_fits
        && digits(time.trim_start_matches('T').trim_end_matches('Z'))
        && suffix.len() == 16
        && word(suffix)
}

#[test]
fn every_object_has_the_key_that_aws_would_give() {
    for key in archive().keys().filter(|key| *key != "truth.json") {
        let parts: Vec<&str> = key.split('/').collect();
        let ["AWSLogs", account, kind, region, year, month, day, name] = parts[..] else {
            panic!("{key} has another depth")
        };
        match kind {
            "CloudTrail" => assert!(is_event_name(name), "{name}"),
            "CloudTrail-Digest" => assert!(name.ends_with("00Z.json.gz"), "{name}"),
            "vpcflowlogs" => assert!(name.ends_with(".log.gz"), "{name}"),
            _ => panic!("{key} is of an unknown kind"),
        }
        assert!(name.starts_with(&format!("{account}_{kind}_{region}_")), "{name}");
        assert!(name.contains(&format!("_{year}{month}{day}T")), "{key} is in a wrong folder");
    }
}

#[test]
fn stamps_are_whole_and_follow_the_events() {
    let archive = archive();
    for (key, record) in records(archive) {
        let delay_s = stamp_s(&key) - event_s(&record);
        assert!((60..=540).contains(&delay_s), "{delay_s} s in {key}");
        assert_eq!(stamp_s(&key) % 300, 0, "{key}");
        assert!(key.contains(&format!("/{}/", record["awsRegion"].as_str().unwrap())), "{key}");
    }
    for (key, bytes) in archive.iter().filter(|(key, _)| key.contains("/vpcflowlogs/")) {
        let text = gunzip(bytes);
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("version account-id interface-id srcaddr"));
        for line in lines {
            let fields: Vec<&str> = line.split(' ').collect();
            assert_eq!(fields.len(), 14, "{line}");
            let (start_s, end_s): (i64, i64) =
                (fields[10].parse().unwrap(), fields[11].parse().unwrap());
            assert!(start_s <= end_s && end_s < stamp_s(key), "{line} in {key}");
        }
    }
}

#[test]
fn event_ids_are_unique_but_for_whole_records_of_the_second_trail() {
    let mut seen: BTreeMap<String, (String, Value)> = BTreeMap::new();
    let (mut repeated, mut disordered, mut last) = (0, 0, (String::new(), 0));
    for (key, record) in records(archive()) {
        if last.0 == key && event_s(&record) < last.1 {
            disordered += 1;
        }
        last = (key.clone(), event_s(&record));
        let id = record["eventID"].as_str().unwrap().to_owned();
        if let Some((other, first)) = seen.insert(id, (key.clone(), record.clone())) {
            repeated += 1;
            assert_ne!(other, key);
            assert_eq!(first, record);
        }
    }
    assert!(repeated > 0, "no duplicates");
    assert!(disordered > 0, "no disorder within objects");
}

#[test]
fn every_event_and_flow_of_the_truth_is_in_the_archive() {
    let archive = archive();
    let mut present: BTreeSet<String> = records(archive)
        .iter()
        .map(|(_, record)| record["eventID"].as_str().unwrap().to_owned())
        .collect();
    for (_, bytes) in archive.iter().filter(|(key, _)| key.contains("/vpcflowlogs/")) {
        for line in gunzip(bytes).lines().skip(1) {
            let fields: Vec<&str> = line.split(' ').collect();
            let key = [&fields[2..8], &fields[10..11]].concat().join(" ");
            present.insert(key);
        }
    }
    for step in truth(archive) {
        let refs = ["event_ids", "flows"].map(|part| step[part].as_array().cloned());
        let refs: Vec<Value> = refs.into_iter().flatten().flatten().collect();
        assert!(!refs.is_empty(), "{step}");
        for reference in refs {
            let reference = reference.as_str().unwrap();
            assert!(present.contains(reference), "{reference} of {}", step["name"]);
        }
    }
}

#[test]
fn the_attack_has_the_size_it_claims() {
    let archive = archive();
    let size = |technique: &str, part: &str| {
        let steps = truth(archive);
        let step = steps.iter().find(|step| step["technique"] == technique).unwrap();
        step[part].as_array().unwrap().len()
    };
    assert_eq!(size("T1555.006", "event_ids"), 30);
    assert_eq!(size("T1486", "event_ids"), 120);
    assert_eq!(size("T1485", "event_ids"), 80);
    assert!(size("T1580", "event_ids") >= 30);
    assert!(size("T1046", "flows") >= 60);
}

#[test]
fn the_root_user_signs_in_once_and_does_nothing_else() {
    let archive = archive();
    let root: BTreeSet<String> = records(archive)
        .iter()
        .filter(|(_, record)| record["userIdentity"]["type"] == "Root")
        .map(|(_, record)| format!("{} {}", record["eventName"], record["eventID"]))
        .collect();
    assert_eq!(root.len(), 1);
    assert!(root.iter().all(|call| call.starts_with("\"ConsoleLogin\"")));
}

#[test]
fn writing_twice_gives_equal_bytes() {
    assert!(*archive() == crate::golden::archive().unwrap());
}
