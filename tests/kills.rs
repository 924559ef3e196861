//! The daemon, ended again and again: `kills.py` does it, and `make soak` does it longer.

use crate::support::{deliver_all, objects_by_stamp, script, text};
use std::fs;

/// Runs a script on the first days of the archive; answers what it tells.
#[track_caller]
pub(crate) fn of_days(name: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let mut objects = objects_by_stamp();
    objects.retain(|path| ["/03/02/", "/03/03/"].iter().any(|day| text(path).contains(day)));
    deliver_all(&objects, &logs);
    script(name, &[&["--logs", &*text(&logs)], arguments].concat())
}

#[test]
fn forty_deaths_at_any_point_change_nothing() {
    let told = of_days("kills.py", &["--kills=40"]);
    assert!(told.starts_with("40 kills ("), "{told}");
}

#[test]
fn whoever_is_asked_to_end_under_load_does_so_in_time_and_loses_nothing() {
    let told = of_days("kills.py", &["--terminate=3"]);
    assert!(told.starts_with("3 terminations (3 with messages left) in 1 readings"), "{told}");
}
