//! A sum over all values of a file, in any order: one that is gone, or another, is noticed. In: values as they
//! come and go. Out: what stands beside them.

use super::{KeptError, rows, state::ANEW};
use baseline::stable_hash;
use store::{Row, Store, Value, WrongValue};

/// How many values there are, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest {
    n: u64,
    sum: u128,
}

/// Where it stands in a row of its table.
pub(super) const DIGEST: [&str; 2] = ["n_values", "digest"];
/// Where that of guarded rows stands.
pub(super) const ROW_DIGEST: [&str; 2] = ["n_rows", "row_digest"];

/// The end of a value, which holds its checksum: it stands for all of the value. Unit: bytes.
const SEAL_BYTES: usize = 8;
/// The same, of a row; nobody writes a value of nothing, but somebody may have.
const SEAL: &str = "coalesce(substr(v, -8), x'')";

impl Digest {
    /// A value that came.
    pub(super) fn add(&mut self, part: &str, key: &[u8], bytes: &[u8]) {
        self.n = self.n.wrapping_add(1);
        self.sum = self.sum.wrapping_add(stable_hash(&[part.as_bytes(), key, bytes]));
    }

    /// A value of the state that came.
    pub(super) fn add_value(&mut self, part: &str, key: &[u8], bytes: &[u8]) {
        let seal = bytes.last_chunk::<SEAL_BYTES>();
        self.add(part, key, seal.map_or(bytes, |seal| &seal[..]));
    }

    /// One that goes.
    pub(super) fn remove(&mut self, part: &str, key: &[u8], bytes: &[u8]) {
        self.n = self.n.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(stable_hash(&[part.as_bytes(), key, bytes]));
    }

    pub(super) fn values(self) -> [Value; 2] {
        [rows::count(self.n), rows::text(&format!("{:032x}", self.sum))]
    }

    /// Reads it, if it is there: older files have none.
    pub(super) fn read(row: &mut Row) -> Result<Option<Self>, WrongValue> {
        let (n, sum) = (row.maybe_integer()?, row.maybe_text()?);
        let both = n.and_then(|n| u64::try_from(n).ok()).zip(sum);
        both.map(|(n, sum)| Ok(Self { n, sum: rows::hash(&sum)? })).transpose()
    }

    /// Of the values of the state in `store`.
    pub(super) fn of_state(store: &Store) -> Result<Self, KeptError> {
        let mut digest = Self::default();
        let sql = format!("SELECT part, k, {SEAL} FROM state_parts");
        store.each(&sql, &mut |mut row| -> Result<(), KeptError> {
            let read = row.text().and_then(|part| Ok((part, row.blob()?, row.blob()?)));
            let (part, key, seal) = read.map_err(|wrong| store.damaged(&wrong))?;
            digest.add(&part, &key, &seal);
            Ok(())
        })?;
        Ok(digest)
    }

    /// Takes account of a value of the state that is about to be written in place of what is there, or taken
    /// out.
    pub(super) fn replace(
        &mut self,
        store: &Store,
        (part, key): (&str, &[u8]),
        bytes: Option<&[u8]>,
    ) -> Result<(), KeptError> {
        let sql = format!("SELECT {SEAL} FROM state_parts WHERE part = ?1 AND k = ?2");
        let own = [rows::text(part), Value::Blob(key.to_vec())];
        if let Some(mut row) = store.query(&sql, &own)?.into_iter().next() {
            let seal = row.blob().map_err(|wrong| store.damaged(&wrong))?;
            self.remove(part, key, &seal);
        }
        if let Some(bytes) = bytes {
            self.add_value(part, key, bytes);
        }
        Ok(())
    }

    /// How the values, or rows, that were found are not those that this is of.
    pub(super) fn unlike(self, found: Self, of: &str) -> String {
        let (n, expected) = (found.n, self.n);
        let what = if n == expected {
            format!("{of} are not those that were written")
        } else {
            format!("{n} {of} are there (expected {expected})")
        };
        format!("{what}; {ANEW}")
    }
}
