//! `findings mark` beside a daemon: what is said of its findings is learned as in a replay that knew it before.

use crate::support::{daemon::Daemon, in_order, kept, run, text, used_outside};
use serde_json::{Value, json};
use std::{fs, ops::RangeInclusive, path::Path, time::SystemTime};

const DETECTOR: &str = "compute-credentials-outside-aws";

/// Brings the logs of these days of March 2026, on which a machine's credentials are used from outside.
fn deliver(days: RangeInclusive<u32>, logs: &Path) {
    for day in days {
        let folder = format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/{day:02}");
        let folder = logs.join(folder);
        let name =
            format!("111122223333_CloudTrail_us-east-1_202603{day:02}T1005Z_0123456789abcdef.json");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(&name), json!({"Records": [used_outside(day)]}).to_string()).unwrap();
        let file = fs::File::options().append(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

fn mark(file: &str, day: &str, (nature, on): (&str, &str)) {
    let listed = ["--in", file, "--format", "jsonl", "--detector", DETECTOR, "--day", day];
    let rows = run(&[&["findings", "list"], &listed[..]].concat()).ends(0).rows();
    let id = rows[0]["id"].as_str().unwrap();
    let said = ["--in", file, "--reason", "ticket 12", "--on", on];
    run(&[&["findings", "mark", id, nature], &said[..]].concat()).ends(0);
}

fn days(findings: &[Value]) -> Vec<&str> {
    let of = findings.iter().filter(|finding| finding["detector"] == DETECTOR);
    of.map(|finding| finding["day"].as_str().unwrap().trim_start_matches("2026-03-")).collect()
}

/// What a state has found, without what was said of it.
fn found(file: &str) -> Vec<Value> {
    let mut found = kept(file);
    for finding in &mut found {
        finding.as_object_mut().unwrap().remove("mark");
    }
    found
}

#[test]
fn what_is_said_of_findings_of_a_daemon_teaches_it_what_it_teaches_a_replay() {
    // The finding of the 2nd is marked while that day is open, and after it has closed; no days more than these are known.
    let courses = [
        (3, ("benign", "2026-03-03"), &["02", "03", "04"][..]),
        (5, ("benign", "2026-03-05"), &["02", "03", "04", "05", "06"]),
        (5, ("malicious", "2026-03-05"), &["02", "03", "04", "05", "06", "07", "08", "09"]),
    ];
    for (last, said, expected) in courses {
        for is_running in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let (logs, file) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
            let arguments = ["--folder", &text(&logs), "--state", &file].map(str::to_owned);
            deliver(2..=last, &logs);
            let mut daemon = Daemon::start(&arguments, None);
            assert!(daemon.says("caught-up"));
            if is_running {
                mark(&file, "2026-03-02", said);
                if last > 3 {
                    assert!(daemon.says("mark-heard"));
                }
                daemon.signal("KILL");
                daemon.ends();
            } else {
                daemon.stop();
                mark(&file, "2026-03-02", said);
            }
            let mut daemon = Daemon::start(&arguments, None);
            assert!(daemon.says("caught-up"));
            deliver(last + 1..=9, &logs);
            while !daemon.said.last().unwrap().contains("\"last_record\":\"2026-03-09") {
                assert!(daemon.says("caught-up"));
            }
            let told = daemon.stop();
            let n_heard = told.iter().filter(|line| line.contains("mark-heard")).count();
            assert_eq!(n_heard, usize::from(last == 3 || !is_running), "{told:#?}");
            let replay = ["replay", "--quiet", "--format", "jsonl", "--marks", &file, &text(&logs)];
            let replayed = in_order(run(&replay).ends(0).rows());
            assert_eq!(days(&replayed), expected);
            assert_eq!(found(&file), replayed, "{said:?}, {is_running}");
        }
    }
}

#[test]
fn a_mark_for_a_day_that_has_closed_counts_on_the_first_that_has_not() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, file) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    let state = ["replay", "--quiet", "--state", &file, &text(&logs)].map(str::to_owned);
    deliver(2..=4, &logs);
    run(&state).ends(0);
    mark(&file, "2026-03-02", ("malicious", "2026-03-02"));
    // Nothing is new, so nothing was kept: it is told once there is.
    assert!(!run(&state).ends(0).err.contains("is malicious"));
    deliver(5..=9, &logs);
    run(&state).ends(0).tells(&[
        "is malicious, said of it on 2026-03-02: that counts among what 2026-03-03 teaches",
    ]);
    assert_eq!(days(&found(&file)), ["02", "03", "04", "05", "06", "07"]);
    // Another reason is no other mark.
    mark(&file, "2026-03-02", ("malicious", "2026-03-02"));
    deliver(10..=10, &logs);
    assert!(!run(&state).ends(0).err.contains("is malicious"));
    // What another replay finds does not take the place of what its own runs have found.
    let out = ["replay", "--quiet", "--out", &file, &text(&logs)].map(str::to_owned);
    run(&out).ends(2).tells(&["s.db holds a state, whose findings are those of its own runs"]);
}
