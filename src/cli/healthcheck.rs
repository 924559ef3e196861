//! `healthcheck`: asks a daemon on this machine whether it is ready, for containers that have no shell.

use super::{FAILURE, asked, complain};
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Where it listens, as `run --listen` was told
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: SocketAddr,
}

impl Healthcheck {
    pub(super) fn run(&self) -> Result<u8> {
        let answer = asked::get(self.at, "/readyz")?;
        if answer.is_ok {
            return Ok(0);
        }
        complain(&format!("not ready: {}", answer.text));
        Ok(FAILURE)
    }
}
