//! `simulate`: the same seed gives the same logs, and the program reads all of them.

use crate::support::{files, run};
use std::{fs, path::Path};

const SMALL: [&str; 8] =
    ["--days", "1", "--machines", "2", "--accounts", "2", "--story", "logging-off"];

fn simulate(to: &Path, more: &[&str]) -> Vec<(String, Vec<u8>)> {
    let to_text = to.to_str().unwrap();
    let arguments: Vec<_> =
        ["simulate", "--to", to_text].iter().chain(&SMALL).chain(more).copied().collect();
    run(&arguments).ends(0);
    let name = |path: &Path| path.strip_prefix(to).unwrap().to_str().unwrap().to_owned();
    files(to).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let first = simulate(&at("first"), &[]);
    assert!(first.len() > 100, "{} objects", first.len());
    assert!(first == simulate(&at("second"), &[]));
    assert!(first != simulate(&at("third"), &["--seed", "2"]));
}

#[test]
fn everything_written_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    simulate(&folder.path().join("logs"), &["--digests"]);
    let logs = folder.path().join("logs/AWSLogs");
    let replayed = run(&["replay", "--format", "jsonl", logs.to_str().unwrap()]);
    replayed.ends(0).tells(&["0 could not be read"]).tells(&["digests, which hold no events"]);
    assert!(!replayed.err.contains("records that could not be read"), "{}", replayed.err);
}

#[test]
fn flow_logs_of_every_format_are_read_to_the_last_row() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    // The second VPC has a custom format of version 5, the fourth one of version 8.
    let size =
        ["--days", "1", "--accounts", "2", "--people", "1", "--machines", "0", "--vpcs", "4"];
    let asked = ["simulate", "--to", to.to_str().unwrap(), "--story", "port-scan"];
    let told = run(&asked.iter().chain(&size).copied().collect::<Vec<_>>());
    told.ends(0);
    let words: Vec<&str> = told.err.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "flow").unwrap();
    let rows: u64 = words[at - 1].parse().unwrap();
    assert!(rows > 100_000, "{}", told.err);
    let logs = to.join("AWSLogs");
    let replayed = run(&["replay", "--format", "jsonl", logs.to_str().unwrap()]);
    replayed.ends(0).tells(&["0 could not be read"]).tells(&[&format!(" {rows} of flow logs")]);
    assert!(!replayed.err.contains("that could not be read"), "{}", replayed.err);
    let scans = replayed.rows();
    assert!(scans.iter().any(|row| row.to_string().contains("port-scan")), "{}", replayed.out);
}

#[test]
fn a_story_for_which_nobody_is_left_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--days=1", "--accounts=1", "--people=1", "--machines=0", "--vpcs=0"];
    let to = folder.path().to_str().unwrap();
    let asked = ["simulate", "--to", to, "--story=flood", "--story=spam"];
    run(&[&asked[..], &size].concat()).ends(0).tells(&["nobody", "flood, spam"]);
}

#[test]
fn a_folder_in_use_and_an_unknown_story_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let to = folder.path().to_str().unwrap();
    run(&["simulate", "--to", to]).ends(2).tells(&["is not empty"]);
    let other = folder.path().join("new");
    let asked = ["simulate", "--to", other.to_str().unwrap(), "--story", "codefingr"];
    run(&asked).ends(2).tells(&["no such story", "codefinger"]);
}
