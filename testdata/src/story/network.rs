//! Stories that only packets tell: a scan and what comes after, a beacon, and a scanner at work.

use std::net::Ipv4Addr;

use super::scene::{Packets, Scene};
use super::{Hours, Story, VictimKind};
use crate::aws::flow::{FIN, SYN, TCP};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::places::{HOSTING_ASIA, HOSTING_EU, VPN};

pub(super) const PORT_SCAN: Story = Story {
    name: "port-scan",
    about: "a machine scans its VPC, then signs in to what answered",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 1,
    tell: port_scan,
};
pub(super) const BEACON: Story = Story {
    name: "beacon",
    about: "a machine calls home every few minutes, with a little jitter",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 2,
    tell: beacon,
};
pub(super) const VULNERABILITY_SCAN: Story = Story {
    name: "vulnerability-scan",
    about: "the owner's scanner tries every port of every machine",
    is_harmless: true,
    victim: VictimKind::Interface,
    hours: Hours::Work,
    days: 1,
    tell: vulnerability_scan,
};

/// An interface of the same VPC.
type Neighbour = (String, Ipv4Addr);

/// Ports that people look for first.
const PORTS: [u16; 20] = [
    22, 3389, 445, 5985, 3306, 5432, 6379, 27_017, 9200, 8080, 80, 443, 21, 23, 25, 110, 139, 1433,
    2049, 8443,
];

/// The interface, and its neighbours; where none are known, two that are made up.
fn ends(scene: &Scene<'_>) -> Option<(String, Ipv4Addr, Vec<Neighbour>)> {
    let interface = scene.victim.interface.as_ref()?;
    let mut neighbours = interface.neighbours.clone();
    if neighbours.is_empty() {
        let base = u32::from(interface.address) & 0xffff_ff00;
        let id = |n: u32| (format!("{}{n}", interface.id), Ipv4Addr::from(base + 40 + n));
        neighbours = (0..2).map(id).collect();
    }
    Some((interface.id.clone(), interface.address, neighbours))
}

/// One connection that begins now, of `packets` and `bytes` there and `back` bytes back.
fn connection(
    scene: &mut Scene<'_>,
    interface: &str,
    (from, to): ((Ipv4Addr, u16), (Ipv4Addr, u16)),
    (packets, bytes, lasts_s): (i64, i64, i64),
) -> Packets {
    let start_s = scene.now_s;
    let flow = Packets {
        interface: interface.to_owned(),
        from: (from.0.into(), from.1),
        to: (to.0.into(), to.1),
        protocol: TCP,
        // Who gets no further than one packet has opened and no more.
        tcp_flags: if packets > 1 { SYN | FIN } else { SYN },
        packets,
        bytes,
        start_s,
        end_s: start_s + lasts_s,
        accepted: true,
        beyond: None,
    };
    scene.flow(flow.clone());
    flow
}

pub(super) fn ephemeral(scene: &mut Scene<'_>) -> u16 {
    u16::try_from(scene.rng.between(32_768, 60_999)).unwrap_or(40_000)
}

/// Tries `ports` of every neighbour; few answer.
fn sweep(scene: &mut Scene<'_>, ports: &[u16], open: u16) -> Option<Vec<(String, Ipv4Addr)>> {
    let (interface, address, neighbours) = ends(scene)?;
    let mut answered = Vec::new();
    for (other, target) in neighbours {
        let answers = answered.is_empty() || scene.rng.one_in(3);
        for &port in ports {
            if scene.rng.one_in(4) {
                scene.wait(0, 2);
            }
            let source = (address, ephemeral(scene));
            let lasts_s = scene.rng.between(0, 20);
            let way = (source, (target, port));
            let probe = connection(scene, &interface, way, (1, 44, lasts_s));
            let is_open = answers && port == open;
            if is_open {
                scene.flow(probe.answer(1, 44));
            }
            // The other side's own record of it.
            scene.flow(Packets { interface: other.clone(), accepted: is_open, ..probe });
        }
        if answers {
            answered.push((other, target));
        }
    }
    Some(answered)
}

fn port_scan(scene: &mut Scene<'_>) {
    scene.step("ports-scanned", "T1046");
    let n = usize::try_from(scene.rng.between(8, 20)).unwrap_or(8);
    let ports: Vec<u16> = PORTS.into_iter().take(n).collect();
    let open = if scene.rng.one_in(3) { 3389 } else { 22 };
    let Some(answered) = sweep(scene, &ports, open) else { return };
    let Some((interface, address, _)) = ends(scene) else { return };
    scene.wait(120, 900);
    scene.step("moved-on", "T1021.004");
    for (other, target) in answered.into_iter().take(4) {
        for _ in 0..scene.rng.between(2, 7) {
            scene.wait(20, 200);
            let source = (address, ephemeral(scene));
            let sent = (scene.rng.between(30, 900), scene.rng.between(5_000, 200_000), 55);
            let there = connection(scene, &interface, (source, (target, open)), sent);
            let back = there.answer(sent.0, sent.1 * 3);
            scene.flow(back.clone());
            scene.flow(Packets { interface: other.clone(), ..there });
            scene.flow(Packets { interface: other.clone(), ..back });
        }
    }
}

fn beacon(scene: &mut Scene<'_>) {
    let Some((interface, address, _)) = ends(scene) else { return };
    let network = scene.rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN]).copied().unwrap_or(VPN);
    let home = network.address(&mut scene.rng);
    let port = scene.rng.pick(&[443, 443, 8443, 80, 4444]).copied().unwrap_or(443);
    let period_s = scene.rng.between(MINUTE_S, 10 * MINUTE_S);
    let end_s = scene.now_s + scene.rng.between(12 * HOUR_S, DAY_S + 12 * HOUR_S);
    scene.step("called-home", "T1071.001");
    while scene.now_s < end_s {
        let source = (address, ephemeral(scene));
        let (packets, bytes) = (scene.rng.between(6, 9), scene.rng.between(480, 720));
        let lasts_s = scene.rng.between(0, 3);
        let way = (source, (home, port));
        let there = connection(scene, &interface, way, (packets, bytes, lasts_s));
        scene.flow(there.answer(packets, bytes + 140));
        let jitter_s = period_s / 10;
        scene.now_s += period_s + scene.rng.between(-jitter_s, jitter_s);
    }
}

fn vulnerability_scan(scene: &mut Scene<'_>) {
    scene.step("ports-scanned-by-the-owner", "T1046");
    let open = PORTS[0];
    for _ in 0..scene.rng.between(1, 3) {
        let _answered = sweep(scene, &PORTS, open);
        scene.wait(HOUR_S / 4, HOUR_S / 2);
    }
}
