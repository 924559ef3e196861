//! What can be told of a file before `SQLite` sees it: in words, and without touching it.

use crate::{Schema, StoreError};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// How every `SQLite` file begins (sqlite.org/fileformat2.html, 1.3.1).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file is there, may be read, and is empty or begins as it should.
pub(crate) fn check(path: &Path, schema: &Schema) -> Result<(), StoreError> {
    let expected = schema.what;
    // Asked before it is opened: opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(open(path))?.is_file() {
        return Err(StoreError::NotAFile { path: path.to_owned(), expected });
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(open(path))?;
    file.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(open(path))?;
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(StoreError::Foreign { path: path.to_owned(), expected })
}

/// Whether a file that is there may be written.
pub(crate) fn check_writable(path: &Path) -> Result<(), StoreError> {
    if fs::metadata(path).is_ok_and(|it| it.is_file()) {
        OpenOptions::new().write(true).open(path).map_err(open(path))?;
    }
    Ok(())
}

/// Makes an empty file where none is.
pub(crate) fn make(path: &Path) -> Result<(), StoreError> {
    check_writable(path)?;
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(open(path)(error)),
        _ => Ok(()),
    }
}

/// Unit: bytes.
pub(crate) fn length(path: &Path) -> Result<u64, StoreError> {
    Ok(fs::metadata(path).map_err(open(path))?.len())
}

/// Whether a log beside the file holds what is not in it yet.
pub(crate) fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn open(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Open { path: path.to_owned(), source }
}
