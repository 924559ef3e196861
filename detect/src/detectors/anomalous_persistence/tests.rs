use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-persistence";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["iam:CreateUser", "iam:CreateLoginProfile"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("iam:CreateUser").stays_quiet(ID);
}

#[test]
fn rests_on_the_calls_of_its_tactic_and_on_the_first_from_elsewhere() {
    let finding = testkit::look_and("iam:CreateUser").finding(ID);
    let apis: Vec<_> = finding.records.iter().map(|record| &*record.call.api).collect();
    let n_first_there = apis.iter().filter(|api| **api == "ec2:DescribeRegions").count();
    assert_eq!(n_first_there, 1, "{apis:?}");
    let is_either = |api: &&str| ["ec2:DescribeRegions", "iam:CreateUser"].contains(api);
    assert!(apis.iter().all(is_either), "{apis:?}");
    says(
        &finding,
        &["made 4 calls in 60 minutes to make a way to come back", "where 40 are unusual"],
    );
}

#[test]
fn a_threshold_of_nothing_tells_nothing_without_reasons() {
    let logs = testkit::look_and("iam:CreateUser");
    let told = logs.with_settings(|settings| settings.anomalous_persistence.threshold_times = 0.0);
    assert!(told.findings(ID).iter().all(|finding| !finding.parts.is_empty()));
}

#[test]
fn counts_the_place_of_other_calls_of_the_hour() {
    let finding = testkit::look_and_hide("iam:CreateUser").finding(ID);
    says(&finding, &["api new: iam:CreateUser", "network new: AS60729"]);
    let apis: Vec<_> = finding.records.iter().map(|record| &*record.call.api).collect();
    assert!(apis.contains(&"ec2:DescribeRegions") && apis.contains(&"iam:CreateUser"), "{apis:?}");
}
