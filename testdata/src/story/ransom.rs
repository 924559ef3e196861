//! Codefinger: a bucket is encrypted in place with a key that only the intruder has.
//!
//! After Halcyon's report of January 2025; the un-block is needed since AWS blocks such keys in new
//! buckets (2026).

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::call::Encryption;
use crate::aws::caller::Caller;
use crate::object;

pub(super) const CODEFINGER: Story = Story {
    name: "codefinger",
    about: "stolen credentials encrypt a bucket with SSE-C and ask for a ransom",
    is_harmless: false,
    victim: VictimKind::Program,
    hours: Hours::Any,
    days: 2,
    tell: codefinger,
};

const XMLNS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

fn codefinger(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 2_400).moved(&guise.address, &guise.agent);
    let bucket = scene.victim.bucket();
    scene.step("credentials-used-elsewhere", "T1078.004");
    scene.who_am_i(&caller);
    scene.wait(20, 90);
    let n_looks = usize::try_from(scene.rng.between(6, 20)).unwrap_or(6);
    scene.step("discovery", "T1580");
    scene.look_around(&caller, n_looks, 55);
    list(scene, &caller, &bucket);
    scene.wait(60, 300);
    unblock(scene, &caller, &bucket);
    scene.wait(20, 120);
    encrypt(scene, &caller, &bucket);
    scene.wait(15, 90);
    expire(scene, &caller, &bucket);
    scene.wait(5, 60);
    note(scene, &caller, &bucket);
}

fn list(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    for name in ["GetBucketVersioning", "GetBucketObjectLockConfiguration", "GetBucketEncryption"] {
        scene.wait(2, 12);
        let setting = match name {
            "GetBucketVersioning" => "versioning",
            "GetBucketEncryption" => "encryption",
            _ => "object-lock",
        };
        let call = scene.on_bucket(name, bucket, (setting, None));
        scene.call(caller, call);
    }
    for _ in 0..scene.rng.between(1, 4) {
        scene.wait(1, 4);
        let mut call = scene.on_bucket("ListObjects", bucket, ("list-type", None));
        call.kind = crate::aws::call::Kind::Data;
        scene.call(caller, call);
    }
}

fn unblock(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("sse-c-unblocked", "T1562.001");
    let rule = object! {
        "ApplyServerSideEncryptionByDefault": object! { "SSEAlgorithm": "AES256" },
        "BucketKeyEnabled": "false",
        "BlockedEncryptionTypes": object! { "EncryptionType": "NONE" },
    };
    let configuration = object! { "xmlns": XMLNS, "Rule": rule };
    let what = ("ServerSideEncryptionConfiguration", configuration);
    let call = scene.on_bucket("PutBucketEncryption", bucket, ("encryption", Some(what)));
    scene.call(caller, call);
}

fn encrypt(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("objects-encrypted", "T1486");
    let n = scene.rng.between(250, 700);
    // Fast programs make several copies a second.
    let pause_s = scene.rng.between(0, 2);
    for number in 0..n {
        if scene.rng.one_in(3) || pause_s > 0 {
            scene.wait(0, 1 + pause_s);
        }
        let key = scene.object_key(number);
        let bytes = scene.rng.log_normal_between(48_000.0, 1.9, (40, 5_000_000_000));
        let call = scene
            .on_object("CopyObject", (bucket, &key), (0, 0), Encryption::Customer)
            .answered(object! {
                "x-amz-server-side-encryption-customer-algorithm": "AES256",
            });
        let mut call = call;
        if let crate::json::Json::Object(pairs) = &mut call.request {
            let source = format!("{bucket}/{key}");
            pairs.push(("x-amz-server-side-encryption-customer-algorithm", "AES256".into()));
            pairs.push(("x-amz-copy-source", source.into()));
        }
        if let Some(crate::json::Json::Object(pairs)) = &mut call.additional {
            pairs.retain(|(name, _)| *name != "bytesTransferredOut");
            pairs.push(("bytesTransferredOut", (234 + bytes % 3).into()));
        }
        scene.call(caller, call);
    }
}

fn expire(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("objects-expire", "T1485.001");
    let rule = object! {
        "ID": format!("expire-{}", scene.rng.hex(4)), "Status": "Enabled",
        "Filter": object! { "Prefix": "" }, "Expiration": object! { "Days": 7 },
    };
    let configuration = object! { "xmlns": XMLNS, "Rule": rule };
    let what = ("LifecycleConfiguration", configuration);
    let call = scene.on_bucket("PutBucketLifecycle", bucket, ("lifecycle", Some(what)));
    scene.call(caller, call);
}

fn note(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("ransom-note", "T1491.001");
    let names = ["HOW_TO_RECOVER_YOUR_FILES.txt", "README-RESTORE.txt", "warning.txt"];
    let key = scene.rng.pick(&names).copied().unwrap_or("warning.txt");
    let call = scene
        .on_object("PutObject", (bucket, key), (1_214, 0), Encryption::Default)
        .answered(object! { "x-amz-server-side-encryption": "AES256" });
    scene.call(caller, call);
}
