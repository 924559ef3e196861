//! Random findings by every way out of the program: files, terminals, calls and messages.

use super::{
    Occasion, body,
    burst::{self, Named},
    event_bridge, ocsf, pagerduty, slack, sns, syslog, teams, template,
};
use crate::{
    Kept,
    formats::tests::{check, is_obeyed, random},
    name::readable,
};
use detect::Finding;
use proptest::prelude::*;

/// Whether every message about a finding is one that its receiver takes, and nothing else to him.
fn check_messages(Kept { finding, run, .. }: &Kept) {
    let inputs = &run.inputs;
    let told = (Occasion::NEW, finding, inputs);
    let envelope = body::envelope(Occasion::NEW, (finding, inputs), 0);
    let [slack, teams, page] = [slack::body(told), teams::body(told), pagerduty::body(told)];
    for body in [&envelope, &slack, &teams, &page] {
        assert!(!body.contains(is_obeyed) && !body.contains('\n'), "{body:?}");
    }
    slack::tests::check(&slack);
    teams::tests::check(&teams);
    pagerduty::tests::check(&page, finding);
    body::tests::check(&envelope, finding);
    sns::tests::check(&envelope, finding);
    event_bridge::tests::check(&envelope, finding);
    ocsf::tests::check(finding, inputs);
    syslog::tests::check_finding(finding, inputs);
    template::tests::check(told);
}

/// Whether one message in place of several is such, too.
fn check_burst(finding: &Finding) {
    let named = Named {
        severity: finding.severity,
        title: finding.about.title.clone(),
        who: readable(&finding.entity),
        day: finding.day.to_string(),
        id: finding.id.to_string(),
    };
    burst::tests::check(vec![named; burst::NAMED_MAX]);
}

proptest! {
    #![proptest_config(random::cases())]
    #[test]
    fn no_finding_breaks_out_of_any_form(kept in random::kept(), width in 0_usize..120) {
        check(&kept, width);
        check_messages(&kept);
        check_burst(&kept.finding);
    }
}
