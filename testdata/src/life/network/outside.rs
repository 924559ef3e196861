//! What comes from the internet: clients, people, and those who try every door. The figures of an
//! exposed server are those of one that was watched for 36 hours in 2024 (see `tests/simulated`).

use std::net::{IpAddr, Ipv4Addr};

use super::{At, End, Traffic, Window, ephemeral, heavy, inside, whole};
use crate::aws::flow::{Flow, ICMP, SYN, TCP, UDP};
use crate::places::{self, CITIES};
use crate::rng::Rng;

/// Sources that come back for weeks to sign in by SSH.
const SSH_SOURCES: u64 = 460;
/// Sources that come back for weeks to try ports.
const REGULARS: u64 = 48;
/// Those who ping come back too.
const PINGERS: u64 = 260;
/// Somebody in a hurry tries no more in a window.
const DOORS_MAX: i64 = 240;
/// Ports that are tried first, each as often as it stands here. Every second packet is for any port.
const TRIED: [u16; 40] = [
    3306, 3306, 3306, 3306, 3306, 3306, 3306, 3306, 3306, 443, 443, 443, 23, 23, 23, 3389, 3389,
    8728, 8728, 8080, 8080, 445, 445, 2083, 5060, 8443, 2095, 2222, 5555, 1433, 8888, 21, 8000,
    27_017, 8088, 8081, 3128, 2375, 5900, 6379,
];

/// A server that answers on ports 22 and 80 and to pings.
pub(super) fn exposed(window: &mut Window<'_, '_>, at: At<'_>) {
    knocks(window, at, 1.0);
    for _ in 0..window.times(5.5) {
        sign_in_attempt(window, at);
    }
    let visitors = window.times(1.35 * (0.6 + 0.4 * window.pace));
    for _ in 0..visitors {
        let client = client(window, at);
        for _ in 0..=window.rng.count(2.3) {
            visit(window, at, client);
        }
    }
    // Nobody twice in a window.
    let first = window.rng.below(PINGERS);
    for number in 0..window.times(2.5) {
        ping(window, at, (first + u64::from(number)) % PINGERS);
    }
    inside::upkeep(window, at);
}

/// A load balancer that answers on port 443 and hands on to the machines of the application.
pub(super) fn balancer(window: &mut Window<'_, '_>, at: At<'_>) {
    knocks(window, at, 0.3);
    for _ in 0..window.times(5.0 * window.pace) {
        let client = client(window, at);
        let requests = heavy(2, window.rng);
        let (sent, received) = (requests * 3 + 8, requests * 5 + 8);
        let lasts_s = window.rng.between(0, 50);
        let times_s = window.span(at.host, lasts_s);
        let there = (sent, sent * window.rng.between(70, 190));
        let back = (received, received * window.rng.between(300, 1_300));
        let (from, to) = (ends(window, at, client, 443), there);
        window.exchange(at, from.0, from.1, whole(to, back, times_s));
    }
}

/// Engineers sign in during their day; nobody else gets an answer.
pub(super) fn bastion(window: &mut Window<'_, '_>, at: At<'_>) {
    knocks(window, at, 0.25);
    inside::upkeep(window, at);
    if window.pace < 0.9 || !window.rng.chance(0.012 * window.minutes) {
        return;
    }
    let office = window.one_of(CITIES[2].business, 6);
    let times_s = window.span(at.host, 40);
    let (there, back) = (heavy(30, window.rng), heavy(30, window.rng));
    let from = (IpAddr::V4(office), ephemeral(window.rng));
    let traffic = whole((there, there * 92), (back, back * 140), times_s);
    window.exchange(at, from, (at.host.address.into(), 22), traffic);
    let to = window.one_machine();
    if let Some(to) = to {
        window.within(at, (to, 22), traffic);
    }
}

/// Packets that the security group refuses: nobody answers them.
fn knocks(window: &mut Window<'_, '_>, at: At<'_>, share: f64) {
    for _ in 0..window.times(2.4 * share) {
        let source = places::scanner(window.rng);
        let (time_s, _) = window.span(at.host, 0);
        knock(window, at, source, time_s);
        // Every second one tries another door at once.
        while window.rng.one_in(2) {
            knock(window, at, source, time_s);
        }
    }
    for _ in 0..window.times(2.6 * share) {
        let number = window.rng.rank(usize::try_from(REGULARS).unwrap_or(1));
        let source = regular(window, number as u64);
        let (time_s, _) = window.span(at.host, 0);
        knock(window, at, source, time_s);
    }
    // Now and then somebody tries many doors in a row.
    for _ in 0..window.times(0.07 * share) {
        let source = places::scanner(window.rng);
        let (first_s, _) = window.span(at.host, 0);
        for _ in 0..(30 + heavy(16, window.rng)).min(DOORS_MAX) {
            let time_s = first_s + window.rng.between(0, 12);
            knock(window, at, source, time_s);
        }
    }
}

fn knock(window: &mut Window<'_, '_>, at: At<'_>, source: Ipv4Addr, start_s: i64) {
    let rng = &mut *window.rng;
    let any = u16::try_from(rng.between(1, 65_535)).unwrap_or(1);
    let tried = if rng.one_in(2) { any } else { rng.pick(&TRIED).copied().unwrap_or(any) };
    // These are open, or another kind of visit.
    let port = if matches!(tried, 22 | 80) { 8_080 } else { tried };
    let is_udp = port == 5060 || rng.one_in(40);
    let packets = if rng.one_in(18) { rng.between(2, 5) } else { 1 };
    let size = if is_udp {
        rng.between(28, 440)
    } else {
        rng.pick(&[40, 40, 44, 44, 52, 60, 60]).copied().unwrap_or(40)
    };
    let from_port = u16::try_from(rng.between(1_024, 65_535)).unwrap_or(40_000);
    let lasts_s = if packets > 1 { rng.between(0, 7) } else { 0 };
    window.post.flow(
        window.number,
        Flow {
            interface: at.number,
            from: (source.into(), from_port),
            to: (at.host.address.into(), port),
            protocol: if is_udp { UDP } else { TCP },
            tcp_flags: if is_udp { 0 } else { SYN },
            packets,
            bytes: packets * size,
            start_s,
            end_s: start_s + lasts_s,
            accepted: false,
            beyond: None,
            is_clear: false,
        },
    );
}

/// A password that is wrong, or a connection that ends before one is asked for.
fn sign_in_attempt(window: &mut Window<'_, '_>, at: At<'_>) {
    let number = window.rng.below(SSH_SOURCES);
    let source = regular(window, 1_000 + number);
    let rng = &mut *window.rng;
    let (there, back, lasts_s) = if rng.one_in(9) {
        let n = rng.between(1, 5);
        ((n, n * rng.between(44, 92)), (n, n * rng.between(44, 120)), rng.between(0, 3))
    } else {
        let (sent, got) = (rng.between(10, 16), rng.between(11, 16));
        let (sent_bytes, got_bytes) = (1_500 + 32 * rng.between(0, 20), 2_200 + 36 * got);
        ((sent, sent_bytes), (got, got_bytes), rng.between(1, 9))
    };
    let from = (IpAddr::V4(source), ephemeral(rng));
    let times_s = window.span(at.host, lasts_s);
    window.exchange(at, from, (at.host.address.into(), 22), whole(there, back, times_s));
}

/// A page, or a probe for one that is not there: most are small.
fn visit(window: &mut Window<'_, '_>, at: At<'_>, client: IpAddr) {
    let rng = &mut *window.rng;
    let (there, back) = match rng.below(20) {
        0..=4 => {
            let sent = heavy(5, rng);
            let got = sent + heavy(2, rng);
            ((sent, 40 * sent + rng.between(20, 420)), (got, got * rng.between(200, 1_300)))
        }
        5..=13 => {
            let (sent, got) = (rng.between(1, 2), rng.between(1, 2));
            ((sent, sent * rng.between(44, 66)), (got, got * rng.between(46, 70)))
        }
        _ => {
            let (sent, got) = (rng.between(3, 5), rng.between(2, 4));
            ((sent, 40 * sent + rng.between(60, 420)), (got, 46 * got + rng.between(20, 400)))
        }
    };
    let lasts_s = rng.between(0, 30);
    let times_s = window.span(at.host, lasts_s);
    let (from, to) = ends(window, at, client, 80);
    window.exchange(at, from, to, whole(there, back, times_s));
}

fn ping(window: &mut Window<'_, '_>, at: At<'_>, number: u64) {
    let source = if window.rng.one_in(5) {
        places::scanner(window.rng)
    } else {
        regular(window, 2_000 + number)
    };
    let n = window.rng.between(1, 2);
    let bytes = n * window.rng.pick(&[28, 36, 36, 84]).copied().unwrap_or(84);
    let times_s = window.span(at.host, n - 1);
    let traffic =
        Traffic { protocol: ICMP, there: (n, bytes), back: (n, bytes), flags: 0, times_s };
    window.exchange(at, (source.into(), 0), (at.host.address.into(), 0), traffic);
}

/// Number `number` of those who come back to this VPC.
fn regular(window: &Window<'_, '_>, number: u64) -> Ipv4Addr {
    places::scanner(&mut Rng::new(window.vpc.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93)))
}

/// Somebody at home or on the way; by IPv6, where the host has it, one in four.
fn client(window: &mut Window<'_, '_>, at: At<'_>) -> IpAddr {
    if at.host.address_6.is_some() && window.rng.one_in(4) {
        return places::home_6(window.rng).into();
    }
    let city = CITIES.get(window.rng.rank(CITIES.len())).unwrap_or(&CITIES[0]);
    let network = if window.rng.one_in(3) { city.mobile } else { city.homes };
    network.address(window.rng).into()
}

/// The two ends of what `client` opens.
fn ends(window: &mut Window<'_, '_>, at: At<'_>, client: IpAddr, port: u16) -> (End, End) {
    let own = match (client, at.host.address_6) {
        (IpAddr::V6(_), Some(own)) => own.into(),
        _ => at.host.address.into(),
    };
    ((client, ephemeral(window.rng)), (own, port))
}
