use crate::rules::{
    Decoys, List, Lists, Names,
    sigma::{Document, Operand},
    testkit::{detection, equals, exists, holds, is, matching, set},
};
use ingest::testkit::{self, ACCOUNT, Call, call, role_session, service};
use serde_json::json;

#[track_caller]
fn check(field: &str, value: &str, call: Call) {
    let raw = call.raw();
    assert!(holds(is(field, &[value]), &raw), "{field} is not {value}: {raw}");
}

#[track_caller]
fn absent(field: &str, call: Call) {
    assert!(!holds(exists(field), &call.raw()), "{field}");
}

#[test]
fn the_caller_is_told() {
    check("sentrail.caller.kind", "human", call("alice"));
    check("sentrail.caller.kind", "root", testkit::by(testkit::root()));
    check("sentrail.caller.kind", "external", call("alice").account("999988887777"));
    let by_service = |call: Call| {
        holds(equals("sentrail.caller.invoked-by-service", Operand::Bool(true)), &call.raw())
    };
    assert!(by_service(call("x").identity(service("config.amazonaws.com"))));
    let mut session = role_session("r", "s");
    session["invokedBy"] = json!("cloudformation.amazonaws.com");
    assert!(by_service(call("x").identity(session)));
    assert!(!by_service(call("alice")));
}

#[test]
fn the_kind_of_nobody_is_absent() {
    let kind = "sentrail.caller.kind";
    for nobody in [
        json!(null),
        json!({}),
        json!({"accountId": ACCOUNT}),
        json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": "", "arn": ""}),
    ] {
        absent(kind, testkit::by(nobody));
    }
    check(kind, "service", testkit::by(service("config.amazonaws.com")));
    let by_aws = json!({"accountId": ACCOUNT, "invokedBy": "AWS Internal"});
    check(kind, "service", testkit::by(by_aws));
    check(kind, "human", testkit::by(json!({"type": "IAMUser", "userName": "alice"})));
}

#[test]
fn the_outcome_is_told() {
    check("sentrail.outcome", "success", call("alice"));
    check("sentrail.outcome", "failure", call("alice").error("NoSuchBucket"));
    check("sentrail.denied", "false", call("alice").error("NoSuchBucket"));
    check("sentrail.denied", "true", call("alice").error("AccessDenied"));
}

#[test]
fn the_source_is_told() {
    check("sentrail.source.kind", "public", call("alice"));
    check("sentrail.source.kind", "private", call("alice").from_ip("10.0.0.1"));
    check("sentrail.source.kind", "service", call("alice").from_ip("s3.amazonaws.com"));
    check("sentrail.source.kind", "internal", call("alice").from_ip("AWS Internal"));
    check("sentrail.source.country", "US", call("alice").from_ip("8.8.8.8"));
    check("sentrail.source.network", "15169", call("alice").from_ip("8.8.8.8"));
    check("sentrail.source.network-class", "cloud", call("alice").from_ip("8.8.8.8"));
    for field in ["country", "network", "network-class"] {
        absent(&format!("sentrail.source.{field}"), call("alice").from_ip("10.0.0.1"));
    }
}

#[test]
fn access_is_told_by_policies_and_parameters() {
    let policy = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*",
        "Action": ["s3:GetObject"], "Resource": "*" }] });
    let public = || call("eve").request(json!({ "bucketPolicy": policy }));
    check("sentrail.granted", "everybody", public());
    check("sentrail.granted-actions", "s3:get*", public());
    check("sentrail.policy-admin", "false", public());
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    check("sentrail.policy-admin", "true", call("eve").request(json!({ "policyArn": arn })));
    absent("sentrail.granted", call("eve").request(json!({ "principal": ACCOUNT })));
}

#[test]
fn foreign_accounts_are_those_in_arns() {
    let request = |arn: &str| call("eve").request(json!({ "a": { "b": arn } }));
    let field = "sentrail.foreign-accounts";
    check(field, "999988887777", request("arn:aws:kms:eu-central-1:999988887777:key/k"));
    check(field, "999988887777", request("{\"AWS\":\"arn:aws-cn:iam::999988887777:root\"}"));
    let response = json!({ "role": { "arn": "arn:aws:iam::999988887777:role/r" } });
    check(field, "999988887777", call("eve").response(response));
    for arn in [
        &format!("arn:aws:iam::{ACCOUNT}:role/r"),
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:s3:::bucket",
        "999988887777",
        "arn:aws",
    ] {
        absent(field, request(arn));
    }
}

#[test]
fn lists_and_decoys_are_those_of_the_configuration() {
    let list = List::parse("tor", "198.51.100.0/24", false).unwrap();
    let decoys = Decoys::of(["honey".to_owned()]);
    let names = Names { lists: Lists::new(vec![list]), decoys, ..Names::default() };
    let rule = |file, field, value| Document::Detection(detection(file, is(field, &[value])));
    let documents =
        vec![rule("a.yml", "sentrail.lists", "tor"), rule("b.yml", "sentrail.decoys", "*")];
    let set = set(documents, names);
    let request = json!({ "bucketName": "honey" });
    assert_eq!(matching(&set, &call("eve").raw()), [0]);
    assert_eq!(matching(&set, &call("eve").from_ip("10.0.0.1").request(request).raw()), [1]);
    assert_eq!(matching(&set, &call("eve").from_ip("s3.amazonaws.com").raw()), [0_u32; 0]);
}
