//! Much that a machine reads from S3, in both logs: by somebody who took it over, and by the machine's own work.

use std::net::Ipv4Addr;

use super::joined::heartbeats;
use super::scene::Scene;
use super::tools;
use super::victim::Interface;
use super::wire::Traffic;
use super::{Hours, Story, VictimKind};
use crate::aws::api::s3;
use crate::aws::caller::forms::Holder;
use crate::aws::caller::{Caller, Endpoint, Role, Session};
use crate::clock::HOUR_S;
use crate::places::{VPN, of_region};

pub(super) const BULK_READ: Story = Story {
    name: "bulk-read",
    about: "a machine that was taken over reads a bucket with its own role, object by object",
    is_harmless: false,
    victim: VictimKind::Interface,
    hours: Hours::Any,
    days: 1,
    tell: bulk_read,
};
pub(super) const DAILY_LOAD: Story = Story {
    name: "daily-load",
    about: "a machine loads the data of the day from S3, as on every day",
    is_harmless: true,
    victim: VictimKind::Interface,
    hours: Hours::Work,
    days: 1,
    tell: daily_load,
};

/// A machine's role, as it calls from its own address through an endpoint.
struct Machine {
    role: Role,
    instance: String,
    address: String,
    endpoint: Endpoint,
}

impl Machine {
    fn of(scene: &mut Scene<'_>, at: &Interface, role: &str) -> Self {
        let instance = heartbeats(scene, at, (&at.id, at.address));
        let account = scene.victim.account.clone();
        let role = Role {
            account: account.clone(),
            path: String::new(),
            name: role.to_owned(),
            principal: format!("AROA{}", scene.rng.capitals(17)),
        };
        let endpoint = Endpoint { id: format!("vpce-{}", scene.rng.hex(17)), account };
        Self { role, instance, address: at.address.to_string(), endpoint }
    }

    fn caller(&self, scene: &mut Scene<'_>, agent: &str) -> Caller {
        let key = format!("ASIA{}", scene.rng.capitals(16));
        let session = Session { name: &self.instance, key: &key, since_s: scene.now_s - HOUR_S };
        let identity = self.role.held_by(session, scene.victim.region, &Holder::Instance);
        Caller::new(identity, &self.address, agent).through(self.endpoint.clone())
    }
}

/// What an object of so many bytes is on the wire. It comes by an endpoint in the VPC.
fn transfer(scene: &mut Scene<'_>, (from, bytes, lasts_s): (Ipv4Addr, i64, i64)) {
    let asked = (bytes / 2_900 + 8, bytes / 50 + 1_800);
    // Headers of packets come on top of what S3 counts.
    let answer = (bytes / 1_448 + 8, bytes + bytes / 36 + 5_200);
    scene.opens_by_endpoint((from.into(), 443), Traffic::tcp(asked, answer, lasts_s));
}

fn bulk_read(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let machine = Machine::of(scene, &interface, "application");
    let agent = tools::stranger(VPN, &mut scene.rng).agent;
    let caller = machine.caller(scene, &agent);
    let entity = machine.role.arn();
    let bucket = scene.victim.bucket();
    scene.step_of("looked-for-data", "T1619", &entity);
    scene.who_am_i(&caller);
    scene.wait(5, 40);
    scene.make(&caller, s3::list_buckets);
    scene.step_of("objects-read", "T1530", &entity);
    let from = of_region(scene.victim.region).address(&mut scene.rng);
    for number in 0..scene.rng.between(30, 90) {
        let key = scene.object_key(number);
        let bytes = scene.rng.log_normal_between(60e6, 0.8, (4_000_000, 900_000_000));
        scene.make(&caller, |at, rng| s3::get_object(at, (&bucket, &key), bytes, rng));
        let lasts_s = bytes / 60_000_000 + 1;
        transfer(scene, (from, bytes, lasts_s));
        scene.now_s += lasts_s + scene.rng.between(1, 20);
    }
}

fn daily_load(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let machine = Machine::of(scene, &interface, "warehouse-loader");
    let bucket = scene.victim.bucket();
    let from = of_region(scene.victim.region).address(&mut scene.rng);
    let usual_bytes = scene.rng.between(40_000_000, 120_000_000);
    let mut number = 0;
    scene.daily(|scene, is_today| {
        if is_today {
            scene.step_of("objects-loaded", "T1530", &machine.role.arn());
        }
        let caller = machine.caller(scene, "aws-cli/2.17.9 md/awscrt#0.20.11 Python/3.11.9");
        for _ in 0..16 {
            let key = scene.object_key(number);
            number += 1;
            let bytes = scene.rng.between(usual_bytes * 3 / 4, usual_bytes * 5 / 4);
            scene.make(&caller, |at, rng| s3::get_object(at, (&bucket, &key), bytes, rng));
            let lasts_s = bytes / 60_000_000 + 1;
            transfer(scene, (from, bytes, lasts_s));
            scene.now_s += lasts_s + scene.rng.between(1, 12);
        }
    });
}
