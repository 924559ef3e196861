//! Snapshots of a state: what a copy of it consists of, so that it can lie elsewhere in pieces. In: a state. Out: a
//! manifest, and pieces under the hashes of their content; from these the same file, byte for byte, or what is wrong.
//!
//! ```text
//! manifest   sentrail-snapshot 1 <SHA-256 of the JSON> <bytes of the JSON>\n
//!            {"fence":7,"sequence":12,...,"pieces":["<SHA-256 of the first MiB>",...]}
//! piece      the piece, as zlib (RFC 1950); its name is the hash of what it inflates to
//! one file   manifest, then of each piece its length (32 bits, little-endian) and the piece
//! ```

mod file;
#[cfg(test)]
mod tests;

pub use file::{export, import};

use super::{KeptError, SCHEMA, StateFile, rows, state};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    str::FromStr,
};
use store::{Store, Value, WrongValue};

/// What a piece holds. Unit: bytes.
pub const PIECE_BYTES: usize = 1 << 20;
/// A manifest is held whole; one of so many bytes tells of 250 GB. Unit: bytes.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;

/// How a manifest begins.
const MAGIC: &str = "sentrail-snapshot";
/// Its form, and that of pieces.
const FORM: u32 = 1;
/// The first line of a manifest takes less. Unit: bytes.
const HEAD_BYTES_MAX: usize = 200;

/// Which snapshot it is. A later one is greater: whoever holds the lease has a greater fence than all before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Of the lease under which it was written.
    pub fence: u64,
    /// Its place among those under that lease, from 1.
    pub sequence: u64,
}

/// So that texts sort as ids do.
impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{:020}", self.fence, self.sequence)
    }
}

impl SnapshotId {
    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (fence, sequence) = text.split_once('-')?;
        // What nobody counted to is no name that was given.
        let is_counted = |number: &u64| *number < 1 << 62;
        let number = |text: &str| (text.len() == 20).then(|| u64::from_str(text).ok()).flatten();
        let number = |text: &str| number(text).filter(is_counted);
        Some(Self { fence: number(fence)?, sequence: number(sequence)? })
    }
}

/// The name of a piece: the SHA-256 of what it holds. Nobody makes another piece of that name, whatever logs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PieceId([u8; 32]);

impl PieceId {
    fn of(content: &[u8]) -> Self {
        let mut own = [0; 32];
        own.copy_from_slice(digest(&SHA256, content).as_ref());
        Self(own)
    }
}

impl fmt::Display for PieceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for PieceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PieceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut own = [0; 32];
        let mut digits = text.as_bytes().chunks_exact(2);
        for byte in &mut own {
            let two = digits.next().and_then(|two| std::str::from_utf8(two).ok());
            let two = two.filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let read = two.and_then(|two| u8::from_str_radix(two, 16).ok());
            *byte = read.ok_or_else(|| D::Error::custom("no name of a piece"))?;
        }
        if text.len() == 64 { Ok(Self(own)) } else { Err(D::Error::custom("no name of a piece")) }
    }
}

/// Why a snapshot, or a part of one, is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is not what was written.
    #[error("{at} is damaged: {what}")]
    Damaged {
        /// What it is a part of.
        at: String,
        /// What is wrong.
        what: String,
    },
    /// A later program wrote it.
    #[error(
        "{at} is a snapshot of form {form} (expected {FORM}); use the sentrail that wrote it, or a newer one"
    )]
    Newer {
        /// The manifest.
        at: String,
        /// Its form.
        form: u32,
    },
}

fn damaged(at: &str, what: impl Into<String>) -> SnapshotError {
    SnapshotError::Damaged { at: at.to_owned(), what: what.into() }
}

/// What a snapshot consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which snapshot it is.
    #[serde(flatten)]
    pub id: SnapshotId,
    /// The sentrail that made it.
    pub program_version: String,
    /// Hash of the configuration in force.
    pub configuration: Option<String>,
    /// The last day of a stamp, `YYYY-MM-DD`: logs from then on are looked through after it was restored.
    pub through: Option<String>,
    /// Of the state file. Unit: bytes.
    pub bytes: u64,
    /// Of each piece but the last. Unit: bytes.
    pub piece_bytes: usize,
    /// In their order.
    pub pieces: Vec<PieceId>,
}

impl Manifest {
    /// Copies the state at `state`, as it was committed last, to `copy`, sees that it is what was written, and says
    /// what it consists of. Whoever has the state open goes on meanwhile.
    pub fn of_state(state: &Path, copy: &Path) -> Result<Self, KeptError> {
        StateFile::copy(state, copy)?;
        let mut own = Self::of_values(copy)?;
        let failed = |source| KeptError::File { file: copy.display().to_string(), source };
        let file = File::open(copy).map_err(failed)?;
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        loop {
            piece.clear();
            let most = PIECE_BYTES as u64;
            let n = (&file).take(most).read_to_end(&mut piece).map_err(failed)?;
            if n == 0 {
                return Ok(own);
            }
            own.bytes += n as u64;
            own.pieces.push(PieceId::of(&piece));
        }
    }

    /// What a copy says of itself.
    fn of_values(copy: &Path) -> Result<Self, KeptError> {
        let store = Store::read(copy, &SCHEMA)?;
        let said = state::said(&store)?;
        let sql = "SELECT config_hash FROM runs ORDER BY id DESC LIMIT 1";
        let configuration = store.query(sql, &[])?.into_iter().next();
        let configuration = configuration.map(|mut row| row.text()).transpose();
        Ok(Self {
            id: written_under(&store)?.unwrap_or_default(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: configuration.map_err(|wrong| store.damaged(&wrong))?,
            through: said.map(|said| rows::of_day(said.learning.through)),
            bytes: 0,
            piece_bytes: PIECE_BYTES,
            pieces: Vec::new(),
        })
    }

    /// As it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers and texts always have a JSON form.
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes =
            format!("{MAGIC} {FORM} {} {}\n", PieceId::of(&json), json.len()).into_bytes();
        bytes.extend(json);
        bytes
    }

    /// Reads what stands in `bytes`, whole; `at` names it.
    pub fn of_bytes(mut bytes: &[u8], at: &str) -> Result<Self, SnapshotError> {
        let own = Self::read(&mut bytes, at)?;
        if bytes.is_empty() { Ok(own) } else { Err(damaged(at, "more than was written")) }
    }

    /// Reads one from where it begins, and no further.
    fn read(from: &mut dyn Read, at: &str) -> Result<Self, SnapshotError> {
        let mut head = Vec::new();
        let mut byte = [0];
        while head.len() < HEAD_BYTES_MAX && from.read_exact(&mut byte).is_ok() && byte != [b'\n'] {
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let fields: Vec<&str> = head.split(' ').collect();
        let [MAGIC, form, sum, length] = fields[..] else {
            let what = format!("it does not begin as a snapshot does (expected {MAGIC:?})");
            return Err(damaged(at, what));
        };
        let unread = || damaged(at, "its first line is not what was written");
        let form: u32 = form.parse().map_err(|_| unread())?;
        let length: usize = length.parse().map_err(|_| unread())?;
        if length > MANIFEST_BYTES_MAX {
            return Err(unread());
        }
        let mut json = vec![0; length];
        from.read_exact(&mut json).map_err(|_| damaged(at, "it ends too soon"))?;
        if PieceId::of(&json).to_string() != sum {
            return Err(damaged(at, "it is not what was written"));
        }
        if form != FORM {
            return Err(SnapshotError::Newer { at: at.to_owned(), form });
        }
        let own: Self = serde_json::from_slice(&json).map_err(|_| damaged(at, "it is no list"))?;
        let is_possible = (1..=PIECE_BYTES << 6).contains(&own.piece_bytes)
            && own.bytes.div_ceil(own.piece_bytes.max(1) as u64) == own.pieces.len() as u64;
        if is_possible { Ok(own) } else { Err(damaged(at, "its sizes do not fit")) }
    }

    /// What the `n`th piece holds, from 0. Unit: bytes.
    fn bytes_of(&self, n: usize) -> usize {
        let before = (n as u64).saturating_mul(self.piece_bytes as u64);
        let left = self.bytes.saturating_sub(before);
        usize::try_from(left).unwrap_or(usize::MAX).min(self.piece_bytes)
    }

    /// The `n`th piece of the file that it tells of, as it is sent.
    pub fn pack(&self, copy: &File, n: usize) -> io::Result<Vec<u8>> {
        use std::os::unix::fs::FileExt as _;
        let mut piece = vec![0; self.bytes_of(n)];
        copy.read_exact_at(&mut piece, (n as u64).saturating_mul(self.piece_bytes as u64))?;
        // A state shrinks to a third at the least effort; more effort takes longer than it saves.
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&piece)?;
        encoder.finish()
    }

    /// What the `n`th piece holds, as it was sent; `at` names it.
    pub fn unpack(&self, n: usize, sent: &[u8], at: &str) -> Result<Vec<u8>, SnapshotError> {
        let expected = self.bytes_of(n);
        let mut piece = Vec::with_capacity(expected);
        // One more than there may be, so that more is noticed.
        let most = (expected as u64).saturating_add(1);
        let inflated = ZlibDecoder::new(sent).take(most).read_to_end(&mut piece);
        let is_it = inflated.is_ok()
            && piece.len() == expected
            && self.pieces.get(n) == Some(&PieceId::of(&piece));
        if is_it { Ok(piece) } else { Err(damaged(at, "it is not what its name says")) }
    }
}

/// What a state says of its snapshots, if any was begun.
fn written_under(store: &Store) -> Result<Option<SnapshotId>, KeptError> {
    let sql = "SELECT fence, sequence, checksum FROM snapshots";
    let Some(mut row) = store.query(sql, &[])?.into_iter().next() else { return Ok(None) };
    let own: Vec<Value> = row.values().iter().take(2).cloned().collect();
    let read = row.count().and_then(|fence| Ok((fence, row.count()?, row.text()?)));
    let (fence, sequence, checksum) = read.map_err(|wrong: WrongValue| store.damaged(&wrong))?;
    if checksum != rows::checksum([&own[..]]) {
        return Err(store.damaged(&"what is said of snapshots is not what was written").into());
    }
    Ok(Some(SnapshotId { fence, sequence }))
}

impl StateFile {
    /// Which snapshot of the state at `path` was begun last, if any was.
    pub fn snapshot_of(path: &Path) -> Result<Option<SnapshotId>, KeptError> {
        written_under(&Store::read(path, &SCHEMA)?)
    }

    /// Notes that a snapshot is begun, which holds what was committed up to now.
    pub fn begin_snapshot(&mut self, id: SnapshotId) -> Result<(), KeptError> {
        let own = [Value::Integer(1), rows::count(id.fence), rows::count(id.sequence)];
        let checksum = rows::text(&rows::checksum([&own[1..]]));
        let store = self.keeper.store();
        store.begin()?;
        store.execute("DELETE FROM snapshots", &[])?;
        let columns = ["id", "fence", "sequence", "checksum"];
        store.insert("snapshots", &columns, &[&own[..], &[checksum]].concat())?;
        Ok(store.commit()?)
    }
}
