//! Where a replay ended, in tables beside those of its findings: one transaction an epoch holds what has
//! changed of the engine, which objects were read, and what was found. In: an engine's changes. Out: the
//! same, for an engine that goes on.

use super::{
    Keeper, KeptError, Learning, Outbox, ProfileShelf, Run, SCHEMA,
    digest::{DIGEST, Digest, ROW_DIGEST},
    guard, learned, outbox, rows,
};
use crate::{Accounts, Grounds, Inputs};
use baseline::Day;
use detect::{Blob, Change, Finding, FindingId, Part, ResumeError, Severity, withheld_since};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    sync::Arc,
};
use store::{Row, Store, Value, WrongValue};

/// Days after its stamp for which it is known that an object was read: 30 days of late delivery, 14 of
/// waiting in a queue, one to spare. Unit: days.
const LEDGER_D: i32 = 45;

/// Before any stamp.
const NEVER: Day = Day(0);

/// What helps where it is damaged.
pub(super) const ANEW: &str = "read everything into a new file, or use a copy of this one";

/// Whether a finding is told, and how severe it is: what is louder than before is news.
type Loudness = (bool, Severity);

/// A file in which a replay ends, and goes on.
#[derive(Debug)]
pub struct StateFile {
    pub(super) keeper: Keeper,
    /// What is asked for, up to the last day of a stamp.
    pub(super) asked: Learning,
    /// Of all values, those of the epoch that is open included, and of rows as they were committed last.
    digests: Digests,
    /// The last message of the outbox that is durable, by its row.
    outbox_through: i64,
    /// How findings were told that this epoch took out.
    was_taken_out: BTreeMap<FindingId, Loudness>,
    /// What others had written when marks were looked at last.
    pub(super) marks_version: Option<i64>,
    /// Held as long as this is, and let go after the store: one process at a time.
    _lock: File,
}

fn loudness(row: &mut Row) -> Result<Loudness, WrongValue> {
    let severity = rows::severity(&row.text()?)?;
    Ok((row.count()? == 1, severity))
}

/// Where a value is.
fn at(part: Part, key: u128) -> [Value; 2] {
    [rows::text(part.name()), Value::Blob(key.to_be_bytes().to_vec())]
}

/// Hands over every value, in the order of [`Part::STATE`], and answers the digest of all.
fn each(
    store: &Store,
    visit: &mut dyn FnMut(&Blob) -> Result<(), ResumeError>,
) -> Result<Digest, KeptError> {
    let mut digest = Digest::default();
    for part in Part::STATE {
        let name = part.name();
        // Of profiles there may be more than memory has room for: they are read as they lie in the file.
        let how = if *part == Part::Entity { "NOT INDEXED" } else { "" };
        let sql = format!("SELECT k, v FROM state_parts {how} WHERE part = '{name}'");
        store.each(&sql, &mut |row| {
            let blob = learned::blob(store, *part, row)?;
            digest.add_value(name, &blob.key.to_be_bytes(), &blob.bytes);
            visit(&blob).map_err(|error| match error {
                ResumeError::Form(error) => learned::misformed(store, &blob, error),
                ResumeError::Shelf(error) => error.into(),
            })
        })?;
    }
    Ok(digest)
}

/// What a state says of itself.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) learning: Learning,
    /// Of its values, and of the rows that are guarded; an older one tells none.
    digests: [Option<Digest>; 2],
}

/// Of values, and of rows that are guarded.
pub(super) type Digests = [Digest; 2];

/// What both are of.
const OF: [&str; 2] = ["values of the state", "rows of findings, objects and messages"];

fn columns() -> Vec<&'static str> {
    [&learned::COLUMNS[..], &DIGEST, &ROW_DIGEST, &["checksum"]].concat()
}

/// What a state says of itself, if it is one.
pub(super) fn said(store: &Store) -> Result<Option<Said>, KeptError> {
    let sql = format!("SELECT {} FROM state", columns().join(", "));
    let Some(mut row) = store.query(&sql, &[])?.into_iter().next() else { return Ok(None) };
    let own: Vec<Value> = row.values().to_vec();
    let read = Learning::read(&mut row).and_then(|learning| {
        let digests = [Digest::read(&mut row)?, Digest::read(&mut row)?];
        Ok((Said { learning, digests }, row.text()?))
    });
    let (said, checksum) = read.map_err(|wrong| store.damaged(&wrong))?;
    // Nothing is counted of digests that are not there.
    if checksum != rows::checksum(own.split_last().map(|(_, own)| own)) {
        let what = format!("what is said of the state is not what was written; {ANEW}");
        return Err(store.damaged(&what).into());
    }
    Ok(Some(said))
}

/// Says it, in place of what was said before.
pub(super) fn say(store: &Store, learning: &Learning, digests: Digests) -> Result<(), KeptError> {
    let digests = digests.map(Digest::values).concat();
    let mut row = [learning.rows(), digests].concat();
    row.push(rows::text(&rows::checksum([&row[..]])));
    store.execute("DELETE FROM state", &[])?;
    Ok(store.insert("state", &columns(), &row)?)
}

/// The digests of what there is.
pub(super) fn digests(store: &Store) -> Result<Digests, KeptError> {
    Ok([Digest::of_state(store)?, guard::of_all(store)?])
}

/// Sees that the values and rows are those that were written.
pub(super) fn check(store: &Store) -> Result<(), KeptError> {
    compare(store, said(store)?.as_ref(), digests(store)?)
}

/// Sees that what was found is what is said; of an older state, which says nothing of it, whatever is there counts.
fn compare(store: &Store, said: Option<&Said>, found: Digests) -> Result<(), KeptError> {
    // Before it is a state there are no values; findings there may be.
    let none = [Some(Digest::default()), None];
    let said = said.map_or(none, |said| said.digests);
    for ((said, found), of) in said.into_iter().zip(found).zip(OF) {
        if let Some(said) = said.filter(|said| *said != found) {
            return Err(store.damaged(&said.unlike(found, of)).into());
        }
    }
    Ok(())
}

/// Makes the file, if it is not there, and keeps other processes out.
pub(super) fn lock(path: &Path) -> Result<File, KeptError> {
    let failed = |source| KeptError::Lock { file: path.display().to_string(), source };
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeptError::InUse(path.display().to_string())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// A state that is as it was: whether its values are those that were written shows when they are handed over, and only
/// then it is gone on with.
#[derive(Debug)]
pub struct UnreadState {
    file: StateFile,
    said: Option<Said>,
}

impl UnreadState {
    /// A shelf for the profiles of an engine that goes on with it, and holds so many. Unit: bytes.
    pub fn shelf(&self, profiles_bytes_max: usize) -> Result<ProfileShelf, KeptError> {
        ProfileShelf::new(Some(self.file.path()), profiles_bytes_max)
    }

    /// Hands over every value, in the order of [`Part::STATE`], and sees that none is gone, nor a row that is guarded;
    /// `visit` answers what is wrong with one.
    pub fn resume(
        self,
        visit: &mut dyn FnMut(&Blob) -> Result<(), ResumeError>,
    ) -> Result<StateFile, KeptError> {
        let Self { mut file, said } = self;
        let store = file.keeper.store();
        let found = [each(store, visit)?, guard::of_all(store)?];
        compare(store, said.as_ref(), found)?;
        if let Some(Said { learning, digests: [_, None] | [None, _] }) = &said {
            // An older state has none: what is there now counts.
            say(store, learning, found)?;
        }
        store.commit()?;
        store.log_ahead()?;
        // Beside a log nobody waits for it.
        store.spill()?;
        guard::begin(store)?;
        file.digests = found;
        Ok(file)
    }
}

impl StateFile {
    /// Opens the file at `path`, or makes it, for what `run` finds under these settings, of what is `asked`
    /// for. One that was made otherwise is refused.
    pub fn open(
        path: &Path,
        (run, settings): (&Run, &detect::Settings),
        mut asked: Learning,
    ) -> Result<UnreadState, KeptError> {
        let lock = lock(path)?;
        let keeper = Keeper::of_state(path, run, settings)?;
        let store = keeper.store();
        asked.through = NEVER;
        let said = said(store)?;
        if let Some(Said { learning, .. }) = &said {
            if let Some(how) = learning.unlike(&asked) {
                return Err(KeptError::BegunOtherwise { file: path.display().to_string(), how });
            }
            asked.through = learning.through;
        }
        let outbox_through = outbox::last_row(store)?;
        let file = Self {
            keeper,
            asked,
            digests: Digests::default(),
            outbox_through,
            was_taken_out: BTreeMap::new(),
            marks_version: None,
            _lock: lock,
        };
        Ok(UnreadState { file, said })
    }

    /// Writes a copy of the state at `path`, as it was committed last, into a new file, page by page, and looks
    /// whether it is what was written; whoever has the state open goes on meanwhile.
    pub fn copy(path: &Path, to: &Path) -> Result<(), KeptError> {
        Store::change(path, &SCHEMA)?.copy_to(to)?;
        Self::check(to)
    }

    /// Looks whether the state at `path`, which nobody writes, is what was written.
    pub fn check(path: &Path) -> Result<(), KeptError> {
        let store = Store::read(path, &SCHEMA)?;
        store.check()?;
        let found = [each(&store, &mut |blob| Ok(blob.check()?))?, guard::of_all(&store)?];
        compare(&store, said(&store)?.as_ref(), found)
    }

    /// Keeps what is found under these settings from now on, as [`Self::open`] does; the arguments are those of before.
    pub fn go_on(&mut self, inputs: &Inputs, settings: &detect::Settings) -> Result<(), KeptError> {
        let run = Run { inputs: inputs.clone(), command: self.asked.command.clone() };
        self.epoch(|file| file.keeper.go_on(&run, settings))
    }

    /// Keeps of accounts from now on that they are called so.
    pub fn call_accounts(&mut self, accounts: Arc<Accounts>) {
        self.keeper.call_accounts(accounts);
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.keeper.path()
    }

    /// The last day of a stamp; `None` before anything was read.
    pub fn last_day(&self) -> Option<Day> {
        Some(self.asked.through).filter(|last| *last > NEVER)
    }

    /// Hands over the keys of objects that were written on `first` or later, in their order.
    pub fn objects_since(&self, first: Day, visit: &mut dyn FnMut(&str)) -> Result<(), KeptError> {
        let store = self.keeper.store();
        let first = rows::of_day(first);
        let sql =
            format!("SELECT object FROM state_objects WHERE day >= '{first}' ORDER BY object");
        store.each(&sql, &mut |mut row| {
            let key = row.text().map_err(|wrong| store.damaged(&wrong))?;
            visit(&key);
            Ok(())
        })
    }

    /// The first day of which it is still known what was read; `None` before anything was.
    pub fn known_from(&self) -> Option<Day> {
        self.last_day().map(|Day(last)| Day(last.saturating_sub(LEDGER_D)))
    }

    /// Looks things up of one moment, which costs less than one by one.
    pub fn looking<T>(&self, look: impl FnOnce(&Self) -> T) -> Result<T, KeptError> {
        let store = self.keeper.store();
        store.begin_reading()?;
        let seen = look(self);
        store.commit()?;
        Ok(seen)
    }

    /// Keeps a finding, instead of the one of the same id, and on whose word it is not told, if it is not; answers
    /// whether that one is missing, was less severe, or was suppressed and this one is not.
    pub fn finding(
        &mut self,
        finding: &Finding,
        suppressed: Option<&Grounds>,
    ) -> Result<bool, KeptError> {
        let before = self.was_taken_out.remove(&finding.id);
        let before = before.max(self.loudness_of(finding.id)?);
        self.keeper.finding(finding, suppressed)?;
        Ok(before < Some((suppressed.is_none(), finding.severity)))
    }

    fn loudness_of(&self, id: FindingId) -> Result<Option<Loudness>, KeptError> {
        let store = self.keeper.store();
        let sql = "SELECT severity, suppressed IS NULL FROM findings WHERE id = ?1";
        let row = store.query(sql, &[rows::text(&id.to_string())])?.into_iter().next();
        let read = |mut row: Row| loudness(&mut row);
        row.map(read).transpose().map_err(|wrong| store.damaged(&wrong).into())
    }

    /// Takes out the findings of days from the first up to before the second, but those of these detectors.
    /// What is kept again in the same epoch is no news.
    pub fn take_out(
        &mut self,
        (first, until): (Day, Day),
        but_of: &[&str],
    ) -> Result<(), KeptError> {
        self.was_taken_out.clear();
        let store = self.keeper.store();
        let days = [first, until].map(|day| rows::text(&rows::of_day(day)));
        let sql = "SELECT id, severity, suppressed IS NULL, detector FROM findings \
                   WHERE day >= ?1 AND day < ?2";
        for mut row in store.query(sql, &days)? {
            let read = |row: &mut Row| Ok((rows::id(&row.text()?)?, loudness(row)?, row.text()?));
            let (id, loudness, detector) =
                read(&mut row).map_err(|wrong: WrongValue| store.damaged(&wrong))?;
            if !but_of.contains(&detector.as_str()) {
                store.execute(
                    "DELETE FROM findings WHERE id = ?1",
                    &[rows::text(&id.to_string())],
                )?;
                self.was_taken_out.insert(id, loudness);
            }
        }
        Ok(())
    }

    /// Keeps what has changed of the engine.
    pub fn change(&mut self, change: Change) -> Result<(), KeptError> {
        let store = self.keeper.store();
        let (part, key, bytes) = match &change {
            Change::Gone(part, key) => (part, key, None),
            Change::Put(Blob { part, key, bytes }) => (part, key, Some(bytes.as_slice())),
        };
        let [values, _] = &mut self.digests;
        values.replace(store, (part.name(), &key.to_be_bytes()), bytes)?;
        match change {
            Change::Gone(part, key) => {
                store.execute(
                    "DELETE FROM state_parts WHERE part = ?1 AND k = ?2",
                    &at(part, key),
                )?;
            }
            Change::Put(Blob { part, key, bytes }) => {
                let [name, key] = at(part, key);
                let sql = "INSERT INTO state_parts (part, k, v) VALUES (?1, ?2, ?3) \
                           ON CONFLICT (part, k) DO UPDATE SET v = excluded.v";
                store.execute(sql, &[name, key, Value::Blob(bytes)])?;
            }
        }
        Ok(())
    }

    /// Keeps what `work` does, all of it or nothing: one epoch.
    pub fn epoch<E: From<KeptError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.keeper.store().begin().map_err(KeptError::from)?;
        work(self)?;
        Ok(self.finish()?)
    }

    /// Lets go of what days have withheld of which nobody is expected to speak any more.
    fn forget_withheld(&mut self) -> Result<(), KeptError> {
        let Some(first) = self.known_from() else { return Ok(()) };
        let first = Value::Blob(withheld_since(first).to_be_bytes().to_vec());
        let store = self.keeper.store();
        let sql = "SELECT k FROM state_parts WHERE part = ?1 AND k < ?2";
        let rows = store.query(sql, &[rows::text(Part::Withheld.name()), first])?;
        let keys = rows.into_iter().map(|mut row| learned::key(&mut row));
        let keys: Result<Vec<u128>, _> = keys.collect();
        for key in keys.map_err(|wrong| store.damaged(&wrong))? {
            self.change(Change::Gone(Part::Withheld, key))?;
        }
        Ok(())
    }

    /// The value of a part under a key, as it was committed last.
    pub fn value(&self, part: Part, key: u128) -> Result<Option<Blob>, KeptError> {
        let store = self.keeper.store();
        let sql = "SELECT k, v FROM state_parts WHERE part = ?1 AND k = ?2";
        let row = store.query(sql, &at(part, key))?.into_iter().next();
        Ok(row.map(|row| learned::blob(store, part, row)).transpose()?)
    }

    fn finish(&mut self) -> Result<(), KeptError> {
        self.forget_withheld()?;
        let store = self.keeper.store();
        if let Some(first) = self.known_from() {
            self.outbox().forget(first)?;
            let first = rows::text(&rows::of_day(first));
            store.execute("DELETE FROM state_objects WHERE day < ?1", &[first])?;
        }
        let [values, mut of_rows] = self.digests;
        guard::take(store, &mut of_rows)?;
        let digests = [values, of_rows];
        say(store, &self.asked, digests)?;
        let last = outbox::last_row(store)?;
        store.commit()?;
        (self.outbox_through, self.digests) = (last, digests);
        Ok(())
    }

    /// What sinks have still to be told. What is changed of it is to be changed in an epoch.
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::of(self.keeper.store(), self.outbox_through)
    }

    /// Begins an epoch that stays open, to see what is not durable yet.
    #[cfg(test)]
    pub(crate) fn begin(&self) -> Result<(), KeptError> {
        Ok(self.keeper.store().begin()?)
    }

    /// Makes it durable, and begins another.
    #[cfg(test)]
    pub(crate) fn commit(&mut self) -> Result<(), KeptError> {
        self.finish()?;
        self.begin()
    }

    /// Leaves the file as one whole. Where others read it, a log stays beside it until the next time.
    pub fn close(self) {
        drop(self.keeper.store().log_no_more());
    }
}
