//! Rows of a state that nobody can take out unnoticed: of findings, of the ledger, and of the outbox. In: what a connection
//! does to them. Out: the digest of all of them, with each transaction.

use super::{KeptError, digest::Digest};
use store::{Row, Store, WrongValue};

/// A table, which of its columns tells its rows apart, and those that stand for what a row says. Parts and records of a
/// finding are in its checksum; attempts of a message, which other processes may change, are in none.
struct Guarded {
    table: &'static str,
    key: &'static str,
    said: &'static [&'static str],
}

const GUARDED: [Guarded; 3] = [
    Guarded { table: "findings", key: "id", said: &["checksum"] },
    Guarded {
        table: "state_objects",
        key: "object",
        said: &["day", "bytes", "etag", "content", "read_ms"],
    },
    Guarded { table: "outbox", key: "message", said: &["checksum"] },
];

impl Guarded {
    /// What a row says, as SQL; `of` stands before its columns.
    fn row(&self, of: &str) -> String {
        let said: Vec<_> = self.said.iter().map(|column| format!("quote({of}{column})")).collect();
        format!("'{}', {of}{}, {}", self.table, self.key, said.join(" || ' ' || "))
    }

    fn all(&self) -> String {
        format!("SELECT {} FROM {}", self.row(""), self.table)
    }

    /// Statements that note of a row that it came, with 1, or went, with 0. They are of one connection: whoever takes a row
    /// out by another one is not noted, and noticed.
    fn triggers(&self) -> [String; 3] {
        let noted = |came, of| format!("INSERT INTO guarded VALUES ({came}, {});", self.row(of));
        let (came, went) = (noted(1, "new."), noted(0, "old."));
        let columns = [&[self.key], self.said].concat().join(", ");
        let Self { table, .. } = self;
        let trigger = |name: &str, event: &str, noted: &str| {
            format!("CREATE TEMP TRIGGER {table}_{name} AFTER {event} ON {table} BEGIN {noted} END")
        };
        let changed = format!("UPDATE OF {columns}");
        [
            trigger("came", "INSERT", &came),
            trigger("went", "DELETE", &went),
            trigger("changed", &changed, &format!("{went} {came}")),
        ]
    }
}

/// Notes from now on what this connection does to rows.
pub(super) fn begin(store: &Store) -> Result<(), KeptError> {
    let noted = "CREATE TEMP TABLE guarded (came INTEGER, part TEXT, k TEXT, v TEXT)";
    store.execute(noted, &[])?;
    for sql in GUARDED.iter().flat_map(Guarded::triggers) {
        store.execute(&sql, &[])?;
    }
    Ok(())
}

/// Takes account of what was done to rows since this was last asked.
pub(super) fn take(store: &Store, digest: &mut Digest) -> Result<(), KeptError> {
    store.each(
        "SELECT came, part, k, v FROM guarded",
        &mut |mut row| -> Result<(), KeptError> {
            let read = row.count().and_then(|came| Ok((came == 1, texts(&mut row)?)));
            let (came, [part, key, said]) = read.map_err(|wrong| store.damaged(&wrong))?;
            let note = if came { Digest::add } else { Digest::remove };
            note(digest, &part, key.as_bytes(), said.as_bytes());
            Ok(())
        },
    )?;
    store.execute("DELETE FROM guarded", &[])?;
    Ok(())
}

/// The digest of what there is.
pub(super) fn of_all(store: &Store) -> Result<Digest, KeptError> {
    let mut digest = Digest::default();
    for guarded in &GUARDED {
        store.each(&guarded.all(), &mut |mut row| -> Result<(), KeptError> {
            let [part, key, said] = texts(&mut row).map_err(|wrong| store.damaged(&wrong))?;
            digest.add(&part, key.as_bytes(), said.as_bytes());
            Ok(())
        })?;
    }
    Ok(digest)
}

fn texts(row: &mut Row) -> Result<[String; 3], WrongValue> {
    Ok([row.text()?, row.text()?, row.text()?])
}

#[cfg(test)]
mod tests;
