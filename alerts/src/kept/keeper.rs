//! Keeps what a replay finds: all of it, or nothing.

use super::{FindingsSpool, KeptError, Numbers, Run, SCHEMA, rows, state};
use crate::{Accounts, Grounds};
use baseline::Day;
use detect::{About, Finding, FindingId};
use serde_json::{Map, Value as Json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    slice,
    sync::Arc,
};
use store::{Store, StoreError, Value};

/// What a replay has read. Findings that the file has of it, and that were not found again, go.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The first day and the last.
    pub days: (Day, Day),
    /// The accounts.
    pub accounts: &'a Numbers,
}

/// What became of the findings of a replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Findings that were not in the file.
    pub n_new: u64,
    /// Findings that were in it.
    pub n_again: u64,
    /// Findings that were in it, of what was read, and were not found again.
    pub n_gone: u64,
}

/// The row of a run, with its number.
fn row_of(store: &Store, run: &Run) -> Result<(i64, Vec<Value>), StoreError> {
    let row = rows::of_run(run);
    Ok((store.intern("runs", &rows::RUN, &row)?, row))
}

/// A table of plain values always has a JSON form.
fn json_of(settings: &detect::Settings) -> Json {
    serde_json::to_value(settings).unwrap_or_default()
}

/// Writes findings as they come, in one transaction.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    path: PathBuf,
    run: (i64, Vec<Value>),
    /// What the user says of accounts.
    accounts: Arc<Accounts>,
    /// Settings of detectors, by id.
    settings: Json,
    /// Rows of those who spoke.
    abouts: BTreeMap<String, (Arc<About>, i64)>,
    told: BTreeSet<FindingId>,
    tally: Tally,
}

impl Keeper {
    /// Opens the file at `path`, or makes it, for what `run` finds under these settings. Nothing of it
    /// is there for others before [`Self::finish`]. One that holds a state is refused.
    pub fn begin(path: &Path, run: &Run, settings: &detect::Settings) -> Result<Self, KeptError> {
        let keeper = Self::of_state(path, run, settings)?;
        match state::said(&keeper.store)? {
            Some(_) => Err(KeptError::HoldsState(path.display().to_string())),
            None => Ok(keeper),
        }
    }

    /// The same of one that may hold a state.
    pub(super) fn of_state(
        path: &Path,
        run: &Run,
        settings: &detect::Settings,
    ) -> Result<Self, KeptError> {
        let store = Store::create(path, &SCHEMA)?;
        store.check()?;
        Self::within(store, run, settings)
    }

    /// The same for what is gone with the process.
    pub fn scratch(run: &Run, settings: &detect::Settings) -> Result<Self, KeptError> {
        let steps = [&["PRAGMA foreign_keys = ON;"], SCHEMA.steps].concat();
        Self::within(Store::scratch(&steps.concat())?, run, settings)
    }

    fn within(store: Store, run: &Run, settings: &detect::Settings) -> Result<Self, KeptError> {
        store.begin()?;
        Ok(Self {
            path: store.path().to_owned(),
            run: row_of(&store, run)?,
            store,
            accounts: Arc::clone(&run.inputs.accounts),
            settings: json_of(settings),
            abouts: BTreeMap::new(),
            told: BTreeSet::new(),
            tally: Tally::default(),
        })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps what `run` finds under these settings from now on.
    pub(super) fn go_on(
        &mut self,
        run: &Run,
        settings: &detect::Settings,
    ) -> Result<(), KeptError> {
        self.run = row_of(&self.store, run)?;
        self.accounts = Arc::clone(&run.inputs.accounts);
        self.settings = json_of(settings);
        self.abouts.clear();
        Ok(())
    }

    pub(super) fn call_accounts(&mut self, accounts: Arc<Accounts>) {
        self.accounts = accounts;
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a finding, instead of the one of the same id, and on whose word it is not told, if it is not.
    pub fn finding(
        &mut self,
        finding: &Finding,
        suppressed: Option<&Grounds>,
    ) -> Result<(), KeptError> {
        let id = rows::text(&finding.id.to_string());
        let n_before =
            self.store.execute("DELETE FROM findings WHERE id = ?1", slice::from_ref(&id))?;
        if self.told.insert(finding.id) {
            let n = if n_before == 0 { &mut self.tally.n_new } else { &mut self.tally.n_again };
            *n += 1;
        }
        let about_row = rows::of_about(&finding.about, &self.settings_of(&finding.about.id));
        let about = self.intern(&finding.about, &about_row)?;
        let row = rows::of_finding(finding, suppressed, &self.accounts);
        let parts: Vec<_> = finding.parts.iter().map(rows::of_part).collect();
        let records: Vec<_> = finding.records.iter().map(rows::of_record).collect();
        let own = [&row, &self.run.1, &about_row].into_iter();
        let all = own.chain(&parts).chain(&records).map(Vec::as_slice);
        let last = [Value::Integer(self.run.0), Value::Integer(about)];
        let row = [&row[..], &last, &[rows::text(&rows::checksum(all))]].concat();
        let columns = [&rows::FINDING[..], &["run", "about", "checksum"]].concat();
        self.store.insert("findings", &columns, &row)?;
        self.below("parts", &rows::PART, (&id, parts))?;
        self.below("records", &rows::RECORD, (&id, records))?;
        Ok(())
    }

    /// Rows that belong to a finding, numbered.
    fn below(
        &self,
        table: &str,
        columns: &[&str],
        (id, rows): (&Value, Vec<Vec<Value>>),
    ) -> Result<(), StoreError> {
        let columns = [&["finding", "n"], columns].concat();
        for (n, row) in (0..).zip(rows) {
            let row = [&[id.clone(), Value::Integer(n)], &row[..]].concat();
            self.store.insert(table, &columns, &row)?;
        }
        Ok(())
    }

    fn settings_of(&self, detector: &str) -> Map<String, Json> {
        // Beside the tables of the detectors stand `disable` and `severity`.
        let is_detector = detect::DETECTORS.iter().any(|one| one.meta.id == detector);
        let own = self.settings.get(detector).and_then(Json::as_object);
        own.filter(|_| is_detector).cloned().unwrap_or_default()
    }

    fn intern(&mut self, about: &Arc<About>, row: &[Value]) -> Result<i64, StoreError> {
        match self.abouts.get(&about.id) {
            Some((known, id)) if Arc::ptr_eq(known, about) => Ok(*id),
            _ => {
                let id = self.store.intern("detectors", &rows::DETECTOR, row)?;
                self.abouts.insert(about.id.clone(), (Arc::clone(about), id));
                Ok(id)
            }
        }
    }

    /// Takes out what is in the file of `scope` and was not found again, and makes everything durable; answers what became
    /// of findings, and the outbox of the file. Without a scope nothing is taken out.
    pub fn finish(mut self, scope: Option<Scope<'_>>) -> Result<(Tally, FindingsSpool), KeptError> {
        if let Some(scope) = scope {
            self.tally.n_gone = self.take_out(scope)?;
        }
        self.store.execute("DELETE FROM runs WHERE id NOT IN (SELECT run FROM findings)", &[])?;
        let unused = "DELETE FROM detectors WHERE id NOT IN (SELECT about FROM findings)";
        self.store.execute(unused, &[])?;
        self.store.commit()?;
        Ok((self.tally, FindingsSpool::of(self.store)?))
    }

    fn take_out(
        &self,
        Scope { days: (first, last), accounts }: Scope<'_>,
    ) -> Result<u64, KeptError> {
        let sql = "SELECT id, account FROM findings WHERE day BETWEEN ?1 AND ?2";
        let days = [first, last].map(|day| rows::text(&rows::of_day(day)));
        let mut n_gone = 0;
        for mut row in self.store.query(sql, &days)? {
            let texts = row.text().and_then(|id| Ok((id, row.text()?)));
            let (id, account) = texts.map_err(|wrong| self.store.damaged(&wrong))?;
            let is_told = rows::id(&id).is_ok_and(|id| self.told.contains(&id));
            if !is_told && accounts.contains(account.as_str()) {
                self.store.execute("DELETE FROM findings WHERE id = ?1", &[rows::text(&id)])?;
                n_gone += 1;
            }
        }
        Ok(n_gone)
    }
}
