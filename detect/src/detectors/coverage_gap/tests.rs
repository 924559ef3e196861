use crate::{
    Severity,
    testkit::{Logs, at, says},
};
use ingest::flowlog::Gap;

const ID: &str = "coverage-gap";
const ENI: &str = "eni-0123456789abcdef0";

/// `n` lines that say SKIPDATA, each of `seconds`.
fn skipped(n: i64, seconds: i64) -> Logs {
    (0..n).fold(Logs::new(), |logs, line| {
        let end_s = at(0, "10:00") / 1_000 + line * 600;
        logs.gap(Gap { interface: ENI.into(), start_s: end_s - seconds, end_s })
    })
}

#[test]
fn a_hundredth_of_the_day_is_told_with_its_share() {
    let finding = skipped(3, 288).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Low, 3));
    says(&finding, &["SKIPDATA covers 1.0 % of the day, by 3 lines"]);
    assert_eq!(finding.flow.unwrap().interface, ENI);
    says(&skipped(60, 600).finding(ID), &["SKIPDATA covers 41.7 % of the day, by 60 lines"]);
}

#[test]
fn less_stays_quiet() {
    skipped(3, 287).stays_quiet(ID);
}
