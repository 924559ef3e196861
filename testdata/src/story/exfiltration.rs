//! Taking data in small bites, and taking models at the victim's cost.

use super::calls::denied;
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind};
use crate::aws::call::{Call, Encryption};
use crate::aws::caller::Caller;
use crate::clock::{DAY_S, HOUR_S};
use crate::json::Json;
use crate::object;
use crate::places::{HOSTING_ASIA, HOSTING_EU, REGIONS};

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
            let call =
                scene.on_object("GetObject", (&bucket, &key), (0, bytes), Encryption::Default);
            scene.call(&caller, call);
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
    let id =
        object! { "snapshotSet": object! { "items": vec![object! { "snapshotId": &snapshot }] } };
    scene.ask_for(caller, ("ec2", "DescribeSnapshots"), id, Json::Null);
    scene.wait(5, 60);
    let foreign = scene.rng.between(200_000_000_000, 899_999_999_999).to_string();
    let items = object! { "items": vec![object! { "userId": foreign }] };
    let request = object! {
        "snapshotId": snapshot,
        "createVolumePermission": object! { "add": items },
        "attributeType": "CREATE_VOLUME_PERMISSION",
    };
    let answer = object! { "requestId": scene.rng.uuid(), "_return": true };
    scene.ask_for(caller, ("ec2", "ModifySnapshotAttribute"), request, answer);
}

/// Copies into a bucket of another account: only the reading side is in these logs.
fn copy_away(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("objects-copied-away", "T1537");
    let foreign = format!("mirror-{}", scene.rng.hex(8));
    for number in 0..scene.rng.between(3, 12) {
        scene.wait(5, 60);
        let key = scene.object_key(500 + number);
        let mut call = scene.on_object("CopyObject", (&foreign, &key), (0, 0), Encryption::Default);
        if let Json::Object(pairs) = &mut call.request {
            pairs.push(("x-amz-copy-source", format!("{bucket}/{key}").into()));
        }
        scene.call(caller, call);
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
        for name in ["ListFoundationModels", "GetModelInvocationLoggingConfiguration"] {
            scene.wait(1, 9);
            let call = Call::new(scene.now_s, region, "bedrock", name);
            scene.call(&caller, call);
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
        let name =
            if scene.rng.one_in(3) { "InvokeModelWithResponseStream" } else { "InvokeModel" };
        let call = Call::new(scene.now_s, region, "bedrock", name)
            .asking(object! { "modelId": model })
            .to(format!("bedrock-runtime.{region}.amazonaws.com"));
        let call = if scene.rng.one_in(20) {
            call.refused(
                "ThrottlingException",
                "Too many requests, please wait before trying again.",
            )
        } else {
            call
        };
        scene.call(&caller, call);
    }
}

fn open_model(scene: &mut Scene<'_>, caller: &Caller, region: &'static str, model: &'static str) {
    scene.step("models-opened", "T1578.005");
    let ask = |scene: &Scene<'_>, name, request| {
        Call::new(scene.now_s, region, "bedrock", name).asking(request)
    };
    for (name, request) in [
        ("GetFoundationModelAvailability", object! { "modelId": model }),
        ("ListFoundationModelAgreementOffers", object! { "modelId": model }),
        ("PutUseCaseForModelAccess", object! { "formData": "***" }),
        ("CreateFoundationModelAgreement", object! { "modelId": model, "offerToken": "***" }),
        ("PutFoundationModelEntitlement", object! { "modelId": model }),
    ] {
        scene.wait(2, 20);
        let call = ask(scene, name, request);
        scene.call(caller, call);
    }
}

fn refused_instances(scene: &mut Scene<'_>, caller: &Caller, region: &'static str) {
    scene.step("graphics-instances-refused", "T1496.001");
    let types = ["p4d.24xlarge", "p5.48xlarge", "g5.48xlarge"];
    for _ in 0..scene.rng.between(1, 4) {
        scene.wait(4, 40);
        let kind = scene.rng.pick(&types).copied().unwrap_or(types[0]);
        let call = Call::new(scene.now_s, region, "ec2", "RunInstances").asking(object! {
            "instancesSet": object! { "items": vec![object! { "minCount": 1, "maxCount": 4 }] },
            "instanceType": kind,
        });
        let call = if scene.rng.one_in(2) {
            denied(call, caller)
        } else {
            call.refused(
                "Client.VcpuLimitExceeded",
                "You have requested more vCPU capacity than your current vCPU limit of 0 allows for \
                 the instance bucket that the specified instance type belongs to.",
            )
        };
        scene.call(caller, call);
    }
}
