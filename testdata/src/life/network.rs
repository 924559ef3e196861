//! VPCs: window by window, who talks to whom.
//!
//! Most of what is drawn is drawn for one window alone. What lasts longer, connections that are kept
//! open and those who come back, is worked out from its number, so that nothing is remembered.

mod inside;
mod outside;

use std::net::{IpAddr, Ipv4Addr};

use super::{Life, Stage, Start};
use crate::aws::flow::{Flow, SYN, TCP};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::organisation::{Host, HostKind, Organisation, Vpc, part};
use crate::places::Network;
use crate::post::Post;
use crate::rng::Rng;

/// A window in so many cannot be logged in full.
const SKIPPED_ONE_IN: u64 = 20_000;

/// What every VPC of `organisation` begins on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let start = |vpc: usize| {
        let rng = organisation.rng(part::VPC, vpc, day);
        let life = Wire { vpc, rng, end_s: organisation.midnight(day + 1) };
        Start { at_s: organisation.midnight(day), life: Box::new(life) }
    };
    (0..organisation.vpcs.len()).map(start).collect()
}

/// One VPC's traffic of one day.
struct Wire {
    vpc: usize,
    rng: Rng,
    end_s: i64,
}

impl Life for Wire {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let vpc = stage.organisation.vpcs.get(self.vpc)?;
        let region = stage.organisation.accounts.get(vpc.account)?.home;
        stage.post.watch(self.vpc, now_s);
        let mut window = Window {
            vpc,
            number: self.vpc,
            region,
            begins_s: now_s,
            minutes: vpc.window_s as f64 / MINUTE_S as f64,
            pace: pace(vpc, now_s),
            rng: &mut self.rng,
            post: &mut stage.post,
        };
        for (host, number) in vpc.hosts.iter().zip(0..) {
            let at = At { number, host };
            if window.rng.one_in(SKIPPED_ONE_IN) {
                let start_s = now_s + host.phase_s;
                window.post.skipped(self.vpc, number, (start_s, start_s + vpc.window_s - 1));
            }
            match host.kind {
                HostKind::Exposed => outside::exposed(&mut window, at),
                HostKind::Balancer => outside::balancer(&mut window, at),
                HostKind::Bastion => outside::bastion(&mut window, at),
                HostKind::Application => inside::application(&mut window, at),
                HostKind::Database => inside::database(&mut window, at),
                HostKind::Idle => inside::idle(&mut window, at),
                // What others do makes their rows.
                HostKind::Cache | HostKind::Nat => {}
            }
        }
        let next_s = now_s + vpc.window_s;
        (next_s < self.end_s).then_some(next_s)
    }
}

/// How much there is to do, 1 on average on a working day: more by day than by night, less on
/// weekends.
fn pace(vpc: &Vpc, now_s: i64) -> f64 {
    // By 24 hours of the clients' day: a third at 4 in the morning, half again as much at 20.
    const BY_HOUR: [f64; 24] = [
        0.62, 0.47, 0.38, 0.33, 0.32, 0.36, 0.50, 0.72, 0.97, 1.13, 1.20, 1.24, 1.28, 1.24, 1.20,
        1.18, 1.19, 1.25, 1.36, 1.48, 1.52, 1.42, 1.16, 0.86,
    ];
    let hour = usize::try_from(vpc.zone.hour(now_s)).unwrap_or(0);
    let midnight_s = now_s - now_s.rem_euclid(DAY_S);
    let weekend = if vpc.zone.is_working_day(midnight_s) { 1.0 } else { 0.68 };
    BY_HOUR.get(hour).copied().unwrap_or(1.0) * weekend
}

/// A host with its number in the VPC.
#[derive(Clone, Copy)]
struct At<'a> {
    number: u16,
    host: &'a Host,
}

/// An address with a port.
type End = (IpAddr, u16);

/// What goes there and comes back in a window.
#[derive(Clone, Copy)]
struct Traffic {
    protocol: u8,
    /// Packets and bytes.
    there: (i64, i64),
    /// Packets and bytes; no packets where nobody answers.
    back: (i64, i64),
    /// `tcp-flags` of the way there.
    flags: u8,
    /// First and last packet. Unit: seconds since the Unix epoch.
    times_s: (i64, i64),
}

/// One window of a VPC while it is told.
struct Window<'a, 'o> {
    vpc: &'o Vpc,
    number: usize,
    region: &'static str,
    /// Unit: seconds since the Unix epoch.
    begins_s: i64,
    minutes: f64,
    pace: f64,
    rng: &'a mut Rng,
    post: &'a mut Post<'o>,
}

impl<'o> Window<'_, 'o> {
    /// How often something happens in this window that has this mean a minute.
    fn times(&mut self, a_minute: f64) -> u32 {
        self.rng.count(a_minute * self.minutes)
    }

    /// A span of `lasts_s` at most within the host's window.
    fn span(&mut self, host: &Host, lasts_s: i64) -> (i64, i64) {
        let start_s = self.begins_s + host.phase_s + self.rng.between(0, self.vpc.window_s - 1);
        let last_s = self.begins_s + host.phase_s + self.vpc.window_s - 1;
        (start_s, last_s.min(start_s + lasts_s))
    }

    /// Two ways of one connection, as one of the two ends has them.
    fn exchange(&mut self, at: At<'_>, from: End, to: End, traffic: Traffic) {
        self.exchange_for(at, (from, to), traffic, None);
    }

    fn exchange_for(
        &mut self,
        at: At<'_>,
        (from, to): (End, End),
        traffic: Traffic,
        beyond: Option<IpAddr>,
    ) {
        let Traffic { protocol, there, back, flags, times_s } = traffic;
        let flow = Flow {
            interface: at.number,
            from,
            to,
            protocol,
            tcp_flags: flags,
            packets: there.0,
            bytes: there.1,
            start_s: times_s.0,
            end_s: times_s.1,
            accepted: true,
            beyond,
            is_clear: false,
        };
        self.post.flow(self.number, flow);
        if back.0 > 0 {
            self.post.flow(self.number, flow.answer(back.0, back.1));
        }
    }

    /// A connection within the VPC: both ends have it.
    fn within(&mut self, client: At<'_>, (server, port): (At<'_>, u16), traffic: Traffic) {
        let from = (client.host.address.into(), ephemeral(self.rng));
        let to = (server.host.address.into(), port);
        self.exchange(client, from, to, traffic);
        self.exchange(server, from, to, traffic);
    }

    /// A connection to the internet: through the NAT gateway, where the host has no other way.
    fn outward(&mut self, at: At<'_>, to: End, traffic: Traffic) {
        let own = match (to.0, at.host.address_6) {
            (IpAddr::V6(_), Some(own)) => IpAddr::V6(own),
            _ => IpAddr::V4(at.host.address),
        };
        let from = (own, ephemeral(self.rng));
        self.exchange(at, from, to, traffic);
        if at.host.is_public() || own.is_ipv6() {
            return;
        }
        if let Some(nat) = self.first(HostKind::Nat) {
            let gateway: IpAddr = nat.host.address.into();
            self.exchange_for(nat, (from, (gateway, to.1)), traffic, Some(to.0));
            let port = u16::try_from(self.rng.between(1_024, 65_535)).unwrap_or(1_024);
            self.exchange(nat, (gateway, port), to, traffic);
        }
    }

    /// The first of that kind.
    fn first(&self, kind: HostKind) -> Option<At<'o>> {
        let mut hosts = self.vpc.hosts.iter().zip(0..);
        hosts.find(|(host, _)| host.kind == kind).map(|(host, number)| At { number, host })
    }

    /// One of `n` addresses of a network that are the same on every day.
    fn one_of(&mut self, network: Network, n: u64) -> Ipv4Addr {
        let lot = self.rng.below(n);
        network
            .address(&mut Rng::new(self.vpc.seed ^ (lot + 1).wrapping_mul(0x2545_f491_4f6c_dd1d)))
    }
}

/// A number of at least `least`, often less than twice that, now and then a hundred times: Pareto
/// with exponent 1.5, in steps.
fn heavy(least: i64, rng: &mut Rng) -> i64 {
    let bits = rng.bits();
    let octaves = (bits.trailing_zeros() * 2 / 3).min(16);
    let between = i64::try_from(bits >> 54).unwrap_or(0);
    (least + least * between / 1_024) << octaves
}

/// The port of a client.
fn ephemeral(rng: &mut Rng) -> u16 {
    u16::try_from(rng.between(32_768, 60_999)).unwrap_or(40_000)
}

/// What is opened and closed within the window.
fn whole(there: (i64, i64), back: (i64, i64), times_s: (i64, i64)) -> Traffic {
    Traffic { protocol: TCP, there, back, flags: SYN | crate::aws::flow::FIN, times_s }
}

/// Whether it is between two hours of the UTC day.
fn is_between(now_s: i64, hours: (i64, i64)) -> bool {
    (hours.0 * HOUR_S..hours.1 * HOUR_S).contains(&now_s.rem_euclid(DAY_S))
}
