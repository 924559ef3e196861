//! What a daemon on this machine is asked over HTTP. In: where it listens, a path. Out: status and text.

use anyhow::{Context as _, Result};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long to wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer. Unit: bytes (16 MiB).
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) is_ok: bool,
    /// Without white space around it.
    pub(super) text: String,
}

/// Asks for `path`.
pub(super) fn get(at: SocketAddr, path: &str) -> Result<Answer> {
    let told = || format!("nobody answers at {at}");
    let mut stream = TcpStream::connect_timeout(&at, PATIENCE).with_context(told)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).with_context(told)?;
    let text = answer.split_once("\r\n\r\n").map_or("no answer of HTTP", |(_, text)| text.trim());
    Ok(Answer { is_ok: answer.starts_with("HTTP/1.1 200 "), text: text.to_owned() })
}
