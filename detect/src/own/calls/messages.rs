//! What calls do to queues, topics, event rules and Security Hub: by which it is told of logs, and tells. In: the
//! parameters. Out: how bad it is, and what it is about.

use super::{About, Call, Effect, Policy};
use ingest::Raw;

/// Findings of one call that are many: AWS takes 100 in one. Unit: findings.
const FINDINGS_MIN: usize = 10;
/// Attributes of queues, topics and subscriptions that say when a message comes again, or how people call it.
const HARMLESS: &[&str] = &[
    "DisplayName",
    "RawMessageDelivery",
    "ReceiveMessageWaitTimeSeconds",
    "TracingConfig",
    "VisibilityTimeout",
];

impl Call<'_> {
    pub(super) fn on_queue(&self, name: &str) -> About {
        let effect = match name {
            "DeleteQueue" => Some(Effect::Blinds),
            "PurgeQueue" => Some(Effect::Harms),
            "SetQueueAttributes" => {
                let attributes = self.request.get("attributes").into_iter().flat_map(Raw::entries);
                attributes.filter_map(|(key, value)| self.attribute(&key.get(), value)).max()
            }
            _ => Some(Effect::Changes),
        };
        // `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`
        let url = self.text("queueUrl").unwrap_or_default();
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let of_account = Call { account, ..*self };
        (effect, vec![of_account.arn("sqs", ("", name))])
    }

    pub(super) fn on_topic(&self, name: &str) -> About {
        let effect = match name {
            "DeleteTopic" => Some(Effect::Blinds),
            // Whose subscription it was, the record does not say.
            "Unsubscribe" => Some(Effect::Harms),
            "SetTopicAttributes" | "SetSubscriptionAttributes" => {
                let key = self.text("attributeName").unwrap_or_default();
                self.attribute(&key, self.request.get("attributeValue").unwrap_or(Raw("\"\"")))
            }
            _ => Some(Effect::Changes),
        };
        // A subscription is its topic and an id behind it.
        let subscription = self.text("subscriptionArn");
        let topic =
            subscription.as_deref().and_then(|one| Some(one.rsplit_once(':')?.0.to_owned()));
        (effect, topic.into_iter().chain(self.named("sns", ("", "topicArn"))).collect())
    }

    /// An attribute of a queue, topic or subscription that is set anew.
    fn attribute(&self, key: &str, value: Raw<'_>) -> Option<Effect> {
        if key != "Policy" {
            return (!HARMLESS.contains(&key)).then_some(Effect::Changes);
        }
        let policy = Policy::of(value);
        let still_lets = || policy.lets(|text| self.is_own_of(text, &["s3", "sns", "events"]));
        match (policy.allows, policy.denies) {
            (false, _) => Some(Effect::Blinds),
            (true, false) if still_lets() => None,
            _ => Some(Effect::Changes),
        }
    }

    pub(super) fn on_rule(&self, name: &str) -> About {
        if name == "DeleteEventBus" {
            return (Some(Effect::Blinds), self.named("events", ("event-bus/", "name")));
        }
        let effect = match name {
            "PutTargets" => {
                // What a target is told instead of the event names no object.
                let other = ["input", "inputPath", "inputTransformer"];
                let is_whole = |one: &Raw<'_>| other.iter().all(|key| one.get(key).is_none());
                let targets = self.request.get("targets").into_iter().flat_map(Raw::each);
                let mut own = targets.filter(|one| self.mentions(*one, &["sqs", "sns", "events"]));
                (!own.any(|one| is_whole(&one))).then_some(Effect::Changes)
            }
            "PutRule" if self.text("state").as_deref() != Some("DISABLED") => Some(Effect::Changes),
            _ => Some(Effect::Blinds),
        };
        let bus = self.text("eventBusName").unwrap_or_default();
        let bus = bus.rsplit('/').next().filter(|bus| !matches!(*bus, "" | "default"));
        let beginning = bus.map_or_else(|| "rule/".to_owned(), |bus| format!("rule/{bus}/"));
        let key = if name.ends_with("Targets") { "rule" } else { "name" };
        (effect, self.named("events", (&beginning, key)))
    }

    pub(super) fn on_hub(&self, name: &str) -> About {
        let effect = match name {
            "BatchUpdateFindings" => self.hides_many().then_some(Effect::Changes),
            // What does not speak of it is what `securityhub-findings-suppressed-by-rule` tells.
            "CreateAutomationRule" => hides(self.request).then_some(Effect::Blinds),
            "BatchUpdateAutomationRules" => {
                let rules = self.request.get("UpdateAutomationRulesRequestItems");
                rules.into_iter().flat_map(Raw::each).any(hides).then_some(Effect::Blinds)
            }
            // Findings of one's own come from the product `default`.
            "DisableImportFindingsForProduct" => {
                let product = self.text("ProductSubscriptionArn").unwrap_or_default();
                product.ends_with("/default").then_some(Effect::Blinds)
            }
            _ => Some(Effect::Blinds),
        };
        (effect, vec![self.arn("securityhub", ("hub/", "default"))])
    }

    fn hides_many(&self) -> bool {
        let status = self.request.path(&["Workflow", "Status"]).and_then(Raw::text);
        let findings = self.request.get("FindingIdentifiers").into_iter().flat_map(Raw::each);
        let own = findings.filter(|one| {
            let product = one.get("ProductArn").and_then(Raw::text);
            product.is_some_and(|product| product.get().ends_with("/default"))
        });
        status.is_some_and(|status| status.is("SUPPRESSED")) && own.count() >= FINDINGS_MIN
    }
}

/// Whether a rule of automation hides findings, and speaks of those of sentrail.
fn hides(rule: Raw<'_>) -> bool {
    let is_hidden = ["SUPPRESSED", "RESOLVED"].iter().any(|status| rule.0.contains(status));
    is_hidden && rule.0.to_ascii_lowercase().contains("sentrail")
}
