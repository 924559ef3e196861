use crate::{
    kept::{KeptError, SCHEMA, StateFacts, StateFile, Version, tests::open},
    sample,
};
use baseline::Day;
use detect::{Finding, FindingId};
use std::{fs, path::Path};
use store::Store;

/// Statements that a state runs itself.
fn does(file: &mut StateFile, all: &[&str]) {
    let work = |file: &mut StateFile| -> Result<(), KeptError> {
        for sql in all {
            file.keeper.store().execute(sql, &[])?;
        }
        Ok(())
    };
    file.epoch(work).unwrap();
}

const MESSAGE: &str = "INSERT INTO outbox (sink, message, finding, severity, is_dead, attempts, due_ms, checksum, body) \
    VALUES ('a', hex(randomblob(8)), 'f', 1, 0, 0, 0, 'c', 'b')";

/// A state with two findings, objects and messages, and what has become of others.
fn state(path: &Path) {
    let mut file = open(path).unwrap();
    let version = |size_bytes| Version { size_bytes, etag: None, content: Some(7), read_ms: None };
    file.epoch(|file| -> Result<(), KeptError> {
        for id in [1, 2, 1].map(FindingId) {
            let finding = Finding { id, ..sample::flow() };
            file.finding(&finding, None)?;
        }
        for (key, day) in [("long ago", 19_000), ("a", 20_000), ("b", 20_001), ("b", 20_001)] {
            file.object(key, &version(9), Day(day))?;
        }
        file.object_is_now("a", &version(10))
    })
    .unwrap();
    does(&mut file, &[MESSAGE, MESSAGE, MESSAGE]);
    does(
        &mut file,
        &["DELETE FROM outbox WHERE id = 2", "UPDATE outbox SET checksum = 'd' WHERE id = 1"],
    );
    file.close();
}

fn change(path: &Path, sql: &str) {
    assert_eq!(Store::change(path, &SCHEMA).unwrap().execute(sql, &[]).unwrap(), 1, "{sql}");
}

#[test]
fn no_row_goes_or_comes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    state(&path);
    open(&path).unwrap().close();
    let whole = fs::read(&path).unwrap();
    for (sql, how) in [
        (
            "DELETE FROM findings WHERE id = (SELECT min(id) FROM findings)",
            "5 rows of findings, objects and messages are there (expected 6)",
        ),
        ("DELETE FROM state_objects WHERE object = 'a'", "(expected 6)"),
        ("DELETE FROM outbox WHERE id = 3", "(expected 6)"),
        (MESSAGE, "7 rows of"),
        (
            "UPDATE state_objects SET bytes = 11 WHERE object = 'a'",
            "are not those that were written",
        ),
        (
            "UPDATE state_objects SET object = 'c' WHERE object = 'a'",
            "are not those that were written",
        ),
        (
            "UPDATE state SET n_rows = n_rows - 1",
            "what is said of the state is not what was written",
        ),
    ] {
        fs::write(&path, &whole).unwrap();
        change(&path, sql);
        for error in
            [open(&path).map(drop).unwrap_err(), StateFacts::read(&path).map(drop).unwrap_err()]
        {
            assert!(
                error.is_of_a_broken_state() && error.to_string().contains(how),
                "{sql}: {error}"
            );
        }
    }
    // What other processes may change of a message is no damage.
    fs::write(&path, &whole).unwrap();
    change(&path, "UPDATE outbox SET is_dead = 1, attempts = 9 WHERE id = 3");
    open(&path).unwrap();
}

#[test]
fn what_an_older_state_has_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    state(&path);
    change(&path, "UPDATE state SET n_rows = NULL, row_digest = NULL, checksum = checksum");
    let store = Store::change(&path, &SCHEMA).unwrap();
    let row = store.query("SELECT * FROM state", &[]).unwrap().remove(0);
    // All columns but the number of the row and the checksum, which stands before the digests.
    let mut own = row.values()[1..].to_vec();
    own.remove(8);
    let checksum = crate::kept::rows::checksum([&own[..]]);
    drop(store);
    change(&path, &format!("UPDATE state SET checksum = '{checksum}'"));
    change(&path, "DELETE FROM outbox WHERE id = 3");
    open(&path).unwrap().close();
    change(&path, "DELETE FROM outbox WHERE id = 1");
    assert!(open(&path).unwrap_err().to_string().contains("(expected 5)"));
}
