//! `sentrail replay --hindsight`: an archive without a history, whose first day is an intruder's.

use crate::{
    identity::record,
    support::{Ended, run, run_on, text},
};
use serde_json::json;
use std::{fs, path::Path, sync::OnceLock};

const DAYS: u32 = 12;

/// A folder of logs, made once: Alice works, and a stranger has her key on the first day.
fn logs() -> &'static str {
    static LOGS: OnceLock<String> = OnceLock::new();
    LOGS.get_or_init(|| {
        const OFFICE: [&str; 2] = ["81.2.69.142", "aws-cli/2.15.30 os/linux"];
        const STRANGER: [&str; 2] = ["185.220.101.1", "python-requests/2.31.0"];
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hindsight");
        fs::create_dir_all(&folder).unwrap();
        for day in 1..=DAYS {
            let work = (8..16).map(|hour| record("alice", (day, hour, 30), "s3:GetObject", OFFICE));
            let theft = ["CreateUser", "CreateAccessKey"].iter().zip(40..);
            let theft = theft.map(|(name, minute)| {
                record("alice", (day, 10, minute), &format!("iam:{name}"), STRANGER)
            });
            let records: Vec<_> = work.chain(theft.filter(|_| day == 1)).collect();
            let object = json!({ "Records": records }).to_string();
            fs::write(folder.join(format!("{day:02}.json")), object).unwrap();
        }
        text(&folder)
    })
}

fn replay(more: &[&str]) -> Ended {
    run(&[&["replay", "--format", "jsonl"], more, &[logs()]].concat())
}

/// Days of the findings of unusual behaviour.
fn told(ended: &Ended) -> Vec<String> {
    let rows = ended.ends(0).rows();
    let is_unusual = |id: &serde_json::Value| id.as_str().unwrap().starts_with("anomalous-");
    let unusual = rows.iter().filter(|row| is_unusual(&row["detector"]));
    unusual.map(|row| row["day"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_first_day_is_judged_by_those_after_it() {
    assert_eq!(told(&replay(&[])), [""; 0]);
    let hindsight = replay(&["--hindsight"]);
    assert!(told(&hindsight).contains(&"2025-03-01".to_owned()), "{}", hindsight.out);
    for row in hindsight.rows() {
        assert_eq!(row["confidence"]["own_days"], DAYS - 1, "{row}");
    }
    for n_threads in ["1", "3"] {
        assert_eq!(replay(&["--hindsight", "--threads", n_threads]).out, hindsight.out);
    }
}

#[test]
fn what_is_kept_says_how_to_make_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("findings.db"));
    let row = replay(&["--hindsight", "--out", &file]).ends(0).rows().remove(0);
    let explained = run(&["findings", "explain", row["id"].as_str().unwrap(), "--in", &file]);
    let again = format!("sentrail replay --hindsight {} | grep", logs());
    assert!(explained.ends(0).out.contains(&again), "{}", explained.out);
}

#[test]
fn what_makes_no_sense_with_it_is_refused() {
    for more in [
        &["--baseline", "x.db"][..],
        &["--marks", "x.db"],
        &["--compare", "x.toml"],
        &["--from", "2025-03-02", "--warm-up", "1d"],
    ] {
        let ended = replay(&[&["--hindsight"], more].concat());
        ended.ends(2).tells(&["'--hindsight' cannot be used with"]);
    }
    let ended = run_on(b"{}", &["replay", "--hindsight", "-"]);
    ended.ends(2).tells(&["--hindsight reads twice, which standard input cannot be"]);
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.json"), r#"{"Records":[{"#).unwrap();
    let ended = run(&["replay", "--hindsight", &text(folder.path())]);
    let n = ended.ends(4).err.lines().filter(|line| line.contains("broken.json")).count();
    assert_eq!(n, 1, "{}", ended.err);
}
