//! # Syslog
//!
//! Each finding is a message of RFC 5424, as collectors of logs take it: over TLS (RFC 5425), over TCP (RFC 6587) or as
//! a datagram of UDP (RFC 5426).
//!
//! ## Sends
//!
//! `<PRI>1 TIME HOST sentrail - DETECTOR - JSON`. The facility is 13, log audit: that is what it is, and hardly anybody
//! else on a network sends it. The severity is critical, error, warning or notice. What is told is JSON, since that is what
//! collectors take apart: the line that `replay --format jsonl` writes. It is ASCII, so that no byte-order mark has to
//! stand before it, which parsers of JSON do not expect. There is no structured data: elements of our own would need a
//! number of an enterprise. The time is when the message was queued, so one that is sent twice is the same twice.
//!
//! Over TLS and TCP the length stands before each message (octet counting): nothing in it can end it.
//!
//! ## Limits
//!
//! 8,192 bytes, as many as receivers of TLS should take and rsyslog does; as a datagram 2,048, as many as all should take.
//! Of a larger finding lists and texts are cut, then all fields left out but those that say who did what.
//!
//! ## Succeeds when
//!
//! It is written, and the receiver did not refuse it while we listened for a moment. Syslog has no answers:
//! what a receiver loses afterwards, or a network of a datagram, nobody notices.
//!
//! ## Fails when
//!
//! Nobody listens, the certificate does not fit, the connection breaks: all of it is sent again.

use super::{
    Message, Outcome, body,
    endpoint::{Endpoint, Scheme},
    guard::Allowed,
    reach::{Fault, Reach, ReachError},
};
use crate::Inputs;
use detect::{Finding, Severity};
use ingest::{source::session::Gate, time::format_ms};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UdpSocket,
    time::{Instant, timeout, timeout_at},
};

/// Of RFC 5425, 4.3.1: what receivers should take, and rsyslog takes unless it is told otherwise. Unit: bytes.
pub(super) const STREAM_BYTES_MAX: usize = 8_192;
/// Of RFC 5424, 6.1: what receivers should take. Unit: bytes.
pub(super) const DATAGRAM_BYTES_MAX: usize = 2_048;
/// Messages that go over one connection. Unit: messages.
pub(super) const MESSAGES_MAX: usize = 100;
/// From the first look for the address until all is written. Unit: seconds.
const TIMEOUT_S: u64 = 20;
/// How long a receiver may take to close once we have, or a network to say that nobody is there. Unit: milliseconds.
const GOODBYE_MS: u64 = 500;
/// What is read of a receiver that talks. Unit: bytes.
const READ_BYTES_MAX: usize = 64 << 10;
/// Log audit.
const FACILITY: u8 = 13;
/// The most characters of RFC 5424 of the kind of a message.
const KIND_CHARS_MAX: usize = 32;
/// The same of the name of a machine.
const HOST_CHARS_MAX: usize = 255;

/// What such a sink has to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the collector is.
    pub endpoint: Endpoint,
    /// Addresses that are talked to though they are not in the internet.
    pub allowed: Allowed,
    /// The machine that sends.
    pub host: String,
}

impl Settings {
    fn is_udp(&self) -> bool {
        self.endpoint.scheme == Scheme::Udp
    }

    /// Messages that may be on the way. Unit: messages.
    pub(super) fn on_way_max(&self) -> usize {
        // More datagrams at once are more than a receiver has room for.
        if self.is_udp() { super::ON_WAY_MAX } else { MESSAGES_MAX }
    }

    /// A whole message. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub(super) fn body(&self, (finding, inputs): (&Finding, &Inputs), now_ms: i64) -> String {
        let bytes_max = if self.is_udp() { DATAGRAM_BYTES_MAX } else { STREAM_BYTES_MAX };
        let head = format!(
            "<{}>1 {} {} sentrail - {} - ",
            FACILITY * 8 + severity(finding.severity),
            format_ms(now_ms),
            word(&self.host, HOST_CHARS_MAX).unwrap_or("-"),
            word(&finding.about.id, KIND_CHARS_MAX).unwrap_or("finding"),
        );
        let line = body::ascii_line((finding, inputs), bytes_max - head.len());
        head + &line
    }
}

/// Numbers of RFC 5424.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 5,
        Severity::Medium => 4,
        Severity::High => 3,
        Severity::Critical => 2,
    }
}

/// `text`, if it may stand in a head.
fn word(text: &str, chars_max: usize) -> Option<&str> {
    let is_one = (1..=chars_max).contains(&text.len());
    (is_one && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// Sends messages to one collector.
#[derive(Clone)]
pub struct Syslog {
    settings: Settings,
    reach: Reach,
}

impl std::fmt::Debug for Syslog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Syslog {
    /// One that trusts the certificates of the system, where it encrypts.
    pub fn new(settings: Settings) -> Result<Self, ReachError> {
        let timeout = Duration::from_secs(TIMEOUT_S);
        let is_tls = settings.endpoint.is_tls();
        let reach = if is_tls { Reach::new(timeout) } else { Reach::in_the_clear(timeout) }?;
        Ok(Self { settings, reach })
    }

    /// The same, that sends through this gate.
    #[must_use]
    pub fn behind(mut self, gate: Gate) -> Self {
        self.reach.gate = gate;
        self
    }

    /// Sends messages in their order: all of them, or it is not known which.
    pub async fn send(&self, messages: &[Message]) -> Outcome {
        let deadline = Instant::now() + self.reach.timeout;
        let sending = async {
            if self.settings.is_udp() {
                self.datagrams(messages).await
            } else {
                self.stream(messages).await
            }
        };
        let too_slow = |_| Fault(format!("not sent within {} s", self.reach.timeout.as_secs_f64()));
        match timeout_at(deadline, sending).await.map_err(too_slow).and_then(|sent| sent) {
            Ok(()) => Outcome::Delivered,
            Err(Fault(error)) => Outcome::Retry { error, after_ms: None },
        }
    }

    async fn stream(&self, messages: &[Message]) -> Result<(), Fault> {
        let Settings { endpoint, allowed, .. } = &self.settings;
        let mut frames = String::new();
        for Message { body, .. } in messages {
            frames.push_str(&body.len().to_string());
            frames.push(' ');
            frames.push_str(body);
        }
        let mut connection = self.reach.connect(endpoint, allowed).await?;
        let broken = |error: io::Error| Fault::of_io("the connection broke", &error);
        connection.write_all(frames.as_bytes()).await.map_err(broken)?;
        // With the end of what we have to say: who has read all of it closes in turn, who has lost some resets.
        connection.shutdown().await.map_err(broken)?;
        let mut read = connection.take(READ_BYTES_MAX as u64);
        let goodbye = async {
            let mut buffer = [0; 1_024];
            loop {
                match read.read(&mut buffer).await {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    // Many hang up without a word, which TLS wants.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                    Err(error) => return Err(broken(error)),
                }
            }
        };
        // Who does not close may have read it all the same: nothing says so.
        timeout(Duration::from_millis(GOODBYE_MS), goodbye).await.unwrap_or(Ok(()))
    }

    async fn datagrams(&self, messages: &[Message]) -> Result<(), Fault> {
        let Settings { endpoint, allowed, .. } = &self.settings;
        let addresses = self.reach.addresses(endpoint, allowed).await?;
        let first = addresses.first().copied();
        let ip = first.ok_or_else(|| Fault("the name has no address".to_owned()))?;
        let refused = |error: io::Error| Fault::of_io("cannot send", &error);
        let any: SocketAddr =
            if ip.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await.map_err(refused)?;
        socket.connect((ip, endpoint.port)).await.map_err(refused)?;
        self.reach.may_send()?;
        for Message { body, .. } in messages {
            socket.send(body.as_bytes()).await.map_err(refused)?;
        }
        // A machine on which nobody listens says so at once.
        match timeout(Duration::from_millis(GOODBYE_MS), socket.recv(&mut [0])).await {
            Ok(Err(error)) => Err(refused(error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
