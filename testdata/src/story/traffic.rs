//! Attacks that only flow logs tell. Each has a twin in `habits`, which is like it and harmless; the two uploads share one.
//!
//! How much and how fast: MITRE ATT&CK's pages of the techniques for what is done; of passwords that are tried, what a
//! server on the internet was watched to get in 2024 (`life/network/outside.rs`); of the rest, what the protocols and
//! tools do by themselves, which stands at each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::joined::session;
use super::scene::Scene;
use super::victim::Interface;
use super::wire::{Neighbour, Traffic};
use super::{Hours, Story, VictimKind};
use crate::aws::flow::{TCP, UDP};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::places::{CITIES, FAR_HOMES};
use crate::rng::Rng;

/// A story of an interface.
pub(super) const fn of_interface(
    (name, about): (&'static str, &'static str),
    (is_harmless, hours): (bool, Hours),
    tell: fn(&mut Scene<'_>),
) -> Story {
    // What begins in the evening may end on the next day.
    Story { name, about, is_harmless, victim: VictimKind::Interface, hours, days: 2, tell }
}

const fn attack(about: (&'static str, &'static str), tell: fn(&mut Scene<'_>)) -> Story {
    of_interface(about, (false, Hours::Any), tell)
}

pub(super) const PASSWORD_GUESSING: Story = attack(
    ("password-guessing", "somebody outside guesses the password of a machine, and stays"),
    password_guessing,
);
pub(super) const SSH_WORM: Story =
    attack(("ssh-worm", "a machine tries passwords at hosts all over the internet"), ssh_worm);
pub(super) const CRYPTO_MINER: Story =
    attack(("crypto-miner", "a machine mines for a pool, for hours"), crypto_miner);
pub(super) const FOREIGN_RESOLVER: Story = attack(
    ("foreign-resolver", "malware asks a public resolver for names, past that of the VPC"),
    foreign_resolver,
);
pub(super) const FLOOD: Story = attack(
    ("flood", "a machine floods somebody, until its flows can no longer be logged in full"),
    flood,
);
pub(super) const SPAM: Story =
    attack(("spam", "a machine sends mail straight to the servers of many domains"), spam);
pub(super) const WALLED_IN_WORM: Story = attack(
    ("walled-in-worm", "a worm tries its whole network, and nothing of it is let out"),
    walled_in_worm,
);
pub(super) const NETWORK_CROSSING: Story = attack(
    ("network-crossing", "a machine logs on to hosts of a peered network that it never called"),
    network_crossing,
);
pub(super) const DEAD_SERVER: Story = attack(
    ("dead-server", "malware calls a command server that was taken down, again and again"),
    dead_server,
);
pub(super) const BULK_UPLOAD: Story =
    attack(("bulk-upload", "a machine sends gigabytes to a server that nobody knows"), bulk_upload);

pub(super) const SLOW_UPLOAD: Story = Story {
    days: 6,
    ..attack(
        ("slow-upload", "a machine sends some megabytes at a time to a new server, for days"),
        slow_upload,
    )
};
pub(super) const ENCRYPTION_LOST: Story = Story {
    victim: VictimKind::EncryptedInterface,
    ..attack(
        ("encryption-lost", "what a machine asks its neighbour goes in clear text all at once"),
        encryption_lost,
    )
};

/// A password that is wrong, by SSH or RDP: handshake, question, answer, end.
fn attempt(rng: &mut Rng) -> Traffic {
    let there = (rng.between(10, 16), 1_500 + 32 * rng.between(0, 20));
    let back = (rng.between(11, 16), 2_200 + 36 * rng.between(11, 16));
    Traffic::tcp(there, back, rng.between(1, 9))
}

/// A server takes some seconds to say no, and attackers with patience wait a while themselves.
fn password_guessing(scene: &mut Scene<'_>) {
    let from = scene.server();
    let port = scene.rng.pick(&[22, 22, 3389]).copied().unwrap_or(22);
    scene.step("passwords-guessed", "T1110.001");
    for _ in 0..scene.rng.between(150, 400) {
        let attempt = attempt(&mut scene.rng);
        scene.is_visited((from, port), attempt);
        scene.wait(2, 6);
    }
    scene.wait(30, 300);
    scene.step("came-in", "T1021");
    for _ in 0..scene.rng.between(1, 3) {
        let session = session(scene);
        scene.is_visited((from, port), session);
        scene.wait(60, 600);
    }
}

/// Worms have a list of some passwords, and go on to the next host when it is through.
fn ssh_worm(scene: &mut Scene<'_>) {
    scene.step("logons-tried-elsewhere", "T1110.003");
    for _ in 0..scene.rng.between(40, 80) {
        let is_at_home = scene.rng.one_in(2);
        let target = if is_at_home { FAR_HOMES.address(&mut scene.rng) } else { scene.server_4() };
        let target = (IpAddr::V4(target), 22);
        if scene.rng.one_in(2) {
            let n = scene.rng.between(1, 4);
            scene.opens(target, Traffic::in_vain(n));
        } else {
            for _ in 0..scene.rng.between(4, 12) {
                let attempt = attempt(&mut scene.rng);
                scene.opens(target, attempt);
                scene.now_s += scene.rng.between(1, 4);
            }
        }
        scene.wait(0, 4);
    }
}

/// Stratum: one connection that stays; a job every half a minute or so, a share of the work when one is found.
fn crypto_miner(scene: &mut Scene<'_>) {
    let pool = scene.server();
    let port = scene.rng.pick(&[3333, 5555, 7777, 14_444, 45_700]).copied().unwrap_or(3333);
    let end_s = scene.now_s + scene.rng.between(8 * HOUR_S, 20 * HOUR_S);
    scene.step("mined", "T1496.001");
    while scene.now_s < end_s {
        let lasts_s = scene.rng.between(5 * HOUR_S, 9 * HOUR_S);
        let (sent, got) = (scene.rng.between(3, 9), scene.rng.between(3, 9));
        let (sent, got) = (lasts_s / MINUTE_S * sent, lasts_s / MINUTE_S * got);
        let there = (sent, sent * scene.rng.between(70, 160));
        let back = (got, got * scene.rng.between(90, 320));
        scene.opens((pool, port), Traffic::tcp(there, back, lasts_s));
        scene.now_s += lasts_s + scene.rng.between(5, 90);
    }
}

/// Resolvers that are there for everybody: Quad9, Cloudflare, `AdGuard`.
const RESOLVERS: [([u8; 4], [u16; 8]); 3] = [
    ([9, 9, 9, 9], [0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe]),
    ([1, 1, 1, 1], [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111]),
    ([94, 140, 14, 14], [0x2a10, 0x50c0, 0, 0, 0, 0, 0xad1, 0xff]),
];

/// In the clear (RFC 1035), by TLS (RFC 7858) or by HTTPS (RFC 8484), some names at a time.
fn foreign_resolver(scene: &mut Scene<'_>) {
    let (v4, v6) = scene.rng.pick(&RESOLVERS).copied().unwrap_or(RESOLVERS[0]);
    // Whether it is asked by IPv6 is drawn as for any server.
    let is_6 = scene.server().is_ipv6();
    let resolver = if is_6 { Ipv6Addr::from(v6).into() } else { IpAddr::from(Ipv4Addr::from(v4)) };
    let port = scene.rng.pick(&[53, 853, 443]).copied().unwrap_or(53);
    scene.step("names-asked-elsewhere", "T1071.004");
    for _ in 0..scene.rng.between(40, 160) {
        let rng = &mut scene.rng;
        let asked = if port == 53 {
            Traffic::udp((1, rng.between(60, 110)), (1, rng.between(90, 480)), 0)
        } else {
            let (sent, got) = (rng.between(9, 14), rng.between(8, 13));
            let back = (got, 3_200 + got * rng.between(60, 200));
            Traffic::tcp((sent, 900 + sent * rng.between(50, 90)), back, rng.between(0, 12))
        };
        scene.opens((resolver, port), asked);
        scene.now_s += scene.rng.between(3, 240);
    }
}

/// What one machine sends: tens of thousands of packets a second, with data by UDP or openings by TCP. From some
/// minutes on AWS can no longer log all of it.
fn flood(scene: &mut Scene<'_>) {
    let victim = scene.server();
    let kinds = [(UDP, 53, 70), (UDP, 80, 540), (UDP, 27_015, 1_050), (TCP, 443, 60)];
    let (protocol, port, packet_bytes) = scene.rng.pick(&kinds).copied().unwrap_or(kinds[0]);
    let a_second = scene.rng.between(20_000, 90_000);
    let n_sockets = scene.rng.between(4, 16);
    scene.step("flooded", "T1498.001");
    for _ in 0..scene.rng.between(4, 10) {
        for _ in 0..n_sockets {
            let n = a_second * MINUTE_S / n_sockets;
            let sent = (n, n * packet_bytes);
            let of = if protocol == UDP { Traffic::udp } else { Traffic::tcp };
            scene.opens((victim, port), of(sent, (0, 0), MINUTE_S - 1));
        }
        scene.now_s += MINUTE_S;
    }
    let lost_s = scene.rng.between(20 * MINUTE_S, 45 * MINUTE_S);
    scene.lose(lost_s);
}

/// SMTP to whoever takes mail for a domain. Machines have no address of IPv6 with a name, which these ask for.
fn spam(scene: &mut Scene<'_>) {
    scene.step("mail-sent", "T1496.003");
    for _ in 0..scene.rng.between(60, 140) {
        let city = scene.rng.pick(&CITIES).copied().unwrap_or(CITIES[0]);
        let rented = scene.rng.one_in(2);
        let server = if rented { scene.server_4() } else { city.business.address(&mut scene.rng) };
        let (sent, got) = (scene.rng.between(14, 30), scene.rng.between(12, 22));
        let there = (sent, sent * scene.rng.between(140, 320));
        let lasts_s = scene.rng.between(1, 12);
        let mail = Traffic::tcp(there, (got, got * scene.rng.between(70, 110)), lasts_s);
        scene.opens((server.into(), 25), mail);
        scene.wait(3, 20);
    }
}

/// Address by address, at the ports by which worms move; its own security group lets nothing out.
fn walled_in_worm(scene: &mut Scene<'_>) {
    let Some(at) = scene.victim.interface.as_ref() else { return };
    let port = scene.rng.pick(&[445, 445, 3389, 22]).copied().unwrap_or(445);
    scene.step("neighbours-tried", "T1018");
    for n in 1..=scene.rng.between(180, 500) {
        let target = at.next_door(u32::try_from(n).unwrap_or(1));
        if target != at.address {
            let n = scene.rng.between(1, 3);
            scene.opens((target.into(), port), Traffic::refused(n));
            scene.now_s += scene.rng.between(0, 4);
        }
    }
}

/// Some hosts of another VPC, by a peering that is open wider than it has to be.
fn network_crossing(scene: &mut Scene<'_>) {
    let port = scene.rng.pick(&[22, 22, 3389]).copied().unwrap_or(22);
    let third = u8::try_from(scene.rng.between(1, 200)).unwrap_or(1);
    scene.step("crossed-over", "T1021");
    for _ in 0..scene.rng.between(3, 6) {
        let last = u8::try_from(scene.rng.between(5, 250)).unwrap_or(5);
        let target = (IpAddr::from([10, 251, third, last]), port);
        for _ in 0..scene.rng.between(2, 5) {
            let (sent, got) = (scene.rng.between(20, 200), scene.rng.between(40, 900));
            let back = (got, got * scene.rng.between(400, 1_380));
            let lasts_s = scene.rng.between(2, 50);
            scene.opens(target, Traffic::tcp((sent, sent * 90), back, lasts_s));
            scene.wait(10, 120);
        }
    }
}

/// It tries anew every some seconds, with jitter, and does not give up.
fn dead_server(scene: &mut Scene<'_>) {
    let server = (scene.server(), scene.rng.pick(&[443, 8080, 4444, 8443]).copied().unwrap_or(443));
    let pause_s = scene.rng.between(8, 20);
    let end_s = scene.now_s + scene.rng.between(HOUR_S, 3 * HOUR_S);
    scene.step("called-in-vain", "T1008");
    while scene.now_s < end_s {
        let n = scene.rng.between(1, 3);
        scene.opens(server, Traffic::in_vain(n));
        scene.now_s += pause_s + scene.rng.between(0, pause_s / 3);
    }
}

/// Connections side by side, as tools that copy to other people's storage have four.
pub(super) fn upload(scene: &mut Scene<'_>, server: IpAddr, (bytes, lasts_s): (i64, i64)) {
    const AT_ONCE: i64 = 4;
    for _ in 0..AT_ONCE {
        let bytes = bytes / AT_ONCE;
        let (sent, got) = (bytes / 1_400 + 8, bytes / 2_800 + 8);
        scene.opens((server, 443), Traffic::tcp((sent, bytes), (got, got * 52), lasts_s));
    }
    scene.now_s += lasts_s;
}

fn bulk_upload(scene: &mut Scene<'_>) {
    let server = scene.server();
    scene.step("data-uploaded", "T1567.002");
    for _ in 0..scene.rng.between(1, 3) {
        let bytes = scene.rng.log_normal_between(8e9, 0.6, (2_000_000_000, 40_000_000_000));
        let lasts_s = scene.rng.between(20 * MINUTE_S, 50 * MINUTE_S);
        upload(scene, server, (bytes, lasts_s));
        scene.wait(30, 600);
    }
}

/// Never much at a time, and never nothing, as tools do that are told to keep below a rate.
fn slow_upload(scene: &mut Scene<'_>) {
    let server = scene.server();
    let end_s = scene.now_s + scene.rng.between(4, 5) * DAY_S;
    scene.step("data-uploaded-slowly", "T1030");
    while scene.now_s < end_s {
        let bytes = scene.rng.between(20_000_000, 45_000_000);
        let lasts_s = scene.rng.between(60, 240);
        upload(scene, server, (bytes, lasts_s));
        scene.now_s += scene.rng.between(10 * MINUTE_S, 20 * MINUTE_S);
    }
}

/// A service of a neighbour that is asked some times an hour.
pub(super) fn asks(scene: &mut Scene<'_>, (other, port): (&Neighbour, u16), is_clear: bool) {
    for _ in 0..scene.rng.between(6, 20) {
        let (sent, got) = (scene.rng.between(12, 80), scene.rng.between(12, 200));
        let asked = Traffic::tcp((sent, sent * 120), (got, got * 600), scene.rng.between(0, 20));
        let asked = if is_clear { asked.in_clear() } else { asked };
        scene.opens_near(other, (port, asked));
        scene.now_s += scene.rng.between(60, 600);
    }
}

/// Somebody moved the neighbour to where its packets can be read on the way.
fn encryption_lost(scene: &mut Scene<'_>) {
    let near = scene.victim.interface.as_ref().map(Interface::near).unwrap_or_default();
    let Some(other) = scene.rng.pick(&near).cloned() else { return };
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step("asked-in-clear-text", "T1557");
        }
        asks(scene, (&other, 9_092), is_today);
    });
}
