use super::{table::TABLE, *};
use crate::cloudtrail::{self, Record};
use crate::testkit;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What is asked of the only record of a text, written out.
fn asked(call: testkit::Call, of: impl Fn(&Event<'_>) -> Option<String>) -> Option<String> {
    let raw = call.raw();
    let mut answer = None;
    let is_read = cloudtrail::read(&raw, |_, record| match record {
        Ok(Record::Event(event)) => answer = of(&event),
        other => panic!("{other:?}"),
    });
    is_read.unwrap();
    answer
}

fn target(event: &Event<'_>) -> Option<String> {
    Targets::of(&event.service()).target(event).map(|target| target.to_string())
}

#[track_caller]
fn check(api: &str, request: Value, expected: &str) {
    let found = asked(testkit::call("alice").api(api).request(request), target);
    assert_eq!(found.as_deref().unwrap_or("none"), expected, "{api}");
}

#[test]
fn the_table_is_in_order_and_each_service_keeps_its_name() {
    assert!(TABLE.is_sorted_by(|(one, _), (other, _)| one < other));
    for (service, keys) in TABLE {
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(key.kind.split(':').next(), Some(*service), "{}", key.kind);
            assert!(keys.iter().take(at).all(|one| one.name != key.name), "{service} {}", key.name);
            assert!(key.kind.len() < TARGET_BYTES_MAX / 4);
        }
    }
}

#[test]
fn a_call_acts_on_what_its_parameters_name() {
    check("s3:GetObject", json!({"bucketName": "pay", "key": "2025/x.csv"}), "s3:pay");
    check("s3:PutBucketPolicy", json!({"bucketPolicy": {"a": [1]}, "bucketName": "b"}), "s3:b");
    check("iam:GetUser", json!({"userName": "bob"}), "iam:user:bob");
    check("iam:GetUser", json!({"userName": HIDDEN}), "none");
    check(
        "ssm:SendCommand",
        json!({"documentName": "AWS-RunShellScript"}),
        "ssm:document:AWS-RunShellScript",
    );
    check("kms:Encrypt", json!({"keyId": "alias/pay"}), "kms:pay");
    check("sqs:SendMessage", json!({"queueUrl": "https://sqs/1/jobs"}), "sqs:jobs");
    check("s3:ListBuckets", Value::Null, "none");
    check("s3:GetObject", json!({"bucketName": ["pay"]}), "s3:pay");
    check("s3:GetObject", json!({"bucketName": {"a": "pay"}}), "none");
    check("s3:GetObject", json!({"bucketName": ""}), "none");
    check("newservice:GetThing", json!({"name": "x"}), "none");
}

#[test]
fn an_arn_without_its_six_characters_names_the_secret_too() {
    for name in ["pay", "prod-db", "db-password1"] {
        let arn = format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
        let request = json!({"secretId": arn});
        check("secretsmanager:GetSecretValue", request, &format!("secretsmanager:{name}"));
    }
}

#[test]
fn the_most_telling_key_wins_wherever_it_stands() {
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    for request in [
        json!({"policyArn": policy, "roleName": "admin"}),
        json!({"roleName": "admin", "policyArn": policy}),
    ] {
        check("iam:AttachRolePolicy", request, "iam:role:admin");
    }
    check("iam:GetPolicy", json!({"policyArn": policy}), "iam:policy:AdministratorAccess");
    check("iam:DeleteUser", json!({"roleName": null, "userName": "bob"}), "iam:user:bob");
}

#[test]
fn names_and_arns_of_one_thing_are_one_target() {
    let of = |service, resource| format!("arn:aws:{service}:eu-west-1:111122223333:{resource}");
    for (api, key, name, arn, expected) in [
        (
            "lambda:Invoke",
            "functionName",
            "pay:live",
            of("lambda", "function:pay:live"),
            "lambda:pay",
        ),
        (
            "secretsmanager:GetSecretValue",
            "secretId",
            "prod/db-key",
            of("secretsmanager", "secret:prod/db-key-a1B2c3"),
            "secretsmanager:prod/db-key",
        ),
        (
            "dynamodb:Scan",
            "tableName",
            "orders",
            of("dynamodb", "table/orders/index/x"),
            "dynamodb:orders",
        ),
        (
            "cloudformation:DeleteStack",
            "stackName",
            "net",
            of("cloudformation", "stack/net/1-2"),
            "cloudformation:net",
        ),
        ("ecs:RunTask", "cluster", "web", of("ecs", "cluster/web"), "ecs:web"),
        ("rds:DeleteDBInstance", "dBInstanceIdentifier", "pay", of("rds", "db:pay"), "rds:pay"),
        (
            "cloudtrail:StopLogging",
            "name",
            "main",
            of("cloudtrail", "trail/main"),
            "cloudtrail:main",
        ),
        (
            "logs:DeleteLogGroup",
            "logGroupIdentifier",
            "/aws/x",
            of("logs", "log-group:/aws/x:*"),
            "logs:/aws/x",
        ),
        ("kms:Decrypt", "keyId", "1-2", of("kms", "key/1-2"), "kms:1-2"),
        (
            "ssm:GetParameter",
            "name",
            "/prod/db/key",
            of("ssm", "parameter/prod/db/key"),
            "ssm:prod/db",
        ),
        ("s3:GetObject", "bucketName", "pay", "arn:aws:s3:::pay/2025/x.csv".to_owned(), "s3:pay"),
        (
            "s3:GetObject",
            "bucketName",
            "accesspoint/p",
            of("s3", "accesspoint/p"),
            "s3:accesspoint/p",
        ),
    ] {
        check(api, json!({key: name}), expected);
        check(api, json!({key: arn}), expected);
    }
}

#[test]
fn parameters_count_by_the_path_they_lie_in() {
    check("ssm:GetParameters", json!({"names": ["/prod/db/key", "/x"]}), "ssm:prod/db");
    check("ssm:GetParametersByPath", json!({"path": "/prod/db/"}), "ssm:prod/db");
    check("ssm:GetParametersByPath", json!({"path": "/"}), "ssm:/");
    check("ssm:GetParameter", json!({"name": "token"}), "ssm:token");
}

#[test]
fn resources_name_what_parameters_do_not() {
    let key = json!({"type": "AWS::KMS::Key", "accountId": "1",
        "ARN": "arn:aws:kms:eu-west-1:111122223333:key/1-2"});
    let bucket = json!({"type": "AWS::S3::Bucket", "ARN": "arn:aws-cn:s3:::pay"});
    let both = json!([bucket, key]);
    let call = |api| testkit::call("alice").api(api).resources(both.clone());
    assert_eq!(asked(call("kms:Decrypt"), target).unwrap(), "kms:1-2");
    assert_eq!(asked(call("s3:GetObject"), target).unwrap(), "s3:pay");
    // An ARN of another service is none of a bucket, though those of buckets have no type.
    let key_first = testkit::call("alice").api("s3:GetObject").resources(json!([key, bucket]));
    assert_eq!(asked(key_first, target).unwrap(), "s3:pay");
    assert_eq!(asked(call("iam:GetUser"), target), None);
    let named = call("s3:GetObject").request(json!({"bucketName": "other"}));
    assert_eq!(asked(named, target).unwrap(), "s3:other");
}

#[test]
fn what_is_made_by_the_thousand_is_no_target() {
    for (api, request) in [
        ("ec2:TerminateInstances", json!({"instancesSet": {"items": [{"instanceId": "i-1"}]}})),
        ("ec2:DeleteSnapshot", json!({"snapshotId": "snap-1"})),
        ("ssm:StartSession", json!({"target": "i-1"})),
        ("rds:DeleteDBSnapshot", json!({"dBSnapshotIdentifier": "pay-2025-03-14"})),
        ("sts:AssumeRole", json!({"roleArn": "arn:aws:iam::1:role/x", "roleSessionName": "s"})),
    ] {
        check(api, request, "none");
    }
    let stream = json!({"logGroupName": "/aws/x", "logStreamName": "2025/03/14/[$LATEST]1"});
    check("logs:CreateLogStream", stream, "logs:/aws/x");
}

#[test]
fn the_role_that_is_asked_for_stands_apart() {
    let role = |event: &Event<'_>| assumed_role(event).map(Cow::into_owned);
    let request = json!({"roleArn": "arn:aws:iam::1:role/x", "roleSessionName": "s"});
    let call = |api| testkit::call("alice").api(api).request(request.clone());
    for api in ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"] {
        assert_eq!(asked(call(api), role).unwrap(), "arn:aws:iam::1:role/x");
    }
    assert_eq!(asked(call("sts:GetSessionToken"), role), None);
    assert_eq!(asked(call("iam:AssumeRole"), role), None);
    let long =
        testkit::call("alice").api("sts:AssumeRole").request(json!({"roleArn": "é".repeat(200)}));
    assert_eq!(asked(long, role).unwrap().len(), TARGET_BYTES_MAX);
}

#[test]
fn what_the_log_did_not_escape_is_borrowed() {
    let keys = Targets::of("s3").0;
    let name = |raw| keys[0].target(Raw(raw)).unwrap().name;
    assert!(matches!(name(r#""pay/x""#), Cow::Borrowed("pay")));
    assert!(matches!(name(r#""p\u0061y\/x""#), Cow::Owned(name) if name == "pay"));
}

#[test]
fn a_target_is_cut() {
    let long = json!({"bucketName": "é".repeat(TARGET_BYTES_MAX)});
    let found = asked(testkit::call("alice").api("s3:GetObject").request(long), target).unwrap();
    assert!(found.len() <= TARGET_BYTES_MAX && found.len() > TARGET_BYTES_MAX - 3, "{found}");
}

proptest! {
    #[test]
    fn any_request_is_answered_within_bounds(
        at in 0..TABLE.len(),
        key in any::<proptest::sample::Index>(),
        value in "(arn:aws:[a-z0-9]{1,8}:[a-z]{0,3}:[0-9]{0,3}:)?[a-zé:/\"\\-]{0,400}",
    ) {
        let (service, keys) = TABLE[at];
        let key = key.get(keys);
        let request = json!({"other": [1], key.name: value});
        let call = testkit::call("alice").api(&format!("{service}:Get")).request(request);
        if let Some(found) = asked(call, target) {
            prop_assert!(found.len() <= TARGET_BYTES_MAX);
            let name = found.strip_prefix(key.kind).and_then(|rest| rest.strip_prefix(':')).unwrap();
            prop_assert!(!name.is_empty() && value.contains(name), "{} of {}", name, value);
        }
    }
}

/// How the page begins.
const HEAD: &str = "# What a call is about\n\
\n\
The target of a call is a thing that stays: the bucket, not the object; the function, not its version. It is\n\
written `kind:name`, at most 256 bytes. `ingest/src/target/table.rs` is the source; a test keeps this page to it.\n\
\n\
* Of `requestParameters` the parameter of the service below that stands first in the table and names something: a text,\n  \
  or the first of a list of texts, not empty and not `HIDDEN_DUE_TO_SECURITY_REASONS`.\n\
* If none does, the first `ARN` of `resources` that fits a row: an ARN of that service whose resource begins with\n  \
  the type, and a `:` or `/` behind it; any ARN of the service where there is no type.\n\
* The name is a part of the text. Of an ARN it is a part of the resource (what stands behind the fifth `:`), without type and `:` or `/`\n  \
  if it begins with them. Parts: *whole*; *before X*: up to the first X; *last*: behind the last `/`; *bucket*: up to the\n  \
  first `/`, but an `accesspoint/...` is whole; *secret*: whole, of an ARN without `-` and the six characters behind it;\n  \
  *path*: without `/` around it; *folder*: the path up to its last `/`, whole where it has none. What is nothing but `/` stays.\n\
* `sts:AssumeRole*` is about `roleArn`, written as it is.\n\
* All else is about nothing.\n\
\n\
| service | parameter | kind | type in ARNs | part |\n\
|---|---|---|---|---|\n";

#[test]
fn the_page_says_what_the_table_says() {
    let rows = TABLE.iter().flat_map(|(service, keys)| keys.iter().map(move |key| (service, key)));
    let rows = rows.map(|(service, Key { name, kind, arn_type, form })| {
        let part = match form {
            Form::Whole => "whole".to_owned(),
            Form::Before(mark) => format!("before {mark}"),
            Form::Last => "last".to_owned(),
            Form::Bucket => "bucket".to_owned(),
            Form::Secret => "secret".to_owned(),
            Form::Folder => "folder".to_owned(),
            Form::Path => "path".to_owned(),
        };
        format!("| {service} | {name} | {kind} | {arn_type} | {part} |\n")
    });
    let page = HEAD.to_owned() + &rows.collect::<String>();
    assert!(
        include_str!("../../../docs/targets.md") == page,
        "put this into docs/targets.md:\n{page}"
    );
}
