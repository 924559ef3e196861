//! Who stands behind a call: the entity that has the profile, and what the record calls it.

use crate::value::{kept, stable_hash};
use ingest::{Identity, Text};
use std::{borrow::Cow, sync::Arc};

/// What kind of entity it is. Kinds are judged differently: a workload must not leave its network, a
/// person travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person: IAM user, IAM Identity Center, SAML, console.
    Human,
    /// A machine: EC2, ECS, Lambda, EKS, or a role that only programs assume.
    Workload,
    /// A job of a CI provider, by OIDC.
    Ci,
    /// An AI agent of Bedrock or `AgentCore`.
    Agent,
    /// An AWS service, by itself or on behalf of a principal.
    Service,
    /// The root user of the account.
    Root,
    /// A principal of another account.
    External,
    /// A network interface.
    Interface,
    /// An address that calls came from. It has no profile.
    Source,
    /// An account as a whole. It has no profile.
    Account,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Human,
        Self::Workload,
        Self::Ci,
        Self::Agent,
        Self::Service,
        Self::Root,
        Self::External,
        Self::Interface,
        Self::Source,
        Self::Account,
    ];

    /// Whether it has places of its own: a person, who can be in one place only.
    pub fn travels(self) -> bool {
        matches!(self, Self::Human | Self::Root)
    }

    /// Whether unusual behaviour is looked for: what an AWS service does follows from what was set up.
    pub fn has_habits(self) -> bool {
        !matches!(self, Self::Service | Self::Interface | Self::Source | Self::Account)
    }

    /// Its name in findings, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Workload => "workload",
            Self::Ci => "ci",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Root => "root",
            Self::External => "external",
            Self::Interface => "interface",
            Self::Source => "source",
            Self::Account => "account",
        }
    }
}

/// What has a profile. Two entities are the same when account, kind and key are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// The account it acts in.
    pub account: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// The stable name of it: session names, instances and tasks removed.
    pub key: Arc<str>,
}

impl Entity {
    /// A hash of account, kind and key, which is equal for ever and on every platform.
    pub fn id(&self) -> u128 {
        let fields = [&*self.account, self.kind.name(), &*self.key];
        stable_hash(&fields.map(str::as_bytes))
    }
}

/// The caller of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose profile the record feeds.
    pub entity: Entity,
    /// The ARN as the record has it, session name included; else what stands in its place.
    pub actor: Arc<str>,
    /// `accessKeyId`.
    pub access_key: Option<Arc<str>>,
    /// Whether its credentials belong to a machine inside AWS: instance, task, function or pod.
    pub on_compute: bool,
}

impl Principal {
    /// The caller, of a record that `account` received.
    pub fn of(identity: &Identity<'_>, account: &str) -> Self {
        let identity = &filled(identity);
        let role = Role::of(identity);
        let kind = kind(identity, role.as_ref(), account);
        let mut key = key(identity, role.as_ref(), account);
        if let Some(service) = identity.invoked_by.map(Text::get)
            && identity.kind.is_some_and(|kind| kind.0 != "AWSService")
        {
            key = format!("{key}#via:{service}").into();
        }
        let actor = [identity.arn, identity.principal_id, identity.invoked_by, identity.user_name];
        let actor = actor.into_iter().flatten().next();
        let class = role.as_ref().map(|role| role.class);
        Self {
            actor: actor.map_or_else(|| kept(&key), |actor| kept(&actor.get())),
            access_key: identity.access_key_id.map(|key| kept(&key.get())),
            on_compute: kind == Kind::Workload
                && (identity.ec2_role_delivery.is_some()
                    || identity.credentials_issued_to.is_some()
                    || matches!(class, Some(Session::Instance | Session::Task | Session::Pod))),
            entity: Entity { account: kept(account), kind, key: kept(&key) },
        }
    }
}

impl Principal {
    /// The instance whose credentials it calls with: it is the name of their session.
    pub fn instance(&self) -> Option<&str> {
        let (_, session) = self.actor.rsplit_once('/')?;
        (self.on_compute && is_instance(session)).then_some(session)
    }
}

/// Without fields that are there and say nothing, as tables of logs write them.
fn filled<'a>(identity: &Identity<'a>) -> Identity<'a> {
    let filled = |text: Option<Text<'a>>| text.filter(|text| !text.is_empty());
    Identity {
        user_name: filled(identity.user_name),
        principal_id: filled(identity.principal_id),
        arn: filled(identity.arn),
        account_id: filled(identity.account_id),
        invoked_by: filled(identity.invoked_by),
        on_behalf_of: filled(identity.on_behalf_of),
        credentials_issued_to: filled(identity.credentials_issued_to),
        issuer_kind: filled(identity.issuer_kind),
        issuer_arn: filled(identity.issuer_arn),
        source_identity: filled(identity.source_identity),
        ec2_role_delivery: filled(identity.ec2_role_delivery),
        ..*identity
    }
}

/// An assumed role: the role, and what its session name says.
struct Role<'a> {
    arn: Cow<'a, str>,
    session: Cow<'a, str>,
    class: Session,
}

/// What a session name says about who wears the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Session {
    Person,
    Instance,
    Task,
    Pod,
    Ci,
    Program,
}

impl Session {
    fn of(name: &str, identity: &Identity<'_>, role_arn: &str) -> Self {
        let provider = identity.federated_provider.map(Text::get).unwrap_or_default();
        if provider.contains("oidc.eks.") {
            return Self::Pod;
        }
        if CI_PROVIDERS.iter().any(|ci| provider.contains(ci)) || CI_NAMES.contains(&name) {
            return Self::Ci;
        }
        if identity.ec2_role_delivery.is_some() || is_instance(name) {
            return Self::Instance;
        }
        if role_arn.contains("AWSReservedSSO_") || name.contains('@') {
            return Self::Person;
        }
        if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::Task;
        }
        if name.starts_with("eks-") {
            return Self::Pod;
        }
        Self::Program
    }

    fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Instance => "instance",
            Self::Task => "task",
            Self::Pod => "pod",
            Self::Ci => "ci",
            Self::Program => "program",
        }
    }
}

/// Hosts of the OIDC providers of CI services, as their documentation gives them.
const CI_PROVIDERS: &[&str] = &[
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "vstoken.dev.azure.com",
    "app.terraform.io",
    "api.bitbucket.org",
];
/// Session names that their actions and tasks choose by default.
const CI_NAMES: &[&str] = &["GitHubActions", "GitLabCI", "terraform-run"];

/// `i-` and 8 or 17 hexadecimal digits.
fn is_instance(name: &str) -> bool {
    let digits = name.strip_prefix("i-").unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl<'a> Role<'a> {
    fn of(identity: &Identity<'a>) -> Option<Self> {
        let issuer = identity
            .issuer_arn
            .filter(|_| identity.issuer_kind.is_none_or(|kind| kind.0 == "Role"));
        let arn = identity.arn.map(Text::get).unwrap_or_default();
        let assumed = arn.split_once(":assumed-role/");
        let (role, session) = match (issuer, assumed) {
            (Some(issuer), Some((_, path))) => {
                (issuer.get(), path.rsplit('/').next().unwrap_or_default().to_owned())
            }
            (Some(issuer), None) => {
                let principal = identity.principal_id.map(Text::get).unwrap_or_default();
                let session = principal.split_once(':').map_or("", |(_, session)| session);
                (issuer.get(), session.to_owned())
            }
            (None, Some((partition, path))) => {
                // Without an issuer the ARN of the session tells the role, but for its path.
                let (role, session) = path.rsplit_once('/').unwrap_or((path, ""));
                let role = format!("{}:role/{role}", partition.replacen(":sts:", ":iam:", 1));
                (role.into(), session.to_owned())
            }
            (None, None) => match identity.kind.map(|kind| kind.0) {
                Some("Role") if !arn.is_empty() => (arn, String::new()),
                Some("AssumedRole") => {
                    // The id of the role, and the session.
                    let id = identity.principal_id?.get().into_owned();
                    let (role, session) = id.split_once(':').unwrap_or((&id, ""));
                    (role.to_owned().into(), session.to_owned())
                }
                _ => return None,
            },
        };
        let class = Session::of(&session, identity, &role);
        Some(Self { arn: role, session: session.into(), class })
    }
}

fn kind(identity: &Identity<'_>, role: Option<&Role<'_>>, account: &str) -> Kind {
    let logged = identity.kind.map_or("", |kind| kind.0);
    if logged == "AWSService" || identity.invoked_by.is_some() {
        return Kind::Service;
    }
    if logged == "Root" || identity.assumed_root {
        return Kind::Root;
    }
    let foreign =
        |id: Option<Text<'_>>| id.is_some_and(|id| !account.is_empty() && id.0 != account);
    if logged == "AWSAccount" || foreign(identity.account_id) {
        return Kind::External;
    }
    if let Some(role) = role {
        let is_agent = AGENT_ROLES.iter().any(|agent| role.arn.contains(agent));
        return match role.class {
            _ if is_agent => Kind::Agent,
            Session::Person => Kind::Human,
            Session::Ci => Kind::Ci,
            _ if identity.on_behalf_of.is_some() => Kind::Human,
            _ if identity.source_identity.is_some_and(|who| who.0.contains('@')) => Kind::Human,
            _ => Kind::Workload,
        };
    }
    if logged == "WebIdentityUser" {
        let provider = identity.identity_provider.map(Text::get).unwrap_or_default();
        let is_ci = CI_PROVIDERS.iter().any(|ci| provider.contains(ci));
        return if is_ci { Kind::Ci } else { Kind::Workload };
    }
    let names = [identity.arn, identity.principal_id, identity.user_name, identity.on_behalf_of];
    // Events of the account itself name nobody.
    if names.iter().all(Option::is_none) { Kind::Service } else { Kind::Human }
}

/// Parts of the names of roles that Amazon Bedrock's console and `AgentCore` make for agents.
const AGENT_ROLES: &[&str] = &["AmazonBedrockExecutionRoleForAgents_", "AmazonBedrockAgentCore"];

/// The stable principal behind a call: the first of the list that is present.
fn key<'a>(identity: &Identity<'a>, role: Option<&Role<'a>>, account: &'a str) -> Cow<'a, str> {
    if let Some(holder) = identity.credentials_issued_to.and_then(|holder| holder_of(holder.get()))
    {
        return holder;
    }
    if let Some(person) = identity.on_behalf_of {
        return person.get();
    }
    if let Some(person) = identity.source_identity {
        return person.get();
    }
    if let Some(Role { arn, session, class }) = role {
        let who = if *class == Session::Person { session } else { class.name() };
        return [&**arn, "#", who].concat().into();
    }
    if let Some(service) = identity.invoked_by
        && identity.kind.is_none_or(|kind| kind.0 == "AWSService")
    {
        return service.get();
    }
    if let Some(key) = named(identity) {
        return key;
    }
    let names = [identity.arn, identity.principal_id, identity.user_name, identity.account_id];
    let mut names = names.into_iter().flatten();
    names.next().map_or(account.into(), Text::get)
}

/// The function or the task definition that holds credentials; a new revision is no stranger.
fn holder_of(issued_to: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if issued_to.contains(":function:") {
        return Some(issued_to);
    }
    let (arn, definition) = issued_to.split_once(":task-definition/")?;
    let family = definition.split(':').next().unwrap_or_default();
    Some(format!("{arn}:task-definition/{family}").into())
}

/// Names that only a part of is stable, or that must be put together.
fn named<'a>(identity: &Identity<'a>) -> Option<Cow<'a, str>> {
    let principal = identity.principal_id.map(Text::get).unwrap_or_default();
    match identity.kind?.0 {
        // Whoever asks for the token chooses the name behind the last slash.
        "FederatedUser" => {
            let name = identity.arn?.get();
            let name = name.rsplit('/').next().filter(|name| name.contains('@'));
            let issuer = identity.issuer_arn?;
            Some(format!("{issuer}#{}", name.unwrap_or("federated")).into())
        }
        // A failed sign-in has no ARN; names are unique in an account.
        "IAMUser" if identity.arn.is_none() => {
            let (user, account) = (identity.user_name?, identity.account_id?);
            let is_hidden = user.0 == "HIDDEN_DUE_TO_SECURITY_REASONS";
            (!is_hidden).then(|| format!("arn:aws:iam::{account}:user/{user}").into())
        }
        // The session of another account's role.
        "AWSAccount" if principal.starts_with("AROA") => {
            Some(principal.split(':').next().unwrap_or_default().to_owned().into())
        }
        // `repo:owner/name:ref:refs/heads/branch`: a new branch is no stranger.
        "WebIdentityUser" => {
            let user = identity.user_name?.get();
            let repository = user.strip_prefix("repo:")?.split(':').next()?;
            Some(format!("repo:{repository}").into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
