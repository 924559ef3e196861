//! Packets of the last two days: a web server with clients, the billing instance, and scanners.

use std::net::Ipv4Addr;

use super::truth::Title;
use super::{ACCOUNT, DAYS, HOME, Story, at, midnight};
use crate::aws::flow::{Flow, FlowLog, TCP, UDP};
use crate::clock::{DAY_S, MINUTE_S};
use crate::rng::Rng;

/// Windows of ten minutes, delivered by the hour.
pub(super) const FLOW_LOG: FlowLog<'static> = FlowLog {
    account: ACCOUNT,
    region: HOME,
    id: "fl-0c93e17ab52d4f608",
    object_s: 60 * MINUTE_S,
    delay_s: 10 * MINUTE_S,
};

const WINDOW_S: i64 = 10 * MINUTE_S;
/// Something happens in every second window: it is a small firm. Unit: seconds.
const QUIET_S: i64 = 20 * MINUTE_S;
const WEB: &str = "eni-04d1c7a9e3b25f810";
const WEB_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 10);
const WORKER: &str = "eni-0917be5d2c64af38e";
const WORKER_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 15);
const DATABASE: Ipv4Addr = Ipv4Addr::new(10, 20, 3, 40);
/// A resolver of the firm's own; Amazon's is not logged.
const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 53);
/// Addresses of S3 in Oregon, and of the payment provider (Cloudflare).
const SERVICES: [Ipv4Addr; 3] = [
    Ipv4Addr::new(52, 92, 180, 34),
    Ipv4Addr::new(52, 92, 207, 113),
    Ipv4Addr::new(104, 16, 58, 21),
];
/// First halves of the networks that clients come from: access networks of Europe and America.
const CLIENTS: [(u8, u8); 6] = [(73, 83), (91, 64), (85, 243), (98, 207), (86, 137), (92, 184)];
/// First halves of hosting networks that scanners like.
const SCANNERS: [(u8, u8); 4] = [(64, 225), (167, 99), (45, 33), (94, 102)];
const SCANNED: [u16; 10] = [22, 23, 445, 1433, 3306, 3389, 5900, 6379, 8080, 8728];

pub(super) fn tell(story: &mut Story) {
    let mut scanners = Vec::new();
    let mut window_s = midnight(DAYS - 1);
    while window_s < midnight(DAYS - 1) + 2 * DAY_S {
        serve_web(story, window_s);
        run_worker(story, window_s);
        for interface in [(WEB, WEB_ADDRESS), (WORKER, WORKER_ADDRESS)] {
            let probe = internet_probe(&mut story.rng, interface, window_s);
            scanners.push(probe);
            story.flows.push(probe);
        }
        window_s += QUIET_S;
    }
    let title = Title {
        name: "internet scanners, all rejected",
        entity: format!("{ACCOUNT} {WEB} {WORKER}"),
        technique: "T1595.001",
    };
    story.truth.harmless_flows(title, &scanners);
    scan_neighbours(story);
}

fn serve_web(story: &mut Story, window_s: i64) {
    let rng = &mut story.rng;
    for _ in 0..rng.between(1, 3) {
        let client = (random_address(&CLIENTS, rng), high_port(rng));
        let packets = rng.between(8, 40);
        let request = flow(WEB, (client, (WEB_ADDRESS, 443)), window_s, rng);
        let request = Flow { packets, bytes: packets * rng.between(60, 180), ..request };
        let back = packets + rng.between(0, 20);
        story.flows.push(request);
        story.flows.push(request.answer(back, back * rng.between(400, 1_300)));
    }
}

fn run_worker(story: &mut Story, window_s: i64) {
    let rng = &mut story.rng;
    let service = rng.pick(&SERVICES).copied().unwrap_or(DATABASE);
    let peers = [(service, 443, TCP), (DATABASE, 5432, TCP), (RESOLVER, 53, UDP)];
    for (peer, port, protocol) in peers {
        let ends = ((WORKER_ADDRESS, high_port(rng)), (peer, port));
        let packets = if protocol == UDP { 1 } else { rng.between(10, 60) };
        let request = flow(WORKER, ends, window_s, rng);
        let request = Flow { protocol, packets, bytes: packets * rng.between(60, 300), ..request };
        story.flows.push(request);
        story.flows.push(request.answer(packets, packets * rng.between(90, 600)));
    }
}

fn internet_probe(
    rng: &mut Rng,
    (interface, address): (&'static str, Ipv4Addr),
    window_s: i64,
) -> Flow {
    let port = rng.pick(&SCANNED).copied().unwrap_or(22);
    let ends = ((random_address(&SCANNERS, rng), high_port(rng)), (address, port));
    Flow { accepted: false, packets: 1, bytes: 44, ..flow(interface, ends, window_s, rng) }
}

/// The instance tries eight ports of each of twelve neighbours. Its own security group lets the
/// packets out, nobody answers, and the web server's group rejects what reaches it.
fn scan_neighbours(story: &mut Story) {
    let mut scan = Vec::new();
    let mut port_from = 41_000;
    for (neighbour, minute) in [(10, 5), (11, 6), (12, 8), (13, 9), (21, 15), (22, 16)]
        .into_iter()
        .chain([(23, 18), (24, 19), (31, 25), (32, 26), (33, 35), (34, 36)])
    {
        let to = Ipv4Addr::new(10, 20, 1, neighbour);
        for port in [22, 445, 1433, 3306, 3389, 5432, 6379, 8080] {
            port_from += 1;
            let start_s = at(DAYS - 1, 3, minute) + story.rng.between(0, 40);
            let sent = Flow {
                interface: WORKER,
                from: (WORKER_ADDRESS.into(), port_from),
                to: (to.into(), port),
                protocol: TCP,
                tcp_flags: 0,
                packets: 1,
                bytes: 60,
                start_s,
                end_s: start_s + story.rng.between(0, 8),
                accepted: true,
                beyond: None,
            };
            scan.push(sent);
            if to == WEB_ADDRESS {
                scan.push(Flow { interface: WEB, accepted: false, ..sent });
            }
        }
    }
    let title = Title {
        name: "the instance scans its neighbours",
        entity: format!("{ACCOUNT} {WORKER}"),
        technique: "T1046",
    };
    story.truth.attack_flows(title, &scan);
    story.flows.extend(scan);
}

fn flow(
    interface: &'static str,
    (from, to): ((Ipv4Addr, u16), (Ipv4Addr, u16)),
    window_s: i64,
    rng: &mut Rng,
) -> Flow {
    let start_s = window_s + rng.between(0, WINDOW_S / 2);
    let end_s = start_s + rng.between(1, WINDOW_S / 2 - 1);
    Flow {
        interface,
        from: (from.0.into(), from.1),
        to: (to.0.into(), to.1),
        protocol: TCP,
        // The default format does not tell.
        tcp_flags: 0,
        packets: 1,
        bytes: 60,
        start_s,
        end_s,
        accepted: true,
        beyond: None,
    }
}

fn random_address(networks: &[(u8, u8)], rng: &mut Rng) -> Ipv4Addr {
    let (first, second) = rng.pick(networks).copied().unwrap_or((73, 83));
    let mut byte = || u8::try_from(rng.between(1, 254)).unwrap_or(1);
    Ipv4Addr::new(first, second, byte(), byte())
}

fn high_port(rng: &mut Rng) -> u16 {
    u16::try_from(rng.between(32_768, 60_999)).unwrap_or(40_000)
}
