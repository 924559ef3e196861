use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::{Call, address};

const ID: &str = "encryption-fallback";
const ENI: &str = "eni-0123456789abcdef0";

fn called(day: i32, peer: &str, is_clear: Option<bool>) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 5_432), at(day, "10:00"));
    let own = if peer.contains(':') { "2001:db8::5" } else { "10.0.0.5" };
    let own = address(own.parse().unwrap());
    Call { own, is_answered: true, bytes: (900, 9_000), is_clear, ..one }
}

fn habit(peer: &str, is_clear: Option<bool>) -> Logs {
    (-5..-2).fold(Logs::new(), |logs, day| logs.flow(called(day, peer, is_clear)))
}

#[test]
fn a_service_that_falls_back_to_clear_text_is_told() {
    for peer in ["10.0.0.9", "2001:db8:0:9::7"] {
        let finding = habit(peer, Some(false)).flow(called(0, peer, Some(true))).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &[&format!("called port 5432 of {peer} in clear text, which")]);
        let flow = finding.flow.unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![5_432]));
    }
}

#[test]
fn what_was_clear_before_or_is_not_known_stays_quiet() {
    let peer = "10.0.0.9";
    habit(peer, Some(true)).flow(called(0, peer, Some(true))).stays_quiet(ID);
    habit(peer, Some(false)).flow(called(0, peer, Some(false))).stays_quiet(ID);
    habit(peer, Some(false)).flow(called(0, "10.0.0.8", Some(true))).stays_quiet(ID);
    habit(peer, None).flow(called(0, peer, Some(true))).stays_quiet(ID);
    let young = habit(peer, Some(false)).flow(called(0, peer, Some(true)));
    let settings = |settings: &mut crate::Settings| settings.encryption_fallback.days_min = 4;
    young.with_settings(settings).stays_quiet(ID);
    let both = habit(peer, Some(false)).flow(called(-4, peer, Some(true)));
    assert!(both.flow(called(0, peer, Some(true))).today(ID).is_none());
    let vain = Call { is_answered: false, ..called(0, peer, Some(true)) };
    habit(peer, Some(false)).flow(vain).stays_quiet(ID);
}
