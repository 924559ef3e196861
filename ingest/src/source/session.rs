//! How AWS is reached. In: region, profile, role and endpoint as the user has them. Out: a session
//! that clients of S3 and SQS are made of. It sends nothing itself but what finding credentials takes.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::{ResponseChecksumValidation, SharedCredentialsProvider};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;

pub use super::gate::Gate;

/// Times a call is sent, the first included, before it counts as failed; the SDK waits up to 1 s
/// before the second and up to 2 s before the third. Unit: calls.
pub(crate) const CALL_ATTEMPTS_MAX: u32 = 3;

/// How long a server may be silent before it answers; longer than a long poll. Unit: seconds.
pub(crate) const ANSWER_S_MAX: u64 = 30;

/// The name that calls by an assumed role have in CloudTrail.
const ROLE_SESSION_NAME: &str = "sentrail";

/// How the user wants AWS reached; the default is what environment and profile say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Region of buckets and queues. `None`: the environment's, the profile's, the machine's.
    pub region: Option<String>,
    /// Profile of the AWS configuration file. `None`: `AWS_PROFILE`, else `default`.
    pub profile: Option<String>,
    /// Server to ask instead of AWS's; buckets are then named in the path. `None`: what
    /// `AWS_ENDPOINT_URL` says, else AWS.
    pub endpoint: Option<String>,
    /// Role to read by, for logs of another account.
    pub role: Option<Role>,
    /// Whether requests for objects are paid by who reads them.
    pub requester_pays: bool,
    /// What every request goes through.
    pub gate: Gate,
}

/// A role that is assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// ARN of the role.
    pub arn: String,
    /// What the role's trust policy expects as `sts:ExternalId`.
    pub external_id: Option<String>,
}

/// Why AWS cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nothing says in which region the logs are.
    #[error(
        "no AWS region is set (expected a region in the configuration, in AWS_REGION or in the profile)"
    )]
    NoRegion,
}

/// AWS, ready to be asked. Clones share connections and credentials.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) sdk: SdkConfig,
    pub(crate) path_style: bool,
    pub(crate) requester_pays: bool,
    gate: Gate,
}

impl Session {
    /// Looks up region and credentials; whether they are accepted, the first call tells.
    pub async fn begin(access: &Access) -> Result<Self, AccessError> {
        Self::of(loader(&access.gate), access).await
    }

    /// The same with keys and a region that a test server takes, whatever the environment says.
    #[cfg(any(test, feature = "testkit"))]
    pub async fn with_test_keys(access: &Access) -> Result<Self, AccessError> {
        let keys = aws_sdk_s3::config::Credentials::new("test", "test", None, None, "test");
        let region = Region::from_static("us-east-1");
        Self::of(loader(&access.gate).region(region).credentials_provider(keys), access).await
    }

    async fn of(mut loader: ConfigLoader, access: &Access) -> Result<Self, AccessError> {
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &access.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let mut sdk = loader.load().await;
        if sdk.region().is_none() {
            return Err(AccessError::NoRegion);
        }
        if let Some(role) = &access.role {
            let provider = assumed(role, &sdk).await;
            sdk = sdk.into_builder().credentials_provider(provider).build();
        }
        let path_style = sdk.endpoint_url().is_some();
        let gate = access.gate.clone();
        Ok(Self { sdk, path_style, requester_pays: access.requester_pays, gate })
    }

    /// What sends calls that no client of the SDK makes.
    pub(super) fn connector(&self) -> SharedHttpConnector {
        self.gate.before(Connector::builder().tls_provider(tls()).build())
    }
}

/// TLS of every call.
pub(super) fn tls() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

/// What holds for every session.
fn loader(gate: &Gate) -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls()).build_https();
    let http = gate.before_all(http);
    let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_secs(ANSWER_S_MAX));
    // A fixed version: an update of the SDK must not change how sentrail behaves. What S3 sends is
    // checked by length and by gzip; checksums of S3's would not cover bodies read in two parts.
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS_MAX))
        .timeout_config(timeouts.build())
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
}

/// Credentials of a role, renewed as they run out.
pub(super) async fn assumed(role: &Role, by: &SdkConfig) -> SharedCredentialsProvider {
    let mut provider =
        AssumeRoleProvider::builder(&role.arn).session_name(ROLE_SESSION_NAME).configure(by);
    if let Some(external_id) = &role.external_id {
        provider = provider.external_id(external_id);
    }
    SharedCredentialsProvider::new(provider.build().await)
}
