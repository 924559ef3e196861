//! What only flow logs tell and is harmless, though it looks like an attack of `traffic` or `network`: partners, jobs
//! and clients that go about their work, most of them every day.

use std::net::IpAddr;

use super::scene::Scene;
use super::traffic::{asks, of_interface, upload};
use super::victim::Interface;
use super::wire::Traffic;
use super::{Hours, Story, VictimKind};
use crate::clock::{HOUR_S, MINUTE_S};
use crate::places::{CITIES, PARTNERS, of_region};

const fn harmless(
    about: (&'static str, &'static str),
    hours: Hours,
    tell: fn(&mut Scene<'_>),
) -> Story {
    of_interface(about, (true, hours), tell)
}

pub(super) const FILE_DROP: Story = harmless(
    ("file-drop", "a partner delivers files by SFTP all day, as every day"),
    Hours::Work,
    file_drop,
);
pub(super) const CONFIGURATION_RUN: Story = harmless(
    ("configuration-run", "a machine configures its neighbours by SSH, as every night"),
    Hours::Night,
    configuration_run,
);
pub(super) const MESSAGE_BROKER: Story = harmless(
    ("message-broker", "a machine keeps its connection to a broker open, as every day"),
    Hours::Work,
    message_broker,
);
pub(super) const PUBLIC_RESOLVER: Story = harmless(
    ("public-resolver", "a container asks a public resolver, as it is set up to"),
    Hours::Work,
    public_resolver,
);
pub(super) const LOAD_TEST: Story = harmless(
    ("load-test", "a team loads its own site for some minutes, and a minute of it is not logged"),
    Hours::Work,
    load_test,
);
pub(super) const MAIL_RELAY: Story = harmless(
    ("mail-relay", "a machine hands its mail to two relays, as every day"),
    Hours::Work,
    mail_relay,
);
pub(super) const ORPHANED_CLIENT: Story = harmless(
    ("orphaned-client", "a client calls a service that was taken away, and is refused"),
    Hours::Work,
    orphaned_client,
);
pub(super) const PEERED_REPORT: Story = harmless(
    ("peered-report", "a report reads a database of a peered network, as every morning"),
    Hours::Work,
    peered_report,
);
pub(super) const PARTNER_OUTAGE: Story = harmless(
    ("partner-outage", "a partner that is called every day does not answer for an hour"),
    Hours::Work,
    partner_outage,
);
pub(super) const NIGHTLY_BACKUP: Story = harmless(
    ("nightly-backup", "a machine is copied to a provider of backups, as every night"),
    Hours::Night,
    nightly_backup,
);
pub(super) const AGENT_REPORTS: Story = harmless(
    ("agent-reports", "a monitoring agent reports to its maker every five minutes, as every day"),
    Hours::Work,
    agent_reports,
);
pub(super) const PLAIN_CACHE: Story = Story {
    victim: VictimKind::EncryptedInterface,
    ..harmless(
        ("plain-cache", "a machine asks a cache in clear text, as every day"),
        Hours::Work,
        plain_cache,
    )
};

/// Looks like passwords that are guessed: many connections to port 22 from one address outside.
fn file_drop(scene: &mut Scene<'_>) {
    let partner = CITIES[2].business.address(&mut scene.rng).into();
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("files-delivered", "T1110.001");
        }
        for _ in 0..scene.rng.between(24, 36) {
            let bytes = scene.rng.log_normal_between(600e3, 1.2, (60_000, 60_000_000));
            let (sent, got) = (bytes / 1_400 + 20, bytes / 2_800 + 20);
            let lasts_s = 2 + bytes / 4_000_000;
            let file = Traffic::tcp((sent, bytes), (got, 3_000 + got * 52), lasts_s);
            scene.is_visited((partner, 22), file);
            scene.now_s += lasts_s + scene.rng.between(120, 900);
        }
    });
}

/// Looks like a worm: SSH to every neighbour within minutes.
fn configuration_run(scene: &mut Scene<'_>) {
    let Some(at) = scene.victim.interface.as_ref() else { return };
    let near: Vec<_> = at.near().into_iter().take(8).collect();
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("neighbours-configured", "T1021.004");
        }
        for other in &near {
            let (sent, got) = (scene.rng.between(200, 600), scene.rng.between(200, 600));
            let there = (sent, sent * scene.rng.between(90, 260));
            let back = (got, got * scene.rng.between(120, 420));
            let lasts_s = scene.rng.between(10, 40);
            scene.opens_near(other, (22, Traffic::tcp(there, back, lasts_s)));
            scene.now_s += scene.rng.between(5, 60);
        }
    });
}

/// Looks like a miner or a tunnel: one connection for hours, of which little is heard (MQTT by TLS, a ping a minute).
fn message_broker(scene: &mut Scene<'_>) {
    let broker = (scene.server(), 8883);
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("connection-kept", "T1572");
        }
        let lasts_s = scene.rng.between(6 * HOUR_S, 9 * HOUR_S);
        let n = lasts_s / MINUTE_S * scene.rng.between(2, 5);
        let traffic = Traffic::tcp((n, n * 84), (n, n * 90), lasts_s);
        scene.opens(broker, traffic);
    });
}

/// Looks like malware that goes past the resolver of the VPC. Those of Google are what many images come with.
fn public_resolver(scene: &mut Scene<'_>) {
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("names-asked", "T1071.004");
        }
        for _ in 0..scene.rng.between(30, 60) {
            let rng = &mut scene.rng;
            let asked = Traffic::udp((1, rng.between(60, 90)), (1, rng.between(90, 320)), 0);
            let which = if rng.one_in(4) { [8, 8, 4, 4] } else { [8, 8, 8, 8] };
            scene.opens((IpAddr::from(which), 53), asked);
            scene.now_s += scene.rng.between(20, 900);
        }
    });
}

/// Looks like a flood: as many packets, but answered. Each connection asks some times a second.
fn load_test(scene: &mut Scene<'_>) {
    let site = (PARTNERS.address(&mut scene.rng).into(), 443);
    let lasts_s = scene.rng.between(8 * MINUTE_S, 15 * MINUTE_S);
    scene.step("site-loaded", "T1498.001");
    for _ in 0..scene.rng.between(60, 120) {
        let n = lasts_s * scene.rng.between(2, 4);
        let (there, back) = ((3 * n, 3 * n * 160), (4 * n, 4 * n * 700));
        scene.opens(site, Traffic::tcp(there, back, lasts_s));
    }
    scene.now_s += lasts_s;
    scene.lose(MINUTE_S);
}

/// Looks like spam: mail all day long, but to whom it is always handed.
fn mail_relay(scene: &mut Scene<'_>) {
    let network = of_region(scene.victim.region);
    let relays = [network.address(&mut scene.rng), network.address(&mut scene.rng)];
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("mail-handed-over", "T1496.003");
        }
        for _ in 0..scene.rng.between(40, 90) {
            let relay = scene.rng.pick(&relays).copied().unwrap_or(relays[0]);
            let (sent, got) = (scene.rng.between(20, 60), scene.rng.between(16, 30));
            let there = (sent, sent * scene.rng.between(160, 900));
            let mail = Traffic::tcp(there, (got, 3_000 + got * 70), scene.rng.between(1, 6));
            scene.opens((relay.into(), 587), mail);
            scene.now_s += scene.rng.between(10, 600);
        }
    });
}

/// Looks like a worm that is walled in: refused all day, but on the way to one service.
fn orphaned_client(scene: &mut Scene<'_>) {
    let Some(at) = scene.victim.interface.as_ref() else { return };
    let gone = IpAddr::V4(at.next_door(300));
    let pause_s = scene.rng.between(10, 25);
    let end_s = scene.now_s + scene.rng.between(2 * HOUR_S, 5 * HOUR_S);
    scene.step("refused", "T1018");
    while scene.now_s < end_s {
        let n = scene.rng.between(1, 3);
        scene.opens((gone, 8_080), Traffic::refused(n));
        scene.now_s += pause_s + scene.rng.between(0, 4);
    }
}

/// Looks like somebody who crosses into another network, but does so every morning.
fn peered_report(scene: &mut Scene<'_>) {
    let database = (IpAddr::from([10, 252, 7, 20]), 5432);
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("peered-database-read", "T1021");
        }
        for _ in 0..scene.rng.between(4, 12) {
            let (sent, got) = (scene.rng.between(20, 200), scene.rng.between(40, 900));
            let read =
                Traffic::tcp((sent, sent * 90), (got, got * 1_100), scene.rng.between(2, 50));
            scene.opens(database, read);
            scene.now_s += scene.rng.between(10, 180);
        }
    });
}

/// Looks like malware whose server was taken down: a client that does not back off.
fn partner_outage(scene: &mut Scene<'_>) {
    let partner = (PARTNERS.address(&mut scene.rng).into(), 443);
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("partner-called", "T1008");
        }
        for _ in 0..scene.rng.between(20, 40) {
            let n = scene.rng.between(9, 40);
            let asked = Traffic::tcp((n, n * 130), (n, n * 420), scene.rng.between(0, 4));
            scene.opens(partner, asked);
            scene.now_s += scene.rng.between(20, 400);
        }
        let back_s = scene.now_s + if is_today { HOUR_S } else { 0 };
        while scene.now_s < back_s {
            let n = scene.rng.between(1, 3);
            scene.opens(partner, Traffic::in_vain(n));
            scene.now_s += scene.rng.between(10, 18);
        }
    });
}

/// Looks like data that leave: gigabytes to one address outside, as every night.
fn nightly_backup(scene: &mut Scene<'_>) {
    let provider = scene.server();
    let usual_bytes = scene.rng.between(1_500_000_000, 4_000_000_000);
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("backup-sent", "T1567.002");
        }
        let bytes = scene.rng.between(usual_bytes * 9 / 10, usual_bytes * 11 / 10);
        let lasts_s = scene.rng.between(20 * MINUTE_S, 35 * MINUTE_S);
        upload(scene, provider, (bytes, lasts_s));
    });
}

/// Looks like a beacon: as regular as a clock, and always as much.
fn agent_reports(scene: &mut Scene<'_>) {
    let maker = (scene.server(), 443);
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("reported", "T1071.001");
        }
        for _ in 0..96 {
            let n = scene.rng.between(10, 14);
            let report = Traffic::tcp((n, 1_400 + n * 60), (n, 3_600 + n * 40), 1);
            scene.opens(maker, report);
            scene.now_s += 5 * MINUTE_S + scene.rng.between(-3, 3);
        }
    });
}

/// Looks like encryption that is lost, but there never was any.
fn plain_cache(scene: &mut Scene<'_>) {
    let near = scene.victim.interface.as_ref().map(Interface::near).unwrap_or_default();
    let Some(cache) = scene.rng.pick(&near).cloned() else { return };
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("cache-asked", "T1557");
        }
        asks(scene, (&cache, 11_211), true);
    });
}
