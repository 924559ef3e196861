//! Objects that are too much: `bounds.py` measures it, and `make soak` with larger ones.

use std::process::Command;

/// Runs the script; answers what it tells.
#[track_caller]
fn measured(arguments: &[&str]) -> String {
    let ended = Command::new("python3")
        .args(["tests/bounds.py", "--binary", env!("CARGO_BIN_EXE_sentrail")])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn a_bomb_of_ten_gigabytes_is_refused_and_takes_little_memory() {
    let told = measured(&["--bomb-mb=10000"]);
    assert!(told.contains("inflates to 10000 MB: refused"), "{told}");
}

#[test]
fn a_large_object_and_many_small_ones_are_read_alike_by_run_and_replay() {
    let told = measured(&["--object-mb=100", "--note-bytes=2000", "--objects=2000"]);
    assert_eq!(told.lines().count(), 2, "{told}");
}
