use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, ACCOUNT, Call, call};
use serde_json::json;

const ID: &str = "console-sign-in-without-mfa";

fn sign_in(user: &str, mfa: &str) -> Call {
    let call = call(user).api("signin:ConsoleLogin").event_type("AwsConsoleSignIn");
    call.additional(json!({"MFAUsed": mfa})).response(json!({"ConsoleLogin": "Success"}))
}

#[test]
fn fires_cold_as_the_benchmark_would() {
    let id = testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", sign_in("alice", "No").id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    says(&finding, &["without MFA from 198.51.100.7", "CIS benchmark"]);
}

#[test]
fn is_high_for_one_who_always_used_it() {
    let logs = Logs::new().daily(5, "9:00", |_| sign_in("alice", "Yes"));
    let finding = logs.call(0, "10:00", sign_in("alice", "No")).finding(ID);
    assert_eq!(finding.severity, Severity::High);
    says(&finding, &["this user signed in with MFA before"]);
}

#[test]
fn is_medium_where_others_use_it() {
    let logs = Logs::new().daily(5, "9:00", |_| sign_in("bob", "Yes"));
    let finding = logs.call(0, "10:00", sign_in("alice", "No")).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["others sign in with MFA"]);
}

#[test]
fn is_low_for_one_who_was_told_of_and_never_used_it() {
    let logs = Logs::new().daily(5, "9:00", |_| sign_in("bob", "Yes"));
    let logs = logs.call(-4, "10:00", sign_in("alice", "No"));
    let finding = logs.call(0, "10:00", sign_in("alice", "No")).today(ID).unwrap();
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["so did this user before"]);
}

#[test]
fn is_quiet_where_it_is_usual_or_nobody_uses_it() {
    let logs = Logs::new().daily(12, "9:00", |_| sign_in("alice", "No"));
    assert!(logs.call(0, "10:00", sign_in("alice", "No")).today(ID).is_none());
    let logs = Logs::new().habit(5, 3, || call("bob"));
    logs.call(0, "10:00", sign_in("alice", "No")).stays_quiet(ID);
}

#[test]
fn is_quiet_for_the_federated_for_failures_and_with_mfa() {
    let sso = testkit::sso_user("Admin", "alice@example.com");
    Logs::new().call(0, "10:00", sign_in("x", "No").identity(sso)).stays_quiet(ID);
    let arn = format!("arn:aws:iam::{ACCOUNT}:saml-provider/Office");
    let data = json!({"MFAUsed": "No", "SamlProviderArn": arn});
    Logs::new().call(0, "10:00", sign_in("alice", "No").additional(data)).stays_quiet(ID);
    let saml = json!({"type": "SAMLUser", "principalId": "office:alice", "userName": "alice"});
    Logs::new().call(0, "10:00", sign_in("x", "No").identity(saml)).stays_quiet(ID);
    let failed = sign_in("alice", "No").response(json!({"ConsoleLogin": "Failure"}));
    Logs::new().call(0, "10:00", failed.error("Failed authentication")).stays_quiet(ID);
    Logs::new().call(0, "10:00", sign_in("alice", "Yes")).stays_quiet(ID);
    Logs::new().call(0, "10:00", sign_in("x", "No").identity(testkit::root())).stays_quiet(ID);
}

#[test]
fn only_sign_ins_without_mfa_are_evidence() {
    let logs = Logs::new().call(0, "10:00", sign_in("alice", "Yes").from_ip("203.0.113.1"));
    let logs = logs.call(0, "10:10", sign_in("alice", "No").from_ip("203.0.113.2"));
    let finding = logs.call(0, "10:20", sign_in("alice", "No")).finding(ID);
    assert_eq!((finding.count, finding.records.len()), (2, 2));
    says(&finding, &["2 times without MFA from 203.0.113.2"]);
}

#[test]
fn settings_silence_it_while_cold() {
    let with = Logs::with(|options| {
        options.detectors.console_sign_in_without_mfa.report_cold = false;
    });
    with.call(0, "10:00", sign_in("alice", "No")).stays_quiet(ID);
}
