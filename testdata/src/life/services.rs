//! AWS services at work in every account: the trail's own calls, AWS Config, a log delivery that was
//! never allowed.

use super::credentials::{Fetcher, fetch};
use super::{Life, Stage, Start};
use crate::aws::api::config::SCAN;
use crate::aws::api::{At, keys, s3};
use crate::aws::caller::{Caller, Session};
use crate::clock::{HOUR_S, MINUTE_S, folder, stamp};
use crate::organisation::{Account, Organisation, part};
use crate::rng::Rng;

/// The trail and failing deliveries go on each time. Unit: seconds.
const SLOT_S: i64 = 5 * MINUTE_S;
/// AWS Config looks at everything as often. Unit: seconds.
const SCAN_S: i64 = 8 * HOUR_S;
/// One account in so many has a flow log whose bucket refuses it.
const REFUSED_ONE_IN: usize = 4;

/// What services begin on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let midnight_s = organisation.midnight(day);
    let end_s = organisation.midnight(day + 1);
    let mut starts = Vec::new();
    for account in 0..organisation.accounts.len() {
        let mut rng = organisation.rng(part::ACCOUNT, account, day);
        let mut start = |first_s: i64, work: fn(Hands<'_, '_>) -> i64| {
            let rng = Rng::new(rng.bits());
            let life = Box::new(Duty { account, rng, end_s, work });
            starts.push(Start { at_s: midnight_s + first_s, life });
        };
        let number = i64::try_from(account).unwrap_or(0);
        let phase_s = (number * 7_919) % SLOT_S;
        start(phase_s + 20, trail);
        start((number * 6_131) % SCAN_S, scan);
        if account % REFUSED_ONE_IN == 2 {
            start(phase_s + 90, refused_delivery);
        }
    }
    starts
}

/// What one service does in one account, over and over.
struct Duty {
    account: usize,
    rng: Rng,
    end_s: i64,
    /// Makes the calls and answers how long it waits. Unit: seconds.
    work: fn(Hands<'_, '_>) -> i64,
}

/// Everything a duty works with.
struct Hands<'a, 'o> {
    account: usize,
    now_s: i64,
    stage: &'a mut Stage<'o>,
    rng: &'a mut Rng,
}

impl Life for Duty {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let hands = Hands { account: self.account, now_s, stage, rng: &mut self.rng };
        let next_s = now_s + (self.work)(hands).max(1);
        (next_s < self.end_s).then_some(next_s)
    }
}

/// An object of a log: `folder` is that of the account, `what` the kind of log.
fn log_object(of: &Account, root: &str, what: &str, (time_s, end): (i64, &str)) -> String {
    let Account { id, home, .. } = of;
    let (day, at) = (folder(time_s), stamp(time_s - time_s % SLOT_S));
    format!("AWSLogs/{root}{id}/{what}/{home}/{day}/{id}_{what}_{home}_{at}_{end}")
}

/// For each object that it delivered the trail asks for the bucket's rights and a key, and puts it.
fn trail(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let organisation = stage.organisation;
    let (Some(of), Some(hub)) = (organisation.accounts.get(account), organisation.accounts.first())
    else {
        return SLOT_S;
    };
    let caller = Caller::service("cloudtrail.amazonaws.com");
    let bucket = organisation.trail_bucket();
    let key = hub.keys.first().map_or("", String::as_str);
    let root = format!("{}/", organisation.id);
    for _ in 0..stage.post.delivered(account) {
        let time_s = now_s + rng.between(0, 240);
        let at = At { time_s, region: hub.home, account: &hub.id };
        let end = format!("{}.json.gz", rng.suffix(16));
        let object = log_object(of, &root, "CloudTrail", (time_s, &end));
        let bytes = rng.log_normal_between(3_000.0, 1.2, (400, 900_000));
        let whole = format!("{bucket}/{object}");
        for call in [
            s3::get_bucket_acl(at, &bucket, rng),
            keys::generate_data_key_for_trail(at, key, "organisation", whole, rng),
            s3::deliver_log(at, (&bucket, &object), (bytes, key), rng),
        ] {
            stage.call(0, &caller, call, rng);
        }
    }
    SLOT_S
}

/// AWS Config asks every bucket for every feature; what was never set is an error each.
fn scan(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let Some(of) = stage.organisation.accounts.get(account) else { return SCAN_S };
    let role = of.role("aws-service-role/config.amazonaws.com/", "AWSServiceRoleForConfig");
    let name = "AWSConfig-Describe";
    let mut key = String::new();
    for _ in 0..of.buckets.len() {
        let time_s = now_s + rng.between(0, 60);
        let fetcher = Fetcher::Itself("config.amazonaws.com");
        key = fetch(stage, account, fetcher, (&role, name), (time_s, rng));
    }
    let session = Session { name, key: &key, since_s: now_s };
    let caller = Caller::for_others(&role, session, "AWS Internal");
    for (number, bucket) in of.buckets.iter().enumerate() {
        for (place, question) in SCAN.iter().enumerate() {
            let time_s = now_s + rng.between(60, 240);
            let at = At { time_s, region: of.home, account: &of.id };
            // Whether a feature is set does not change from scan to scan.
            let draw = Rng::for_part(number as u64, &[account as u64, place as u64]).below(100);
            let call = question.call(at, bucket, draw >= question.error_percent, rng);
            stage.call(account, &caller, call, rng);
        }
    }
    SCAN_S
}

/// A flow log's objects are refused by their bucket, day and night, and nobody has noticed.
fn refused_delivery(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let Some(of) = stage.organisation.accounts.get(account) else { return SLOT_S };
    let caller = Caller::service("delivery.logs.amazonaws.com");
    for _ in 0..rng.between(4, 13) {
        let time_s = now_s + rng.between(0, 200);
        let at = At { time_s, region: of.home, account: &of.id };
        let end = format!("{}.log.gz", rng.hex(8));
        let object = log_object(of, "", "vpcflowlogs", (time_s, &end));
        let call = s3::deliver_log_in_vain(at, (&of.log_bucket, &object), rng);
        stage.call(account, &caller, call, rng);
    }
    SLOT_S
}
