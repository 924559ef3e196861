//! What comes in, and what of it counts: no object and no record twice.

use crate::{
    chunk::{Chunk, ChunkObject},
    contents::Contents,
    fingerprints::Fingerprints,
};
use baseline::{Day, Hour};
use std::{collections::BTreeSet, sync::Arc};

/// What came in. Nothing that was read is left out of these numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// Records counted.
    pub n_records: u64,
    /// Flow records counted.
    pub n_flows: u64,
    /// Records of both kinds, of days that had taught what they had to teach before the engine began.
    pub n_learned: u64,
    /// Records that had been there already.
    pub n_duplicates: u64,
    /// Objects whose content had been there already.
    pub n_duplicate_objects: u64,
    /// Records later than the lateness allows, counted in the oldest open day.
    pub n_late: u64,
    /// Records that correct others.
    pub n_corrections: u64,
    /// Event hours whose fingerprints were given up, because the budget was full.
    pub n_hours_unchecked: u64,
    /// Objects whose content was forgotten before its time, because there were too many.
    pub n_contents_dropped: u64,
    /// Matches of rules that were left out, because their day had too many groups.
    pub n_matches_dropped: u64,
    /// Days of accounts with as many facts of a kind as they keep: others may have been left out. Unit: days.
    pub n_days_full_of_facts: u64,
    /// Alerted days of which it is not kept what they did not teach, because too many others had one.
    pub n_days_let_go: u64,
    /// Entities with a profile.
    pub n_entities: u64,
    /// Of these, those that are put away, since memory has no room for them.
    pub n_away: u64,
    /// The first and the last event time. Unit: milliseconds since the Unix epoch.
    pub times_ms: Option<(i64, i64)>,
    /// Accounts that received calls or own interfaces.
    pub accounts: BTreeSet<Arc<str>>,
    /// `awsRegion` of the calls.
    pub regions: BTreeSet<Arc<str>>,
    hours: BTreeSet<Hour>,
    last_hour: Option<Hour>,
}

impl Intake {
    fn saw(&mut self, time_ms: i64) {
        let (first, last) = self.times_ms.unwrap_or((time_ms, time_ms));
        self.times_ms = Some((first.min(time_ms), last.max(time_ms)));
        if self.last_hour != Some(Hour::of(time_ms)) {
            self.last_hour = Some(Hour::of(time_ms));
            if self.hours.len() < HOURS_MAX {
                self.hours.insert(Hour::of(time_ms));
            }
        }
    }

    /// Hours between the first and the last record that hold none. Unit: hours.
    pub fn n_quiet_hours(&self) -> u64 {
        let Some((first, last)) = self.hours.first().zip(self.hours.last()) else { return 0 };
        let n_all = i64::from(last.0) - i64::from(first.0) + 1;
        n_all.unsigned_abs().saturating_sub(self.hours.len() as u64)
    }
}

/// Hours with records that are remembered, to tell gaps: more than a century. Unit: hours.
const HOURS_MAX: usize = 1_000_000;
/// Accounts and regions that are counted. Unit: of each.
const NAMES_MAX: usize = 100_000;

/// Where chunks come in, one after the other.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) fingerprints: Fingerprints,
    pub(crate) contents: Contents,
    intake: Intake,
    /// Whether the object that came last was not there before: what of it comes in later chunks is neither.
    was_new: bool,
}

/// What of a chunk was not there before.
pub(crate) struct Admitted {
    pub(crate) rows: Vec<bool>,
    pub(crate) objects: Vec<bool>,
}

impl Gate {
    /// Nothing came yet; fingerprints may take about `budget_bytes`.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        let fingerprints = Fingerprints::new(budget_bytes);
        let (contents, intake) = (Contents::default(), Intake::default());
        Self { fingerprints, contents, intake, was_new: true }
    }

    /// What came in so far, as far as it can be told here.
    pub(crate) fn intake(&self) -> Intake {
        let n_hours_unchecked = self.fingerprints.n_hours_dropped;
        let n_contents_dropped = self.contents.n_dropped;
        Intake { n_hours_unchecked, n_contents_dropped, ..self.intake.clone() }
    }

    /// Forgets what cannot come again now that `oldest_open` is the oldest open day.
    pub(crate) fn forget(&mut self, oldest_open: Day) {
        self.fingerprints.forget(oldest_open);
        self.contents.forget(oldest_open);
    }

    /// Which rows of a chunk count: those that were not there before. The first in canonical order
    /// is the one that counts.
    pub(crate) fn admit(&mut self, chunk: &Chunk, oldest_open: Day) -> Admitted {
        let mut fresh = vec![false; chunk.rows.len()];
        let mut objects = Vec::with_capacity(chunk.objects.len());
        self.intake.n_corrections += chunk.n_corrections;
        self.intake.n_learned += chunk.n_learned;
        let [n_principals, n_regions] = chunk.n_had;
        let regions = chunk.regions.iter().skip(n_regions);
        for region in regions.filter(|region| !region.text.is_empty()) {
            note(&mut self.intake.regions, &region.text);
        }
        for who in chunk.principals.iter().skip(n_principals) {
            note(&mut self.intake.accounts, &who.principal.entity.account);
        }
        let ends = chunk.objects.iter().skip(1).map(|object| object.rows_from);
        let ends = ends.chain([chunk.rows.len()]);
        for (object, rows_end) in chunk.objects.iter().zip(ends) {
            let range = object.rows_from..rows_end;
            // Objects of nothing are all alike, and nothing comes twice by them.
            let is_empty = range.is_empty() && object.n_flows == 0;
            let is_new = match object.content {
                None => self.was_new,
                Some(_) if is_empty => true,
                Some(content) => self.contents.insert(oldest_open, content),
            };
            self.was_new = is_new;
            objects.push(is_new);
            if !is_new {
                self.intake.n_duplicate_objects += u64::from(object.content.is_some());
                self.intake.n_duplicates += range.len() as u64;
                continue;
            }
            self.count_flows(object);
            let rows = chunk.rows.get(range.clone()).unwrap_or_default();
            for (row, fresh) in rows.iter().zip(fresh.get_mut(range).unwrap_or_default()) {
                // By event time, not by slot: that follows the stamp, which copies differ in.
                let hour = if row.is_late { row.slot.hour() } else { Hour::of(row.time_ms) };
                *fresh = self.fingerprints.insert(hour, row.fingerprint);
                self.intake.n_duplicates += u64::from(!*fresh);
                self.intake.n_records += u64::from(*fresh);
                self.intake.n_late += u64::from(*fresh && row.is_late);
                self.intake.saw(row.time_ms);
            }
        }
        Admitted { rows: fresh, objects }
    }

    fn count_flows(&mut self, object: &ChunkObject) {
        // Of an object with nothing but calls that were learned, the answers were as well.
        let is_learned = object.n_learned_flows > 0 && object.flow_times_ms.is_none();
        let n_learned = if is_learned { object.n_flows } else { object.n_learned_flows };
        self.intake.n_learned += n_learned;
        self.intake.n_late += object.n_late_flows;
        self.intake.n_flows += object.n_flows.saturating_sub(n_learned);
        for aggregate in &object.flows {
            note(&mut self.intake.accounts, &aggregate.entity.account);
        }
        if let Some((first_ms, last_ms)) = object.flow_times_ms {
            self.intake.saw(first_ms);
            self.intake.saw(last_ms);
        }
    }
}

fn note(names: &mut BTreeSet<Arc<str>>, name: &Arc<str>) {
    if names.len() < NAMES_MAX && !names.contains(name) {
        names.insert(Arc::clone(name));
    }
}
