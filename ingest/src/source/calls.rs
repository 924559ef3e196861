//! Calls to services that no crate of the SDK is built in for. In: a session, and what a service is to be asked. Out: what
//! it answered, as it is. Signed by `aws-sigv4`, over the connector of the SDK; sent once: who asks decides about again.

use super::session::{Role, Session, assumed};
use crate::target::partition_of;
use aws_sdk_s3::config::{Credentials, ProvideCredentials as _, http::HttpResponse};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};
use tokio::time::timeout;

/// From the connection to the end of an answer. Unit: seconds.
pub(super) const CALL_S_MAX: u64 = 20;
/// What is read of an answer; Security Hub tells of up to 100 findings. Unit: bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Accounts of which credentials are kept; beyond it all of them are asked for anew. Unit: accounts.
pub const KEYS_MAX: usize = 1_024;
/// Credentials are renewed so long before they end, as the SDK does. Unit: seconds.
const RENEWED_S: u64 = 300;
/// Those that say nothing of their end are asked for anew after this, as the SDK does. Unit: seconds.
const KEPT_S: u64 = 900;

/// What a service is asked.
#[derive(Debug)]
pub struct Request<'a> {
    /// By which name calls are signed, and the first part of the host.
    pub service: &'a str,
    /// Begins with `/`.
    pub path: &'a str,
    /// Besides the length: of what type the body is, and what the protocol of the service asks for.
    pub headers: &'a [(&'static str, &'a str)],
    /// What is said.
    pub body: String,
}

/// What a service said. All of it is somebody else's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// Names are in lower case.
    headers: Vec<(String, String)>,
    /// As much of it as may be read.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(own, _)| own == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer. Holds words of others, and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// STS does not say whose credentials these are.
    #[error("cannot tell which account the credentials belong to (sts:GetCallerIdentity): {0}")]
    NoAccount(String),
    /// Nothing gives credentials.
    #[error("no credentials: {0}")]
    NoCredentials(String),
    /// A role is not given.
    #[error("cannot assume {arn}: {why}")]
    NoRole {
        /// Of the role.
        arn: String,
        /// What STS said.
        why: String,
    },
    /// The request cannot be made.
    #[error("the call cannot be signed, or has no address")]
    NoRequest,
    /// Nothing came, or not all of it.
    #[error("no answer: {0}")]
    NoAnswer(&'static str),
}

/// Calls in one region, by the own credentials and by those of a role in other accounts.
pub struct Calls {
    session: Session,
    connector: SharedHttpConnector,
    region: String,
    /// Name of the role that other accounts have.
    role: Option<String>,
    own: Option<String>,
    keys: BTreeMap<String, Keys>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calls({}, as {:?})", self.region, self.role)
    }
}

/// Credentials, until when they are used.
struct Keys {
    credentials: Credentials,
    until: SystemTime,
}

impl Calls {
    /// Calls in the session's region; `role` is the name of a role in other accounts.
    pub fn new(session: &Session, role: Option<String>) -> Self {
        let region = session.sdk.region().map(ToString::to_string).unwrap_or_default();
        let (session, connector) = (session.clone(), session.connector());
        Self { session, connector, region, role, own: None, keys: BTreeMap::new() }
    }

    /// The region that is called.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The partition of that region.
    pub fn partition(&self) -> &'static str {
        partition_of(&self.region)
    }

    /// The account of the own credentials, asked for once.
    pub async fn own_account(&mut self) -> Result<String, CallError> {
        if let Some(own) = &self.own {
            return Ok(own.clone());
        }
        let client = aws_sdk_sts::Client::new(&self.session.sdk);
        let said = client.get_caller_identity().send().await;
        let said = said.map_err(|error| CallError::NoAccount(in_words(&error)))?;
        let none = || CallError::NoAccount("an answer without an account".to_owned());
        let account = said.account.filter(|account| !account.is_empty()).ok_or_else(none)?;
        self.own = Some(account.clone());
        Ok(account)
    }

    /// Asks a service by `POST`, as `account`. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub async fn post(
        &mut self,
        account: &str,
        request: Request<'_>,
        now_ms: i64,
    ) -> Result<Answer, CallError> {
        self.ask(account, ("POST", request), now_ms).await
    }

    /// The same by another method. A path of S3 begins with the bucket.
    pub async fn ask(
        &mut self,
        account: &str,
        (method, request): (&str, Request<'_>),
        now_ms: i64,
    ) -> Result<Answer, CallError> {
        let now = SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(now_ms).unwrap_or_default());
        let credentials = self.credentials(account, now).await?;
        let request =
            self.signed((method, request), &credentials, now).ok_or(CallError::NoRequest)?;
        let asked = async {
            let broken = |_| CallError::NoAnswer("the connection cannot be made, or broke");
            read(self.connector.call(request).await.map_err(broken)?).await
        };
        let too_slow = |_| CallError::NoAnswer("it took more than 20 s");
        timeout(Duration::from_secs(CALL_S_MAX), asked).await.map_err(too_slow)?
    }

    /// Has the credentials of an account asked for anew.
    pub fn forget(&mut self, account: &str) {
        self.keys.remove(account);
    }

    async fn credentials(
        &mut self,
        account: &str,
        now: SystemTime,
    ) -> Result<Credentials, CallError> {
        if let Some(keys) = self.keys.get(account).filter(|keys| now < keys.until) {
            return Ok(keys.credentials.clone());
        }
        let credentials = match &self.role {
            Some(role) if self.own.as_deref() != Some(account) => {
                let arn = format!("arn:{}:iam::{account}:role/{role}", self.partition());
                let role = Role { arn, external_id: None };
                let given = assumed(&role, &self.session.sdk).await.provide_credentials().await;
                given.map_err(|error| no_role(role.arn, &error))?
            }
            _ => {
                let provider = self.session.sdk.credentials_provider();
                let none = || CallError::NoCredentials("nothing provides them".to_owned());
                let given = provider.ok_or_else(none)?.provide_credentials().await;
                given.map_err(|error| CallError::NoCredentials(of_sources(&error)))?
            }
        };
        let renewed = |end: SystemTime| end.checked_sub(Duration::from_secs(RENEWED_S));
        let until = credentials.expiry().and_then(renewed);
        let until = until.unwrap_or(now + Duration::from_secs(KEPT_S));
        if self.keys.len() >= KEYS_MAX {
            self.keys.clear();
        }
        self.keys.insert(account.to_owned(), Keys { credentials: credentials.clone(), until });
        Ok(credentials)
    }

    /// Where a service listens.
    fn endpoint(&self, service: &str) -> String {
        if let Some(endpoint) = self.session.sdk.endpoint_url() {
            return endpoint.trim_end_matches('/').to_owned();
        }
        let fips = if self.session.sdk.use_fips() == Some(true) { "-fips" } else { "" };
        let end = if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}{fips}.{}.{end}", self.region)
    }

    fn signed(
        &self,
        (method, request): (&str, Request<'_>),
        credentials: &Credentials,
        now: SystemTime,
    ) -> Option<HttpRequest> {
        let Request { service, path, headers, body } = request;
        let url = format!("{}{path}", self.endpoint(service));
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(now)
            .settings(settings(service))
            .build()
            .ok()?;
        let own = headers.iter().copied();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new(method, url.as_str(), own, bytes).ok()?;
        let (instructions, _) = sign(signable, &parameters.into()).ok()?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).ok()?;
        request.set_uri(url).ok()?;
        let sent = request.headers_mut();
        for (name, value) in headers {
            sent.try_insert(*name, (*value).to_owned()).ok()?;
        }
        sent.try_insert("user-agent", concat!("sentrail/", env!("CARGO_PKG_VERSION"))).ok()?;
        let (signatures, _) = instructions.into_parts();
        for header in signatures {
            sent.try_insert(header.name(), header.value().to_owned()).ok()?;
        }
        Some(request)
    }
}

/// How requests of a service are signed: S3 takes paths as they are, and a hash of the body in a header.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

/// The region in which Organizations, of which a partition has one, is asked.
pub fn home_of(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

pub(super) async fn read(answer: HttpResponse) -> Result<Answer, CallError> {
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let status = answer.status().as_u16();
    let mut blocks = ByteStream::new(answer.into_body());
    let mut body = Vec::new();
    while let Some(block) = blocks.next().await {
        let block = block.map_err(|_| CallError::NoAnswer("it ended too soon"))?;
        let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
        body.extend(block.iter().take(room));
        if block.len() >= room {
            break;
        }
    }
    Ok(Answer { status, headers, body })
}

/// What a service said of a call of the SDK's.
fn in_words<E: ProvideErrorMetadata + Error + 'static>(
    error: &SdkError<E, HttpResponse>,
) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => of_sources(error),
    }
}

/// Why a role is not had: STS does not give it, or does not answer.
fn no_role(arn: String, error: &(dyn Error + 'static)) -> CallError {
    let said = error
        .source()
        .and_then(|source| source.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    match said {
        Some(refused @ SdkError::ServiceError(_)) => {
            CallError::NoRole { arn, why: in_words(refused) }
        }
        _ => CallError::NoCredentials(of_sources(error)),
    }
}

/// An error of the SDK, whose own words say little.
fn of_sources(error: &(dyn Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |&error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
