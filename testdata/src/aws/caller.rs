//! Who calls: the shapes of `userIdentity`, with the address and the tool the call comes from.

pub mod agents;
pub mod forms;

use std::sync::Arc;

use crate::clock::iso;
use crate::json::Json;
use crate::object;

/// A principal with its credentials, where it is and what it calls with.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `userIdentity`, rendered once for all its calls.
    pub identity: Json,
    /// `userIdentity.arn`; empty where there is none.
    pub arn: Arc<str>,
    /// `sourceIPAddress`: an address or a service's name.
    pub address: Arc<str>,
    /// `userAgent`.
    pub agent: Arc<str>,
    /// The credentials came from the console: `sessionCredentialFromConsole`.
    pub console: bool,
    /// An AWS service makes the call: no TLS details, a shared event id.
    pub service: bool,
    /// The VPC endpoint the call goes through.
    pub endpoint: Option<Endpoint>,
}

/// A VPC endpoint: `vpcEndpointId` and `vpcEndpointAccountId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `vpce-...`
    pub id: String,
    /// Its owner; empty: not told.
    pub account: String,
}

impl Caller {
    /// A caller outside AWS with the command line or an SDK.
    pub fn new(identity: Json, address: &str, agent: &str) -> Self {
        let arn = identity.get("arn").and_then(Json::as_text).unwrap_or_default();
        Self {
            arn: Arc::from(arn),
            identity: identity.rendered(),
            address: Arc::from(address),
            agent: Arc::from(agent),
            console: false,
            service: false,
            endpoint: None,
        }
    }

    /// The same credentials, in a browser.
    #[must_use]
    pub fn in_console(mut self) -> Self {
        self.console = true;
        self
    }

    /// The same credentials at another address, with another tool.
    #[must_use]
    pub fn moved(&self, address: &str, agent: &str) -> Self {
        let (address, agent) = (Arc::from(address), Arc::from(agent));
        Self { address, agent, service: false, endpoint: None, ..self.clone() }
    }

    /// The same credentials and address, with another tool.
    #[must_use]
    pub fn with(&self, agent: &str) -> Self {
        Self { agent: Arc::from(agent), ..self.clone() }
    }

    /// Through a VPC endpoint.
    #[must_use]
    pub fn through(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// An AWS service on its own account, for example `cloudtrail.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        let identity = object! { "type": "AWSService", "invokedBy": name };
        Self { service: true, ..Self::new(identity, name, name) }
    }

    /// Whether the tool itself connects to AWS, not a server of the console.
    pub(super) fn is_direct(&self) -> bool {
        self.agent.starts_with("Mozilla/") || self.agent.starts_with("aws-cli/")
    }
}

/// An IAM user.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's account.
    pub account: String,
    /// `userName`.
    pub name: String,
    /// `AIDA...`
    pub principal: String,
}

impl User {
    /// The ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user/{}", self.account, self.name)
    }

    /// `userIdentity` of a call with an access key of the user's own.
    pub fn with_key(&self, key: &str) -> Json {
        object! {
            "type": "IAMUser", "principalId": &self.principal, "arn": self.arn(),
            "accountId": &self.account, "accessKeyId": key, "userName": &self.name,
        }
    }

    /// `userIdentity` of a service at work for the user.
    pub fn invoked_by(&self, key: &str, service: &str) -> Json {
        object! {
            "type": "IAMUser", "principalId": &self.principal, "arn": self.arn(),
            "accountId": &self.account, "accessKeyId": key, "userName": &self.name,
            "invokedBy": service,
        }
    }

    /// `userIdentity` of a console session that began at `since_s`.
    pub fn in_session(&self, key: &str, since_s: i64, mfa: bool) -> Json {
        object! {
            "type": "IAMUser", "principalId": &self.principal, "arn": self.arn(),
            "accountId": &self.account, "accessKeyId": key, "userName": &self.name,
            "sessionContext": object! { "attributes": session_attributes(since_s, mfa) },
        }
    }

    /// `userIdentity` of a console sign-in, which has no key yet.
    pub fn signing_in(&self) -> Json {
        object! {
            "type": "IAMUser", "principalId": &self.principal, "arn": self.arn(),
            "accountId": &self.account, "userName": &self.name,
        }
    }
}

/// An IAM role.
#[derive(Debug, Clone)]
pub struct Role {
    /// The role's account.
    pub account: String,
    /// Path before the name, empty or ending in `/`.
    pub path: String,
    /// `userName` of the session's issuer.
    pub name: String,
    /// `AROA...`
    pub principal: String,
}

/// One session of a role.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The role session name.
    pub name: &'a str,
    /// `ASIA...`
    pub key: &'a str,
    /// When the session began. Unit: seconds since the Unix epoch.
    pub since_s: i64,
}

impl Role {
    /// The role's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}{}", self.account, self.path, self.name)
    }

    /// The ARN of a session.
    pub fn session_arn(&self, session: &str) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{session}", self.account, self.name)
    }

    /// `userIdentity` of a session; `extra` is put where AWS puts `webIdFederationData` (first)
    /// and `ec2RoleDelivery` or `invokedBy` (second).
    pub fn session(&self, session: Session<'_>, extra: &[(&'static str, Json)]) -> Json {
        let issuer = object! {
            "type": "Role", "principalId": &self.principal, "arn": self.arn(),
            "accountId": &self.account, "userName": &self.name,
        };
        let mut context = vec![("sessionIssuer", issuer)];
        let of =
            |wanted: &'static str| extra.iter().filter(move |(key, _)| *key == wanted).cloned();
        context.extend(of("webIdFederationData"));
        context.push(("attributes", session_attributes(session.since_s, false)));
        context.extend(of("ec2RoleDelivery"));
        let mut pairs = vec![
            ("type", Json::from("AssumedRole")),
            ("principalId", Json::from(format!("{}:{}", self.principal, session.name))),
            ("arn", Json::from(self.session_arn(session.name))),
            ("accountId", Json::from(&self.account)),
            ("accessKeyId", Json::from(session.key)),
            ("sessionContext", Json::Object(context)),
        ];
        pairs.extend(of("invokedBy"));
        pairs.extend(of("inScopeOf"));
        Json::Object(pairs)
    }
}

fn session_attributes(since_s: i64, mfa: bool) -> Json {
    object! {
        "creationDate": iso(since_s), "mfaAuthenticated": if mfa { "true" } else { "false" },
    }
}
