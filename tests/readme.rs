//! What the README shows is what the program prints.

use crate::support::{archive, run};
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
