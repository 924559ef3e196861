use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call};
use serde_json::json;

const ID: &str = "root-use";

fn root(api: &str) -> Call {
    testkit::by(testkit::root()).api(api)
}

#[test]
fn fires_at_the_first_call() {
    let id = testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", root("s3:CreateBucket").id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    says(&finding, &["made 1 call as the root user (s3:CreateBucket with MFA)"]);
}

#[test]
fn grave_calls_make_it_high() {
    for api in [
        "iam:CreateAccessKey",
        "iam:DeactivateMFADevice",
        "organizations:LeaveOrganization",
        "signin:PasswordRecoveryCompleted",
        "account:AcceptPrimaryEmailUpdate",
    ] {
        let finding = Logs::new().call(0, "10:00", root(api)).finding(ID);
        assert_eq!(finding.severity, Severity::High, "{api}");
    }
    for (mfa, severity) in [("No", Severity::High), ("Yes", Severity::Low)] {
        let login = root("signin:ConsoleLogin").additional(json!({"MFAUsed": mfa}));
        let login = login.response(json!({"ConsoleLogin": "Success"}));
        assert_eq!(Logs::new().call(0, "10:00", login).finding(ID).severity, severity);
    }
}

#[test]
fn a_grave_call_is_not_hidden_by_harmless_ones() {
    let logs = Logs::new().calls(0, "10:10", 10, |_| root("s3:ListBuckets"));
    let logs = logs.call(0, "11:05", root("s3:ListBuckets"));
    let finding = logs.call(0, "11:55", root("iam:CreateAccessKey")).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 12));
    says(&finding, &["iam:CreateAccessKey"]);
}

#[test]
fn a_service_that_acts_for_root_is_not_root() {
    let mut via = testkit::root();
    via["invokedBy"] = json!("support.amazonaws.com");
    Logs::new().call(0, "10:00", root("s3:ListBuckets").identity(via)).stays_quiet(ID);
    Logs::new().call(0, "10:00", testkit::call("alice")).stays_quiet(ID);
}

#[test]
fn an_account_that_lives_by_root_is_told_low() {
    let mut logs = Logs::new();
    for day in -20..1 {
        for hour in 8..16 {
            logs = logs.call(day, &format!("{hour}:00"), root("s3:ListBuckets"));
        }
    }
    let usual = logs.clone().today(ID).unwrap();
    assert_eq!(usual.severity, Severity::Low);
    let grave = logs.call(0, "17:00", root("iam:CreateAccessKey")).today(ID).unwrap();
    assert_eq!(grave.severity, Severity::High);
}

#[test]
fn denied_calls_of_root_count() {
    let finding = Logs::new().call(0, "10:00", root("s3:ListBuckets").error("AccessDenied"));
    assert_eq!(finding.finding(ID).count, 1);
}

#[test]
fn switches_are_respected() {
    let silent = Logs::with(|options| options.detectors.disable.extend([ID.to_owned()]));
    silent.call(0, "10:00", root("s3:CreateBucket")).stays_quiet(ID);
    let loud = Logs::with(|options| {
        options.detectors.severity.insert(ID.to_owned(), Severity::Critical);
    });
    let finding = loud.call(0, "10:00", root("s3:CreateBucket")).finding(ID);
    assert_eq!(finding.severity, Severity::Critical);
    let strict = Logs::with(|options| options.detectors.root_use.bits_min = 0.0);
    let strict = strict.habit(20, 8, || root("s3:CreateBucket"));
    let finding = strict.call(0, "10:00", root("s3:CreateBucket")).today(ID).unwrap();
    assert_eq!(finding.severity, Severity::Medium);
}

#[test]
fn a_failed_sign_in_is_no_use_of_root() {
    let login = |answer: &str| {
        let login = root("signin:ConsoleLogin").additional(json!({"MFAUsed": "No"}));
        login.response(json!({"ConsoleLogin": answer}))
    };
    let tried = Logs::new().calls(0, "10:00", 5, |_| login("Failure"));
    let finding = tried.clone().finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Low, 5));
    says(&finding, &["signin:ConsoleLogin (failed)"]);
    let finding = tried.call(0, "10:10", login("Success")).finding(ID);
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn the_glass_is_broken_with_a_second_factor_and_nothing_else_is_done() {
    let session = |mfa: &str| {
        let mut identity = testkit::root();
        identity["sessionContext"] = json!({"attributes": {"mfaAuthenticated": mfa}});
        identity
    };
    let by = |mfa: &str, api: &str| root(api).identity(session(mfa));
    let glass = |mfa: &str| {
        let logs = Logs::new().call(0, "10:00", by(mfa, "s3:GetBucketPolicy"));
        logs.call(0, "10:01", by(mfa, "s3:DeleteBucketPolicy"))
    };
    let finding = glass("true").finding(ID);
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["s3:DeleteBucketPolicy with MFA"]);
    assert_eq!(glass("false").finding(ID).severity, Severity::Medium);
    for (api, severity) in
        [("s3:PutBucketPolicy", Severity::Medium), ("iam:CreateAccessKey", Severity::High)]
    {
        let finding = glass("true").call(0, "10:02", by("true", api)).finding(ID);
        assert_eq!(finding.severity, severity, "{api}");
    }
}
