//! The copy of the user's logs. The originals are only read: what is written goes to new files.

use super::{Unusable, learn::Beside};
use anyhow::{Context, Result, anyhow};
use ingest::decode::{WHOLE_BYTES_MAX, gunzip};
use std::{
    collections::BTreeSet,
    error::Error,
    fs, io,
    path::{Component, Path, PathBuf},
};
use testdata::{
    aws::gzip,
    folder::Folder,
    post::Sink,
    truth::{Account, TRUTH, Truth},
};

/// The folder under which AWS services deliver their logs.
const AWS_LOGS: &str = "AWSLogs";

/// Where the copy goes.
pub(super) struct Target {
    source: PathBuf,
    to: PathBuf,
    folder: Folder,
    /// The folders of the source from `AWSLogs` on, where it lies inside an archive: so that names
    /// say in the copy what they said.
    inside: PathBuf,
    /// The stories that the source already had.
    truth: Truth,
}

impl Target {
    /// Makes the folder `to`, which must be new or empty, and not inside of `source`.
    pub(super) fn new(source: &Path, to: &Path) -> Result<Self> {
        let shown = source.display();
        if !source.is_dir() {
            return Err(Unusable(format!("no such folder: {shown}")).into());
        }
        let whole = fs::canonicalize(source).with_context(|| format!("cannot read {shown}"))?;
        if absolute(to)?.starts_with(&whole) {
            let to = to.display();
            let what = format!(
                "{to} lies in {shown} (expected a folder outside: the source stays as it is)"
            );
            return Err(Unusable(what).into());
        }
        let folder = Folder::create(to).map_err(|error| Unusable(error.to_string()))?;
        let parts: Vec<Component<'_>> = whole.components().collect();
        let at = parts.iter().rposition(|part| part.as_os_str() == AWS_LOGS);
        let inside = parts.iter().skip(at.unwrap_or(parts.len())).collect();
        let truth = match fs::read(whole.join(TRUTH)) {
            Ok(text) => Truth::read(&text).map_err(|error| {
                let what = "expected the stories of an earlier copy, or no such file";
                Unusable(format!("{shown}/{TRUTH}: {error} ({what})"))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Truth::default(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {shown}/{TRUTH}"));
            }
        };
        Ok(Self { source: source.to_owned(), to: to.to_owned(), folder, inside, truth })
    }

    /// Copies every file and answers how many there were. Links are followed, so that nothing in the
    /// copy leads back.
    pub(super) fn copy(&self) -> Result<u64> {
        let mut n = 0;
        let cannot = |what: &str, path: &Path| format!("cannot {what} {}", path.display());
        let whole = |path: &Path| fs::canonicalize(path).with_context(|| cannot("read", path));
        // A link may lead to a folder that the copy lies in.
        let mut walked = BTreeSet::from([whole(&self.to)?, whole(&self.source)?]);
        let mut open = vec![PathBuf::new()];
        while let Some(below) = open.pop() {
            let folder = self.source.join(&below);
            let copy = self.to.join(&self.inside).join(&below);
            fs::create_dir_all(&copy).with_context(|| cannot("make", &copy))?;
            let entries = fs::read_dir(&folder).with_context(|| cannot("read", &folder))?;
            let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
            let mut names = names.with_context(|| cannot("read", &folder))?;
            // As they are listed for reading: of two links to one folder the last counts.
            names.sort_unstable_by(|one, other| other.cmp(one));
            for name in names {
                let (from, to) = (folder.join(&name), copy.join(&name));
                let is_own_truth = below.as_os_str().is_empty() && name == TRUTH;
                // A link that leads nowhere is nothing to copy.
                let Ok(metadata) = fs::metadata(&from) else { continue };
                if metadata.is_dir() {
                    if walked.insert(whole(&from)?) {
                        open.push(below.join(&name));
                    }
                } else if metadata.is_file() && !is_own_truth {
                    fs::copy(&from, &to).with_context(|| cannot("copy", &from))?;
                    n += 1;
                }
            }
        }
        Ok(n)
    }

    /// Takes objects of the story, which are like `beside` and lie where it does.
    pub(super) fn beside(&mut self, beside: &Beside) -> Neighbour<'_> {
        let below = beside.path.strip_prefix(&self.source).unwrap_or(&beside.path);
        let path = self.inside.join(below);
        let path = path.to_string_lossy().replace('\\', "/");
        // The folders in front of `AWSLogs`; of other names the file's own.
        let key = beside.aws_key();
        let prefix = match path.strip_suffix(key) {
            Some(prefix) if !key.is_empty() => prefix,
            _ if key.is_empty() => path.rsplit_once('/').map_or("", |(folder, _)| folder),
            _ => "",
        };
        let prefix = if prefix.is_empty() || prefix.ends_with('/') {
            prefix.to_owned()
        } else {
            format!("{prefix}/")
        };
        let is_compressed =
            [".gz", ".zst", ".zstd", ".parquet"].iter().any(|ending| path.ends_with(ending));
        Neighbour { folder: &mut self.folder, root: &self.to, prefix, is_compressed }
    }

    /// Writes the truth of the story behind that of others that the source had.
    pub(super) fn tell_truth(mut self, story: Account) -> Result<()> {
        self.truth.stories.push(story);
        let text = self.truth.text()?;
        self.folder.object(TRUTH, text.as_bytes()).map_err(|error| anyhow!("{error}"))
    }
}

/// The path without links and dots, whether it is there or not.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let parts: Vec<Component<'_>> = path.components().collect();
    let mut whole = PathBuf::new();
    for part in parts {
        match part {
            Component::ParentDir => drop(whole.pop()),
            _ => whole.push(part),
        }
        // From the root on, so that a link is followed before what comes after it.
        whole = fs::canonicalize(&whole).unwrap_or(whole);
    }
    Ok(whole)
}

/// Objects beside one of the source's.
pub(super) struct Neighbour<'a> {
    folder: &'a mut Folder,
    root: &'a Path,
    prefix: String,
    is_compressed: bool,
}

impl Sink for Neighbour<'_> {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let plain = key.strip_suffix(".gz").filter(|_| !self.is_compressed);
        let name = format!("{}{}", self.prefix, plain.unwrap_or(key));
        if key.contains("/vpcflowlogs/")
            && let Some((of_slot, all)) = self.of_same_slot(&name, bytes)
        {
            // The copy is replaced, not written into: it has the rights of the original.
            fs::remove_file(self.root.join(&of_slot))?;
            let is_plain = Path::new(&of_slot).extension().is_some_and(|ending| ending == "log");
            let stored = if is_plain { all } else { gzip(&all)? };
            return self.folder.object(&of_slot, &stored);
        }
        if self.root.join(&name).exists() {
            let hint = "expected a story that it does not hold";
            return Err(format!("{name} is there already ({hint})").into());
        }
        match plain {
            Some(_) => self.folder.object(&name, &gunzip(bytes, WHOLE_BYTES_MAX)?),
            None => self.folder.object(&name, bytes),
        }
    }
}

impl Neighbour<'_> {
    /// The copy of an object of the same flow log and stamp as `name`, and its rows with those of
    /// `bytes` behind them. AWS writes all rows of a slot together, and without `flow-direction` it is
    /// by the others that one sees whose side a row is of.
    fn of_same_slot(&self, name: &str, bytes: &[u8]) -> Option<(String, Vec<u8>)> {
        let (slot, _) = name.rsplit_once('_')?;
        let (folder, slot) = slot.rsplit_once('/')?;
        let entries = fs::read_dir(self.root.join(folder)).ok()?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let is_of_slot = |name: &String| {
            let rest = name.strip_prefix(slot).is_some_and(|rest| rest.starts_with('_'));
            rest && [".log", ".log.gz"].iter().any(|ending| name.ends_with(ending))
        };
        let of_slot = format!("{folder}/{}", names.filter(is_of_slot).min()?);
        let there = fs::read(self.root.join(&of_slot)).ok()?;
        let (mut all, rows) =
            (gunzip(&there, WHOLE_BYTES_MAX).ok()?, gunzip(bytes, WHOLE_BYTES_MAX).ok()?);
        let header = rows.iter().position(|byte| *byte == b'\n')? + 1;
        let (header, rows) = rows.split_at_checked(header)?;
        if !all.starts_with(header) {
            return None;
        }
        if all.last() != Some(&b'\n') {
            all.push(b'\n');
        }
        all.extend_from_slice(rows);
        Some((of_slot, all))
    }
}
