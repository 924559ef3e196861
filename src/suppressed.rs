//! What suppressions withhold from people: who hears of nothing hears of how much. In: findings. Out: on whose word
//! each is withheld, and counts by entry.

use alerts::{Grounds, Suppressions, escape};
use detect::Finding;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
};

/// Findings by whether they were told.
#[derive(Debug, Default)]
pub(crate) struct Suppressed {
    suppressions: Arc<Suppressions>,
    n_told: u64,
    /// By the name of the entry.
    n_by: BTreeMap<String, u64>,
}

impl Suppressed {
    /// Nothing was found yet.
    pub(crate) fn by(suppressions: Arc<Suppressions>) -> Self {
        Self { suppressions, ..Self::default() }
    }

    /// Goes on with these entries.
    pub(crate) fn go_on(&mut self, suppressions: Arc<Suppressions>) {
        self.suppressions = suppressions;
    }

    /// The entries.
    pub(crate) fn suppressions(&self) -> &Arc<Suppressions> {
        &self.suppressions
    }

    /// Counts a finding, and answers on whose word it is withheld, if it is.
    pub(crate) fn judge(&mut self, finding: &Finding) -> Option<Grounds> {
        let grounds = self.suppressions.of(finding).cloned();
        self.count(grounds.as_ref());
        grounds
    }

    /// Counts a finding that was told, or withheld on somebody's word.
    pub(crate) fn count(&mut self, grounds: Option<&Grounds>) {
        match grounds {
            None => self.n_told += 1,
            Some(grounds) => *self.n_by.entry(grounds.name.clone()).or_default() += 1,
        }
    }

    /// Findings that were told.
    pub(crate) fn n_told(&self) -> u64 {
        self.n_told
    }

    /// Findings that were not.
    pub(crate) fn n_suppressed(&self) -> u64 {
        self.n_by.values().sum()
    }

    /// Tells it in lines, where there are suppressions.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { suppressions, n_told, n_by } = self;
        let n_suppressed = self.n_suppressed();
        if suppressions.entries().is_empty() {
            return Ok(());
        }
        writeln!(out, "findings  {n_told} told, {n_suppressed} suppressed")?;
        for grounds in suppressions.grounds() {
            if let Some(n) = n_by.get(&grounds.name) {
                let Grounds { name, reason, owner, .. } = grounds;
                let by = format!("{n} by {name}: {reason} (owner: {owner})");
                writeln!(out, "          {}", escape(&by))?;
            }
        }
        Ok(())
    }
}
