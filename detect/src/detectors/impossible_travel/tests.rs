use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call, call};
use serde_json::json;

const ID: &str = "impossible-travel";
/// An access network in the United Kingdom.
const LONDON: &str = "81.2.69.142";
/// An access network in Japan.
const TOKYO: &str = "126.0.0.1";
/// An address of EC2 in the United States.
const CLOUD: &str = "18.236.0.1";

fn from(address: &str) -> Call {
    call("alice").from_ip(address)
}

#[test]
fn fires_for_two_places_at_once() {
    let logs = Logs::new().call(0, "10:00", from(LONDON));
    let finding = logs.call(0, "10:30", from(TOKYO)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Low, 2));
    says(&finding, &[LONDON, TOKYO, "km apart", "within 30 minutes", "country only"]);
    assert_eq!(finding.records.len(), 2);
}

#[test]
fn counts_both_places_of_one_slot() {
    let logs = Logs::new().calls(0, "10:00", 3, |_| from(LONDON));
    let finding = logs.calls(0, "10:01", 4, |_| from(TOKYO)).finding(ID);
    assert_eq!(finding.count, 7);
}

#[test]
fn is_quiet_where_there_was_time_to_travel() {
    let logs = Logs::new().call(0, "1:00", from(LONDON));
    logs.call(0, "16:00", from(TOKYO)).stays_quiet(ID);
}

#[test]
fn looks_back_over_midnight() {
    let logs = Logs::new().call(-1, "23:50", from(LONDON));
    let finding = logs.call(0, "0:20", from(TOKYO)).finding(ID);
    assert_eq!(finding.day, crate::testkit::TODAY);
}

#[test]
fn a_cloud_is_no_place_unless_the_key_is_used_in_turns() {
    let logs = Logs::new().call(0, "10:00", from(LONDON));
    logs.call(0, "10:30", from(CLOUD)).stays_quiet(ID);
    let logs = Logs::new().call(0, "10:00", from(LONDON));
    let logs = logs.call(0, "10:01", from(CLOUD));
    let finding = logs.call(0, "10:02", from(LONDON)).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["one credential used in turns"]);
}

#[test]
fn a_busy_day_does_not_hide_the_hour() {
    let mut logs = Logs::new();
    for slot in 0..288 {
        logs = logs.call(0, &format!("{}:{}", slot / 12, slot % 12 * 5 + 1), from(LONDON));
    }
    let logs = logs.call(0, "23:47", from(CLOUD));
    logs.call(0, "23:48", from(LONDON)).finding(ID);
}

#[test]
fn networks_that_are_both_usual_are_quiet() {
    // Never on one day, until today.
    let mut logs = Logs::new();
    for day in -20..-2 {
        logs = logs.call(day, "12:00", from([LONDON, TOKYO][usize::from(day % 4 == 0)]));
    }
    let logs = logs.call(0, "10:00", from(LONDON));
    assert!(logs.call(0, "10:30", from(TOKYO)).today(ID).is_none());
}

#[test]
fn an_egress_that_others_share_is_quiet() {
    let mut logs = Logs::new();
    for user in ["bob", "carol"] {
        logs = logs.daily(5, "9:00", |_| call(user).from_ip(TOKYO));
    }
    let logs = logs.daily(5, "9:00", |_| from(LONDON)).call(0, "10:00", from(LONDON));
    assert!(logs.call(0, "10:30", from(TOKYO)).today(ID).is_none());
}

#[test]
fn machines_do_not_travel() {
    let web =
        |address: &str| testkit::by(testkit::instance_role("web", "i-01234567")).from_ip(address);
    let logs = Logs::new().call(0, "10:00", web(LONDON));
    logs.call(0, "10:30", web(TOKYO)).stays_quiet(ID);
}

#[test]
fn people_behind_one_role_do_not_travel_for_each_other() {
    let person =
        |name: &str, address: &str| testkit::by(testkit::sso_user("Admin", name)).from_ip(address);
    let logs = Logs::new().call(0, "10:00", person("a@example.com", LONDON));
    logs.call(0, "10:30", person("b@example.com", TOKYO)).stays_quiet(ID);
}

#[test]
fn who_fails_to_sign_in_is_not_there() {
    let fails = |address: &str| {
        let call = from(address).api("signin:ConsoleLogin").error("Failed authentication");
        call.without("errorCode").response(json!({"ConsoleLogin": "Failure"}))
    };
    let logs = Logs::new().call(0, "10:00", from(LONDON));
    logs.call(0, "10:30", fails(TOKYO)).stays_quiet(ID);
    let hidden = json!({"type": "IAMUser", "accountId": testkit::ACCOUNT, "accessKeyId": "",
        "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    let logs = Logs::new().call(0, "10:00", fails(LONDON).identity(hidden.clone()));
    logs.call(0, "10:30", fails(TOKYO).identity(hidden)).stays_quiet(ID);
}

#[test]
fn settings_move_distance_and_speed() {
    let with = |distance_min_km, speed_min_kmh| {
        let logs = Logs::with(|options| {
            options.detectors.impossible_travel =
                super::Settings { distance_min_km, speed_min_kmh };
        });
        logs.call(0, "10:00", from(LONDON)).call(0, "10:30", from(TOKYO))
    };
    with(500.0, 900.0).finding(ID);
    with(15_000.0, 900.0).stays_quiet(ID);
    with(500.0, 50_000.0).stays_quiet(ID);
}

#[test]
fn full_bounds_are_compared() {
    let mut logs = Logs::new();
    for slot in 0..5 * 12 {
        let clock = format!("{}:{}", slot / 12, slot % 12 * 5);
        let address = |i: u32| format!("{}.2.69.{}", [81, 126][i as usize % 2], i % 32);
        logs = logs.calls(0, &clock, 32, |i| from(&address(i)));
    }
    let finding = logs.finding(ID);
    assert_eq!(finding.n_hours, 5);
    says(&finding, &["in turns"]);
}
