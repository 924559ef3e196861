//! `state inspect`, `reset`, `export` and `import`: what `run` and `replay --state` keep, forgetting an identity, and
//! taking a state elsewhere.

use super::{Wrong, complain, configured};
use crate::config::n_of;
use alerts::{Manifest, StateFacts, escape};
use anyhow::{Result, anyhow};
use clap::Subcommand;
use std::{
    io::{self, Write as _},
    path::PathBuf,
};

#[derive(Debug, Subcommand)]
pub(super) enum State {
    /// Say what a state holds: up to when, by which settings, how much of each part
    Inspect {
        /// A state, as `sentrail run` or `replay --state` keeps it
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Forget what was learned of an identity, open days and all; its findings stay, unless they are to go, too
    Reset {
        /// A state, which nobody is writing
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key of the identity, as findings have it in `entity.key`
        #[arg(long, value_name = "KEY")]
        identity: String,
        /// Take its findings out as well, though they are evidence
        #[arg(long)]
        findings: bool,
        /// Settings, in TOML, that it was kept with
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Write a state into one file, checked and compressed; whoever writes the state goes on
    Export {
        /// A state, as `sentrail run` or `replay --state` keeps it
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The file to be made
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make a state of what `export` wrote; what is damaged, or of a newer sentrail, is refused
    Import {
        /// A file that `state export` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The state to be made
        #[arg(long, value_name = "STATE")]
        into: PathBuf,
    },
}

impl State {
    pub(super) fn run(self) -> Result<u8> {
        match self {
            Self::Inspect { file } => inspect(&StateFacts::read(&file)?)?,
            Self::Export { file, out } => told(&alerts::export(&file, &out)?),
            Self::Import { file, into } => told(&alerts::import(&file, &into)?),
            Self::Reset { file, identity, findings, config } => {
                let key = configured(config.as_deref())?.options().hash_key;
                let of = |blob: &detect::Blob| detect::entity_of(blob, &key);
                let is_meant = &mut |blob: &_| Ok(*of(blob)?.key == *identity);
                let findings_of = findings.then_some(identity.as_str());
                let (n, n_findings) = alerts::forget(&file, is_meant, findings_of)?;
                if n + n_findings == 0 {
                    let file = file.display();
                    let what = "expected a key as findings have it in entity.key";
                    return Err(Wrong::usage(anyhow!("no identity {identity} in {file} ({what})")));
                }
                let profiles = n_of(n, "profile");
                let taken = if findings {
                    format!(", and {} taken out", n_of(n_findings, "finding"))
                } else {
                    String::new()
                };
                complain(&format!(
                    "{profiles} of {identity} forgotten: it is new from now on{taken}"
                ));
            }
        }
        Ok(0)
    }
}

/// Says what a file holds that was made.
fn told(manifest: &Manifest) {
    let through = manifest.through.as_deref().unwrap_or("-");
    let (bytes, pieces) = (manifest.bytes, n_of(manifest.pieces.len(), "piece"));
    complain(&format!("{pieces}, a state of {bytes} bytes; newest object written on {through}"));
}

fn inspect(facts: &StateFacts) -> Result<()> {
    let mut out = io::stdout().lock();
    let StateFacts { through, lateness_hours, accounts, regions, .. } = facts;
    let all = |names: &[String]| if names.is_empty() { "all".to_owned() } else { names.join(", ") };
    let (accounts, regions) = (all(accounts), all(regions));
    writeln!(out, "newest     objects written on {through}")?;
    writeln!(out, "lateness   {lateness_hours} h")?;
    writeln!(out, "accounts   {accounts}; regions: {regions}")?;
    let command = facts.command.join(" ");
    writeln!(out, "written    by sentrail {}: {}", facts.program_version, escape(&command))?;
    writeln!(out, "objects    {} known to be read", facts.n_objects)?;
    writeln!(out, "findings   {}", facts.n_findings)?;
    for (part, n, bytes) in &facts.parts {
        let kib = bytes.div_ceil(1_024);
        writeln!(out, "part       {part}: {n}, {kib} KiB")?;
    }
    Ok(())
}
