use super::*;
use crate::config::{Config, document::table, position, tests::Folder};
use alerts::suppression_snippet;
use baseline::{Entity, Kind};
use detect::{About, Finding, Rules};
use proptest::prelude::*;
use std::{fs, path::PathBuf, sync::Arc};

const HEAD: &str =
    "[[suppress]]\nreason = \"a nightly job\"\nowner = \"platform\"\nexpires = \"2026-03-31\"\n";

fn entries(text: &str) -> Result<Vec<Entry>, Fault> {
    table(text).and_then(|document| parse(&document))
}

#[track_caller]
fn refused(text: &str, at: (usize, usize), words: &str) {
    let (offset, what) = entries(text).unwrap_err();
    assert_eq!(position(text, offset), at, "{what}");
    assert!(what.contains(words), "{what}");
}

/// A line below what every entry has.
#[track_caller]
fn refused_line(line: &str, column: usize, words: &str) {
    refused(&format!("{HEAD}{line}"), (5, column), words);
}

#[test]
fn an_entry_has_a_name_or_its_place() {
    let text = format!(
        "{HEAD}api = \"s3:*\"\n{HEAD}name = \"backup\"\naddress = [\"10.0.0.0/8\", \"::1\"]\n"
    );
    let entries = entries(&text).unwrap();
    let names: Vec<_> = entries.iter().map(|one| &*one.suppression.grounds.name).collect();
    assert_eq!(names, ["suppress 1", "backup"]);
    assert_eq!(entries[0].suppression.grounds.expires.to_string(), "2026-03-31");
    assert_eq!(entries[1].suppression.criteria[0].field(), Field::Address);
}

#[test]
fn what_cannot_hold_is_refused_where_it_stands() {
    refused("[[supress]]\n", (1, 3), "did you mean \"suppress\"?");
    refused("suppress = 1", (1, 12), "expected entries, each below a line `[[suppress]]`");
    refused("suppress = [1]", (1, 13), "expected entries");
    refused("[[suppress]]\nowner = \"a\"\nexpires = \"2026-03-31\"", (1, 1), "no `reason`");
    refused("[[suppress]]\nreason = \"a\"\nexpires = \"2026-03-31\"", (1, 1), "no `owner`");
    refused("[[suppress]]\nreason = \"a\"\nowner = \"a\"", (1, 1), "no `expires`");
    refused("[[suppress]]\nreason = \" \"", (2, 10), "reason: an empty text");
    refused("[[suppress]]\nreason = 1", (2, 10), "reason: expected a text in quotes");
    refused("[[suppress]]\nexpires = 2026-03-31", (2, 11), "expires: expected a day in quotes");
    let day = HEAD.replace("2026-03-31", "31.3.2026") + "api = \"a\"";
    refused(&day, (4, 11), "expires: no day \"31.3.2026\" (expected such as \"2026-03-31\")");
    refused_line("actr = \"x\"", 1, "no key \"actr\" in [suppress]; did you mean \"actor\"?");
    refused_line(
        "severity = [\"low\", \"hihg\"]",
        20,
        "severity: \"hihg\" is nothing that there is; did you mean",
    );
    refused_line(
        "address = \"10.0.0.300\"",
        11,
        "address: \"10.0.0.300\" is no address and no network",
    );
    refused_line("api = 7", 7, "api: expected a text in quotes, or a list of them");
    refused_line("api = []", 7, "api: an empty list");
    refused(&format!("{HEAD}account = \"*\""), (1, 1), "suppresses every finding");
    refused(HEAD, (1, 1), "suppresses every finding");
    let twice = format!("{HEAD}name = \"a\"\napi = \"b\"\n{HEAD}name = \"a\"\napi = \"c\"\n");
    refused(&twice, (11, 8), "two entries are called \"a\"");
    refused("[[suppress]]\nreason = [", (2, 11), "unclosed array");
}

#[test]
fn every_bound_of_the_file_is_reached() {
    for (key, most) in
        [("name", NAME_CHARS_MAX), ("reason", REASON_CHARS_MAX), ("owner", OWNER_CHARS_MAX)]
    {
        let long = format!("[[suppress]]\n{key} = \"{}\"", "x".repeat(most + 1));
        refused(&long, (2, key.len() + 4), &format!("{key}: expected at most {most} characters"));
    }
    let one = format!("{HEAD}api = \"a\"\n");
    assert_eq!(entries(&one.repeat(ENTRIES_MAX)).unwrap().len(), ENTRIES_MAX);
    let (_, what) = entries(&one.repeat(ENTRIES_MAX + 1)).unwrap_err();
    assert_eq!(what, "more than 1000 entries");
}

/// A configuration with a file of suppressions beside it.
fn config(folder: &Folder, text: &str) -> PathBuf {
    let config = folder.file("suppressions = \"quiet.toml\"");
    fs::write(config.with_file_name("quiet.toml"), text).unwrap();
    config
}

#[test]
fn the_file_lies_beside_the_configuration_and_changes_no_hash() {
    let folder = Folder::new("suppressions");
    let file = config(&folder, &format!("{HEAD}api = \"a\""));
    let with = Config::load(Some(&file)).unwrap();
    assert_eq!(with.suppressions().grounds().count(), 1);
    assert_eq!(with.hash(), Config::load(None).unwrap().hash());
    let wrong = config(&folder, "[[suppress]]\nowner = 1");
    let error = Config::load(Some(&wrong)).unwrap_err().to_string();
    assert!(error.contains("quiet.toml:2:9: owner: expected a text"), "{error}");
    fs::remove_file(wrong.with_file_name("quiet.toml")).unwrap();
    let error = Config::load(Some(&wrong)).unwrap_err().to_string();
    let expected = "quiet.toml (expected the file that `suppressions` names)";
    assert!(error.starts_with("cannot read ") && error.ends_with(expected), "{error}");
}

#[test]
fn what_has_expired_or_was_not_filled_in_is_told_with_its_place() {
    let text = format!("{HEAD}api = \"a\"\n");
    let of = |text: &str, today: &str| {
        let told =
            warnings(&entries(text).unwrap()[0], (parse_day(today).unwrap(), &["port-scan"]));
        told.into_iter().map(|(at, what)| (position(text, at), what)).collect::<Vec<_>>()
    };
    assert_eq!(of(&text, "2026-03-31"), []);
    let (at, what) = &of(&text, "2026-04-01")[0];
    assert_eq!(
        (*at, &**what),
        ((4, 11), "suppress 1 expired with 2026-03-31: what was found since is told")
    );
    let open = text.replace("a nightly job", REASON_OPEN).replace("platform", OWNER_OPEN);
    let told = of(&open, "2026-03-31");
    assert_eq!(told[0], ((2, 10), "suppress 1: reason still says \"WHY\"".to_owned()));
    assert_eq!(told[1], ((3, 9), "suppress 1: owner still says \"WHO\"".to_owned()));
    let of_nobody = text.replace("api = \"a\"", "detector = \"prot-*\"");
    assert_eq!(of(&of_nobody, "2026-03-31")[0].0, (5, 12));
}

fn finding(detector: &str, account: &str, key: &str) -> Finding {
    let mut about: About = (**Rules::built_in().catalogue().find("port-scan").unwrap()).clone();
    detector.clone_into(&mut about.id);
    let entity = Entity { account: account.into(), kind: Kind::Human, key: key.into() };
    let at_ms = 1_773_324_191_000;
    Finding::of_words(Arc::new(about), entity, (at_ms, at_ms), "did it".to_owned())
}

#[test]
fn the_longest_key_can_be_pasted() {
    let key = "*".repeat(2_048) + "... 00112233445566778899aabbccddeeff";
    let finding = finding("port-scan", "111122223333", &key);
    assert!(entries(&suppression_snippet(&finding, finding.day).join("\n")).is_ok());
}

proptest! {
    #[test]
    fn a_pasted_entry_suppresses_its_finding_and_no_other(
        id in "[a-z-]{1,9}|.{1,9}",
        account in "[0-9]{12}|.{0,20}",
        key in any::<String>(),
        other in any::<String>(),
    ) {
        let own = finding(&id, &account, &key);
        let text = suppression_snippet(&own, own.day).join("\n");
        let entries = entries(&text).map_err(|fault| TestCaseError::fail(format!("{fault:?} {text}")))?;
        let of = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.suppression).collect();
        let suppressions = Suppressions::new(of(entries), &of_the_watch());
        prop_assert!(suppressions.of(&own).is_some());
        prop_assert_eq!(suppressions.of(&finding(&id, &account, &other)).is_some(), key == other);
        prop_assert_eq!(suppressions.of(&finding(&other, &account, &key)).is_some(), id == other);
        let mut later = own;
        later.day.0 += 91;
        prop_assert!(suppressions.of(&later).is_none());
    }
}
