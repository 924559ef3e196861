use super::*;
use crate::config::{Config, tests::Folder};
use std::{fs, path::Path};

/// What a folder says, with its sinks.
fn load(folder: &Folder, text: &str) -> (Config, Vec<Sink>) {
    let config = Config::load(Some(&folder.file(text))).unwrap();
    let sinks = config.sinks().unwrap();
    (config, sinks)
}

fn beside(folder: &Folder, name: &str, text: &str) {
    let config = folder.file("");
    fs::write(config.with_file_name(name), text).unwrap();
}

/// The lines about the second configuration that takes the place of the first.
fn lines(folder: &Folder, before: &str, now: &str) -> Vec<String> {
    let before = load(folder, before);
    let now = load(folder, now);
    changes((&before.0, &before.1), (&now.0, &now.1))
}

#[test]
fn a_setting_is_told_with_both_values_and_lists_with_what_came_and_went() {
    let folder = Folder::new("changes-settings");
    let told = lines(
        &folder,
        "[detectors]\ndisable = [\"root-use\"]\n[detectors.beacon]\nbits-min = 9\n\
         [kinds]\nagent = [\"a\"]\n",
        "alerts-per-day = 3\n[detectors]\ndisable = [\"beacon\"]\nseverity = { port-scan = \"low\" }\n\
         [detectors.beacon]\nbits-min = 12\n[kinds]\nagent = [\"a\", \"b\"]\n",
    );
    let default = detect::Options::default().alerts_per_day;
    assert_eq!(
        told,
        [
            &*format!("alerts-per-day {default} -> 3"),
            "detectors.beacon.bits-min 9.0 -> 12.0",
            "detectors.disable: +1 -1 ~0: +beacon, -root-use",
            "detectors.severity.port-scan not set -> \"low\"",
            "kinds.agent: +1 -0",
        ]
    );
}

#[test]
fn what_says_the_same_is_no_change() {
    let folder = Folder::new("changes-none");
    let (one, other) = ("alerts-per-day = 3\n", "# as agreed\nalerts-per-day=3 \n[detectors]\n");
    assert_eq!(lines(&folder, one, other), [""; 0]);
}

#[test]
fn rules_lists_suppressions_and_accounts_are_told_by_what_their_files_say() {
    let folder = Folder::new("changes-files");
    let text = "rules = [\"r.yml\"]\naccounts = \"a.toml\"\nsuppressions = \"s.toml\"\nlists.l.file = \"l.txt\"\n";
    let rule = |api: &str| {
        format!(
            "title: {api}\nname: calls-{api}\nlevel: low\nlogsource: {{product: aws, service: cloudtrail}}\n\
             detection:\n  s:\n    eventName: {api}\n  condition: s\n"
        )
    };
    let entry = |name: &str| {
        format!(
            "[[suppress]]\nname = \"{name}\"\ndetector = \"root-use\"\nreason = \"r\"\nowner = \"o\"\n\
             expires = \"2999-01-01\"\n"
        )
    };
    beside(&folder, "r.yml", &[rule("a"), rule("b")].join("---\n"));
    beside(&folder, "a.toml", "");
    beside(&folder, "s.toml", &entry("one"));
    beside(&folder, "l.txt", "10.0.0.1\n");
    let before = load(&folder, text);
    beside(&folder, "r.yml", &[rule("a"), rule("c")].join("---\n"));
    beside(&folder, "a.toml", "\"111122223333\" = { name = \"prod\" }\n");
    beside(&folder, "s.toml", &[entry("one"), entry("two")].concat());
    beside(&folder, "l.txt", "10.0.0.1\n10.0.0.9\n");
    let now = load(&folder, text);
    assert_eq!(
        changes((&before.0, &before.1), (&now.0, &now.1)),
        [
            "rules: +1 -1 ~1: +calls-c, -calls-b, ~calls-a",
            "lists.l: another content, 1 -> 2 ranges",
            "suppressions: +1 -0 ~0: +two",
            "accounts: other names, 0 -> 1 account",
        ]
    );
}

#[test]
fn of_sinks_keys_are_told_and_no_secret() {
    let folder = Folder::new("changes-sinks");
    let url = |path: &str| format!("url = \"https://hooks.example.com/{path}\"\n");
    let before =
        format!("[sinks.a]\ntype = \"slack\"\n{}[sinks.b]\ntype = \"slack\"\n{0}", url("s3cret"));
    let now = format!(
        "[sinks.b]\ntype = \"slack\"\nmin-severity = \"high\"\n{}[sinks.c]\ntype = \"slack\"\n{0}",
        url("s3cret")
    );
    let told = lines(&folder, &before, &now);
    assert_eq!(told, ["sinks: +1 -1 ~1: +c, -a, ~b", "sinks.b: min-severity"]);
    let told = lines(&folder, &before, &before.replace("s3cret", "s4cret"));
    let hidden = "what its URL, files, variables or secrets hold";
    assert_eq!(
        told,
        [
            "sinks: +0 -0 ~2: ~a, ~b".to_owned(),
            format!("sinks.a: {hidden}"),
            format!("sinks.b: {hidden}"),
        ]
    );
}

#[test]
fn what_waits_for_a_restart_stays_what_it_was_and_the_rest_is_taken() {
    let folder = Folder::new("changes-waits");
    let (started, _) = load(&folder, "memory = \"1 GiB\"\n");
    let key = "00112233445566778899aabbccddeeff";
    let text = format!(
        "lateness = \"48h\"\nmemory = \"2 GiB\"\nhash-key = \"{key}\"\nalerts-per-day = 3\n\
         [aws]\nregion = \"eu-west-1\"\n"
    );
    let (config, waiting) = load(&folder, &text).0.going_on(&started).unwrap();
    assert_eq!(config.options().alerts_per_day.get(), 3);
    assert_eq!(config.options().lateness, started.options().lateness);
    assert_eq!(config.access(), started.access());
    let with_alerts = load(&folder, "memory = \"1 GiB\"\nalerts-per-day = 3\n").0;
    assert_eq!(config.hash(), with_alerts.hash());
    assert_eq!(
        waiting,
        [
            "aws.region not set -> \"eu-west-1\"",
            "hash-key changed (with a new state)",
            "lateness \"24h\" -> \"48h\" (with a new state)",
            "memory \"1 GiB\" -> \"2 GiB\"",
        ]
    );
    assert!(Path::new(&config.origin("lateness")).to_string_lossy().ends_with(":1"));
}

#[test]
fn many_changes_are_told_up_to_a_bound() {
    let folder = Folder::new("changes-many");
    let severities = |n: usize| -> String {
        let ids =
            detect::DETECTORS.iter().take(n).map(|one| format!("{} = \"low\"\n", one.meta.id));
        format!("[detectors.severity]\n{}", ids.collect::<String>())
    };
    let told = lines(&folder, "", &severities(LINES_MAX + 3));
    assert_eq!(told.len(), LINES_MAX + 1);
    assert_eq!(told.last().unwrap(), "and 3 more");
    let disabled: Vec<&str> =
        detect::DETECTORS.iter().take(NAMES_MAX + 2).map(|one| one.meta.id).collect();
    let told = lines(&folder, "", &format!("[detectors]\ndisable = {disabled:?}\n"));
    assert!(told[0].ends_with(", and 2 more"), "{told:?}");
}
