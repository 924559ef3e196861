//! `completions` and `man`: the command line in the forms that shells and `man` read.

use super::Cli;
use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "sentrail", &mut script);
        io::stdout().write_all(&script)?;
        Ok(0)
    }
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to, one page for each command
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<u8> {
        let told = || format!("cannot write to {}", self.to.display());
        fs::create_dir_all(&self.to).with_context(told)?;
        clap_mangen::generate_to(Cli::command(), &self.to).with_context(told)?;
        Ok(0)
    }
}
