use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "inbound-probes";
const ENI: &str = "eni-0123456789abcdef0";

fn probed(peer: &str, n: u16) -> Logs {
    (1..=n).fold(Logs::new(), |logs, port| {
        let one = flow(ENI, (peer.parse().unwrap(), 6_000 + port), at(0, "10:00"));
        let n_ports_of_peer = u32::from(n);
        logs.flow(Call { is_inbound: true, is_admitted: false, n_ports_of_peer, ..one })
    })
}

#[test]
fn a_peer_outside_that_looks_for_ports_is_low() {
    for peer in ["198.51.100.7", "2001:db8::7"] {
        let finding = probed(peer, 20).finding(ID);
        assert_eq!((finding.severity, finding.count), (Severity::Low, 20));
        says(&finding, &["probed at 20 ports", &format!("by {peer};")]);
        assert_eq!(finding.flow.unwrap().peers, [peer]);
    }
    probed("198.51.100.7", 19).stays_quiet(ID);
}

#[test]
fn a_peer_inside_is_medium() {
    assert_eq!(probed("10.0.0.9", 20).finding(ID).severity, Severity::Medium);
}

#[test]
fn strangers_do_not_hide_a_peer_inside() {
    let strangers = (0..300_u16).fold(probed("10.0.0.9", 20), |logs, n| {
        let [high, low] = n.to_be_bytes();
        let one = flow(ENI, ([198, 51, high, low].into(), 6_000 + n), at(0, "10:00"));
        logs.flow(Call { is_inbound: true, is_admitted: false, n_ports_of_peer: 9, ..one })
    });
    let finding = strangers.finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["by 10.0.0.9;"]);
}

#[test]
fn the_same_port_again_is_one() {
    let again = (0..60).fold(Logs::new(), |logs, n| {
        let one = flow(ENI, ([10, 0, 0, 9].into(), 6_000 + n % 3), at(0, "10:00"));
        logs.flow(Call { is_inbound: true, is_admitted: false, n_ports_of_peer: 3, ..one })
    });
    again.stays_quiet(ID);
}

#[test]
fn strangers_who_try_a_port_or_two_are_nobody() {
    let one = |n: u8| flow(ENI, ([198, 51, 100, n].into(), 23), at(0, "10:00"));
    let strangers = (0..200).fold(Logs::new(), |logs, n| {
        logs.flow(Call { is_inbound: true, n_ports_of_peer: 2, ..one(n) })
    });
    strangers.stays_quiet(ID);
}
