//! What documents show is what the program prints, and what they name is there.

use crate::support::{archive, files_of, run, text};
use regex::Regex;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

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
fn the_two_commands_stand_on_the_first_screen() {
    let readme = fs::read_to_string("README.md").unwrap();
    let first_screen: String = readme.lines().take(30).collect::<Vec<_>>().join("\n");
    for target in ["demo", "test"] {
        assert!(first_screen.contains(&format!("make {target}")), "{target}");
    }
}

/// Documents with their texts, by their paths from the root.
fn documents() -> Vec<(String, String)> {
    let mut paths: Vec<_> =
        files_of(Path::new("docs"), "md").iter().map(|path| text(path)).collect();
    paths.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_owned));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What `pattern` captures in a line of a document, with a sentence's beginning that says where.
fn named(pattern: &str) -> Vec<(String, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = Vec::new();
    for (path, text) in documents() {
        for (n, line) in (1..).zip(text.lines()) {
            let all = pattern.captures_iter(line).map(|one| one[1].to_owned());
            found.extend(all.map(|one| (format!("{path}:{n}: {one}"), one)));
        }
    }
    assert!(found.len() > 5, "{found:?}");
    found
}

#[test]
fn every_target_that_a_document_names_is_in_the_makefile() {
    let makefile = fs::read_to_string("Makefile").unwrap();
    let commands = named("(?:`|^    )make ([a-z-]+)");
    let missing = commands.iter().filter(|(_, one)| !makefile.contains(&format!("\n{one}: ")));
    assert_eq!(missing.count(), 0, "{commands:?}");
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let rooms = "alerts|baseline|benches|detect|docs|fuzz|ingest|src|store|testdata|tests";
    let mut missing = Vec::new();
    for (at, path) in named(&format!("`((?:{rooms})/[A-Za-z0-9_./*-]*)`")) {
        // `*` stands for any name, so the folder has to be there.
        let path = path.split('*').next().unwrap();
        if !Path::new(path).exists() {
            missing.push(at);
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Rows of the code map name a folder once: ``baseline/src/novel.rs`, `surprise.rs``.
#[test]
fn every_file_of_the_code_map_is_there() {
    let map = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let name = Regex::new("`([A-Za-z0-9_./*-]+(?:\\.[a-z]+|/))`").unwrap();
    let mut n_files = 0;
    for line in map.lines().filter(|line| line.starts_with("| `")) {
        let mut folder = "";
        for one in name.captures_iter(line).filter_map(|one| one.get(1)) {
            let file = one.as_str().rsplit_once('/').map_or(one.as_str(), |(before, file)| {
                folder = before;
                file
            });
            let file = if file.contains('*') { "" } else { file };
            assert!(Path::new(folder).join(file).exists(), "{folder}/{file} in the row: {line}");
            n_files += 1;
        }
    }
    assert!(n_files > 50, "{n_files}");
}

#[test]
fn every_dependency_has_a_reason_and_a_use() {
    let page = fs::read_to_string("docs/dependencies.md").unwrap();
    let listed = Regex::new("(?m)^\\| ((?:`[a-z0-9_-]+`(?:, )?)+) \\|").unwrap();
    let listed: BTreeSet<String> = listed
        .captures_iter(&page)
        .flat_map(|row| {
            row[1].split(", ").map(|one| one.trim_matches('`').to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let mut needed = BTreeSet::new();
    for room in [".", "store", "ingest", "baseline", "detect", "alerts", "testdata", "benches"] {
        let manifest: toml::Table =
            fs::read_to_string(format!("{room}/Cargo.toml")).unwrap().parse().unwrap();
        let folders = ["src", "tests", "benches"].map(|folder| Path::new(room).join(folder));
        let sources = folders.iter().filter(|folder| folder.exists());
        let sources: String = sources
            .flat_map(|folder| files_of(folder, "rs"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(kind).and_then(toml::Value::as_table) else {
                continue;
            };
            for name in dependencies.keys() {
                let in_code = name.replace('-', "_");
                let used = Regex::new(&format!(r"\b{in_code}(::|!|;)")).unwrap().is_match(&sources);
                assert!(used, "{room}/Cargo.toml names {name}, and nothing there uses it");
                needed.insert(name.clone());
            }
        }
    }
    needed.retain(|name| !Path::new(name).join("Cargo.toml").exists());
    assert_eq!(listed, needed, "docs/dependencies.md, and what manifests name");
}
