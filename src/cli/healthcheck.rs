//! `healthcheck`: asks a daemon on this machine whether it is ready, for containers that have no shell.

use super::{FAILURE, complain};
use anyhow::{Context as _, Result};
use clap::Args;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long to wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer. Unit: bytes.
const ANSWER_BYTES_MAX: u64 = 4_096;

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Where it listens, as `run --listen` was told
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: SocketAddr,
}

impl Healthcheck {
    pub(super) fn run(&self) -> Result<u8> {
        let Self { at } = self;
        let told = || format!("nobody answers at {at}");
        let mut stream = TcpStream::connect_timeout(at, PATIENCE).with_context(told)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).with_context(told)?;
        if answer.starts_with("HTTP/1.1 200 ") {
            return Ok(0);
        }
        let why = answer.split("\r\n\r\n").nth(1).map_or("no answer of HTTP", str::trim);
        complain(&format!("not ready: {why}"));
        Ok(FAILURE)
    }
}
