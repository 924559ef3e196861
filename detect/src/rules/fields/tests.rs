use crate::rules::{
    sigma::{Edge, Logs, Operand, Test},
    testkit::{LINE, equals, exists, field_ref, holds, is, item, keywords, name, not},
};
use ingest::testkit::call;
use serde_json::json;

use super::Field;

fn error(field: &str, logs: Logs) -> String {
    Field::of(&name(field), logs).map(|field| panic!("{field:?}")).unwrap_err()
}

#[test]
fn members_and_what_is_below_them_are_found() {
    let raw = call("alice")
        .api("iam:CreateUser")
        .request(json!({ "userName": "bob", "tags": [{ "key": "a" }, { "key": "b" }] }))
        .set("tlsDetails", json!({ "tlsVersion": "TLSv1.2" }))
        .set("vpcEndpointAccountId", json!("123456789012"))
        .raw();
    for (field, value) in [
        ("eventSource", "iam.amazonaws.com"),
        ("eventName", "CreateUser"),
        ("eventVersion", "1.*"),
        ("eventTime", "2025-03-14T*"),
        ("userIdentity.userName", "alice"),
        ("requestParameters.userName", "bob"),
        ("requestParameters.tags.key", "b"),
        ("tlsDetails.tlsVersion", "TLSv1.2"),
        ("vpcEndpointAccountId", "123456789012"),
        ("readOnly", "false"),
        ("managementEvent", "true"),
        ("EVENTNAME", "createuser"),
        ("requestParameters.username", "BOB"),
    ] {
        assert!(holds(is(field, &[value]), &raw), "{field}");
        assert!(!holds(is(field, &["nothing like it"]), &raw), "{field}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_told_with_one_that_does() {
    let said = error("eventNames", Logs::CloudTrail);
    assert_eq!(said, "CloudTrail records have no field `eventNames`; did you mean `eventName`?");
    let said = error("commandLine", Logs::CloudTrail);
    assert_eq!(said, "CloudTrail records have no field `commandLine`");
    let said = error("eventName.x", Logs::CloudTrail);
    assert!(said.contains("`eventName` holds no other fields"), "{said}");
    let said = error("sentrail.caller.kinds", Logs::CloudTrail);
    assert!(said.contains("did you mean `sentrail.caller.kind`?"), "{said}");
    let said = error("dst-ports", Logs::Flow);
    assert!(said.contains("did you mean `dstport`?"), "{said}");
    assert!(error("sentrail.denied", Logs::Flow).contains("CloudTrail only"));
    assert!(Field::of(&name("pkt-srcaddr"), Logs::Flow).is_ok());
    assert!(Field::of(&name("log_status"), Logs::Flow).is_ok());
}

#[test]
fn keys_of_an_identity_are_those_of_aws() {
    let said = error("userIdentity.usrName", Logs::CloudTrail);
    assert_eq!(said, "`userIdentity` has no field `usrName`; did you mean `userName`?");
    let said = error("useridentity.sessionContext.attributes.mfa", Logs::CloudTrail);
    assert_eq!(said, "`userIdentity.sessionContext.attributes` has no field `mfa`");
    for fine in [
        "userIdentity",
        "userIdentity.USERNAME",
        "userIdentity.sessionContext.sessionIssuer.arn",
        "userIdentity.sessionContext.webIdFederationData.attributes.x",
        "userIdentity.onBehalfOf.userId",
    ] {
        assert!(Field::of(&name(fine), Logs::CloudTrail).is_ok(), "{fine}");
    }
}

#[test]
fn texts_that_hold_json_are_stepped_into() {
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"}}]}"#;
    let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%7D%5D%7D";
    let effect = || is("requestParameters.policyDocument.Statement.Effect", &["Allow"]);
    for text in [policy.to_owned(), encoded.to_owned(), format!("\n {policy}")] {
        let raw = call("alice").request(json!({ "policyDocument": text })).raw();
        assert!(holds(effect(), &raw), "{text}");
    }
    let raw = call("alice").request(json!({ "policyDocument": "{\"Statement\":" })).raw();
    assert!(!holds(effect(), &raw));
    // Text within text, and no further than a few levels.
    let mut nested = json!({ "x": "y" }).to_string();
    for depth in 0..6 {
        let path = format!("requestParameters.a.{}x", "a.".repeat(depth));
        let raw = call("alice").request(json!({ "a": nested })).raw();
        assert_eq!(holds(is(&path, &["y"]), &raw), depth < 4, "{depth}");
        nested = json!({ "a": nested }).to_string();
    }
}

#[test]
fn keys_may_hold_dots() {
    let raw = call("alice").request(json!({ "a": { "b.c": 1, "d": 2 } })).raw();
    assert!(holds(is("requestParameters.a.b.c", &["1"]), &raw));
    assert!(!holds(exists("requestParameters.a.b"), &raw));
    assert!(!holds(exists("requestParameters.a.d.c"), &raw));
}

#[test]
fn an_object_is_compared_as_its_text_and_an_array_by_its_elements() {
    let raw = call("alice")
        .request(json!({ "versioning": { "Status": "Suspended" }, "acl": ["a", "b"] }))
        .raw();
    assert!(holds(is("requestParameters", &["*\"Status\":\"Suspended\"*"]), &raw));
    assert!(holds(is("requestParameters.acl", &["b"]), &raw));
    assert!(!holds(is("requestParameters.acl", &["*a*b*"]), &raw));
}

#[test]
fn null_is_what_is_absent() {
    let raw = call("alice").request(json!({ "a": null, "b": [], "c": "", "d": [null] })).raw();
    for (field, is_null) in [("a", true), ("b", true), ("c", false), ("d", true), ("e", true)] {
        let field = format!("requestParameters.{field}");
        assert_eq!(holds(equals(&field, Operand::Null), &raw), is_null, "{field}");
        assert_eq!(holds(exists(&field), &raw), !is_null, "{field}");
    }
    assert!(holds(is("requestParameters.c", &[""]), &raw));
    assert!(holds(equals("errorCode", Operand::Null), &raw));
    assert!(holds(not(is("errorCode", &["*"])), &raw));
}

#[test]
fn types_do_not_keep_values_apart() {
    let request = json!({ "a": "true", "b": true, "c": "5", "d": 5, "e": 5.5 });
    let raw = call("alice").request(request).raw();
    let of = |key: &str, value| holds(equals(&format!("requestParameters.{key}"), value), &raw);
    for key in ["a", "b"] {
        assert!(of(key, Operand::Bool(true)) && !of(key, Operand::Bool(false)), "{key}");
    }
    for key in ["c", "d"] {
        assert!(of(key, Operand::Number(5.0)) && !of(key, Operand::Number(50.0)), "{key}");
    }
    let above = item("requestParameters.e", Test::Greater, vec![Operand::Number(5.0)]);
    assert!(holds(above, &raw));
    assert!(holds(is("requestParameters.d", &["5"]), &raw));
}

#[test]
fn fields_are_compared_with_fields() {
    let same = |name: &str| call("alice").request(json!({ "userName": name })).raw();
    let own = || field_ref("requestParameters.userName", "userIdentity.userName");
    assert!(holds(own(), &same("ALICE")));
    assert!(!holds(own(), &same("bob")));
    let within = |edge| {
        let other = Operand::Field(name("userIdentity.userName"));
        item("userIdentity.arn", Test::FieldRef(edge), vec![other])
    };
    assert!(holds(within(Edge::End), &same("x")) && holds(within(Edge::Anywhere), &same("x")));
    assert!(!holds(within(Edge::Start), &same("x")));
}

#[test]
fn keywords_are_looked_for_in_the_whole_record() {
    let raw = call("alice").request(json!({ "q": "a \"quoted\" text" })).raw();
    assert!(holds(keywords(&["ALICE", "nobody"], false), &raw));
    assert!(!holds(keywords(&["alice", "nobody"], true), &raw));
    assert!(holds(keywords(&["alice", "s3*ListBuckets"], true), &raw));
    assert!(holds(keywords(&["a \"quoted\" text"], false), &raw));
}

#[test]
fn all_values_may_each_be_matched_by_another_element() {
    let raw = call("alice").request(json!({ "actions": ["s3:Get", "s3:Put"] })).raw();
    let all = |values: &[&str]| {
        let values = crate::rules::testkit::globs(values);
        let (field, test) =
            (Some(name("requestParameters.actions")), Test::Equals { cased: false });
        let item = crate::rules::sigma::Item { line: LINE, field, test, needs_all: true, values };
        holds(crate::rules::sigma::Condition::Item(item), &raw)
    };
    assert!(all(&["*get", "*put"]));
    assert!(!all(&["*get", "*delete"]));
}
