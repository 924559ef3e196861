//! What a state says of itself, and taking out what it holds of an identity.

use super::{KeptError, SCHEMA, learned, rows, state};
use detect::{Blob, Part, withheld_of};
use std::{collections::BTreeSet, path::Path};
use store::{Row, Store, Value, WrongValue};

/// What a state holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFacts {
    /// The last day of a stamp, as `YYYY-MM-DD`.
    pub through: String,
    /// How late records may be. Unit: hours.
    pub lateness_hours: u64,
    /// Accounts that were asked for; empty: all.
    pub accounts: Vec<String>,
    /// Regions that were asked for; empty: all.
    pub regions: Vec<String>,
    /// The sentrail that wrote last.
    pub program_version: String,
    /// Its arguments.
    pub command: Vec<String>,
    /// Objects that are known to be read.
    pub n_objects: u64,
    /// Findings.
    pub n_findings: u64,
    /// Each part by name: how many values, and their bytes.
    pub parts: Vec<(String, u64, u64)>,
}

impl StateFacts {
    /// Those of the state at `path`, which somebody may be writing.
    pub fn read(path: &Path) -> Result<Self, KeptError> {
        let store = Store::read(path, &SCHEMA)?;
        // Of one moment, whoever writes meanwhile.
        store.begin_reading()?;
        state::check(&store)?;
        let Some(state::Said { learning, .. }) = state::said(&store)? else {
            return Err(KeptError::NoState(path.display().to_string()));
        };
        let damaged = |wrong: WrongValue| KeptError::from(store.damaged(&wrong));
        let count = |table: &str| -> Result<u64, KeptError> {
            let rows = store.query(&format!("SELECT count(*) FROM {table}"), &[])?;
            rows.into_iter().next().map_or(Ok(0), |mut row| row.count().map_err(damaged))
        };
        let sql =
            "SELECT part, count(*), sum(length(v)) FROM state_parts GROUP BY part ORDER BY part";
        let part = |mut row: Row| Ok((row.text()?, row.count()?, row.count()?));
        let parts: Result<_, _> = store.query(sql, &[])?.into_iter().map(part).collect();
        Ok(Self {
            through: rows::of_day(learning.through),
            lateness_hours: learning.lateness_hours,
            accounts: learning.accounts,
            regions: learning.regions,
            program_version: learning.program_version,
            command: learning.command,
            n_objects: count("state_objects")?,
            n_findings: count("findings")?,
            parts: parts.map_err(damaged)?,
        })
    }
}

/// Takes the identities out of the state at `path` of which `is_meant` says so, and the findings of the key that is named,
/// if one is; answers how many of each.
pub fn forget(
    path: &Path,
    is_meant: &mut dyn FnMut(&Blob) -> Result<bool, baseline::FormError>,
    findings_of: Option<&str>,
) -> Result<(usize, usize), KeptError> {
    let _lock = state::lock(path)?;
    let store = Store::change(path, &SCHEMA)?;
    let name = Part::Entity.name();
    let mut meant: BTreeSet<u128> = BTreeSet::new();
    let sql = format!("SELECT k, v FROM state_parts WHERE part = '{name}' ORDER BY k");
    store.each(&sql, &mut |row| -> Result<(), KeptError> {
        let blob = learned::blob(&store, Part::Entity, row)?;
        if is_meant(&blob).map_err(|error| learned::misformed(&store, &blob, error))? {
            meant.insert(blob.key);
        }
        Ok(())
    })?;
    store.begin()?;
    state::check(&store)?;
    let n_profiles = meant.len();
    let withheld = withheld_of_all(&store, &meant)?;
    let all = [(name, meant), (Part::Withheld.name(), withheld)];
    for (part, key) in
        all.into_iter().flat_map(|(part, keys)| keys.into_iter().map(move |key| (part, key)))
    {
        let sql = "DELETE FROM state_parts WHERE part = ?1 AND k = ?2";
        store.execute(sql, &[rows::text(part), Value::Blob(key.to_be_bytes().to_vec())])?;
    }
    let n_findings = findings_of.map_or(Ok(0), |key| {
        store.execute("DELETE FROM findings WHERE entity_key = ?1", &[rows::text(key)])
    })?;
    if let Some(state::Said { learning, .. }) = state::said(&store)? {
        state::say(&store, &learning, state::digests(&store)?)?;
    }
    store.commit()?;
    Ok((n_profiles, n_findings))
}

/// The keys of what days of these profiles have withheld.
fn withheld_of_all(store: &Store, profiles: &BTreeSet<u128>) -> Result<BTreeSet<u128>, KeptError> {
    let mut keys = BTreeSet::new();
    let sql = format!("SELECT k, v FROM state_parts WHERE part = '{}'", Part::Withheld.name());
    store.each(&sql, &mut |row| -> Result<(), KeptError> {
        let blob = learned::blob(store, Part::Withheld, row)?;
        let of = withheld_of(&blob).map_err(|error| learned::misformed(store, &blob, error))?;
        if profiles.contains(&of) {
            keys.insert(blob.key);
        }
        Ok(())
    })?;
    Ok(keys)
}
