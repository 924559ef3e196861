//! What a replay read and what it did not: coverage is never overstated.

use crate::{epoch::Again, worker::ObjectRead};
use detect::Intake;
use ingest::{
    source::{Listing, Skips},
    time::format_ms,
};
use std::io::{self, Write};

/// Everything that came in, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    skipped: Skips,
    n_objects: u64,
    n_same: u64,
    n_changed: u64,
    n_failed: u64,
    n_digests: u64,
    n_lossy: u64,
    n_bad_records: u64,
    n_other_records: u64,
    n_filtered: u64,
    n_nodata: u64,
    n_skipdata: u64,
    n_unread_flows: u64,
    inflated_bytes: u64,
    pub(crate) intake: Intake,
}

impl Summary {
    pub(crate) fn of(listing: &Listing) -> Self {
        Self { skipped: listing.skipped.clone(), ..Self::default() }
    }

    pub(crate) fn add(&mut self, outcome: &ObjectRead) {
        self.n_objects += 1;
        self.n_failed += u64::from(outcome.failure.is_some());
        self.n_digests += u64::from(outcome.is_digest);
        self.n_lossy += u64::from(outcome.is_lossy);
        self.n_bad_records += outcome.n_bad;
        self.n_other_records += outcome.n_other_records;
        self.n_filtered += outcome.n_filtered;
        self.n_nodata += outcome.n_nodata;
        self.n_skipdata += outcome.n_skipdata;
        self.n_unread_flows += outcome.n_unread_flows;
        self.inflated_bytes += outcome.inflated_bytes;
    }

    /// An object of which a version was read before.
    pub(crate) fn add_again(&mut self, again: Again) {
        match again {
            Again::Same => self.n_same += 1,
            Again::Changed => self.n_changed += 1,
        }
    }

    /// A day of an object that was added before: what the second reading met, if anything.
    pub(crate) fn add_day(&mut self, outcome: &ObjectRead) {
        self.n_failed += u64::from(outcome.failure.is_some());
        self.n_bad_records += outcome.n_bad;
    }

    /// Objects that were read.
    pub(crate) fn n_read(&self) -> u64 {
        self.n_objects.saturating_sub(self.n_failed)
    }

    /// What was read. Unit: bytes, inflated.
    pub(crate) fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// Whether nothing was read at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.intake.n_records + self.intake.n_flows + self.intake.n_learned == 0
    }

    /// Whether some input could not be read.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.n_failed > 0 || self.n_bad_records > 0
    }

    /// What a reader of the findings should know of the input besides.
    fn notes(&self) -> [(u64, &'static str); 19] {
        let Self { intake, .. } = self;
        [
            (self.n_same, "objects written again as they were read before, and noted"),
            (
                self.n_changed,
                "objects that hold something else than was read before: log-object-changed",
            ),
            (
                intake.n_duplicate_objects,
                "objects, or days of them, whose content had been read before",
            ),
            (
                intake.n_contents_dropped,
                "object names forgotten for want of memory: copies of them count",
            ),
            (intake.n_learned, "records of days that were learned already, not judged again"),
            (self.n_bad_records, "records that could not be read"),
            (self.n_other_records, "Insights or aggregated records, read and not judged"),
            (self.n_filtered, "records outside what was asked for"),
            (intake.n_corrections, "records that correct others, not counted"),
            (
                intake.n_late,
                "records later than the lateness allows, judged by the oldest open day",
            ),
            (
                intake.n_hours_unchecked,
                "hours in which duplicates could not be told for want of memory",
            ),
            (intake.n_matches_dropped, "matches of rules left out: their day had too many groups"),
            (
                intake.n_days_full_of_facts,
                "days on which an account had too many facts of a kind: some were left out",
            ),
            (
                intake.n_days_let_go,
                "alerted days that a benign mark cannot make good: too many others had one",
            ),
            (self.n_nodata, "flow records without traffic (NODATA)"),
            (
                self.n_unread_flows,
                "flow records not judged: their objects hold too many connections",
            ),
            (
                self.n_skipdata,
                "flow records that stand for lost ones (SKIPDATA): a gap in coverage",
            ),
            (self.n_lossy, "objects with bytes that are not UTF-8"),
            (self.n_digests, "digests, which hold no events"),
        ]
    }

    /// Tells it in lines, `seconds` after the start.
    pub(crate) fn write(&self, seconds: f64, out: &mut dyn Write) -> io::Result<()> {
        let Self { intake, skipped, .. } = self;
        let mib = self.inflated_bytes as f64 / f64::from(1 << 20);
        let n_seen = self.n_objects + self.n_same + self.n_changed + skipped.total();
        let n_read = self.n_read();
        writeln!(
            out,
            "objects   {n_seen} seen, {n_read} read, {} could not be read",
            self.n_failed
        )?;
        for (skip, n) in skipped.iter() {
            writeln!(out, "          {n} left out: {}", skip.sentence())?;
        }
        writeln!(
            out,
            "records   {} of CloudTrail, {} of flow logs; {} duplicates dropped",
            intake.n_records, intake.n_flows, intake.n_duplicates
        )?;
        for (n, what) in self.notes().into_iter().filter(|(n, _)| *n > 0) {
            writeln!(out, "          {n} {what}")?;
        }
        if let Some((first, last)) = intake.times_ms {
            writeln!(out, "time      {} to {}", format_ms(first), format_ms(last))?;
        }
        let (n_accounts, n_regions) = (intake.accounts.len(), intake.regions.len());
        let (n_entities, n_quiet) = (intake.n_entities, intake.n_quiet_hours());
        writeln!(
            out,
            "seen      accounts: {n_accounts}, regions of calls: {n_regions}, identities and interfaces: {n_entities}"
        )?;
        if intake.n_away > 0 {
            let n_away = intake.n_away;
            writeln!(
                out,
                "memory    profiles that it had no room for: {n_away}, which lie on disk (setting memory)"
            )?;
        }
        if n_quiet > 0 {
            writeln!(
                out,
                "gaps      {n_quiet} hours between the first and the last record hold none"
            )?;
        }
        writeln!(out, "work      {mib:.0} MiB inflated in {seconds:.1} s")
    }
}
