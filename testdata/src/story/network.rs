//! Stories that only packets tell: a scan and what comes after, a beacon, and a scanner at work.

use super::scene::Scene;
use super::victim::Interface;
use super::wire::{Neighbour, Traffic};
use super::{Hours, Story, VictimKind};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};

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

/// Ports that people look for first.
const PORTS: [u16; 20] = [
    22, 3389, 445, 5985, 3306, 5432, 6379, 27_017, 9200, 8080, 80, 443, 21, 23, 25, 110, 139, 1433,
    2049, 8443,
];

/// Tries `ports` of every neighbour; few answer, and those are told.
fn sweep(scene: &mut Scene<'_>, ports: &[u16], open: u16) -> Vec<Neighbour> {
    let near = scene.victim.interface.as_ref().map(Interface::near).unwrap_or_default();
    let mut answered = Vec::new();
    for other in near {
        let answers = answered.is_empty() || scene.rng.one_in(3);
        for &port in ports {
            if scene.rng.one_in(4) {
                scene.wait(0, 2);
            }
            scene.probes(&other, (port, answers && port == open));
        }
        if answers {
            answered.push(other);
        }
    }
    answered
}

fn port_scan(scene: &mut Scene<'_>) {
    scene.step("ports-scanned", "T1046");
    let n = usize::try_from(scene.rng.between(8, 20)).unwrap_or(8);
    let ports: Vec<u16> = PORTS.into_iter().take(n).collect();
    let open = if scene.rng.one_in(3) { 3389 } else { 22 };
    let answered = sweep(scene, &ports, open);
    scene.wait(120, 900);
    scene.step("moved-on", "T1021.004");
    for other in answered.into_iter().take(4) {
        for _ in 0..scene.rng.between(2, 7) {
            scene.wait(20, 200);
            let sent = (scene.rng.between(30, 900), scene.rng.between(5_000, 200_000));
            let session = Traffic::tcp(sent, (sent.0, sent.1 * 3), 55);
            scene.opens_near(&other, (open, session));
        }
    }
}

fn beacon(scene: &mut Scene<'_>) {
    let home = scene.server_4();
    let port = scene.rng.pick(&[443, 443, 8443, 80, 4444]).copied().unwrap_or(443);
    let period_s = scene.rng.between(MINUTE_S, 10 * MINUTE_S);
    let end_s = scene.now_s + scene.rng.between(12 * HOUR_S, DAY_S + 12 * HOUR_S);
    scene.step("called-home", "T1071.001");
    while scene.now_s < end_s {
        let (packets, bytes) = (scene.rng.between(6, 9), scene.rng.between(480, 720));
        let lasts_s = scene.rng.between(0, 3);
        let report = Traffic::tcp((packets, bytes), (packets, bytes + 140), lasts_s);
        scene.opens((home.into(), port), report);
        let jitter_s = period_s / 10;
        scene.now_s += period_s + scene.rng.between(-jitter_s, jitter_s);
    }
}

fn vulnerability_scan(scene: &mut Scene<'_>) {
    scene.step("ports-scanned-by-the-owner", "T1046");
    let open = PORTS[0];
    for _ in 0..scene.rng.between(1, 3) {
        sweep(scene, &PORTS, open);
        scene.wait(HOUR_S / 4, HOUR_S / 2);
    }
}
