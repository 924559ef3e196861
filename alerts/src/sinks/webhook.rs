//! # A webhook
//!
//! Each finding is one `POST`: in the form of Standard Webhooks 1.0.0, which `docs/sinks.md` shows, or in that
//! of a service that has its own (`slack.rs`, `teams.rs`,
//! `pagerduty.rs`).
//!
//! ## Sends
//!
//! `webhook-id`, the same with every attempt; `webhook-timestamp`, when this attempt was made;
//! `webhook-signature`, by each secret. The body is less than 20 KB. A service with a form of its own gets a
//! body and none of these.
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
    endpoint::{Endpoint, Host},
    guard::{Allowed, Resolve, System},
    pagerduty::RoutingKey,
    retry_after::asked_ms,
    signature::{Secret, sign},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, StatusCode,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1,
    header::RETRY_AFTER,
};
use hyper_util::rt::TokioIo;
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    net::IpAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, CertificateError, ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName,
    },
};

/// From the first look for the address to the end of the answer. Unit: seconds.
const TIMEOUT_S: u64 = 20;
/// What is read of an answer. Unit: bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What the headers of an answer may take. Unit: bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Addresses of a name to which a connection is tried, one after the other. Unit: addresses.
const ADDRESSES_MAX: usize = 4;

/// What a webhook has to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What it understands.
    pub form: Form,
    /// Addresses that are talked to though they are not in the internet.
    pub allowed: Allowed,
}

/// In which form findings are told.
#[derive(Debug, Clone)]
pub enum Form {
    /// Standard Webhooks. By each of these a message is signed; none: it is not signed.
    Standard(Vec<Secret>),
    /// Blocks of Slack.
    Slack,
    /// A card of Microsoft Teams.
    Teams,
    /// Events of PagerDuty, which open incidents where this key leads.
    PagerDuty(RoutingKey),
}

/// Why no message can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Nobody's certificate can be trusted.
    #[error(
        "no root certificates on this system (expected the package ca-certificates, or SSL_CERT_FILE)"
    )]
    NoRoots,
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// What is around a webhook, and another in tests.
struct Around {
    roots: RootCertStore,
    resolver: Arc<dyn Resolve>,
    timeout: Duration,
}

/// Sends messages to one receiver.
#[derive(Clone)]
pub struct Webhook {
    settings: Settings,
    tls: TlsConnector,
    resolver: Arc<dyn Resolve>,
    timeout: Duration,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// Why there is no answer.
struct Fault(String);

impl Fault {
    fn of_io(doing: &str, error: &io::Error) -> Self {
        // What the system says may hold a name; the kind does not.
        Self(format!("{doing}: {}", error.kind()))
    }
}

/// What is asked of an answer.
struct Answer {
    status: StatusCode,
    after_ms: Option<i64>,
}

impl Webhook {
    /// One that trusts the certificates of the system.
    pub fn new(settings: Settings) -> Result<Self, WebhookError> {
        let mut roots = RootCertStore::empty();
        // Some that cannot be read are no harm while there are others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(WebhookError::NoRoots);
        }
        let timeout = Duration::from_secs(TIMEOUT_S);
        Self::within(settings, Around { roots, resolver: Arc::new(System), timeout })
    }

    fn within(settings: Settings, around: Around) -> Result<Self, WebhookError> {
        let Around { roots, resolver, timeout } = around;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { settings, tls: TlsConnector::from(Arc::new(tls)), resolver, timeout })
    }

    /// Sends a message now. Unit: milliseconds since the Unix epoch.
    pub async fn send(&self, message: &Message, now_ms: i64) -> Outcome {
        let deadline = Instant::now() + self.timeout;
        let sent = match timeout_at(deadline, self.connect()).await {
            Ok(Ok(connection)) => self.post(connection, (message, now_ms), deadline).await,
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(self.too_slow()),
        };
        sent.map_or_else(
            |Fault(error)| Outcome::Retry { error, after_ms: None },
            |answer| outcome(&answer),
        )
    }

    fn too_slow(&self) -> Fault {
        Fault(format!("no answer within {} s", self.timeout.as_secs_f64()))
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let Endpoint { is_tls, host, port, .. } = &self.settings.endpoint;
        let addresses = self.addresses(host, *is_tls).await?;
        let mut fault = Fault("the name has no address".to_owned());
        let tried = addresses.iter().take(ADDRESSES_MAX);
        let each = self.timeout / u32::try_from(tried.len()).unwrap_or(1).max(1);
        for ip in tried {
            // To this very address: the name is not asked for again.
            match timeout(each, TcpStream::connect((*ip, *port))).await {
                Ok(Ok(tcp)) => {
                    return if *is_tls { self.encrypt(host, tcp).await } else { Ok(Box::new(tcp)) };
                }
                Ok(Err(error)) => fault = Fault::of_io("cannot connect", &error),
                Err(_) => fault = Fault("cannot connect: timed out".to_owned()),
            }
        }
        Err(fault)
    }

    /// All addresses of a host, if all may be talked to.
    async fn addresses(&self, host: &Host, is_tls: bool) -> Result<Vec<IpAddr>, Fault> {
        let addresses = match host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|error| Fault::of_io("cannot resolve the name", &error))?
            }
        };
        let Settings { allowed, .. } = &self.settings;
        if let Some(inner) = addresses.iter().find_map(|ip| allowed.refuses(*ip)) {
            return Err(Fault(format!("the URL leads to {inner}")));
        }
        if !is_tls && !addresses.iter().all(|ip| allowed.holds(*ip)) {
            let what = "the URL leads to an address that `allow` does not name (expected https)";
            return Err(Fault(what.to_owned()));
        }
        Ok(addresses)
    }

    async fn encrypt(&self, host: &Host, tcp: TcpStream) -> Result<Connection, Fault> {
        let name = match host {
            Host::Address(ip) => ServerName::from(*ip),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| Fault("no certificate can be for such a name".to_owned()))?,
        };
        let tls = self.tls.connect(name, tcp).await.map_err(|error| of_tls(&error))?;
        Ok(Box::new(tls))
    }

    /// Sends the message and reads the answer.
    async fn post(
        &self,
        connection: Connection,
        (message, now_ms): (&Message, i64),
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let request = self.request(message, now_ms)?;
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

    fn request(&self, message: &Message, now_ms: i64) -> Result<Request<Full<Bytes>>, Fault> {
        let Settings { endpoint, form, .. } = &self.settings;
        let mut request = Request::post(&endpoint.path)
            .header("host", &endpoint.authority)
            .header("content-type", "application/json")
            .header("user-agent", concat!("sentrail/", env!("CARGO_PKG_VERSION")))
            .header("connection", "close");
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
            Form::Standard(_) | Form::Slack | Form::Teams => message.body.clone(),
        };
        let body = Full::new(Bytes::from(body));
        request.body(body).map_err(|_| Fault("no request can be made of this".to_owned()))
    }
}

/// What bytes go through.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

type Connection = Box<dyn Stream>;

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

/// What is wrong with TLS, without the name that the certificate should have been for.
fn of_tls(error: &io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let what = match inner {
        Some(rustls::Error::InvalidCertificate(wrong)) => match wrong {
            CertificateError::UnknownIssuer => "a certificate of an unknown issuer",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "a certificate for another name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "a certificate that has expired"
            }
            _ => "a certificate that is not valid",
        },
        Some(_) => "the other side speaks it otherwise, or not at all",
        None => return Fault::of_io("no TLS", error),
    };
    Fault(format!("no TLS: {what}"))
}

#[cfg(test)]
mod tests;
