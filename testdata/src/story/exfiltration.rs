//! Taking data in small bites, and taking models at the victim's cost.

use super::calls::Look;
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind};
use crate::aws::api::denied::{Because, denied, throttled};
use crate::aws::api::ec2::{self, Launch};
use crate::aws::api::{At, models, s3};
use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::clock::{DAY_S, HOUR_S};
use crate::places::{HOSTING_ASIA, HOSTING_EU, REGIONS};
use crate::rng::Rng;

pub(super) const SLOW_EXFILTRATION: Story = Story {
    name: "slow-exfiltration",
    about: "a few objects a day go to a new address, then a snapshot is shared",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Any,
    days: 7,
    tell: slow_exfiltration,
};
pub(super) const MODEL_HIJACK: Story = Story {
    name: "model-hijack",
    about: "Bedrock is opened in new regions and used at the victim's cost",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Night,
    days: 1,
    tell: model_hijack,
};

fn slow_exfiltration(scene: &mut Scene<'_>) {
    let network = scene.rng.pick(&[HOSTING_EU, HOSTING_ASIA]).copied().unwrap_or(HOSTING_EU);
    let mut thief = tools::stranger(network, &mut scene.rng);
    if scene.rng.one_in(2) {
        thief.agent.clone_from(&scene.victim.agent);
    }
    let bucket = scene.victim.bucket();
    let mut number = 0;
    let first_s = scene.now_s;
    let days = scene.rng.between(5, 7);
    for day in 0..days {
        scene.now_s = first_s + day * DAY_S + scene.rng.between(0, 2 * HOUR_S);
        let key = format!("ASIA{}", scene.rng.capitals(16));
        let caller = scene.victim.caller(&key, scene.now_s - 60);
        let caller = caller.moved(&thief.address, &thief.agent);
        scene.step("objects-read-slowly", "T1530");
        for _ in 0..scene.rng.between(6, 22) {
            scene.now_s += scene.rng.between(30, 900);
            let key = scene.object_key(number);
            number += 1;
            let bytes = scene.rng.log_normal_between(3_000_000.0, 1.0, (10_000, 80_000_000));
            scene.make(&caller, |at, rng| s3::get_object(at, (&bucket, &key), bytes, rng));
        }
        if day + 1 == days {
            share_snapshot(scene, &caller);
            copy_away(scene, &caller, &bucket);
        }
    }
}

fn share_snapshot(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("snapshot-shared", "T1537");
    let snapshot = format!("snap-0{}", scene.rng.hex(16));
    scene.wait(20, 90);
    scene.make(caller, |at, rng| ec2::describe_snapshot(at, &snapshot, rng));
    scene.wait(5, 60);
    let foreign = scene.rng.between(200_000_000_000, 899_999_999_999);
    scene.make(caller, |at, rng| ec2::share_snapshot(at, snapshot, foreign, rng));
}

/// Copies into a bucket of another account: only the reading side is in these logs.
fn copy_away(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("objects-copied-away", "T1537");
    let foreign = format!("mirror-{}", scene.rng.hex(8));
    for number in 0..scene.rng.between(3, 12) {
        scene.wait(5, 60);
        let key = scene.object_key(500 + number);
        let source = format!("{bucket}/{key}");
        scene.make(caller, |at, rng| s3::copy_object(at, (&foreign, &key), &source, rng));
    }
}

fn model_hijack(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 600).moved(&guise.address, &guise.agent);
    scene.step("discovery", "T1580");
    scene.who_am_i(&caller);
    let mut regions = REGIONS.to_vec();
    regions.retain(|region| *region != scene.victim.region);
    let first = usize::try_from(scene.rng.below(regions.len() as u64)).unwrap_or(0);
    regions.rotate_left(first);
    let n = usize::try_from(scene.rng.between(2, 5)).unwrap_or(2);
    regions.truncate(n);
    for region in &regions {
        let looks: [Look; 2] =
            [models::list_foundation_models, models::get_model_invocation_logging_configuration];
        for look in looks {
            scene.wait(1, 9);
            scene.make_in(region, &caller, look);
        }
    }
    let models =
        ["anthropic.claude-opus-4-1-20250805-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"];
    let model = scene.rng.pick(&models).copied().unwrap_or(models[0]);
    for region in &regions {
        open_model(scene, &caller, region, model);
        refused_instances(scene, &caller, region);
    }
    scene.step("models-used", "T1496.004");
    for _ in 0..scene.rng.between(60, 400) {
        scene.wait(1, 12);
        let region = scene.rng.pick(&regions).copied().unwrap_or("us-east-1");
        let is_stream = scene.rng.one_in(3);
        let is_throttled = scene.rng.one_in(20);
        scene.make_in(region, &caller, |at, rng| {
            let call = if is_stream {
                models::invoke_model_with_response_stream(at, model, rng)
            } else {
                models::invoke_model(at, model, rng)
            };
            let call = models::at_runtime(call);
            if is_throttled { throttled(call) } else { call }
        });
    }
}

fn open_model(scene: &mut Scene<'_>, caller: &Caller, region: &'static str, model: &'static str) {
    scene.step("models-opened", "T1578.005");
    let asks: [fn(At<'_>, &'static str, &mut Rng) -> Call; 5] = [
        models::get_foundation_model_availability,
        models::list_foundation_model_agreement_offers,
        |at, _, rng| models::put_use_case_for_model_access(at, rng),
        models::create_foundation_model_agreement,
        models::put_foundation_model_entitlement,
    ];
    for ask in asks {
        scene.wait(2, 20);
        scene.make_in(region, caller, |at, rng| ask(at, model, rng));
    }
}

fn refused_instances(scene: &mut Scene<'_>, caller: &Caller, region: &'static str) {
    scene.step("graphics-instances-refused", "T1496.001");
    let types = ["p4d.24xlarge", "p5.48xlarge", "g5.48xlarge"];
    for _ in 0..scene.rng.between(1, 4) {
        scene.wait(4, 40);
        let kind = scene.rng.pick(&types).copied().unwrap_or(types[0]);
        let instance = format!("i-0{}", scene.rng.hex(16));
        let launch = Launch {
            image: "ami-0c2b8ca1dad447f8a",
            kind,
            vpc: "vpc-0a1b2c3d4e5f60718",
            subnet: "subnet-0a1b2c3d4e5f60718",
            address: "172.31.4.17",
            group: "sg-0a1b2c3d4e5f60718",
            profile: "",
            instance: &instance,
        };
        let is_denied = scene.rng.one_in(2);
        scene.make_in(region, caller, |at, rng| {
            if is_denied {
                let call = ec2::run_instances(at, launch, rng);
                denied(call, caller, None, Because::NothingAllows, rng)
            } else {
                ec2::run_instances_beyond_limit(at, launch, rng)
            }
        });
    }
}
