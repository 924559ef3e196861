//! What was learned, in tables beside those of the findings. In: blobs of an engine. Out: the same, once
//! it is sure that they are all there and fit the configuration.

use super::{
    KeptError, SCHEMA,
    digest::{DIGEST, Digest},
    rows,
};
use baseline::{Day, FormError, HashKey, Lateness, time::HOUR_MS};
use detect::{Blob, Options, Part};
use ingest::time::format_ms;
use std::path::Path;
use store::{Row, Store, StoreError, Value, WrongValue};

/// What helps where it is damaged.
const ANEW: &str = "`sentrail learn` makes it anew";

/// What a hash key makes of this stands for it.
const OF_KEY: &str = "sentrail learn";

/// What was learned: from what, how, and up to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learning {
    /// The last day that has taught.
    pub through: Day,
    /// Setting `lateness`. Unit: hours.
    pub(super) lateness_hours: u64,
    /// Stands for the setting `hash-key`.
    hash_key: String,
    /// Accounts that were asked for; none: all.
    pub(super) accounts: Vec<String>,
    /// Regions that were asked for; none: all.
    pub(super) regions: Vec<String>,
    /// The first moment that was asked for; none: all.
    reads_from: Option<String>,
    pub(super) program_version: String,
    /// Arguments of `sentrail` that the result depends on.
    pub command: Vec<String>,
}

impl Learning {
    /// What these options learn of these accounts and regions, from the moment `from_ms` on, if there is
    /// one, up to `through`. Unit: milliseconds since the Unix epoch.
    pub fn new(
        options: &Options,
        (accounts, regions): (&[String], &[String]),
        (from_ms, through): (Option<i64>, Day),
    ) -> Self {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names.dedup();
            names
        };
        Self {
            through,
            lateness_hours: hours(options.lateness),
            hash_key: of_key(&options.hash_key),
            accounts: sorted(accounts),
            regions: sorted(regions),
            reads_from: from_ms.map(format_ms),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            command: Vec::new(),
        }
    }

    /// The same, by this command.
    #[must_use]
    pub fn by(self, command: Vec<String>) -> Self {
        Self { command, ..self }
    }

    /// What is asked for otherwise, if anything is: days, objects and records would be taken for others.
    pub(super) fn unlike(&self, asked: &Self) -> Option<String> {
        let from = |learning: &Self| learning.reads_from.clone();
        if from(self) != from(asked) {
            let before =
                from(self).map_or("without --from".to_owned(), |at| format!("--from {at}"));
            return Some(before);
        }
        for (what, before, now) in [
            ("account", &self.accounts, &asked.accounts),
            ("region", &self.regions, &asked.regions),
        ] {
            if before != now && before.is_empty() {
                return Some(format!("without --{what}"));
            } else if before != now {
                return Some(format!("with --{what} {}", before.join(", ")));
            }
        }
        self.unfit(asked)
    }

    /// Why `asked` cannot begin with what was learned here, if it cannot.
    fn unfit(&self, asked: &Self) -> Option<String> {
        if self.hash_key != asked.hash_key {
            return Some("with another hash-key (expected that of the configuration)".to_owned());
        }
        if self.lateness_hours != asked.lateness_hours {
            let Self { lateness_hours: learned, .. } = self;
            let asked = asked.lateness_hours;
            return Some(format!("with lateness = \"{learned}h\" (expected \"{asked}h\")"));
        }
        let names = [
            ("account", &self.accounts, &asked.accounts),
            ("region", &self.regions, &asked.regions),
        ];
        for (what, learned, asked) in names {
            // Days of others would count as learned, and never were.
            let is_within = !asked.is_empty() && asked.iter().all(|one| learned.contains(one));
            if !learned.is_empty() && !is_within {
                let learned = learned.join(", ");
                return Some(format!("with --{what} {learned} (expected --{what} of these now)"));
            }
        }
        // So would earlier days. Times are written so that they sort.
        let from = self.reads_from.as_ref()?;
        let is_earlier = asked.reads_from.as_ref().is_none_or(|asked| asked < from);
        is_earlier.then(|| format!("with --from {from} (expected --from of then or later now)"))
    }

    pub(super) fn rows(&self) -> Vec<Value> {
        vec![
            rows::text(&rows::of_day(self.through)),
            rows::count(self.lateness_hours),
            rows::text(&self.hash_key),
            rows::json(&self.accounts),
            rows::json(&self.regions),
            rows::json(&self.reads_from),
            rows::text(&self.program_version),
            rows::json(&self.command),
        ]
    }

    pub(super) fn read(row: &mut Row) -> Result<Self, WrongValue> {
        Ok(Self {
            through: rows::day(&row.text()?)?,
            lateness_hours: row.count()?,
            hash_key: row.text()?,
            accounts: rows::parsed(&row.text()?)?,
            regions: rows::parsed(&row.text()?)?,
            reads_from: rows::parsed(&row.text()?)?,
            program_version: row.text()?,
            command: rows::parsed(&row.text()?)?,
        })
    }
}

pub(super) const COLUMNS: [&str; 8] = [
    "through",
    "lateness_hours",
    "hash_key",
    "accounts",
    "regions",
    "reads_from",
    "program_version",
    "command",
];

fn hours(lateness: Lateness) -> u64 {
    (lateness.ms() / HOUR_MS).unsigned_abs()
}

fn of_key(key: &HashKey) -> String {
    format!("{:016x}", key.hash(OF_KEY))
}

/// The value of a row of key and bytes.
pub(super) fn blob(store: &Store, part: Part, mut row: Row) -> Result<Blob, StoreError> {
    let read = key(&mut row).and_then(|key| Ok((key, row.blob()?)));
    let (key, bytes) =
        read.map_err(|wrong| store.damaged(&format!("{}: {}", part.name(), wrong.0)))?;
    Ok(Blob { part, key, bytes })
}

/// The key of a row that begins with it.
pub(super) fn key(row: &mut Row) -> Result<u128, WrongValue> {
    let key = row.blob()?.try_into().map(u128::from_be_bytes);
    key.map_err(|_| WrongValue("a key is none".to_owned()))
}

/// That a value is not what it should be.
pub(super) fn misformed(store: &Store, blob: &Blob, error: FormError) -> KeptError {
    let what = format!("{} {:032x}", blob.part.name(), blob.key);
    KeptError::Form { file: store.path().display().to_string(), what, error }
}

/// Writes what was learned in place of what was there, all of it or nothing.
#[derive(Debug)]
pub struct LearnedWriter {
    store: Store,
    digest: Digest,
    n_profiles: u64,
}

impl LearnedWriter {
    /// Opens the file at `path`, or makes it. What it held of an earlier learning goes once [`Self::finish`] is
    /// through; findings stay.
    pub fn begin(path: &Path) -> Result<Self, KeptError> {
        let store = Store::create(path, &SCHEMA)?;
        store.check()?;
        store.spill()?;
        store.begin()?;
        for table in Part::LEARNED.iter().map(|part| part.name()).chain(["learned"]) {
            store.execute(&format!("DELETE FROM {table}"), &[])?;
        }
        Ok(Self { store, digest: Digest::default(), n_profiles: 0 })
    }

    /// Keeps one value.
    pub fn blob(&mut self, blob: Blob) -> Result<(), KeptError> {
        self.digest.add(blob.part.name(), &blob.key.to_le_bytes(), &blob.bytes);
        self.n_profiles += u64::from(blob.part == Part::Profile);
        // Keys sort as numbers do.
        let values = [Value::Blob(blob.key.to_be_bytes().to_vec()), Value::Blob(blob.bytes)];
        Ok(self.store.insert(blob.part.name(), &["k", "v"], &values)?)
    }

    /// How many profiles were kept. Unit: profiles.
    pub fn n_profiles(&self) -> u64 {
        self.n_profiles
    }

    /// Says how it was learned, and makes everything durable.
    pub fn finish(self, learning: &Learning) -> Result<(), KeptError> {
        let mut row = [learning.rows(), self.digest.values().to_vec()].concat();
        row.push(rows::text(&rows::checksum([&row[..]])));
        let columns = [&COLUMNS[..], &DIGEST, &["checksum"]].concat();
        self.store.insert("learned", &columns, &row)?;
        Ok(self.store.commit()?)
    }
}

/// A file with what was learned.
#[derive(Debug)]
pub struct LearnedFile {
    store: Store,
    digest: Option<Digest>,
    /// How it was learned.
    pub learning: Learning,
}

impl LearnedFile {
    /// Opens a file, and looks whether it is whole and was learned as `asked`.
    pub fn read(path: &Path, asked: &Learning) -> Result<Self, KeptError> {
        let store = Store::read(path, &SCHEMA)?;
        store.check()?;
        let file = || path.display().to_string();
        let columns = [&COLUMNS[..], &DIGEST, &["checksum"]].concat().join(", ");
        let sql = format!("SELECT {columns} FROM learned");
        let row = store.query(&sql, &[])?.into_iter().next();
        let mut row = row.ok_or_else(|| KeptError::NothingLearned(file()))?;
        let n_own = COLUMNS.len() + DIGEST.len();
        let own: Vec<Value> = row.values().iter().take(n_own).cloned().collect();
        let read = Learning::read(&mut row)
            .and_then(|learning| Ok((learning, Digest::read(&mut row)?, row.text()?)));
        let (learning, digest, checksum) = read.map_err(|wrong| store.damaged(&wrong))?;
        if checksum != rows::checksum([&own[..]]) {
            let what = "what is said of what was learned is not what was written";
            return Err(store.damaged(&format!("{what}; {ANEW}")).into());
        }
        if let Some(how) = learning.unfit(asked) {
            return Err(KeptError::LearnedOtherwise { file: file(), how });
        }
        Ok(Self { store, digest, learning })
    }

    /// Hands over every value, and sees that none is gone; `visit` answers what is wrong with one.
    pub fn each(
        &self,
        visit: &mut dyn FnMut(&Blob) -> Result<(), FormError>,
    ) -> Result<(), KeptError> {
        let mut digest = Digest::default();
        for part in Part::LEARNED {
            let sql = format!("SELECT k, v FROM {} ORDER BY id", part.name());
            self.store.each(&sql, &mut |row| {
                let blob = blob(&self.store, *part, row)?;
                digest.add(part.name(), &blob.key.to_le_bytes(), &blob.bytes);
                visit(&blob).map_err(|error| misformed(&self.store, &blob, error))
            })?;
        }
        if Some(digest) == self.digest {
            return Ok(());
        }
        let what = "some of what was learned is gone, or more than was written";
        Err(self.store.damaged(&format!("{what}; {ANEW}")).into())
    }
}
