//! What calls on S3 do to the buckets that logs lie in, and to those in which sentrail keeps something. In: the
//! parameters. Out: how bad it is, and what it is about.

use super::{About, Call, Effect, Policy};
use ingest::{Identity, Raw, Text};
use std::borrow::Cow;

/// Objects that expire sooner may be gone before anybody looks at a finding. Unit: days.
const EXPIRY_DAYS_MIN: i64 = 14;
/// Who writes logs into buckets.
const WRITERS: &[&str] = &["cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"];

impl Call<'_> {
    pub(super) fn on_bucket(&self, name: &str) -> About {
        let bucket = self.text("bucketName").unwrap_or_default();
        let arn = self.arn("s3", ("", &bucket));
        // It deletes old snapshots itself: without its role nobody knows who did.
        let is_by_others = || self.own.has(&["iam"]) && !self.is_by_itself();
        if name == "DeleteObject" {
            let key = self.text("key").unwrap_or_default();
            // What `doctor` tries writing by.
            let harms = !key.ends_with("/.sentrail-doctor") && is_by_others();
            return (harms.then_some(Effect::Harms), vec![format!("{arn}/{key}")]);
        }
        if name == "DeleteObjects" {
            // Which objects, only their own records say, where there are any.
            return (is_by_others().then_some(Effect::Changes), self.own.kept_in(&bucket, ""));
        }
        let holds_logs = self.own.names(&arn);
        let effect = match name {
            "DeleteBucket" => Some(Effect::Blinds),
            "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" => {
                return self.expiry((holds_logs, &bucket), &arn);
            }
            "PutBucketEncryption" => self.encryption(),
            "PutBucketPolicy" if !holds_logs => self.policy().denies.then_some(Effect::Changes),
            _ if !holds_logs => None,
            "DeleteBucketPolicy" => Some(Effect::Blinds),
            "PutBucketPolicy" => self.policy_of_bucket(),
            _ => self.notification(),
        };
        let arns = if holds_logs { vec![arn] } else { self.own.kept_in(&bucket, "") };
        (effect, arns)
    }

    /// Whether the caller has its role.
    fn is_by_itself(&self) -> bool {
        let caller = self.event.identity.map(Identity::of).unwrap_or_default();
        caller.issuer_arn.is_some_and(|role| self.own.names(&role.get()))
    }

    /// Objects that are gone soon: in a bucket of logs any, else those that may be what it keeps.
    fn expiry(&self, (holds_logs, bucket): (bool, &str), arn: &str) -> About {
        let rules = self.request.path(&["LifecycleConfiguration", "Rule"]);
        let soon = rules.into_iter().flat_map(Raw::each).filter(|rule| is_soon(*rule));
        let mut arns: Vec<String> = if holds_logs {
            soon.map(|_| arn.to_owned()).collect()
        } else {
            soon.flat_map(|rule| self.own.kept_in(bucket, &prefix_of(rule))).collect()
        };
        arns.sort_unstable();
        arns.dedup();
        ((!arns.is_empty()).then_some(Effect::Harms), arns)
    }

    fn encryption(&self) -> Option<Effect> {
        let rules = self.request.path(&["ServerSideEncryptionConfiguration", "Rule"]);
        let keys = rules.into_iter().flat_map(Raw::each);
        let mut keys = keys.filter_map(|rule| {
            rule.path(&["ApplyServerSideEncryptionByDefault", "KMSMasterKeyID"])?.text()
        });
        keys.any(|key| !self.is_own_key(&key.get())).then_some(Effect::Changes)
    }

    fn policy(&self) -> Policy {
        self.request.get("bucketPolicy").map(Policy::of).unwrap_or_default()
    }

    fn policy_of_bucket(&self) -> Option<Effect> {
        let policy = self.policy();
        match (policy.allows, policy.denies) {
            (false, _) => Some(Effect::Blinds),
            (true, false) if policy.lets(|text| WRITERS.contains(&text)) => None,
            _ => Some(Effect::Changes),
        }
    }

    /// Whether it is still told of new objects. Where nothing says by whom, it may only list them.
    fn notification(&self) -> Option<Effect> {
        let told = self.request.get("NotificationConfiguration").unwrap_or(Raw("{}"));
        let by_bus = told.get("EventBridgeConfiguration").is_some() && self.own.has_rule();
        let ways = ["QueueConfiguration", "TopicConfiguration"];
        let ways = ways.iter().filter_map(|kind| told.get(kind)).flat_map(Raw::each);
        let own = ways.filter(|way| tells_of_new(*way) && self.mentions(*way, &["sqs", "sns"]));
        let is_whole: Vec<bool> = own.map(|way| way.get("Filter").is_none()).collect();
        // Topics and buses may be what findings are told to.
        let by_whom = self.own.has(&["sqs"]) || self.own.has_rule();
        match is_whole.as_slice() {
            _ if by_bus || is_whole.contains(&true) => None,
            [] if by_whom => Some(Effect::Blinds),
            // Of some objects only, and nobody knows here of which.
            _ => Some(Effect::Changes),
        }
    }
}

/// Whether objects that a rule of a lifecycle is about are gone soon.
fn is_soon(rule: Raw<'_>) -> bool {
    let is_on = rule.get("Status").and_then(Raw::text).is_some_and(|on| on.is("Enabled"));
    let days = rule.path(&["Expiration", "Days"]).and_then(Raw::integer);
    let by_date = rule.path(&["Expiration", "Date"]).is_some();
    is_on && (by_date || days.is_some_and(|days| days < EXPIRY_DAYS_MIN))
}

/// What names of the objects begin with that a rule is about. Tags and sizes may be those of any.
fn prefix_of(rule: Raw<'_>) -> Cow<'_, str> {
    let ways: [&[&str]; 3] = [&["Prefix"], &["Filter", "Prefix"], &["Filter", "And", "Prefix"]];
    let mut said = ways.iter().filter_map(|way| rule.path(way)?.text());
    said.next().map(Text::get).unwrap_or_default()
}

/// Whether a way of notifications tells of objects that are made.
fn tells_of_new(way: Raw<'_>) -> bool {
    let mut events = way.get("Event").into_iter().flat_map(Raw::each).filter_map(Raw::text);
    events.any(|event| event.get().starts_with("s3:ObjectCreated:"))
}
