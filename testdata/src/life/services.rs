//! AWS services at work in every account: the trail's own calls, AWS Config, Auto Scaling, a log
//! delivery that was never allowed.

use super::{Life, Stage, Start, credentials};
use crate::aws::call::{Call, Encryption, Kind, Transfer};
use crate::aws::caller::{Caller, Session};
use crate::clock::{HOUR_S, MINUTE_S, folder, stamp};
use crate::json::Json;
use crate::object;
use crate::organisation::{Organisation, part};
use crate::rng::Rng;

/// The trail and failing deliveries go on each time. Unit: seconds.
const SLOT_S: i64 = 5 * MINUTE_S;
/// AWS Config looks at everything as often. Unit: seconds.
const SCAN_S: i64 = 8 * HOUR_S;
/// Auto Scaling looks at its groups as often. Unit: seconds.
const SCALING_S: i64 = 15 * MINUTE_S;
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
        start(phase_s + 47, scaling);
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

/// For each object that it delivered the trail asks for the bucket's rights and a key, and puts it.
fn trail(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let organisation = stage.organisation;
    let (Some(of), Some(hub)) = (organisation.accounts.get(account), organisation.accounts.first())
    else {
        return SLOT_S;
    };
    let caller = Caller::service("cloudtrail.amazonaws.com");
    let bucket = organisation.trail_bucket();
    let trail = format!("arn:aws:cloudtrail:{}:{}:trail/organisation", hub.home, hub.id);
    let key_arn = hub.keys.first().map_or("", String::as_str);
    for _ in 0..stage.post.delivered(account) {
        let time_s = now_s + rng.between(0, 240);
        let object = format!(
            "AWSLogs/{}/{}/CloudTrail/{}/{}/{}_CloudTrail_{}_{}_{}.json.gz",
            organisation.id,
            of.id,
            of.home,
            folder(time_s),
            of.id,
            of.home,
            stamp(time_s - time_s % SLOT_S),
            rng.suffix(16)
        );
        let host = format!("{bucket}.s3.{}.amazonaws.com", hub.home);
        let acl = Call::new(time_s, hub.home, "s3", "GetBucketAcl")
            .asking(object! { "bucketName": &bucket, "Host": &host, "acl": "" })
            .on_bucket(&hub.id, &bucket, rng);
        stage.call(0, &caller, acl, rng);
        let data_key = Call::new(time_s, hub.home, "kms", "GenerateDataKey")
            .asking(object! {
                "keyId": key_arn,
                "encryptionContext": object! {
                    "aws:cloudtrail:arn": &trail,
                    "aws:s3:arn": format!("arn:aws:s3:::{bucket}/{object}"),
                },
                "keySpec": "AES_256",
            })
            .touching(object! {
                "accountId": &hub.id, "type": "AWS::KMS::Key", "ARN": key_arn,
            });
        stage.call(0, &caller, data_key, rng);
        let bytes = rng.log_normal_between(3_000.0, 1.2, (400, 900_000));
        let moved = Transfer { in_bytes: bytes, out_bytes: 0, encryption: Encryption::Default };
        let put = Call::new(time_s, hub.home, "s3", "PutObject")
            .asking(object! {
                "x-amz-acl": "bucket-owner-full-control", "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": key_arn,
            })
            .answered(object! {
                "x-amz-server-side-encryption-aws-kms-key-id": key_arn,
                "x-amz-server-side-encryption": "aws:kms",
            })
            .on_object(&hub.id, (&bucket, &object), moved, rng);
        stage.call(0, &caller, put, rng);
    }
    SLOT_S
}

/// What AWS Config asks each bucket for, with the error where the feature was never set and of how
/// many buckets in ten it was not.
const QUESTIONS: [(&str, &str, &str, &str, u64); 15] = [
    ("GetBucketLocation", "location", "", "", 0),
    ("GetBucketNotification", "notification", "", "", 0),
    ("GetBucketRequestPayment", "requestPayment", "", "", 0),
    ("GetAccelerateConfiguration", "accelerate", "", "", 0),
    ("GetBucketVersioning", "versioning", "", "", 0),
    ("GetBucketAcl", "acl", "", "", 0),
    ("GetBucketLogging", "logging", "", "", 0),
    (
        "GetBucketReplication",
        "replication",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
        10,
    ),
    (
        "GetBucketWebsite",
        "website",
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
        10,
    ),
    (
        "GetBucketObjectLockConfiguration",
        "object-lock",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
        10,
    ),
    (
        "GetBucketCors",
        "cors",
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
        9,
    ),
    (
        "GetBucketLifecycle",
        "lifecycle",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
        8,
    ),
    ("GetBucketTagging", "tagging", "NoSuchTagSet", "The TagSet does not exist", 6),
    ("GetBucketPolicy", "policy", "NoSuchBucketPolicy", "The bucket policy does not exist", 5),
    (
        "GetBucketPublicAccessBlock",
        "publicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
        2,
    ),
];

/// AWS Config asks every bucket for every feature; what was never set is an error each.
fn scan(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let Some(of) = stage.organisation.accounts.get(account) else { return SCAN_S };
    let role = of.role("aws-service-role/config.amazonaws.com/", "AWSServiceRoleForConfig");
    let name = "AWSConfig-Describe";
    let mut key = String::new();
    for _ in 0..of.buckets.len() {
        let time_s = now_s + rng.between(0, 60);
        let who = (&role, name);
        key = credentials::fetch(
            stage,
            (account, of.home),
            "config.amazonaws.com",
            who,
            (time_s, rng),
        );
    }
    let session = Session { name, key: &key, since_s: now_s };
    let identity = role.session(session, &[("invokedBy", Json::from("AWS Internal"))]);
    let caller = Caller::new(identity, "AWS Internal", "AWS Internal");
    for (number, bucket) in of.buckets.iter().enumerate() {
        let host = format!("{bucket}.s3.{}.amazonaws.com", of.home);
        for (place, (name, question, error, message, unset)) in QUESTIONS.into_iter().enumerate() {
            let time_s = now_s + rng.between(60, 240);
            let mut call = Call::new(time_s, of.home, "s3", name)
                .asking(Json::Object(vec![
                    ("bucketName", Json::from(bucket)),
                    ("Host", Json::from(&host)),
                    (question, Json::from("")),
                ]))
                .on_bucket(&of.id, bucket, rng);
            // Whether a feature is set does not change from scan to scan.
            let draw = Rng::for_part(number as u64, &[account as u64, place as u64]).below(10);
            if draw < unset {
                call = call.refused(error, message);
            }
            stage.call(account, &caller, call, rng);
        }
    }
    SCAN_S
}

/// Auto Scaling asks how the instances of its groups are.
fn scaling(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let Some(of) = stage.organisation.accounts.get(account) else { return SCALING_S };
    let path = "aws-service-role/autoscaling.amazonaws.com/";
    let role = of.role(path, "AWSServiceRoleForAutoScaling");
    let service = "autoscaling.amazonaws.com";
    let session = Session { name: "AutoScaling", key: "", since_s: now_s };
    let identity = role.session(session, &[("invokedBy", Json::from(service))]);
    let caller = Caller::new(identity, service, service);
    let items: Vec<Json> = (0..rng.between(1, 4))
        .map(|_| object! { "instanceId": format!("i-0{}", rng.hex(16)) })
        .collect();
    let call = Call::new(now_s, of.home, "ec2", "DescribeInstanceStatus").asking(object! {
        "instancesSet": object! { "items": items }, "filterSet": Json::Object(Vec::new()),
        "includeAllInstances": true,
    });
    stage.call(account, &caller, call, rng);
    let group = format!(
        "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{}/{}",
        of.home,
        of.id,
        of.name,
        rng.hex(16)
    );
    let call = Call::new(now_s, of.home, "elasticloadbalancing", "DescribeTargetHealth")
        .asking(object! { "targetGroupArn": group });
    stage.call(account, &caller, call, rng);
    SCALING_S
}

/// A flow log's objects are refused by their bucket, day and night, and nobody has noticed.
fn refused_delivery(Hands { account, now_s, stage, rng }: Hands<'_, '_>) -> i64 {
    let Some(of) = stage.organisation.accounts.get(account) else { return SLOT_S };
    let caller = Caller::service("delivery.logs.amazonaws.com");
    for _ in 0..rng.between(4, 13) {
        let time_s = now_s + rng.between(0, 200);
        let object = format!(
            "AWSLogs/{}/vpcflowlogs/{}/{}/{}_vpcflowlogs_{}_fl-{}_{}_{}.log.gz",
            of.id,
            of.home,
            folder(time_s),
            of.id,
            of.home,
            rng.hex(17),
            stamp(time_s - time_s % SLOT_S),
            rng.hex(8)
        );
        let moved = Transfer { in_bytes: 0, out_bytes: 243, encryption: Encryption::None };
        let call = Call::new(time_s, of.home, "s3", "PutObject")
            .asking(object! { "x-amz-acl": "bucket-owner-full-control" })
            .on_object(&of.id, (&of.log_bucket, &object), moved, rng)
            .refused("AccessDenied", "Access Denied")
            .of(Kind::Data);
        stage.call(account, &caller, call, rng);
    }
    SLOT_S
}
