//! # Access given to another account, or to everybody
//!
//! ## Fires when
//! a snapshot, image, function, role, bucket, key, secret, queue, topic or repository is opened to an
//! AWS account that the identity and its group have not opened anything to before, or to everybody.
//! High if to everybody, else medium.
//!
//! ## Quiet when
//! the account is the own one, listed in `accounts`, or known; the principal is an AWS service or an
//! identity provider; everybody is let in under a condition only; the call failed.
//!
//! ## Misses
//! access by ACL grants and by organisation; conditions that let everybody in after all; accounts
//! of the same organisation look foreign until they are known or listed.
//!
//! ## Triage
//! Whose account is it? If nobody knows: take the permission back first. A snapshot or image that was
//! shared may have been copied already, and a role may have been assumed: look for `AssumeRole` by it.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::Dimension;
use ingest::{Raw, Text, event::Outcome};
use std::collections::BTreeSet;

pub(super) static META: Meta = Meta {
    id: "access-given-outside",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1537"), Technique("T1098")],
    guardduty: Some("Policy:S3/BucketAnonymousAccessGranted"),
    interest: Interest::Apis(&[
        "ec2:ModifyImageAttribute",
        "ec2:ModifySnapshotAttribute",
        "ecr:SetRepositoryPolicy",
        "iam:CreateRole",
        "iam:UpdateAssumeRolePolicy",
        "kms:CreateGrant",
        "kms:PutKeyPolicy",
        "lambda:AddLayerVersionPermission",
        "lambda:AddPermission",
        "rds:ModifyDBClusterSnapshotAttribute",
        "rds:ModifyDBSnapshotAttribute",
        "s3:PutBucketPolicy",
        "secretsmanager:PutResourcePolicy",
        "sns:AddPermission",
        "sns:SetTopicAttributes",
        "sqs:AddPermission",
        "sqs:CreateQueue",
        "sqs:SetQueueAttributes",
    ]),
    source: include_str!("access_given_outside.rs"),
};

/// Table `[detectors.access-given-outside]`.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Accounts that may be given access, for example `["111122223333"]`.
    pub accounts: BTreeSet<String>,
}

const EVERYBODY: &str = "everybody";
/// An account that nobody has opened anything to: a prior as for networks. Unit: bits.
const UNSEEN_BITS: f64 = 12.0;
/// Statements of a policy, and principals of a statement, that are looked at. Unit: of each.
const PRINCIPALS_MAX: usize = 256;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let Some(request) = record.event.request else { return };
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let mut given = BTreeSet::new();
    let policies = ["policyDocument", "assumeRolePolicyDocument", "policy", "bucketPolicy"];
    let policies = policies.into_iter().chain(["resourcePolicy", "policyText"]);
    let policies = policies.filter_map(|key| request.get(key));
    let of_topic =
        request.get("attributeName").and_then(Raw::text).filter(|name| name.is("Policy"));
    let of_topic = of_topic.and_then(|_| request.get("attributeValue"));
    for policy in policies.chain(request.path(&["attributes", "Policy"])).chain(of_topic) {
        match policy.text() {
            Some(text) => statements(Raw(&decoded(text)), &mut given),
            None => statements(policy, &mut given),
        }
    }
    for key in ["createVolumePermission", "launchPermission"] {
        for item in request.path(&[key, "add", "items"]).into_iter().flat_map(Raw::each) {
            given.extend(item.get("userId").and_then(Raw::text).map(|id| id.get().into_owned()));
            let group = item.get("group").and_then(Raw::text);
            given.extend(group.filter(|group| group.is("all")).map(|_| EVERYBODY.to_owned()));
        }
    }
    // The conditions of permissions of functions and layers.
    let conditions = ["organizationId", "principalOrgID", "sourceAccount", "sourceArn"];
    let is_conditional = conditions
        .into_iter()
        .any(|key| request.get(key).and_then(Raw::text).is_some_and(|text| !text.is_empty()));
    let keys = ["principal", "granteePrincipal", "valuesToAdd", "accountIds"];
    for key in keys.into_iter().chain(["aWSAccountId", "aWSAccountIds"]) {
        let names = request.get(key).into_iter().flat_map(Raw::each).filter_map(Raw::text);
        let accounts = names.filter_map(|name| account_of(&name.get()));
        given.extend(accounts.filter(|account| account != EVERYBODY || !is_conditional));
    }
    given.remove(record.account);
    let what = RESOURCES.iter().find_map(|key| request.get(key)?.text());
    for account in given {
        let what = what.map_or_else(|| record.api.into(), Text::get);
        counts.value(Dimension::Opened, format!("{what} to {account}"));
        counts.value(Dimension::AccessGiven, account);
    }
}

/// Fields that name what is opened, the first that is present.
const RESOURCES: &[&str] = &[
    "snapshotId",
    "imageId",
    "functionName",
    "layerName",
    "roleName",
    "bucketName",
    "keyId",
    "secretId",
    "repositoryName",
    "dBSnapshotIdentifier",
    "dBClusterSnapshotIdentifier",
    "topicArn",
    "queueUrl",
];

/// The policy of some APIs is a string, and that of IAM's answers URL-encoded besides.
fn decoded(text: Text<'_>) -> String {
    let text = text.get();
    if text.starts_with("%7B") {
        ingest::notification::decode_key(&text).unwrap_or_default().into_owned()
    } else {
        text.into_owned()
    }
}

/// Whom the statements of a policy let in.
fn statements(policy: Raw<'_>, given: &mut BTreeSet<String>) {
    let all = policy.get("Statement").into_iter().flat_map(Raw::each).take(PRINCIPALS_MAX);
    for statement in all {
        let effect = statement.get("Effect").and_then(Raw::text);
        let Some(principal) =
            statement.get("Principal").filter(|_| effect.is_some_and(|effect| effect.is("Allow")))
        else {
            continue;
        };
        let is_conditional = statement.get("Condition").is_some_and(|raw| !raw.is_null());
        let named = principal.get("AWS").unwrap_or(principal);
        let names = named.each().filter_map(Raw::text).take(PRINCIPALS_MAX);
        let accounts = names.filter_map(|name| account_of(&name.get()));
        given.extend(accounts.filter(|account| account != EVERYBODY || !is_conditional));
    }
}

/// The account of a principal: `*`, an account id, or an ARN. Services have none.
fn account_of(principal: &str) -> Option<String> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    match principal {
        "*" | "all" => Some(EVERYBODY.to_owned()),
        id if is_account(id) => Some(id.to_owned()),
        arn if arn.starts_with("arn:") => {
            let account = arn.split(':').nth(4).unwrap_or_default();
            is_account(account).then(|| account.to_owned())
        }
        _ => None,
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::AccessGiven, |value| {
        let is_allowed = settings.accounts.contains(&*value.text);
        let usual = case.usual;
        !is_allowed
            && !usual.knows(Dimension::AccessGiven, value)
            && usual.n_members(Dimension::AccessGiven, value) == 0
    })?;
    let strange = &window.counted.values;
    let of = |value| case.usual.novelty(Dimension::AccessGiven, value, UNSEEN_BITS);
    let parts = strange.iter().map(|(value, _)| of(value));
    let part = parts.max_by(|a, b| a.bits.cmp(&b.bits).then(b.observed.cmp(&a.observed)))?;
    let names: Vec<&str> = strange.heaviest().into_iter().map(|(name, _)| name).collect();
    let to_all = names.contains(&EVERYBODY);
    let severity = if to_all { Severity::High } else { Severity::Medium };
    let apis: BTreeSet<&str> = window.counted.records.iter().map(|record| &*record.api).collect();
    let whom = if to_all { EVERYBODY.to_owned() } else { format!("account {}", names.join(", ")) };
    let apis = apis.into_iter().collect::<Vec<_>>().join(", ");
    // What was opened to these accounts, not to known ones.
    let opened = case.span.whole(Dimension::Opened, |value| {
        value.text.rsplit_once(" to ").is_some_and(|(_, account)| names.contains(&account))
    });
    let targets: Vec<String> = opened
        .iter()
        .flat_map(|window| window.counted.values.heaviest())
        .map(|(what, _)| what.to_owned())
        .take(Verdict::TARGETS_MAX)
        .collect();
    let what: Vec<&str> =
        targets.iter().filter_map(|what| Some(what.rsplit_once(" to ")?.0)).collect();
    let what = match what.as_slice() {
        [] => String::new(),
        [one] => format!(" to {one}"),
        [first, others @ ..] => format!(" to {first} and {} more", others.len()),
    };
    let usual = if case.usual.is_cold() { "not known yet" } else { &part.usual };
    let summary = format!("gave {whom} access{what} by {apis}; so far opened to: {usual}");
    let mut verdict = Verdict::on(&window, severity, vec![part], summary);
    verdict.targets = targets;
    Some(verdict)
}

#[cfg(test)]
mod tests;
