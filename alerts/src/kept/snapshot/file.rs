//! A state as one file: its manifest, then its pieces. In: a state, or such a file. Out: the other, whole or not at all.

use super::{KeptError, Manifest, damaged};
use crate::kept::StateFile;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};
use store::StoreError;

/// What a piece may take as it is sent, beside what it holds. Unit: bytes.
const OVERHEAD_BYTES_MAX: usize = 64 << 10;

fn with(path: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(more);
    name.into()
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeptError + '_ {
    |source| KeptError::File { file: path.display().to_string(), source }
}

fn is_new(path: &Path) -> Result<(), KeptError> {
    if path.exists() { Err(KeptError::Exists(path.display().to_string())) } else { Ok(()) }
}

/// Removes a file when it goes out of scope.
struct Passing(PathBuf);

impl Passing {
    /// One beside `path`, where nothing is yet: what is there may be somebody's.
    fn new(path: &Path, more: &str) -> Result<Self, KeptError> {
        let beside = with(path, more);
        is_new(&beside)?;
        Ok(Self(beside))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Writes the state at `state` into the new file `out`; answers what that holds. Whoever has the state open goes on
/// meanwhile.
pub fn export(state: &Path, out: &Path) -> Result<Manifest, KeptError> {
    is_new(out)?;
    let (copy, part) = (Passing::new(out, ".copy")?, Passing::new(out, ".part")?);
    let manifest = Manifest::of_state(state, &copy.0)?;
    if manifest.through.is_none() {
        return Err(KeptError::NoState(state.display().to_string()));
    }
    let from = File::open(&copy.0).map_err(at(&copy.0))?;
    let write = || -> io::Result<()> {
        let mut to = BufWriter::new(File::create_new(&part.0)?);
        to.write_all(&manifest.to_bytes())?;
        for n in 0..manifest.pieces.len() {
            let piece = manifest.pack(&from, n)?;
            let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
            to.write_all(&length.to_le_bytes())?;
            to.write_all(&piece)?;
        }
        to.into_inner()?.sync_all()?;
        fs::rename(&part.0, out)
    };
    write().map_err(at(out))?;
    Ok(manifest)
}

/// Makes a state at `into`, where none is, of what [`export`] wrote; answers what it holds.
pub fn import(file: &Path, into: &Path) -> Result<Manifest, KeptError> {
    // What SQLite left beside a state that is gone would be played into this one.
    for ending in ["", "-wal", "-shm", "-journal"] {
        is_new(&with(into, ending))?;
    }
    let name = file.display().to_string();
    let from = File::open(file);
    let opened = from.map_err(|source| StoreError::Open { path: file.to_owned(), source });
    let mut from = BufReader::new(opened?);
    let manifest = Manifest::read(&mut from, &name)?;
    let part = Passing::new(into, ".part")?;
    let mut to = BufWriter::new(File::create_new(&part.0).map_err(at(&part.0))?);
    let cut = |_| damaged(&name, "it ends too soon");
    for n in 0..manifest.pieces.len() {
        let mut length = [0; 4];
        from.read_exact(&mut length).map_err(cut)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > manifest.bytes_of(n).saturating_add(OVERHEAD_BYTES_MAX) {
            return Err(damaged(&name, format!("piece {n} is longer than it can be")).into());
        }
        let mut sent = vec![0; length];
        from.read_exact(&mut sent).map_err(cut)?;
        let piece = manifest.unpack(n, &sent, &format!("piece {n} of {name}"))?;
        to.write_all(&piece).map_err(at(&part.0))?;
    }
    if from.read(&mut [0]).map_err(at(file))? != 0 {
        return Err(damaged(&name, "more than was written").into());
    }
    let whole = to.into_inner().map_err(|error| at(&part.0)(error.into_error()))?;
    whole.sync_all().map_err(at(&part.0))?;
    StateFile::check(&part.0)?;
    fs::rename(&part.0, into).map_err(at(into))?;
    Ok(manifest)
}
