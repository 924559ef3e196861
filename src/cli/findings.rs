//! `findings list`, `show`, `explain` and `mark`: what `replay --out` kept.

use super::{INCOMPLETE, Wrong, complain, one_of, or_default};
use crate::{clock, config::n_of, terminal};
use alerts::{Format, Kept, KeptError, KeptFindings, KeptMark, Wanted};
use anyhow::{Result, anyhow};
use baseline::Day;
use clap::{Args, Subcommand};
use detect::{Mark, Nature, Severity};
use ingest::instant::parse_instant;
use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

/// Longest reason of a mark. Unit: characters.
const REASON_CHARS_MAX: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Findings {
    /// List findings, in the forms of `replay`
    List(List),
    /// Show one finding with all its records
    Show {
        #[command(flatten)]
        asked: Asked,
        /// Form of the finding [default: table on a terminal, else jsonl]
        #[arg(long, value_parser = one_of(Format::ALL, Format::name))]
        format: Option<Format>,
    },
    /// Say why one was told: its bits, what is usual, what would have kept it quiet
    Explain {
        #[command(flatten)]
        asked: Asked,
    },
    /// Say what one turned out to be
    Mark {
        #[command(flatten)]
        asked: Asked,
        /// What it is about
        #[arg(value_parser = one_of(Nature::ALL, Nature::name))]
        nature: Nature,
        /// Why, for those who ask later
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
        /// The UTC day on which it is said, from which on it is learned [default: today]
        #[arg(long, value_name = "DAY", value_parser = day)]
        on: Option<Day>,
    },
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// A file of findings, as `replay --out` writes it
    #[arg(long = "in", value_name = "FILE")]
    file: PathBuf,
    /// Only findings that are at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::label))]
    severity: Option<Severity>,
    /// Only findings of this UTC day, for example 2025-03-14
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<Day>,
    /// Only findings of this detector or rule
    #[arg(long, value_name = "ID")]
    detector: Option<String>,
    /// Only findings on entities whose key or name holds this
    #[arg(long, value_name = "TEXT")]
    entity: Option<String>,
    /// Only findings that nobody has marked
    #[arg(long)]
    unmarked: bool,
    /// Only findings that were suppressed, which are left out otherwise
    #[arg(long)]
    suppressed: bool,
    /// Form of the findings [default: table on a terminal, else jsonl]
    #[arg(long, value_parser = one_of(Format::ALL, Format::name))]
    format: Option<Format>,
}

#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The finding's id, or its first digits
    id: String,
    /// A file of findings, as `replay --out` writes it
    #[arg(long = "in", value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn day(text: &str) -> Result<Day, String> {
    let at_ms = parse_instant(text).map_err(|error| error.to_string())?;
    let day = Day::of(at_ms);
    if day.start_ms() != at_ms {
        return Err("a moment (expected a day, for example 2025-03-14)".to_owned());
    }
    Ok(day)
}

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().count() > REASON_CHARS_MAX {
        return Err(format!("expected 1 to {REASON_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}

impl Findings {
    pub(super) fn run(self) -> Result<u8> {
        let mut out = BufWriter::new(io::stdout().lock());
        match self {
            Self::List(list) => return list.run(),
            Self::Show { asked, format } => {
                let kept = asked.kept()?;
                match or_default(format) {
                    Format::Table => alerts::show(&kept, terminal::style(), &mut out)?,
                    format => {
                        let mut writer = alerts::Writer::new(format, out, terminal::style());
                        writer.kept(&kept)?;
                        writer.finish()?;
                        return Ok(0);
                    }
                }
            }
            Self::Explain { asked } => {
                alerts::explain(&asked.kept()?, clock::today(), terminal::style(), &mut out)?;
            }
            Self::Mark { asked, nature, reason, on } => {
                let day = on.unwrap_or_else(clock::today);
                asked.mark(Mark { nature, day }, reason)?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

impl List {
    fn run(self) -> Result<u8> {
        let findings = KeptFindings::read(&self.file)?;
        let wanted = Wanted {
            severity: self.severity,
            day: self.day,
            detector: self.detector,
            entity: self.entity,
            is_unmarked: self.unmarked,
            is_suppressed: self.suppressed,
        };
        let ids = findings.list(&wanted)?;
        let n_all = findings.n_findings()?;
        let suppressed = Wanted { is_suppressed: !self.suppressed, ..wanted };
        let n_suppressed = if self.suppressed { 0 } else { findings.list(&suppressed)?.len() };
        if n_suppressed > 0 {
            let left_out = n_of(n_suppressed, "suppressed finding");
            complain(&format!("{left_out} left out: --suppressed lists them"));
        } else if ids.is_empty() && n_all > 0 {
            let file = self.file.display();
            complain(&format!("none of the {n_all} findings in {file} is as asked for"));
        }
        let format = or_default(self.format);
        let out = BufWriter::new(io::stdout());
        let mut writer = alerts::Writer::new(format, out, terminal::style());
        let mut code = 0;
        for id in ids {
            match findings.get(id) {
                Ok(Some(kept)) => writer.kept(&kept)?,
                Ok(None) => {}
                // The others are whole.
                Err(error) if error.is_damage() => {
                    complain(&error.to_string());
                    code = INCOMPLETE;
                }
                Err(error) => return Err(error.into()),
            }
        }
        writer.finish()?;
        Ok(code)
    }
}

impl Asked {
    fn kept(&self) -> Result<Kept> {
        let findings = KeptFindings::read(&self.file)?;
        let id = findings.find(&self.id)?;
        findings.get(id)?.ok_or_else(|| anyhow!("finding {id} has just been taken out"))
    }

    fn mark(&self, mark: Mark, reason: String) -> Result<()> {
        let findings = KeptFindings::change(&self.file)?;
        let id = findings.find(&self.id)?;
        if let Some(kept) = findings.get(id)? {
            let (said, found) = (mark.day, kept.finding.day);
            if said < found {
                return Err(Wrong::usage(anyhow!(
                    "finding {id} is of {found}, and nobody can have said of it on {said} what it is; \
                     expected --on {found} or later"
                )));
            }
        }
        let before = findings.mark(id, &KeptMark { mark, reason })?;
        let before = before.map_or_else(String::new, |before| {
            format!("; before, it was {}: {}", before.mark.nature.name(), before.reason)
        });
        let told = format!("finding {id} is {}{before}", mark.nature.name());
        Ok(writeln!(io::stderr(), "{}", alerts::escape(&told))?)
    }
}

/// What a person mends: the name of the file, or an id.
pub(super) fn is_usage(error: &KeptError) -> bool {
    match error {
        KeptError::Store(error) => error.is_usage(),
        KeptError::NoSuch { .. }
        | KeptError::Several { .. }
        | KeptError::NothingLearned(_)
        | KeptError::NoState(_)
        | KeptError::HoldsState(_)
        | KeptError::LearnedOtherwise { .. }
        | KeptError::Exists(_)
        | KeptError::BegunOtherwise { .. } => true,
        KeptError::Form { .. }
        | KeptError::File { .. }
        | KeptError::Snapshot(_)
        | KeptError::Shelf(_)
        | KeptError::InUse(_)
        | KeptError::Lock { .. } => false,
    }
}
