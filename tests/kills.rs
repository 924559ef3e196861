//! The daemon, killed at its fault points again and again: `kills.py` does it, and `make soak` does it longer.

use crate::support::{deliver_all, objects_by_stamp, text};
use std::{fs, process::Command};

#[test]
fn forty_deaths_at_any_point_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let mut objects = objects_by_stamp();
    objects.retain(|path| ["/03/02/", "/03/03/"].iter().any(|day| text(path).contains(day)));
    deliver_all(&objects, &logs);
    let ended = Command::new("python3")
        .args(["tests/kills.py", "--kills=40", "--seed=1"])
        .args(["--binary", env!("CARGO_BIN_EXE_sentrail"), "--logs", &text(&logs)])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(ended.stdout.starts_with(b"40 kills ("));
}
