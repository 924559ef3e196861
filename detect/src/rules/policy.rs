//! Policies of IAM and of resources, ACLs and permission parameters: whom a call lets in, and to
//! what. The only place that reads them.
//!
//! What it says is what a policy would allow by itself: denials, boundaries and control policies are
//! not weighed against it. A named account counts whatever the conditions; everybody counts unless a
//! condition really restricts who (see `condition.rs`).

mod condition;
mod federation;
mod grants;

use self::grants::Grants;
use super::walk;
use ingest::{Event, Raw, Text};
use std::collections::BTreeSet;

/// Anybody, with credentials or without.
pub(crate) const EVERYBODY: &str = "everybody";
/// Anybody with credentials of any account.
pub(crate) const ANY_ACCOUNT: &str = "any-aws-account";

/// Statements of a policy, principals and actions of a statement, and policies of a call that are
/// looked at. Unit: of each.
const PARTS_MAX: usize = 16_384;
/// How deep in the parameters of a call policies are looked for. Unit: keys.
const DEPTH_MAX: u32 = 3;

/// What the policies, ACLs and permissions of a call give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whom: account ids but the own one, [`EVERYBODY`], [`ANY_ACCOUNT`], `organization:o-...`,
    /// `canonical-user:...`.
    pub(crate) granted: BTreeSet<String>,
    /// Actions that are allowed, as they were written.
    pub(crate) actions: BTreeSet<String>,
    /// Whether every action is allowed on everything.
    pub(crate) is_admin: bool,
    /// OIDC providers, everybody of which is let in: `gitlab.com`.
    pub(crate) open_providers: BTreeSet<String>,
}

impl Access {
    /// What a call gives, other than to the account that received it.
    pub(crate) fn given_by(event: &Event<'_>, account: &str) -> Self {
        let mut access = Self::default();
        if let Some(request) = event.request {
            access.request(request);
        }
        access.granted.remove(account);
        access
    }

    /// One pass over the parameters: most calls give nothing, and cost no more.
    fn request(&mut self, request: Raw<'_>) {
        let mut n_policies = 0;
        let mut grants = Grants::default();
        for (key, value) in request.entries() {
            let key = key.get();
            if may_hold_policy(value) {
                documents(value, DEPTH_MAX, &mut |policy| {
                    n_policies += 1;
                    if n_policies <= PARTS_MAX && !is_other_attribute(&key, request) {
                        self.policy(policy, is_trust(&key, request));
                    }
                });
            }
            grants.member(&key, value, self);
        }
        grants.finish(request, self);
    }

    /// Reads a policy; nobody takes a role without credentials, so the trust of one cannot be in
    /// everybody.
    fn policy(&mut self, policy: Raw<'_>, is_trust: bool) {
        let everybody = if is_trust { ANY_ACCOUNT } else { EVERYBODY };
        for statement in policy.get("Statement").into_iter().flat_map(Raw::each).take(PARTS_MAX) {
            let [effect, principal, but, condition] =
                statement.members(["Effect", "Principal", "NotPrincipal", "Condition"]);
            if !effect.and_then(Raw::text).is_some_and(|effect| effect.is("Allow")) {
                continue;
            }
            let (whom, is_open) = principals(principal);
            self.granted.extend(whom);
            // To allow all but some is to allow everybody.
            if is_open || but.is_some_and(|but| !but.is_null()) {
                match condition.and_then(condition::limit) {
                    Some(limited) => self.granted.extend(limited),
                    None => _ = self.granted.insert(everybody.to_owned()),
                }
            }
            self.open_providers.extend(federation::open(statement));
            self.allow(statement);
        }
    }

    fn allow(&mut self, statement: Raw<'_>) {
        let [action, no_action, resource, no_resource] =
            statement.members(["Action", "NotAction", "Resource", "NotResource"]);
        let texts = |raw: Option<Raw<'_>>| -> Vec<String> {
            let each = raw.into_iter().flat_map(Raw::each).filter_map(Raw::text).take(PARTS_MAX);
            each.map(|text| text.get().into_owned()).collect()
        };
        let is_all = |text: &String| {
            let rest = text.strip_prefix("arn:").unwrap_or(text);
            let rest = rest.strip_prefix("aws").unwrap_or(rest);
            rest.contains('*') && rest.bytes().all(|byte| matches!(byte, b'*' | b':' | b'?'))
        };
        let actions = texts(action);
        let on_all = texts(resource).iter().any(is_all) || no_resource.is_some();
        // Everything but some is everything, unless it leaves out IAM, as PowerUserAccess does.
        let leaves_iam =
            |text: &String| text.starts_with('*') || text.to_ascii_lowercase().starts_with("iam:");
        let is_rest = no_action.is_some() && !texts(no_action).iter().any(leaves_iam);
        self.is_admin |= on_all && (actions.iter().any(is_all) || is_rest);
        self.actions.extend(actions);
        // All but some: whatever they are, a rule about an action wants to hear of it.
        self.actions.extend(no_action.map(|_| "*".to_owned()));
    }
}

fn may_hold_policy(value: Raw<'_>) -> bool {
    match value.0.trim_ascii_start().as_bytes() {
        [b'"', ..] => true,
        [b'{' | b'[', ..] => memchr::memmem::find(value.0.as_bytes(), b"Statement").is_some(),
        _ => false,
    }
}

/// The attributes of topics have one parameter, which is a policy under one name only.
fn is_other_attribute(key: &str, request: Raw<'_>) -> bool {
    let name = || text_of(request, "attributeName");
    key == "attributeValue" && name().is_some_and(|name| name != "Policy")
}

fn is_trust(key: &str, request: Raw<'_>) -> bool {
    key == "assumeRolePolicyDocument"
        || key == "policyDocument" && request.get("roleName").is_some()
}

/// Every policy document in a value, as an object or as text.
fn documents(raw: Raw<'_>, depth: u32, found: &mut dyn FnMut(Raw<'_>)) {
    match raw.0.trim_ascii_start().as_bytes().first() {
        Some(b'{') if raw.get("Statement").is_some() => found(raw),
        Some(b'{') if depth > 0 => {
            raw.entries().for_each(|(_, value)| documents(value, depth - 1, found));
        }
        Some(b'[') if depth > 0 => {
            raw.each().for_each(|value| documents(value, depth - 1, found));
        }
        Some(b'"') => {
            if let Some(text) = raw.text().and_then(walk::document)
                && Raw(&text).get("Statement").is_some()
            {
                found(Raw(&text));
            }
        }
        _ => {}
    }
}

/// The accounts and users that a principal names, and whether it is everybody. Services and identity
/// providers are nobody's account.
fn principals(principal: Option<Raw<'_>>) -> (Vec<String>, bool) {
    let Some(principal) = principal else { return (Vec::new(), false) };
    let [aws, canonical] = principal.members(["AWS", "CanonicalUser"]);
    let texts = |raw: Raw<'_>| -> Vec<String> {
        let each = raw.each().filter_map(Raw::text).take(PARTS_MAX);
        each.map(|text| text.get().into_owned()).collect()
    };
    let named = texts(aws.unwrap_or(principal));
    let is_open = named.iter().any(|name| name == "*");
    let mut whom: Vec<String> = named.iter().filter_map(|name| account_of(name)).collect();
    let users = canonical.map(texts).unwrap_or_default();
    whom.extend(users.iter().map(|user| canonical_user(user)));
    (whom, is_open)
}

fn canonical_user(id: &str) -> String {
    format!("canonical-user:{id}")
}

/// Whether a text is the id of an account: 12 digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of a principal: an account id, or an ARN.
fn account_of(principal: &str) -> Option<String> {
    let account = match principal.strip_prefix("arn:") {
        Some(arn) => arn.split(':').nth(3)?,
        None => principal,
    };
    is_account(account).then(|| account.to_owned())
}

/// The organisation that an ARN, a path or an id names, as it is told.
fn organization_of(text: &str) -> Option<String> {
    let id = text.split(['/', ':']).find(|part| part.starts_with("o-") && part.len() > 2)?;
    let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_id.then(|| format!("organization:{id}"))
}

fn text_of(raw: Raw<'_>, key: &str) -> Option<String> {
    let text = raw.get(key).and_then(Raw::text).filter(|text| !text.is_empty());
    text.map(Text::get).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
