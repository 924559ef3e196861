//! What people ask for in the console: one click is tens of these calls.

mod reads;

use super::shape::{Filling, plain};
use super::{At, Shape};
use crate::aws::call::{Call, bucket_resource};
use crate::rng::Rng;

pub use reads::READS;

/// A call that only reads, and its share.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// How often, among `READS`.
    pub share: u32,
    /// The call.
    pub shape: Shape,
}

/// Things that the pages are about: names and ids of an account.
#[derive(Debug, Clone, Copy)]
pub struct Things<'a> {
    /// An IAM user's name.
    pub user: &'a str,
    /// A role's name.
    pub role: &'a str,
    /// A group's name.
    pub group: &'a str,
    /// A bucket's name.
    pub bucket: &'a str,
    /// `i-...`
    pub instance: &'a str,
    /// `vol-...`
    pub volume: &'a str,
    /// `snap-...`
    pub snapshot: &'a str,
    /// `sg-...`
    pub security_group: &'a str,
    /// `lt-...`
    pub launch_template: &'a str,
    /// The id of a key of KMS.
    pub kms_key: &'a str,
    /// A trail's name.
    pub trail: &'a str,
    /// A function of Lambda, a service of ECS, a job of Glue: each goes by this name.
    pub service: &'a str,
}

const fn read(share: u32, service: &'static str, name: &'static str, ask: &'static str) -> Read {
    Read { share, shape: Shape { ask, ..plain(service, name) } }
}

/// One of `reads`, the frequent more often.
pub fn draw(reads: &[&'static Read], rng: &mut Rng) -> &'static Read {
    let all: u32 = reads.iter().map(|read| read.share).sum();
    let mut left = rng.below(u64::from(all));
    for &read in reads {
        let share = u64::from(read.share);
        if left < share {
            return read;
        }
        left -= share;
    }
    const { &read(1, "health", "DescribeEventAggregates", "") }
}

/// What every page asks for besides what it shows.
pub const FRAME: &[&str] = &[
    "health",
    "notifications",
    "ce",
    "ram",
    "servicecatalog-appregistry",
    "organizations",
    "resource-explorer-2",
    "discovery-marketplace",
    "billingconsole",
];

/// Pages that belong together, by the services they ask.
pub const TOPICS: [&[&str]; 5] = [COMPUTE, IDENTITY, STORAGE, AUDIT, LOGS];
/// Machines and networks.
pub const COMPUTE: &[&str] =
    &["ec2", "elasticloadbalancing", "autoscaling", "monitoring", "ssm", "compute-optimizer"];
/// Users, roles and keys.
pub const IDENTITY: &[&str] = &["iam", "access-analyzer", "sts"];
/// Buckets.
pub const STORAGE: &[&str] = &["s3", "kms", "tagging"];
/// Trails and findings.
pub const AUDIT: &[&str] = &["cloudtrail", "config", "cloudshell", "securityhub"];
/// Logs and alarms.
pub const LOGS: &[&str] = &["logs", "monitoring", "ssm", "dlm"];

impl Read {
    /// The call about `things`.
    pub fn call(&self, at: At<'_>, things: &Things<'_>, rng: &mut Rng) -> Call {
        let fillings: [Filling<'_>; 11] = [
            ("user", &things.user),
            ("role", &things.role),
            ("group", &things.group),
            ("bucket", &things.bucket),
            ("instance", &things.instance),
            ("volume", &things.volume),
            ("snapshot", &things.snapshot),
            ("sg", &things.security_group),
            ("template", &things.launch_template),
            ("kms", &things.kms_key),
            ("trail", &things.trail),
        ];
        let mut call = self.shape.call(at, &fillings, rng);
        if call.service == "s3" && self.shape.ask.contains("bucketName") {
            call.resources.push(bucket_resource(at.account, things.bucket));
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_reads_are_drawn_more_often() {
        let mut rng = Rng::new(3);
        let reads: Vec<&Read> = READS.iter().collect();
        let is_health = |read: &Read| read.shape.service == "health";
        let health = (0..2_000).filter(|_| is_health(draw(&reads, &mut rng))).count();
        assert!((200..400).contains(&health), "{health}");
        assert!(READS.len() >= 90);
    }

    #[test]
    fn every_read_is_on_some_page() {
        for read in READS {
            let is_on = |services: &[&str]| services.contains(&read.shape.service);
            assert!(is_on(FRAME) || TOPICS.into_iter().any(is_on), "{}", read.shape.service);
        }
    }
}
