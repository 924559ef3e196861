use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call, call};
use serde_json::{Value, json};

const ID: &str = "access-given-outside";
const OWN: &str = testkit::ACCOUNT;
const FOREIGN: &str = "999988887777";

fn share(account: &str) -> Call {
    let items = json!([{ "userId": account }]);
    let permission =
        json!({ "snapshotId": "snap-1", "createVolumePermission": { "add": { "items": items } } });
    call("eve").api("ec2:ModifySnapshotAttribute").request(permission)
}

fn policy(principal: &Value) -> String {
    let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn trust(principal: &Value) -> Call {
    let request = json!({ "roleName": "r", "policyDocument": policy(principal) });
    call("eve").api("iam:UpdateAssumeRolePolicy").request(request)
}

#[test]
fn fires_on_a_snapshot_for_a_foreign_account() {
    let id = testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", share(FOREIGN).id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    says(&finding, &["gave account 999988887777 access to snap-1 by ec2:ModifySnapshotAttribute"]);
}

#[test]
fn everybody_is_high() {
    let all = json!({ "createVolumePermission": { "add": { "items": [{ "group": "all" }] } } });
    let snapshot = call("eve").api("ec2:ModifySnapshotAttribute").request(all);
    let function = json!({ "functionName": "f", "principal": "*" });
    let function = call("eve").source("lambda.amazonaws.com").request(function);
    let function = function.set("eventName", json!("AddPermission20150331v2"));
    for shared in [snapshot, function, trust(&json!("*")), trust(&json!({ "AWS": ["*"] }))] {
        let finding = Logs::new().call(0, "10:00", shared).finding(ID);
        assert_eq!(finding.severity, Severity::High);
        says(&finding, &["gave everybody access"]);
    }
}

/// What GuardDuty's custom rules ask of: image, database snapshot, bucket, function and role, given to
/// `account`.
fn each_given(account: &str) -> [Call; 5] {
    let items = json!({ "add": { "items": [{ "userId": account }] } });
    let image = json!({ "imageId": "ami-1", "launchPermission": items });
    let database = json!({ "dBSnapshotIdentifier": "s", "attributeName": "restore",
        "valuesToAdd": [account] });
    let principal = json!({ "AWS": format!("arn:aws:iam::{account}:root") });
    let bucket = serde_json::from_str::<Value>(&policy(&principal)).unwrap();
    let bucket = json!({ "bucketName": "b", "bucketPolicy": bucket });
    let function = json!({ "functionName": "f", "principal": account, "action": "lambda:Invoke" });
    let does = |api: &str, request: Value| call("eve").api(api).request(request);
    [
        does("ec2:ModifyImageAttribute", image),
        does("rds:ModifyDBSnapshotAttribute", database),
        does("s3:PutBucketPolicy", bucket),
        does("lambda:AddPermission20150331v2", function),
        trust(&principal),
    ]
}

#[test]
fn each_is_told_that_is_given_to_a_foreign_account() {
    for given in each_given(FOREIGN) {
        let finding = Logs::new().call(0, "10:00", given).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.targets[0].ends_with(&format!(" to {FOREIGN}")), "{:?}", finding.targets);
    }
}

#[test]
fn each_is_quiet_that_is_given_to_the_own_account() {
    for given in each_given(OWN) {
        Logs::new().call(0, "10:00", given).stays_quiet(ID);
    }
}

#[test]
fn policies_are_read_as_text_and_as_values() {
    let principal = json!({ "AWS": format!("arn:aws:iam::{FOREIGN}:root") });
    let value: Value = serde_json::from_str(&policy(&principal)).unwrap();
    let bucket = json!({ "bucketName": "b", "bucketPolicy": value });
    let bucket = call("eve").api("s3:PutBucketPolicy").request(bucket);
    for shared in [trust(&principal), bucket] {
        let finding = Logs::new().call(0, "10:00", shared).finding(ID);
        assert!(finding.targets[0].ends_with(&format!(" to {FOREIGN}")), "{:?}", finding.targets);
    }
}

#[test]
fn quiet_for_the_own_account_services_providers_and_conditions() {
    let own = json!({ "AWS": format!("arn:aws:iam::{OWN}:role/r") });
    let service = json!({ "Service": "ec2.amazonaws.com" });
    let provider = json!({ "Federated": "arn:aws:iam::999988887777:oidc-provider/x" });
    for principal in [own, service, provider] {
        Logs::new().call(0, "10:00", trust(&principal)).stays_quiet(ID);
    }
    let guarded = json!({ "Statement": { "Effect": "Allow", "Principal": "*",
        "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } } } });
    let guarded = json!({ "policyDocument": guarded.to_string() });
    let guarded = call("eve").api("iam:UpdateAssumeRolePolicy").request(guarded);
    Logs::new().call(0, "10:00", guarded).stays_quiet(ID);
    Logs::new().call(0, "10:00", share(OWN)).stays_quiet(ID);
    Logs::new().call(0, "10:00", share(FOREIGN).error("AccessDenied")).stays_quiet(ID);
}

#[test]
fn a_condition_that_restricts_nobody_is_seen_through() {
    let guarded = |condition: Value| {
        let policy = json!({ "Statement": { "Effect": "Allow", "Principal": "*",
            "Condition": condition } });
        call("eve").api("s3:PutBucketPolicy").request(json!({ "bucketPolicy": policy }))
    };
    let secure = guarded(json!({ "Bool": { "aws:SecureTransport": "true" } }));
    let wide = guarded(json!({ "IpAddress": { "aws:SourceIp": "0.0.0.0/0" } }));
    for shared in [secure, wide] {
        says(&Logs::new().call(0, "10:00", shared).finding(ID), &["gave everybody access"]);
    }
    let narrow = guarded(json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }));
    Logs::new().call(0, "10:00", narrow).stays_quiet(ID);
}

#[test]
fn quiet_where_the_account_is_known_or_listed() {
    let known = Logs::new().daily(5, "10:00", |_| share(FOREIGN));
    assert!(known.call(0, "10:00", share(FOREIGN)).today(ID).is_none());
    let listed = |options: &mut crate::Options| {
        options.detectors.access_given_outside.accounts.insert(FOREIGN.to_owned());
    };
    Logs::with(listed).call(0, "10:00", share(FOREIGN)).stays_quiet(ID);
}

#[test]
fn broken_policies_give_nothing() {
    for text in ["", "{", "[]", "\"", "%7B", "{\"Statement\":[1,null,{\"Effect\":1}]}"] {
        let request = json!({ "policyDocument": text });
        let shared = call("eve").api("iam:UpdateAssumeRolePolicy").request(request);
        Logs::new().call(0, "10:00", shared).stays_quiet(ID);
    }
}

#[test]
fn accounts_that_are_known_are_not_counted() {
    let logs = Logs::new().daily(5, "9:00", |_| share("444455556666"));
    let logs = logs.calls(0, "10:00", 3, |_| share("444455556666"));
    let finding = logs.call(0, "10:10", share(FOREIGN)).today(ID).unwrap();
    assert_eq!((finding.count, finding.targets), (1, vec![format!("snap-1 to {FOREIGN}")]));
}

#[test]
fn an_intruder_does_not_vouch_for_himself() {
    let logs = Logs::new().habit(10, 3, || call("bob")).call(-6, "10:00", share(FOREIGN));
    assert!(logs.call(0, "10:00", share(FOREIGN)).today(ID).is_some());
}

#[test]
fn a_permission_for_everybody_of_one_organisation_is_not_for_everybody() {
    let add = |key: &str, value: Value| {
        let request = json!({ "functionName": "f", "principal": "*", key: value });
        call("eve").api("lambda:AddPermission").request(request)
    };
    Logs::new().call(0, "10:00", add("principalOrgID", json!("o-1"))).stays_quiet(ID);
    Logs::new().call(0, "10:00", add("principalOrgID", Value::Null)).finding(ID);
}

#[test]
fn policies_in_attributes_of_queues_and_topics_are_read() {
    let policy = policy(&json!({ "AWS": FOREIGN }));
    let queue = json!({ "queueUrl": "q", "attributes": { "Policy": policy } });
    let topic = |name: &str| {
        let topic = json!({ "attributeName": name, "attributeValue": policy });
        call("eve").api("sns:SetTopicAttributes").request(topic)
    };
    let queue = call("eve").api("sqs:SetQueueAttributes").request(queue);
    for shared in [queue, topic("Policy")] {
        let finding = Logs::new().call(0, "10:00", shared).finding(ID);
        assert!(finding.targets[0].ends_with(&format!(" to {FOREIGN}")), "{:?}", finding.targets);
    }
    Logs::new().call(0, "10:00", topic("DisplayName")).stays_quiet(ID);
}
