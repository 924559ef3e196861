use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::decode::gunzip;
use crate::flow::{address, ip};
use crate::flowlog::{FlowFormat, FlowReader};

const CUSTOM: &str = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
    tcp-flags flow-direction action";
const NARROW: &str =
    "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action";

fn read(text: &[u8], format: Option<&str>) -> Vec<Call> {
    let format = format.map(|format| FlowFormat::parse(format).unwrap());
    let mut all = Calls::default();
    let counts = FlowReader::new(format).read(text, &mut |batch| all.add(&batch));
    assert_eq!(counts.bad_rows, 0, "{counts:?}");
    assert_eq!(all.dropped_rows(), 0);
    finished(&mut all)
}

fn finished(all: &mut Calls) -> Vec<Call> {
    let mut calls = Vec::new();
    all.finish(&mut calls);
    calls
}

/// Peer, port, flows sent, unanswered: for what `lines` (of which `format` names the fields) say.
#[track_caller]
fn check(format: &str, lines: &str, expected: &[(&str, u16, u32, bool)]) {
    let got: Vec<(String, u16, u32, bool)> = read(lines.as_bytes(), Some(format))
        .into_iter()
        .filter(|one| !one.is_inbound)
        .map(|a| (ip(a.peer).to_string(), a.port, a.n_flows, !a.is_answered))
        .collect();
    let got: Vec<_> = got.iter().map(|(p, port, n, no)| (p.as_str(), *port, *n, *no)).collect();
    assert_eq!(got, expected);
}

#[test]
fn an_answered_call_is_answered() {
    check(
        CUSTOM,
        "eni-1 10.0.0.1 5.5.5.5 40000 443 6 9 2000 100 150 3 egress ACCEPT\n\
         eni-1 5.5.5.5 10.0.0.1 443 40000 6 8 9000 100 150 19 ingress ACCEPT\n",
        &[("5.5.5.5", 443, 1, false)],
    );
}

#[test]
fn silence_rejection_and_refusal_are_no_answers() {
    check(
        CUSTOM,
        "eni-1 10.0.0.1 5.5.5.5 40000 22 6 3 180 100 150 2 egress ACCEPT\n\
         eni-1 10.0.0.1 5.5.5.6 40000 22 6 3 180 100 150 2 egress REJECT\n\
         eni-1 10.0.0.1 5.5.5.7 40000 22 6 1 60 100 150 2 egress ACCEPT\n\
         eni-1 5.5.5.7 10.0.0.1 22 40000 6 1 40 100 150 4 ingress ACCEPT\n\
         eni-1 10.0.0.1 5.5.5.8 40000 22 6 1 60 100 150 2 egress ACCEPT\n\
         eni-1 5.5.5.8 10.0.0.1 22 40000 6 2 120 100 150 18 ingress ACCEPT\n\
         eni-1 10.0.0.1 5.5.5.10 40000 22 6 6 304 100 150 2 egress ACCEPT\n\
         eni-1 5.5.5.10 10.0.0.1 22 40000 6 6 240 100 150 4 ingress ACCEPT\n\
         eni-1 10.0.0.1 5.5.5.9 40000 53 17 1 60 100 150 0 egress ACCEPT\n\
         eni-1 5.5.5.9 10.0.0.1 53 40000 17 1 60 100 150 0 ingress ACCEPT\n",
        &[
            ("5.5.5.5", 22, 1, true),
            ("5.5.5.6", 22, 1, true),
            ("5.5.5.7", 22, 1, true),
            ("5.5.5.8", 22, 1, true),
            ("5.5.5.9", 53, 1, false),
            ("5.5.5.10", 22, 1, true),
        ],
    );
}

#[test]
fn one_accepted_flow_in_clear_text_makes_a_call_clear() {
    let format =
        "interface-id srcaddr dstaddr srcport dstport flow-direction action encryption-status";
    let is_clear = |lines: &str| -> Vec<Option<bool>> {
        read(lines.as_bytes(), Some(format)).into_iter().map(|call| call.is_clear).collect()
    };
    let lines = |words: [&str; 2]| {
        let of = |words: &str| {
            format!(
                "eni-1 10.0.0.1 10.0.0.9 40000 443 egress {words}\neni-1 fd00::1 fd00::9 40000 443 egress {words}\n"
            )
        };
        words.map(of).concat()
    };
    for (words, expected) in [
        (["ACCEPT 1", "ACCEPT 3"], Some(false)),
        (["ACCEPT 2", "ACCEPT 0"], Some(true)),
        (["ACCEPT 1", "REJECT 0"], Some(false)),
        (["ACCEPT -", "ACCEPT 7"], None),
    ] {
        assert_eq!(is_clear(&lines(words)), [expected; 2], "{words:?}");
    }
    let silent = "eni-1 10.0.0.1 192.0.2.9 40000 443 6 9 2000 100 150 ACCEPT\n";
    let silent = read(silent.as_bytes(), Some(NARROW));
    assert_eq!(silent.first().map(|call| call.is_clear), Some(None));
}

#[test]
fn an_idle_connection_is_not_unanswered() {
    check(
        CUSTOM,
        "eni-1 10.0.0.1 5.5.5.5 40000 443 6 1 40 100 150 0 egress ACCEPT\n\
         eni-1 5.5.5.5 10.0.0.1 443 40000 6 1 40 100 150 0 ingress ACCEPT\n",
        &[("5.5.5.5", 443, 1, false)],
    );
    // What its peer sends is no opening.
    check(
        CUSTOM,
        "eni-1 10.0.0.1 5.5.5.5 40000 443 6 1 40 100 150 0 egress ACCEPT\n\
         eni-1 5.5.5.5 10.0.0.1 443 40000 6 1 60 100 150 18 ingress ACCEPT\n",
        &[("5.5.5.5", 443, 1, false)],
    );
}

#[test]
fn ports_of_a_peer_are_counted_but_for_those_that_any_host_calls() {
    let line = |peer: u8, port: u16| {
        format!("eni-1 10.0.0.1 5.5.5.{peer} 40000 {port} 6 1 60 100 150 2 egress ACCEPT\n")
    };
    let targets = [(5, 22), (5, 443), (5, 80), (5, 8_080), (6, 22)];
    let lines: String = targets.map(|(peer, port)| line(peer, port)).concat();
    let attempts = read(lines.as_bytes(), Some(CUSTOM));
    let n_ports: Vec<u32> = attempts.iter().map(|one| one.n_ports_of_peer).collect();
    assert_eq!(n_ports, [2, 2, 2, 2, 1]);
}

#[test]
fn calls_from_outside_are_inbound() {
    let inbound = "eni-1 5.5.5.5 10.0.0.1 40000 22 6 3 180 100 150 2 ingress REJECT\n\
        eni-1 5.5.5.6 10.0.0.1 40000 50000 6 3 180 100 150 2 ingress ACCEPT\n\
        eni-1 10.0.0.1 5.5.5.6 50000 40000 6 3 1800 100 150 18 egress ACCEPT\n";
    check(CUSTOM, inbound, &[]);
    check(
        NARROW,
        "eni-1 5.5.5.5 10.0.0.1 40000 22 6 3 180 100 150 REJECT\n\
         eni-1 5.5.5.6 10.0.0.1 40000 80 6 3 180 100 150 ACCEPT\n\
         eni-1 10.0.0.1 5.5.5.6 80 40000 6 3 1800 100 150 ACCEPT\n",
        &[],
    );
    let of = |one: &Call| (ip(one.peer).to_string(), one.port, one.is_admitted, one.is_answered);
    let calls = read(inbound.as_bytes(), Some(CUSTOM));
    assert!(calls.iter().all(|one| one.is_inbound));
    let calls: Vec<_> = calls.iter().map(of).collect();
    let rejected = ("5.5.5.5".to_owned(), 22, false, false);
    assert_eq!(calls, [rejected, ("5.5.5.6".to_owned(), 50_000, true, true)]);
}

#[test]
fn what_is_sent_and_received_is_told_of_the_own_side() {
    let lines = "eni-1 10.0.0.1 5.5.5.5 40000 443 6 9 2000 100 150 3 egress ACCEPT\n\
        eni-1 5.5.5.5 10.0.0.1 443 40000 6 8 9000 100 150 19 ingress ACCEPT\n\
        eni-1 5.5.5.6 10.0.0.1 40000 22 6 3 180 100 150 2 ingress ACCEPT\n\
        eni-1 10.0.0.1 5.5.5.6 22 40000 6 4 240 100 150 18 egress ACCEPT\n";
    let calls = read(lines.as_bytes(), Some(CUSTOM));
    let sums: Vec<_> = calls.iter().map(|one| (one.bytes, one.packets, one.squares)).collect();
    let (ours, theirs) = (((2_000, 9_000), (9, 8), 4_000_000), ((240, 180), (4, 3), 32_400));
    assert_eq!(sums, [ours, theirs]);
}

#[test]
fn connections_are_counted_by_the_five_minutes_in_which_they_open() {
    let line = |port: u16, end: u32, flags: u8| {
        format!("eni-1 10.0.0.1 5.5.5.5 {port} 443 6 9 900 {end} {end} {flags} egress ACCEPT\n")
    };
    let flows = [(40_000, 100, 2), (40_000, 160, 0), (40_001, 299, 3), (40_002, 300, 3)];
    let lines: String = flows.map(|(port, end, flags)| line(port, end, flags)).concat();
    let calls = read(lines.as_bytes(), Some(CUSTOM));
    assert_eq!(calls[0].opened.iter().collect::<Vec<_>>(), [(0, 2), (300, 1)]);
    assert_eq!((calls[0].n_flows, calls[0].opened.n()), (4, 3));
    // Without flags, a port that goes on is the same connection.
    let narrow = lines.replace(" 2 egress", "").replace(" 0 egress", "").replace(" 3 egress", "");
    let calls = read(narrow.as_bytes(), Some(NARROW));
    assert_eq!(calls[0].opened.iter().collect::<Vec<_>>(), [(0, 2), (300, 1)]);
}

#[test]
fn a_connection_that_goes_on_lasts_and_opens_nothing() {
    let line = |port: u16, start: u32, length: u32, end: &str| {
        let stop = start + length;
        format!("eni-1 10.0.0.1 5.5.5.5 {port} 22 6 2 101 {start} {stop}{end} ACCEPT\n")
    };
    let going = |end: &str| -> String { (0..5).map(|n| line(40_000, n * 60, 59, end)).collect() };
    for (format, end) in [(CUSTOM, " 0 egress"), (NARROW, "")] {
        let calls = read(going(end).as_bytes(), Some(format));
        assert_eq!(
            (calls[0].lasting, calls[0].opened.n()),
            (Some(Lasting { port: 40_000, covered_s: 300 }), 0)
        );
        // Short ones besides do not hide it, and it does not hide them.
        let short: String = (0..5).map(|n| line(50_000 + n, u32::from(n) * 60, 2, end)).collect();
        let calls = read([going(end), short].concat().as_bytes(), Some(format));
        assert_eq!(calls[0].lasting.map(|one| one.port), Some(40_000));
    }
    let three: String = (0..3).map(|n| line(40_000, n * 60, 59, " 0 egress")).collect();
    assert_eq!(read(three.as_bytes(), Some(CUSTOM))[0].lasting, None);
}

#[test]
fn without_directions_the_shared_address_is_the_own_side() {
    let lines = "eni-1 8.0.0.1 5.5.5.5 40000 443 6 9 900 100 150 ACCEPT\n\
        eni-1 5.5.5.5 8.0.0.1 443 40000 6 9 900 100 150 ACCEPT\n\
        eni-1 8.0.0.1 5.5.5.6 40001 443 6 9 900 100 150 ACCEPT\n";
    check(NARROW, lines, &[("5.5.5.5", 443, 1, false), ("5.5.5.6", 443, 1, true)]);
    // One peer only: a private address is the own side, two public ones cannot be told apart.
    check(
        NARROW,
        "eni-1 10.0.0.1 5.5.5.5 40000 443 6 9 900 100 150 ACCEPT\n\
         eni-2 8.0.0.1 5.5.5.5 40000 443 6 9 900 100 150 ACCEPT\n",
        &[("5.5.5.5", 443, 1, true)],
    );
    check(
        NARROW,
        "eni-1 fd00::1 2600::5 40000 443 6 9 900 100 150 ACCEPT\n",
        &[("2600::5", 443, 1, true)],
    );
    // Of IPv6 both are public, and hosts of a VPC have Amazon's; two of these cannot be told apart.
    check(
        NARROW,
        "eni-1 2600:1f18:4a3:6901::1d 2a01:4f8:c0c:1::7 40000 22 6 9 900 100 150 ACCEPT\n\
         eni-2 2600:1f18:4a3:6901::1e 2600:1f18:7c2:100::5 40000 443 6 9 900 100 150 ACCEPT\n",
        &[("2a01:4f8:c0c:1::7", 22, 1, true)],
    );
}

#[test]
fn an_address_is_the_own_one_beyond_doubt_on_twice_as_many_rows_as_any_other() {
    let mut interface = Interface::new("eni-1".into());
    let v6 = |address| Own { v6: Some(address), ..Own::default() };
    for _ in 0..40 {
        interface.saw_row(1, 2);
    }
    assert_eq!((interface.settled(), interface.own()), (Own::default(), Own::default()));
    for other in 3..23 {
        interface.saw_row(1, other);
    }
    assert_eq!((interface.settled(), interface.own()), (Own::default(), v6(1)));
    for other in 100..200 {
        interface.saw_row(1, other);
    }
    assert_eq!(interface.settled(), v6(1));
}

#[test]
fn an_interface_has_an_address_of_each_version() {
    let lines: String = (0..9)
        .map(|n| format!("eni-1 5.5.5.{n} 10.0.0.1 40000 443 6 9 900 100 150 ACCEPT\n"))
        .chain(
            (0..2).map(|n| format!("eni-1 2600::1 2a01::{n} 40000 443 6 9 900 100 150 ACCEPT\n")),
        )
        .collect();
    let mut peers: Vec<_> = read(lines.as_bytes(), Some(NARROW))
        .iter()
        .map(|call| (ip(call.peer).to_string(), call.is_inbound))
        .filter(|(peer, _)| peer.contains(':'))
        .collect();
    peers.sort();
    assert_eq!(peers, [("2a01::".to_owned(), false), ("2a01::1".to_owned(), false)]);
}

#[test]
fn of_equal_ports_the_first_flow_opens() {
    let lines = |ours: u32, theirs: u32| {
        format!(
            "eni-1 10.0.0.1 5.5.5.5 123 123 17 1 76 {ours} 150 ACCEPT\n\
             eni-1 5.5.5.5 10.0.0.1 123 123 17 1 76 {theirs} 150 ACCEPT\n"
        )
    };
    check(NARROW, &lines(100, 101), &[("5.5.5.5", 123, 1, false)]);
    check(NARROW, &lines(100, 100), &[("5.5.5.5", 123, 1, false)]);
    check(NARROW, &lines(101, 100), &[]);
    assert!(read(lines(101, 100).as_bytes(), Some(NARROW))[0].is_inbound);
    let public = lines(100, 100).replace("10.0.0.1", "8.0.0.1").replace("5.5.5.5", "10.5.5.5");
    assert_eq!(read(public.as_bytes(), Some(NARROW)).len(), 1);
    let inside = lines(100, 100).replace("5.5.5.5", "10.5.5.5");
    assert_eq!(read(inside.as_bytes(), Some(NARROW)), []);
    // The own address may be the larger one.
    let other = lines(100, 101).replace("10.0.0.1", "172.31.5.9");
    assert_eq!(read(other.as_bytes(), Some(NARROW))[0].opened.n(), 1);
}

#[test]
fn an_answer_alone_is_no_call() {
    check(CUSTOM, "eni-1 5.5.5.5 10.0.0.1 443 40000 6 9 9000 100 150 18 ingress ACCEPT\n", &[]);
}

#[test]
fn multicast_and_empty_rows_are_left_out() {
    check(
        CUSTOM,
        "eni-1 10.0.0.1 224.0.0.251 5353 53 17 1 76 100 150 0 egress ACCEPT\n\
         eni-1 10.0.0.1 ff02::fb 40000 53 17 1 76 100 150 0 egress ACCEPT\n\
         eni-1 10.0.0.1 255.255.255.255 40000 67 17 1 300 100 150 0 egress ACCEPT\n\
         eni-1 - - - - - - - 100 150 - - -\n",
        &[],
    );
}

#[test]
fn several_own_addresses_make_one_call() {
    check(
        CUSTOM,
        "eni-1 10.0.0.1 5.5.5.5 40000 443 6 9 900 100 150 3 egress ACCEPT\n\
         eni-1 10.0.0.2 5.5.5.5 40000 443 6 9 900 100 150 3 egress ACCEPT\n\
         eni-1 5.5.5.5 10.0.0.2 443 40000 6 9 900 100 150 19 ingress ACCEPT\n",
        &[("5.5.5.5", 443, 2, false)],
    );
}

#[test]
fn names_are_kept_from_object_to_object_within_their_bound() {
    let mut all = Calls::default();
    let mut interfaces = |n: usize| -> Vec<String> {
        let line = |n| format!("eni-{n} 10.0.0.1 192.0.2.1 40000 80\n");
        let lines: String = (0..n).map(line).collect();
        let text = format!("interface-id srcaddr dstaddr srcport dstport\n{lines}");
        FlowReader::default().read(text.as_bytes(), &mut |batch| all.add(&batch));
        let found = finished(&mut all).iter().map(|one| one.interface.to_string()).collect();
        assert_eq!(all.names.len(), if n > NAMES_KEPT_MAX { 0 } else { n });
        found
    };
    assert_eq!(interfaces(2), ["eni-0", "eni-1"]);
    assert_eq!(interfaces(3), ["eni-0", "eni-1", "eni-2"]);
    assert_eq!(interfaces(NAMES_KEPT_MAX).len(), NAMES_KEPT_MAX);
    assert_eq!(interfaces(NAMES_KEPT_MAX + 1).len(), NAMES_KEPT_MAX + 1);
    assert_eq!(interfaces(1), ["eni-0"]);
}

#[test]
fn keys_are_bounded_and_the_rest_is_counted() {
    let mut text = String::from("interface-id srcaddr dstaddr srcport dstport flow-direction\n");
    for i in 0..u32::try_from(KEYS_MAX).unwrap() + 10 {
        let peer = ip(address(std::net::Ipv4Addr::from(0x0800_0000 + i).into()));
        text.push_str(&["eni-1 10.0.0.1 ", &peer.to_string(), " 40000 22 egress\n"].concat());
    }
    let mut all = Calls::default();
    FlowReader::default().read(text.as_bytes(), &mut |batch| all.add(&batch));
    assert_eq!(all.dropped_rows(), 10);
    assert_eq!(finished(&mut all).len(), KEYS_MAX);
    assert_eq!(all.dropped_rows(), 0);
}

proptest! {
    /// What is left out early, because the object is whole, is what would be left out at its end.
    #[test]
    fn a_whole_object_says_the_same_as_a_part_like_it(
        rows in proptest::collection::vec((0_u8..3, 0_u8..12, 0_u8..12, 0_u8..4, 0_u8..4), 0..120),
    ) {
        let mut text = format!("{NARROW}\n");
        for (interface, from, to, srcport, dstport) in rows {
            let address = |n: u8| format!("{}.0.0.{n}", if n < 4 { 10 } else { 8 });
            let ends = format!("{} {} {srcport} {dstport}", address(from), address(to));
            let line = format!("eni-{interface} {ends} 6 {from} 900 {to} 150 ACCEPT\n");
            text.push_str(&line);
        }
        let mut of_part = Calls::default();
        let mut visit = |mut batch: FlowBatch| {
            assert!(batch.is_whole);
            batch.is_whole = false;
            of_part.add(&batch);
        };
        FlowReader::default().read(text.as_bytes(), &mut visit);
        prop_assert_eq!(read(text.as_bytes(), None), finished(&mut of_part));
    }
}

fn objects(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            objects(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            all.push(path);
        }
    }
}

/// Most distinct unanswered targets of one interface whose calls began within one hour.
fn most_unanswered_in_an_hour(attempts: &[Call]) -> usize {
    let mut by_interface: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for attempt in attempts {
        by_interface.entry(&attempt.interface).or_default().push(attempt);
    }
    let mut most = 0;
    for mut attempts in by_interface.into_values() {
        attempts.sort_by_key(|attempt| attempt.start_s);
        // Unanswered and answered calls of each target inside the window.
        let mut window: HashMap<(u128, u16, u8), [u32; 2]> = HashMap::new();
        let mut open = 0_usize;
        let mut oldest = 0;
        for newest in &attempts {
            loop {
                let attempt = attempts[oldest];
                if attempt.start_s + 3_600 > newest.start_s {
                    break;
                }
                let seen =
                    window.entry((attempt.peer, attempt.port, attempt.protocol)).or_default();
                let before = seen[0] > 0 && seen[1] == 0;
                seen[usize::from(attempt.is_answered)] -= 1;
                open = open + usize::from(seen[0] > 0 && seen[1] == 0) - usize::from(before);
                oldest += 1;
            }
            let seen = window.entry((newest.peer, newest.port, newest.protocol)).or_default();
            let before = seen[0] > 0 && seen[1] == 0;
            seen[usize::from(newest.is_answered)] += 1;
            open = open + usize::from(seen[0] > 0 && seen[1] == 0) - usize::from(before);
            most = most.max(open);
        }
    }
    most
}

/// Most distinct ports of one peer that one interface began to call within one hour, answered or
/// not.
fn most_ports_in_an_hour(attempts: &[Call]) -> usize {
    let mut by_peer: BTreeMap<_, Vec<(i64, u16)>> = BTreeMap::new();
    for attempt in attempts {
        by_peer
            .entry((&attempt.interface, attempt.peer, attempt.protocol))
            .or_default()
            .push((attempt.start_s, attempt.port));
    }
    let most = by_peer.values_mut().map(|calls| {
        calls.sort_unstable();
        let ports_from = |start: usize| {
            let (first, _) = calls[start];
            let hour = calls[start..].iter().take_while(|(at, _)| *at < first + 3_600);
            hour.map(|(_, port)| port).collect::<std::collections::BTreeSet<_>>().len()
        };
        (0..calls.len()).step_by(1 + calls.len() / 64).map(ports_from).max()
    });
    most.max().flatten().unwrap_or(0)
}

/// Real captures, which are not part of the repository.
#[test]
fn a_scan_stands_out_of_real_traffic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/vpcflow/full_traces");
    if !root.is_dir() {
        println!("SKIPPED: no flow captures at {}", root.display());
        return;
    }
    // The scan is in two parts: 21 hosts that do not answer pings, 20 ports of one that answers all.
    for (capture, unanswered, ports) in [
        ("port-scan-slow-outbound", 20..=25, 20..=20),
        ("phone-day", 0..=10, 0..=4),
        ("internet-host-36h/v2-default", 0..=10, 0..=4),
        ("internet-host-36h/v5-custom", 0..=10, 0..=4),
        ("mixed-windows-host", 0..=10, 0..=6),
        ("ctu-sme-11-remcos", 0..=10, 0..=6),
    ] {
        let mut paths = Vec::new();
        objects(&root.join(capture), &mut paths);
        let mut all = Vec::new();
        let mut reader = FlowReader::default();
        let mut calls = Calls::default();
        for path in &paths {
            let text = gunzip(&std::fs::read(path).unwrap(), 1 << 26).unwrap();
            reader.read(&text, &mut |batch| calls.add(&batch));
            all.extend(finished(&mut calls).into_iter().filter(|one| !one.is_inbound));
        }
        let found = (most_unanswered_in_an_hour(&all), most_ports_in_an_hour(&all));
        println!(
            "{capture}: {} calls; in an hour {} unanswered targets, {} ports of one peer",
            all.len(),
            found.0,
            found.1
        );
        assert!(unanswered.contains(&found.0) && ports.contains(&found.1), "{capture}: {found:?}");
    }
}

#[test]
fn what_is_held_of_a_call_stays_within_what_its_bound_says() {
    assert!(size_of::<(Key, Sum)>() <= 400, "{}", size_of::<(Key, Sum)>());
}
