use super::*;
use ingest::Raw;

const ACCOUNT: &str = "111122223333";

fn principal(identity: &str) -> Principal {
    Principal::of(&Identity::of(Raw(identity)), ACCOUNT)
}

/// A session of a role, with members of its `sessionContext` and of the identity itself.
fn session(role: &str, path: &str, name: &str, context: &str, more: &str) -> String {
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLEROLE000001:{name}",
        "arn":"arn:aws:sts::111122223333:assumed-role/{role}/{name}","accountId":"111122223333",
        "accessKeyId":"ASIAEXAMPLE000000001","sessionContext":{{"sessionIssuer":{{"type":"Role",
        "principalId":"AROAEXAMPLEROLE000001","arn":"arn:aws:iam::111122223333:role{path}{role}",
        "accountId":"111122223333","userName":"{role}"}}{context}}}{more}}}"#
    )
}

fn plain(role: &str, name: &str) -> String {
    session(role, "/", name, "", "")
}

/// What is expected: kind, key, and whether the credentials belong to a machine inside AWS.
type Expected<'a> = (Kind, &'a str, bool);

#[track_caller]
fn check(identity: &str, (kind, key, on_compute): Expected<'_>) {
    let Principal { entity, on_compute: is_on_compute, .. } = principal(identity);
    let got = (&*entity.account, entity.kind, &*entity.key, is_on_compute);
    assert_eq!(got, (ACCOUNT, kind, key, on_compute), "{identity}");
}

#[test]
fn users_have_their_arn() {
    for identity in [
        // A key, a session of GetSessionToken, the console.
        r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/alice",
        "accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"alice"}"#,
        r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/alice",
        "accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","userName":"alice","sessionContext":
        {"sessionIssuer":{},"webIdFederationData":{},"attributes":{"mfaAuthenticated":"true"}}}"#,
        r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/alice",
        "accountId":"111122223333","accessKeyId":"","userName":"alice"}"#,
        // A sign-in that failed names the user, but not the ARN.
        r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","accountId":"111122223333",
        "accessKeyId":"","userName":"alice"}"#,
        r#"{"type":"IAMUser","accountId":"111122223333","accessKeyId":"","userName":"alice"}"#,
    ] {
        check(identity, (Kind::Human, "arn:aws:iam::111122223333:user/alice", false));
    }
    let hidden = r#"{"type":"IAMUser","accountId":"111122223333","accessKeyId":"",
        "userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#;
    check(hidden, (Kind::Human, "HIDDEN_DUE_TO_SECURITY_REASONS", false));
}

#[test]
fn root_is_one_however_it_comes() {
    let arn = "arn:aws:iam::111122223333:root";
    for context in ["{}", r#"{"attributes":{},"assumedRoot":"true"}"#, r#"{"assumedRoot":true}"#] {
        let identity = format!(
            r#"{{"type":"Root","principalId":"111122223333","arn":"{arn}",
            "accountId":"111122223333","accessKeyId":"","sessionContext":{context}}}"#
        );
        check(&identity, (Kind::Root, arn, false));
    }
    let by_service = format!(
        r#"{{"type":"Root","principalId":"111122223333","arn":"{arn}","accountId":"111122223333",
        "invokedBy":"support.amazonaws.com"}}"#
    );
    let key = "arn:aws:iam::111122223333:root#via:support.amazonaws.com";
    check(&by_service, (Kind::Service, key, false));
}

#[test]
fn people_behind_a_shared_role_are_kept_apart() {
    let sso = "AWSReservedSSO_Admin_0123456789abcdef";
    let path = "/aws-reserved/sso.amazonaws.com/eu-central-1/";
    let role = format!("arn:aws:iam::111122223333:role{path}{sso}");
    for person in ["alice@example.com", "bob@example.com", "carol"] {
        let key = format!("{role}#{person}");
        check(&session(sso, path, person, "", ""), (Kind::Human, &key, false));
        let console = session(sso, path, person, "", r#","sessionCredentialFromConsole":"true""#);
        check(&console, (Kind::Human, &key, false));
    }
    let key = "arn:aws:iam::111122223333:role/Auditor#dave@example.com";
    check(&plain("Auditor", "dave@example.com"), (Kind::Human, key, false));
}

#[test]
fn sessions_of_programs_share_the_key_of_their_role() {
    let role = "arn:aws:iam::111122223333:role/deploy";
    let program = format!("{role}#program");
    for name in ["botocore-session-1700000000", "1700000000123456789", "s", "aws-sdk-java-17"] {
        check(&plain("deploy", name), (Kind::Workload, &program, false));
    }
    let instance = format!("{role}#instance");
    for name in ["i-0123456789abcdef0", "i-01234567"] {
        check(&plain("deploy", name), (Kind::Workload, &instance, true));
    }
    let delivered = session("deploy", "/", "aws:ec2-instance", r#","ec2RoleDelivery":"2.0""#, "");
    check(&delivered, (Kind::Workload, &instance, true));
    let outside = session("deploy", "/", "i-0123456789abcdef0", "", r#","ec2RoleDelivery":"1.0""#);
    check(&outside, (Kind::Workload, &instance, true));
    check(&plain("deploy", "i-am-a-person"), (Kind::Workload, &program, false));
    let task = format!("{role}#task");
    let id = "0123456789abcdef0123456789abcdef";
    check(&plain("deploy", id), (Kind::Workload, &task, true));
    let pod = format!("{role}#pod");
    let name = "eks-prod-web-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    check(&plain("deploy", name), (Kind::Workload, &pod, true));
}

#[test]
fn tokens_of_providers_tell_pods_from_jobs() {
    let federated = |provider: &str| {
        format!(
            r#","webIdFederationData":{{"federatedProvider":
            "arn:aws:iam::111122223333:oidc-provider/{provider}","attributes":{{}}}}"#
        )
    };
    for (provider, name, kind, class) in [
        ("oidc.eks.eu-central-1.amazonaws.com/id/0A1B", "1700000000", Kind::Workload, "pod"),
        ("token.actions.githubusercontent.com", "GitHubActions", Kind::Ci, "ci"),
        ("token.actions.githubusercontent.com", "release-42", Kind::Ci, "ci"),
        ("gitlab.com", "job-7", Kind::Ci, "ci"),
        ("accounts.google.com", "x", Kind::Workload, "program"),
    ] {
        let identity = session("r", "/", name, &federated(provider), "");
        let key = format!("arn:aws:iam::111122223333:role/r#{class}");
        check(&identity, (kind, &key, class == "pod"));
    }
}

#[test]
fn functions_and_tasks_are_known_by_what_their_credentials_were_issued_to() {
    for (issued_to, key) in [
        (
            "arn:aws:lambda:eu-central-1:111122223333:function:report",
            "arn:aws:lambda:eu-central-1:111122223333:function:report",
        ),
        (
            "arn:aws:ecs:eu-central-1:111122223333:task-definition/web:7",
            "arn:aws:ecs:eu-central-1:111122223333:task-definition/web",
        ),
        (
            "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0",
            "arn:aws:iam::111122223333:role/shared#program",
        ),
    ] {
        let scope = format!(
            r#","inScopeOf":{{"sourceArn":"{issued_to}","sourceAccount":"111122223333",
            "issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"{issued_to}"}}"#
        );
        let identity = session("shared", "/", "report", "", &scope);
        check(&identity, (Kind::Workload, key, true));
    }
}

#[test]
fn a_session_without_its_issuer_is_that_of_the_role() {
    let identity = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:job-1",
        "arn":"arn:aws:sts::111122223333:assumed-role/deploy/job-1","accountId":"111122223333"}"#;
    check(identity, (Kind::Workload, "arn:aws:iam::111122223333:role/deploy#program", false));
    let no_arn = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:job-1",
        "accountId":"111122223333"}"#;
    check(no_arn, (Kind::Workload, "AROAEXAMPLE#program", false));
    let role = r#"{"type":"Role","principalId":"AROAEXAMPLE","accountId":"111122223333",
        "arn":"arn:aws:iam::111122223333:role/deploy"}"#;
    check(role, (Kind::Workload, "arn:aws:iam::111122223333:role/deploy#program", false));
}

#[test]
fn federated_users_are_those_of_the_user_who_made_them() {
    let federated = |name: &str| {
        format!(
            r#"{{"type":"FederatedUser","principalId":"111122223333:{name}",
            "arn":"arn:aws:sts::111122223333:federated-user/{name}","accountId":"111122223333",
            "accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"IAMUser",
            "principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/broker",
            "accountId":"111122223333","userName":"broker"}}}}}}"#
        )
    };
    let broker = "arn:aws:iam::111122223333:user/broker";
    // Whoever asks for the token chooses the name: a new name is not a new person.
    for name in ["x1", "x2"] {
        check(&federated(name), (Kind::Human, &format!("{broker}#federated"), false));
    }
    let key = format!("{broker}#alice@example.com");
    check(&federated("alice@example.com"), (Kind::Human, &key, false));
}

#[test]
fn people_of_directories_are_known_by_them() {
    let identity_center = r#"{"type":"IdentityCenterUser","accountId":"111122223333",
        "onBehalfOf":{"userId":"0a1b2c3d-4e5f","identityStoreArn":
        "arn:aws:identitystore::111122223333:identitystore/d-0123456789"},
        "credentialId":"SAMPLE-CREDENTIAL"}"#;
    check(identity_center, (Kind::Human, "0a1b2c3d-4e5f", false));
    let propagated = session(
        "analytics",
        "/",
        "app-1",
        "",
        r#","onBehalfOf":{"userId":"0a1b2c3d-4e5f","identityStoreArn":"arn"}"#,
    );
    check(&propagated, (Kind::Human, "0a1b2c3d-4e5f", false));
    let directory = r#"{"type":"Directory","principalId":"S-1-5-21-1","accountId":"111122223333",
        "userName":"alice"}"#;
    check(directory, (Kind::Human, "S-1-5-21-1", false));
    let saml = r#"{"type":"SAMLUser","principalId":"aGFzaA==:alice@example.com",
        "userName":"alice@example.com","identityProvider":"aGFzaA=="}"#;
    check(saml, (Kind::Human, "aGFzaA==:alice@example.com", false));
}

#[test]
fn subjects_of_web_identities_keep_no_branch() {
    for (provider, user, kind, key) in [
        (
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
            "repo:example/shop:ref:refs/heads/feature-1",
            Kind::Ci,
            "repo:example/shop",
        ),
        (
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0A",
            "system:serviceaccount:default:web",
            Kind::Workload,
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0A:\
             sts.amazonaws.com:system:serviceaccount:default:web",
        ),
    ] {
        let identity = format!(
            r#"{{"type":"WebIdentityUser","principalId":"{provider}:sts.amazonaws.com:{user}",
            "userName":"{user}","identityProvider":"{provider}"}}"#
        );
        check(&identity, (kind, key, false));
    }
}

#[test]
fn principals_of_other_accounts_are_external() {
    let arn = r#"{"type":"AssumedRole","principalId":"AROAOTHER:run-1","accountId":"444455556666",
        "arn":"arn:aws:sts::444455556666:assumed-role/reader/run-1"}"#;
    check(arn, (Kind::External, "arn:aws:iam::444455556666:role/reader#program", false));
    for session in ["run-1", "run-2"] {
        let bare = format!(
            r#"{{"type":"AWSAccount","principalId":"AROAOTHER:{session}",
            "accountId":"444455556666"}}"#
        );
        check(&bare, (Kind::External, "AROAOTHER", false));
    }
    let user = r#"{"type":"AWSAccount","principalId":"AIDAOTHER","accountId":"444455556666"}"#;
    check(user, (Kind::External, "AIDAOTHER", false));
    let anonymous = r#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#;
    check(anonymous, (Kind::External, "ANONYMOUS_PRINCIPAL", false));
}

#[test]
fn services_are_told_from_those_they_act_for() {
    let service = r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#;
    check(service, (Kind::Service, "ec2.amazonaws.com", false));
    let event = r#"{"accountId":"111122223333","invokedBy":"AWS Internal"}"#;
    check(event, (Kind::Service, "AWS Internal", false));
    for (name, class) in [("x", "program"), ("i-0123456789abcdef0", "instance")] {
        let via = session("deploy", "/", name, "", r#","invokedBy":"athena.amazonaws.com""#);
        let key = format!("arn:aws:iam::111122223333:role/deploy#{class}#via:athena.amazonaws.com");
        check(&via, (Kind::Service, &key, false));
    }
}

#[test]
fn a_source_identity_names_the_person_behind_any_role() {
    let context = r#","sourceIdentity":"alice@example.com""#;
    for role in ["deploy", "audit"] {
        check(&session(role, "/", "x", context, ""), (Kind::Human, "alice@example.com", false));
    }
    let program = r#","sourceIdentity":"nightly""#;
    check(&session("deploy", "/", "x", program, ""), (Kind::Workload, "nightly", false));
}

#[test]
fn agents_are_known_by_the_names_of_their_roles() {
    let role = "AmazonBedrockExecutionRoleForAgents_ABC";
    let path = "/service-role/";
    let key = format!("arn:aws:iam::111122223333:role{path}{role}#program");
    check(&session(role, path, "x", "", ""), (Kind::Agent, &key, false));
}

#[test]
fn nobody_is_the_account() {
    for identity in ["{}", "null", r#"{"type":"Unknown"}"#, "[]", r#"{"accountId":"111122223333"}"#]
    {
        check(identity, (Kind::Service, ACCOUNT, false));
    }
    let named = r#"{"type":"Unknown","userName":"x","accountId":"111122223333"}"#;
    check(named, (Kind::Human, "x", false));
}

#[test]
fn the_actor_keeps_what_the_key_leaves_out() {
    let principal = principal(&plain("deploy", "job-1"));
    assert_eq!(&*principal.actor, "arn:aws:sts::111122223333:assumed-role/deploy/job-1");
    assert_eq!(principal.access_key.as_deref(), Some("ASIAEXAMPLE000000001"));
}

#[test]
fn ids_differ_by_account_kind_and_key() {
    let entity = |account: &str, kind, key: &str| {
        Entity { account: account.into(), kind, key: key.into() }.id()
    };
    let ids = std::collections::BTreeSet::from([
        entity("1", Kind::Human, "x"),
        entity("2", Kind::Human, "x"),
        entity("1", Kind::Root, "x"),
        entity("1", Kind::Human, "y"),
        entity("1x", Kind::Human, ""),
    ]);
    assert_eq!(ids.len(), 5);
}

#[test]
fn empty_fields_name_nobody() {
    let identity = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice",
        "accountId":"111122223333","userName":"alice","invokedBy":"","onBehalfOf":{"userId":""},
        "sessionContext":{"sourceIdentity":"","ec2RoleDelivery":"","sessionIssuer":{"arn":""}}}"#;
    check(identity, (Kind::Human, "arn:aws:iam::111122223333:user/alice", false));
    let principal = principal(r#"{"type":"IAMUser","arn":"","userName":"bob","accountId":""}"#);
    assert_eq!((&*principal.actor, principal.entity.kind), ("bob", Kind::Human));
}

#[test]
fn what_each_flow_log_says_of_an_interface_lies_beside_the_others() {
    let of = |key: &str| Entity { account: "1".into(), kind: Kind::Interface, key: key.into() };
    let (one, other) = (of("eni-1"), of("eni-2"));
    let ids = [one.id(), one.id_in(None), one.id_in(Some("fl-a")), one.id_in(Some("fl-b"))];
    let [id, alone, first, second] = ids;
    assert_eq!(id, alone);
    assert!(id != first && id != second && first != second);
    for id in ids {
        assert!(one.has_id(id) && !other.has_id(id));
        assert!(ids_beside(first).contains(&id) && !ids_beside(other.id()).contains(&id));
        assert_eq!(id % 64, one.id() % 64);
    }
}
