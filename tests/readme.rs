//! What the README shows is what the program prints.

use crate::support::{archive, run, text};
use serde_json::Value;
use std::{fs, path::Path};

#[test]
fn the_finding_on_the_first_screen_is_a_real_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("<!-- finding -->\n```text\n").nth(1).unwrap();
    let shown = block.split("\n```\n").next().unwrap();
    let printed = run(&["replay", "--quiet", "--format", "table", archive()]).ends(0).out.clone();
    assert!(shown.starts_with("CRITICAL"), "{shown}");
    assert!(printed.contains(shown), "README shows\n{shown}\nbut the program prints\n{printed}");
}

#[test]
fn the_explanation_is_a_real_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("<!-- explain -->\n```text\n").nth(1).unwrap();
    let shown = block.split("\n```\n").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("findings.db"));
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    let id = readme.split("\n  finding ").nth(1).unwrap().split(',').next().unwrap();
    let explained = run(&["findings", "explain", id, "--in", &file]).ends(0).out.clone();
    assert!(shown.starts_with("Where the bits come from\n"), "{shown}");
    assert!(explained.contains(shown), "README shows\n{shown}\nbut\n{explained}");
}

#[test]
fn the_finding_as_json_is_a_real_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("<!-- json -->\n```text\n").nth(1).unwrap();
    let folded = block.split("\n```\n").next().unwrap();
    let unfolded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: Value = serde_json::from_str(&unfolded).unwrap();
    let printed = run(&["replay", "--quiet", "--format", "jsonl", archive()]).ends(0).rows();
    let found = printed.iter().find(|finding| finding["id"] == shown["id"]).unwrap();
    for (key, value) in shown.as_object().unwrap().iter().filter(|(key, _)| *key != "...") {
        // A list that is cut ends in dots.
        match value.as_array().and_then(|list| list.split_last()) {
            Some((last, list)) if last == "..." => {
                assert!(found[key].as_array().unwrap().starts_with(list), "{key}: {found}");
            }
            _ => assert_eq!(*value, found[key], "{key}"),
        }
    }
}

#[test]
fn the_two_commands_are_targets_of_the_makefile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let first_screen: String = readme.lines().take(30).collect::<Vec<_>>().join("\n");
    for target in ["demo", "test"] {
        assert!(first_screen.contains(&format!("make {target}")), "{target}");
        assert!(makefile.contains(&format!("\n{target}: ")), "{target}");
    }
}
