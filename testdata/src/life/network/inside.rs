//! What happens within a VPC, and what its hosts ask of the internet.

use std::net::{IpAddr, Ipv6Addr};

use super::{At, Traffic, Window, ephemeral, heavy, is_between, whole};
use crate::aws::flow::{SYN, TCP, UDP};
use crate::clock::MINUTE_S;
use crate::organisation::HostKind;
use crate::places::{self, MIRRORS, PARTNERS, TIME};
use crate::rng::Rng;

const DATABASE_PORT: u16 = 5432;
const CACHE_PORT: u16 = 6379;
const APPLICATION_PORT: u16 = 8080;
/// Connections that a machine keeps open to its database.
const POOL: u64 = 2;
/// Hours of the UTC day in which databases are copied to S3.
const BACKUP_HOURS: (i64, i64) = (2, 3);

/// A machine that works for those in front of it.
pub(super) fn application(window: &mut Window<'_, '_>, at: At<'_>) {
    let front = window.first(HostKind::Balancer).or_else(|| window.first(HostKind::Exposed));
    if let Some(front) = front {
        for _ in 0..window.times(0.25 * window.pace) {
            let n = heavy(5, window.rng);
            let lasts_s = window.rng.between(0, 9);
            let times_s = window.span(at.host, lasts_s);
            let sent = (n, n * window.rng.between(90, 260));
            let traffic = whole(sent, (n + 1, (n + 1) * window.rng.between(200, 1_300)), times_s);
            window.within(front, (at, APPLICATION_PORT), traffic);
        }
    }
    if let Some(database) = window.first(HostKind::Database) {
        for slot in 0..POOL {
            kept(window, at, (database, DATABASE_PORT), slot);
        }
    }
    if let Some(cache) = window.first(HostKind::Cache) {
        kept(window, at, (cache, CACHE_PORT), POOL);
    }
    for _ in 0..window.times(0.2 * window.pace) {
        ask_aws(window, at);
    }
    for _ in 0..window.times(0.04 * window.pace) {
        let partner = window.one_of(PARTNERS, 5);
        let times_s = window.span(at.host, 4);
        let n = heavy(9, window.rng);
        let traffic = whole((n, n * 130), (n, n * 420), times_s);
        window.outward(at, (partner.into(), 443), traffic);
    }
    upkeep(window, at);
}

/// A database answers; at night it is copied to S3.
pub(super) fn database(window: &mut Window<'_, '_>, at: At<'_>) {
    if is_between(window.begins_s, BACKUP_HOURS) && window.rng.chance(0.5) {
        let s3 = window.one_of(places::s3_of_region(window.region), 12);
        let times_s = window.span(at.host, 50);
        let n = heavy(4_000, window.rng);
        let traffic = whole((n, n * 1_420), (n / 3, n / 3 * 52), times_s);
        window.outward(at, (s3.into(), 443), traffic);
    }
}

/// A machine that nobody uses asks for the time, and no more.
pub(super) fn idle(window: &mut Window<'_, '_>, at: At<'_>) {
    ask_time(window, at);
}

/// What every instance does for itself: updates, and the time.
pub(super) fn upkeep(window: &mut Window<'_, '_>, at: At<'_>) {
    ask_time(window, at);
    for _ in 0..window.times(0.015) {
        let mirror = window.one_of(MIRRORS, 6);
        let times_s = window.span(at.host, 12);
        let got = heavy(40, window.rng);
        let traffic = whole((got / 3, got / 3 * 64), (got, got * 1_380), times_s);
        window.outward(at, (mirror.into(), 443), traffic);
    }
}

/// Some ask time servers on the internet, every 1,024 s: Amazon's own would not be logged.
fn ask_time(window: &mut Window<'_, '_>, at: At<'_>) {
    if !window.rng.chance(window.minutes * MINUTE_S as f64 / 1_024.0) {
        return;
    }
    let server = window.one_of(TIME, 4);
    let times_s = window.span(at.host, 0);
    let traffic = Traffic { protocol: UDP, there: (1, 76), back: (1, 76), flags: 0, times_s };
    window.outward(at, (server.into(), 123), traffic);
}

/// One of AWS's services: S3 above all; by IPv6 where both sides have it.
fn ask_aws(window: &mut Window<'_, '_>, at: At<'_>) {
    let is_storage = window.rng.one_in(2);
    let to: IpAddr = if at.host.address_6.is_some() && window.rng.one_in(4) {
        let server = 0xfff0_u128 << 72 | u128::from(window.rng.below(24));
        Ipv6Addr::from(places::of_region_6(window.region) | server).into()
    } else if is_storage {
        window.one_of(places::s3_of_region(window.region), 40).into()
    } else {
        window.one_of(places::of_region(window.region), 12).into()
    };
    let rng = &mut *window.rng;
    let (sent, got) = match (is_storage, rng.one_in(3)) {
        (true, true) => (heavy(20, rng), 12),
        (true, false) => (12, heavy(20, rng)),
        (false, _) => (rng.between(9, 14), rng.between(9, 16)),
    };
    let large = |packets: i64| if packets > 16 { 1_380 } else { 210 };
    let there = (sent, sent * large(sent) - rng.between(0, 200));
    let back = (got, got * large(got) - rng.between(0, 200));
    let lasts_s = rng.between(0, 6);
    let times_s = window.span(at.host, lasts_s);
    window.outward(at, (to, 443), whole(there, back, times_s));
}

/// Number `slot` of the connections that `client` keeps open to a server: it lives some hours, and
/// has packets in most windows of the day and in few of the night. Each end counts it by windows of
/// its own.
fn kept(window: &mut Window<'_, '_>, client: At<'_>, (server, port): (At<'_>, u16), slot: u64) {
    let chance = (0.16 * window.pace).min(0.9) * window.minutes;
    if !window.rng.chance(chance.min(1.0)) {
        return;
    }
    let number = u64::from(client.number) << 8 | slot;
    let mut lot = Rng::new(window.vpc.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let life_s = lot.between(40, 240) * MINUTE_S;
    let age_s = window.begins_s + lot.between(0, life_s);
    let generation = age_s.div_euclid(life_s).unsigned_abs();
    let from_port = ephemeral(&mut Rng::for_part(lot.bits(), &[generation]));
    let is_first = age_s.rem_euclid(life_s) < window.vpc.window_s;
    let sent = heavy(6, window.rng);
    let got = sent + window.rng.between(0, sent);
    let there = (sent, sent * window.rng.between(70, 240));
    let back = (got, got * window.rng.between(90, 900));
    let from = (client.host.address.into(), from_port);
    let to = (server.host.address.into(), port);
    for at in [client, server] {
        let lasts_s = window.rng.between(0, window.vpc.window_s - 1);
        let times_s = window.span(at.host, lasts_s);
        let flags = if is_first { SYN } else { 0 };
        let traffic = Traffic { protocol: TCP, there, back, flags, times_s };
        window.exchange(at, from, to, traffic);
    }
}

impl<'o> Window<'_, 'o> {
    /// Any machine of the application.
    pub(super) fn one_machine(&mut self) -> Option<At<'o>> {
        let hosts = self.vpc.hosts.iter().zip(0..);
        let machines = hosts.filter(|(host, _)| host.kind == HostKind::Application);
        let machines: Vec<_> = machines.map(|(host, number)| At { number, host }).collect();
        self.rng.pick(&machines).copied()
    }
}
