//! What others of the account do, and for whom that is a habit.

use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit as raw;
use serde_json::{Value, json};

#[test]
fn what_others_of_the_account_do_is_usual_up_to_medium() {
    const MEDIUM: &str = "ssm-sessions-by-person";
    let by = |name: &str| raw::by(raw::sso_user("Engineer", name));
    let visit = |mut logs: Logs, day: i32, clock: &str, name: &str| {
        for target in ["i-0a", "i-0b", "i-0c"] {
            let call = by(name).api("ssm:StartSession").request(json!({"target": target}));
            logs = logs.call(day, clock, call);
        }
        logs
    };
    let works = |logs: Logs| logs.habit(20, 2, || by("carol"));
    let of = |n_others: usize| {
        let mut logs = works(Logs::new());
        for day in -20..-2 {
            for name in ["alice", "bob"].iter().take(n_others) {
                logs = visit(logs, day, "9:00", name);
            }
        }
        visit(logs, 0, "10:00", "carol").today(MEDIUM).unwrap()
    };
    let shared = of(2);
    assert_eq!(shared.severity, Severity::Low);
    says(&shared, &["usual: done by others of its kind, not in its own"]);
    let newcomer = |identity: Value| {
        let mut logs = Logs::new();
        for day in -20..-2 {
            for name in ["alice", "bob"] {
                logs = visit(logs, day, "9:00", name);
            }
        }
        for target in ["i-0a", "i-0b", "i-0c"] {
            let call = raw::by(identity.clone()).api("ssm:StartSession");
            logs = logs.call(0, "10:00", call.request(json!({"target": target})));
        }
        logs.today(MEDIUM).unwrap().severity
    };
    assert_eq!(newcomer(raw::sso_user("Engineer", "dave")), Severity::Low);
    // Whoever begins such a session chooses its name.
    assert_eq!(newcomer(raw::role_session("support", "dave@example.com")), Severity::Medium);
    // One may be the intruder.
    assert_eq!(of(1).severity, Severity::Medium);
    let grave = |logs: Logs, day: i32, clock: &str, name: &str| {
        let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
        let request = json!({"userName": "dave", "policyArn": policy});
        logs.call(day, clock, by(name).api("iam:AttachUserPolicy").request(request))
    };
    let mut logs = works(Logs::new());
    for day in -20..-2 {
        logs = grave(grave(logs, day, "9:00", "alice"), day, "9:10", "bob");
    }
    let finding = grave(logs, 0, "10:00", "carol").findings("admin-policy-given-to-user");
    let carols = finding.iter().find(|finding| finding.entity.key.ends_with("carol")).unwrap();
    assert_eq!(carols.severity, Severity::High);
}

/// The severity of three sessions that an identity begins today, where two people begin such ones daily.
fn visits_of(identity: &Value, own_days: i32) -> Severity {
    let visit = |mut logs: Logs, day: i32, clock: &str, identity: &Value| {
        for target in ["i-0a", "i-0b", "i-0c"] {
            let call = raw::by(identity.clone()).api("ssm:StartSession");
            logs = logs.call(day, clock, call.request(json!({"target": target})));
        }
        logs
    };
    let mut logs = Logs::new().habit(own_days, 2, || raw::by(identity.clone()));
    for day in -20..-2 {
        for name in ["alice", "bob"] {
            logs = visit(logs, day, "9:00", &raw::sso_user("Engineer", name));
        }
    }
    visit(logs, 0, "10:00", identity).today("ssm-sessions-by-person").unwrap().severity
}

#[test]
fn a_session_whose_name_anybody_can_choose_needs_a_week_of_its_own() {
    let session = raw::role_session("support", "dave@example.com");
    assert_eq!(visits_of(&session, 1), Severity::Medium);
    assert_eq!(visits_of(&session, 10), Severity::Low);
    let mut nested = session;
    let role =
        "arn:aws:iam::111122223333:role/x/aws-reserved/sso.amazonaws.com/AWSReservedSSO_E_0a";
    nested["sessionContext"]["sessionIssuer"]["arn"] = json!(role);
    assert_eq!(visits_of(&nested, 0), Severity::Medium);
}

#[test]
fn what_is_low_since_others_do_it_is_not_learned_as_ones_own() {
    let visit = |mut logs: Logs, day: i32, name: &str| {
        for target in ["i-0a", "i-0b", "i-0c"] {
            let call = raw::by(raw::sso_user("Engineer", name)).api("ssm:StartSession");
            logs = logs.call(day, "9:00", call.request(json!({"target": target})));
        }
        logs
    };
    let mut logs = Logs::new();
    for day in -20..0 {
        for name in ["alice", "bob"] {
            logs = visit(logs, day, name);
        }
        if day >= -10 {
            logs = visit(logs, day, "carol");
        }
    }
    let findings = logs.findings("ssm-sessions-by-person");
    let carols = findings.iter().filter(|finding| finding.entity.key.ends_with("carol"));
    let carols: Vec<_> = carols.collect();
    assert!(carols.iter().all(|finding| finding.severity == Severity::Low));
    // Four eighths make it known, two days after the fourth.
    let of_others = carols.iter().filter(|finding| finding.summary.contains("by others"));
    assert_eq!((carols.len(), of_others.count()), (10, 5));
}
