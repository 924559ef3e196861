//! Findings that are kept: tables in an `SQLite` file, which `docs/store.md` shows. In: findings of a
//! replay, and what people say of them. Out: the same findings, with what stands behind them.

mod digest;
mod facts;
mod guard;
mod keeper;
mod learned;
mod ledger;
mod marks;
mod outbox;
mod rows;
mod shelf;
mod snapshot;
mod spool;
mod state;
#[cfg(test)]
mod tests;
mod whole;

pub use facts::{StateFacts, forget};
pub use keeper::{Keeper, Scope, Tally};
pub use learned::{LearnedFile, LearnedWriter, Learning};
pub use ledger::{KnownObjects, Version};
pub use outbox::{Dropped, MessageCounts, Outbox, Settled, resend};
pub use shelf::ProfileShelf;
pub use snapshot::{
    MANIFEST_BYTES_MAX, Manifest, PIECE_BYTES, PieceId, SnapshotError, SnapshotId, export, import,
};
pub use spool::{FindingsSpool, Spool};
pub use state::{StateFile, UnreadState};

use crate::{Grounds, Inputs};
use baseline::Day;
use detect::{Finding, FindingId, Mark, Severity, suggest};
use std::{collections::BTreeSet, path::Path};
use store::{Row, Schema, Store, StoreError, Value};

/// Findings that the message about an id names, where several begin alike.
const CANDIDATES_MAX: usize = 5;

/// Shorter ids are not taken for slips of others. Unit: characters.
const SLIP_CHARS_MIN: usize = 4;

/// The tables. A step that was published is never changed: what is new is a new step.
const SCHEMA: Schema = Schema {
    what: "a file of findings, as `sentrail replay --out` writes it, or of `sentrail learn`",
    // "sntr"
    application_id: 0x736e_7472,
    steps: &[
        include_str!("kept/schema.sql"),
        include_str!("kept/learned.sql"),
        include_str!("kept/news.sql"),
        include_str!("kept/budget.sql"),
        include_str!("kept/state.sql"),
        include_str!("kept/outbox.sql"),
        include_str!("kept/ledger.sql"),
        include_str!("kept/digest.sql"),
        include_str!("kept/series.sql"),
        include_str!("kept/filed.sql"),
        include_str!("kept/told.sql"),
        include_str!("kept/recall.sql"),
        include_str!("kept/known.sql"),
        include_str!("kept/snapshots.sql"),
        include_str!("kept/marks.sql"),
        include_str!("kept/guard.sql"),
    ],
};

/// What judged, and what it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it was, and what it knew.
    pub inputs: Inputs,
    /// Arguments of `sentrail` that the result depends on.
    pub command: Vec<String>,
}

/// What a person said of a finding, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMark {
    /// What was said, and when.
    pub mark: Mark,
    /// Why.
    pub reason: String,
}

/// A finding with what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The finding.
    pub finding: Finding,
    /// What judged.
    pub run: Run,
    /// Settings of its detector that were in force, by name; none for rules.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What was said of it last.
    pub mark: Option<KeptMark>,
    /// On whose word it was not told, if it was not.
    pub suppressed: Option<Grounds>,
}

/// Which findings to list; each part that is there leaves out.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// At least this severe.
    pub severity: Option<Severity>,
    /// Of this day.
    pub day: Option<Day>,
    /// Of the detector or rule of this id.
    pub detector: Option<String>,
    /// Of entities whose key or name holds this; case does not matter in ASCII.
    pub entity: Option<String>,
    /// Nobody has said anything of them.
    pub is_unmarked: bool,
    /// They were not told, rather than told.
    pub is_suppressed: bool,
}

/// Why a file of findings, or something in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No id begins so.
    #[error("no finding \"{word}\" in {file}; {hint}")]
    NoSuch {
        /// What was asked for.
        word: String,
        /// The file.
        file: String,
        /// What may have been meant.
        hint: String,
    },
    /// Several ids begin so.
    #[error("several findings begin with \"{word}\": {candidates}; give more digits")]
    Several {
        /// What was asked for.
        word: String,
        /// The first of them, with what they are about.
        candidates: String,
    },
    /// The file holds findings at most.
    #[error("{0} holds nothing that was learned (expected a file that `sentrail learn` wrote)")]
    NothingLearned(String),
    /// The file holds findings at most.
    #[error("{0} holds no state (expected a file that `sentrail run` or `replay --state` keeps)")]
    NoState(String),
    /// A replay would take out what others found.
    #[error("{0} holds a state, whose findings are those of its own runs (expected another file)")]
    HoldsState(String),
    /// What it holds was learned under other settings.
    #[error("{file} was learned {how}; `sentrail learn` makes another")]
    LearnedOtherwise {
        /// The file.
        file: String,
        /// What is different.
        how: String,
    },
    /// Another process goes on with it.
    #[error("{0} is in use by another sentrail (expected one at a time)")]
    InUse(String),
    /// It cannot be made, or kept from others.
    #[error("cannot open {file} for one process alone")]
    Lock {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is to be made is there.
    #[error("{0} is there already (expected the name of a new file)")]
    Exists(String),
    /// A file cannot be read or written.
    #[error("cannot read or write {file}")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A snapshot is of no use.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It was begun with what is not asked for now.
    #[error("{file} was begun {how}; begin another file, or ask for the same")]
    BegunOtherwise {
        /// The file.
        file: String,
        /// What is different.
        how: String,
    },
    /// A profile that was put away cannot be had.
    #[error(transparent)]
    Shelf(#[from] detect::ShelfError),
    /// A value of what was learned cannot be read.
    #[error("{file}: {what}: {error}")]
    Form {
        /// The file.
        file: String,
        /// Table and key.
        what: String,
        /// Why not.
        error: baseline::FormError,
    },
}

impl KeptError {
    /// Whether something is not what was written, rather than that nothing can be read.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Store(StoreError::Damaged { .. }))
    }

    /// Whether a state cannot be read since something happened to it, as far as can be told.
    pub fn is_of_a_broken_state(&self) -> bool {
        use baseline::FormError::Damaged;
        let is_misformed = matches!(self, Self::Form { error: Damaged, .. });
        self.is_damage() || is_misformed || matches!(self, Self::Store(StoreError::Foreign { .. }))
    }
}

/// A file of findings.
#[derive(Debug)]
pub struct KeptFindings(Store);

impl KeptFindings {
    /// Opens a file that is there for reading, and looks whether it is whole.
    pub fn read(path: &Path) -> Result<Self, KeptError> {
        let store = Store::read(path, &SCHEMA)?;
        store.check()?;
        Ok(Self(store))
    }

    /// Opens a file that is there for reading and marking, and looks whether it is whole.
    pub fn change(path: &Path) -> Result<Self, KeptError> {
        let store = Store::change(path, &SCHEMA)?;
        store.check()?;
        Ok(Self(store))
    }

    /// How many findings it holds. Unit: findings.
    pub fn n_findings(&self) -> Result<u64, KeptError> {
        Ok(self.ids("SELECT id FROM findings", &[])?.len() as u64)
    }

    /// The ids of the findings that are wanted, in order of day, time and id.
    pub fn list(&self, wanted: &Wanted) -> Result<Vec<FindingId>, KeptError> {
        let text = |value: Option<&String>| value.map_or(Value::Null, |value| rows::text(value));
        let score = wanted.severity.map(|severity| severity.score(baseline::Bits::ZERO));
        let values = [
            score.map_or(Value::Null, Value::Real),
            text(wanted.day.map(rows::of_day).as_ref()),
            text(wanted.detector.as_ref()),
            text(wanted.entity.as_ref()),
            Value::Integer(wanted.is_suppressed.into()),
        ];
        let sql = "SELECT id FROM findings WHERE (?1 IS NULL OR score >= ?1) \
                   AND (?2 IS NULL OR day = ?2) AND (?3 IS NULL OR detector = ?3) \
                   AND (?4 IS NULL OR instr(lower(entity_key), lower(?4)) \
                        OR instr(lower(entity_name), lower(?4))) \
                   AND (suppressed IS NOT NULL) = ?5 \
                   ORDER BY day, first_seen, last_seen, id";
        let mut ids = self.ids(sql, &values)?;
        if wanted.is_unmarked {
            let marks = self.marks()?;
            ids.retain(|id| !marks.contains_key(id));
        }
        Ok(ids)
    }

    /// The one finding whose id is `word` or begins with it.
    pub fn find(&self, word: &str) -> Result<FindingId, KeptError> {
        let word = word.trim().to_ascii_lowercase();
        // Digits up to f.
        let is_hex = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sql = "SELECT id FROM findings WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT ?2";
        let most = i64::try_from(CANDIDATES_MAX + 1).unwrap_or(i64::MAX);
        let values = [rows::text(&word), Value::Integer(most)];
        let found = if is_hex { self.ids(sql, &values)? } else { Vec::new() };
        match found[..] {
            [id] => Ok(id),
            [] => Err(self.no_such(&word)?),
            [..] => Err(KeptError::Several { word, candidates: self.candidates(&found)? }),
        }
    }

    fn no_such(&self, word: &str) -> Result<KeptError, KeptError> {
        let ids = self.ids("SELECT id FROM findings ORDER BY id", &[])?;
        let heads: Vec<(String, FindingId)> = ids
            .into_iter()
            .map(|id| (id.to_string().chars().take(word.chars().count()).collect(), id))
            .collect();
        // Of fewer digits anything is a slip of anything.
        let is_long = word.chars().count() >= SLIP_CHARS_MIN;
        let nearest = suggest(word, heads.iter().map(|(head, _)| head.as_str()));
        let nearest = nearest.filter(|_| is_long);
        let meant = heads.iter().find(|(head, _)| Some(head.as_str()) == nearest);
        let hint = match meant {
            Some((_, id)) => format!("did you mean {}?", self.candidates(&[*id])?),
            None if heads.is_empty() => "it holds no findings".to_owned(),
            None => format!(
                "`sentrail findings list` shows the ids of all {} (expected 32 hexadecimal digits, \
                 or the first few)",
                heads.len()
            ),
        };
        let word = word.chars().take(60).collect();
        Ok(KeptError::NoSuch { word, file: self.0.path().display().to_string(), hint })
    }

    /// Ids with what they are about.
    fn candidates(&self, ids: &[FindingId]) -> Result<String, KeptError> {
        let sql = "SELECT detector, day, entity_name FROM findings WHERE id = ?1";
        let mut named = Vec::new();
        for id in ids.iter().take(CANDIDATES_MAX) {
            for mut row in self.0.query(sql, &[rows::text(&id.to_string())])? {
                let texts = row.text().and_then(|one| Ok([one, row.text()?, row.text()?]));
                let [detector, day, name] = texts.map_err(|wrong| self.0.damaged(&wrong))?;
                named.push(format!("{id} ({detector}, {day}, {name})"));
            }
        }
        let more = if ids.len() > CANDIDATES_MAX { " and others" } else { "" };
        Ok(named.join(", ") + more)
    }

    /// The finding of an id, if it is there.
    pub fn get(&self, id: FindingId) -> Result<Option<Kept>, KeptError> {
        let Some(kept) = whole::kept(&self.0, id)? else { return Ok(None) };
        let mark = marks::of(&self.0, id)?.map(|(mark, _)| mark);
        Ok(Some(Kept { mark, ..kept }))
    }

    fn ids(&self, sql: &str, values: &[Value]) -> Result<Vec<FindingId>, KeptError> {
        let rows = self.0.query(sql, values)?;
        let id = |mut row: Row| row.text().and_then(|text| rows::id(&text));
        let ids = rows.into_iter().map(id).collect::<Result<Vec<_>, _>>();
        Ok(ids.map_err(|wrong| self.0.damaged(&wrong))?)
    }
}

/// Numbers of accounts.
type Numbers = BTreeSet<std::sync::Arc<str>>;
