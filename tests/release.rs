//! What is released: the archive, its bill of materials and checksums, by `deploy/release.py`.

use crate::support::text;
use serde_json::Value;
use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
};

/// Makes it of a program that is a script: it calls the one under test, which is large.
fn released(to: &Path, program: &Path) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut script = Command::new(root.join("deploy/release.py"));
    script.args(["--out", &text(to), "--program", &text(program)]);
    let told = script.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let all = fs::read_dir(to).unwrap().map(|file| file.unwrap());
    let mut all: Vec<_> = all
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_release_is_the_same_twice_and_names_what_it_is_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("sentrail");
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_sentrail"));
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let to = folder.path().join("one");
    let files = released(&to, &program);
    assert_eq!(files, released(&folder.path().join("other"), &program));

    let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&to).output();
    assert!(sums.unwrap().status.success());
    let (archive, _) = files.iter().find(|(name, _)| name.ends_with(".tar.gz")).unwrap();
    let listed = Command::new("tar").args(["tzf", archive]).current_dir(&to).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in ["/sentrail", "/LICENSE", "/LICENCES.txt", "/sentrail.cdx.json", "/man/sentrail.1"]
    {
        assert!(listed.lines().any(|line| line.ends_with(name)), "{name} not in {listed}");
    }

    let (_, bill) = files.iter().find(|(name, _)| name.ends_with(".cdx.json")).unwrap();
    let bill: Value = serde_json::from_slice(bill).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    let components = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> =
        components.iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["tokio", "aws-sdk-s3", "rusqlite", "parquet", "detect"] {
        assert!(names.contains(name), "{name} not in {names:?}");
    }
    assert!(!names.contains("criterion"), "what tests need is not in the program");
    for one in components {
        assert!(one["licenses"][0]["expression"].is_string(), "{one}");
        assert!(one["purl"].is_null() || one["hashes"][0]["content"].is_string(), "{one}");
    }
}
