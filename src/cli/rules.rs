//! `rules check` and `rules test`: what is wrong with files of rules, before they are in force.

use super::{FAILURE, USAGE};
use crate::config::{self, Tally, n_of};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use detect::rules::{RuleCounts, RuleError, SampleCounts, Whose, Why, test_rules};
use serde::Serialize;
use std::{cmp::Reverse, collections::BTreeMap, io::Write, path::PathBuf};

/// With more faults than this, their reasons are counted. Unit: faults.
const FAULTS_MANY: usize = 20;
/// Reasons that are told, the most frequent. Unit: reasons.
const REASONS_SHOWN_MAX: usize = 8;

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// Say what is wrong with rules, correlations and filters
    Check {
        #[command(flatten)]
        asked: Asked,
        /// Judge them as rules of others: what cannot be used is left out
        #[arg(long)]
        others: bool,
        /// Name what is about logs that sentrail does not read or is tolerated of others, too
        #[arg(long, short)]
        verbose: bool,
    },
    /// Run the samples of rules, and say which do not hold
    Test {
        #[command(flatten)]
        asked: Asked,
    },
}

#[derive(Debug, Args)]
pub(super) struct Asked {
    /// Files, and folders with files .yml and .yaml
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Settings, in TOML, for the placeholders, lists and decoys that rules ask for
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Form of what is wrong: text with file and line in front, or an object a line
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Jsonl,
}

#[derive(Serialize)]
struct Row<'e> {
    file: &'e str,
    line: u32,
    what: &'e str,
    why: &'static str,
}

impl Form {
    fn write(self, error: &RuleError, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Text => writeln!(out, "{}", alerts::escape(&error.to_string()))?,
            Self::Jsonl => {
                let why = match error.why() {
                    Why::Fault => "fault",
                    Why::OtherLogs(_) => "other-logs",
                    Why::Retired(_) => "retired",
                    Why::Tolerated => "warning",
                    Why::Sample => "sample",
                };
                let (file, line, what) = (error.file(), error.line(), error.what());
                writeln!(out, "{}", serde_json::to_string(&Row { file, line, what, why })?)?;
            }
        }
        Ok(())
    }
}

impl Rules {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
        match self {
            Self::Check { asked, others, verbose } => {
                let whose = if others { Whose::Others } else { Whose::Own };
                check(&asked, (whose, verbose), (out, err))
            }
            Self::Test { asked } => test(&asked, (out, err)),
        }
    }
}

/// What is wrong goes to the first, how many there are to the second.
type Outputs<'o> = (&'o mut dyn Write, &'o mut dyn Write);

fn check(asked: &Asked, (whose, verbose): (Whose, bool), (out, err): Outputs<'_>) -> Result<u8> {
    let names = config::names(asked.config.as_deref())?;
    let files = config::rule_files(&asked.paths, whose)?;
    let (rules, errors) = detect::Rules::of(&files, names);
    for error in errors.iter().filter(|error| verbose || *error.why() == Why::Fault) {
        asked.format.write(error, out)?;
    }
    let tally = Tally::of(rules.counts(), &errors);
    writeln!(err, "{tally}")?;
    if tally.n_faults > FAULTS_MANY {
        let reasons = reasons(&errors);
        let (shown, more) = reasons.split_at_checked(REASONS_SHOWN_MAX).unwrap_or((&reasons, &[]));
        for (n, reason) in shown {
            writeln!(err, "{n:>7} {}", alerts::escape(reason))?;
        }
        if !more.is_empty() {
            let n_more: usize = more.iter().map(|(n, _)| n).sum();
            writeln!(err, "        and {n_more} more")?;
        }
    }
    // Whoever names rules wants some.
    let is_none = rules.counts().n_loaded() == 0;
    if is_none && tally.n_faults == 0 {
        writeln!(err, "sentrail: {}", tally.why_none())?;
    }
    let is_refused = whose == Whose::Own && tally.n_faults > 0;
    Ok(if is_none || is_refused { USAGE } else { 0 })
}

fn test(asked: &Asked, (out, err): Outputs<'_>) -> Result<u8> {
    let names = config::names(asked.config.as_deref())?;
    let files = config::rule_files(&asked.paths, Whose::Own)?;
    let (counts, errors) = test_rules(&files, names);
    for error in errors.iter().filter(|error| !matches!(error.why(), Why::OtherLogs(_))) {
        asked.format.write(error, out)?;
    }
    let SampleCounts { n_rules, n_samples, n_untested, n_failed } = counts;
    let tally = Tally::of(RuleCounts::default(), &errors);
    let rules = n_of(usize::try_from(n_rules)?, "rule");
    let samples = n_of(usize::try_from(n_samples)?, "sample");
    write!(err, "{rules}, {n_untested} without samples; {samples}, {n_failed} do not hold")?;
    write!(err, "; {}", tally.faults())?;
    match tally.other_logs() {
        Some(other_logs) => writeln!(err, "; {other_logs}")?,
        None => writeln!(err)?,
    }
    Ok(match (n_failed, tally.n_faults) {
        (1.., _) => FAILURE,
        (_, 1..) => USAGE,
        _ => 0,
    })
}

/// The reasons of faults, the most frequent first: what is said, but for the words of the file.
fn reasons(errors: &[RuleError]) -> Vec<(usize, String)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for error in errors.iter().filter(|error| *error.why() == Why::Fault) {
        *counts.entry(reason(error.what())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(reason, n)| (Reverse(n), reason)).collect();
    counts.sort();
    counts.into_iter().map(|(Reverse(n), reason)| (n, reason)).collect()
}

/// `no modifier "x"; did you mean "y"?` as `no modifier ...`.
fn reason(what: &str) -> String {
    let what = what.split_once("; ").map_or(what, |(what, _)| what);
    let mut pieces = what.split(['"', '`']);
    let mut reason = pieces.next().unwrap_or_default().to_owned();
    while pieces.next().is_some() {
        reason.push_str("...");
        reason.push_str(pieces.next().unwrap_or_default());
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn reasons_do_not_hold_the_words_of_files() {
        for (what, expected) in [
            ("no modifier \"x\"; did you mean \"y\"?", "no modifier ..."),
            ("`a` of `b` (expected c)", "... of ... (expected c)"),
            ("level is empty", "level is empty"),
            ("half of \"x", "half of ..."),
        ] {
            assert_eq!(reason(what), expected);
        }
    }
}
