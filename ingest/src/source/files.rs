//! Lists log files on disk. In: files, folders, patterns and `-`. Out: a [`Listing`] whose order
//! does not depend on how the arguments were written. It looks at names and sizes only.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{DirEntry, FileType, Metadata};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use globset::{GlobBuilder, GlobMatcher};
use xxhash_rust::xxh3::xxh3_128;

use super::key::{AWS_LOGS, last_component};
use super::{
    FILES_MAX, Filter, KeyInfo, Listing, Object, PathArg, Place, Skip, Skips, SourceError,
};

/// File endings that a walk takes for logs, whatever the rest of the name.
const LOG_ENDINGS: [&str; 6] = [".json", ".jsonl", ".ndjson", ".log", ".txt", ".parquet"];

/// Compressions a log may have behind its ending.
const COMPRESSED_ENDINGS: [&str; 3] = [".gz", ".zst", ".zstd"];

/// Names that labelled data sets give to their answers; a walk takes no log of such a name.
const ANSWERS: [&str; 3] = ["truth.json", "label.json", "session.json"];

/// The ending of the answer that lies beside a single test file.
const ANSWER_ENDING: &str = ".expected.json";

/// The ending of what Iceberg keeps beside the tables of Security Lake.
const TABLE_ENDING: &str = ".metadata.json";

/// Characters that make an argument a pattern.
const PATTERN_CHARS: [char; 4] = ['*', '?', '[', '{'];

/// A file that one of the arguments led to.
#[derive(Debug)]
struct Found {
    object: Object,
    /// Hash of its path without links and dots: two spellings of one file are equal here.
    canonical: u128,
    /// Named itself or by a pattern, not met in a folder.
    named: bool,
}

impl Found {
    fn of(
        path: PathBuf,
        (key, canonical): (&str, &Path),
        metadata: &Metadata,
        named: bool,
    ) -> Self {
        // What a path grew by is not kept.
        let path = PathBuf::from(path.into_os_string().into_boxed_os_str().into_os_string());
        let (size_bytes, modified_ms) = (metadata.len(), modified_ms(metadata));
        let object = Object::new(Place::File(path), key, size_bytes, modified_ms);
        let canonical = xxh3_128(canonical.as_os_str().as_encoded_bytes());
        Self { object, canonical, named }
    }

    fn path(&self) -> Option<&Path> {
        match &self.object.place {
            Place::File(path) => Some(path),
            Place::Stdin => None,
            #[cfg(feature = "aws")]
            Place::S3(_) => None,
        }
    }
}

/// Lists everything that the arguments lead to and the filter does not exclude.
///
/// A path that does not exist, a folder that cannot be read and a pattern that matches nothing
/// are errors, as is a filter that nothing can pass: an analyst must not take silence for an
/// answer.
pub fn list(paths: &[PathArg], filter: &Filter) -> Result<Listing, SourceError> {
    list_at_most(FILES_MAX, paths, filter)
}

fn list_at_most(
    files_max: usize,
    paths: &[PathArg],
    filter: &Filter,
) -> Result<Listing, SourceError> {
    filter.check()?;
    let mut walk = Walk { files_max, filter, met: 0, found: Vec::new(), skipped: Skips::default() };
    let mut stdin = false;
    for path in paths {
        match path {
            PathArg::Stdin if stdin => walk.skipped.add(Skip::Duplicate),
            PathArg::Stdin => stdin = true,
            PathArg::Path(path) => walk.argument(path)?,
        }
    }
    let Walk { mut found, mut skipped, .. } = walk;
    merge_duplicates(&mut found, &mut skipped);
    let mut objects = Vec::new();
    if stdin {
        objects.push(Object::new(Place::Stdin, "-", 0, None));
    }
    for file in found {
        match object(file, filter) {
            Ok(object) => objects.push(object),
            Err(skip) => skipped.add(skip),
        }
    }
    sort(&mut objects);
    Ok(Listing { objects, skipped })
}

/// Brings objects into the order in which they are read: by stamp, then key, then path.
pub(crate) fn sort(objects: &mut [Object]) {
    fn order(object: &Object) -> (bool, Option<i64>, &[u8], Option<&Path>) {
        let path = match &object.place {
            Place::Stdin => None,
            Place::File(path) => Some(path.as_path()),
            #[cfg(feature = "aws")]
            Place::S3(at) => Some(Path::new(&*at.key)),
        };
        (object.stamp_ms.is_none(), object.stamp_ms, object.key_bytes(), path)
    }
    objects.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
}

/// Keeps one of several ways to the same file: the first by spelling, so that the order of the
/// arguments does not show.
fn merge_duplicates(found: &mut Vec<Found>, skipped: &mut Skips) {
    // Few are equal: the rest of the order is hardly ever asked for.
    found.sort_unstable_by(|a, b| {
        a.canonical.cmp(&b.canonical).then_with(|| a.path().cmp(&b.path()))
    });
    found.dedup_by(|later, kept| {
        let same = later.canonical == kept.canonical;
        if same {
            kept.named |= later.named;
            skipped.add(Skip::Duplicate);
        }
        same
    });
}

/// The object that a file is, or why it is left out.
fn object(file: Found, filter: &Filter) -> Result<Object, Skip> {
    if file.named {
        if let Some(skip) = unwanted(&file.object.info(), filter) {
            return Err(skip);
        }
    } else {
        if !is_log_name(file.path().and_then(Path::file_name)) {
            return Err(Skip::NotALog);
        }
        if file.object.size_bytes == 0 {
            return Err(Skip::Empty);
        }
    }
    Ok(file.object)
}

/// Why an object is left out for what its name says.
pub(crate) fn unwanted(info: &KeyInfo<'_>, filter: &Filter) -> Option<Skip> {
    Skip::of_kind(info.kind).or_else(|| filter.excludes(info))
}

/// The key of a file and what it says. From inside an archive (`cd AWSLogs/...`) the path as
/// given lacks the folders, the canonical one has them.
fn key_of<'p>(path: &'p Path, canonical: &'p Path) -> Cow<'p, str> {
    let given = slashed(path);
    from_aws_logs(&given).or_else(|| from_aws_logs(&slashed(canonical))).unwrap_or(given)
}

/// What stands from `AWSLogs/` on.
fn from_aws_logs<'p>(key: &Cow<'p, str>) -> Option<Cow<'p, str>> {
    let at = last_component(key, AWS_LOGS)?;
    match key {
        Cow::Borrowed(key) => key.get(at..).map(Cow::Borrowed),
        Cow::Owned(key) => key.get(at..).map(|key| Cow::Owned(key.to_owned())),
    }
}

/// A path written as keys are.
fn slashed(path: &Path) -> Cow<'_, str> {
    let path = path.strip_prefix(".").unwrap_or(path);
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text } else { Cow::Owned(text.replace('\\', "/")) }
}

/// Whether a walk takes a file of this name for a log.
pub(crate) fn is_log_name(name: Option<&OsStr>) -> bool {
    let Some(name) = name else { return false };
    let name = name.to_string_lossy().to_ascii_lowercase();
    if ANSWERS.contains(&name.as_str())
        || name.ends_with(ANSWER_ENDING)
        || name.ends_with(TABLE_ENDING)
    {
        return false;
    }
    let plain = COMPRESSED_ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name.as_str());
    LOG_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// What the arguments have led to so far.
struct Walk<'a> {
    files_max: usize,
    filter: &'a Filter,
    /// Files met that an argument meant, left out or not.
    met: usize,
    found: Vec<Found>,
    skipped: Skips,
}

/// A folder still to be walked.
struct Folder {
    path: PathBuf,
    canonical: PathBuf,
    /// Folders above it, up to the argument.
    depth: usize,
}

/// Which files below a folder a pattern means.
struct Pattern {
    matcher: GlobMatcher,
    /// Folders that it can reach down through.
    depth_max: usize,
}

impl Walk<'_> {
    fn argument(&mut self, path: &Path) -> Result<(), SourceError> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, None),
            Ok(metadata) => {
                let canonical = canonical(path)?;
                let key = key_of(path, &canonical);
                self.add(Found::of(path.to_owned(), (&key, &canonical), &metadata, true))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match path.to_str().filter(|text| text.contains(PATTERN_CHARS)) {
                    Some(pattern) => self.pattern(pattern),
                    None => Err(SourceError::NotFound { path: path.to_owned() }),
                }
            }
            Err(source) => Err(SourceError::Unreadable { path: path.to_owned(), source }),
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), SourceError> {
        let (base, rest) = split_pattern(Path::new(pattern));
        let matcher = GlobBuilder::new(&rest.to_string_lossy())
            .literal_separator(true)
            .build()
            .map_err(|source| SourceError::BadPattern { pattern: pattern.to_owned(), source })?
            .compile_matcher();
        let any_depth = rest.to_string_lossy().contains("**");
        let depth_max = if any_depth { usize::MAX } else { rest.components().count() };
        if !base.is_dir() {
            return Err(SourceError::NotFound { path: base });
        }
        // Files that match and are then left out for another reason are no typing mistake.
        let before = self.met;
        self.folder(&base, Some(&Pattern { matcher, depth_max }))?;
        if self.met == before {
            return Err(SourceError::NothingMatches { pattern: pattern.to_owned() });
        }
        Ok(())
    }

    /// Walks a folder; with a pattern only what matches below it is taken, and what does not is
    /// no concern of the user's.
    fn folder(&mut self, root: &Path, pattern: Option<&Pattern>) -> Result<(), SourceError> {
        let canonical_root = canonical(root)?;
        // A link may lead back up or make one folder reachable in very many ways: each is walked
        // once for an argument.
        let mut walked = HashSet::from([canonical_root.clone()]);
        let mut open = vec![Folder { path: root.to_owned(), canonical: canonical_root, depth: 0 }];
        while let Some(folder) = open.pop() {
            let entries = match self.entries(&folder.path) {
                // It went away meanwhile.
                Err(SourceError::Unreadable { source, .. })
                    if source.kind() == ErrorKind::NotFound && folder.depth > 0 =>
                {
                    continue;
                }
                entries => entries?,
            };
            for entry in entries {
                let (path, canonical, file_type) = match resolve(&folder, &entry)? {
                    Ok(resolved) => resolved,
                    Err(skip) => {
                        self.skip(skip, pattern);
                        continue;
                    }
                };
                if file_type.is_dir() {
                    let depth = folder.depth + 1;
                    if pattern.is_some_and(|pattern| depth >= pattern.depth_max) {
                        continue;
                    }
                    if walked.insert(canonical.clone()) {
                        open.push(Folder { path, canonical, depth });
                    } else {
                        self.skip(Skip::Duplicate, pattern);
                    }
                    continue;
                }
                let below = || path.strip_prefix(root).unwrap_or(&path);
                if pattern.is_some_and(|pattern| !pattern.matcher.is_match(below())) {
                    continue;
                }
                if file_type.is_file() {
                    self.file(&entry, (path, canonical), pattern.is_some())?;
                } else {
                    self.skip(Skip::NotAFile, pattern);
                }
            }
        }
        Ok(())
    }

    /// Takes a file met in a folder, unless its name says that nobody asked for it: one day of a
    /// large archive must not cost the memory of all of it.
    fn file(
        &mut self,
        entry: &DirEntry,
        (path, canonical): (PathBuf, PathBuf),
        named: bool,
    ) -> Result<(), SourceError> {
        self.met += 1;
        let key = key_of(&path, &canonical);
        if let Some(skip) = unwanted(&KeyInfo::of(&key), self.filter) {
            self.skipped.add(skip);
            return Ok(());
        }
        let metadata = match metadata_of(entry, &path) {
            Ok(metadata) => metadata,
            // It went away meanwhile: where logs are kept for some days only, there is always one.
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(SourceError::Unreadable { path, source }),
        };
        self.add(Found::of(path.clone(), (&key, &canonical), &metadata, named))
    }

    fn skip(&mut self, skip: Skip, pattern: Option<&Pattern>) {
        if pattern.is_none() {
            self.skipped.add(skip);
        }
    }

    fn add(&mut self, found: Found) -> Result<(), SourceError> {
        if self.found.len() >= self.files_max {
            return Err(SourceError::TooMany { limit: self.files_max });
        }
        self.found.push(found);
        Ok(())
    }

    /// What a folder holds, by name backwards: of two links to one folder always the same is
    /// followed, and the stack of folders turns the order round.
    fn entries(&self, folder: &Path) -> Result<Vec<DirEntry>, SourceError> {
        let mut entries = std::fs::read_dir(folder)
            .and_then(|entries| {
                entries.take(self.files_max.saturating_add(1)).collect::<std::io::Result<Vec<_>>>()
            })
            .map_err(|source| SourceError::Unreadable { path: folder.to_owned(), source })?;
        if entries.len() > self.files_max {
            return Err(SourceError::TooMany { limit: self.files_max });
        }
        entries.sort_by_cached_key(|entry| std::cmp::Reverse(entry.file_name()));
        Ok(entries)
    }
}

/// Path, canonical path and type of what an entry leads to.
type Resolved = (PathBuf, PathBuf, FileType);

/// Where an entry of a folder leads, or why it is passed over.
fn resolve(folder: &Folder, entry: &DirEntry) -> Result<Result<Resolved, Skip>, SourceError> {
    let name = entry.file_name();
    if is_hidden(&name) {
        return Ok(Err(Skip::Hidden));
    }
    let path = entry.path();
    let file_type = entry
        .file_type()
        .map_err(|source| SourceError::Unreadable { path: path.clone(), source })?;
    if !file_type.is_symlink() {
        return Ok(Ok((path, folder.canonical.join(&name), file_type)));
    }
    // A link that turns in circles is broken as well.
    let Ok(metadata) = std::fs::metadata(&path) else { return Ok(Err(Skip::BrokenLink)) };
    let canonical = canonical(&path)?;
    Ok(Ok((path, canonical, metadata.file_type())))
}

/// What the system says of the file that an entry leads to. An entry knows its open folder, which spares the
/// system the walk down the path.
fn metadata_of(entry: &DirEntry, path: &Path) -> std::io::Result<Metadata> {
    let is_link = entry.file_type()?.is_symlink();
    if is_link { std::fs::metadata(path) } else { entry.metadata() }
}

/// When a file was last changed, where the system knows. Unit: milliseconds since the Unix epoch.
fn modified_ms(metadata: &Metadata) -> Option<i64> {
    let modified = metadata.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH);
    let ms = |apart: Duration| i64::try_from(apart.as_millis()).ok();
    since.map_or_else(|before| ms(before.duration()).map(|ms| -ms), ms)
}

fn canonical(path: &Path) -> Result<PathBuf, SourceError> {
    // A pipe of the shell (`<(zcat ...)`) has no canonical path; it can be read all the same.
    match std::fs::canonicalize(path) {
        Ok(canonical) => Ok(canonical),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(path.to_owned()),
        Err(source) => Err(SourceError::Unreadable { path: path.to_owned(), source }),
    }
}

/// The folder in front of a pattern's first special character, and the pattern below it.
fn split_pattern(pattern: &Path) -> (PathBuf, PathBuf) {
    let is_special = |part: &Component<'_>| {
        part.as_os_str().to_str().is_some_and(|text| text.contains(PATTERN_CHARS))
    };
    let parts: Vec<Component<'_>> = pattern.components().collect();
    let at = parts.iter().position(is_special).unwrap_or(parts.len());
    let (base, rest) = parts.split_at(at);
    let base: PathBuf = base.iter().collect();
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    (base, rest.iter().collect())
}

#[cfg(test)]
mod tests;
