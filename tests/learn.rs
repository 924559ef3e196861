//! `sentrail learn`, and replays that begin with what was learned.

use crate::support::{Ended, archive, files, logs, run, text};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tempfile::TempDir;

/// The days of the small archive, by the names of its objects: `2025-03-14`.
fn days() -> Vec<String> {
    let stamp = |path: PathBuf| text(&path).rsplit('_').nth(1).unwrap().to_owned();
    let stamps = files(&logs("CloudTrail")).into_iter().map(stamp);
    let part = |stamp: &str, from, to| stamp.get(from..to).unwrap().to_owned();
    let day = |s: String| [part(&s, 0, 4), part(&s, 4, 6), part(&s, 6, 8)].join("-");
    let days: BTreeSet<_> = stamps.map(day).collect();
    days.into_iter().collect()
}

/// The fourth day: the first that is not learned.
fn day() -> String {
    days()[3].clone()
}

/// A file with what the first three days teach, made once.
fn learned() -> &'static str {
    static LEARNED: OnceLock<String> = OnceLock::new();
    LEARNED.get_or_init(|| {
        let file = text(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("learned.db"));
        drop(fs::remove_file(&file));
        let ended = run(&["learn", "--until", &day(), "--out", &file, archive()]);
        let last = &days()[2];
        ended.ends(0).tells(&["learned ", " profiles by the end of ", last]);
        assert_eq!(ended.out, "");
        file
    })
}

/// A copy of it that a test may change.
fn copy() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("learned.db");
    fs::copy(learned(), &file).unwrap();
    (folder, text(&file))
}

/// The lines of findings of `day` and later: the last record of a finding is of its day.
fn from<'e>(ended: &'e Ended, day: &str) -> Vec<&'e str> {
    let rows = ended.ends(0).rows();
    let lines = ended.out.lines().zip(&rows);
    lines
        .filter(|(_, row)| row["last_seen"].as_str().unwrap() >= day)
        .map(|(line, _)| line)
        .collect()
}

fn replayed() -> &'static Ended {
    static REPLAYED: OnceLock<Ended> = OnceLock::new();
    REPLAYED.get_or_init(|| run(&["replay", archive()]))
}

#[test]
fn a_replay_goes_on_where_learning_ended() {
    let expected = from(replayed(), &day());
    assert!(expected.len() > 5 && expected.len() < replayed().rows().len(), "{}", expected.len());
    let ended = run(&["replay", "--baseline", learned(), archive()]);
    ended.ends(0).tells(&["records of days that were learned already"]);
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn another_configuration_is_compared_with_what_was_learned() {
    let folder = tempfile::tempdir().unwrap();
    let other = text(&folder.path().join("other.toml"));
    let loud = &from(replayed(), &day())[0];
    let loud: serde_json::Value = serde_json::from_str(loud).unwrap();
    fs::write(&other, format!("[detectors]\ndisable = [{}]", loud["detector"])).unwrap();
    let told = |more: &[&str]| -> BTreeSet<String> {
        let compared = run(&[&["replay", "--compare", &other], more, &[archive()]].concat());
        let rows = compared.ends(0).rows();
        assert!(rows.iter().all(|row| row["change"] == "vanishes"), "{rows:#?}");
        rows.iter().map(|row| row["id"].to_string()).collect()
    };
    let late: BTreeSet<_> = from(replayed(), &day())
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row["detector"] == loud["detector"])
        .map(|row| row["id"].to_string())
        .collect();
    assert_eq!(told(&["--baseline", learned()]), late);
    assert_eq!(told(&["--from", &day(), "--warm-up", "30d"]), late);
    let days = days();
    let gap = ["replay", "--from", &days[days.len() - 2], "--baseline", learned()];
    let gap = run(&[&gap[..], &["--compare", &other, archive()]].concat());
    assert_eq!(gap.ends(0).err.matches("nothing was read of").count(), 1);
}

#[test]
fn objects_of_learned_days_may_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let start = day().replace('-', "");
    let root = Path::new(archive());
    for path in files(&root.join("AWSLogs")) {
        let stamp = text(&path).rsplit('_').nth(1).unwrap_or_default().to_owned();
        if stamp >= start {
            let to = folder.path().join(path.strip_prefix(root).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, to).unwrap();
        }
    }
    let ended = run(&["replay", "--baseline", learned(), &text(folder.path())]);
    assert_eq!(ended.ends(0).out.lines().collect::<Vec<_>>(), from(replayed(), &day()));
    assert!(!ended.err.contains("nothing was read of"), "{}", ended.err);
    let days = days();
    let later = ["replay", "--from", &days[days.len() - 2], "--baseline", learned(), archive()];
    let missing = format!("nothing was read of {} to {}", days[3], days[days.len() - 3]);
    run(&later).ends(0).tells(&["has learned up to ", &days[2], &missing]);
}

#[test]
fn days_that_may_be_incomplete_are_not_learned() {
    let (_folder, file) = copy();
    let ended = run(&["learn", "--out", &file, archive()]);
    // The last day, and the one whose lateness has not passed by its end, are left.
    let days = days();
    let last = &days[days.len() - 3];
    ended.ends(0).tells(&[" profiles by the end of ", last]);
    let ended = run(&["replay", "--baseline", &file, archive()]);
    let next = &days[days.len() - 2];
    assert_eq!(ended.ends(0).out.lines().collect::<Vec<_>>(), from(replayed(), next));
    let of_one_day = ["--from", &days[0], "--until", &days[1]];
    let ended = run(&[&["learn", "--out", &file], &of_one_day[..], &[archive()]].concat());
    ended.ends(0).tells(&[" by the end of ", &days[0]]);
}

#[test]
fn nothing_to_learn_is_told() {
    let (folder, file) = copy();
    let ended = run(&["learn", "--out", &file, &text(&folder.path().join("nothing"))]);
    ended.ends(2).tells(&["no such file or folder"]);
    let empty = folder.path().join("logs");
    fs::create_dir(&empty).unwrap();
    run(&["learn", "--out", &file, &text(&empty)]).ends(1).tells(&["nothing was learned"]);
    // Days before the first record are none that were learned.
    let last = days().pop().unwrap();
    let late = run(&["learn", "--from", &last, "--out", &file, archive()]);
    late.ends(1).tells(&["nothing was learned"]);
    // What was there is there: nothing was written.
    run(&["replay", "--quiet", "--baseline", &file, &text(&empty)]).ends(0);
}

#[test]
fn one_file_holds_findings_and_what_was_learned() {
    let (_folder, file) = copy();
    let both = ["--baseline", &file, "--out", &file];
    let ended = run(&[&["replay"], &both[..], &[archive()]].concat());
    ended.ends(0).tells(&["kept ", " 0 as before or changed, 0 taken out"]);
    let kept = run(&["findings", "list", "--format", "jsonl", "--in", &file]);
    assert_eq!(kept.ends(0).rows().len(), from(replayed(), &day()).len());
    let again = run(&[&["replay"], &both[..], &[archive()]].concat());
    again.ends(0).tells(&["kept ", " 0 new", "0 taken out"]);
    // Findings of learned days are not looked for, so they stay.
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    let ended = run(&[&["replay"], &both[..], &[archive()]].concat());
    ended.ends(0).tells(&["kept ", " 0 new", "0 taken out"]);
    let kept = run(&["findings", "list", "--format", "jsonl", "--in", &file]);
    assert_eq!(kept.ends(0).rows().len(), replayed().rows().len());
}

#[test]
fn what_was_learned_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = |text: &str| {
        let file = folder.path().join("sentrail.toml");
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let replay =
        |more: &[&str]| run(&[&["replay", "--baseline", learned()], more, &[archive()]].concat());
    let key = config("hash-key = \"00112233445566778899aabbccddeeff\"");
    replay(&["--config", &key]).ends(2).tells(&["learned.db was learned with another hash-key"]);
    let lateness = config("lateness = \"48h\"");
    let expected = "was learned with lateness = \"24h\" (expected \"48h\")";
    replay(&["--config", &lateness]).ends(2).tells(&[expected]);

    let (_folder, file) = copy();
    let until = day();
    let one = ["--until", &until, "--region", "us-east-1"];
    run(&[&["learn", "--quiet", "--out", &file], &one[..], &[archive()]].concat()).ends(0);
    let refused = run(&["replay", "--baseline", &file, archive()]);
    refused.ends(2).tells(&["was learned with --region us-east-1"]);
    run(&["replay", "--quiet", "--baseline", &file, "--region", "us-east-1", archive()]).ends(0);

    let findings = text(&folder.path().join("findings.db"));
    run(&["replay", "--quiet", "--out", &findings, archive()]).ends(0);
    let refused = run(&["replay", "--baseline", &findings, archive()]);
    refused.ends(2).tells(&["findings.db holds nothing that was learned"]);
    let missing = text(&folder.path().join("missing.db"));
    run(&["replay", "--baseline", &missing, archive()])
        .ends(2)
        .tells(&["cannot open", "missing.db"]);
}

#[test]
fn damage_is_told() {
    let bytes = fs::read(learned()).unwrap();
    let (_folder, file) = copy();
    // Of what a flipped bit hits some is not used: then nothing is different.
    let whole = run(&["replay", "--quiet", "--baseline", learned(), archive()]);
    let mut n_refused = 0;
    for at in (1..5).map(|n| bytes.len() * n / 5 + 4_000) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        fs::write(&file, &damaged).unwrap();
        let ended = run(&["replay", "--quiet", "--baseline", &file, archive()]);
        if ended != whole {
            ended.ends(1).tells(&["learned.db"]);
            assert_eq!(ended.out, "", "{at}");
            n_refused += 1;
        }
    }
    assert!(n_refused > 0);
    fs::write(&file, &bytes[..bytes.len() - 4_096]).unwrap();
    run(&["replay", "--baseline", &file, archive()]).ends(1).tells(&["learned.db is damaged"]);
}

#[test]
fn a_warm_up_is_a_replay_of_which_the_beginning_is_not_told() {
    let (days, folder) = (days(), tempfile::tempdir().unwrap());
    let file = text(&folder.path().join("findings.db"));
    let whole = run(&["replay", "--from", &days[1], archive()]);
    let replay = ["replay", "--from", &days[3], "--warm-up", "2d", "--out", &file, archive()];
    let warm = run(&replay);
    assert_eq!(warm.ends(0).out.lines().collect::<Vec<_>>(), from(&whole, &days[3]));
    let cold = run(&["replay", "--from", &days[3], archive()]);
    assert_ne!(cold.out, warm.out);
    // Of the days before nothing is taken out of a file.
    run(&["replay", "--quiet", "--out", &file, archive()]).ends(0);
    run(&replay).ends(0);
    let kept = run(&["findings", "list", "--format", "jsonl", "--in", &file]);
    let n_before = |ended: &Ended| ended.rows().len() - from(ended, &days[3]).len();
    assert!(n_before(&kept) > 0);
    assert_eq!(n_before(&kept), n_before(replayed()));
    let told = run(&["replay", "--warm-up", "2d", archive()]);
    told.ends(2).tells(&["--from"]);
    for wrong in ["2", "0d", "4000d", "2h", "-1d"] {
        let warm_up = format!("--warm-up={wrong}");
        let told = run(&["replay", "--from", &days[3], &warm_up, archive()]);
        told.ends(2).tells(&["expected 1d to 3660d"]);
    }
}

#[test]
fn a_warm_up_tells_from_the_hour_on() {
    let days = days();
    let noon = |day: usize| format!("{}T12:00:00Z", days[day]);
    let whole = run(&["replay", "--from", &noon(1), archive()]);
    let warm = run(&["replay", "--from", &noon(3), "--warm-up", "2d", archive()]);
    assert_eq!(from(&warm, &days[4]), from(&whole, &days[4]));
    assert_eq!(from(&warm, &noon(3)).len(), warm.rows().len());
}

#[test]
fn days_before_what_was_read_do_not_count_as_learned() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("late.db"));
    let second = &days()[1];
    let learned = run(&["learn", "--from", second, "--until", &day(), "--out", &file, archive()]);
    learned.ends(0);
    let replay = |more: &[&str]| {
        let baseline = ["replay", "--quiet", "--baseline", &file, archive()];
        run(&[&baseline, more].concat())
    };
    let told = format!("was learned with --from {second}T00:00:00Z");
    replay(&[]).ends(2).tells(&[&told]);
    replay(&["--from", &days()[0]]).ends(2).tells(&[&told]);
    replay(&["--from", second]).ends(0);
}
