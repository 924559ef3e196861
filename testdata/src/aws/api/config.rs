//! AWS Config: its scan of every bucket, one error per feature that nobody switched on, and the
//! calls it makes for other kinds of things.

use super::At;
use super::s3::on_bucket;
use crate::aws::call::{Call, Transfer};
use crate::calls;
use crate::json::{Json, fixed};
use crate::rng::Rng;

/// A question about a bucket, and what S3 says where the answer is no.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// `eventName`.
    pub name: &'static str,
    /// The parameter without a value that names the feature; empty: none.
    pub parameter: &'static str,
    /// Code and message where the feature is off; empty: the answer is no error.
    pub error: (&'static str, &'static str),
    /// How many buckets have the feature off, as seen in a real scan. Unit: percent.
    pub error_percent: u64,
    /// The answer, or the error. Unit: bytes.
    pub out_bytes: i64,
}

const fn question(
    name: &'static str,
    parameter: &'static str,
    error: (&'static str, &'static str),
    error_percent: u64,
    out_bytes: i64,
) -> Question {
    Question { name, parameter, error, error_percent, out_bytes }
}

/// The scan of a bucket, in no fixed order.
#[rustfmt::skip]
pub const SCAN: [Question; 16] = [
    question("GetBucketAcl", "acl", ("", ""), 0, 544),
    question("GetBucketLocation", "location", ("", ""), 0, 137),
    question("GetBucketLogging", "logging", ("", ""), 0, 298),
    question("GetBucketVersioning", "versioning", ("", ""), 0, 113),
    question("GetBucketRequestPayment", "requestPayment", ("", ""), 0, 172),
    question("GetBucketNotification", "notification", ("", ""), 0, 115),
    question("GetAccelerateConfiguration", "accelerate", ("", ""), 0, 113),
    question("GetBucketCors", "cors", ("NoSuchCORSConfiguration", "The CORS configuration does not exist"), 98, 329),
    question("GetBucketLifecycle", "lifecycle", ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"), 87, 300),
    question("GetBucketPolicy", "policy", ("NoSuchBucketPolicy", "The bucket policy does not exist"), 65, 319),
    question("GetBucketReplication", "replication", ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"), 100, 370),
    question("GetBucketTagging", "tagging", ("NoSuchTagSet", "The TagSet does not exist"), 76, 327),
    question("GetBucketWebsite", "website", ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"), 100, 374),
    question("GetBucketEncryption", "encryption", ("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"), 43, 390),
    question("GetBucketObjectLockConfiguration", "object-lock", ("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"), 100, 375),
    question("GetBucketPublicAccessBlock", "publicAccessBlock", ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"), 28, 356),
];

impl Question {
    /// The question about `bucket`; `has` the feature, or not.
    pub fn call(&self, at: At<'_>, bucket: &str, has: bool, rng: &mut Rng) -> Call {
        let extra = match self.parameter {
            "" => Json::Null,
            parameter => Json::Object(vec![(parameter, fixed(""))]),
        };
        let call = on_bucket(at, self.name, bucket, extra, rng)
            .moving(Transfer::answer(self.out_bytes), rng);
        let (code, message) = self.error;
        if has || code.is_empty() { call } else { call.refused(code, message) }
    }
}

/// What somebody else than AWS Config asks of `bucket`: the question of that `name`.
pub fn ask(at: At<'_>, name: &str, bucket: &str, rng: &mut Rng) -> Call {
    let question = SCAN.iter().find(|question| question.name == name).unwrap_or(&SCAN[0]);
    question.call(at, bucket, true, rng)
}

calls! {
    "config": describe_configuration_recorders() = "DescribeConfigurationRecorders";
    "config": describe_configuration_recorder_status() = "DescribeConfigurationRecorderStatus";
    "config": describe_delivery_channels() = "DescribeDeliveryChannels";
    "config": list_discovered_resources(kind) = "ListDiscoveredResources",
        ask: r#"{"resourceType":"<kind>","limit":0,"includeDeletedResources":true}"#;
    "config": put_evaluations(token) = "PutEvaluations",
        ask: r#"{"evaluations":[],"resultToken":"<token>","testMode":false}"#, answer: r#"{"failedEvaluations":[]}"#;
    "config": stop_configuration_recorder(recorder) = "StopConfigurationRecorder",
        ask: r#"{"configurationRecorderName":"<recorder>"}"#;
    "config": delete_configuration_recorder(recorder) = "DeleteConfigurationRecorder",
        ask: r#"{"configurationRecorderName":"<recorder>"}"#;
}
