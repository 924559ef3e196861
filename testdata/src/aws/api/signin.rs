//! The way into the console, and into IAM Identity Center.

use super::At;
use crate::aws::call::{Call, Kind};
use crate::json::{Json, fixed};
use crate::object;
use crate::rng::Rng;

const HOST: &str = "signin.aws.amazon.com";

/// Second factor of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor<'a> {
    /// None asked for, or none known to the console.
    NotUsed,
    /// `MFAIdentifier`, the ARN of the device.
    Device(&'a str),
}

fn additional(at: At<'_>, factor: SecondFactor<'_>) -> Json {
    let page = ["https://", at.region, ".console.aws.amazon.com/console/home?region=", at.region];
    let mut pairs = vec![("LoginTo", Json::from(page.concat())), ("MobileVersion", fixed("No"))];
    match factor {
        SecondFactor::NotUsed => pairs.push(("MFAUsed", fixed("No"))),
        SecondFactor::Device(arn) => {
            pairs.push(("MFAIdentifier", Json::from(arn)));
            pairs.push(("MFAUsed", fixed("Yes")));
        }
    }
    Json::Object(pairs)
}

/// A sign-in to the console that works.
pub fn console_login(at: At<'_>, factor: SecondFactor<'_>) -> Call {
    Call::new(at.time_s, at.region, "signin", "ConsoleLogin")
        .of(Kind::SignIn)
        .answered(object! { "ConsoleLogin": "Success" })
        .adding(additional(at, factor))
        .to([at.region, ".", HOST].concat())
}

/// A sign-in with a wrong password: a message without a code.
pub fn failed_console_login(at: At<'_>) -> Call {
    console_login(at, SecondFactor::NotUsed)
        .refused("", "Failed authentication")
        .answered(object! { "ConsoleLogin": "Failure" })
}

/// The second factor of an IAM user is checked.
pub fn check_mfa(at: At<'_>) -> Call {
    Call::new(at.time_s, at.region, "signin", "CheckMfa")
        .of(Kind::SignIn)
        .answered(object! { "CheckMfa": "Success" })
        .adding(object! { "MfaType": "Virtual MFA" })
        .to([at.region, ".", HOST].concat())
}

/// From Identity Center into the console of an account.
pub fn get_signin_token(at: At<'_>, key: &str) -> Call {
    let answer = object! {
        "credentials": object! { "accessKeyId": key }, "GetSigninToken": "Success",
    };
    let mut call = Call::new(at.time_s, at.region, "signin", "GetSigninToken")
        .of(Kind::SignIn)
        .answered(answer)
        .adding(object! { "MobileVersion": "No", "MFAUsed": "No" })
        .to([at.region, ".", HOST].concat());
    call.read_only = true;
    call
}

/// A role taken on within the console; `from` is the ARN of who does it.
pub fn switch_role(at: At<'_>, role_arn: &str, from: &str) -> Call {
    let additional = object! {
        "SwitchFrom": from, "RedirectTo": "https://console.aws.amazon.com/console/home",
        "SwitchTo": role_arn,
    };
    Call::new(at.time_s, at.region, "signin", "SwitchRole")
        .of(Kind::SignIn)
        .answered(object! { "SwitchRole": "Success" })
        .adding(additional)
        .to(HOST)
}

/// Identity Center asks for a credential, `PASSWORD`, `TOTP` or `WEBAUTHN`.
pub fn credential_challenge(at: At<'_>, workflow: &str, (kind, user): (&str, &str)) -> Call {
    let mut call = Call::new(at.time_s, at.region, "signin", "CredentialChallenge")
        .of(Kind::Service)
        .adding(object! { "AuthWorkflowID": workflow, "CredentialType": kind, "UserName": user });
    call.details = Some(object! { "CredentialChallenge": "Success" });
    call
}

/// Identity Center checks a credential, `PASSWORD`, `TOTP` or `WEBAUTHN`.
pub fn credential_verification(at: At<'_>, workflow: &str, kind: &'static str) -> Call {
    let mut call = Call::new(at.time_s, at.region, "signin", "CredentialVerification")
        .of(Kind::Service)
        .adding(object! { "AuthWorkflowID": workflow, "CredentialType": fixed(kind) });
    call.details = Some(object! { "CredentialVerification": "Success" });
    call
}

/// Identity Center knows who it is.
pub fn user_authentication(at: At<'_>, workflow: &str) -> Call {
    let additional = object! {
        "AuthWorkflowID": workflow,
        "LoginTo": ["https://portal.sso.", at.region, ".amazonaws.com/login"].concat(),
        "CredentialType": "PASSWORD,TOTP",
    };
    let mut call = Call::new(at.time_s, at.region, "signin", "UserAuthentication")
        .of(Kind::Service)
        .adding(additional);
    call.details = Some(object! { "UserAuthentication": "Success" });
    call
}

/// The portal of Identity Center opens.
pub fn authenticate(at: At<'_>) -> Call {
    Call::new(at.time_s, at.region, "sso", "Authenticate").of(Kind::Service)
}

/// The command line gets a token for the day, after somebody said yes in the browser.
pub fn create_token(at: At<'_>, rng: &mut Rng) -> Call {
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    Call::new(at.time_s, at.region, "sso", "CreateToken")
        .asking(object! {
            "clientId": rng.base64(22), "clientSecret": HIDDEN, "deviceCode": rng.base64(43),
            "grantType": "urn:ietf:params:oauth:grant-type:device_code",
        })
        .answered(object! {
            "accessToken": HIDDEN, "expiresIn": 28_800, "idToken": HIDDEN, "refreshToken": HIDDEN,
            "tokenType": "Bearer",
        })
        .to(["oidc.", at.region, ".amazonaws.com"].concat())
}

/// Identity Center sends a person into the console of an account, as `role`.
pub fn federate(at: At<'_>, role: &str) -> Call {
    let mut call = Call::new(at.time_s, at.region, "sso", "Federate").of(Kind::Service);
    call.details = Some(object! {
        "relayId": Json::Null, "account_id": at.account, "role_name": role,
    });
    call
}

/// The command line asks Identity Center for credentials of `role`.
pub fn get_role_credentials(at: At<'_>, role: &str) -> Call {
    let mut call = Call::new(at.time_s, at.region, "sso", "GetRoleCredentials")
        .of(Kind::Service)
        .to(["portal.sso.", at.region, ".amazonaws.com"].concat());
    call.details = Some(object! { "role_name": role, "account_id": at.account });
    call
}

/// Identifier of one way through Identity Center.
pub fn workflow(rng: &mut Rng) -> String {
    rng.uuid()
}
