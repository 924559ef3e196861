//! An `SQLite` file that is what it should be. In: a path, and the schema of those who own its tables.
//! Out: rows, or an error that names the file and says what was expected. It knows no table.

mod error;
mod file;
mod row;

pub use error::StoreError;
pub use row::{Row, Value, WrongValue};

use error::Told;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    params_from_iter,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long to wait while another process writes the file. Unit: milliseconds.
const BUSY_MS_MAX: u64 = 5_000;
/// How long a copy waits for those who hold the file for themselves.
const COPY_PAUSE: Duration = Duration::from_millis(50);
/// Statements that are kept ready. Unit: statements.
const STATEMENTS_MAX: usize = 64;

/// What a file holds, and how it came to be so.
#[derive(Debug)]
pub struct Schema {
    /// What such a file is, for example `a file of findings, as "sentrail replay --out" writes it`.
    pub what: &'static str,
    /// Stands in the header (`PRAGMA application_id`) and tells such files from others; not 0, which is
    /// what files of other programs have.
    pub application_id: i32,
    /// Statements that lead from one version to the next; the first from an empty file. The version,
    /// `user_version`, is the number of steps that were taken. A step that was published stays as it is.
    pub steps: &'static [&'static str],
}

/// An open file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens a file for reading. One of an older version is brought up to date first.
    pub fn read(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let store = Self::existing(path, schema)?;
        store.pragma("PRAGMA query_only = ON")?;
        Ok(store)
    }

    /// Opens a file that is there for changes.
    pub fn change(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        file::check_writable(path)?;
        Self::existing(path, schema)
    }

    /// Opens a file for changes; where none is, or an empty one, it begins.
    pub fn create(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        file::make(path)?;
        file::check(path, schema)?;
        let store = Self::open(path)?;
        store.migrate(schema, true)?;
        Ok(store)
    }

    /// A store of this process alone, that is gone with it: what memory has no room for goes to an unnamed file
    /// where temporary files go.
    pub fn scratch(sql: &str) -> Result<Self, StoreError> {
        let path = PathBuf::from("a file for what memory has no room for");
        let connection = Connection::open("").told(&path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let store = Self { connection, path };
        // What is undone by an error is of no use to anybody.
        store.pragma("PRAGMA journal_mode = OFF")?;
        store.pragma("PRAGMA synchronous = OFF")?;
        store.pragma("PRAGMA locking_mode = EXCLUSIVE")?;
        store.pragma(sql)?;
        Ok(store)
    }

    /// Keeps so much of the file in memory. Unit: bytes.
    pub fn cache(&self, bytes: u32) -> Result<(), StoreError> {
        self.pragma(&format!("PRAGMA cache_size = -{}", bytes / 1_024))
    }

    fn existing(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        file::check(path, schema)?;
        let store = Self::open(path)?;
        if store.version(schema)? != schema.steps.len() {
            store.migrate(schema, false)?;
        }
        Ok(store)
    }

    fn open(path: &Path) -> Result<Self, StoreError> {
        // Falls back to reading where writing is not allowed. Without `SQLITE_OPEN_URI` a path is a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).told(path)?;
        connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX)).told(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let store = Self { connection, path: path.to_owned() };
        // The journal is a rollback journal, not a WAL: one file is the whole, and can be read where
        // nothing may be written. What comes from a file is not trusted to call functions.
        store.pragma("PRAGMA synchronous = FULL")?;
        // What is written stays in memory until it is whole: meanwhile others can read.
        store.pragma("PRAGMA cache_spill = OFF")?;
        store.pragma("PRAGMA foreign_keys = ON")?;
        store.pragma("PRAGMA trusted_schema = OFF")?;
        store.pragma("PRAGMA cell_size_check = ON")?;
        Ok(store)
    }

    fn pragma(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).told(&self.path)
    }

    /// Steps that the file has taken; 0 for one without tables.
    fn version(&self, schema: &Schema) -> Result<usize, StoreError> {
        let ask = |sql: &str| -> Result<i64, StoreError> {
            self.connection.query_row(sql, [], |row| row.get(0)).told(&self.path)
        };
        let version = ask("PRAGMA user_version")?;
        let is_ours = ask("PRAGMA application_id")? == i64::from(schema.application_id);
        let is_new = version == 0 && ask("SELECT count(*) FROM sqlite_master")? == 0;
        if !is_ours && !is_new {
            return Err(StoreError::Foreign { path: self.path.clone(), expected: schema.what });
        }
        let known = schema.steps.len();
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        if version > known {
            return Err(StoreError::Newer { path: self.path.clone(), version, known });
        }
        Ok(version)
    }

    /// Takes the steps that are missing, all or none; `may_begin` whether from nothing.
    fn migrate(&self, schema: &Schema, may_begin: bool) -> Result<(), StoreError> {
        self.begin()?;
        let version = self.version(schema)?;
        if version == 0 && !may_begin {
            return Err(StoreError::Foreign { path: self.path.clone(), expected: schema.what });
        }
        for step in schema.steps.iter().skip(version) {
            self.connection.execute_batch(step).told(&self.path)?;
        }
        let Schema { application_id, steps, .. } = schema;
        self.pragma(&format!("PRAGMA application_id = {application_id}"))?;
        self.pragma(&format!("PRAGMA user_version = {}", steps.len()))?;
        self.commit()
    }

    /// Lets what is written go to the file before it is whole, for more than fits into memory: meanwhile
    /// nobody else can read it.
    pub fn spill(&self) -> Result<(), StoreError> {
        self.pragma("PRAGMA cache_spill = ON")
    }

    /// Writes to a log beside the file from now on, which is brought into it bit by bit: those who read see
    /// what was committed last, and hold up nobody who writes. The log is part of what is kept.
    pub fn log_ahead(&self) -> Result<(), StoreError> {
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let sql = "PRAGMA journal_mode = WAL";
        self.connection.query_row(sql, [], mode).map(drop).told(&self.path)
    }

    /// Brings the log into the file, which is the whole again; an error while others read.
    pub fn log_no_more(&self) -> Result<(), StoreError> {
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let sql = "PRAGMA journal_mode = DELETE";
        self.connection.query_row(sql, [], mode).map(drop).told(&self.path)
    }

    /// Writes what the file holds, as it was committed last, into a new file at `path`, each page where it was: what
    /// has not changed since another copy is the same in both. Those who write go on meanwhile.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let mut copy = Connection::open(path).told(path)?;
        // What is not whole is thrown away.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").told(path)?;
        let backup = Backup::new(&self.connection, &mut copy).told(path)?;
        // All pages in one step: of one moment.
        while backup.step(-1).told(path)? != StepResult::Done {
            std::thread::sleep(COPY_PAUSE);
        }
        drop(backup);
        // A log would be a second file.
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        copy.query_row("PRAGMA journal_mode = DELETE", [], mode).map(drop).told(path)
    }

    /// Begins a transaction. What is not committed is undone when the store is dropped, or the process
    /// dies.
    pub fn begin(&self) -> Result<(), StoreError> {
        self.pragma("BEGIN IMMEDIATE")
    }

    /// Begins a transaction that reads what is there now, whatever others write; [`Self::commit`] ends it.
    pub fn begin_reading(&self) -> Result<(), StoreError> {
        self.pragma("BEGIN DEFERRED")
    }

    /// Makes durable what was changed since [`Self::begin`], without which it is an error.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.pragma("COMMIT")
    }

    /// Whether what the file is made of holds together. Reads all of it. That the values are what was
    /// written only checksums can tell.
    pub fn check(&self) -> Result<(), StoreError> {
        let sql = "PRAGMA integrity_check(1)";
        let told: String = self.connection.query_row(sql, [], |row| row.get(0)).told(&self.path)?;
        if told != "ok" {
            return Err(self.damaged(&told.replace('\n', ", ")));
        }
        if file::has_log(&self.path) {
            // The log holds pages that the file has not got yet.
            return Ok(());
        }
        // Of a page that is cut short `SQLite` takes the rest for zeros.
        let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let expected: i64 =
            self.connection.query_row(pages, [], |row| row.get(0)).told(&self.path)?;
        let found = file::length(&self.path)?;
        if i64::try_from(found) != Ok(expected) {
            return Err(self.damaged(&format!("{found} bytes (expected {expected})")));
        }
        Ok(())
    }

    /// A number that is another one once another process, or another store of this one, has written to the file.
    pub fn version_of_others(&self) -> Result<i64, StoreError> {
        self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).told(&self.path)
    }

    /// Runs one statement, `values` in place of its `?`, and answers how many rows it changed.
    pub fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).told(&self.path)?;
        statement.execute(params_from_iter(values)).told(&self.path)
    }

    /// The rows that a question gives, `values` in place of its `?`.
    pub fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).told(&self.path)?;
        let n = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..n).map(|n| row.get(n)).collect();
        let rows = statement.query_map(params_from_iter(values), row).told(&self.path)?;
        rows.map(|row| row.map(Row::new).told(&self.path)).collect()
    }

    /// Hands the rows that a question gives to `visit`, one after the other: for more than fit into memory.
    pub fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        visit: &mut dyn FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).told(&self.path)?;
        let n = statement.column_count();
        let mut rows = statement.query([]).told(&self.path)?;
        while let Some(row) = rows.next().told(&self.path)? {
            let values = (0..n).map(|n| row.get(n)).collect::<Result<_, _>>();
            visit(Row::new(values.told(&self.path)?))?;
        }
        Ok(())
    }

    /// The `id` of the row of `table` with these values in these columns, nulls being equal; it is added if
    /// there is none.
    pub fn intern(
        &self,
        table: &str,
        columns: &[&str],
        values: &[Value],
    ) -> Result<i64, StoreError> {
        let same: Vec<_> = columns.iter().map(|column| format!("{column} IS ?")).collect();
        let find = format!("SELECT id FROM {table} WHERE {}", same.join(" AND "));
        if let Some(mut row) = self.query(&find, values)?.into_iter().next() {
            return row.integer().map_err(|wrong| self.damaged(&wrong));
        }
        self.insert(table, columns, values)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Adds a row to `table`.
    pub fn insert(
        &self,
        table: &str,
        columns: &[&str],
        values: &[Value],
    ) -> Result<(), StoreError> {
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
        self.execute(&sql, values).map(drop)
    }

    /// The error that the file holds what nobody wrote.
    pub fn damaged(&self, what: &impl ToString) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what: what.to_string() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests;
