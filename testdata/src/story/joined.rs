//! Stories that CloudTrail and flow logs tell together: a port is opened and somebody comes in, somebody gets a
//! shell and data go out; and what people and pipelines do that looks alike.

use std::net::Ipv4Addr;

use super::scene::Scene;
use super::tools;
use super::victim::Interface;
use super::wire::Traffic;
use super::{Hours, Story, VictimKind};
use crate::aws::api::{network, systems};
use crate::aws::caller::agents::{TERRAFORM, WINDOWS};
use crate::aws::caller::forms::Holder;
use crate::aws::caller::{Caller, Endpoint, Role, Session, User};
use crate::clock::{DAY_S, HOUR_S};
use crate::life::pipelines::{PROVIDER, SESSION};
use crate::places::{
    CITIES, FAR_HOMES, HOSTING_ASIA, HOSTING_EU, MIRRORS, RUNNERS, VPN, of_region,
};

pub(super) const DOOR_OPENED: Story = Story {
    name: "door-opened",
    about: "a stolen key opens a port for its own address, and whoever has it comes in",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 1,
    tell: door_opened,
};
pub(super) const SHELL_AND_OUT: Story = Story {
    name: "shell-and-out",
    about: "a stolen key gets a shell by Session Manager, and data go to a server that nobody knows",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 1,
    tell: shell_and_out,
};
pub(super) const CREDENTIALS_NEXT_DOOR: Story = Story {
    name: "credentials-next-door",
    about: "a machine takes the credentials of its neighbour, and uses them from its own address",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 1,
    tell: credentials_next_door,
};
pub(super) const OWN_DOOR: Story = Story {
    name: "own-door",
    about: "an engineer opens a port for the home address, as every few days, and signs in",
    is_harmless: true,
    victim: VictimKind::Interface,
    hours: Hours::Work,
    days: 1,
    tell: own_door,
};
pub(super) const RELEASE_BY_COMMAND: Story = Story {
    name: "release-by-command",
    about: "a pipeline runs a command on a machine, which fetches the release from a new mirror",
    is_harmless: true,
    victim: VictimKind::Interface,
    hours: Hours::Work,
    days: 1,
    tell: release_by_command,
};

/// Ports that people open for themselves.
const DOORS: [u16; 5] = [22, 3389, 5432, 8888, 5900];

/// A user with a long-lived key.
fn user(scene: &mut Scene<'_>, names: &[&'static str]) -> (User, String) {
    let name = scene.rng.pick(names).copied().unwrap_or("ops");
    let user = User {
        account: scene.victim.account.clone(),
        name: format!("{name}-{}", scene.rng.hex(3)),
        principal: format!("AIDA{}", scene.rng.capitals(17)),
    };
    (user, format!("AKIA{}", scene.rng.capitals(16)))
}

/// A key in other hands: the caller, and the principal that it belongs to.
pub(super) fn thief(scene: &mut Scene<'_>) -> (Caller, String) {
    let (user, key) = user(scene, &["backup", "terraform", "reports", "ops"]);
    let network = scene.rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN, FAR_HOMES]).copied();
    let guise = tools::stranger(network.unwrap_or(VPN), &mut scene.rng);
    (Caller::new(user.with_key(&key), &guise.address, &guise.agent), user.arn())
}

/// Somebody of the organisation at home: the caller, and the principal.
pub(super) fn engineer(scene: &mut Scene<'_>) -> (Caller, String) {
    let (user, key) = user(scene, &["ada", "grace", "linus"]);
    let home = CITIES[0].homes.address(&mut scene.rng).to_string();
    (Caller::new(user.with_key(&key), &home, WINDOWS.command_line), user.arn())
}

fn door_opened(scene: &mut Scene<'_>) {
    let (caller, entity) = thief(scene);
    let group = format!("sg-0{}", scene.rng.hex(16));
    let port = scene.rng.pick(&DOORS).copied().unwrap_or(22);
    scene.step_of("looked-for-a-door", "T1580", &entity);
    scene.who_am_i(&caller);
    scene.wait(5, 60);
    scene.make(&caller, network::describe_security_groups);
    scene.wait(10, 120);
    scene.step_of("door-opened", "T1562.007", &entity);
    let cidr =
        if scene.rng.one_in(3) { "0.0.0.0/0".to_owned() } else { format!("{}/32", caller.address) };
    scene.make(&caller, |at, rng| {
        network::authorize_security_group_ingress(at, &group, port, &cidr, rng)
    });
    scene.wait(30, 900);
    scene.step("came-in", "T1133");
    for _ in 0..scene.rng.between(1, 3) {
        visit(scene, (&caller.address, port));
        scene.wait(20, 600);
    }
}

/// Somebody is logged on for a while.
pub(super) fn session(scene: &mut Scene<'_>) -> Traffic {
    let lasts_s = scene.rng.between(60, 2_400);
    let packets = lasts_s / 2 + scene.rng.between(60, 900);
    let there = (packets, packets * scene.rng.between(80, 200));
    Traffic::tcp(there, (packets, packets * scene.rng.between(150, 900)), lasts_s)
}

/// A session at a port of the interface from an address outside.
fn visit(scene: &mut Scene<'_>, (from, port): (&str, u16)) {
    if let Ok(from) = from.parse() {
        let session = session(scene);
        scene.is_visited((from, port), session);
    }
}

/// The machine tells Systems Manager that it is there, from so many days before on.
pub(super) fn heartbeats(
    scene: &mut Scene<'_>,
    at: &Interface,
    (id, own): (&str, Ipv4Addr),
) -> String {
    let made_up = format!("i-0{}", scene.rng.hex(16));
    let instance = at.instances.get(id).cloned().unwrap_or(made_up);
    let role = Role {
        account: scene.victim.account.clone(),
        path: String::new(),
        name: "managed-instance".to_owned(),
        principal: format!("AROA{}", scene.rng.capitals(17)),
    };
    let address = of_region(scene.victim.region).address(&mut scene.rng).to_string();
    let now_s = scene.now_s;
    scene.now_s = scene.known_since_s.max(now_s - 3 * DAY_S);
    while scene.now_s < now_s {
        let key = format!("ASIA{}", scene.rng.capitals(16));
        let session = Session { name: &instance, key: &key, since_s: scene.now_s - HOUR_S };
        let identity = role.held_by(session, scene.victim.region, &Holder::Instance);
        let agent = Caller::new(identity, &address, "amazon-ssm-agent/3.3.1611.0");
        let own = own.to_string();
        let call = systems::update_instance_information(
            scene.at(),
            &instance,
            &own,
            "3.3.1611.0",
            &mut scene.rng,
        );
        scene.ordinary(&agent, call);
        scene.now_s += scene.rng.between(2 * HOUR_S, 5 * HOUR_S);
    }
    scene.now_s = now_s;
    instance
}

/// What the interface sends to somebody outside, and what comes back.
fn sends(scene: &mut Scene<'_>, (to, bytes, lasts_s): (Ipv4Addr, i64, i64)) {
    let (there, back) = ((bytes / 1_300 + 6, bytes), (bytes / 2_600 + 6, bytes / 40 + 900));
    scene.opens((to.into(), 443), Traffic::tcp(there, back, lasts_s));
}

fn shell_and_out(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let instance = heartbeats(scene, &interface, (&interface.id, interface.address));
    let (caller, entity) = thief(scene);
    scene.step_of("looked-for-a-host", "T1580", &entity);
    scene.who_am_i(&caller);
    scene.wait(5, 60);
    scene.make(&caller, |at, rng| systems::describe_instance_information(at, &instance, rng));
    scene.wait(10, 120);
    scene.step_of("shell-taken", "T1021.007", &entity);
    let session = format!("{}-0{}", entity.rsplit('/').next().unwrap_or("ops"), scene.rng.hex(16));
    if scene.rng.one_in(3) {
        let command = scene.rng.uuid();
        scene.make(&caller, |at, rng| systems::send_command(at, &instance, &command, rng));
    } else {
        scene.make(&caller, |at, rng| systems::start_session(at, &instance, &session, rng));
    }
    scene.wait(60, 420);
    scene.step("data-sent", "T1041");
    let server = scene.server_4();
    for _ in 0..scene.rng.between(1, 4) {
        let bytes = scene.rng.log_normal_between(8e6, 1.2, (400_000, 400_000_000));
        let lasts_s = scene.rng.between(5, 240);
        sends(scene, (server, bytes, lasts_s));
        scene.now_s += lasts_s + scene.rng.between(5, 60);
    }
}

fn credentials_next_door(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let made_up = (format!("{}1", interface.id), interface.next_door(41));
    let has_instance = |(id, _): &&(String, Ipv4Addr)| interface.instances.contains_key(id);
    let neighbour = interface.neighbours.iter().find(has_instance).cloned().unwrap_or(made_up);
    heartbeats(scene, &interface, (&interface.id, interface.address));
    let victim = heartbeats(scene, &interface, (&neighbour.0, neighbour.1));
    // What it serves fetches any URL, that of the metadata service too.
    scene.step("credentials-taken", "T1552.005");
    for _ in 0..scene.rng.between(2, 6) {
        let packets = scene.rng.between(6, 12);
        let fetched = Traffic::tcp((packets, packets * 90), (packets, packets * 180), 2);
        scene.opens((neighbour.1.into(), 8080), fetched);
        scene.wait(3, 40);
    }
    let role = Role {
        account: scene.victim.account.clone(),
        path: String::new(),
        name: "application".to_owned(),
        principal: format!("AROA{}", scene.rng.capitals(17)),
    };
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let session = Session { name: &victim, key: &key, since_s: scene.now_s - HOUR_S };
    let identity = role.held_by(session, scene.victim.region, &Holder::Instance);
    let endpoint = Endpoint {
        id: format!("vpce-{}", scene.rng.hex(17)),
        account: scene.victim.account.clone(),
    };
    let agent = tools::stranger(VPN, &mut scene.rng).agent;
    let caller = Caller::new(identity, &interface.address.to_string(), &agent).through(endpoint);
    scene.step_of("used-next-door", "T1078.004", &role.arn());
    scene.who_am_i(&caller);
    let n = usize::try_from(scene.rng.between(6, 20)).unwrap_or(6);
    scene.look_around(&caller, n, 50);
}

fn own_door(scene: &mut Scene<'_>) {
    let (caller, entity) = engineer(scene);
    let home = caller.address.clone();
    let group = format!("sg-0{}", scene.rng.hex(16));
    let (port, cidr) = (22, format!("{home}/32"));
    let today_s = scene.now_s;
    // What was done on the days before is no part of the truth, but why it is usual.
    scene.now_s = scene.known_since_s.max(today_s - 12 * DAY_S) + HOUR_S;
    while scene.now_s < today_s - DAY_S {
        let call = network::authorize_security_group_ingress(
            scene.at(),
            &group,
            port,
            &cidr,
            &mut scene.rng,
        );
        scene.ordinary(&caller, call);
        scene.now_s += scene.rng.between(60, 600);
        visit(scene, (&home, port));
        scene.now_s += HOUR_S;
        let call =
            network::revoke_security_group_ingress(scene.at(), &group, port, &cidr, &mut scene.rng);
        scene.ordinary(&caller, call);
        scene.now_s += scene.rng.between(1, 3) * DAY_S;
    }
    scene.now_s = today_s;
    scene.step_of("own-door-opened", "T1562.007", &entity);
    scene.make(&caller, |at, rng| {
        network::authorize_security_group_ingress(at, &group, port, &cidr, rng)
    });
    scene.wait(30, 600);
    scene.step("signed-in", "T1133");
    visit(scene, (&home, port));
}

fn release_by_command(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let instance = heartbeats(scene, &interface, (&interface.id, interface.address));
    let role = Role {
        account: scene.victim.account.clone(),
        path: String::new(),
        name: "release".to_owned(),
        principal: format!("AROA{}", scene.rng.capitals(17)),
    };
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let session = Session { name: SESSION, key: &key, since_s: scene.now_s - 60 };
    let runner = RUNNERS.address(&mut scene.rng).to_string();
    let pipeline = Caller::new(role.federated_by(session, PROVIDER), &runner, TERRAFORM);
    scene.step_of("command-run", "T1651", &role.arn());
    let command = scene.rng.uuid();
    scene.make(&pipeline, |at, rng| systems::send_command(at, &instance, &command, rng));
    scene.wait(20, 90);
    scene.step("release-fetched", "T1105");
    let (mirror, lasts_s) = (MIRRORS.address(&mut scene.rng), scene.rng.between(3, 30));
    sends(scene, (mirror, 60_000, lasts_s));
}
