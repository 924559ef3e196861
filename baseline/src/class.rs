//! What kind of thing an API call does: the classes whose rates a profile keeps.

use crate::dimension::Dimension;

/// The class of a call, as the dimension that counts it. The verbs are those of AWS's own naming;
/// `read_only` decides where the verb does not.
pub fn class(service: &str, name: &str, read_only: Option<bool>) -> Dimension {
    if is_credential(service, name) {
        return Dimension::Credentials;
    }
    if service == "kms" && !starts(name, LIST) {
        return if starts(name, DELETE) { Dimension::Deletes } else { Dimension::Encrypts };
    }
    if starts(name, SHARE) {
        return Dimension::Shares;
    }
    if starts(name, DELETE) {
        return Dimension::Deletes;
    }
    if starts(name, LIST) {
        return Dimension::Lists;
    }
    if starts(name, READ) || read_only == Some(true) {
        return Dimension::Reads;
    }
    Dimension::Writes
}

const LIST: &[&str] = &["List", "Describe", "Lookup", "Search", "Scan", "Query"];
const READ: &[&str] = &["Get", "Head", "BatchGet", "Check", "Select", "View"];
const DELETE: &[&str] =
    &["Delete", "Terminate", "Deregister", "Remove", "Purge", "BatchDelete", "ScheduleKeyDeletion"];
const SHARE: &[&str] = &[
    "PutBucketPolicy",
    "PutBucketAcl",
    "PutObjectAcl",
    "AddPermission",
    "PutResourcePolicy",
    "ModifyImageAttribute",
    "ModifySnapshotAttribute",
    "ModifyDBSnapshotAttribute",
    "ModifyDBClusterSnapshotAttribute",
];

fn starts(name: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| name.starts_with(verb))
}

fn is_credential(service: &str, name: &str) -> bool {
    match service {
        "sts" => {
            name.starts_with("AssumeRole") || name.starts_with("Get") && name.ends_with("Token")
        }
        "iam" => matches!(name, "CreateAccessKey" | "CreateLoginProfile" | "UpdateLoginProfile"),
        "secretsmanager" => matches!(name, "GetSecretValue" | "BatchGetSecretValue"),
        "ssm" => matches!(name, "GetParameter" | "GetParameters" | "GetParametersByPath"),
        "ec2" => name == "GetPasswordData",
        _ => false,
    }
}

/// `eventName` without the version of the API that some services write behind it, for example
/// `UpdateFunctionCode` of `UpdateFunctionCode20150331v2`.
pub fn unversioned(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'v' || c == '_');
    let version = name.get(stem.len()..).unwrap_or_default();
    let date = version.get(..8).unwrap_or_default();
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) { stem } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_class_of_their_verb() {
        for (service, name, read_only, expected) in [
            ("s3", "GetObject", Some(true), Dimension::Reads),
            ("s3", "PutObject", Some(false), Dimension::Writes),
            ("s3", "DeleteObjects", Some(false), Dimension::Deletes),
            ("s3", "ListBuckets", None, Dimension::Lists),
            ("ec2", "DescribeInstances", Some(true), Dimension::Lists),
            ("ec2", "TerminateInstances", Some(false), Dimension::Deletes),
            ("kms", "GenerateDataKey", Some(true), Dimension::Encrypts),
            ("kms", "ScheduleKeyDeletion", Some(false), Dimension::Deletes),
            ("sts", "AssumeRoleWithSAML", Some(true), Dimension::Credentials),
            ("sts", "GetCallerIdentity", Some(true), Dimension::Reads),
            ("ec2", "ModifySnapshotAttribute", Some(false), Dimension::Shares),
            ("athena", "StartQueryExecution", Some(false), Dimension::Writes),
            ("health", "Fetch", Some(true), Dimension::Reads),
        ] {
            assert_eq!(class(service, name, read_only), expected, "{service}:{name}");
        }
    }

    #[test]
    fn versions_of_apis_are_not_part_of_their_names() {
        for (logged, name) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateDistribution2020_05_31", "CreateDistribution2020_05_31"),
            ("GetObject", "GetObject"),
            ("PutBucketV2", "PutBucketV2"),
            ("20150331", ""),
            ("", ""),
        ] {
            assert_eq!(unversioned(logged), name);
        }
    }
}
