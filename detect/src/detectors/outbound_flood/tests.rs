use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "outbound-flood";
const ENI: &str = "eni-0123456789abcdef0";

/// Packets of so many bytes to a port, in one object, and how many came back.
fn sent((peer, protocol, port): (&str, u8, u16), n: u64, bytes: u64, back: u64) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(0, "10:00"));
    Call { protocol, packets: (n, back), bytes: (n * bytes, back * 40), ..one }
}

#[test]
fn packets_that_nothing_comes_back_for_are_a_flood() {
    for (target, words) in [
        (("198.51.100.7", 17, 53), "200000 DNS requests to 198.51.100.7"),
        (("198.51.100.7", 17, 27_015), "UDP packets to port 27015 to 198.51.100.7"),
        (("198.51.100.7", 17, 80), "UDP packets to port 80, which is one of TCP, to"),
        (("2001:db8::7", 6, 443), "TCP packets to port 443 to 2001:db8::7"),
        (("198.51.100.7", 2, 0), "packets of protocol 2 to"),
    ] {
        let finding = Logs::new().flow(sent(target, 200_000, 60, 100)).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &[words]);
        assert_eq!(finding.flow.unwrap().peers, [target.0]);
    }
}

#[test]
fn ten_times_as_many_are_high() {
    let flood = sent(("198.51.100.7", 17, 53), 2_000_000, 60, 100);
    assert_eq!(Logs::new().flow(flood).finding(ID).severity, Severity::High);
}

#[test]
fn data_that_is_acknowledged_is_no_flood() {
    Logs::new().flow(sent(("198.51.100.7", 17, 443), 900_000, 1_200, 90_000)).stays_quiet(ID);
    Logs::new().flow(sent(("198.51.100.7", 6, 443), 900_000, 1_460, 20_000)).stays_quiet(ID);
}

#[test]
fn few_packets_or_peers_inside_stay_quiet() {
    Logs::new().flow(sent(("198.51.100.7", 17, 53), 199_000, 60, 0)).stays_quiet(ID);
    Logs::new().flow(sent(("10.0.0.9", 17, 53), 900_000, 60, 0)).stays_quiet(ID);
    let trickle = (0..12)
        .fold(Logs::new(), |logs, _| logs.flow(sent(("198.51.100.7", 17, 53), 29_999, 60, 0)));
    trickle.stays_quiet(ID);
}
