//! The ledger: which objects were read, and which version of each. In: keys with what tells versions apart.
//! Out: the version that was learned, for whoever meets the object again.

use super::{KeptError, SCHEMA, StateFile, rows};
use baseline::Day;
use std::path::Path;
use store::{Row, Store, Value, WrongValue};

/// A version of an object, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Unit: bytes as stored.
    pub size_bytes: u64,
    /// Entity tag without quotes; of a file when it was changed, in milliseconds since the Unix epoch.
    pub etag: Option<String>,
    /// Hash of its bytes as stored; `None` if it was read before hashes were kept.
    pub content: Option<u128>,
    /// When it was read. Unit: milliseconds since the Unix epoch.
    pub read_ms: Option<i64>,
}

impl Version {
    /// Whether an object of this size and tag is this version, as far as they are known. Unit: bytes as
    /// stored.
    pub fn is_of(&self, size_bytes: Option<u64>, etag: Option<&str>) -> bool {
        let is_of_size = size_bytes.is_none_or(|size_bytes| size_bytes == self.size_bytes);
        let tags = self.etag.as_deref().zip(etag);
        is_of_size && tags.is_none_or(|(own, etag)| own == etag)
    }

    /// Whether bytes of this size and hash are those that were read; of a version without a hash, its size
    /// tells. Unit: bytes as stored.
    pub fn holds(&self, size_bytes: u64, content: u128) -> bool {
        self.content.map_or(size_bytes == self.size_bytes, |own| own == content)
    }

    fn values(&self) -> [Value; 4] {
        let etag = self.etag.as_deref().map_or(Value::Null, rows::text);
        let content = self.content.map(|content| format!("{content:032x}"));
        let content = content.map_or(Value::Null, |content| rows::text(&content));
        let read_ms = self.read_ms.map_or(Value::Null, Value::Integer);
        [rows::count(self.size_bytes), etag, content, read_ms]
    }
}

/// The objects that are durable in a state which somebody else writes.
#[derive(Debug)]
pub struct KnownObjects(Store);

impl KnownObjects {
    /// Of the state at `path`.
    pub fn open(path: &Path) -> Result<Self, KeptError> {
        Ok(Self(Store::read(path, &SCHEMA)?))
    }

    /// The version of an object that was read, if one was.
    pub fn version(&self, key: &str) -> Result<Option<Version>, KeptError> {
        version(&self.0, key)
    }
}

fn version(store: &Store, key: &str) -> Result<Option<Version>, KeptError> {
    let sql = "SELECT bytes, etag, content, read_ms FROM state_objects WHERE object = ?1";
    let row = store.query(sql, &[rows::text(key)])?.into_iter().next();
    let read = |mut row: Row| {
        let (size_bytes, etag, content) = (row.count()?, row.maybe_text()?, row.maybe_text()?);
        let content = content.map(|content| rows::hash(&content)).transpose()?;
        Ok(Version { size_bytes, etag, content, read_ms: row.maybe_integer()? })
    };
    row.map(read).transpose().map_err(|wrong: WrongValue| store.damaged(&wrong).into())
}

impl StateFile {
    /// The version of an object that was read, if one was.
    pub fn version(&self, key: &str) -> Result<Option<Version>, KeptError> {
        version(self.keeper.store(), key)
    }

    /// Notes that an object was read, which was written on `day`.
    pub fn object(&mut self, key: &str, version: &Version, day: Day) -> Result<(), KeptError> {
        self.asked.through = self.asked.through.max(day);
        let sql = "INSERT INTO state_objects (object, day, bytes, etag, content, read_ms) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (object) DO UPDATE SET \
                   bytes = excluded.bytes, etag = excluded.etag, content = excluded.content, \
                   read_ms = excluded.read_ms";
        let own = [rows::text(key), rows::text(&rows::of_day(day))];
        self.keeper.store().execute(sql, &[&own[..], &version.values()].concat())?;
        Ok(())
    }

    /// Notes the version in which an object lies there now, whatever was read of it: it need not be looked at
    /// again.
    pub fn object_is_now(&mut self, key: &str, version: &Version) -> Result<(), KeptError> {
        let sql = "UPDATE state_objects SET bytes = ?2, etag = ?3 WHERE object = ?1";
        let [size_bytes, etag, ..] = version.values();
        self.keeper.store().execute(sql, &[rows::text(key), size_bytes, etag])?;
        Ok(())
    }
}
