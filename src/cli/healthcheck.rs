//! `healthcheck`: asks a daemon on this machine whether it is ready, or alive, for containers that have no shell.

use super::{FAILURE, asked, complain};
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Where it listens, as `run --listen` was told
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: SocketAddr,
    /// Ask whether it is alive: of one that waits for its turn, or for AWS, nothing is mended by a new start
    #[arg(long)]
    live: bool,
}

impl Healthcheck {
    pub(super) fn run(&self) -> Result<u8> {
        let path = if self.live { "/livez" } else { "/readyz" };
        let answer = asked::get(self.at, path)?;
        if answer.is_ok {
            return Ok(0);
        }
        complain(&format!("{path}: {}", answer.text));
        Ok(FAILURE)
    }
}
