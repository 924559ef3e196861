use super::*;
use std::{error::Error as _, fs};
use tempfile::TempDir;

const WHAT: &str = "a file of fruit";
const ID: i32 = 0x1234;
const FIRST: &str = "CREATE TABLE fruit (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT";
const OLD: Schema = Schema { what: WHAT, application_id: ID, steps: &[FIRST] };
const NEW: Schema = Schema {
    what: WHAT,
    application_id: ID,
    steps: &[FIRST, "ALTER TABLE fruit ADD COLUMN colour TEXT"],
};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A folder with the path of a file in it, which holds one apple.
fn apple() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fruit.db");
    let store = Store::create(&path, &OLD).unwrap();
    store.insert("fruit", &["name"], &[text("apple")]).unwrap();
    (folder, path)
}

fn names(store: &Store) -> Vec<String> {
    let rows = store.query("SELECT name FROM fruit ORDER BY name", &[]).unwrap();
    rows.into_iter().map(|mut row| row.text().unwrap()).collect()
}

/// What `result` says, with what stands behind it, and without the folder.
#[track_caller]
fn says<T>(result: Result<T, StoreError>, folder: &TempDir) -> String {
    let Err(error) = result else { panic!("nothing is wrong") };
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    let folder = format!("{}/", folder.path().display());
    format!("{error}{cause}").replace(&folder, "")
}

#[test]
fn what_is_written_is_read() {
    let (folder, path) = apple();
    let store = Store::read(&path, &OLD).unwrap();
    store.check().unwrap();
    assert_eq!(names(&store), ["apple"]);
    let refused = store.insert("fruit", &["name"], &[text("pear")]);
    assert_eq!(
        says(refused, &folder),
        "fruit.db cannot be written: it, or its folder, is read-only"
    );
}

#[test]
fn what_is_not_committed_never_was() {
    let (_folder, path) = apple();
    let store = Store::create(&path, &OLD).unwrap();
    store.begin().unwrap();
    store.insert("fruit", &["name"], &[text("pear")]).unwrap();
    drop(store);
    let store = Store::change(&path, &OLD).unwrap();
    store.begin().unwrap();
    store.insert("fruit", &["name"], &[text("fig")]).unwrap();
    store.commit().unwrap();
    assert_eq!(names(&store), ["apple", "fig"]);
}

#[test]
fn a_killed_writer_leaves_what_was_before() {
    let (folder, path) = apple();
    let store = Store::create(&path, &OLD).unwrap();
    // A cache of one page, so that changes reach the file before they are committed.
    store.pragma("PRAGMA cache_size = 1").unwrap();
    store.pragma("PRAGMA cache_spill = ON").unwrap();
    store.begin().unwrap();
    for n in 0..2_000 {
        store.insert("fruit", &["name"], &[text(&format!("pear {n}"))]).unwrap();
    }
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.path().join("fruit.db-journal"), folder.path().join("copy.db-journal"))
        .unwrap();
    assert!(fs::metadata(&copy).unwrap().len() > 16_384, "nothing was written yet");
    let copy = Store::read(&copy, &OLD).unwrap();
    copy.check().unwrap();
    assert_eq!(names(&copy), ["apple"]);
}

#[test]
fn an_older_file_is_brought_up_to_date() {
    for open in [Store::read, Store::change, Store::create] {
        let (_folder, path) = apple();
        let store = open(&path, &NEW).unwrap();
        let rows = store.query("SELECT name, colour FROM fruit", &[]).unwrap();
        assert_eq!(rows[0].values(), [text("apple"), Value::Null]);
        assert_eq!(store.version(&NEW).unwrap(), 2);
    }
}

#[test]
fn a_step_that_fails_leaves_the_older_file() {
    let (_folder, path) = apple();
    let steps = &[FIRST, "ALTER TABLE fruit ADD COLUMN colour TEXT", "DROP TABLE vegetables"];
    let broken = Schema { what: WHAT, application_id: ID, steps };
    Store::read(&path, &broken).unwrap_err();
    assert_eq!(names(&Store::read(&path, &OLD).unwrap()), ["apple"]);
}

#[test]
fn a_newer_file_is_refused() {
    let (folder, path) = apple();
    drop(Store::create(&path, &NEW).unwrap());
    for open in [Store::read, Store::change, Store::create] {
        assert_eq!(
            says(open(&path, &OLD), &folder),
            "fruit.db has version 2 of its tables (expected at most 1); use the sentrail that wrote it, or a newer one"
        );
    }
}

#[test]
fn what_is_no_such_file_is_refused_and_left() {
    let (folder, path) = apple();
    let other = Schema { application_id: 7, ..OLD };
    let expected = "fruit.db is something else (expected a file of fruit)";
    for open in [Store::read, Store::change, Store::create] {
        assert_eq!(says(open(&path, &other), &folder), expected);
    }
    for content in ["SQLite format 2\0 and more", "{}", "SQLite"] {
        fs::write(&path, content).unwrap();
        for open in [Store::read, Store::change, Store::create] {
            assert_eq!(says(open(&path, &OLD), &folder), expected);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    let empty = Connection::open(&path).unwrap();
    empty.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(empty);
    for open in [Store::read, Store::change, Store::create] {
        assert_eq!(says(open(&path, &OLD), &folder), expected, "it took a step of somebody's");
    }
    fs::write(&path, "").unwrap();
    assert_eq!(says(Store::read(&path, &OLD), &folder), expected);
    Store::create(&path, &OLD).unwrap();
    Store::read(&path, &OLD).unwrap();
}

#[test]
fn what_cannot_be_opened_is_named() {
    let (folder, path) = apple();
    let sub = path.with_file_name("sub");
    fs::create_dir(&sub).unwrap();
    for open in [Store::read, Store::change, Store::create] {
        assert_eq!(says(open(&sub, &OLD), &folder), "sub is not a file (expected a file of fruit)");
        let below = says(open(&path.join("x.db"), &OLD), &folder);
        assert!(below.starts_with("cannot open fruit.db/x.db: Not a directory"), "{below}");
    }
    let missing = path.with_file_name("missing.db");
    for open in [Store::read, Store::change] {
        let said = says(open(&missing, &OLD), &folder);
        assert!(said.starts_with("cannot open missing.db: No such file"), "{said}");
    }
    assert!(!missing.exists());
}

#[test]
fn a_full_disk_is_told_and_leaves_the_file() {
    let (folder, path) = apple();
    let store = Store::create(&path, &OLD).unwrap();
    // What SQLite says of a full disk it says of a full file, too.
    store.connection.execute_batch("PRAGMA max_page_count = 3").unwrap();
    store.begin().unwrap();
    let name = text(&"x".repeat(100_000));
    let full = store.insert("fruit", &["name"], &[name]);
    assert_eq!(
        says(full, &folder),
        "no room left on the disk for fruit.db; it is as it was before"
    );
    drop(store);
    assert_eq!(names(&Store::read(&path, &OLD).unwrap()), ["apple"]);
}

#[test]
fn a_second_writer_is_told_to_wait() {
    let (folder, path) = apple();
    let first = Store::create(&path, &OLD).unwrap();
    first.begin().unwrap();
    let second = Store::change(&path, &OLD).unwrap();
    second.connection.busy_timeout(Duration::ZERO).unwrap();
    assert_eq!(
        says(second.begin(), &folder),
        "fruit.db is being written by another process; try again when it is done"
    );
    assert_eq!(names(&second), ["apple"]);
}

#[test]
fn what_is_large_and_not_committed_keeps_no_reader_out() {
    let (_folder, path) = apple();
    let writer = Store::create(&path, &OLD).unwrap();
    writer.pragma("PRAGMA cache_size = 1").unwrap();
    writer.begin().unwrap();
    for n in 0..2_000 {
        writer.insert("fruit", &["name"], &[text(&format!("pear {n}"))]).unwrap();
    }
    let reader = Store::read(&path, &OLD).unwrap();
    assert_eq!(names(&reader), ["apple"]);
}

#[test]
fn a_row_must_not_refer_to_one_that_is_not_there() {
    const BASKET: &str =
        "CREATE TABLE basket (fruit INTEGER NOT NULL REFERENCES fruit (id)) STRICT";
    let steps = &[FIRST, BASKET];
    let (_folder, path) = apple();
    let store = Store::create(&path, &Schema { steps, ..OLD }).unwrap();
    store.insert("basket", &["fruit"], &[Value::Integer(1)]).unwrap();
    store.insert("basket", &["fruit"], &[Value::Integer(2)]).unwrap_err();
}

#[test]
fn a_page_that_was_overwritten_is_damage() {
    let (folder, path) = apple();
    let store = Store::create(&path, &OLD).unwrap();
    store.begin().unwrap();
    for n in 0..2_000 {
        store.insert("fruit", &["name"], &[text(&format!("pear {n}"))]).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0);
    fs::write(&path, bytes).unwrap();
    let said = says(Store::read(&path, &OLD).and_then(|store| store.check()), &folder);
    assert!(said.starts_with("fruit.db is damaged: "), "{said}");
}

#[test]
fn a_file_that_is_cut_short_is_damaged() {
    let (folder, path) = apple();
    let store = Store::create(&path, &OLD).unwrap();
    store.insert("fruit", &["name"], &[text(&"x".repeat(100_000))]).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    for n in (100..whole.len()).step_by(4096) {
        fs::write(&path, &whole[..n]).unwrap();
        let said = says(Store::read(&path, &OLD).and_then(|store| store.check()), &folder);
        assert!(said.starts_with("fruit.db is damaged: "), "{n}: {said}");
    }
}

#[test]
fn equal_rows_are_kept_once() {
    let (_folder, path) = apple();
    let store = Store::create(&path, &NEW).unwrap();
    let columns = ["name", "colour"];
    let red = [text("apple"), text("red")];
    let plain = [text("apple"), Value::Null];
    let ids = [&red, &plain, &red, &plain].map(|row| store.intern("fruit", &columns, row).unwrap());
    assert_eq!(ids, [2, 1, 2, 1]);
}

#[test]
fn a_value_of_another_type_is_wrong() {
    let row = || Row::new(vec![Value::Real(0.5), Value::Null]);
    assert_eq!(
        row().text().unwrap_err().to_string(),
        "holds a number with a fraction where a text should be"
    );
    assert_eq!(
        row().integer().unwrap_err().to_string(),
        "holds a number with a fraction where a whole number should be"
    );
    let mut row = row();
    assert!((row.real().unwrap() - 0.5).abs() < f64::EPSILON);
    assert_eq!(row.clone().maybe_text().unwrap(), None);
    assert_eq!(row.text().unwrap_err().to_string(), "holds nothing where a text should be");
    let negative = Row::new(vec![Value::Integer(-1)]).count();
    assert_eq!(negative.unwrap_err().to_string(), "holds -1 where a count should be");
}
