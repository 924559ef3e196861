//! Owners who move, restore and re-encrypt what is theirs.

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::call::{Call, Encryption};
use crate::aws::caller::Caller;
use crate::aws::caller::agents::TERRAFORM;
use crate::clock::HOUR_S;
use crate::json::Json;
use crate::object;
use crate::places::HOME_REGIONS;

pub(super) const MIGRATION: Story = Story {
    name: "migration",
    about: "a weekend of copies, then the old objects and machines go",
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

fn owner(scene: &mut Scene<'_>) -> Caller {
    let key = format!("ASIA{}", scene.rng.capitals(16));
    scene.victim.caller(&key, scene.now_s - 600)
}

fn copy(
    scene: &mut Scene<'_>,
    caller: &Caller,
    (from, to, key): (&str, &str, &str),
    encryption: Encryption,
) {
    let mut call = scene.on_object("CopyObject", (to, key), (0, 0), encryption);
    let with = if encryption == Encryption::Kms { "aws:kms" } else { "AES256" };
    if let Json::Object(pairs) = &mut call.request {
        pairs.push(("x-amz-copy-source", format!("{from}/{key}").into()));
        if encryption == Encryption::Kms {
            pairs.push(("x-amz-server-side-encryption", with.into()));
        }
    }
    let call = call.answered(object! { "x-amz-server-side-encryption": with });
    scene.call(caller, call);
}

fn migration(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let old = scene.victim.bucket();
    let new = format!("{old}-v2");
    let n = scene.rng.between(150, 500);
    scene.step("new-bucket", "T1578");
    let call = scene.on_bucket("CreateBucket", &new, ("tagging", None));
    scene.call(&caller, call);
    scene.step("objects-copied", "T1537");
    for number in 0..n {
        scene.now_s += scene.rng.between(0, 3);
        let key = scene.object_key(number);
        copy(scene, &caller, (&old, &new, &key), Encryption::Default);
    }
    terraform(scene, &caller);
    scene.now_s += scene.rng.between(2 * HOUR_S, 10 * HOUR_S);
    scene.step("old-objects-deleted", "T1485");
    for number in 0..n {
        scene.now_s += scene.rng.between(0, 2);
        let key = scene.object_key(number);
        let call = scene.on_object("DeleteObject", (&old, &key), (0, 0), Encryption::None);
        scene.call(&caller, call);
    }
}

fn terraform(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("machines-replaced", "T1578");
    let caller = caller.with(TERRAFORM);
    for round in 0..scene.rng.between(8, 25) {
        for (service, name) in [
            ("ec2", "DescribeInstances"),
            ("ec2", "DescribeSecurityGroups"),
            ("ec2", "CreateTags"),
            ("ec2", if round % 3 == 0 { "TerminateInstances" } else { "RunInstances" }),
            ("ec2", "DescribeVolumes"),
        ] {
            scene.now_s += scene.rng.between(0, 3);
            scene.ask(&caller, service, name);
        }
    }
}

fn recovery_test(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let others: Vec<&'static str> =
        HOME_REGIONS.into_iter().filter(|region| *region != scene.victim.region).collect();
    let there = scene.rng.pick(&others).copied().unwrap_or("us-west-2");
    let here = scene.victim.region;
    scene.step("snapshots-copied", "T1537");
    for _ in 0..scene.rng.between(6, 40) {
        scene.wait(1, 12);
        let call = Call::new(scene.now_s, there, "ec2", "CopySnapshot").asking(object! {
            "sourceRegion": here, "sourceSnapshotId": format!("snap-0{}", scene.rng.hex(16)),
            "encrypted": true,
        });
        scene.call(&caller, call);
    }
    scene.step("started-elsewhere", "T1578.002");
    for (service, name) in [
        ("rds", "RestoreDBInstanceFromDBSnapshot"),
        ("backup", "StartRestoreJob"),
        ("backup", "DescribeRestoreJob"),
        ("ec2", "CreateVpc"),
        ("ec2", "CreateSubnet"),
        ("ec2", "CreateSecurityGroup"),
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "RunInstances"),
        ("ec2", "DescribeInstances"),
        ("elasticloadbalancing", "CreateLoadBalancer"),
        ("route53", "ChangeResourceRecordSets"),
    ] {
        scene.wait(5, 180);
        let region = if service == "route53" { "us-east-1" } else { there };
        let call = Call::new(scene.now_s, region, service, name);
        scene.call(&caller, call);
    }
    scene.step("taken-down-again", "T1485");
    scene.now_s += scene.rng.between(HOUR_S, 4 * HOUR_S);
    for name in ["TerminateInstances", "DeleteSnapshot", "DeleteSnapshot", "DeleteVpc"] {
        scene.wait(5, 60);
        let call = Call::new(scene.now_s, there, "ec2", name);
        scene.call(&caller, call);
    }
}

fn re_encryption(scene: &mut Scene<'_>) {
    let caller = owner(scene);
    let bucket = scene.victim.bucket();
    let (account, region) = (scene.victim.account.clone(), scene.victim.region);
    let key_arn = format!("arn:aws:kms:{region}:{account}:key/{}", scene.rng.uuid());
    scene.step("key-chosen", "T1486");
    let default = object! { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": &key_arn };
    let rule = object! {
        "ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": "true",
    };
    let configuration =
        object! { "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": rule };
    let what = ("ServerSideEncryptionConfiguration", configuration);
    let call = scene.on_bucket("PutBucketEncryption", &bucket, ("encryption", Some(what)));
    scene.call(&caller, call);
    scene.step("objects-encrypted-anew", "T1486");
    for number in 0..scene.rng.between(250, 800) {
        scene.now_s += scene.rng.between(0, 2);
        let key = scene.object_key(number);
        copy(scene, &caller, (&bucket, &bucket, &key), Encryption::Kms);
    }
}
