//! Conditions that really restrict who: those by which AWS itself tells a public policy from one that
//! is not ("The meaning of public", Amazon S3 user guide), and keys of its data perimeters.

use super::{ANY_ACCOUNT, account_of, organization_of};
use crate::rules::matcher::Range;
use ingest::{Raw, Text};
use std::{collections::BTreeSet, net::IpAddr};

/// What the values of a key are, and so which of them restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Account,
    Organization,
    Arn,
    Address,
    /// An id that AWS gave: anything without wildcards restricts.
    Id,
    /// `true` restricts.
    Truth,
    /// `AWS_IAM` asks for credentials.
    UrlAuth,
    /// A property of the resource: the caller's own, by a variable, restricts.
    OfResource,
}

/// Keys of conditions, lower case, as AWS does not tell cases apart.
const KEYS: &[(&str, Kind)] = &[
    ("aws:principalaccount", Kind::Account),
    ("aws:sourceaccount", Kind::Account),
    ("aws:sourceowner", Kind::Account),
    ("aws:vpceaccount", Kind::Account),
    ("kms:calleraccount", Kind::Account),
    ("s3:dataaccesspointaccount", Kind::Account),
    ("aws:principalorgid", Kind::Organization),
    ("aws:principalorgpaths", Kind::Organization),
    ("aws:sourceorgid", Kind::Organization),
    ("aws:sourceorgpaths", Kind::Organization),
    ("aws:vpceorgid", Kind::Organization),
    ("aws:vpceorgpaths", Kind::Organization),
    ("aws:principalarn", Kind::Arn),
    ("aws:sourcearn", Kind::Arn),
    ("s3:dataaccesspointarn", Kind::Arn),
    ("aws:sourceip", Kind::Address),
    ("aws:sourcevpc", Kind::Id),
    ("aws:sourcevpce", Kind::Id),
    ("aws:userid", Kind::Id),
    ("aws:principalisawsservice", Kind::Truth),
    ("elasticfilesystem:accessedviamounttarget", Kind::Truth),
    ("lambda:functionurlauthtype", Kind::UrlAuth),
    ("aws:resourceaccount", Kind::OfResource),
    ("aws:resourceorgid", Kind::OfResource),
];

/// Operators that hold only where the key is there and has one of the values.
const OPERATORS: [&str; 7] = [
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "arnequals",
    "arnlike",
    "ipaddress",
    "bool",
];

/// Whom a condition leaves of everybody, as far as it names them; `None` where it restricts nobody.
pub(super) fn limit(condition: Raw<'_>) -> Option<BTreeSet<String>> {
    let mut limited: Option<BTreeSet<String>> = None;
    for (operator, keys) in condition.entries() {
        let operator = operator.get().to_ascii_lowercase();
        let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        if !OPERATORS.contains(&operator) {
            continue;
        }
        for (key, values) in keys.entries() {
            if let Some(named) = by_key(key, values) {
                limited.get_or_insert_default().extend(named);
            }
        }
    }
    limited
}

/// Whom the values of a key leave. One value that is open makes the key restrict nobody.
fn by_key(key: Text<'_>, values: Raw<'_>) -> Option<BTreeSet<String>> {
    let key = key.get().to_ascii_lowercase();
    let kind = KEYS.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)?;
    let mut named = BTreeSet::new();
    let mut n = 0;
    for value in values.each() {
        let value = value.text().map_or(value.0.trim_ascii().into(), Text::get);
        named.extend(by_value(kind, &value)?);
        n += 1;
    }
    (n > 0).then_some(named)
}

/// Whom one value leaves, as far as it names them; `None` where it restricts nobody.
fn by_value(kind: Kind, value: &str) -> Option<BTreeSet<String>> {
    let lower = value.to_ascii_lowercase();
    let nameless = |restricts: bool| restricts.then(BTreeSet::new);
    let named = |name: Option<String>| name.map(|name| BTreeSet::from([name]));
    match kind {
        Kind::OfResource => nameless(lower.contains("${aws:principal")),
        Kind::Account | Kind::Organization if lower.contains("${aws:resource") => nameless(true),
        Kind::Account => named(account_of(value)),
        Kind::Organization => named(organization_of(value)),
        Kind::Arn => {
            let resource = value.splitn(6, ':').nth(5).unwrap_or_default();
            let is_open = resource.is_empty() || resource.starts_with(['*', '?']);
            named(account_of(value)).or_else(|| nameless(!is_open))
        }
        // Wider ranges are public, says AWS.
        Kind::Address => match Range::parse(value)? {
            Range { address: IpAddr::V4(_), n_bits, .. } => nameless(n_bits >= 8),
            Range { address: IpAddr::V6(_), n_bits, .. } => nameless(n_bits >= 32),
        },
        // `AROA...:*` is every session of one role.
        Kind::Id => {
            let id = value.split(':').next().unwrap_or_default();
            nameless(!id.is_empty() && !id.contains(['*', '?']))
        }
        Kind::Truth => nameless(lower == "true"),
        Kind::UrlAuth => named((lower == "aws_iam").then(|| ANY_ACCOUNT.to_owned())),
    }
}
