//! Owners who move, restore, re-encrypt and unlock what is theirs.

use super::calls::Look;
use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::api::ec2::{self, Launch};
use crate::aws::api::signin::{self, SecondFactor};
use crate::aws::api::{config, database, network, s3};
use crate::aws::caller::agents::S3_CONSOLE;
use crate::aws::caller::{Caller, forms};
use crate::clock::HOUR_S;
use crate::places::{GLOBAL, HOME_REGIONS};

pub(super) const MIGRATION: Story = Story {
    name: "migration",
    about: "a day of copies, then the old objects and machines go",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 2,
    tell: migration,
};
pub(super) const RECOVERY_TEST: Story = Story {
    name: "recovery-test",
    about: "snapshots are copied to another region and everything is started there",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 1,
    tell: recovery_test,
};
pub(super) const RE_ENCRYPTION: Story = Story {
    name: "re-encryption",
    about: "the owner of a bucket encrypts it anew with a key of KMS",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 1,
    tell: re_encryption,
};
pub(super) const BREAK_GLASS: Story = Story {
    name: "break-glass",
    about: "root signs in with its second factor and takes away a policy that shut everybody out",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 1,
    tell: break_glass,
};

fn owner(scene: &mut Scene<'_>) -> Caller {
    let key = format!("ASIA{}", scene.rng.capitals(16));
    scene.victim.caller(&key, scene.now_s - 600)
}

fn migration(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let old = scene.victim.bucket();
    let new = format!("{old}-v2");
    let n = scene.rng.between(150, 500);
    scene.step("new-bucket", "T1578");
    scene.make(&caller, |at, rng| s3::create_bucket(at, &new, rng));
    scene.step("objects-copied", "T1537");
    for number in 0..n {
        scene.now_s += scene.rng.between(0, 3);
        let key = scene.object_key(number);
        let source = format!("{old}/{key}");
        scene.make(&caller, |at, rng| s3::copy_object(at, (&new, &key), &source, rng));
    }
    terraform(scene, &caller);
    scene.now_s += scene.rng.between(2 * HOUR_S, 10 * HOUR_S);
    scene.step("old-objects-deleted", "T1485");
    for number in 0..n {
        scene.now_s += scene.rng.between(0, 2);
        let key = scene.object_key(number);
        scene.make(&caller, |at, rng| s3::delete_object(at, (&old, &key), rng));
    }
}

fn terraform(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("machines-replaced", "T1578");
    let caller = caller.with(scene.victim.laptop.terraform);
    for round in 0..scene.rng.between(8, 25) {
        let new = format!("i-0{}", scene.rng.hex(16));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| ec2::describe_instance(at, &new, rng));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| network::describe_security_group(at, GROUP, rng));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| ec2::create_tags(at, &new, "Team", "platform", rng));
        scene.now_s += scene.rng.between(0, 3);
        if round % 3 == 0 {
            let old = format!("i-0{}", scene.rng.hex(16));
            scene.make(&caller, |at, rng| ec2::terminate_instances(at, old, rng));
        } else {
            scene.make(&caller, |at, rng| ec2::run_instances(at, launch(&new), rng));
        }
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, ec2::describe_volumes);
    }
}

/// The security group of what moves.
const GROUP: &str = "sg-04be1c7d92f6a8e03";

fn launch(instance: &str) -> Launch<'_> {
    Launch {
        image: "ami-0c2b8ca1dad447f8a",
        kind: "m7g.large",
        vpc: "vpc-04be1c7d92f6a8e03",
        subnet: "subnet-04be1c7d92f6a8e03",
        address: "10.0.7.19",
        group: GROUP,
        profile: "worker",
        instance,
    }
}

fn recovery_test(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let others: Vec<&'static str> =
        HOME_REGIONS.into_iter().filter(|region| *region != scene.victim.region).collect();
    let there = scene.rng.pick(&others).copied().unwrap_or("us-west-2");
    let here = scene.victim.region;
    scene.step("snapshots-copied", "T1537");
    let mut copies = Vec::new();
    for _ in 0..scene.rng.between(6, 40) {
        scene.wait(1, 12);
        let [from, to] = ["snap", "snap"].map(|kind| format!("{kind}-0{}", scene.rng.hex(16)));
        scene.make_in(there, &caller, |at, rng| ec2::copy_snapshot(at, here, from, &to, rng));
        copies.push(to);
    }
    scene.step("started-elsewhere", "T1578.002");
    let calls: [Look; 11] = [
        |at, rng| database::restore_db_instance(at, "orders-test", "orders", rng),
        |at, rng| {
            let point = format!("arn:aws:backup:{}:{}:recovery-point:7", at.region, at.account);
            database::start_restore_job(at, point, rng)
        },
        |at, rng| database::describe_restore_job(at, "7", rng),
        |at, rng| network::create_vpc(at, VPC, "10.9.0.0/16", "recovery-test", rng),
        |at, rng| network::create_subnet(at, VPC, SUBNET, "10.9.1.0/24", rng),
        |at, rng| network::create_security_group(at, VPC, GROUP, "recovery-test", rng),
        |at, rng| network::authorize_security_group_ingress(at, GROUP, 443, "10.0.0.0/8", rng),
        |at, rng| ec2::run_instances(at, launch(INSTANCE), rng),
        |at, rng| ec2::describe_instance(at, INSTANCE, rng),
        |at, rng| network::create_load_balancer(at, "recovery-test", SUBNET, rng),
        |at, rng| network::change_resource_record_sets(at, "Z04BE1C7", "test.example", rng),
    ];
    for call in calls {
        scene.wait(5, 180);
        scene.make_in(there, &caller, call);
    }
    scene.step("taken-down-again", "T1485");
    scene.now_s += scene.rng.between(HOUR_S, 4 * HOUR_S);
    scene.make_in(there, &caller, |at, rng| ec2::terminate_instances(at, INSTANCE, rng));
    for copy in copies.into_iter().take(2) {
        scene.wait(5, 60);
        scene.make_in(there, &caller, |at, rng| ec2::delete_snapshot(at, copy, rng));
    }
    scene.wait(5, 60);
    scene.make_in(there, &caller, |at, rng| network::delete_vpc(at, VPC, rng));
}

/// What is started for the test, and taken down.
const VPC: &str = "vpc-04be1c7d92f6a8e03";
const SUBNET: &str = "subnet-04be1c7d92f6a8e03";
const INSTANCE: &str = "i-04be1c7d92f6a8e03";

fn re_encryption(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let bucket = scene.victim.bucket();
    let kms_key = scene.rng.uuid();
    scene.step("key-chosen", "T1486");
    scene.make(&caller, |at, rng| s3::encrypt_bucket(at, &bucket, &kms_key, rng));
    scene.step("objects-encrypted-anew", "T1486");
    for number in 0..scene.rng.between(250, 800) {
        scene.now_s += scene.rng.between(0, 2);
        let key = scene.object_key(number);
        let source = format!("{bucket}/{key}");
        scene.make(&caller, |at, rng| {
            s3::copy_encrypted_object(at, (&bucket, &key), (&source, &kms_key), rng)
        });
    }
}

/// Nobody but root can take away a policy of a bucket that refuses everybody.
fn break_glass(scene: &mut Scene<'_>) {
    let account = scene.victim.account.clone();
    let (address, browser) = (scene.victim.address.clone(), scene.victim.laptop.browser);
    let bucket = scene.victim.bucket();
    let root = Caller::new(forms::root(&account, None), &address, browser);
    let device = format!("arn:aws:iam::{account}:mfa/root-account-mfa-device");
    scene.step_of("root-signed-in", "T1078.004", &root.arn);
    scene.make_in(GLOBAL, &root, |at, _| signin::console_login(at, SecondFactor::Device(&device)));
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let identity = forms::root(&account, Some((&key, scene.now_s)));
    let console = Caller::new(identity, &address, S3_CONSOLE).in_console();
    scene.step_of("policy-taken-away", "T1078.004", &root.arn);
    scene.wait(30, 120);
    scene.make(&console, |at, rng| config::ask(at, "GetBucketPolicy", &bucket, rng));
    scene.wait(20, 240);
    scene.make(&console, |at, rng| s3::delete_bucket_policy(at, &bucket, rng));
}
