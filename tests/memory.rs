//! Setting `memory`: where there is no room, the same is found.

use crate::support::{archive, deliver, expected, kept, objects_by_stamp, run, text};
use std::{fs, path::Path};

fn without_room(folder: &Path) -> String {
    let config = folder.join("sentrail.toml");
    fs::write(&config, "memory = \"1 MiB\"\n").unwrap();
    text(&config)
}

#[test]
fn a_replay_without_room_tells_the_same_bytes_and_says_that_it_had_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = without_room(folder.path());
    let asked = ["replay", "--format", "jsonl", archive()];
    let with_room = run(&asked);
    with_room.ends(0);
    assert!(!with_room.err.contains("\nmemory "), "{}", with_room.err);
    let without = run(&[&asked[..], &["--config", &config]].concat());
    without.ends(0).tells(&["profiles that it had no room for", "setting memory"]);
    assert!(!with_room.out.is_empty());
    assert!(with_room.out == without.out, "findings differ");
}

#[test]
fn states_that_go_on_without_room_find_what_one_replay_does() {
    let folder = tempfile::tempdir().unwrap();
    let config = without_room(folder.path());
    let (file, growing) = (text(&folder.path().join("s.db")), folder.path().join("logs"));
    let objects = objects_by_stamp();
    let mut told = String::new();
    for part in objects.chunks(objects.len() / 3 + 1) {
        for path in part {
            deliver(path, &growing);
        }
        let asked = ["replay", "--config", &config, "--state", &file, &text(&growing)];
        told = run(&asked).ends(0).tells(&["profiles that it had no room for"]).err.clone();
    }
    let open = told.split("days from ").nth(1).unwrap();
    let open: String = open.chars().take("2025-03-14".len()).collect();
    let found = kept(&file);
    assert!(!found.is_empty());
    assert_eq!(found, expected(&open));
}
