use super::*;
use crate::{Account, Accounts, sample};
use detect::{Bound, Nature, Threshold};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

fn run(config_hash: &str) -> Run {
    let inputs = Inputs { config_hash: config_hash.to_owned(), ..sample::inputs() };
    Run { inputs, command: ["replay", "it's here"].map(str::to_owned).to_vec() }
}

fn all() -> Vec<Finding> {
    let mut all = vec![sample::finding("s3-mass-reencryption"), sample::flow(), sample::hostile()];
    for (n, finding) in (0..).zip(&mut all) {
        finding.id = FindingId(0x7c24_ff70 << 96 | n << 80);
        // Nothing is less than 40 characters of log text that SQLite could cut at.
        finding.summary.push_str("\0 and more");
    }
    all[1].count = u64::MAX;
    all
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings.db");
    (folder, path)
}

fn keep(path: &Path, run: &Run, findings: &[Finding], scope: Option<Scope<'_>>) -> Tally {
    let mut keeper = Keeper::begin(path, run, &detect::Settings::default()).unwrap();
    for finding in findings {
        keeper.finding(finding, None).unwrap();
    }
    keeper.finish(scope).unwrap().0
}

fn read(path: &Path) -> Result<Vec<Kept>, KeptError> {
    let kept = KeptFindings::read(path)?;
    let ids = kept.list(&Wanted::default())?;
    ids.into_iter().map(|id| Ok(kept.get(id)?.unwrap())).collect()
}

/// Everything in the file as text, a line for each row.
fn dump(path: &Path) -> String {
    let store = Store::read(path, &SCHEMA).unwrap();
    let tables = ["runs", "detectors", "findings", "parts", "records", "marks"];
    let of = |table: &str| {
        let rows = store.query(&format!("SELECT * FROM {table} ORDER BY 1, 2"), &[]).unwrap();
        let lines = rows.iter().map(|row| format!("{table} {:?}", row.values()));
        lines.collect::<Vec<_>>()
    };
    tables.map(of).concat().join("\n")
}

fn counts(tally: Tally) -> [u64; 3] {
    [tally.n_new, tally.n_again, tally.n_gone]
}

#[test]
fn what_is_kept_is_what_was_found() {
    let (_folder, path) = file();
    assert_eq!(counts(keep(&path, &run("a"), &all(), None)), [3, 0, 0]);
    let kept = read(&path).unwrap();
    let mut expected = all();
    expected[1].count = i64::MAX.unsigned_abs();
    for finding in &expected {
        let found = kept.iter().find(|kept| kept.finding.id == finding.id).unwrap();
        assert_eq!(found.finding, *finding);
        assert_eq!(found.run, run("a"));
        assert_eq!(found.mark, None);
    }
    let of = |id: &str| kept.iter().find(|kept| kept.finding.about.id == id).unwrap();
    assert_eq!(of("s3-mass-reencryption").settings["objects-min"], 20);
    assert_eq!(of("port-scan").settings.len(), 3);
}

#[test]
fn the_same_twice_is_the_same() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let once = dump(&path);
    assert_eq!(counts(keep(&path, &run("a"), &all(), None)), [0, 3, 0]);
    assert_eq!(dump(&path), once);
    // One that is told twice in one run counts once.
    let twice = [all(), all()].concat();
    assert_eq!(counts(keep(&path, &run("a"), &twice, None)), [0, 3, 0]);
    assert_eq!(dump(&path), once);
}

#[test]
fn what_is_not_found_again_goes_with_what_was_read() {
    let account: Numbers = ["111122223333".into()].into();
    let other: Numbers = ["999988887777".into()].into();
    let day = all()[0].day;
    let [before, after] = [Day(day.0 - 1), Day(day.0 + 1)];
    for (days, accounts, n_gone) in [
        ((before, after), &account, 2),
        ((day, day), &account, 2),
        ((after, after), &account, 0),
        ((before, before), &account, 0),
        ((before, after), &other, 0),
    ] {
        let (_folder, path) = file();
        keep(&path, &run("a"), &all(), None);
        let scope = Scope { days, accounts };
        let tally = keep(&path, &run("b"), &all()[..1], Some(scope));
        assert_eq!(counts(tally), [0, 1, n_gone]);
        let kept = read(&path).unwrap();
        assert_eq!(kept.len() as u64, 3 - n_gone);
        let found = kept.iter().find(|kept| kept.finding.id == all()[0].id).unwrap();
        assert_eq!(found.run, run("b"));
        let n_runs = dump(&path).lines().filter(|line| line.starts_with("runs")).count();
        assert_eq!(n_runs, if n_gone == 2 { 1 } else { 2 });
    }
}

#[test]
fn what_is_not_finished_leaves_the_file() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all()[..1], None);
    let before = dump(&path);
    let mut keeper = Keeper::begin(&path, &run("b"), &detect::Settings::default()).unwrap();
    for finding in &all() {
        keeper.finding(finding, None).unwrap();
    }
    drop(keeper);
    assert_eq!(dump(&path), before);
}

#[test]
fn each_wish_leaves_out() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let kept = KeptFindings::read(&path).unwrap();
    let n = |wanted: Wanted| kept.list(&wanted).unwrap().len();
    let day = |day| Wanted { day: Some(day), ..Wanted::default() };
    assert_eq!((n(day(all()[0].day)), n(day(Day(0)))), (3, 0));
    let severity = |severity| Wanted { severity: Some(severity), ..Wanted::default() };
    assert_eq!((n(severity(Severity::Low)), n(severity(Severity::Medium))), (3, 3));
    assert_eq!((n(severity(Severity::High)), n(severity(Severity::Critical))), (2, 2));
    let detector = |id: &str| Wanted { detector: Some(id.to_owned()), ..Wanted::default() };
    assert_eq!((n(detector("port-scan")), n(detector("port"))), (1, 0));
    let entity = |text: &str| Wanted { entity: Some(text.to_owned()), ..Wanted::default() };
    assert_eq!((n(entity("Hedda@")), n(entity("AWSReserved")), n(entity("%"))), (1, 1, 0));
}

#[test]
fn an_id_may_be_cut_while_it_is_clear() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let kept = KeptFindings::read(&path).unwrap();
    let whole = all()[1].id.to_string();
    assert_eq!(kept.find(&whole).unwrap(), all()[1].id);
    assert_eq!(kept.find("7C24ff700001").unwrap(), all()[1].id);
    assert_eq!(kept.n_findings().unwrap(), 3);
    let says = |word: &str| kept.find(word).unwrap_err().to_string();
    let several = says("7c24");
    assert!(several.starts_with("several findings begin with \"7c24\": 7c24ff7000000000"));
    assert!(several.contains("(port-scan, 2026-03-12, eni-0a1b2c3d)"), "{several}");
    let slip = says("7c24ff7100010");
    assert!(slip.contains("; did you mean 7c24ff7000010000"), "{slip}");
    for word in ["", "x", "%", "'", &"9".repeat(1_000)] {
        let none = says(word);
        assert!(none.contains("shows the ids of all 3"), "{none}");
        assert!(none.len() < 400, "{none}");
    }
}

#[test]
fn a_mark_is_the_last_word_and_stays() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let id = all()[0].id;
    let said = |nature, day| {
        let mark = Mark { nature, day: Day(day) };
        KeptMark { mark, reason: "ticket 12: \u{1b}[31m it's fine".to_owned() }
    };
    let changed = KeptFindings::change(&path).unwrap();
    let first = said(Nature::Malicious, 20_000);
    assert_eq!(changed.mark(id, &first).unwrap(), None);
    assert_eq!(changed.mark(id, &said(Nature::Benign, 20_001)).unwrap(), Some(first));
    drop(changed);
    keep(&path, &run("b"), &all(), None);
    let kept = KeptFindings::read(&path).unwrap();
    let last = said(Nature::Benign, 20_001);
    assert_eq!(kept.get(id).unwrap().unwrap().mark, Some(last.clone()));
    assert_eq!(kept.marks().unwrap(), detect::Marks::from([(id, last.mark)]));
    let wanted = Wanted { is_unmarked: true, ..Wanted::default() };
    assert_eq!(kept.list(&wanted).unwrap().len(), 2);
    assert!(kept.mark(id, &last).is_err(), "it is open for reading");
    drop(kept);
    // What is marked may go; what was said stays.
    let accounts: Numbers = ["111122223333".into()].into();
    keep(&path, &run("b"), &[], Some(Scope { days: (Day(0), Day(30_000)), accounts: &accounts }));
    let kept = KeptFindings::read(&path).unwrap();
    assert_eq!((kept.n_findings().unwrap(), kept.marks().unwrap().len()), (0, 1));
    let none = kept.find(&id.to_string()).unwrap_err().to_string();
    assert!(none.ends_with("; it holds no findings"), "{none}");
}

#[test]
fn of_many_that_begin_alike_a_few_are_named() {
    for (n_all, is_cut) in [(5, false), (6, true)] {
        let (_folder, path) = file();
        let id = |n: u128| FindingId(0xabcd << 112 | n);
        let many = (0..n_all).map(|n| Finding { id: id(n), ..all()[1].clone() });
        keep(&path, &run("a"), &many.collect::<Vec<_>>(), None);
        let several = KeptFindings::read(&path).unwrap().find("abcd").unwrap_err().to_string();
        assert_eq!(several.matches("(port-scan, ").count(), CANDIDATES_MAX);
        assert_eq!(several.contains(" and others;"), is_cut, "{several}");
    }
}

#[test]
fn no_flipped_bit_tells_what_is_not_so() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let mark = Mark { nature: Nature::Benign, day: Day(20_000) };
    let reason = "as agreed with everybody".to_owned();
    KeptFindings::change(&path).unwrap().mark(all()[0].id, &KeptMark { mark, reason }).unwrap();
    let (whole, expected) = (fs::read(&path).unwrap(), read(&path).unwrap());
    let (mut n_told, mut n_harmless) = (0, 0);
    // Every byte would take minutes; 211 has no factor in common with the size of a page.
    for at in (0..whole.len()).step_by(211) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        match read(&path) {
            Err(_) => n_told += 1,
            Ok(kept) if kept == expected => n_harmless += 1,
            Ok(kept) => panic!("byte {at}: {kept:?}"),
        }
    }
    assert!(n_told > 50 && n_harmless > 0, "{n_told} {n_harmless}");
}

#[test]
fn what_was_changed_by_hand_is_told() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &all(), None);
    let store = Store::change(&path, &SCHEMA).unwrap();
    for (change, word) in [
        ("UPDATE parts SET bits = 1.0 WHERE n = 0", "is not what was written"),
        ("DELETE FROM records WHERE n = 3", "is not what was written"),
        ("UPDATE findings SET severity = 'huge'", "holds an unknown severity: \"huge\""),
        ("UPDATE findings SET day = '2026-02-30'", "holds an unknown day"),
        ("UPDATE detectors SET techniques = '{'", "holds no JSON that fits"),
        ("UPDATE findings SET count = -1", "holds -1 where a count should be"),
    ] {
        store.begin().unwrap();
        store.execute(change, &[]).unwrap();
        store.commit().unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("findings.db is damaged: finding 7c24ff70"), "{error}");
        assert!(error.contains(word), "{error}");
        assert!(error.ends_with("; `replay --out` of its day mends it"), "{error}");
        keep(&path, &run("a"), &all(), None);
        read(&path).unwrap();
    }
}

/// Takes the last four steps of the schema back, as far as they are not of tables that are dropped as a whole.
fn forget_recall(store: &Store) {
    for sql in [
        "ALTER TABLE state DROP COLUMN row_digest",
        "ALTER TABLE state DROP COLUMN n_rows",
        "ALTER TABLE marks DROP COLUMN heard_on",
        "DROP TABLE snapshots",
        "DROP TABLE facts",
        "DROP INDEX outbox_told_by_day",
        "ALTER TABLE outbox_told DROP COLUMN day",
        "DROP INDEX outbox_filed_by_day",
        "ALTER TABLE outbox_filed DROP COLUMN day",
        "ALTER TABLE outbox DROP COLUMN n_findings",
    ] {
        store.execute(sql, &[]).unwrap();
    }
}

/// Takes the schema back to its third step.
fn make_older(path: &Path) {
    let store = Store::change(path, &SCHEMA).unwrap();
    for sql in [
        "ALTER TABLE findings DROP COLUMN account_said",
        "ALTER TABLE findings DROP COLUMN suppressed",
        "ALTER TABLE findings DROP COLUMN bound",
        "ALTER TABLE findings DROP COLUMN threshold",
        "ALTER TABLE marks DROP COLUMN heard_on",
        "DROP TABLE heights",
        "DROP TABLE snapshots",
        "DROP TABLE facts",
        "DROP TABLE state",
        "DROP TABLE state_parts",
        "DROP TABLE state_objects",
        "DROP TABLE outbox",
        "DROP TABLE outbox_told",
        "DROP TABLE outbox_sinks",
        "DROP TABLE outbox_series",
        "DROP TABLE outbox_filed",
        "PRAGMA user_version = 3",
    ] {
        store.execute(sql, &[]).unwrap();
    }
}

#[test]
fn a_file_from_before_the_budget_is_read() {
    let (_folder, path) = file();
    let mut findings = all();
    findings[0].threshold = Some(Threshold { bits: 43.2, bound: Bound::Budget });
    keep(&path, &run("a"), &findings, None);
    assert!(read(&path).unwrap().iter().any(|kept| kept.finding == findings[0]));
    keep(&path, &run("a"), &all(), None);
    let expected = read(&path).unwrap();
    make_older(&path);
    assert_eq!(read(&path).unwrap(), expected);

    let learning = Learning::new(&detect::Options::default(), (&[], &[]), (None, Day(20_000)));
    let blob = detect::Blob { part: detect::Part::Prior, key: 7, bytes: vec![1, 2, 3] };
    let mut writer = LearnedWriter::begin(&path).unwrap();
    writer.blob(blob.clone()).unwrap();
    writer.finish(&learning).unwrap();
    make_older(&path);
    let mut blobs = Vec::new();
    let learned = LearnedFile::read(&path, &learning).unwrap();
    let mut keep = |blob: &detect::Blob| {
        blobs.push(blob.clone());
        Ok(())
    };
    learned.each(&mut keep).unwrap();
    assert_eq!(blobs, [blob]);
}

fn state(path: &Path) -> StateFile {
    open(path).unwrap()
}

#[test]
fn of_a_state_from_before_versions_were_kept_only_sizes_count() {
    let (_folder, path) = file();
    let etag = Some("abc".to_owned());
    let version = Version { size_bytes: 9, etag, content: Some(7), read_ms: Some(5) };
    let mut file = state(&path);
    file.epoch(|file| file.object("a", &version, Day(20_000))).unwrap();
    assert_eq!(file.version("a").unwrap(), Some(version.clone()));
    assert_eq!(file.version("b").unwrap(), None);
    assert!(version.is_of(Some(9), Some("abc")) && version.is_of(None, None));
    assert!(!version.is_of(Some(8), Some("abc")) && !version.is_of(Some(9), Some("abd")));
    assert!(version.holds(8, 7) && !version.holds(9, 8));
    // Another version lies there; what was read stays what it was.
    let now = Version { size_bytes: 8, etag: None, content: Some(8), read_ms: Some(6) };
    file.epoch(|file| file.object_is_now("a", &now)).unwrap();
    let kept = file.version("a").unwrap().unwrap();
    assert_eq!(kept, Version { size_bytes: 8, etag: None, ..version });
    file.close();
    let store = Store::change(&path, &SCHEMA).unwrap();
    forget_recall(&store);
    for column in [
        "state_objects DROP COLUMN etag",
        "state_objects DROP COLUMN content",
        "state_objects DROP COLUMN read_ms",
        "state DROP COLUMN n_values",
        "state DROP COLUMN digest",
        "findings DROP COLUMN account_said",
        "findings DROP COLUMN suppressed",
        "outbox_told DROP COLUMN created_ms",
    ] {
        store.execute(&format!("ALTER TABLE {column}"), &[]).unwrap();
    }
    store.execute("DROP TABLE outbox_series", &[]).unwrap();
    store.execute("DROP TABLE outbox_filed", &[]).unwrap();
    store.execute("PRAGMA user_version = 6", &[]).unwrap();
    drop(store);
    let older = KnownObjects::open(&path).unwrap().version("a").unwrap().unwrap();
    assert_eq!(older, Version { size_bytes: 8, etag: None, content: None, read_ms: None });
    assert!(older.is_of(Some(8), Some("abc")) && !older.is_of(Some(9), Some("abc")));
    assert!(older.holds(8, 1) && !older.holds(9, 1));
}

fn put(key: u128, text: &str) -> detect::Change {
    let bytes = text.as_bytes().to_vec();
    detect::Change::Put(detect::Blob { part: detect::Part::Entity, key, bytes })
}

pub(super) fn open(path: &Path) -> Result<StateFile, KeptError> {
    let asked = Learning::new(&detect::Options::default(), (&[], &[]), (None, Day(20_000)));
    let file = StateFile::open(path, (&run("a"), &detect::Settings::default()), asked)?;
    file.resume(&mut |_| Ok(()))
}

#[test]
fn a_value_that_is_gone_from_a_state_is_noticed() {
    let (_folder, path) = file();
    let change = |sql: &str| _ = Store::change(&path, &SCHEMA).unwrap().execute(sql, &[]).unwrap();
    let is_refused = |how: &str| {
        let errors = [
            open(&path).map(drop).unwrap_err(),
            StateFacts::read(&path).map(drop).unwrap_err(),
            forget(&path, &mut |_| Ok(true), None).map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_of_a_broken_state(), "{error}");
            assert!(error.to_string().contains(how), "{error}");
        }
    };
    // Values of any length, written again, taken out, and taken out though they were not there.
    for round in 0..3_u128 {
        let mut file = state(&path);
        for epoch in 0..4_u128 {
            let changes = (0..9).map(|key| put(key, &format!("{round}{epoch}{key}")));
            let gone = [9, round, epoch].map(|key| detect::Change::Gone(detect::Part::Entity, key));
            let all = changes.chain(gone).chain([put(20, ""), put(21, "much longer than a seal")]);
            file.epoch(|file| all.into_iter().try_for_each(|change| file.change(change))).unwrap();
        }
        file.close();
        let whole = StateFacts::read(&path).unwrap();
        assert_eq!(whole.parts[0].1, 9);
    }
    let whole = fs::read(&path).unwrap();
    change("DELETE FROM state_parts WHERE k = (SELECT max(k) FROM state_parts)");
    is_refused("values of the state are there (expected 9); read everything into a new file");
    fs::write(&path, &whole).unwrap();
    change("UPDATE state_parts SET v = x'00' WHERE k = (SELECT max(k) FROM state_parts)");
    is_refused("values of the state are not those that were written");
    fs::write(&path, &whole).unwrap();
    change("UPDATE state SET n_values = n_values + 1");
    is_refused("what is said of the state is not what was written");
    fs::write(&path, &whole).unwrap();
    change("DELETE FROM state");
    assert!(open(&path).unwrap_err().to_string().contains("(expected 0)"));
    // Of an older state what is there now counts.
    fs::write(&path, &whole).unwrap();
    let learning = state::said(&Store::read(&path, &SCHEMA).unwrap()).unwrap().unwrap().learning;
    forget_recall(&Store::change(&path, &SCHEMA).unwrap());
    change("ALTER TABLE state DROP COLUMN digest");
    change("ALTER TABLE state DROP COLUMN n_values");
    change("DROP TABLE outbox_series");
    change("ALTER TABLE findings DROP COLUMN account_said");
    change("ALTER TABLE findings DROP COLUMN suppressed");
    change("DROP TABLE outbox_filed");
    change("ALTER TABLE outbox_told DROP COLUMN created_ms");
    change("PRAGMA user_version = 7");
    let checksum = rows::checksum([&learning.rows()[..]]);
    change(&format!("UPDATE state SET checksum = '{checksum}'"));
    change("DELETE FROM state_parts WHERE k = (SELECT max(k) FROM state_parts)");
    open(&path).unwrap().close();
    change("DELETE FROM state_parts WHERE k = (SELECT max(k) FROM state_parts)");
    is_refused("(expected 8)");
    // An identity that is forgotten is no damage.
    fs::write(&path, &whole).unwrap();
    let mut n_met = 0;
    let mut is_meant = |_: &detect::Blob| {
        n_met += 1;
        Ok(n_met == 1)
    };
    assert_eq!(forget(&path, &mut is_meant, None).unwrap(), (1, 0));
    open(&path).unwrap();
}

#[test]
fn series_from_before_they_were_filed_know_when_they_were_seen() {
    let (_folder, path) = file();
    drop(state(&path));
    let store = Store::change(&path, &SCHEMA).unwrap();
    forget_recall(&store);
    for sql in [
        "DROP TABLE outbox_filed",
        "ALTER TABLE outbox_told DROP COLUMN created_ms",
        "ALTER TABLE outbox_series DROP COLUMN first_ms",
        "ALTER TABLE outbox_series DROP COLUMN last_ms",
        "ALTER TABLE findings DROP COLUMN account_said",
        "ALTER TABLE findings DROP COLUMN suppressed",
        "INSERT INTO outbox_series VALUES ('a', 'b', '1', '1', '2026-03-12', '2026-03-13', '2026-03-12', 1)",
        "PRAGMA user_version = 9",
    ] {
        store.execute(sql, &[]).unwrap();
    }
    drop(store);
    let store = Store::change(&path, &SCHEMA).unwrap();
    let mut row =
        store.query("SELECT first_ms, last_ms FROM outbox_series", &[]).unwrap().remove(0);
    let times_ms = [row.integer().unwrap(), row.integer().unwrap()];
    assert_eq!(times_ms, [20_524, 20_525].map(|day| day * 86_400_000));
}

#[test]
fn the_page_shows_the_tables() {
    let (_folder, path) = file();
    keep(&path, &run("a"), &[], None);
    let page = include_str!("../../../docs/store.md");
    let store = Store::read(&path, &SCHEMA).unwrap();
    // What SQLite keeps for itself needs no place on the page.
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";
    let rows = store.query(sql, &[]).unwrap();
    assert_eq!(rows.len(), 28);
    for mut row in rows {
        let sql = row.text().unwrap();
        assert!(page.contains(&sql), "put this into docs/store.md:\n{sql};");
    }
    let version = format!("`user_version` is {}", SCHEMA.steps.len());
    assert!(page.contains(&version), "say in docs/store.md: {version}");
}

#[test]
fn what_was_not_told_is_kept_with_on_whose_word_and_listed_apart() {
    let (_folder, path) = file();
    let grounds = sample::grounds();
    let account = Account {
        name: "payments-prod".to_owned(),
        owner: Some("payments".to_owned()),
        tags: vec!["prod".to_owned()],
    };
    let mut run = run("a");
    run.inputs.accounts = Accounts::new([("111122223333".to_owned(), account.clone())]).into();
    let mut keeper = Keeper::begin(&path, &run, &detect::Settings::default()).unwrap();
    let all = all();
    keeper.finding(&all[0], Some(&grounds)).unwrap();
    keeper.finding(&all[1], None).unwrap();
    keeper.finish(None).unwrap();
    let findings = KeptFindings::read(&path).unwrap();
    let suppressed = Wanted { is_suppressed: true, ..Wanted::default() };
    assert_eq!(findings.list(&suppressed).unwrap(), [all[0].id]);
    assert_eq!(findings.list(&Wanted::default()).unwrap(), [all[1].id]);
    let kept = findings.get(all[0].id).unwrap().unwrap();
    assert_eq!((kept.suppressed, kept.finding), (Some(grounds), all[0].clone()));
    assert_eq!(kept.run.inputs.accounts.get("111122223333"), Some(&account));
    // What is changed by hand is damage, as of any other column.
    drop(findings);
    let store = Store::change(&path, &SCHEMA).unwrap();
    store.execute("UPDATE findings SET suppressed = NULL", &[]).unwrap();
    drop(store);
    let error = KeptFindings::read(&path).unwrap().get(all[0].id).unwrap_err();
    assert!(error.is_damage(), "{error}");
}

#[test]
fn what_is_no_longer_suppressed_is_news() {
    let (_folder, path) = file();
    let mut file = state(&path);
    let grounds = sample::grounds();
    let finding = sample::finding("port-scan");
    let day = finding.day;
    for (suppressed, is_news) in [
        (Some(&grounds), true),
        (Some(&grounds), false),
        (None, true),
        (None, false),
        (Some(&grounds), false),
    ] {
        let mut told = false;
        file.epoch(|file| -> Result<(), KeptError> {
            file.take_out((day, Day(day.0 + 1)), &[])?;
            told = file.finding(&finding, suppressed)?;
            Ok(())
        })
        .unwrap();
        assert_eq!(told, is_news, "{suppressed:?}");
    }
}
