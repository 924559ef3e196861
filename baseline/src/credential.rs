//! With what a caller proved who it is, as far as `userIdentity` tells.

use ingest::{Identity, Text};

/// The kind of credential behind a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// An access key of a user or of root, which lives until it is deleted.
    LongTermKey,
    /// Keys of `AssumeRole`, `GetSessionToken` and their like, SAML's included: a session does not tell
    /// that it began with SAML. So do console sessions whose records do not name their sign-in.
    TemporaryKey,
    /// A session that began with a sign-in to the console.
    ConsoleSession,
    /// A token of an OIDC provider, or the session that it gave.
    WebIdentity,
    /// An assertion of a SAML provider.
    Saml,
    /// A bearer token, such as an API key of Amazon Bedrock.
    BearerToken,
    /// None of the caller's: an AWS service acts.
    Service,
    /// None that the record names: sign-ins, unsigned calls, calls of other accounts.
    None,
}

impl Credential {
    /// Every kind.
    #[cfg(test)]
    const ALL: &[Self] = &[
        Self::LongTermKey,
        Self::TemporaryKey,
        Self::ConsoleSession,
        Self::WebIdentity,
        Self::Saml,
        Self::BearerToken,
        Self::Service,
        Self::None,
    ];

    /// The kind of the caller's credential.
    pub fn of(identity: &Identity<'_>) -> Self {
        let says = |text: Option<Text<'_>>| text.is_some_and(|text| !text.is_empty());
        let kind = identity.kind.map_or("", |kind| kind.0);
        if kind == "AWSService" || says(identity.invoked_by) {
            return Self::Service;
        }
        if says(identity.credential_id) {
            return Self::BearerToken;
        }
        if kind == "WebIdentityUser" || says(identity.federated_provider) {
            return Self::WebIdentity;
        }
        if kind == "SAMLUser" {
            return Self::Saml;
        }
        if says(identity.sign_in_session) {
            return Self::ConsoleSession;
        }
        // The first letters of a key, as the IAM user guide gives them.
        match identity.access_key_id.and_then(|key| key.0.get(..4)) {
            Some("AKIA") => Self::LongTermKey,
            Some("ABIA") => Self::BearerToken,
            Some(_) => Self::TemporaryKey,
            None => Self::None,
        }
    }

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::LongTermKey => "long-term key",
            Self::TemporaryKey => "temporary key",
            Self::ConsoleSession => "console session",
            Self::WebIdentity => "web identity",
            Self::Saml => "saml",
            Self::BearerToken => "bearer token",
            Self::Service => "service",
            Self::None => "none",
        }
    }
}

/// Whether a session began with a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mfa {
    /// It did.
    With,
    /// It did not, or took over from one that may have: a role does not hand it on.
    Without,
    /// The record does not tell: long-term keys have no session.
    Unknown,
}

impl Mfa {
    /// What the caller's session says.
    pub fn of(identity: &Identity<'_>) -> Self {
        match identity.mfa {
            Some(true) => Self::With,
            Some(false) => Self::Without,
            None => Self::Unknown,
        }
    }

    /// Its name, lower case but for the abbreviation.
    pub fn name(self) -> &'static str {
        match self {
            Self::With => "with MFA",
            Self::Without => "without MFA",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::Raw;
    use proptest::prelude::*;

    #[track_caller]
    fn check(identity: &str, credential: Credential, mfa: Mfa) {
        let identity = Identity::of(Raw(identity));
        assert_eq!((Credential::of(&identity), Mfa::of(&identity)), (credential, mfa));
    }

    #[test]
    fn keys_are_told_by_their_first_letters() {
        let key = r#"{"type":"IAMUser","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#;
        check(key, Credential::LongTermKey, Mfa::Unknown);
        let session = r#"{"type":"IAMUser","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":
            {"attributes":{"mfaAuthenticated":"true"}}}"#;
        check(session, Credential::TemporaryKey, Mfa::With);
        let role = r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":
            {"webIdFederationData":{},"attributes":{"mfaAuthenticated":"false"}}}"#;
        check(role, Credential::TemporaryKey, Mfa::Without);
        check(r#"{"accessKeyId":"ABIAIOSFODNN7EXAMPLE"}"#, Credential::BearerToken, Mfa::Unknown);
        check(r#"{"accessKeyId":"1"}"#, Credential::None, Mfa::Unknown);
    }

    #[test]
    fn what_names_its_beginning_is_more_than_a_key() {
        let console = r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":
            {"signInSessionArn":"arn:aws:signin:us-east-1:111122223333:session/1",
             "attributes":{"mfaAuthenticated":"true"}}}"#;
        check(console, Credential::ConsoleSession, Mfa::With);
        let pod = r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":
            {"webIdFederationData":{"federatedProvider":"arn:aws:iam::1:oidc-provider/x"}}}"#;
        check(pod, Credential::WebIdentity, Mfa::Unknown);
        check(r#"{"type":"WebIdentityUser"}"#, Credential::WebIdentity, Mfa::Unknown);
        check(r#"{"type":"SAMLUser"}"#, Credential::Saml, Mfa::Unknown);
        let token = r#"{"type":"IAMUser","credentialId":"ACCAEXAMPLE"}"#;
        check(token, Credential::BearerToken, Mfa::Unknown);
    }

    #[test]
    fn services_and_the_unknown_have_none_of_their_own() {
        let service = r#"{"type":"AWSService","invokedBy":"config.amazonaws.com"}"#;
        check(service, Credential::Service, Mfa::Unknown);
        let via = r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE",
            "invokedBy":"athena.amazonaws.com"}"#;
        check(via, Credential::Service, Mfa::Unknown);
        check(
            r#"{"type":"IAMUser","invokedBy":"","userName":"u"}"#,
            Credential::None,
            Mfa::Unknown,
        );
        check("null", Credential::None, Mfa::Unknown);
    }

    proptest! {
        #[test]
        fn any_identity_has_one_of_each(
            kind in "(IAMUser|Root|AssumedRole|AWSService|[a-z]{0,4})",
            key in "((AKIA|ASIA|ABIA)[A-Z0-9]{16}|.{0,5})",
            mfa in proptest::option::of(any::<bool>()),
        ) {
            let (kind, access_key_id) = (Some(Text(&kind)), Some(Text(&key)));
            let identity = Identity { kind, access_key_id, mfa, ..Identity::default() };
            let credential = Credential::of(&identity);
            prop_assert!(Credential::ALL.contains(&credential));
            prop_assert_eq!(credential == Credential::Service, kind.is_some_and(|kind| kind.is("AWSService")));
            prop_assert_eq!(Mfa::of(&identity) == Mfa::Unknown, mfa.is_none());
        }
    }
}
