use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-initial-access";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["ssm:StartSession", "ssm:SendCommand"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("ssm:StartSession").stays_quiet(ID);
}

#[test]
fn tells_of_a_strange_context_by_itself_and_no_other_tactic_does() {
    let mut told = testkit::old_deed_from_elsewhere().all();
    told.retain(|finding| finding.about.id.starts_with("anomalous-"));
    let by: Vec<_> = told.iter().map(|finding| &*finding.about.id).collect();
    assert_eq!(by, [ID], "{told:#?}");
    says(&told[0], &["made 1 call from where or with what it usually makes none", "network new"]);
    assert_eq!(told[0].severity, Severity::Medium);
}
