use crate::{
    Rules, Severity,
    rules::{List, Lists, Names},
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;
use std::sync::Arc;

const ID: &str = "unusual-resolver";
const ENI: &str = "eni-0123456789abcdef0";

fn asked(day: i32, (peer, port): (&str, u16)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, "10:00"));
    Call { protocol: if port == 53 { 17 } else { 6 }, is_answered: true, ..one }
}

fn habit(days: i32) -> Logs {
    (-2 - days..-2).fold(Logs::new(), |logs, day| logs.flow(asked(day, ("198.51.100.53", 53))))
}

#[test]
fn a_resolver_that_was_never_asked_is_told() {
    let finding = habit(7).flow(asked(0, ("203.0.113.53", 53))).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["asked 203.0.113.53 for names by DNS, 1 times", "dns 198.51.100.53"]);
    let flow = finding.flow.unwrap();
    assert_eq!((flow.peers, flow.ports), (vec!["203.0.113.53".to_owned()], vec![53]));
    let tls = habit(7).flow(asked(0, ("2001:db8::53", 853))).finding(ID);
    says(&tls, &["asked 2001:db8::53 for names by DNS over TLS"]);
}

#[test]
fn names_that_are_asked_by_https_are_told_where_the_resolver_is_known() {
    for peer in ["1.1.1.1", "2620:fe::fe"] {
        let finding = habit(7).flow(asked(0, (peer, 443))).finding(ID);
        says(&finding, &[&format!("asked {peer} for names by DNS over HTTPS, 1 times")]);
        assert_eq!(finding.flow.unwrap().ports, [443]);
    }
    habit(7).flow(asked(0, ("198.51.100.7", 443))).stays_quiet(ID);
    habit(7).flow(asked(-4, ("1.1.1.1", 443))).flow(asked(0, ("1.1.1.1", 443))).stays_quiet(ID);
    let vain = Call { is_answered: false, ..asked(0, ("1.1.1.1", 443)) };
    habit(7).flow(vain).stays_quiet(ID);
}

#[test]
fn the_users_list_names_resolvers_that_are_asked_by_https() {
    let list = List::parse("doh-resolvers", "198.51.100.7\n", false).unwrap();
    let names = Names { lists: Lists::new(vec![list]), ..Names::default() };
    let (rules, errors) = Rules::of(&[], names);
    assert!(errors.is_empty());
    let logs = habit(7).with_options(|options| options.rules = Arc::new(rules));
    let finding = logs.flow(asked(0, ("198.51.100.7", 443))).finding(ID);
    says(&finding, &["asked 198.51.100.7 for names by DNS over HTTPS"]);
}

#[test]
fn the_usual_resolver_and_one_inside_stay_quiet() {
    habit(7).flow(asked(0, ("198.51.100.53", 53))).stays_quiet(ID);
    habit(7).flow(asked(0, ("10.0.0.2", 53))).stays_quiet(ID);
    let unanswered = Call { is_answered: false, ..asked(0, ("203.0.113.53", 53)) };
    habit(7).flow(unanswered).stays_quiet(ID);
}

#[test]
fn a_young_interface_stays_quiet() {
    habit(6).flow(asked(0, ("203.0.113.53", 53))).stays_quiet(ID);
}
