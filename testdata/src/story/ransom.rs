//! Codefinger: a bucket is encrypted in place with a key that only the intruder has.
//!
//! After Halcyon's report of January 2025; the un-block is needed since AWS blocks such keys in new
//! buckets (2026).

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::api::{config, s3};
use crate::aws::caller::Caller;

pub(super) const CODEFINGER: Story = Story {
    name: "codefinger",
    about: "stolen credentials encrypt a bucket with SSE-C and ask for a ransom",
    is_harmless: false,
    victim: VictimKind::Program,
    hours: Hours::Any,
    days: 2,
    tell: codefinger,
};

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
        scene.make(caller, |at, rng| config::ask(at, name, bucket, rng));
    }
    for _ in 0..scene.rng.between(1, 4) {
        scene.wait(1, 4);
        let bytes = scene.rng.between(2_000, 280_000);
        scene.make(caller, |at, rng| s3::list_objects(at, (bucket, ""), bytes, rng));
    }
}

fn unblock(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("sse-c-unblocked", "T1562.001");
    scene.make(caller, |at, rng| s3::allow_own_keys(at, bucket, rng));
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
        scene.make(caller, |at, rng| s3::encrypt_with_own_key(at, (bucket, &key), rng));
    }
}

fn expire(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("objects-expire", "T1485.001");
    scene.make(caller, |at, rng| s3::expire_all(at, bucket, 7, rng));
}

fn note(scene: &mut Scene<'_>, caller: &Caller, bucket: &str) {
    scene.step("ransom-note", "T1491.001");
    let names = ["HOW_TO_RECOVER_YOUR_FILES.txt", "README-RESTORE.txt", "warning.txt"];
    let key = scene.rng.pick(&names).copied().unwrap_or("warning.txt");
    scene.make(caller, |at, rng| s3::put_object(at, (bucket, key), 1_214, rng));
}
