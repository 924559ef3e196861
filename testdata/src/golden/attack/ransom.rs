//! A bucket is encrypted with a key that only the intruder has; another one is emptied.

use super::super::cast::{EXPORTS, LEDGER};
use super::super::truth::Title;
use super::super::{ACCOUNT, HOME, Story};
use super::{NIGHT_S, marisol};
use crate::aws::call::{Call, Encryption, Transfer};
use crate::aws::caller::Caller;
use crate::clock::MINUTE_S;
use crate::json::Json;
use crate::object;

const XMLNS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// New buckets refuse keys of the caller's own since 2025: the intruder allows them again.
pub(super) fn unblock(story: &mut Story, intruder: &Caller) {
    let time_s = NIGHT_S + 46 * MINUTE_S;
    let rule = object! {
        "ApplyServerSideEncryptionByDefault": object! { "SSEAlgorithm": "AES256" },
        "BucketKeyEnabled": false,
        "BlockedEncryptionTypes": object! { "EncryptionType": "NONE" },
    };
    let call = Call::new(time_s, HOME, "s3", "PutBucketEncryption")
        .asking(object! {
            "bucketName": LEDGER, "encryption": "", "Host": host(),
            "ServerSideEncryptionConfiguration": object! { "xmlns": XMLNS, "Rule": rule },
        })
        .on_bucket(ACCOUNT, LEDGER, &mut story.rng);
    let id = story.tell(intruder, call);
    let title = marisol(story, "encryption with a caller's key is allowed again", "T1562.001");
    story.truth.attack(title, &[(time_s, id)]);
}

pub(super) fn tell(story: &mut Story, intruder: &Caller, new_key: &str) {
    let identity = story.cast.legacy.with_key(new_key);
    let caller = Caller::new(identity, &intruder.address, &intruder.agent);
    encrypt(story, &caller);
    expire(story, &caller);
    leave_note(story, &caller);
    empty(story, &caller);
}

fn legacy(story: &Story, name: &'static str, technique: &'static str) -> Title {
    Title { name, entity: story.cast.legacy.arn(), technique }
}

fn encrypt(story: &mut Story, caller: &Caller) {
    let mut events = Vec::new();
    let mut time_s = NIGHT_S + 52 * MINUTE_S;
    for n in 0..120 {
        time_s += story.rng.between(1, 5);
        let key = format!("2025/{:02}/ledger-{:04}.csv", 1 + n / 10, 1_000 + n);
        let moved = Transfer { in_bytes: 0, out_bytes: 238, encryption: Encryption::Customer };
        let call = Call::new(time_s, HOME, "s3", "CopyObject")
            .asking(object! {
                "x-amz-copy-source": format!("{LEDGER}/{key}"),
                "x-amz-server-side-encryption-customer-algorithm": "AES256",
            })
            .answered(Json::Object(vec![(CUSTOMER_ALGORITHM, Json::from("AES256"))]))
            .on_object(ACCOUNT, (LEDGER, &key), moved, &mut story.rng);
        events.push((time_s, story.tell(caller, call)));
    }
    let title = legacy(story, "120 objects are encrypted with a key of the caller's", "T1486");
    story.truth.attack(title, &events);
}

fn expire(story: &mut Story, caller: &Caller) {
    let time_s = NIGHT_S + 63 * MINUTE_S;
    let rule = object! {
        "ID": "expire-all", "Status": "Enabled", "Filter": object! { "Prefix": "" },
        "Expiration": object! { "Days": 7 },
    };
    let call = Call::new(time_s, HOME, "s3", "PutBucketLifecycle")
        .asking(object! {
            "lifecycle": "", "bucketName": LEDGER,
            "LifecycleConfiguration": object! { "xmlns": XMLNS, "Rule": rule },
            "Host": host(),
        })
        .on_bucket(ACCOUNT, LEDGER, &mut story.rng);
    let id = story.tell(caller, call);
    let title = legacy(story, "every object expires in seven days", "T1485.001");
    story.truth.attack(title, &[(time_s, id)]);
}

fn leave_note(story: &mut Story, caller: &Caller) {
    let time_s = NIGHT_S + 64 * MINUTE_S;
    let moved = Transfer { in_bytes: 1_214, out_bytes: 0, encryption: Encryption::Default };
    let call = Call::new(time_s, HOME, "s3", "PutObject")
        .answered(object! { "x-amz-server-side-encryption": "AES256" })
        .on_object(ACCOUNT, (LEDGER, "HOW_TO_RECOVER_YOUR_FILES.txt"), moved, &mut story.rng);
    let id = story.tell(caller, call);
    let title = legacy(story, "a ransom note is left", "T1491.001");
    story.truth.attack(title, &[(time_s, id)]);
}

fn empty(story: &mut Story, caller: &Caller) {
    let mut events = Vec::new();
    let mut time_s = NIGHT_S + 68 * MINUTE_S;
    for n in 1..=80 {
        time_s += story.rng.between(1, 3);
        let key = format!("2026/monthly/report-{n:02}.csv");
        let moved = Transfer { in_bytes: 0, out_bytes: 0, encryption: Encryption::None };
        let call = Call::new(time_s, HOME, "s3", "DeleteObject").on_object(
            ACCOUNT,
            (EXPORTS, &key),
            moved,
            &mut story.rng,
        );
        events.push((time_s, story.tell(caller, call)));
    }
    let title = legacy(story, "80 objects of another bucket are deleted", "T1485");
    story.truth.attack(title, &events);
}

fn host() -> String {
    format!("{LEDGER}.s3.{HOME}.amazonaws.com")
}
