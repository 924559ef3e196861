//! The files that a configuration names, and whether they are what they were. In: the path of a configuration. Out:
//! paths, and what the system says of each. Links are followed: Kubernetes exchanges a link in place of files.

use super::{
    ConfigError, Settings, parse, read,
    rules::{self, ListFile},
    sinks::SinkTable,
    wrong,
};
use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What tells a file from what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size_bytes: u64,
    /// Unit: seconds and nanoseconds since the Unix epoch.
    modified: (i64, i64),
}

impl Stamp {
    /// Of what lies there; nothing where that is nothing.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let of = |metadata: Metadata| {
            // What editors put beside the files of a folder is none of our business.
            let (size_bytes, modified) = if metadata.is_dir() {
                (0, (0, 0))
            } else {
                (metadata.len(), (metadata.mtime(), metadata.mtime_nsec()))
            };
            Self { device: metadata.dev(), inode: metadata.ino(), size_bytes, modified }
        };
        fs::metadata(path).ok().map(of)
    }
}

/// What was seen of a configuration and all that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<PathBuf, Option<Stamp>>);

impl Seen {
    /// Looks at files, and at those of rules below folders.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let all = paths.iter().flat_map(|path| rules::files_at(path));
        Self(all.map(|path| (path.clone(), Stamp::of(&path))).collect())
    }
}

/// The configuration at `path`, and the files and folders that it names as far as it can be understood.
pub(crate) fn named(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let text = read(path)?;
    let (settings, _) = parse(&text).map_err(|fault| wrong(path, &text, fault))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let all = settings.files().into_iter().map(|file| folder.join(file));
    Ok(std::iter::once(path.to_owned()).chain(all).collect())
}

impl Settings {
    /// What it names, relative to the folder of the configuration.
    fn files(&self) -> Vec<&Path> {
        let Self { city_database, accounts, suppressions, rules, rules_of_others, .. } = self;
        let single = [city_database, accounts, suppressions].into_iter().flatten();
        let paths = single.chain(rules).chain(rules_of_others).map(PathBuf::as_path);
        let lists = self.lists.values().map(ListFile::file);
        paths.chain(lists).chain(self.sinks.values().flat_map(SinkTable::files)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::Folder;
    use std::os::unix::fs::symlink;

    #[test]
    fn everything_that_a_configuration_reads_is_looked_at() {
        let folder = Folder::new("files");
        let config = folder.file(
            "accounts = \"a\"\nsuppressions = \"b\"\ncity-database = \"c\"\nrules = [\"d\"]\n\
             rules-of-others = [\"e\"]\nlists.l.file = \"f\"\n[sinks.s]\ntype = \"webhook\"\n\
             url-file = \"g\"\nsecret-file = [\"h\", \"i\"]\nheaders = { X-Key = { file = \"j\" } }\n\
             [sinks.t]\ntype = \"webhook\"\nurl-file = \"k\"\nbody = \"l\"\n[sinks.u]\ntype = \"pagerduty\"\n\
             key-file = \"m\"\n",
        );
        let named = named(&config).unwrap();
        let names = named.iter().filter_map(|path| path.file_name()?.to_str());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
        assert_eq!(names, [&letters[..], &["sentrail.toml"]].concat());
    }

    #[test]
    fn a_file_is_another_when_its_content_or_what_a_link_leads_to_is() {
        let folder = Folder::new("stamps");
        let config = folder.file("");
        let parent = config.parent().unwrap();
        for (name, text) in [("1", "a"), ("2", "bb")] {
            fs::create_dir(parent.join(name)).unwrap();
            fs::write(parent.join(name).join("r.yml"), text).unwrap();
        }
        symlink("1", parent.join("..data")).unwrap();
        fs::create_dir(parent.join("rules")).unwrap();
        symlink("../..data/r.yml", parent.join("rules/r.yml")).unwrap();
        let look = || Seen::of(&[parent.join("rules"), parent.join("none")]);
        let before = look();
        assert_eq!(look(), before);
        symlink("2", parent.join("..next")).unwrap();
        fs::rename(parent.join("..next"), parent.join("..data")).unwrap();
        let exchanged = look();
        assert_ne!(exchanged, before);
        fs::write(parent.join("rules/new.yml"), "").unwrap();
        let added = look();
        assert_ne!(added, exchanged);
        fs::write(parent.join("none"), "").unwrap();
        assert_ne!(look(), added);
    }
}
