//! # Access given to another account, or to everybody
//!
//! ## Fires when
//! a snapshot, image, function, role, bucket, key, secret, queue, topic or repository is opened to an
//! AWS account that the identity and its group have not opened anything to before, or to everybody.
//! High if to everybody, else medium.
//!
//! ## Quiet when
//! the account is the own one, listed in `accounts`, or known; the principal is an AWS service or an
//! identity provider; everybody is let in under a condition that restricts who: by organisation,
//! account, source, VPC or narrow range of addresses; the call failed.
//!
//! ## Misses
//! access by ACL grants and by organisation; denials that take back what is allowed are not weighed
//! against it; accounts of the same organisation look foreign until they are known or listed.
//!
//! ## Triage
//! Whose account is it? If nobody knows: take the permission back first. A snapshot or image that was
//! shared may have been copied already, and a role may have been assumed: look for `AssumeRole` by it.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use crate::rules::policy::{ANY_ACCOUNT, Access, EVERYBODY, is_account};
use baseline::Dimension;
use ingest::{Text, event::Outcome};
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
    settings_source: include_str!("access_given_outside.rs"),
};

/// Table `[detectors.access-given-outside]`.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Accounts that may be given access, for example `["111122223333"]`.
    pub accounts: BTreeSet<String>,
}

/// An account that nobody has opened anything to: a prior as for networks. Unit: bits.
const UNSEEN_BITS: f64 = 12.0;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let Some(request) = record.event.request else { return };
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let given = Access::given_by(record.event, record.account).granted;
    let given: BTreeSet<&str> = given.iter().filter_map(|whom| told(whom)).collect();
    let what = RESOURCES.iter().find_map(|key| request.get(key)?.text());
    for whom in given {
        let what = what.map_or_else(|| record.api.into(), Text::get);
        counts.value(Dimension::Opened, format!("{what} to {whom}"));
        counts.value(Dimension::AccessGiven, whom);
    }
}

/// Accounts, and everybody, with credentials or without. Not organisations, nor users of ACLs.
fn told(whom: &str) -> Option<&str> {
    match whom {
        EVERYBODY | ANY_ACCOUNT => Some(EVERYBODY),
        account => is_account(account).then_some(account),
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

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::AccessGiven, |value| {
        let is_allowed = settings.accounts.contains(&*value.text);
        let usual = case.usual;
        !is_allowed
            && !usual.knows(Dimension::AccessGiven, value)
            && !usual.is_known_to_group(Dimension::AccessGiven, value)
    })?;
    let strange = &window.counted.values;
    let of = |value| case.usual.novelty(Dimension::AccessGiven, value, UNSEEN_BITS);
    let parts = strange.iter().map(|(value, _)| of(value));
    let part = parts.max_by(|a, b| a.bits.cmp(&b.bits).then(b.observed.cmp(&a.observed)))?;
    let names: Vec<&str> = strange.heaviest().into_iter().map(|(name, _)| name).collect();
    let to_all = names.contains(&EVERYBODY);
    let severity = if to_all { Severity::High } else { Severity::Medium };
    let apis: BTreeSet<&str> =
        window.counted.records.iter().map(|record| &*record.call.api).collect();
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
