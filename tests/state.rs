//! `replay --state`: one reading in many runs, whatever becomes of them.

use crate::support::{
    archive, deliver_all, expected, kept, logs, objects_by_stamp, run, run_unread, take_changed,
    text, write_again,
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// The first open day, as a run tells it.
fn open_day(told: &str) -> String {
    let from = told.split("days from ").nth(1).unwrap();
    from.chars().take("2025-03-14".len()).collect()
}

#[test]
fn many_runs_find_what_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let (file, growing) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    let objects = objects_by_stamp();
    let mut told = String::new();
    for part in objects.chunks(objects.len() / 5 + 1) {
        for path in part {
            let copy = growing.join(path.strip_prefix(archive()).unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(path, copy).unwrap();
        }
        told = run(&["replay", "--state", &file, &text(&growing)]).ends(0).err.clone();
    }
    assert!(told.contains("read by an earlier run"), "{told}");
    let found = kept(&file);
    assert!(!found.is_empty());
    assert_eq!(found, expected(&open_day(&told)));
    // Nothing is left to read, and nothing is told again.
    let again = run(&["replay", "--format", "jsonl", "--state", &file, &text(&growing)]);
    assert_eq!(again.ends(0).rows(), Vec::<Value>::new());
    assert!(again.err.contains("0 of CloudTrail, 0 of flow logs"), "{}", again.err);
}

#[test]
fn an_object_that_is_another_now_is_a_finding_and_nothing_of_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (file, logs) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    let objects = objects_by_stamp();
    deliver_all(&objects[..100], &logs);
    let replay = ["replay", "--format", "jsonl", "--state", &file, &text(&logs)].map(str::to_owned);
    run(&replay).ends(0);
    let expected = kept(&file);
    write_again(&objects[5], &logs, &fs::read(&objects[5]).unwrap(), 1);
    write_again(&objects[7], &logs, &fs::read(&objects[200]).unwrap(), 1);
    let told = run(&replay);
    told.ends(0)
        .tells(&["1 objects written again as they were read before, and noted"])
        .tells(&["1 objects that hold something else than was read before: log-object-changed"])
        .tells(&["records   0 of CloudTrail"]);
    assert_eq!(told.rows().len(), 1);
    assert_eq!(told.rows()[0]["detector"], "log-object-changed");
    let mut found = kept(&file);
    assert_eq!(take_changed(&mut found).len(), 1);
    assert_eq!(found, expected);
    // Told once.
    let told = run(&replay);
    assert_eq!(told.ends(0).rows(), Vec::<Value>::new());
    told.tells(&["100 left out: read by an earlier run"]);
}

#[test]
fn a_killed_run_loses_nothing_and_tells_nothing_under_another_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("s.db"));
    let logs = text(&logs("CloudTrail"));
    let mut n_killed = 0;
    loop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sentrail"))
            .args(["replay", "--quiet", "--format", "jsonl", "--state", &file, &logs])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // What is told is durable; what comes after it may be half done.
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        if told.is_empty() {
            assert!(child.wait().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        n_killed += 1;
    }
    assert!(n_killed >= 3, "{n_killed}");
    let whole = text(&folder.path().join("whole.db"));
    run(&["replay", "--quiet", "--state", &whole, &logs]).ends(0);
    assert_eq!(kept(&file), kept(&whole));
}

#[test]
fn a_file_of_another_reading_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("s.db"));
    let logs = text(&logs("CloudTrail"));
    run(&["replay", "--quiet", "--state", &file, "--region", "us-east-1", &logs]).ends(0);
    run(&["replay", "--state", &file, &logs])
        .ends(2)
        .tells(&["was begun with --region us-east-1; begin another file, or ask for the same"]);
    let config = text(&folder.path().join("c.toml"));
    fs::write(&config, "lateness = \"48h\"\n").unwrap();
    run(&["replay", "--state", &file, "--region", "us-east-1", "--config", &config, &logs])
        .ends(2)
        .tells(&["was begun with lateness = \"24h\" (expected \"48h\")"]);
}

#[test]
fn logs_without_the_names_of_aws_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (text(&folder.path().join("s.db")), folder.path().join("events.json"));
    fs::write(&log, r#"{"Records":[]}"#).unwrap();
    run(&["replay", "--state", &file, &text(&log)])
        .ends(2)
        .tells(&["events.json: --state goes by the names that AWS gives"]);
}

#[test]
fn one_process_has_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let held = fs::File::create(&path).unwrap();
    held.lock().unwrap();
    run(&["replay", "--state", &text(&path), archive()])
        .ends(1)
        .tells(&["is in use by another sentrail (expected one at a time)"]);
}

/// Writes an object of one record, as AWS would name it, written at `stamp` (`20250314T1000Z`).
fn object(folder: &Path, stamp: &str, records: &str) {
    let name = format!("111122223333_CloudTrail_us-east-1_{stamp}_aaaaaaaaaaaaaaaa.json");
    fs::write(folder.join(name), records).unwrap();
}

fn record(time: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventTime":"{time}","eventName":"ListBuckets",
            "eventSource":"s3.amazonaws.com","eventID":"e-{time}"}}]}}"#
    )
}

#[test]
fn what_was_read_long_ago_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, logs) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    fs::create_dir(&logs).unwrap();
    object(&logs, "20250114T1000Z", &record("2025-01-14T09:55:00Z"));
    object(&logs, "20250314T1000Z", &record("2025-03-14T09:55:00Z"));
    let first = run(&["replay", "--state", &file, &text(&logs)]);
    first.ends(0).tells(&["2 of CloudTrail"]);
    // Of the first it is forgotten whether it was read, and it must not count on a later day.
    let again = run(&["replay", "--state", &file, &text(&logs)]);
    again
        .ends(0)
        .tells(&["records   0 of CloudTrail"])
        .tells(&["1 left out: read by an earlier run"])
        .tells(&["1 left out: written over 45 days before the newest of earlier runs"]);
    // 45 days before the newest are known.
    object(&logs, "20250128T1000Z", &record("2025-01-28T09:55:00Z"));
    run(&["replay", "--state", &file, &text(&logs)]).ends(0).tells(&["1 of CloudTrail"]);
}

#[test]
fn an_object_that_could_not_be_read_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, logs) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    fs::create_dir(&logs).unwrap();
    object(&logs, "20250314T1000Z", "{\"Records\":[");
    for _ in 0..2 {
        run(&["replay", "--state", &file, &text(&logs)]).ends(4);
    }
    object(&logs, "20250314T1000Z", &record("2025-03-14T09:55:00Z"));
    run(&["replay", "--state", &file, &text(&logs)]).ends(0).tells(&["1 of CloudTrail"]);
}

#[test]
fn findings_are_kept_when_nobody_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["unread.db", "read.db"].map(|name| text(&folder.path().join(name)));
    let logs = text(&logs("CloudTrail"));
    let (code, _) = run_unread(&["replay", "--quiet", "--state", &files[0], &logs]);
    assert_eq!(code, Some(0));
    run(&["replay", "--quiet", "--state", &files[1], &logs]).ends(0);
    assert_eq!(kept(&files[0]), kept(&files[1]));
}

#[test]
fn a_name_with_a_time_still_to_come_closes_no_day() {
    let folder = tempfile::tempdir().unwrap();
    let (file, logs) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    fs::create_dir(&logs).unwrap();
    object(&logs, "20250314T1000Z", &record("2025-03-14T09:55:00Z"));
    object(&logs, "99990314T1000Z", &record("2025-03-14T09:56:00Z"));
    let told = run(&["replay", "--state", &file, &text(&logs)]);
    told.ends(0)
        .tells(&["1 left out: named with a time that is still to come"])
        .tells(&["days from 2025-03-13 on are open"]);
    object(&logs, "20250314T1005Z", &record("2025-03-14T09:57:00Z"));
    run(&["replay", "--state", &file, &text(&logs)]).ends(0).tells(&["records   1 of CloudTrail"]);
}

#[test]
fn a_state_says_what_it_holds_and_forgets_an_identity() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("s.db"));
    run(&["replay", "--quiet", "--state", &file, archive()]).ends(0);
    let shown = run(&["state", "inspect", &file]);
    shown.ends(0);
    let says = |words: &str| shown.out.lines().any(|line| line.starts_with(words));
    assert!(says("newest     objects written on 2026-03-07"), "{}", shown.out);
    assert!(says("written    by sentrail 0.1.0: replay --state"), "{}", shown.out);
    assert!(says("part       entities: 59, "), "{}", shown.out);
    let key = kept(&file)[0]["entity"]["key"].as_str().unwrap().to_owned();
    run(&["state", "reset", &file, "--identity", &key]).ends(0).tells(&["1 profile of", &key]);
    let shown = run(&["state", "inspect", &file]).out;
    assert!(shown.contains("part       entities: 58, "), "{shown}");
    run(&["state", "reset", &file, "--identity", &key]).ends(2).tells(&["no identity", &key]);
    let of_key = || kept(&file).iter().filter(|one| one["entity"]["key"] == key.as_str()).count();
    let n_findings = of_key();
    assert!(n_findings > 0);
    let taken = format!("and {n_findings} finding");
    run(&["state", "reset", &file, "--identity", &key, "--findings"]).ends(0).tells(&[&taken]);
    assert_eq!(of_key(), 0);
    run(&["state", "reset", &file, "--identity", &key, "--findings"])
        .ends(2)
        .tells(&["no identity"]);
    // It goes on without it.
    run(&["replay", "--quiet", "--state", &file, archive()]).ends(0);
    let other = text(&folder.path().join("f.db"));
    run(&["replay", "--quiet", "--out", &other, archive()]).ends(0);
    run(&["state", "inspect", &other]).ends(2).tells(&["holds no state"]);
}
