//! A made account with real shapes: 93,582 records of 16 days. Not part of the repository.

use crate::support::{copy_tenth, files, run, text};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
    thread,
};

const ACCOUNT: &str = "../shared/data/cloudtrail/bootstrap_account/AWSLogs";

#[test]
fn findings_do_not_depend_on_threads_order_or_repetition() {
    let archive = Path::new(ACCOUNT);
    if !archive.is_dir() {
        // Not by println: what a test that passes prints is not shown.
        writeln!(io::stderr(), "skipped: ../shared/data is absent").unwrap();
        return;
    }
    let copy = tempfile::tempdir().unwrap();
    copy_tenth(archive, &copy.path().join("AWSLogs"));
    let objects = files(archive);
    let folders: BTreeSet<String> =
        objects.iter().filter_map(|path| path.parent()).map(text).collect();
    let mut folders: Vec<String> = folders.into_iter().collect();
    folders.sort_by_key(|path| path.chars().rev().collect::<String>());
    folders.push(text(copy.path()));
    let replay = |threads: &str, paths: &[&str]| {
        run(&[&["replay", "--format", "jsonl", "--threads", threads], paths].concat())
    };
    let shuffled: Vec<&str> = folders.iter().map(String::as_str).collect();
    // Everything that must not matter at once: a run takes seconds without optimisation.
    let (plain, other) = thread::scope(|scope| {
        let plain = scope.spawn(|| replay("1", &[ACCOUNT]));
        let other = replay("2", &shuffled);
        (plain.join().unwrap(), other)
    });
    plain.ends(0).tells(&["0 could not be read"]);
    assert_eq!(plain.out, other.ends(0).out);
    let findings = plain.rows();
    let detectors: BTreeSet<_> =
        findings.iter().filter_map(|one| one["detector"].as_str()).collect();
    assert!(detectors.len() >= 5, "{detectors:?}");
}
