//! `sentrail findings` on what a replay of the small archive kept.

use crate::support::{Ended, archive, files, gzip, run, run_unread, text, used_outside};
use serde_json::Value;
use std::{fs, path::Path, process::Command, sync::OnceLock};
use tempfile::TempDir;

/// A file of the archive's findings, made once, and what the replay said.
fn kept() -> &'static (String, Ended) {
    static KEPT: OnceLock<(String, Ended)> = OnceLock::new();
    KEPT.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("findings.db");
        if file.exists() {
            fs::remove_file(&file).unwrap();
        }
        let ended = run(&["replay", "--out", &text(&file), archive()]);
        ended.ends(0).tells(&["kept ", " new, 0 as before or changed, 0 taken out"]);
        (text(&file), ended)
    })
}

/// A copy of the file that a test may change.
fn copy() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("findings.db");
    fs::copy(&kept().0, &file).unwrap();
    (folder, text(&file))
}

fn list(file: &str, more: &[&str]) -> Ended {
    run(&[&["findings", "list", "--in", file], more].concat())
}

fn rows(file: &str, more: &[&str]) -> Vec<Value> {
    list(file, more).ends(0).rows()
}

/// The id of the finding of a detector.
fn id(detector: &str) -> String {
    let rows = rows(&kept().0, &["--detector", detector]);
    rows.first().unwrap_or_else(|| panic!("no {detector}"))["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_kept_is_listed_as_it_was_told() {
    let (file, replayed) = kept();
    assert!(replayed.rows().len() > 10);
    assert_eq!(list(file, &[]).ends(0).out, replayed.out);
    let told = run(&["replay", "--quiet", "--format", "table", archive()]);
    assert_eq!(list(file, &["--format", "table"]).ends(0).out, told.out);
}

#[test]
fn the_same_replay_twice_leaves_the_same() {
    let (_folder, file) = copy();
    let again = run(&["replay", "--out", &file, archive()]);
    let n = kept().1.rows().len();
    again.ends(0).tells(&[&format!("kept      {n} findings in "), ": 0 new, "]);
    again.tells(&[&format!(" {n} as before or changed, 0 taken out")]);
    assert_eq!(list(&file, &[]).ends(0).out, kept().1.out);
}

#[test]
fn each_wish_leaves_out() {
    let file = &kept().0;
    let all = kept().1.rows();
    let check = |more: &[&str], wanted: &dyn Fn(&Value) -> bool| {
        let expected: Vec<_> = all.iter().filter(|row| wanted(row)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{more:?}");
        assert_eq!(rows(file, more), expected, "{more:?}");
    };
    check(&["--severity", "critical"], &|row| row["severity"]["label"] == "critical");
    check(&["--severity", "medium"], &|row| row["severity"]["label"] != "low");
    check(&["--detector", "port-scan"], &|row| row["detector"] == "port-scan");
    let (day, name) = (all[0]["day"].as_str().unwrap(), all[0]["entity"]["name"].as_str().unwrap());
    check(&["--day", day], &|row| row["day"] == day);
    check(&["--entity", &name.to_uppercase()], &|row| row["entity"]["name"] == name);
    let none = list(file, &["--entity", "nobody at all"]);
    none.ends(0).tells(&[&format!("none of the {} findings in ", all.len())]);
    assert_eq!(none.out, "");
    let wrong = list(file, &["--day", "2026-03-04T10:00:00Z"]);
    wrong.ends(2).tells(&["expected a day, for example 2025-03-14"]);
}

#[test]
fn one_is_shown_by_the_first_digits_of_its_id() {
    let (file, replayed) = kept();
    let id = id("s3-mass-reencryption");
    let prefix = id.get(..12).unwrap();
    let shown = run(&["findings", "show", prefix, "--in", file]);
    let line = replayed.out.lines().find(|line| line.contains(&id)).unwrap();
    assert_eq!(shown.ends(0).out.trim_end(), line);
    let table = run(&["findings", "show", &id, "--in", file, "--format", "table"]);
    let finding: Value = serde_json::from_str(line).unwrap();
    for event in finding["event_ids"].as_array().unwrap() {
        assert!(table.ends(0).out.contains(event.as_str().unwrap()), "{event}");
    }
    let mut slip = prefix.to_owned();
    slip.replace_range(5..6, if prefix.get(5..6) == Some("0") { "1" } else { "0" });
    let slip = run(&["findings", "explain", &slip, "--in", file]);
    slip.ends(2).tells(&["no finding ", "; did you mean ", &id, "s3-mass-reencryption"]);
    let none = run(&["findings", "show", "zz", "--in", file]);
    none.ends(2).tells(&["no finding \"zz\"", "expected 32 hexadecimal digits"]);
}

fn explained(id: &str) -> String {
    run(&["findings", "explain", id, "--in", &kept().0]).ends(0).out.clone()
}

/// What stands between a heading of an explanation and the next one.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap();
    rest
}

#[test]
fn the_parts_of_every_explanation_sum_to_its_score() {
    for finding in kept().1.rows() {
        let text = explained(finding["id"].as_str().unwrap());
        let sum = section(&text, "Where the bits come from").split("\n\n").next().unwrap();
        let bits =
            |line: &str| -> Option<f64> { line.split_once(" bits  ")?.0.trim().parse().ok() };
        let numbers: Vec<f64> = sum.lines().filter_map(bits).collect();
        let (total, parts) = numbers.split_last().unwrap();
        assert!((parts.iter().sum::<f64>() - total).abs() < 0.005, "{sum}");
        assert!((finding["bits"].as_f64().unwrap() - total).abs() < 0.005, "{sum}");
        assert_eq!(parts.len(), finding["parts"].as_array().unwrap().len());
        assert!(text.contains(finding["confidence"]["note"].as_str().unwrap()), "{text}");
    }
}

#[test]
fn what_an_explanation_proposes_works() {
    let id = id("s3-mass-reencryption");
    let text = explained(&id);
    let block = section(&text, "To hear less of it, one of these in the configuration");
    let (block, _) = block.split_once("\nTo be told nothing of the like").unwrap();
    let snippets: Vec<&str> = block.trim_end().split("\n\n").collect();
    assert_eq!(snippets.len(), 3, "{block}");
    let folder = tempfile::tempdir().unwrap();
    let config = text_of(&folder, "sentrail.toml");
    let labels = snippets.iter().map(|snippet| {
        fs::write(&config, snippet).unwrap();
        let found = run(&["replay", "--quiet", "--config", &config, archive()]).ends(0).rows();
        let same = found.iter().find(|finding| finding["id"] == id.as_str());
        same.map(|finding| finding["severity"]["label"].as_str().unwrap().to_owned())
    });
    assert_eq!(labels.collect::<Vec<_>>(), [None, Some("low".to_owned()), None]);
}

fn text_of(folder: &TempDir, name: &str) -> String {
    text(&folder.path().join(name))
}

#[test]
fn the_command_of_an_explanation_makes_the_finding_again() {
    // Every option that the findings depend on, in a folder whose name a shell would take apart.
    let folder = tempfile::tempdir().unwrap();
    let logs = text_of(&folder, "it's here; $HOME");
    std::os::unix::fs::symlink(archive(), &logs).unwrap();
    let config = text_of(&folder, "a config.toml");
    fs::write(&config, "[detectors]\nseverity = { s3-mass-reencryption = \"high\" }").unwrap();
    let file = text_of(&folder, "out.db");
    let id = id("s3-mass-reencryption");
    let account = rows(&kept().0, &["--detector", "s3-mass-reencryption"])[0]["account"].clone();
    let options = ["--from", "2026-03-01", "--until", "2027-01-01", "--config", &config];
    let account = ["--account", account.as_str().unwrap()];
    let out = ["--out", &file, "--quiet", &logs];
    run(&[&["replay"], &options[..], &account, &out].concat()).ends(0);
    let text = run(&["findings", "explain", &id, "--in", &file]).ends(0).out.clone();
    let command = section(&text, "To make it again").lines().next().unwrap().trim();
    let command = command.replacen("sentrail", env!("CARGO_BIN_EXE_sentrail"), 1);
    let again = Command::new("sh").args(["-c", &command]).output().unwrap();
    let shown = run(&["findings", "show", &id, "--in", &file]).ends(0).out.clone();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), shown);
    assert!(shown.contains("\"label\":\"high\""), "{shown}");
}

#[test]
fn a_mark_is_kept_and_shown() {
    let (_folder, file) = copy();
    let id = id("port-scan");
    let mark = |nature: &str, reason: &str| {
        run(&["findings", "mark", &id, nature, "--in", &file, "--reason", reason])
    };
    let n = rows(&file, &["--unmarked"]).len();
    mark("malicious", "looks bad").ends(0).tells(&["finding ", &id, " is malicious"]);
    let second = mark("benign", "scan by the security team, ticket 12");
    second.ends(0).tells(&[" is benign; before, it was malicious: looks bad"]);
    assert_eq!(second.out, "");
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    for arguments in [&["show", "--format", "table"][..], &["explain"]] {
        let text = run(&[&["findings"], arguments, &[&id, "--in", &file]].concat());
        let text = text.ends(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("marked benign on 20"), "{text}");
        assert!(text.contains(": scan by the security team, ticket 12"), "{text}");
    }
    assert_eq!(rows(&file, &["--unmarked"]).len(), n - 1);
    for reason in ["", "  ", &"x".repeat(1_001)] {
        mark("benign", reason).ends(2).tells(&["expected 1 to 1000 characters"]);
    }
}

/// Eight days on which the credentials of a machine are used from outside AWS, as one file.
fn outside(folder: &TempDir) -> String {
    let records = (2..10).map(used_outside);
    let file = text_of(folder, "outside.json");
    let object = serde_json::json!({"Records": records.collect::<Vec<_>>()});
    fs::write(&file, object.to_string()).unwrap();
    file
}

#[test]
fn marks_teach_from_the_day_on_which_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, file) = (outside(&folder), text_of(&folder, "out.db"));
    let days = |ended: &Ended| -> Vec<String> {
        let rows = ended.ends(0).rows().into_iter();
        let rows = rows.filter(|row| row["detector"] == "compute-credentials-outside-aws");
        rows.map(|row| row["day"].as_str().unwrap().replace("2026-03-", "")).collect()
    };
    let first = run(&["replay", "--out", &file, &logs]);
    assert_eq!(days(&first), ["02", "03", "04", "05", "06"]);
    let id = rows(&file, &["--detector", "compute-credentials-outside-aws", "--day", "2026-03-02"]);
    let id = id[0]["id"].as_str().unwrap();
    let mark = |nature: &str, on: &[&str]| {
        let mark = ["findings", "mark", id, nature, "--in", &file, "--reason", "ticket 12"];
        run(&[&mark, on].concat()).ends(0).clone()
    };
    let replay = || run(&["replay", "--quiet", "--marks", &file, &logs]);
    let early = ["--in", &file, "--reason", "ticket 12", "--on", "2026-03-01"];
    let early = run(&[&["findings", "mark", id, "benign"], &early[..]].concat());
    early.ends(2).tells(&["is of 2026-03-02", "expected --on 2026-03-02 or later"]);
    // Said today, long after these logs.
    mark("benign", &[]);
    assert_eq!(days(&replay()), ["02", "03", "04", "05", "06"]);
    mark("benign", &["--on", "2026-03-03"]);
    assert_eq!(days(&replay()), ["02", "03", "04"]);
    mark("malicious", &["--on", "2026-03-03"]).tells(&["before, it was benign: ticket 12"]);
    assert_eq!(days(&replay()), ["02", "03", "04", "05", "06", "07", "08", "09"]);
    // The same file may be read and written: the explanation says how to do it again.
    let both = ["replay", "--quiet", "--marks", &file, "--out", &file, &logs];
    assert_eq!(days(&run(&both)).len(), 8);
    let text = run(&["findings", "explain", id, "--in", &file]).ends(0).out.clone();
    assert!(section(&text, "To make it again").contains(" --marks "), "{text}");
    // What is marked may be gone.
    let other = ["replay", "--quiet", "--config", "", "--out", &file, &logs];
    let config = text_of(&folder, "sentrail.toml");
    fs::write(&config, "[detectors]\ndisable = [\"compute-credentials-outside-aws\"]").unwrap();
    let other = other.map(|word| if word.is_empty() { &*config } else { word });
    run(&other).ends(0);
    let told = replay();
    told.tells(&[
        "1 mark in ",
        "without their findings, which it does not hold: they teach nothing",
    ]);
    assert_eq!(days(&told), ["02", "03", "04", "05", "06"]);
    run(&["replay", "--marks", &logs, &logs]).ends(2).tells(&["is something else"]);
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text_of(&folder, name);
    fs::write(at("logs.json"), "{\"Records\":[]}").unwrap();
    fs::create_dir(at("folder")).unwrap();
    let all: [(&str, &[&str]); 3] = [
        ("missing.db", &["cannot open ", "missing.db: No such file"]),
        (
            "folder",
            &["folder is not a file (expected a file of findings, as `sentrail replay --out`"],
        ),
        ("logs.json", &["logs.json is something else (expected a file of findings"]),
    ];
    for (name, words) in all {
        list(&at(name), &[]).ends(2).tells(words);
        run(&["findings", "explain", "7c", "--in", &at(name)]).ends(2).tells(words);
        let mark = ["findings", "mark", "7c", "benign", "--reason", "x", "--in", &at(name)];
        run(&mark).ends(2).tells(words);
        if name != "missing.db" {
            run(&["replay", "--out", &at(name), archive()]).ends(2).tells(words);
        }
    }
    let below = at("logs.json/x.db");
    run(&["replay", "--out", &below, archive()]).ends(2).tells(&["cannot open ", "logs.json/x.db"]);
    assert_eq!(fs::read_to_string(at("logs.json")).unwrap(), "{\"Records\":[]}");
    let whole = fs::read(&kept().0).unwrap();
    fs::write(at("cut.db"), &whole[..whole.len() / 2]).unwrap();
    list(&at("cut.db"), &[]).ends(1).tells(&["cut.db is damaged: "]);
    run(&["replay", "--out", &at("cut.db"), archive()]).ends(1).tells(&["cut.db is damaged: "]);
}

#[test]
fn a_damaged_finding_is_told_and_the_others_are_listed() {
    let (_folder, file) = copy();
    let mut bytes = fs::read(&file).unwrap();
    let words = b"to bucket";
    let found = bytes.windows(words.len()).position(|window| window == words).unwrap();
    bytes[found] ^= 1;
    fs::write(&file, bytes).unwrap();
    let ended = list(&file, &[]);
    ended.ends(4).tells(&["is damaged: finding ", " is not what was written; `replay --out`"]);
    let n = kept().1.rows().len();
    assert!(ended.rows().len() < n && ended.rows().len() > n / 2, "{}", ended.rows().len());
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    assert_eq!(list(&file, &[]).ends(0).out, kept().1.out);
}

#[test]
fn what_is_not_found_again_goes_unless_something_was_not_read() {
    let (folder, file) = copy();
    let config = text_of(&folder, "sentrail.toml");
    fs::write(&config, "[detectors]\ndisable = [\"port-scan\"]").unwrap();
    let n_scans = rows(&file, &["--detector", "port-scan"]).len();
    let replay = |more: &[&str]| {
        run(&[&["replay", "--config", &config, "--out", &file, archive()], more].concat())
    };
    let damaged = text_of(&folder, "damaged.json.gz");
    let whole = gzip(b"{\"Records\":[]}");
    fs::write(&damaged, &whole[..whole.len() - 4]).unwrap();
    replay(&[&damaged]).ends(4).tells(&["kept ", " 0 taken out"]);
    assert_eq!(rows(&file, &["--detector", "port-scan"]).len(), n_scans);
    // Of another account, or of days that were not read, nothing goes.
    replay(&["--account", "999988887777"]).ends(0).tells(&["kept ", " 0 taken out"]);
    replay(&["--until", "2026-03-03"]).ends(0).tells(&["kept ", " 0 taken out"]);
    assert_eq!(rows(&file, &["--detector", "port-scan"]).len(), n_scans);
    replay(&[]).ends(0).tells(&["kept ", &format!(" {n_scans} taken out")]);
    assert_eq!(rows(&file, &["--detector", "port-scan"]).len(), 0);
}

#[test]
fn findings_are_kept_even_if_nobody_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = text_of(&folder, "out.db");
    let (code, err) = run_unread(&["replay", "--quiet", "--out", &file, archive()]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(list(&file, &[]).ends(0).out, kept().1.out);
    let names: Vec<_> = files(folder.path()).iter().map(|path| text(path)).collect();
    assert_eq!(names, [file], "one file is the whole");
}
