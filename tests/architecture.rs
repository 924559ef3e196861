//! How the rooms stand to each other, and the rules of the house that no lint knows.

use crate::support::{files_of, text};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Rooms, each above those that it may know.
const ROOMS: [&str; 6] = ["store", "ingest", "baseline", "detect", "alerts", "sentrail"];

/// Rooms beside the others: `testdata` knows none of them, and only the program and `benches` know it.
const APART: [&str; 2] = ["testdata", "benches"];

/// Unit: lines of code in a file.
const FILE_LINES_MAX: usize = 600;

fn packages() -> Vec<Value> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn manifest(package: &Value) -> PathBuf {
    PathBuf::from(package["manifest_path"].as_str().unwrap())
}

/// Rooms that `package` depends on; `kind` is `None` for what is shipped, else `dev`.
fn knows<'a>(package: &'a Value, kind: Option<&str>) -> Vec<&'a str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|one| !one["path"].is_null() && one["kind"].as_str() == kind).map(name).collect()
}

#[test]
fn arrows_run_from_alerts_to_ingest() {
    for package in packages() {
        let own = name(&package);
        let rank = |room: &str| ROOMS.iter().position(|one| *one == room);
        // `simulate` and `demo` write logs of their own; `benches` measures everybody.
        let may_know =
            |other: &&str| own != "benches" && !(own == "sentrail" && *other == "testdata");
        for other in knows(&package, None).into_iter().filter(may_know) {
            assert!(
                rank(own) > rank(other) && rank(other).is_some(),
                "{own} must not know {other}: arrows run {ROOMS:?}, right to left"
            );
        }
        for other in knows(&package, Some("dev")) {
            let sees_all = own == "sentrail" || own == "benches";
            assert!(
                sees_all || rank(own) > rank(other) && rank(other).is_some(),
                "tests of {own} must not know {other}"
            );
        }
        assert!(ROOMS.contains(&own) || APART.contains(&own), "{own} has no place in ROOMS");
    }
}

#[test]
fn every_room_keeps_the_lints_of_the_house() {
    for package in packages() {
        let text = fs::read_to_string(manifest(&package)).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(lints.and_then(toml::Value::as_bool), Some(true), "{}", name(&package));
    }
}

/// The source of all rooms.
fn sources() -> Vec<(String, String)> {
    let folders = |package: &Value| {
        let home = manifest(package).parent().unwrap().to_owned();
        ["src", "tests", "benches", "examples"].map(|folder| home.join(folder))
    };
    let folders: Vec<_> =
        packages().iter().flat_map(folders).filter(|path| path.is_dir()).collect();
    let mut paths: Vec<_> = folders.iter().flat_map(|folder| files_of(folder, "rs")).collect();
    paths.sort();
    paths.dedup();
    paths.iter().map(|path| (text(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn source_keeps_the_rules_of_the_house() {
    // In two parts, or this file would break its own rules.
    let banned = [
        (concat!("#[al", "low("), "write #[expect(lint, reason = \"...\")]"),
        (concat!("#![al", "low("), "write #![expect(lint, reason = \"...\")]"),
        (concat!("TO", "DO"), "do it, or write down what is missing where users read it"),
        (concat!("FIX", "ME"), "mend it"),
    ];
    let mut faults = Vec::new();
    for (path, source) in sources() {
        for (n, line) in (1..).zip(source.lines()) {
            let found = banned.iter().find(|(word, _)| line.contains(word));
            faults.extend(found.map(|(word, instead)| format!("{path}:{n}: {word}: {instead}")));
        }
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let n = source.lines().filter(is_code).count();
        if n > FILE_LINES_MAX {
            faults.push(format!("{path}: {n} lines of code; split it before {FILE_LINES_MAX}"));
        }
        if Path::new(&path).file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!("{path}: write it beside its folder, not in it"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_test_file_is_forgotten() {
    let listed = fs::read_to_string("tests/program.rs").unwrap();
    for path in fs::read_dir("tests").unwrap().map(|entry| entry.unwrap().path()) {
        let module = path.file_stem().unwrap().to_str().unwrap();
        if path.is_file() && module != "program" {
            assert!(listed.contains(&format!("mod {module};")), "add {module} to program.rs");
        }
    }
}
