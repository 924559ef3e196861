//! The one CloudTrail record that every later stage reads: borrowed from the inflated object,
//! strings unescaped and nested values looked into only when asked.

use std::borrow::Cow;
use std::fmt;

use crate::json;

mod error;
mod helpers;
mod identity;
mod raw;

pub use error::ErrorClass;
pub use helpers::Outcome;
pub use raw::{Each, Entries};

/// A JSON string as the log wrote it: the bytes between its quotes, escapes untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(test, derive(Default))]
pub struct Text<'a>(pub &'a str);

impl<'a> Text<'a> {
    /// The string itself; owned only where the log escaped something. Lone surrogates read as
    /// U+FFFD.
    #[inline]
    pub fn get(self) -> Cow<'a, str> {
        json::unescape(self.0)
    }

    /// Whether the string, escapes undone, is `plain`.
    #[inline]
    pub fn is(self, plain: &str) -> bool {
        // An escape is longer than what it stands for, or stays as it is.
        let (raw, len) = (self.0, plain.len());
        raw.len() >= len && (raw.len() > len || raw == plain) && self.get() == plain
    }

    /// Whether the string is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, plain: &str) -> bool {
        self.is(plain)
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, plain: &&str) -> bool {
        self.is(plain)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.get())
    }
}

/// A JSON value as the log wrote it, looked into on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Default))]
pub struct Raw<'a>(pub &'a str);

/// One API call, sign-in or service event.
///
/// Members are those of AWS's "CloudTrail record contents" (docs.aws.amazon.com/awscloudtrail/latest/
/// userguide/cloudtrail-event-reference-record-contents.html); `None` where the record lacks one, has
/// null or has a value of another kind. Identifiers that came as numbers are texts as they were written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(test, derive(Default))]
pub struct Event<'a> {
    /// The whole record.
    pub raw: Raw<'a>,
    /// `eventTime`. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// `eventID`; absent in records of version 1.0.
    pub id: Option<Text<'a>>,
    /// `eventSource`, for example `s3.amazonaws.com`.
    pub source: Text<'a>,
    /// `eventName`, for example `PutObject`, API version included.
    pub name: Text<'a>,
    /// `awsRegion`.
    pub region: Option<Text<'a>>,
    /// `sourceIPAddress`: an address, a service's name or `AWS Internal`.
    pub source_ip: Option<Text<'a>>,
    /// `userAgent`.
    pub user_agent: Option<Text<'a>>,
    /// `errorCode`.
    pub error_code: Option<Text<'a>>,
    /// `errorMessage`.
    pub error_message: Option<Text<'a>>,
    /// `eventType`, for example `AwsApiCall`.
    pub event_type: Option<Text<'a>>,
    /// `eventCategory`, for example `Management`.
    pub category: Option<Text<'a>>,
    /// `recipientAccountId`.
    pub recipient_account: Option<Text<'a>>,
    /// `requestID`.
    pub request_id: Option<Text<'a>>,
    /// `sharedEventID`: the same in the copies that several accounts get of one call.
    pub shared_event_id: Option<Text<'a>>,
    /// `vpcEndpointId`: the VPC endpoint that the call came through.
    pub vpc_endpoint: Option<Text<'a>>,
    /// `readOnly`: whether the call changes nothing.
    pub read_only: Option<bool>,
    /// `sessionCredentialFromConsole`: whether the call came from a session of the console.
    pub from_console: Option<bool>,
    /// `userIdentity`; see [`Identity::of`].
    pub identity: Option<Raw<'a>>,
    /// `requestParameters`.
    pub request: Option<Raw<'a>>,
    /// `responseElements`.
    pub response: Option<Raw<'a>>,
    /// `additionalEventData`.
    pub additional: Option<Raw<'a>>,
    /// `serviceEventDetails`.
    pub service_details: Option<Raw<'a>>,
    /// `resources`.
    pub resources: Option<Raw<'a>>,
    /// `tlsDetails`.
    pub tls: Option<Raw<'a>>,
    /// `addendum`: why the record came late, or replaces another.
    pub addendum: Option<Raw<'a>>,
}

/// `userIdentity`, every field that names somebody; `None` where the record lacks one, has null or has a
/// value of another kind (AWS: "CloudTrail userIdentity element").
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Identity<'a> {
    /// `type`, for example `AssumedRole`.
    pub kind: Option<Text<'a>>,
    /// `userName`.
    pub user_name: Option<Text<'a>>,
    /// `principalId`.
    pub principal_id: Option<Text<'a>>,
    /// `arn`.
    pub arn: Option<Text<'a>>,
    /// `accountId`.
    pub account_id: Option<Text<'a>>,
    /// `accessKeyId`; `None` also where the log says `""`.
    pub access_key_id: Option<Text<'a>>,
    /// `invokedBy`: the AWS service that acts for the principal.
    pub invoked_by: Option<Text<'a>>,
    /// `identityProvider`, on STS calls.
    pub identity_provider: Option<Text<'a>>,
    /// `credentialId`: a bearer token.
    pub credential_id: Option<Text<'a>>,
    /// `onBehalfOf.userId`.
    pub on_behalf_of: Option<Text<'a>>,
    /// `invokedByDelegate.accountId`.
    pub delegate_account: Option<Text<'a>>,
    /// `inScopeOf.credentialsIssuedTo`: the function, instance or task that holds the credentials.
    pub credentials_issued_to: Option<Text<'a>>,
    /// `inScopeOf.issuerType`.
    pub scope_issuer_type: Option<Text<'a>>,
    /// `sessionContext.sessionIssuer.type`.
    pub issuer_kind: Option<Text<'a>>,
    /// `sessionContext.sessionIssuer.arn`.
    pub issuer_arn: Option<Text<'a>>,
    /// `sessionContext.sessionIssuer.accountId`.
    pub issuer_account: Option<Text<'a>>,
    /// `sessionContext.sessionIssuer.userName`.
    pub issuer_user_name: Option<Text<'a>>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<Text<'a>>,
    /// `sessionContext.webIdFederationData.federatedProvider`.
    pub federated_provider: Option<Text<'a>>,
    /// `sessionContext.ec2RoleDelivery`, or beside it.
    pub ec2_role_delivery: Option<Text<'a>>,
    /// `sessionContext.signInSessionArn`.
    pub sign_in_session: Option<Text<'a>>,
    /// `sessionContext.assumedRoot`; false too where it is absent.
    pub assumed_root: bool,
    /// `sessionContext.attributes.mfaAuthenticated`, a string in the logs.
    pub mfa: Option<bool>,
    /// `sessionContext.attributes.creationDate`. Unit: milliseconds since the Unix epoch.
    pub session_created_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_compares_by_what_it_says() {
        assert_eq!(Text("PutObject"), "PutObject");
        assert_eq!(Text(r"Put\u004fbject"), "PutObject");
        assert_ne!(Text(r"a\\b"), r"a\\b");
        assert_eq!(Text(r"a\\b"), r"a\b");
        assert_eq!(Text(r"a\/b").to_string(), "a/b");
        assert!(matches!(Text("plain").get(), Cow::Borrowed("plain")));
    }
}
