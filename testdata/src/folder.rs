//! A folder that objects are written to: the only place here that touches the disk.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::post::Sink;

/// Files under one folder, named as their keys are.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The folder of the last object: most objects share it with the one before.
    made: PathBuf,
}

impl Folder {
    /// A new or empty folder at `root`: what is already there is never mixed with what is written.
    pub fn create(root: &Path) -> Result<Self, Box<dyn Error>> {
        let cannot =
            |what: &str, error: io::Error| format!("cannot {what} {}: {error}", root.display());
        fs::create_dir_all(root).map_err(|error| cannot("make", error))?;
        let mut entries = fs::read_dir(root).map_err(|error| cannot("read", error))?;
        if entries.next().is_some() {
            let shown = root.display();
            return Err(format!("{shown} is not empty (expected a new or an empty folder)").into());
        }
        Ok(Self { root: root.to_owned(), made: PathBuf::new() })
    }
}

impl Sink for Folder {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.root.join(key);
        let cannot = |error: io::Error| format!("cannot write {}: {error}", path.display());
        if let Some(parent) = path.parent()
            && parent != self.made
        {
            fs::create_dir_all(parent).map_err(cannot)?;
            parent.clone_into(&mut self.made);
        }
        fs::write(&path, bytes).map_err(cannot)?;
        Ok(())
    }
}
