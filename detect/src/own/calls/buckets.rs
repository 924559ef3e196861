//! What calls on S3 do to the buckets that logs lie in, and to those in which sentrail keeps something. In: the
//! parameters. Out: how bad it is, and what it is about.

use super::{About, Call, Effect};
use ingest::{Identity, Raw};

/// Objects that expire sooner may be gone before anybody looks at a finding. Unit: days.
const EXPIRY_DAYS_MIN: i64 = 14;
/// Who writes logs into buckets.
const WRITERS: &[&str] = &["cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"];

impl Call<'_> {
    pub(super) fn on_bucket(&self, name: &str) -> About {
        let bucket = self.text("bucketName").unwrap_or_default();
        let arn = self.arn("s3", ("", &bucket));
        if name == "DeleteObject" {
            let key = self.text("key").unwrap_or_default();
            // It deletes old snapshots itself: without its role nobody knows who did.
            let is_by_others = self.own.has(&["iam"]) && !self.is_by_itself();
            // What `doctor` tries writing by.
            let is_by_others = is_by_others && !key.ends_with("/.sentrail-doctor");
            return (is_by_others.then_some(Effect::Harms), vec![format!("{arn}/{key}")]);
        }
        let holds_logs = self.own.names(&arn);
        let effect = match name {
            "DeleteBucket" => Some(Effect::Blinds),
            "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" => self.expiry(),
            "PutBucketEncryption" => self.encryption(),
            "PutBucketPolicy" if !holds_logs => self.denies().then_some(Effect::Changes),
            _ if !holds_logs => None,
            "DeleteBucketPolicy" => Some(Effect::Blinds),
            "PutBucketPolicy" => self.policy_of_bucket(),
            _ => self.notification(),
        };
        let arns = if holds_logs { vec![arn] } else { self.own.kept_in(&bucket) };
        (effect, arns)
    }

    /// Whether the caller has its role.
    fn is_by_itself(&self) -> bool {
        let caller = self.event.identity.map(Identity::of).unwrap_or_default();
        caller.issuer_arn.is_some_and(|role| self.own.names(&role.get()))
    }

    fn expiry(&self) -> Option<Effect> {
        let rules = self.request.path(&["LifecycleConfiguration", "Rule"]);
        let mut rules = rules.into_iter().flat_map(Raw::each);
        let is_soon = |rule: Raw<'_>| {
            let is_on = rule.get("Status").and_then(Raw::text).is_some_and(|on| on.is("Enabled"));
            let days = rule.path(&["Expiration", "Days"]).and_then(Raw::integer);
            let by_date = rule.path(&["Expiration", "Date"]).is_some();
            is_on && (by_date || days.is_some_and(|days| days < EXPIRY_DAYS_MIN))
        };
        rules.any(is_soon).then_some(Effect::Harms)
    }

    fn encryption(&self) -> Option<Effect> {
        let rules = self.request.path(&["ServerSideEncryptionConfiguration", "Rule"]);
        let keys = rules.into_iter().flat_map(Raw::each);
        let mut keys = keys.filter_map(|rule| {
            rule.path(&["ApplyServerSideEncryptionByDefault", "KMSMasterKeyID"])?.text()
        });
        keys.any(|key| !self.is_own_key(&key.get())).then_some(Effect::Changes)
    }

    fn denies(&self) -> bool {
        self.request.get("bucketPolicy").is_some_and(|policy| policy.0.contains("Deny"))
    }

    fn policy_of_bucket(&self) -> Option<Effect> {
        let policy = self.request.get("bucketPolicy").map_or("", |policy| policy.0);
        match (policy.contains("Allow"), policy.contains("Deny")) {
            (false, _) => Some(Effect::Blinds),
            (true, false) if WRITERS.iter().any(|writer| policy.contains(writer)) => None,
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

/// Whether a way of notifications tells of objects that are made.
fn tells_of_new(way: Raw<'_>) -> bool {
    let mut events = way.get("Event").into_iter().flat_map(Raw::each).filter_map(Raw::text);
    events.any(|event| event.get().starts_with("s3:ObjectCreated:"))
}
