//! Where objects come from and in which order they are read. In: paths, folders and patterns. Out:
//! a listing in an order that depends on the logs alone. It opens no object and reads no clock. With the
//! feature `aws`, also buckets and the queues that tell of new objects.

#[cfg(feature = "aws")]
pub mod calls;
pub(crate) mod files;
#[cfg(feature = "aws")]
mod gate;
pub(crate) mod key;
#[cfg(feature = "aws")]
pub mod s3;
#[cfg(feature = "aws")]
pub mod session;
pub mod spool;
#[cfg(feature = "aws")]
pub mod sqs;
#[cfg(feature = "aws")]
pub mod unsigned;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{Event, Text};

pub use files::list;
pub use key::{KeyInfo, Kind};

/// Lateness that counts as normal, when nothing else is set. Unit: milliseconds (24 h).
pub(crate) const LATENESS_MS_DEFAULT: i64 = 24 * 60 * 60 * 1_000;

/// What a stamp's minute resolution hides: the stamp 10:05 stands for up to 10:05:59.999. Unit:
/// milliseconds.
pub(crate) const STAMP_RESOLUTION_MS: i64 = 60 * 1_000;

/// Files that one listing, or one folder in it, may hold; what the filter excludes by name is not
/// held. At about 300 bytes each a listing stays below 3 GB. Unit: files.
pub(crate) const FILES_MAX: usize = 8_000_000;

/// Why the inputs could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path that does not exist, and is no pattern either.
    #[error("no such file or folder: {}", .path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// A file or folder that cannot be looked at.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A pattern with a mistake in it.
    #[error("bad pattern \"{pattern}\" (expected a pattern such as \"logs/**/*.json.gz\")")]
    BadPattern {
        /// The pattern as given.
        pattern: String,
        /// The mistake.
        source: globset::Error,
    },
    /// A pattern that matches nothing, which is nearly always a typing mistake.
    #[error("no file matches \"{pattern}\" (expected a pattern such as \"logs/**/*.json.gz\")")]
    NothingMatches {
        /// The pattern as given.
        pattern: String,
    },
    /// An account asked for that is none, and so would silently exclude everything.
    #[error("not an account: \"{account}\" (expected 12 digits such as 123456789012)")]
    BadAccount {
        /// The account as given.
        account: String,
    },
    /// A region asked for that is none, and so would silently exclude everything.
    #[error("not a region: \"{region}\" (expected a region such as eu-west-1)")]
    BadRegion {
        /// The region as given.
        region: String,
    },
    /// Nothing lies between the bounds.
    #[error("no time lies from {from} until {until} (expected the first to be earlier)")]
    NoTime {
        /// [`Filter::from_ms`] in words.
        from: String,
        /// [`Filter::until_ms`] in words.
        until: String,
    },
    /// More files than a listing holds.
    #[error("more than {limit} files (expected fewer: name fewer folders, or ask for less time)")]
    TooMany {
        /// The bound. Unit: files.
        limit: usize,
    },
}

/// One input as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathArg {
    /// `-`: the standard input, which the caller reads.
    Stdin,
    /// A file, a folder or a pattern.
    Path(PathBuf),
}

impl PathArg {
    /// Reads an argument: `-` is the standard input, all else a path.
    pub fn new(argument: impl Into<PathBuf>) -> Self {
        let path = argument.into();
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path) }
    }
}

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The standard input.
    Stdin,
    /// A file, spelled as the user or the walk spelled it.
    File(PathBuf),
    /// An object in a bucket.
    #[cfg(feature = "aws")]
    S3(Box<s3::S3Object>),
}

impl Place {
    /// What a key may be the end of.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Stdin => None,
            Self::File(path) => path.to_str(),
            #[cfg(feature = "aws")]
            Self::S3(object) => Some(&object.key),
        }
    }
}

/// One object to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where its bytes are.
    pub place: Place,
    /// Its size as stored; 0 for the standard input and for pipes. Unit: bytes.
    pub size_bytes: u64,
    /// When a file was last changed, by its folder. Unit: milliseconds since the Unix epoch.
    pub modified_ms: Option<i64>,
    /// What it holds, as far as its name tells.
    pub kind: Kind,
    /// When AWS wrote it, as far as its name tells. Unit: milliseconds since the Unix epoch.
    pub stamp_ms: Option<i64>,
    key: Key,
}

/// A key takes no room of its own where it is the end of the path: listings hold millions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// From this byte on.
    End(usize),
    Own(Box<str>),
}

impl Object {
    /// The object of this key: what stands from `AWSLogs/` on where there is that, else its path as given. Unit:
    /// bytes; milliseconds since the Unix epoch.
    pub fn new(place: Place, key: &str, size_bytes: u64, modified_ms: Option<i64>) -> Self {
        let KeyInfo { kind, stamp_ms, .. } = KeyInfo::of(key);
        let at = place.text().and_then(|text| text.strip_suffix(key)).map(str::len);
        let key = at.map_or_else(|| Key::Own(key.into()), Key::End);
        Self { place, size_bytes, modified_ms, kind, stamp_ms, key }
    }

    /// What it is sorted by, and what findings call it.
    pub fn key(&self) -> &str {
        match &self.key {
            Key::End(at) => self.place.text().and_then(|text| text.get(*at..)).unwrap_or_default(),
            Key::Own(key) => key,
        }
    }

    /// The bytes of its key, which need not be looked at to be compared.
    fn key_bytes(&self) -> &[u8] {
        match (&self.key, &self.place) {
            (Key::Own(key), _) => key.as_bytes(),
            (Key::End(at), Place::File(path)) => {
                path.as_os_str().as_encoded_bytes().get(*at..).unwrap_or_default()
            }
            (Key::End(_), _) => self.key().as_bytes(),
        }
    }

    /// All that its key says.
    pub fn info(&self) -> KeyInfo<'_> {
        KeyInfo::of(self.key())
    }

    /// What tells it from other versions of it, if anything does: of an object in a bucket its entity tag, of a
    /// file when it was last changed.
    pub fn version(&self) -> Option<Cow<'_, str>> {
        match &self.place {
            Place::Stdin => None,
            Place::File(_) => self.modified_ms.map(|at_ms| Cow::Owned(at_ms.to_string())),
            #[cfg(feature = "aws")]
            Place::S3(at) => at.etag.as_deref().map(Cow::Borrowed),
        }
    }
}

/// What to read of an archive; the default is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// First instant asked for. Unit: milliseconds since the Unix epoch. `None`: no bound.
    pub from_ms: Option<i64>,
    /// First instant no longer asked for. Unit: milliseconds since the Unix epoch. `None`: no
    /// bound.
    pub until_ms: Option<i64>,
    /// Accounts asked for; empty: all.
    pub accounts: Vec<String>,
    /// Regions asked for; empty: all.
    pub regions: Vec<String>,
    /// How late a record may be and still be looked for; 24 hours if nothing else is set. Unit:
    /// milliseconds, 0 or more.
    pub lateness_ms: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            from_ms: None,
            until_ms: None,
            accounts: Vec::new(),
            regions: Vec::new(),
            lateness_ms: LATENESS_MS_DEFAULT,
        }
    }
}

impl Filter {
    /// Refuses a filter that nothing could pass: an empty answer must not come from a typing
    /// mistake.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        if let Some(account) = self.accounts.iter().find(|account| !key::is_account(account)) {
            return Err(SourceError::BadAccount { account: account.clone() });
        }
        if let Some(region) = self.regions.iter().find(|region| !key::is_region(region)) {
            return Err(SourceError::BadRegion { region: region.clone() });
        }
        match (self.from_ms, self.until_ms) {
            (Some(from_ms), Some(until_ms)) if from_ms >= until_ms => {
                let (from, until) = (in_words(from_ms), in_words(until_ms));
                Err(SourceError::NoTime { from, until })
            }
            _ => Ok(()),
        }
    }

    /// Whether this account is asked for.
    pub fn admits_account(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|wanted| wanted == account)
    }

    /// Whether this moment is asked for. Unit: milliseconds since the Unix epoch.
    pub fn admits_time(&self, time_ms: i64) -> bool {
        self.from_ms.is_none_or(|from_ms| time_ms >= from_ms)
            && self.until_ms.is_none_or(|until_ms| time_ms < until_ms)
    }

    /// Whether a record is asked for; its object can hold others.
    pub fn admits(&self, event: &Event<'_>) -> bool {
        let in_region = |region: Text<'_>| self.regions.iter().any(|wanted| wanted == region.0);
        let is_of_account = || event.account().is_some_and(|text| self.admits_account(text.0));
        self.admits_time(event.time_ms)
            && (self.regions.is_empty() || event.region.is_some_and(in_region))
            && (self.accounts.is_empty() || is_of_account())
    }

    /// Why an object of this name cannot hold anything asked for, if it cannot.
    ///
    /// An object stamped `s` holds records of the time from `s - lateness` to `s`: what is dated
    /// after its stamp counts as of the stamp. So it is left out when `s` lies before `from`, or
    /// `s - lateness` at or after `until`. A name that does not tell is kept, and its records are
    /// looked at one by one.
    pub(crate) fn excludes(&self, info: &KeyInfo<'_>) -> Option<Skip> {
        if info.account.is_some_and(|account| !self.admits_account(account)) {
            return Some(Skip::Account);
        }
        let in_region = |wanted: &String| info.is_in_region(wanted).unwrap_or(true);
        if !self.regions.is_empty() && !self.regions.iter().any(in_region) {
            return Some(Skip::Region);
        }
        let stamp_ms = info.stamp_ms?;
        let last_ms = stamp_ms.saturating_add(STAMP_RESOLUTION_MS);
        let first_ms = stamp_ms.saturating_sub(self.lateness_ms);
        let before = self.from_ms.is_some_and(|from_ms| last_ms <= from_ms);
        let after = self.until_ms.is_some_and(|until_ms| first_ms >= until_ms);
        (before || after).then_some(Skip::Time)
    }
}

fn in_words(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |t| t.to_string())
}

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// Given twice.
    Duplicate,
    /// Of an earlier run that this one goes on with.
    ReadBefore,
    /// So old that an earlier run no longer knows whether it was read.
    LongAgo,
    /// Of a time that is still to come.
    ToCome,
    /// [`Filter::accounts`].
    Account,
    /// [`Filter::regions`].
    Region,
    /// [`Filter::from_ms`] and [`Filter::until_ms`].
    Time,
    /// [`Kind::Insight`].
    Insight,
    /// [`Kind::Aggregated`].
    Aggregated,
    /// [`Kind::Digest`].
    Digest,
    /// [`Kind::Lake`].
    Lake,
    /// [`Kind::WritabilityCheck`].
    WritabilityCheck,
    /// [`Kind::OtherService`].
    OtherService,
    /// An empty file in a folder.
    Empty,
    /// A hidden file or folder in a folder.
    Hidden,
    /// A file in a folder that is not named like a log.
    NotALog,
    /// A pipe, socket or device in a folder.
    NotAFile,
    /// A symbolic link in a folder that leads nowhere.
    BrokenLink,
}

impl Skip {
    /// Every reason, in the order in which they are told.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 18] = [
        Self::Duplicate,
        Self::ReadBefore,
        Self::LongAgo,
        Self::ToCome,
        Self::Account,
        Self::Region,
        Self::Time,
        Self::Insight,
        Self::Aggregated,
        Self::Digest,
        Self::Lake,
        Self::WritabilityCheck,
        Self::OtherService,
        Self::Empty,
        Self::Hidden,
        Self::NotALog,
        Self::NotAFile,
        Self::BrokenLink,
    ];

    /// The reason in words that stand behind a count.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Duplicate => "given more than once, read once",
            Self::ReadBefore => "read by an earlier run",
            Self::LongAgo => "written over 45 days before the newest of earlier runs",
            Self::ToCome => "named with a time that is still to come",
            Self::Account => "of an account that was not asked for",
            Self::Region => "of a region that was not asked for",
            Self::Time => "written outside the time asked for",
            Self::Insight => "CloudTrail Insights, which hold no events",
            Self::Aggregated => "aggregated CloudTrail events, not supported yet",
            Self::Digest => "CloudTrail digests, which hold no events",
            Self::Lake => "query results of CloudTrail Lake",
            Self::WritabilityCheck => "writability checks, which are empty",
            Self::OtherService => "logs of another AWS service",
            Self::Empty => "empty files or folder markers",
            Self::Hidden => "hidden files or folders",
            Self::NotALog => "not a log by its name (name the file itself to read it)",
            Self::NotAFile => "neither a file nor a folder",
            Self::BrokenLink => "symbolic links that lead nowhere",
        }
    }

    /// The reason to leave out every object of this kind, if it is not read.
    pub(crate) fn of_kind(kind: Kind) -> Option<Self> {
        match kind {
            Kind::CloudTrail | Kind::FlowLog | Kind::Unknown => None,
            Kind::Insight => Some(Self::Insight),
            Kind::Aggregated => Some(Self::Aggregated),
            Kind::Digest => Some(Self::Digest),
            Kind::Lake => Some(Self::Lake),
            Kind::WritabilityCheck => Some(Self::WritabilityCheck),
            Kind::FolderMarker => Some(Self::Empty),
            Kind::OtherService => Some(Self::OtherService),
        }
    }
}

/// How many files were left out, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skips(BTreeMap<Skip, u64>);

impl Skips {
    /// Counts one more.
    pub fn add(&mut self, skip: Skip) {
        *self.0.entry(skip).or_default() += 1;
    }

    /// Counts what others counted.
    #[cfg(feature = "aws")]
    pub(crate) fn merge(&mut self, others: &Self) {
        for (skip, count) in others.iter() {
            *self.0.entry(skip).or_default() += count;
        }
    }

    /// How many were left out for this reason.
    #[cfg(test)]
    pub(crate) fn count(&self, skip: Skip) -> u64 {
        self.0.get(&skip).copied().unwrap_or_default()
    }

    /// How many were left out in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The reasons that occurred, with their counts, in the order of [`Skip`].
    pub fn iter(&self) -> impl Iterator<Item = (Skip, u64)> {
        self.0.iter().map(|(skip, count)| (*skip, *count))
    }
}

/// What is to be read, in order, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// By stamp, then key, then path; objects without a stamp come last.
    pub objects: Vec<Object>,
    /// What was left out.
    pub skipped: Skips,
}

#[cfg(feature = "aws")]
impl Listing {
    /// Takes what another has, too.
    pub fn merge(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.skipped.merge(&other.skipped);
        files::sort(&mut self.objects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification;

    const LIMITS: &str = include_str!("../../docs/limits.md");

    #[test]
    fn the_page_of_limits_names_every_reason() {
        for skip in Skip::ALL {
            let row = format!("\n| {} | ", skip.sentence());
            assert!(LIMITS.contains(&row), "add a row to docs/limits.md: {row}");
        }
    }

    #[test]
    fn the_page_of_limits_gives_the_bounds_in_force() {
        for (name, bound) in [
            ("source::FILES_MAX", format!("{FILES_MAX} files")),
            ("source::LATENESS_MS_DEFAULT", format!("{LATENESS_MS_DEFAULT} ms")),
            ("source::STAMP_RESOLUTION_MS", format!("{STAMP_RESOLUTION_MS} ms")),
            ("spool::MEMORY_BYTES_MAX", format!("{} bytes", spool::MEMORY_BYTES_MAX)),
            ("spool::CHUNK_BYTES", format!("{} bytes", spool::CHUNK_BYTES)),
            ("notification::BODY_BYTES_MAX", format!("{} bytes", notification::BODY_BYTES_MAX)),
            ("notification::ENVELOPES_MAX", format!("{} envelopes", notification::ENVELOPES_MAX)),
            ("notification::BRACES_MAX", format!("{} braces", notification::BRACES_MAX)),
        ] {
            let row = format!("\n| `{name}` | {bound} | ");
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
    }

    #[test]
    fn a_filter_that_nothing_could_pass_is_refused() {
        let refused = |filter: Filter| filter.check().unwrap_err().to_string();
        let accounts = vec!["123456789012".to_owned(), "1234-5678-9012".to_owned()];
        assert_eq!(
            refused(Filter { accounts, ..Filter::default() }),
            "not an account: \"1234-5678-9012\" (expected 12 digits such as 123456789012)"
        );
        assert_eq!(
            refused(Filter { regions: vec!["Ireland".to_owned()], ..Filter::default() }),
            "not a region: \"Ireland\" (expected a region such as eu-west-1)"
        );
        let same = Filter { from_ms: Some(0), until_ms: Some(0), ..Filter::default() };
        assert_eq!(
            refused(same),
            "no time lies from 1970-01-01T00:00:00Z until 1970-01-01T00:00:00Z \
             (expected the first to be earlier)"
        );
        assert!(Filter::default().check().is_ok());
    }

    #[test]
    fn the_first_bound_is_asked_for_and_the_second_is_not() {
        let filter = Filter { from_ms: Some(5), until_ms: Some(10), ..Filter::default() };
        let admitted: Vec<i64> = (0..20).filter(|time_ms| filter.admits_time(*time_ms)).collect();
        assert_eq!(admitted, [5, 6, 7, 8, 9]);
    }

    #[test]
    fn skips_are_told_in_their_order() {
        let mut skips = Skips::default();
        for skip in [Skip::Hidden, Skip::Duplicate, Skip::Hidden] {
            skips.add(skip);
        }
        assert_eq!(skips.iter().collect::<Vec<_>>(), [(Skip::Duplicate, 1), (Skip::Hidden, 2)]);
        assert_eq!((skips.total(), skips.count(Skip::Time)), (3, 0));
    }
}
