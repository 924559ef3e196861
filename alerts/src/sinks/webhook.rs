//! # A webhook
//!
//! Each finding is one `POST`: in the form of Standard Webhooks 1.0.0, which `docs/sinks.md` shows, or in that
//! of a service that has its own (`slack.rs`, `teams.rs`, `pagerduty.rs`), or in one of the user's (`template.rs`).
//!
//! ## Sends
//!
//! `webhook-id`, the same with every attempt; `webhook-timestamp`, when this attempt was made;
//! `webhook-signature`, by each secret. The body is less than 20 KB. A service with a form of its own gets a
//! body and none of these. Headers of the user's are sent with either.
//!
//! ## Succeeds when
//!
//! The status is 2xx, whatever stands in the answer. Of that 64 KiB are read and nothing is kept.
//!
//! ## Fails when
//!
//! * 400, 413, 415, 422: the receiver will not have this message: it is dead at once;
//! * 410: the receiver wants nothing any more: it is asked again after the next start;
//! * everything else, redirects too, which are never followed: the message is sent again by the schedule. How
//!   long 429, 502, 503 and 504 ask to wait (`retry-after`) is kept, up to an hour;
//! * no answer within 20 s, however busily it drips in.
//!
//! ## Talks to
//!
//! Addresses in the internet, and those of `allow`; see `guard.rs`. No proxy, no redirect, one connection for
//! each attempt.

use super::{
    Message, Outcome,
    endpoint::Endpoint,
    guard::Allowed,
    pagerduty::RoutingKey,
    reach::{Connection, Fault, Reach, ReachError},
    retry_after::asked_ms,
    signature::{Secret, sign},
    template::Template,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, StatusCode,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use ingest::source::session::Gate;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// From the first look for the address to the end of the answer. Unit: seconds.
const TIMEOUT_S: u64 = 20;
/// What is read of an answer. Unit: bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What the headers of an answer may take. Unit: bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Of the name of a header. Unit: characters.
const HEADER_CHARS_MAX: usize = 64;
/// They say what a request is, and where it ends.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What a webhook has to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What it understands.
    pub form: Form,
    /// Addresses that are talked to though they are not in the internet.
    pub allowed: Allowed,
    /// What is sent besides, such as who we are.
    pub headers: Vec<Header>,
}

/// A header of a request. Its value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    name: HeaderName,
    /// Marked as such, so that it is not shown.
    value: HeaderValue,
}

/// Why a header cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoHeader {
    /// No name.
    #[error("no name of a header (expected letters, digits and `-`, {HEADER_CHARS_MAX} at most)")]
    Name,
    /// It says how a request is sent.
    #[error("is set by the program")]
    Own,
    /// No value.
    #[error("holds what cannot stand in a header (expected one line of visible characters)")]
    Value,
}

impl Header {
    /// A header, around whose value there may be blanks.
    pub fn parse(name: &str, value: &str) -> Result<Self, NoHeader> {
        let name = Self::name(name)?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| NoHeader::Value)?;
        if value.is_empty() {
            return Err(NoHeader::Value);
        }
        value.set_sensitive(true);
        Ok(Self { name, value })
    }

    /// The name of a header that may be sent.
    pub fn name(text: &str) -> Result<HeaderName, NoHeader> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.len() > HEADER_CHARS_MAX || !text.bytes().all(fits) {
            return Err(NoHeader::Name);
        }
        let name: HeaderName = text.parse().map_err(|_| NoHeader::Name)?;
        let is_own = OWN_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("webhook-");
        if is_own { Err(NoHeader::Own) } else { Ok(name) }
    }
}

/// In which form findings are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Standard Webhooks. By each of these a message is signed; none: it is not signed.
    Standard(Vec<Secret>),
    /// Blocks of Slack.
    Slack,
    /// A card of Microsoft Teams.
    Teams,
    /// Events of PagerDuty, which open incidents where this key leads.
    PagerDuty(RoutingKey),
    /// What a file of the user's says.
    Template(Template),
}

/// Sends messages to one receiver.
#[derive(Clone)]
pub struct Webhook {
    settings: Settings,
    reach: Reach,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// What is asked of an answer.
struct Answer {
    status: StatusCode,
    after_ms: Option<i64>,
}

impl Webhook {
    /// One that trusts the certificates of the system.
    pub fn new(settings: Settings) -> Result<Self, ReachError> {
        Ok(Self { settings, reach: Reach::new(Duration::from_secs(TIMEOUT_S))? })
    }

    /// The same, that sends through this gate.
    #[must_use]
    pub fn behind(mut self, gate: Gate) -> Self {
        self.reach.gate = gate;
        self
    }

    /// Sends a message now, with a header `traceparent` if there is one. Unit: milliseconds since the Unix epoch.
    pub async fn send(&self, message: &Message, now_ms: i64, traceparent: Option<&str>) -> Outcome {
        let Settings { endpoint, allowed, .. } = &self.settings;
        let deadline = Instant::now() + self.reach.timeout;
        let sent = match timeout_at(deadline, self.reach.connect(endpoint, allowed)).await {
            Ok(Ok(connection)) => {
                let said = (message, now_ms, traceparent);
                self.post(connection, said, deadline).await
            }
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(self.too_slow()),
        };
        sent.map_or_else(
            |Fault(error)| Outcome::Retry { error, after_ms: None },
            |answer| outcome(&answer),
        )
    }

    fn too_slow(&self) -> Fault {
        Fault(format!("no answer within {} s", self.reach.timeout.as_secs_f64()))
    }

    /// Sends the message and reads the answer.
    async fn post(
        &self,
        connection: Connection,
        (message, now_ms, traceparent): (&Message, i64, Option<&str>),
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let request = self.request(message, now_ms, traceparent)?;
        let failed = |error: &hyper::Error| Fault(format!("no answer: {}", in_words(error)));
        let mut client = http1::Builder::new();
        client.max_buf_size(HEAD_BYTES_MAX);
        let handshake = client.handshake(TokioIo::new(connection)).await;
        let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
        let exchange = async {
            let head = timeout_at(deadline, sender.send_request(request)).await;
            let head = head.map_err(|_| self.too_slow())?.map_err(|error| failed(&error))?;
            let status = head.status();
            let after = head.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let after_ms = asked_ms(after, now_ms);
            // What the status says holds, whatever becomes of the rest.
            drop(timeout_at(deadline, throw_away(head.into_body())).await);
            Ok(Answer { status, after_ms })
        };
        beside(connection, exchange).await
    }

    fn request(
        &self,
        message: &Message,
        now_ms: i64,
        traceparent: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, Fault> {
        let Settings { endpoint, form, headers, .. } = &self.settings;
        let mut request = Request::post(&endpoint.path)
            .header("host", &endpoint.authority)
            .header("content-type", "application/json")
            .header("user-agent", concat!("sentrail/", env!("CARGO_PKG_VERSION")))
            .header("connection", "close");
        for Header { name, value } in headers {
            request = request.header(name, value);
        }
        if let Some(trace) = traceparent {
            request = request.header("traceparent", trace);
        }
        if let Form::Standard(secrets) = form {
            let now_s = now_ms.div_euclid(1_000);
            request = request.header("webhook-id", &message.id).header("webhook-timestamp", now_s);
            if !secrets.is_empty() {
                let signature = sign(secrets, (&message.id, now_s), &message.body);
                request = request.header("webhook-signature", signature);
            }
        }
        let body = match form {
            Form::PagerDuty(key) => key.put_into(&message.body),
            Form::Standard(_) | Form::Slack | Form::Teams | Form::Template(_) => {
                message.body.clone()
            }
        };
        let body = Full::new(Bytes::from(body));
        request.body(body).map_err(|_| Fault("no request can be made of this".to_owned()))
    }
}

/// Drives a connection while something is done over it, and no longer.
async fn beside<T>(connection: impl Future, exchange: impl Future<Output = T>) -> T {
    let (mut connection, mut exchange) = (pin!(connection), pin!(exchange));
    let mut is_open = true;
    poll_fn(move |context| {
        let done = exchange.as_mut().poll(context);
        if done.is_pending() && is_open && connection.as_mut().poll(context).is_ready() {
            is_open = false;
            // What came with the end is there now.
            return exchange.as_mut().poll(context);
        }
        done
    })
    .await
}

/// Reads an answer to its end, or as much as anybody may make us read.
async fn throw_away(mut body: Incoming) {
    let mut n_bytes = 0;
    while n_bytes < ANSWER_BYTES_MAX && !body.is_end_stream() {
        let Some(Ok(frame)) = body.frame().await else { return };
        n_bytes += frame.data_ref().map_or(1, Bytes::len);
    }
}

/// Statuses by which a receiver says that it does not know who sends.
const DENIED: [u16; 2] = [401, 403];

fn in_short(status: u16) -> String {
    format!("status {status}")
}

impl Outcome {
    /// Whether a webhook does not know who sends: a secret may have been replaced.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Retry { error, .. } if DENIED.map(in_short).contains(error))
    }
}

fn outcome(answer: &Answer) -> Outcome {
    let status = answer.status.as_u16();
    let error = in_short(status);
    match status {
        200..=299 => Outcome::Delivered,
        400 | 413 | 415 | 422 => Outcome::Refused { error },
        410 => Outcome::Gone { error },
        429 | 502..=504 => Outcome::Retry { error, after_ms: answer.after_ms },
        _ => Outcome::Retry { error, after_ms: None },
    }
}

/// What stands behind the library's words may hold a name.
fn in_words(error: &hyper::Error) -> &'static str {
    if error.is_parse() {
        "it is not HTTP, or its head is too long"
    } else {
        "the connection broke"
    }
}

#[cfg(test)]
mod tests;
