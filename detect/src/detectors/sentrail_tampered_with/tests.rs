use crate::{
    Finding, Lessons, Mark, Marked, Nature, Own, Severity,
    own::APIS,
    testkit::{Logs, says},
};
use ingest::testkit::{Call, by, call, iam_user, instance_role, role_session, uuid};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

mod selectors;

const ID: &str = "sentrail-tampered-with";

/// What this sentrail lives on.
const OWN: [&str; 17] = [
    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main",
    "arn:aws:ec2:eu-central-1:111122223333:vpc-flow-log/fl-0a1b2c3d",
    "arn:aws:ec2:eu-central-1:111122223333:instance/i-0a1b2c3d4e5f60718",
    "arn:aws:s3:::logs",
    "arn:aws:s3:::state/sentrail/*",
    "arn:aws:sqs:eu-central-1:111122223333:sentrail",
    "arn:aws:sns:eu-central-1:111122223333:logs",
    "arn:aws:events:eu-central-1:111122223333:rule/logs",
    "arn:aws:events:eu-central-1:111122223333:rule/findings/chat",
    "arn:aws:events:eu-central-1:111122223333:event-bus/findings",
    "arn:aws:kms:eu-central-1:111122223333:key/5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d31",
    "arn:aws:ecs:eu-central-1:111122223333:service/watch/sentrail",
    "arn:aws:ecs:eu-central-1:111122223333:task-definition/sentrail",
    "arn:aws:iam::111122223333:role/watch/sentrail-task",
    "arn:aws:securityhub:eu-central-1:*:hub/default",
    "arn:*:sqs:*:111122223333:elsewhere",
    "arn:aws:sns:eu-central-1:111122223333:findings",
];
const KEY: &str = "5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d31";
const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/sentrail";

fn logs() -> Logs {
    let own = Own::of(OWN.map(str::to_owned));
    Logs::with(|options| options.own = Arc::new(own))
}

fn does(api: &str, request: Value) -> Call {
    call("eve").api(api).request(request)
}

#[track_caller]
fn told(call: Call) -> Option<Finding> {
    let mut findings = logs().call(0, "10:00", call).findings(ID);
    assert!(findings.len() < 2, "{findings:#?}");
    findings.pop()
}

fn purge() -> Call {
    does("sqs:PurgeQueue", json!({"queueUrl": QUEUE}))
}

fn stop() -> Call {
    does("cloudtrail:StopLogging", json!({"name": "main"}))
}

fn set(name: &str, value: &str) -> Value {
    json!({"queueUrl": QUEUE, "attributes": {name: value}})
}

fn policy(effect: &str, principal: &str, from: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": effect, "Principal": {"Service": principal}, "Action": "*", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": from}},
    }]})
    .to_string()
}

/// A policy of one statement, which is no list, under a name that says something else than it does.
fn named(sid: &str, effect: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Sid": sid, "Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"}})
        .to_string()
}

fn bucket(more: Value) -> Value {
    of_bucket("logs", more)
}

fn of_bucket(name: &str, more: Value) -> Value {
    let mut request = json!({"bucketName": name, "Host": format!("{name}.s3.amazonaws.com")});
    let Value::Object(more) = more else { panic!("{more}") };
    request.as_object_mut().unwrap().extend(more);
    request
}

fn expires_below(prefix: &str) -> Value {
    let mut request = expires(1);
    request["LifecycleConfiguration"]["Rule"]["Filter"] = json!({"Prefix": prefix});
    request
}

fn expires(days: u32) -> Value {
    json!({"lifecycle": "", "LifecycleConfiguration": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
        "Rule": {"ID": "soon", "Status": "Enabled", "Filter": "", "Expiration": {"Days": days}}}})
}

fn notifies(configuration: &Value) -> Value {
    bucket(json!({"notification": "", "NotificationConfiguration": configuration}))
}

fn encrypts(key: &str) -> Value {
    let with = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key});
    json!({"encryption": "", "ServerSideEncryptionConfiguration": {"Rule": {"ApplyServerSideEncryptionByDefault": with}}})
}

fn findings(n: u32, status: &str, product: &str) -> Value {
    let one = |n| json!({"Id": uuid(&format!("{n}")), "ProductArn": format!("arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/{product}")});
    json!({"FindingIdentifiers": (0..n).map(one).collect::<Vec<_>>(), "Workflow": {"Status": status}})
}

fn hides(who: &str) -> Value {
    json!({"RuleName": "tidy", "RuleOrder": 1, "Description": "tidy", "Criteria": {"GeneratorId": [{"Value": who, "Comparison": "PREFIX"}]},
        "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Workflow": {"Status": "SUPPRESSED"}}}]})
}

fn updates(who: &str) -> Value {
    let mut rule = hides(who);
    rule["RuleArn"] =
        format!("arn:aws:securityhub:eu-central-1:111122223333:automation-rule/{KEY}").into();
    json!({"UpdateAutomationRulesRequestItems": [rule]})
}

const SELF_CHANGED: Option<Severity> = Some(Severity::Medium);
const HARMED: Option<Severity> = Some(Severity::High);
const BLINDED: Option<Severity> = Some(Severity::Critical);

/// Calls as AWS writes them, each with what is said of it.
type Told = Vec<(&'static str, Value, Option<Severity>)>;

fn of_logs() -> Told {
    let selectors = |selector: Value| json!({"trailName": "main", "eventSelectors": [selector]});
    let data = json!([{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]);
    let flow_logs = |id: &str| json!({"DeleteFlowLogsRequest": {"FlowLogId": [{"tag": 1, "content": "fl-1"}, {"tag": 2, "content": id}]}});
    let key = |id: &str| json!({"keyId": id});
    let key_policy =
        |policy: &str| json!({"keyId": KEY, "policyName": "default", "policy": policy});
    vec![
        ("cloudtrail:StopLogging", json!({"name": "main"}), BLINDED),
        ("cloudtrail:StopLogging", json!({"name": OWN[0]}), BLINDED),
        ("cloudtrail:StopLogging", json!({"name": "other"}), None),
        ("cloudtrail:DeleteTrail", json!({"name": "main"}), BLINDED),
        ("cloudtrail:DeleteTrail", json!({"name": "main-2"}), None),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "isMultiRegionTrail": false}), BLINDED),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "s3BucketName": "mine"}), BLINDED),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "kmsKeyId": ""}), SELF_CHANGED),
        (
            "cloudtrail:UpdateTrail",
            json!({"name": "main", "s3BucketName": "logs", "isMultiRegionTrail": true, "kmsKeyId": OWN[10]}),
            None,
        ),
        ("cloudtrail:PutEventSelectors", selectors(json!({"readWriteType": "ReadOnly"})), BLINDED),
        ("cloudtrail:PutEventSelectors", selectors(json!({"readWriteType": "All"})), SELF_CHANGED),
        (
            "cloudtrail:PutEventSelectors",
            selectors(json!({"readWriteType": "All", "dataResources": data})),
            None,
        ),
        (
            "cloudtrail:PutInsightSelectors",
            json!({"trailName": "main", "insightSelectors": []}),
            SELF_CHANGED,
        ),
        (
            "cloudtrail:PutInsightSelectors",
            json!({"trailName": "main", "insightSelectors": [{"insightType": "ApiCallRateInsight"}]}),
            None,
        ),
        ("ec2:DeleteFlowLogs", flow_logs("fl-0a1b2c3d"), BLINDED),
        ("ec2:DeleteFlowLogs", flow_logs("fl-2"), None),
        ("kms:DeleteImportedKeyMaterial", key(KEY), BLINDED),
        ("kms:DeleteImportedKeyMaterial", key("5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d32"), None),
        ("kms:DisableKey", key(KEY), BLINDED),
        ("kms:DisableKey", key("5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d32"), None),
        ("kms:ScheduleKeyDeletion", json!({"keyId": OWN[10], "pendingWindowInDays": 30}), BLINDED),
        ("kms:ScheduleKeyDeletion", key("5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d32"), None),
        ("kms:PutKeyPolicy", key_policy(&policy("Deny", "*", "*")), BLINDED),
        ("kms:PutKeyPolicy", key_policy(&named("AllowNobody", "Deny")), BLINDED),
        ("kms:PutKeyPolicy", key_policy(&policy("Allow", "kms.amazonaws.com", "*")), SELF_CHANGED),
        ("kms:PutKeyPolicy", json!({"keyId": "other", "policy": ""}), None),
        ("kms:RevokeGrant", json!({"keyId": KEY, "grantId": "f1"}), SELF_CHANGED),
        ("kms:RevokeGrant", json!({"keyId": "other", "grantId": "f1"}), None),
    ]
}

fn of_buckets() -> Told {
    let of = |arn: &str, event: &str, prefix: Option<&str>| {
        let mut way = json!({"Id": "q", "Queue": arn, "Event": event});
        if let Some(prefix) = prefix {
            way["Filter"] = json!({"S3Key": {"FilterRule": {"Name": "prefix", "Value": prefix}}});
        }
        json!({"xmlns": "x", "QueueConfiguration": way})
    };
    let queue = |arn: &str| of(arn, "s3:ObjectCreated:*", None);
    let denies = policy("Deny", "s3.amazonaws.com", "*");
    let denies = json!({"bucketPolicy": serde_json::from_str::<Value>(&denies).unwrap()});
    let lets = |policy: &str| {
        bucket(
            json!({"policy": "", "bucketPolicy": serde_json::from_str::<Value>(policy).unwrap()}),
        )
    };
    let kept = |key: &str| of_bucket("state", json!({"key": key}));
    vec![
        ("s3:DeleteBucket", bucket(json!({})), BLINDED),
        ("s3:DeleteBucket", of_bucket("state", json!({})), BLINDED),
        ("s3:DeleteBucket", of_bucket("pictures", json!({})), None),
        ("s3:DeleteBucketPolicy", bucket(json!({"policy": ""})), BLINDED),
        ("s3:DeleteBucketPolicy", of_bucket("state", json!({"policy": ""})), None),
        ("s3:PutBucketPolicy", lets(&policy("Deny", "*", "*")), BLINDED),
        ("s3:PutBucketPolicy", lets(&named("AllowTLSOnly", "Deny")), BLINDED),
        ("s3:PutBucketPolicy", lets(&policy("Allow", "s3.amazonaws.com", "*")), SELF_CHANGED),
        ("s3:PutBucketPolicy", lets(&policy("Allow", "cloudtrail.amazonaws.com", OWN[0])), None),
        ("s3:PutBucketNotification", notifies(&json!({"xmlns": "x"})), BLINDED),
        (
            "s3:PutBucketNotification",
            notifies(&queue("arn:aws:sqs:eu-central-1:111122223333:mine")),
            BLINDED,
        ),
        ("s3:PutBucketNotification", notifies(&queue(OWN[5])), None),
        ("s3:PutBucketNotification", notifies(&of(OWN[5], "s3:ObjectRemoved:*", None)), BLINDED),
        (
            "s3:PutBucketNotification",
            notifies(&of(OWN[5], "s3:ObjectCreated:Put", Some("nothing/"))),
            SELF_CHANGED,
        ),
        (
            "s3:PutBucketNotification",
            notifies(&json!({"xmlns": "x", "EventBridgeConfiguration": ""})),
            None,
        ),
        ("s3:PutBucketNotificationConfiguration", notifies(&json!({"xmlns": "x"})), BLINDED),
        ("s3:PutBucketNotificationConfiguration", notifies(&queue(OWN[5])), None),
        ("s3:PutBucketPolicy", of_bucket("state", denies.clone()), SELF_CHANGED),
        ("s3:PutBucketPolicy", of_bucket("pictures", denies), None),
        (
            "s3:PutBucketEncryption",
            bucket(encrypts("arn:aws:kms:eu-central-1:444455556666:key/k")),
            SELF_CHANGED,
        ),
        ("s3:PutBucketEncryption", bucket(encrypts(OWN[10])), None),
        ("s3:DeleteObject", kept("sentrail/2025/a"), HARMED),
        ("s3:DeleteObject", kept("other/a"), None),
        ("s3:DeleteObjects", of_bucket("state", json!({"delete": ""})), SELF_CHANGED),
        ("s3:DeleteObjects", of_bucket("pictures", json!({"delete": ""})), None),
    ]
}

fn of_lifecycles() -> Told {
    vec![
        ("s3:PutBucketLifecycle", bucket(expires(1)), HARMED),
        (
            "s3:PutBucketLifecycle",
            bucket(json!({"LifecycleConfiguration": {"Rule": {"Status": "Enabled",
                "Expiration": {"Date": "2025-01-01T00:00:00Z"}}}})),
            HARMED,
        ),
        ("s3:PutBucketLifecycle", of_bucket("state", expires(13)), HARMED),
        ("s3:PutBucketLifecycle", of_bucket("state", expires_below("sentrail/2025")), HARMED),
        ("s3:PutBucketLifecycle", of_bucket("state", expires_below("sen")), HARMED),
        ("s3:PutBucketLifecycle", of_bucket("state", expires_below("scratch/")), None),
        ("s3:PutBucketLifecycle", bucket(expires_below("AWSLogs/")), HARMED),
        (
            "s3:PutBucketLifecycle",
            of_bucket(
                "state",
                json!({"LifecycleConfiguration": {"Rule": [
                    {"Status": "Enabled", "Prefix": "scratch/", "Expiration": {"Days": 1}},
                    {"Status": "Enabled", "Expiration": {"Days": 2},
                        "Filter": {"And": {"Prefix": "sentrail/", "Tag": {"Key": "a", "Value": "b"}}}},
                ]}}),
            ),
            HARMED,
        ),
        ("s3:PutBucketLifecycle", bucket(expires(14)), None),
        ("s3:PutBucketLifecycleConfiguration", bucket(expires(1)), HARMED),
        ("s3:PutBucketLifecycleConfiguration", of_bucket("pictures", expires(1)), None),
    ]
}

fn of_queues_and_topics() -> Told {
    let topic =
        |topic: &str| json!({"topicArn": format!("arn:aws:sns:eu-central-1:111122223333:{topic}")});
    let of_topic = |name: &str, value: &str| json!({"topicArn": OWN[6], "attributeName": name, "attributeValue": value});
    let subscription = |topic: &str| json!({"subscriptionArn": format!("arn:aws:sns:eu-central-1:111122223333:{topic}:{KEY}")});
    let of_subscription = |name: &str| json!({"subscriptionArn": format!("{}:{KEY}", OWN[6]), "attributeName": name, "attributeValue": "{\"a\":[\"b\"]}"});
    let labelled = |queue: &str| json!({"queueUrl": queue, "label": "a", "actions": ["*"], "aWSAccountIds": ["444455556666"]});
    let other = "https://sqs.eu-central-1.amazonaws.com/111122223333/other";
    vec![
        ("sqs:DeleteQueue", json!({"queueUrl": QUEUE}), BLINDED),
        (
            "sqs:DeleteQueue",
            json!({"queueUrl": "http://127.0.0.1:5000/111122223333/elsewhere"}),
            BLINDED,
        ),
        ("sqs:DeleteQueue", json!({"queueUrl": other}), None),
        ("sqs:PurgeQueue", json!({"queueUrl": QUEUE}), HARMED),
        ("sqs:PurgeQueue", json!({"queueUrl": other}), None),
        ("sqs:AddPermission", labelled(QUEUE), SELF_CHANGED),
        ("sqs:AddPermission", labelled(other), None),
        ("sqs:RemovePermission", json!({"queueUrl": QUEUE, "label": "a"}), SELF_CHANGED),
        ("sqs:RemovePermission", json!({"queueUrl": other, "label": "a"}), None),
        ("sqs:SetQueueAttributes", set("Policy", ""), BLINDED),
        ("sqs:SetQueueAttributes", set("Policy", &policy("Deny", "*", "*")), BLINDED),
        ("sqs:SetQueueAttributes", set("Policy", &named("AllowTLSOnly", "Deny")), BLINDED),
        (
            "sqs:SetQueueAttributes",
            set("Policy", &policy("Allow", "s3.amazonaws.com", "arn:aws:s3:::mine")),
            SELF_CHANGED,
        ),
        (
            "sqs:SetQueueAttributes",
            set("Policy", &policy("Allow", "s3.amazonaws.com", OWN[3])),
            None,
        ),
        ("sqs:SetQueueAttributes", set("MessageRetentionPeriod", "60"), SELF_CHANGED),
        ("sqs:SetQueueAttributes", set("VisibilityTimeout", "300"), None),
        ("sns:DeleteTopic", topic("logs"), BLINDED),
        ("sns:DeleteTopic", topic("other"), None),
        ("sns:AddPermission", topic("logs"), SELF_CHANGED),
        ("sns:AddPermission", topic("other"), None),
        ("sns:RemovePermission", topic("findings"), SELF_CHANGED),
        ("sns:RemovePermission", topic("other"), None),
        ("sns:Unsubscribe", subscription("logs"), HARMED),
        ("sns:Unsubscribe", subscription("other"), None),
        ("sns:SetTopicAttributes", of_topic("Policy", ""), BLINDED),
        ("sns:SetTopicAttributes", of_topic("DisplayName", "logs"), None),
        ("sns:SetSubscriptionAttributes", of_subscription("FilterPolicy"), SELF_CHANGED),
        ("sns:SetSubscriptionAttributes", of_subscription("RawMessageDelivery"), None),
    ]
}

fn of_rules_and_hub() -> Told {
    let target = |arn: &str| json!({"rule": "logs", "targets": [{"id": "queue", "arn": arn}]});
    vec![
        ("events:DeleteRule", json!({"name": "logs"}), BLINDED),
        ("events:DeleteRule", json!({"name": "logs", "eventBusName": "findings"}), None),
        ("events:DisableRule", json!({"name": "chat", "eventBusName": "findings"}), BLINDED),
        ("events:DisableRule", json!({"name": "nightly", "eventBusName": "default"}), None),
        ("events:RemoveTargets", json!({"rule": "logs", "ids": ["queue"]}), BLINDED),
        ("events:RemoveTargets", json!({"rule": "nightly", "ids": ["queue"]}), None),
        ("events:PutRule", json!({"name": "logs", "state": "DISABLED"}), BLINDED),
        (
            "events:PutRule",
            json!({"name": "logs", "eventPattern": "{}", "state": "ENABLED"}),
            SELF_CHANGED,
        ),
        ("events:PutRule", json!({"name": "nightly", "state": "DISABLED"}), None),
        ("events:PutTargets", target("arn:aws:sqs:eu-central-1:111122223333:mine"), SELF_CHANGED),
        ("events:PutTargets", target(OWN[5]), None),
        (
            "events:PutTargets",
            json!({"rule": "logs", "targets": [{"id": "queue", "arn": OWN[5], "input": "{}"}]}),
            SELF_CHANGED,
        ),
        ("events:DeleteEventBus", json!({"name": "findings"}), BLINDED),
        ("events:DeleteEventBus", json!({"name": "orders"}), None),
        ("securityhub:DisableSecurityHub", Value::Null, BLINDED),
        ("securityhub:BatchUpdateFindings", findings(10, "SUPPRESSED", "default"), SELF_CHANGED),
        ("securityhub:BatchUpdateFindings", findings(9, "SUPPRESSED", "default"), None),
        ("securityhub:BatchUpdateFindings", findings(10, "NOTIFIED", "default"), None),
        ("securityhub:BatchUpdateFindings", findings(10, "SUPPRESSED", "other"), None),
        ("securityhub:CreateAutomationRule", hides("sentrail"), BLINDED),
        ("securityhub:CreateAutomationRule", hides("aws-foundational"), None),
        ("securityhub:BatchUpdateAutomationRules", updates("sentrail"), BLINDED),
        ("securityhub:BatchUpdateAutomationRules", updates("aws-foundational"), None),
        (
            "securityhub:DisableImportFindingsForProduct",
            json!({"ProductSubscriptionArn": "arn:aws:securityhub:eu-central-1:111122223333:product-subscription/111122223333/default"}),
            BLINDED,
        ),
        (
            "securityhub:DisableImportFindingsForProduct",
            json!({"ProductSubscriptionArn": "arn:aws:securityhub:eu-central-1:111122223333:product-subscription/aws/macie"}),
            None,
        ),
    ]
}

fn of_itself() -> Told {
    let service = |service: &str, more: Value| {
        let mut request = json!({"cluster": "watch", "service": service});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let instance =
        |id: &str| json!({"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": id}]}});
    let role = |name: &str, policy: &str| json!({"roleName": name, "policyName": "p", "policyDocument": policy});
    let allows = r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let denies = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let profile = |role: &str| json!({"instanceProfileName": "watch", "roleName": role});
    let mine = "sentrail-task";
    vec![
        ("ecs:UpdateService", service("sentrail", json!({"desiredCount": 0})), BLINDED),
        (
            "ecs:UpdateService",
            service("sentrail", json!({"taskDefinition": "mine:1"})),
            SELF_CHANGED,
        ),
        (
            "ecs:UpdateService",
            service("sentrail", json!({"desiredCount": 1, "forceNewDeployment": true})),
            None,
        ),
        ("ecs:UpdateService", service("shop", json!({"desiredCount": 0})), None),
        ("ecs:DeleteService", service("sentrail", json!({"force": true})), BLINDED),
        ("ecs:DeleteService", service(OWN[11], json!({})), BLINDED),
        ("ecs:DeleteService", service("shop", json!({})), None),
        ("ecs:DeregisterTaskDefinition", json!({"taskDefinition": "sentrail:7"}), SELF_CHANGED),
        ("ecs:DeregisterTaskDefinition", json!({"taskDefinition": "shop:7"}), None),
        ("ec2:StopInstances", instance("i-0a1b2c3d4e5f60718"), BLINDED),
        ("ec2:StopInstances", instance("i-2"), None),
        ("ec2:TerminateInstances", instance("i-0a1b2c3d4e5f60718"), BLINDED),
        ("ec2:TerminateInstances", instance("i-2"), None),
        ("iam:DeleteRole", role(mine, ""), BLINDED),
        ("iam:DeleteRole", role("web", ""), None),
        ("iam:DeleteRolePolicy", role(mine, ""), BLINDED),
        ("iam:DeleteRolePolicy", role("web", ""), None),
        ("iam:AttachRolePolicy", role(mine, ""), SELF_CHANGED),
        (
            "iam:AttachRolePolicy",
            json!({"roleName": mine, "policyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}),
            BLINDED,
        ),
        ("iam:AttachRolePolicy", role("web", ""), None),
        ("iam:DetachRolePolicy", role(mine, ""), BLINDED),
        ("iam:DetachRolePolicy", role("web", ""), None),
        ("iam:PutRolePolicy", role(mine, denies), BLINDED),
        ("iam:PutRolePolicy", role(mine, allows), SELF_CHANGED),
        ("iam:PutRolePolicy", role(mine, &named("DenyNothing", "Allow")), SELF_CHANGED),
        ("iam:PutRolePolicy", role("web", denies), None),
        ("iam:RemoveRoleFromInstanceProfile", profile(mine), BLINDED),
        ("iam:RemoveRoleFromInstanceProfile", profile("web"), None),
        ("iam:PutRolePermissionsBoundary", role(mine, ""), SELF_CHANGED),
        ("iam:PutRolePermissionsBoundary", role("web", ""), None),
        ("iam:UpdateAssumeRolePolicy", role(mine, allows), SELF_CHANGED),
        ("iam:UpdateAssumeRolePolicy", role("web", allows), None),
    ]
}

#[track_caller]
fn each_is_told_as_it_is(calls: Told) {
    for (api, request, expected) in calls {
        let found = told(does(api, request.clone()));
        assert_eq!(found.map(|one| one.severity), expected, "{api} {request}");
    }
}

#[test]
fn logs_that_are_taken_away_are_told_and_what_stays_as_it_was_is_not() {
    each_is_told_as_it_is(of_logs());
}

#[test]
fn buckets_that_are_taken_away_are_told_and_what_stays_as_it_was_is_not() {
    each_is_told_as_it_is(of_buckets());
    each_is_told_as_it_is(of_lifecycles());
}

#[test]
fn ways_of_messages_that_are_cut_are_told_and_what_stays_as_it_was_is_not() {
    each_is_told_as_it_is(of_queues_and_topics());
    each_is_told_as_it_is(of_rules_and_hub());
}

#[test]
fn the_program_taken_down_is_told_and_a_deployment_as_ever_is_not() {
    each_is_told_as_it_is(of_itself());
}

#[test]
fn every_api_of_the_list_is_seen_to_fire_and_to_stay_quiet() {
    let all = [
        of_logs(),
        of_buckets(),
        of_lifecycles(),
        of_queues_and_topics(),
        of_rules_and_hub(),
        of_itself(),
    ]
    .concat();
    let of = |fires: bool| -> BTreeSet<&str> {
        all.iter().filter(|(.., told)| told.is_some() == fires).map(|(api, ..)| *api).collect()
    };
    // What stands in the answer, or has no parameters, has tests of its own.
    let apart = ["ecs:StopTask"];
    let listed: BTreeSet<&str> = APIS.iter().copied().filter(|api| !apart.contains(api)).collect();
    assert_eq!(of(true), listed);
    let without: BTreeSet<_> = listed.difference(&of(false)).copied().collect();
    assert_eq!(without, BTreeSet::from(["securityhub:DisableSecurityHub"]));
}

#[test]
fn security_hub_of_another_region_is_not_its_own() {
    let call = does("securityhub:DisableSecurityHub", Value::Null).region("eu-west-1");
    assert_eq!(told(call), None);
}

#[test]
fn a_stopped_task_is_known_by_its_service_or_its_definition() {
    let of = |group: &str, definition: &str| {
        let definition =
            format!("arn:aws:ecs:eu-central-1:111122223333:task-definition/{definition}:7");
        let task = json!({"taskArn": "arn:aws:ecs:eu-central-1:111122223333:task/watch/0a1b", "group": group,
            "taskDefinitionArn": definition});
        let request = json!({"cluster": "watch", "task": "0a1b", "reason": "restart"});
        told(does("ecs:StopTask", request).response(json!({"task": task})))
    };
    let found = of("service:sentrail", "any").unwrap();
    assert_eq!(found.severity, Severity::Medium);
    says(
        &found,
        &["ecs:StopTask on the service that runs it", "see whether nobody reads the logs"],
    );
    assert!(of("family:sentrail", "sentrail").is_some());
    assert_eq!(of("service:shop", "sentrail"), None);
    assert_eq!(of("family:shop", "shop"), None);
}

#[test]
fn the_summary_says_what_which_part_and_what_goes_blind() {
    let finding = logs().call(0, "10:00", stop()).call(0, "10:01", purge()).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Critical, 2));
    let said = format!(
        "touched what sentrail lives on: cloudtrail:StopLogging on its trail {}, sqs:PurgeQueue on its queue \
         {}: now records of calls come no more",
        OWN[0], OWN[5]
    );
    assert!(finding.summary.ends_with(&said), "{}", finding.summary);
    assert_eq!(finding.targets, [OWN[0], OWN[5]]);
}

#[test]
fn one_deed_is_one_finding() {
    let mut all = logs().call(0, "10:00", stop()).all();
    all.retain(|finding| finding.severity > Severity::Low);
    let ids: Vec<_> = all.iter().map(|finding| finding.about.id.as_str()).collect();
    assert_eq!(ids, [ID]);
}

#[test]
fn what_failed_is_told_lower() {
    let found = told(stop().error("AccessDenied")).unwrap();
    assert_eq!(found.severity, Severity::Medium);
    says(
        &found,
        &["cloudtrail:StopLogging in vain", "had it not failed, records of calls come no more"],
    );
    assert_eq!(told(purge().error("AccessDenied")).unwrap().severity, Severity::Low);
}

#[test]
fn a_deployment_wakes_nobody_unless_it_takes_the_watch_away() {
    let mut person = iam_user("eve");
    person["invokedBy"] = json!("cloudformation.amazonaws.com");
    let by_stack =
        |api: &str, request: Value| told(by(person.clone()).api(api).request(request)).unwrap();
    let service =
        json!({"cluster": "watch", "service": "sentrail", "taskDefinition": "sentrail:8"});
    let found = by_stack("ecs:UpdateService", service);
    assert_eq!(found.severity, Severity::Low);
    says(&found, &["by a deployment"]);
    let none = json!({"cluster": "watch", "service": "sentrail", "desiredCount": 0});
    assert_eq!(by_stack("ecs:UpdateService", none).severity, Severity::High);
    assert_eq!(by_stack("sqs:PurgeQueue", json!({"queueUrl": QUEUE})).severity, Severity::Medium);
}

#[test]
fn no_habit_makes_it_quieter() {
    let mut logs = logs();
    for (day, hour) in (-20..1).flat_map(|day| (8..16).map(move |hour| (day, hour))) {
        logs = logs.call(day, &format!("{hour}:00"), stop());
    }
    assert_eq!(logs.today(ID).unwrap().severity, Severity::Critical);
}

#[test]
fn its_own_role_may_delete_old_snapshots_and_nobody_else() {
    let key = of_bucket("state", json!({"key": "sentrail/2025/a"}));
    let deletes = |identity: Value| told(by(identity).api("s3:DeleteObject").request(key.clone()));
    assert_eq!(deletes(role_session("sentrail-task", "0a1b")), None);
    let other = deletes(instance_role("web", "i-0a1b2c3d4e5f60718")).unwrap();
    says(&other, &["s3:DeleteObject on what it keeps arn:aws:s3:::state/sentrail/2025/a"]);
    // Without its role nobody knows who deletes.
    let nameless = Own::of(["arn:aws:s3:::state/sentrail/*".to_owned()]);
    let logs = Logs::with(|options| options.own = Arc::new(nameless));
    logs.call(0, "10:00", does("s3:DeleteObject", key)).stays_quiet(ID);
}

#[test]
fn of_more_deeds_than_are_kept_the_worst_is_taken_for_granted() {
    let own = Own::of(["arn:aws:sqs:eu-central-1:111122223333:q*".to_owned()]);
    let logs = |n| {
        let logs = Logs::with(|options| options.own = Arc::new(own.clone()));
        logs.calls(0, "10:00", n, |n| {
            let queue = format!("https://sqs.eu-central-1.amazonaws.com/111122223333/q{n}");
            does("sqs:PurgeQueue", json!({"queueUrl": queue}))
        })
    };
    assert_eq!(logs(64).finding(ID).severity, Severity::High);
    let found = logs(65).finding(ID);
    assert_eq!(found.severity, Severity::Critical);
    says(&found, &["and 61 more"]);
    assert_eq!(found.targets.len(), 20);
}

#[test]
fn a_bucket_that_may_only_be_listed_is_not_said_to_be_silent() {
    let own = Own::of(["arn:aws:s3:::logs".to_owned()]);
    let logs = Logs::with(|options| options.own = Arc::new(own));
    let emptied = does("s3:PutBucketNotification", notifies(&json!({"xmlns": "x"})));
    assert_eq!(logs.call(0, "10:00", emptied).finding(ID).severity, Severity::Medium);
}

#[test]
fn a_mark_that_calls_one_benign_does_not_make_the_next_quieter() {
    let logs = (-10..1).fold(logs(), |logs, day| logs.call(day, "10:00", stop()));
    let found = logs.clone().findings(ID);
    let benign = |finding: &Finding| {
        let Finding { id, entity, day, news, .. } = finding.clone();
        Marked { id, entity, day, news, mark: Mark { nature: Nature::Benign, day } }
    };
    let marked: Vec<_> = found.iter().map(benign).collect();
    let again = logs.with_options(|options| {
        options.lessons = Arc::new(Lessons::of(&marked, &options.hash_key));
    });
    let severities: Vec<_> = again.findings(ID).iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Critical; 11]);
}

#[test]
fn where_nothing_is_named_it_says_nothing() {
    Logs::new().call(0, "10:00", stop()).stays_quiet(ID);
    let other = does("cloudtrail:StopLogging", json!({"name": "main"})).region("eu-west-1");
    assert_eq!(told(other), None);
    assert_eq!(told(does("cloudtrail:StopLogging", Value::Null)), None);
    assert_eq!(told(does("cloudtrail:DescribeTrails", json!({"name": "main"}))), None);
}
