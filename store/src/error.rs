//! Why a file cannot be used, in words that name it.

use rusqlite::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not there, or may not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{} is not a file (expected {expected})", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// A file of something else; it is left as it is.
    #[error("{} is something else (expected {expected})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// A later program wrote it.
    #[error("{} has version {version} of its tables (expected at most {known}); use the sentrail that wrote it, or a newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version: the steps of [`Schema::steps`](crate::Schema::steps) that it has taken.
        version: usize,
        /// The version that this program writes.
        known: usize,
    },
    /// It holds what no program of this kind wrote.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk is full; the file is as it was before.
    #[error("no room left on the disk for {}; it is as it was before", .0.display())]
    Full(PathBuf),
    /// Another process was at it for longer than `BUSY_MS_MAX`.
    #[error("{} is being written by another process; try again when it is done", .0.display())]
    Busy(PathBuf),
    /// It may be read, not written.
    #[error("{} cannot be written: it, or its folder, is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// Anything else that `SQLite` refuses: a device that fails, a statement that does not fit the tables.
    #[error("cannot read or write {}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Whether the person at the keyboard named the wrong file.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Open { .. } | Self::NotAFile { .. } | Self::Foreign { .. } | Self::Newer { .. }
        )
    }
}

/// Names the file in what `SQLite` says.
pub(crate) trait Told<T> {
    fn told(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> Told<T> for Result<T, rusqlite::Error> {
    fn told(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| {
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    StoreError::Damaged { path, what: source.to_string() }
                }
                Some(ErrorCode::DiskFull) => StoreError::Full(path),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path),
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    StoreError::ReadOnly(path)
                }
                _ => StoreError::Failed { path, source },
            }
        })
    }
}
