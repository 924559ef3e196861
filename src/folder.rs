//! A folder that a simulated archive is written to.

use anyhow::{Context, Result, bail};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};
use testdata::post::Sink;

/// Files under one folder, named as their keys are.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// The folder of the last object: most objects share it with the one before.
    made: PathBuf,
}

impl Folder {
    /// A new or empty folder at `root`; what is already there is never mixed with what is written.
    pub(crate) fn create(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let mut entries =
            fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))?;
        if entries.next().is_some() {
            bail!("{} is not empty (expected a new or an empty folder)", root.display());
        }
        Ok(Self { root: root.to_owned(), made: PathBuf::new() })
    }
}

impl Sink for Folder {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.root.join(key);
        let cannot = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
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
