//! When and where a call happens.

/// Services that have one place for all regions; CloudTrail tells of them there.
const GLOBAL_SERVICES: [&str; 9] = [
    "account",
    "billingconsole",
    "ce",
    "cloudfront",
    "health",
    "iam",
    "organizations",
    "route53",
    "support",
];

/// When and where a call happens.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Unit: seconds since the Unix epoch.
    pub time_s: i64,
    /// The region called.
    pub region: &'static str,
    /// The account that is called.
    pub account: &'a str,
}

impl At<'_> {
    /// `awsRegion` of a call to `service`.
    pub fn region_of(self, service: &str) -> &'static str {
        if GLOBAL_SERVICES.contains(&service) { "us-east-1" } else { self.region }
    }
}
