//! The bits of unusual behaviour against `tests/arithmetic.py`, which works them out anew.

use crate::support::{run, text};
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

/// Long enough for habits, with an intruder and somebody who changes his ways.
const ASKED: [&str; 10] = [
    "--seed=3",
    "--days=14",
    "--accounts=1",
    "--people=10",
    "--machines=1",
    "--pipelines=1",
    "--agents=0",
    "--vpcs=0",
    "--story=leaked-ci-key",
    "--story=stolen-session",
];

#[test]
fn another_program_comes_to_the_same_bits() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arithmetic");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let archive = text(&folder);
    run(&[&["simulate", "--to", &archive], &ASKED[..]].concat()).ends(0);
    let days = folder.join("days.jsonl");
    fs::write(&days, &run(&["identity", "*", "--json", &archive]).ends(0).out).unwrap();
    let mut python = Command::new("python3");
    python.args(["tests/arithmetic.py", &archive, &text(&days)]);
    let ended = python.output().expect("python3 is missing: install Python 3.9 or later");
    let [out, err] = [ended.stdout, ended.stderr].map(|out| String::from_utf8(out).unwrap());
    assert_eq!(ended.status.code(), Some(0), "{out}{err}");
    assert!(out.starts_with("1000 spans compared"), "{out}");
    // Not by println: what a test that passes prints is not shown.
    write!(io::stderr(), "{out}").unwrap();
    fs::remove_dir_all(&folder).unwrap();
}
