//! STS: sessions of roles, and who one is.

use super::At;
use crate::aws::call::Call;
use crate::aws::caller::Role;
use crate::calls;
use crate::clock::{HOUR_S, in_words};
use crate::json::Json;
use crate::object;
use crate::rng::Rng;

calls! {
    "sts": get_caller_identity() = "GetCallerIdentity";
    "sts": get_session_token(seconds) = "GetSessionToken", ask: r#"{"durationSeconds":<seconds>}"#,
        answer: r#"{"credentials":{"accessKeyId":"<key>","sessionToken":"<session-token>","expiration":"<hour>"}}"#;
    "sts": get_federation_token(user) = "GetFederationToken",
        ask: r#"{"name":"<user>","durationSeconds":43200}"#,
        answer: r#"{"credentials":{"accessKeyId":"<key>","sessionToken":"<session-token>","expiration":"<hour>"},"federatedUser":{"federatedUserId":"<account>:<user>","arn":"arn:aws:sts::<account>:federated-user/<user>"},"packedPolicySize":1}"#;
}

/// A new session, as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The role taken on.
    pub role: &'a Role,
    /// The role session name.
    pub session: &'a str,
    /// The new `ASIA...` key.
    pub key: &'a str,
}

fn credentials(at: At<'_>, key: &str, rng: &mut Rng) -> Json {
    object! {
        "accessKeyId": key,
        "sessionToken": ["IQoJb3JpZ2luX2VjE", &rng.base64(620), "=="].concat(),
        "expiration": in_words(at.time_s + HOUR_S),
    }
}

fn assumed(opening: Opening<'_>) -> Json {
    let Opening { role, session, .. } = opening;
    object! {
        "assumedRoleId": [role.principal.as_str(), ":", session].concat(),
        "arn": role.session_arn(session),
    }
}

fn role_resource(role: &Role) -> Json {
    object! { "accountId": &role.account, "type": "AWS::IAM::Role", "ARN": role.arn() }
}

/// A principal, or a service, takes on a role. In a chain over accounts the call is told in both:
/// set `shared_id`.
pub fn assume_role(at: At<'_>, opening: Opening<'_>, rng: &mut Rng) -> Call {
    let answer = object! {
        "credentials": credentials(at, opening.key, rng), "assumedRoleUser": assumed(opening),
    };
    Call::new(at.time_s, at.region, "sts", "AssumeRole")
        .asking(object! {
            "roleArn": opening.role.arn(), "roleSessionName": opening.session,
        })
        .answered(answer)
        .touching(role_resource(opening.role))
}

/// A service takes on a role for a machine: there is no `assumedRoleUser` in the answer.
pub fn assume_role_for_service(at: At<'_>, opening: Opening<'_>, rng: &mut Rng) -> Call {
    let answer = object! { "credentials": credentials(at, opening.key, rng) };
    assume_role(at, opening, rng).answered(answer)
}

/// A token of another provider, for example of GitHub for `subject`, becomes a session.
pub fn assume_role_with_web_identity(
    at: At<'_>,
    opening: Opening<'_>,
    (provider, subject): (&str, &str),
    rng: &mut Rng,
) -> Call {
    let provider_arn =
        ["arn:aws:iam::", &opening.role.account, ":oidc-provider/", provider].concat();
    let answer = object! {
        "credentials": credentials(at, opening.key, rng),
        "subjectFromWebIdentityToken": subject, "assumedRoleUser": assumed(opening),
        "provider": provider_arn, "audience": "sts.amazonaws.com",
    };
    Call::new(at.time_s, at.region, "sts", "AssumeRoleWithWebIdentity")
        .asking(object! {
            "roleArn": opening.role.arn(), "roleSessionName": opening.session,
            "durationSeconds": 3600,
        })
        .answered(answer)
        .touching(role_resource(opening.role))
}

/// A sign-in at the firm's own identity provider becomes a session.
pub fn assume_role_with_saml(
    at: At<'_>,
    opening: Opening<'_>,
    provider: &str,
    rng: &mut Rng,
) -> Call {
    let provider_arn = ["arn:aws:iam::", at.account, ":saml-provider/", provider].concat();
    let answer = object! {
        "credentials": credentials(at, opening.key, rng), "assumedRoleUser": assumed(opening),
        "subject": opening.session, "subjectType": "persistent",
        "issuer": ["https://", provider, ".example/saml"].concat(),
        "audience": "https://signin.aws.amazon.com/saml", "nameQualifier": rng.base64(27) + "=",
    };
    Call::new(at.time_s, at.region, "sts", "AssumeRoleWithSAML")
        .asking(object! {
            "sAMLAssertionID": ["_", &rng.uuid()].concat(),
            "roleSessionName": opening.session, "durationSeconds": 3600,
            "roleArn": opening.role.arn(), "principalArn": &provider_arn,
        })
        .answered(answer)
        .touching(role_resource(opening.role))
        .touching(object! {
            "accountId": at.account, "type": "AWS::IAM::SAMLProvider", "ARN": provider_arn,
        })
}
