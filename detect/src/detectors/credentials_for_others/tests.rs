use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call, call};
use serde_json::{Value, json};

const ID: &str = "credentials-for-others";

fn key_for(user: &str) -> Call {
    call("eve").api("iam:CreateAccessKey").request(json!({"userName": user}))
}

#[test]
fn fires_for_somebody_else() {
    let id = testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", key_for("bob").id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    assert_eq!(finding.targets, ["iam:CreateAccessKey for bob"]);
    says(&finding, &["made credentials for others: iam:CreateAccessKey for bob"]);
    let login = key_for("bob").api("iam:UpdateLoginProfile");
    says(&Logs::new().call(0, "10:00", login).finding(ID), &["iam:UpdateLoginProfile for bob"]);
}

#[test]
fn is_quiet_for_oneself_and_where_it_failed() {
    Logs::new().call(0, "10:00", key_for("eve")).stays_quiet(ID);
    let unnamed = key_for("eve").request(Value::Null);
    Logs::new().call(0, "10:00", unnamed).stays_quiet(ID);
    Logs::new().call(0, "10:00", key_for("bob").error("AccessDenied")).stays_quiet(ID);
}

#[test]
fn machines_jobs_and_root_make_it_high() {
    for identity in [
        testkit::instance_role("web", "i-0123456789abcdef0"),
        testkit::role_session("deploy", "GitHubActions"),
        testkit::role_session("deploy", "x"),
        testkit::root(),
    ] {
        let finding = Logs::new().call(0, "10:00", key_for("bob").identity(identity)).finding(ID);
        assert_eq!(finding.severity, Severity::High);
    }
    let person = testkit::sso_user("Admin", "alice@example.com");
    let finding = Logs::new().call(0, "10:00", key_for("bob").identity(person)).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
}

#[test]
fn a_role_of_the_same_name_is_somebody_else() {
    let role = testkit::role_session("bob", "x");
    Logs::new().call(0, "10:00", key_for("bob").identity(role)).finding(ID);
}

#[test]
fn an_account_manager_is_told_low() {
    let mut logs = Logs::new();
    for day in -20..1 {
        for hour in 8..16 {
            logs = logs.call(day, &format!("{hour}:00"), key_for(&format!("u{day}-{hour}")));
        }
    }
    assert_eq!(logs.today(ID).unwrap().severity, Severity::Low);
    let new = Logs::new().habit(10, 8, || call("eve")).call(0, "10:00", key_for("bob"));
    assert_eq!(new.finding(ID).severity, Severity::Medium);
}

#[test]
fn settings_say_what_is_usual() {
    let logs = Logs::with(|options| options.detectors.credentials_for_others.bits_min = 50.0);
    let logs = logs.habit(10, 8, || call("eve"));
    assert_eq!(logs.call(0, "10:00", key_for("bob")).finding(ID).severity, Severity::Low);
}

/// A key of `bob`, made or deleted by eve.
fn key(api: &str, id: &str) -> Call {
    let call = key_for("bob").api(api);
    match api {
        "iam:CreateAccessKey" => call.response(json!({"accessKey": {"accessKeyId": id}})),
        _ => call.request(json!({"userName": "bob", "accessKeyId": id})),
    }
}

#[test]
fn a_key_deleted_again_within_the_hour_is_low() {
    let made = || Logs::new().call(0, "10:00", key("iam:CreateAccessKey", "AKIA1"));
    let finding = made().call(0, "10:10", key("iam:DeleteAccessKey", "AKIA1")).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Low, 1));
    says(&finding, &["and deleted them within the hour"]);
    // A rotation deletes another key; a password has no id that would tell.
    let rotated = made().call(0, "10:10", key("iam:DeleteAccessKey", "AKIA0"));
    assert_eq!(rotated.finding(ID).severity, Severity::Medium);
    let later = made().call(0, "11:10", key("iam:DeleteAccessKey", "AKIA1"));
    assert_eq!(later.finding(ID).severity, Severity::Medium);
    let password = key_for("bob").api("iam:CreateLoginProfile");
    let both = made().call(0, "10:05", password);
    let both = both.call(0, "10:10", key("iam:DeleteAccessKey", "AKIA1"));
    assert_eq!(both.finding(ID).severity, Severity::Medium);
}
