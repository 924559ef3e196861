//! What sentrail has to be allowed, and why: the one table. In: what a statement is about. Out: statements of IAM to paste.
//! The page of permissions, the policies of other pages and those of `deploy/` are compared with it.

use serde_json::{Value, json};

/// An action, and how `doctor` finds out whether it is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    /// In words, for people.
    pub(crate) tried: &'static str,
}

/// A statement of a policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// By which policies know it.
    pub(crate) sid: &'static str,
    /// What needs it.
    pub(crate) needed_for: &'static str,
    pub(crate) actions: &'static [Action],
    /// ARNs; what stands in braces is filled in.
    pub(crate) on: &'static str,
    /// As a policy has it.
    pub(crate) condition: Option<[&'static str; 3]>,
}

const fn action(name: &'static str, tried: &'static str) -> Action {
    Action { name, tried }
}

const LISTED: &str = "lists what lies below the prefix";
const UNKNOWN_RECEIPT: &str = "with a receipt that nobody was given: nothing can come of it";
const KEY_TRIED: &str = "reads an object, or a queue, that the key encrypts";

pub(crate) const READ_LOGS: Grant = Grant {
    sid: "ReadLogs",
    needed_for: "logs in buckets",
    actions: &[action("s3:GetObject", "reads the first byte of the newest object")],
    on: "arn:{partition}:s3:::{bucket}/{prefix}*",
    condition: None,
};
pub(crate) const LIST_LOGS: Grant = Grant {
    sid: "ListLogs",
    needed_for: "`--bucket`; and without it an object that is gone looks like one that is forbidden",
    actions: &[action("s3:ListBucket", LISTED)],
    on: "arn:{partition}:s3:::{bucket}",
    condition: None,
};
pub(crate) const DECRYPT_LOGS: Grant = Grant {
    sid: "DecryptLogs",
    needed_for: "logs and queues that a key of one's own encrypts",
    actions: &[action("kms:Decrypt", KEY_TRIED)],
    on: "{key}",
    condition: None,
};
pub(crate) const SERVE_QUEUE: Grant = Grant {
    sid: "ServeQueue",
    needed_for: "`--queue`",
    actions: &[
        action(
            "sqs:ReceiveMessage",
            "receives from an empty queue; of one with messages it asks for more at once than there may be, \
             so that none of them counts as received",
        ),
        action("sqs:DeleteMessage", UNKNOWN_RECEIPT),
        action("sqs:ChangeMessageVisibility", UNKNOWN_RECEIPT),
        action("sqs:GetQueueAttributes", "reads them"),
    ],
    on: "{queue}",
    condition: None,
};
pub(crate) const AS_READER: Grant = Grant {
    sid: "AsReader",
    needed_for: "`role` of `[aws]`, which reads the logs",
    actions: &[action("sts:AssumeRole", "assumes the role")],
    on: "{role}",
    condition: None,
};
pub(crate) const KEEP_SNAPSHOTS: Grant = Grant {
    sid: "KeepSnapshots",
    needed_for: "`--snapshots`",
    actions: &[
        action("s3:GetObject", "reads what it wrote"),
        action("s3:PutObject", "writes an empty object, if none of its name is there"),
        action("s3:DeleteObject", "deletes what it wrote; a bucket with versions keeps both"),
    ],
    on: "arn:{partition}:s3:::{bucket}/{prefix}*",
    condition: None,
};
pub(crate) const LIST_SNAPSHOTS: Grant = Grant {
    sid: "ListSnapshots",
    needed_for: "`--snapshots`",
    actions: &[action("s3:ListBucket", LISTED)],
    on: "arn:{partition}:s3:::{bucket}",
    condition: None,
};
pub(crate) const ENCRYPT_SNAPSHOTS: Grant = Grant {
    sid: "EncryptSnapshots",
    needed_for: "`--snapshots` in a bucket that a key of one's own encrypts",
    actions: &[
        action("kms:Decrypt", "reads what it wrote"),
        action("kms:GenerateDataKey", "writes an empty object"),
    ],
    on: "{key}",
    condition: None,
};
pub(crate) const FILE_FINDINGS: Grant = Grant {
    sid: "FileFindings",
    needed_for: "a sink of Security Hub",
    actions: &[action(
        "securityhub:BatchImportFindings",
        "imports no finding: a refusal is certain, a permission only as far as that goes",
    )],
    on: "arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
    condition: None,
};
pub(crate) const AS_MEMBERS: Grant = Grant {
    sid: "AsMembers",
    needed_for: "a sink of Security Hub with `file-as = \"member\"`",
    actions: &[action("sts:AssumeRole", "assumes the role in accounts that the logs are of")],
    on: "arn:{partition}:iam::*:role/{role}",
    condition: Some(["StringEquals", "aws:ResourceOrgID", "${aws:PrincipalOrgID}"]),
};
pub(crate) const TELL_TOPIC: Grant = Grant {
    sid: "TellTopic",
    needed_for: "a sink of SNS",
    actions: &[action(
        "sns:Publish",
        "publishes what SNS takes from nobody: an attribute of a type that does not exist",
    )],
    on: "{topic}",
    condition: None,
};
pub(crate) const TELL_BUS: Grant = Grant {
    sid: "TellBus",
    needed_for: "a sink of EventBridge",
    actions: &[action(
        "events:PutEvents",
        "puts what EventBridge takes from nobody: an event whose detail is no JSON",
    )],
    on: "{bus}",
    condition: None,
};
pub(crate) const WRITE_FINDINGS: Grant = Grant {
    sid: "WriteFindings",
    needed_for: "a sink of OCSF in a bucket",
    actions: &[action(
        "s3:PutObject",
        "writes in place of an object that is not there, which S3 does not do",
    )],
    on: "arn:{partition}:s3:::{bucket}/{prefix}*",
    condition: None,
};
pub(crate) const READ_SECRETS: Grant = Grant {
    sid: "ReadSecrets",
    needed_for: "secrets of sinks that AWS keeps",
    actions: &[action("secretsmanager:GetSecretValue", "reads the secret, and forgets it")],
    on: "{secret}",
    condition: None,
};
pub(crate) const NAME_ACCOUNTS: Grant = Grant {
    sid: "NameAccounts",
    needed_for: "`account-names` of `[organization]`",
    actions: &[action("organizations:ListAccounts", "lists one account")],
    on: "*",
    condition: None,
};
pub(crate) const AS_NAMER: Grant = Grant {
    sid: "AsNamer",
    needed_for: "`role` of `[organization]`, which lists accounts",
    actions: &[action("sts:AssumeRole", "assumes the role")],
    on: "{role}",
    condition: None,
};
pub(crate) const LOOK_AT_BUCKET: Grant = Grant {
    sid: "LookAtBucket",
    needed_for: "`doctor` alone: whether the bucket tells the queue",
    actions: &[action("s3:GetBucketNotification", "reads it")],
    on: "arn:{partition}:s3:::{bucket}",
    condition: None,
};
pub(crate) const LOOK_AT_DEAD_LETTERS: Grant = Grant {
    sid: "LookAtDeadLetters",
    needed_for: "`doctor` alone: whether dead letters pile up",
    actions: &[action("sqs:GetQueueAttributes", "reads them")],
    on: "{queue}",
    condition: None,
};
pub(crate) const LOOK_AT_TOPIC: Grant = Grant {
    sid: "LookAtTopic",
    needed_for: "`doctor` alone: whether a topic tells the queue",
    actions: &[action("sns:ListSubscriptionsByTopic", "lists them")],
    on: "{topic}",
    condition: None,
};
pub(crate) const LOOK_AT_RULES: Grant = Grant {
    sid: "LookAtRules",
    needed_for: "`doctor` alone: whether a rule of EventBridge tells the queue, and whether a bus is there",
    actions: &[
        action("events:ListRuleNamesByTarget", "lists rules of the default bus"),
        action("events:DescribeRule", "reads the rule"),
        action("events:DescribeEventBus", "reads the bus of a sink"),
    ],
    on: "*",
    condition: None,
};
pub(crate) const LOOK_AT_HUB: Grant = Grant {
    sid: "LookAtHub",
    needed_for: "`doctor` alone: whether Security Hub is enabled in the region",
    actions: &[action("securityhub:DescribeHub", "reads it")],
    on: "arn:{partition}:securityhub:{region}:{account}:hub/default",
    condition: None,
};

/// All of them.
#[cfg(test)]
pub(crate) const ALL: [Grant; 21] = [
    READ_LOGS,
    LIST_LOGS,
    DECRYPT_LOGS,
    SERVE_QUEUE,
    AS_READER,
    KEEP_SNAPSHOTS,
    LIST_SNAPSHOTS,
    ENCRYPT_SNAPSHOTS,
    FILE_FINDINGS,
    AS_MEMBERS,
    TELL_TOPIC,
    TELL_BUS,
    WRITE_FINDINGS,
    READ_SECRETS,
    NAME_ACCOUNTS,
    AS_NAMER,
    LOOK_AT_BUCKET,
    LOOK_AT_DEAD_LETTERS,
    LOOK_AT_TOPIC,
    LOOK_AT_RULES,
    LOOK_AT_HUB,
];

impl Grant {
    /// As a policy has it, with these in place of what stands in braces.
    pub(crate) fn statement(&self, with: &[(&str, &str)]) -> Value {
        let fill =
            |text: &str, (name, value): &(&str, &str)| text.replace(&format!("{{{name}}}"), value);
        let on = with.iter().fold(self.on.to_owned(), |on, one| fill(&on, one));
        let names: Vec<_> = self.actions.iter().map(|action| action.name).collect();
        let action = match names[..] {
            [name] => json!(name),
            _ => json!(names),
        };
        match self.condition {
            None => json!({"Sid": self.sid, "Effect": "Allow", "Action": action, "Resource": on}),
            Some([operator, key, value]) => json!({
                "Sid": self.sid,
                "Effect": "Allow",
                "Action": action,
                "Resource": on,
                "Condition": {operator: {key: value}},
            }),
        }
    }
}

#[cfg(test)]
mod tests;
