//! Completions and manual pages.

use crate::support::{run, text};

#[test]
fn every_shell_has_completions_that_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).ends(0).out.clone();
        for word in ["replay", "healthcheck", "story"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    run(&["man", "--to", &text(folder.path())]).ends(0);
    let n_pages = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(n_pages > 30, "{n_pages}");
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(page("sentrail.1").contains("sentrail\\-replay(1)"), "{}", page("sentrail.1"));
    assert!(page("sentrail-run.1").contains("\\-\\-state"));
    assert!(page("sentrail-findings-explain.1").contains(".TH"));
}
