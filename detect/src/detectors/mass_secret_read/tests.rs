use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call, call};
use serde_json::json;

const ID: &str = "mass-secret-read";

fn read(n: u32) -> Call {
    call("eve").api("secretsmanager:GetSecretValue").request(json!({"secretId": format!("s{n}")}))
}

fn batch(request: serde_json::Value) -> Call {
    call("eve").api("secretsmanager:BatchGetSecretValue").request(request)
}

fn parameters(names: &[String], is_decrypted: bool) -> Call {
    let request = json!({"names": names, "withDecryption": is_decrypted});
    call("eve").api("ssm:GetParameters").request(request)
}

#[test]
fn fires_at_the_floor_and_counts_distinct_secrets() {
    let finding = Logs::new().calls(0, "10:00", 20, read).finding(ID);
    assert_eq!((finding.severity, finding.count, finding.records.len()), (Severity::High, 20, 20));
    says(&finding, &["asked for 20 different secrets", "not known yet"]);
    assert_eq!(finding.targets.len(), crate::Verdict::TARGETS_MAX);
    Logs::new().calls(0, "10:00", 19, read).stays_quiet(ID);
    Logs::new().calls(0, "10:00", 200, |i| read(i % 19)).stays_quiet(ID);
}

#[test]
fn denied_reads_count_too() {
    let finding = Logs::new().calls(0, "10:00", 20, |i| read(i).error("AccessDenied")).finding(ID);
    assert_eq!(finding.count, 20);
}

#[test]
fn every_way_to_read_counts() {
    let name = |i: u32| format!("p{i}");
    for way in [
        &(|i| parameters(&[name(i)], true)) as &dyn Fn(u32) -> Call,
        &|i| {
            call("eve")
                .api("ssm:GetParameter")
                .request(json!({"name": name(i), "withDecryption": true}))
        },
        &|i| call("eve").api("ec2:GetPasswordData").request(json!({"instanceId": name(i)})),
        &|i| batch(json!({"secretIdList": [name(i)]})),
    ] {
        let finding = Logs::new().calls(0, "10:00", 20, way).finding(ID);
        says(&finding, &["asked for 20 different secrets"]);
    }
    let names: Vec<_> = (0..10).map(name).collect();
    let logs = Logs::new().call(0, "10:00", parameters(&names, true));
    let names: Vec<_> = (10..20).map(name).collect();
    logs.call(0, "10:30", parameters(&names, true)).finding(ID);
}

#[test]
fn parameters_that_stay_encrypted_do_not_count() {
    Logs::new().calls(0, "10:00", 40, |i| parameters(&[i.to_string()], false)).stays_quiet(ID);
}

#[test]
fn a_call_that_names_none_counts_as_its_page() {
    let finding = Logs::new().call(0, "10:00", batch(json!({"filters": []}))).finding(ID);
    says(&finding, &["paged through up to 20 secrets"]);
    Logs::new().call(0, "10:00", batch(json!({"maxResults": 19}))).stays_quiet(ID);
    let path = json!({"path": "/", "withDecryption": true});
    let by_path = || call("eve").api("ssm:GetParametersByPath").request(path.clone());
    Logs::new().call(0, "10:00", by_path()).stays_quiet(ID);
    Logs::new().calls(0, "10:00", 2, |_| by_path()).finding(ID);
}

#[test]
fn pages_that_are_usual_do_not_hide_secrets_that_are_not() {
    let mut logs = Logs::new();
    for day in -12..1 {
        for hour in 8..16 {
            logs = logs.calls(day, &format!("{hour}:10"), 3, |_| batch(json!({"filters": []})));
        }
    }
    let finding = logs.calls(0, "10:20", 40, read).today(ID).unwrap();
    says(&finding, &["asked for 40 different secrets"]);
}

#[test]
fn what_is_read_every_hour_is_usual() {
    let mut logs = Logs::new();
    for day in -12..1 {
        for hour in 8..16 {
            logs = logs.calls(day, &format!("{hour}:10"), 25, read);
        }
    }
    assert!(logs.today(ID).is_none());
}

#[test]
fn a_worker_who_never_reads_secrets_is_judged_by_bits() {
    let logs = Logs::new().habit(10, 8, || call("eve"));
    let finding = logs.calls(0, "10:00", 20, read).finding(ID);
    assert_eq!(finding.severity, Severity::High);
    assert!(finding.bits().as_f64() >= 8.0, "{}", finding.bits());
}

#[test]
fn a_service_that_reads_for_somebody_is_another() {
    let mut via = testkit::iam_user("eve");
    via["invokedBy"] = json!("athena.amazonaws.com");
    let logs = Logs::new().calls(0, "10:00", 10, |i| read(i).identity(via.clone()));
    logs.calls(0, "10:10", 10, |i| read(i + 10)).stays_quiet(ID);
}

#[test]
fn settings_move_the_floor() {
    let with = |n| Logs::with(|options| options.detectors.mass_secret_read.secrets_min = n);
    with(5).calls(0, "10:00", 5, read).finding(ID);
    with(21).calls(0, "10:00", 20, read).stays_quiet(ID);
}

#[test]
fn a_short_history_is_no_worse_than_none() {
    for (days, hours) in [(1, 1), (1, 8), (2, 4), (2, 8), (3, 6), (4, 8), (10, 2)] {
        let logs = Logs::new().habit(days, hours, || call("eve"));
        logs.calls(0, "10:00", 20, read).finding(ID);
    }
}

#[test]
fn an_estimate_says_that_it_is_one() {
    says(
        &Logs::new().calls(0, "10:00", 1, |_| read(0)).calls(0, "10:01", 300, read).finding(ID),
        &["about "],
    );
}

#[test]
fn records_are_counted_not_what_they_name() {
    let ids: Vec<_> = (0..20).map(|n| format!("s{n}")).collect();
    let named = batch(json!({"secretIdList": ids}));
    assert_eq!(Logs::new().call(0, "10:00", named).finding(ID).count, 1);
    let pages = Logs::new().calls(0, "10:00", 3, |_| batch(json!({"filters": []})));
    let finding = pages.finding(ID);
    assert_eq!((finding.count, finding.records.len()), (3, 3));
    says(&finding, &["up to 60 secrets"]);
}

#[test]
fn calls_that_ask_for_many_are_the_evidence() {
    let names: Vec<_> = (0..10).map(|i| format!("p{i}")).collect();
    let logs = Logs::new().calls(0, "10:00", 20, read).call(0, "10:30", parameters(&names, true));
    let finding = logs.finding(ID);
    assert_eq!((finding.count, finding.records.len()), (21, 1));
    let five = parameters(&names[..5], true);
    let finding = Logs::new().calls(0, "10:00", 20, read).call(0, "10:30", five).finding(ID);
    assert_eq!((finding.count, finding.records.len()), (21, 1));
    let two = parameters(&names[..2], true);
    let finding = Logs::new().calls(0, "10:00", 20, read).call(0, "10:30", two).finding(ID);
    assert_eq!((finding.count, finding.records.len()), (21, 21));
}

#[test]
fn a_page_of_certain_secrets_counts_less_than_one_of_all() {
    let filtered = |values| batch(json!({"filters": [{"key": "name", "values": [values]}]}));
    Logs::new().calls(0, "10:00", 3, |_| filtered("shop/")).stays_quiet(ID);
    Logs::new().calls(0, "10:00", 4, |_| filtered("shop/")).finding(ID);
    Logs::new().call(0, "10:00", filtered("!nothing-is-called-so")).finding(ID);
}
