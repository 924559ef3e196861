//! Identity providers (OIDC) whose users a role's trust lets in, whoever they are. At those that
//! serve many organisations anybody may open an account.

use super::PARTS_MAX;
use ingest::Raw;

/// Claims of a token that say whose it is, lower case.
const CLAIMS: [&str; 7] = [
    "sub",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "enterprise_id",
];

/// The providers of which a statement that allows lets in everybody.
pub(super) fn open(statement: Raw<'_>) -> Vec<String> {
    let [principal, condition, action] = statement.members(["Principal", "Condition", "Action"]);
    let federated = principal.and_then(|principal| principal.get("Federated"));
    let providers = federated.into_iter().flat_map(texts).filter_map(|arn| {
        let (_, provider) = arn.split_once(":oidc-provider/")?;
        Some(provider.to_owned())
    });
    let providers: Vec<String> = providers.collect();
    let takes_role = |action: String| {
        action.contains('*') || action.eq_ignore_ascii_case("sts:AssumeRoleWithWebIdentity")
    };
    if providers.is_empty() || !action.into_iter().flat_map(texts).any(takes_role) {
        return Vec::new();
    }
    let is_open = |provider: &String| !condition.is_some_and(|all| is_limited(all, provider));
    providers.into_iter().filter(is_open).collect()
}

/// Whether a condition on a token of `provider` says whose it must be.
fn is_limited(condition: Raw<'_>, provider: &str) -> bool {
    condition.entries().any(|(operator, keys)| {
        let operator = operator.get().to_ascii_lowercase();
        // Every token has a subject: what holds for all values, or if the claim is there, holds for it.
        let operator = operator.trim_start_matches("foranyvalue:");
        let operator = operator.trim_start_matches("forallvalues:").trim_end_matches("ifexists");
        let has_wildcards = match operator {
            "stringequals" | "stringequalsignorecase" => false,
            "stringlike" => true,
            _ => return false,
        };
        keys.entries().any(|(key, values)| {
            let key = key.get().to_ascii_lowercase();
            let claim = key.strip_prefix(&provider.to_ascii_lowercase());
            let claim = claim.and_then(|claim| claim.strip_prefix(':')).unwrap_or_default();
            let mut values = texts(values).peekable();
            CLAIMS.contains(&claim)
                && values.peek().is_some()
                && values.all(|value| !has_wildcards || names_owner(&value))
        })
    })
}

/// Whether what stands before the first wildcard ends somebody's name: `repo:acme/*` does, and
/// `repo:acme*` lets in whoever is called `acme-2`.
fn names_owner(value: &str) -> bool {
    let Some((before, _)) = value.split_once(['*', '?']) else { return true };
    let name = before.split_once(':').map_or(before, |(_, name)| name);
    name.find(['/', ':']).is_some_and(|end| end > 0)
}

fn texts(raw: Raw<'_>) -> impl Iterator<Item = String> {
    let each = raw.each().filter_map(Raw::text).take(PARTS_MAX);
    each.map(|text| text.get().into_owned())
}
