use super::Access;
use crate::rules::testkit::ask;
use ingest::testkit::{ACCOUNT, call};
use proptest::prelude::*;
use serde_json::{Value, json};

const FOREIGN: &str = "999988887777";

fn given(request: Value) -> Access {
    ask(&call("eve").request(request).raw(), |record| {
        Access::given_by(record.event, record.account)
    })
}

fn granted(request: Value) -> Vec<String> {
    given(request).granted.into_iter().collect()
}

/// Whom a resource policy of one statement lets in.
fn by_statement(statement: &Value) -> Vec<String> {
    granted(json!({ "bucketPolicy": { "Statement": [statement] } }))
}

fn by_principal(principal: &Value) -> Vec<String> {
    by_statement(&json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:*" }))
}

/// Whom a policy for everybody lets in under a condition.
fn under(condition: &Value) -> Vec<String> {
    by_statement(&json!({ "Effect": "Allow", "Principal": "*", "Condition": condition }))
}

#[test]
fn principals_are_read_in_every_form() {
    let none: [String; 0] = [];
    assert_eq!(by_principal(&json!("*")), ["everybody"]);
    assert_eq!(by_principal(&json!({ "AWS": "*" })), ["everybody"]);
    assert_eq!(by_principal(&json!({ "AWS": [FOREIGN, "*"] })), [FOREIGN, "everybody"]);
    let arn = format!("arn:aws-cn:iam::{FOREIGN}:role/r");
    assert_eq!(by_principal(&json!({ "AWS": arn })), [FOREIGN]);
    assert_eq!(by_principal(&json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") })), none);
    assert_eq!(by_principal(&json!({ "AWS": "AIDAEXAMPLE" })), none);
    assert_eq!(by_principal(&json!({ "Service": "ec2.amazonaws.com" })), none);
    assert_eq!(by_principal(&json!({ "Federated": "accounts.google.com" })), none);
    assert_eq!(by_principal(&json!({ "CanonicalUser": "79a5" })), ["canonical-user:79a5"]);
}

#[test]
fn all_but_some_is_everybody_and_denials_give_nothing() {
    let but = json!({ "AWS": FOREIGN });
    assert_eq!(by_statement(&json!({ "Effect": "Allow", "NotPrincipal": but })), ["everybody"]);
    assert!(by_statement(&json!({ "Effect": "Deny", "NotPrincipal": but })).is_empty());
    assert!(by_statement(&json!({ "Effect": "Deny", "Principal": "*" })).is_empty());
    assert!(by_statement(&json!({ "Effect": "Allow", "Action": "*" })).is_empty());
}

#[test]
fn a_role_is_taken_with_credentials_only() {
    let policy = json!({ "Statement": { "Effect": "Allow", "Principal": { "AWS": "*" } } });
    let policy = policy.to_string();
    let create = json!({ "roleName": "r", "assumeRolePolicyDocument": policy });
    let update = json!({ "roleName": "r", "policyDocument": policy });
    assert_eq!(granted(create), ["any-aws-account"]);
    assert_eq!(granted(update), ["any-aws-account"]);
}

#[test]
fn conditions_that_name_somebody_leave_them() {
    for (condition, whom) in [
        (json!({ "StringEquals": { "aws:PrincipalOrgID": "o-abc" } }), vec!["organization:o-abc"]),
        (
            json!({ "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": "o-abc/r-1/*" } }),
            vec!["organization:o-abc"],
        ),
        (json!({ "StringEquals": { "AWS:SourceOwner": ACCOUNT } }), vec![]),
        (json!({ "StringEquals": { "kms:CallerAccount": FOREIGN } }), vec![FOREIGN]),
        (
            json!({ "StringLike": { "aws:PrincipalArn": [format!("arn:aws:iam::{FOREIGN}:role/*")] } }),
            vec![FOREIGN],
        ),
        (json!({ "ArnLike": { "aws:SourceArn": "arn:aws:s3:::bucket" } }), vec![]),
        (json!({ "IpAddress": { "aws:SourceIp": ["203.0.113.0/24"] } }), vec![]),
        (json!({ "StringEquals": { "aws:SourceVpce": "vpce-1" } }), vec![]),
        (json!({ "StringLike": { "aws:userid": "AROAX:*" } }), vec![]),
        (json!({ "Bool": { "aws:PrincipalIsAWSService": "true" } }), vec![]),
        (json!({ "StringEquals": { "aws:ResourceOrgID": "${aws:PrincipalOrgID}" } }), vec![]),
        (
            json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "AWS_IAM" } }),
            vec!["any-aws-account"],
        ),
    ] {
        assert_eq!(under(&condition), whom, "{condition}");
    }
}

#[test]
fn conditions_that_restrict_nobody_are_seen_through() {
    for condition in [
        json!({}),
        json!(null),
        json!({ "Bool": { "aws:SecureTransport": "true" } }),
        json!({ "StringLike": { "aws:PrincipalArn": "*" } }),
        json!({ "StringLike": { "aws:PrincipalOrgID": "o-*" } }),
        json!({ "StringEqualsIfExists": { "aws:PrincipalOrgID": "o-abc" } }),
        json!({ "StringNotEquals": { "aws:PrincipalAccount": FOREIGN } }),
        json!({ "ForAllValues:StringLike": { "aws:PrincipalOrgPaths": "o-abc/*" } }),
        json!({ "IpAddress": { "aws:SourceIp": "0.0.0.0/0" } }),
        json!({ "IpAddress": { "aws:SourceIp": ["203.0.113.0/24", "::/0"] } }),
        json!({ "IpAddress": { "aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"] } }),
        json!({ "ArnLike": { "aws:SourceArn": "arn:aws:*:*:*:*" } }),
        json!({ "StringLike": { "aws:SourceVpce": "vpce-*" } }),
        json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } }),
        json!({ "StringEquals": { "aws:PrincipalOrgID": [] } }),
    ] {
        assert_eq!(under(&condition), ["everybody"], "{condition}");
    }
}

#[test]
fn actions_and_administrators_are_told() {
    let of = |statement: Value| {
        let policy = json!({ "Statement": statement }).to_string();
        given(json!({ "userName": "u", "policyDocument": policy }))
    };
    let admin = of(json!({ "Effect": "Allow", "Action": ["iam:PassRole", "*"], "Resource": "*" }));
    assert!(admin.is_admin);
    assert_eq!(admin.actions.into_iter().collect::<Vec<_>>(), ["*", "iam:PassRole"]);
    assert!(of(json!([{ "Effect": "Allow", "Action": "*:*", "Resource": ["a", "*"] }])).is_admin);
    assert!(
        !of(json!({ "Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b" })).is_admin
    );
    assert!(!of(json!({ "Effect": "Deny", "Action": "*", "Resource": "*" })).is_admin);
    assert!(!of(json!({ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" })).is_admin);
    assert!(of(json!({ "Effect": "Allow", "NotAction": "a4b:x", "Resource": "*" })).is_admin);
    assert!(of(json!({ "Effect": "Allow", "Action": "?*", "Resource": "arn:*:*:*:*:*" })).is_admin);
    // What a policy of 6 KB can put in front hides nothing.
    let mut actions = vec!["s3:*"; 1_000];
    actions.push("*");
    assert!(of(json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })).is_admin);
    let attach = |arn: &str| given(json!({ "userName": "u", "policyArn": arn })).is_admin;
    assert!(attach("arn:aws:iam::aws:policy/AdministratorAccess"));
    assert!(attach("arn:aws-us-gov:iam::aws:policy/IAMFullAccess"));
    assert!(!attach("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    assert!(!attach(&format!("arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess")));
}

/// The providers of which a trust policy of these statements lets in everybody.
fn open(statements: impl Into<Value>) -> Vec<String> {
    let policy = json!({ "Statement": statements.into() }).to_string();
    let given = given(json!({ "roleName": "r", "assumeRolePolicyDocument": policy }));
    given.open_providers.into_iter().collect()
}

fn federated(condition: &Value) -> Value {
    let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com");
    json!({ "Effect": "Allow", "Principal": { "Federated": arn },
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition })
}

#[test]
fn a_provider_is_open_unless_every_statement_and_value_names_an_owner() {
    let like =
        |subjects: Value| federated(&json!({ "StringLike": { "GitLab.com:sub": subjects } }));
    let none: [&str; 0] = [];
    for subjects in [
        json!("repo:acme/shop:*"),
        json!(["repo:acme/*", "repo:acme/shop:ref:refs/heads/main"]),
        json!("organization:acme:project:*"),
        json!("acme/*"),
    ] {
        assert_eq!(open(like(subjects.clone())), none, "{subjects}");
    }
    for subjects in [
        json!("*"),
        json!("repo:*"),
        json!("repo:acme*"),
        json!("repo:*/shop:*"),
        json!("r?po:acme/shop"),
        json!(["repo:acme/shop:*", "repo:*"]),
        json!([]),
    ] {
        assert_eq!(open(like(subjects.clone())), ["gitlab.com"], "{subjects}");
    }
    let closed = like(json!("repo:acme/shop:*"));
    assert_eq!(open(json!([closed, federated(&json!({}))])), ["gitlab.com"]);
    let by_owner = |operator: &str, key: &str| federated(&json!({ operator: { key: "acme" } }));
    assert_eq!(open(by_owner("StringEquals", "gitlab.com:repository_owner")), none);
    assert_eq!(open(by_owner("ForAllValues:StringLikeIfExists", "gitlab.com:sub")), none);
    for (operator, key) in [
        ("StringEquals", "gitlab.com:aud"),
        ("StringEquals", "example.com:sub"),
        ("StringNotEquals", "gitlab.com:sub"),
    ] {
        assert_eq!(open(by_owner(operator, key)), ["gitlab.com"], "{operator} {key}");
    }
    let mut tags = federated(&json!({}));
    tags["Action"] = json!("sts:TagSession");
    assert_eq!(open(tags), none);
    let mut denied = federated(&json!({}));
    denied["Effect"] = json!("Deny");
    assert_eq!(open(denied), none);
}

#[test]
fn parameters_give_access() {
    let items = json!([{ "userId": FOREIGN }, { "group": "all" },
        { "organizationArn": "arn:aws:organizations::111122223333:organization/o-abc" }]);
    let image = json!({ "launchPermission": { "add": { "items": items } } });
    assert_eq!(granted(image), [FOREIGN, "everybody", "organization:o-abc"]);
    assert_eq!(granted(json!({ "valuesToAdd": ["all", FOREIGN] })), [FOREIGN, "everybody"]);
    let lambda = |key: &str, value: &str| granted(json!({ "principal": "*", key: value }));
    assert_eq!(lambda("x", "y"), ["everybody"]);
    assert_eq!(lambda("principalOrgID", "o-abc"), ["organization:o-abc"]);
    assert_eq!(lambda("sourceAccount", FOREIGN), [FOREIGN]);
    assert_eq!(lambda("functionUrlAuthType", "AWS_IAM"), ["any-aws-account"]);
    assert_eq!(lambda("functionUrlAuthType", "NONE"), ["everybody"]);
    let bus = json!({ "principal": "*", "condition": { "type": "StringEquals",
        "key": "aws:PrincipalOrgID", "value": "o-abc" } });
    assert_eq!(granted(bus), ["organization:o-abc"]);
    let grant = given(json!({ "granteePrincipal": FOREIGN, "operations": ["Decrypt"] }));
    assert!(grant.granted.contains(FOREIGN) && grant.actions.contains("Decrypt"));
}

#[test]
fn acls_give_access() {
    assert_eq!(granted(json!({ "x-amz-acl": ["public-read"] })), ["everybody"]);
    assert_eq!(granted(json!({ "x-amz-acl": "authenticated-read" })), ["any-aws-account"]);
    assert!(
        granted(json!({ "x-amz-acl": "private", "key": "/groups/global/AllUsers" })).is_empty()
    );
    let uri = "http://acs.amazonaws.com/groups/global/AllUsers";
    let header = json!({ "x-amz-grant-read": format!("uri=\"{uri}\", id=\"79a5\"") });
    assert_eq!(granted(header), ["canonical-user:79a5", "everybody"]);
    let grants = json!([{ "Grantee": { "xsi:type": "CanonicalUser", "ID": "own" } },
        { "Grantee": { "ID": "other" } }, { "Grantee": { "xsi:type": "Group", "URI": uri } }]);
    let acl = json!({ "AccessControlPolicy": { "Owner": { "ID": "own" },
        "AccessControlList": { "Grant": grants } } });
    assert_eq!(granted(acl), ["canonical-user:other", "everybody"]);
}

#[test]
fn what_is_looked_at_is_bounded() {
    let many = super::PARTS_MAX + 10;
    let principals: Vec<String> = (0..many).map(|n| format!("{n:012}")).collect();
    assert_eq!(by_principal(&json!({ "AWS": principals })).len(), super::PARTS_MAX);
    let statement =
        |n: usize| json!({ "Effect": "Allow", "Principal": { "AWS": format!("{n:012}") } });
    let mut deep = json!({ "Statement": [statement(1)] });
    for depth in 0..6 {
        let found = granted(json!({ "a": deep })).len();
        assert_eq!(found == 1, depth <= super::DEPTH_MAX, "{depth}");
        deep = json!({ "b": deep });
    }
    let policy = json!({ "Statement": (0..many).map(statement).collect::<Vec<_>>() });
    assert_eq!(granted(json!({ "policy": policy.to_string() })).len(), super::PARTS_MAX);
}

/// Values that look like policies here and there.
fn policy_like() -> impl Strategy<Value = Value> {
    let keys = vec![
        "Statement",
        "Effect",
        "Principal",
        "NotPrincipal",
        "AWS",
        "Action",
        "Resource",
        "Condition",
        "StringEquals",
        "aws:SourceIp",
        "AccessControlPolicy",
        "Grant",
        "x-amz-acl",
    ];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        proptest::sample::select(vec![
            "Allow",
            "*",
            "o-",
            "arn:",
            "a:b:c:d",
            "{",
            "%7B%",
            "999988887777"
        ])
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(6, 48, 4, move |inner| {
        let entry = (proptest::sample::select(keys.clone()), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            proptest::collection::vec(entry, 0..5).prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(entries.collect())
            }),
            inner.prop_map(|value| json!(value.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_answered(text in r#"[{}\[\]":,*A-Za-z%]{0,120}"#) {
        given(json!({ "policyDocument": text }));
    }

    #[test]
    fn any_value_is_answered(value in policy_like()) {
        let access = given(json!({ "policy": value }));
        prop_assert!(!access.granted.contains(ACCOUNT));
    }
}
