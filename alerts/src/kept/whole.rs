//! A finding with all the rows that it consists of, and whether they are what was written.

use super::{Kept, rows};
use crate::Accounts;
use detect::FindingId;
use store::{Row, Store, StoreError, WrongValue};

/// What helps where a finding is damaged.
const ANEW: &str = "`replay --out` of its day mends it";

/// The finding of an id, if it is there, but for what was said of it.
pub(super) fn kept(store: &Store, id: FindingId) -> Result<Option<Kept>, StoreError> {
    let Some(whole) = Whole::of(store, id)? else { return Ok(None) };
    let damaged = |wrong| store.damaged(&format!("finding {id} {wrong}; {ANEW}"));
    whole.read().map(Some).map_err(damaged)
}

/// The rows of one finding.
struct Whole {
    finding: Row,
    run: Row,
    about: Row,
    parts: Vec<Row>,
    records: Vec<Row>,
}

impl Whole {
    /// All rows of the finding of an id, if it is there.
    fn of(store: &Store, id: FindingId) -> Result<Option<Self>, StoreError> {
        let key = [rows::text(&id.to_string())];
        let by_id = |table: &str, columns: &[&str]| {
            let sql = format!(
                "SELECT {} FROM {table} WHERE id = (SELECT {} FROM findings WHERE id = ?1)",
                columns.join(", "),
                if table == "runs" { "run" } else { "about" }
            );
            store.query(&sql, &key).map(|rows| rows.into_iter().next())
        };
        let below = |table: &str, columns: &[&str]| {
            let columns = columns.join(", ");
            store.query(
                &format!("SELECT {columns} FROM {table} WHERE finding = ?1 ORDER BY n"),
                &key,
            )
        };
        let own = [&rows::FINDING[..], &["checksum"]].concat().join(", ");
        let finding = store.query(&format!("SELECT {own} FROM findings WHERE id = ?1"), &key)?;
        let Some(finding) = finding.into_iter().next() else { return Ok(None) };
        let (run, about) = (by_id("runs", &rows::RUN)?, by_id("detectors", &rows::DETECTOR)?);
        let Some((run, about)) = run.zip(about) else {
            return Err(store.damaged(&format!("finding {id} refers to what is not there; {ANEW}")));
        };
        let (parts, records) = (below("parts", &rows::PART)?, below("records", &rows::RECORD)?);
        Ok(Some(Self { finding, run, about, parts, records }))
    }

    fn checksum(&self) -> String {
        let own = self.finding.values();
        let own = own.get(..rows::FINDING.len()).unwrap_or(own);
        let behind = [&self.run, &self.about].into_iter().chain(&self.parts).chain(&self.records);
        rows::checksum([own].into_iter().chain(behind.map(Row::values)))
    }

    /// The finding with what stands behind it, but for what was said of it.
    fn read(mut self) -> Result<Kept, WrongValue> {
        let checksum = self.checksum();
        let (about, settings) = rows::about(&mut self.about)?;
        let mut finding = rows::finding(&mut self.finding, about)?;
        finding.parts = self.parts.iter_mut().map(rows::part).collect::<Result<_, _>>()?;
        finding.records = self.records.iter_mut().map(rows::record).collect::<Result<_, _>>()?;
        let (suppressed, account) = rows::said(&mut self.finding)?;
        if self.finding.text()? != checksum {
            return Err(WrongValue("is not what was written".to_owned()));
        }
        let mut run = rows::run(&mut self.run)?;
        let number = finding.entity.account.to_string();
        run.inputs.accounts = Accounts::new(account.map(|account| (number, account))).into();
        Ok(Kept { finding, run, settings, mark: None, suppressed })
    }
}
