//! What calls do to what sentrail lives on, told by their parameters alone. In: a record of an API that can do harm. Out:
//! what of its own the call names, and how bad that is; nothing where the parameters say that all is as before.

mod buckets;
mod messages;
mod policies;

use self::policies::Policy;
use super::Own;
use crate::{rules::walk, trail};
use ingest::{Event, Raw, Text, target::partition_of};
use std::borrow::Cow;

/// How bad it is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// It may see or tell less from now on: the parameters do not say it.
    Changes,
    /// Something is lost, and it goes on.
    Harms,
    /// It sees or tells nothing more by this way.
    Blinds,
}

/// A call that touches something of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) effect: Effect,
    /// What it names, as AWS would write its ARN.
    pub(crate) arn: String,
}

/// APIs that can do harm, in their order.
pub(crate) const APIS: &[&str] = &[
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "ec2:DeleteFlowLogs",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:StopTask",
    "ecs:UpdateService",
    "events:DeleteEventBus",
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:UpdateAssumeRolePolicy",
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjects",
    "s3:PutBucketEncryption",
    "s3:PutBucketLifecycle",
    "s3:PutBucketLifecycleConfiguration",
    "s3:PutBucketNotification",
    "s3:PutBucketNotificationConfiguration",
    "s3:PutBucketPolicy",
    "securityhub:BatchUpdateAutomationRules",
    "securityhub:BatchUpdateFindings",
    "securityhub:CreateAutomationRule",
    "securityhub:DisableImportFindingsForProduct",
    "securityhub:DisableSecurityHub",
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:RemovePermission",
    "sns:SetSubscriptionAttributes",
    "sns:SetTopicAttributes",
    "sns:Unsubscribe",
    "sqs:AddPermission",
    "sqs:DeleteQueue",
    "sqs:PurgeQueue",
    "sqs:RemovePermission",
    "sqs:SetQueueAttributes",
];

/// What of its own a call touches.
pub(crate) fn touches(event: &Event<'_>, api: &str, account: &str, own: &Own) -> Vec<Touch> {
    if own.is_empty() || APIS.binary_search(&api).is_err() {
        return Vec::new();
    }
    let Some((service, name)) = api.split_once(':') else { return Vec::new() };
    let region = event.region.map_or(Cow::Borrowed(""), Text::get);
    let request = event.request.unwrap_or(Raw("{}"));
    let call = Call { event, request, region: &region, account, own };
    let (effect, arns) = match service {
        "cloudtrail" => call.on_trail(name),
        "ec2" => call.on_ec2(name),
        "ecs" => call.on_service(name),
        "events" => call.on_rule(name),
        "iam" => call.on_role(name),
        "kms" => call.on_key(name),
        "s3" => call.on_bucket(name),
        "securityhub" => call.on_hub(name),
        "sns" => call.on_topic(name),
        _ => call.on_queue(name),
    };
    let Some(effect) = effect else { return Vec::new() };
    let own = arns.into_iter().filter(|arn| own.names(arn));
    own.map(|arn| Touch { effect, arn }).collect()
}

/// How bad it is, if it is, and the ARNs that the call may be about.
type About = (Option<Effect>, Vec<String>);

#[derive(Clone, Copy)]
struct Call<'a> {
    event: &'a Event<'a>,
    request: Raw<'a>,
    region: &'a str,
    account: &'a str,
    own: &'a Own,
}

impl<'a> Call<'a> {
    fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        Some(self.request.get(key)?.text()?.get())
    }

    /// An ARN of a resource in the region and account of the call; one that was named by its ARN is that.
    fn arn(&self, service: &str, (beginning, name): (&str, &str)) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let partition = partition_of(self.region);
        let Self { region, account, .. } = self;
        let (region, account) = match service {
            "s3" => ("", ""),
            "iam" => ("", *account),
            _ => (*region, *account),
        };
        format!("arn:{partition}:{service}:{region}:{account}:{beginning}{name}")
    }

    /// The same of what stands under a key.
    fn named(&self, service: &str, (beginning, key): (&str, &str)) -> Vec<String> {
        let name = self.text(key);
        name.map(|name| self.arn(service, (beginning, &name))).into_iter().collect()
    }

    fn on_trail(&self, name: &str) -> About {
        let key = if name.starts_with("Put") { "trailName" } else { "name" };
        let effect = match name {
            "UpdateTrail" => self.trail_update(),
            "PutEventSelectors" => self.selectors(),
            "PutInsightSelectors" => {
                let some = self.request.get("insightSelectors").into_iter().flat_map(Raw::each);
                (some.count() == 0).then_some(Effect::Changes)
            }
            _ => Some(Effect::Blinds),
        };
        (effect, self.named("cloudtrail", ("trail/", key)))
    }

    /// Whether data events were taken before is not known.
    fn selectors(&self) -> Option<Effect> {
        if trail::is_narrowed_by("cloudtrail:PutEventSelectors", Some(self.request)) {
            return Some(Effect::Blinds);
        }
        let is_whole = trail::takes_data(self.request) && !trail::leaves_out_services(self.request);
        (!is_whole).then_some(Effect::Changes)
    }

    fn trail_update(&self) -> Option<Effect> {
        let is_false = |key| self.request.get(key).and_then(Raw::bool) == Some(false);
        // Whoever edits a trail sends what he leaves as it is, too: a trail of one account is none of an organisation.
        let narrows = is_false("isMultiRegionTrail") || is_false("includeGlobalServiceEvents");
        let goes_elsewhere = self.text("s3KeyPrefix").is_some();
        let bucket = self.text("s3BucketName").filter(|bucket| !bucket.is_empty());
        let is_own = |bucket: Cow<'_, str>| self.own.names(&self.arn("s3", ("", &bucket)));
        let key = self.text("kmsKeyId");
        match bucket.map(is_own) {
            _ if narrows => Some(Effect::Blinds),
            Some(false) if self.own.has_bucket() => Some(Effect::Blinds),
            Some(false) => Some(Effect::Changes),
            _ if goes_elsewhere => Some(Effect::Changes),
            _ => key.is_some_and(|key| !self.is_own_key(&key)).then_some(Effect::Changes),
        }
    }

    /// Whether a value holds the ARN of something of its own, of one of these services.
    fn mentions(&self, raw: Raw<'_>, services: &[&str]) -> bool {
        let mut found = false;
        walk::texts(raw, &mut |_, text| found |= self.is_own_of(&text.get(), services));
        found
    }

    /// Whether a text is such an ARN.
    fn is_own_of(&self, text: &str, services: &[&str]) -> bool {
        let service = text.split(':').nth(2).unwrap_or_default();
        services.contains(&service) && self.own.names(text)
    }

    fn is_own_key(&self, key: &str) -> bool {
        self.own.names(&self.arn("kms", ("key/", key)))
    }

    fn on_ec2(&self, name: &str) -> About {
        let arns = if name == "DeleteFlowLogs" {
            let ids = self.request.path(&["DeleteFlowLogsRequest", "FlowLogId"]);
            let ids = ids.into_iter().flat_map(Raw::each);
            let ids = ids.filter_map(|id| id.get("content").unwrap_or(id).text());
            ids.map(|id| self.arn("ec2", ("vpc-flow-log/", &id.get()))).collect()
        } else {
            let items = self.request.path(&["instancesSet", "items"]);
            let ids = items.into_iter().flat_map(Raw::each);
            let ids = ids.filter_map(|item| item.get("instanceId")?.text());
            ids.map(|id| self.arn("ec2", ("instance/", &id.get()))).collect()
        };
        (Some(Effect::Blinds), arns)
    }

    fn on_service(&self, name: &str) -> About {
        match name {
            "DeregisterTaskDefinition" => {
                let task = self.text("taskDefinition").unwrap_or_default();
                (Some(Effect::Changes), self.definition(&task))
            }
            "StopTask" => (Some(Effect::Changes), self.task_of()),
            _ => {
                let n_tasks = self.request.get("desiredCount").and_then(Raw::integer);
                let is_other = self.text("taskDefinition").is_some()
                    || self.request.get("networkConfiguration").is_some_and(|raw| !raw.is_null());
                let effect = match (name, n_tasks) {
                    ("DeleteService", _) | (_, Some(0)) => Some(Effect::Blinds),
                    _ => is_other.then_some(Effect::Changes),
                };
                let service = self.text("service").unwrap_or_default();
                (effect, vec![self.service_of(&service)])
            }
        }
    }

    fn service_of(&self, service: &str) -> String {
        let cluster = self.text("cluster").unwrap_or(Cow::Borrowed("default"));
        let cluster = cluster.rsplit('/').next().unwrap_or_default();
        self.arn("ecs", (&format!("service/{cluster}/"), service))
    }

    /// What a task that was stopped belongs to: its service, else its definition. Only the answer says it.
    fn task_of(&self) -> Vec<String> {
        let task = self.event.response.and_then(|response| response.get("task"));
        let of = |key| Some(task?.get(key)?.text()?.get());
        let group = of("group");
        match group.as_deref().and_then(|group| group.strip_prefix("service:")) {
            Some(service) => vec![self.service_of(service)],
            None => self.definition(&of("taskDefinitionArn").unwrap_or_default()),
        }
    }

    /// A task definition, as one revision and as all of them.
    fn definition(&self, task: &str) -> Vec<String> {
        let arn = self.arn("ecs", ("task-definition/", task));
        let family = arn.rsplit_once(':').filter(|(_, revision)| revision.parse::<u32>().is_ok());
        family.map(|(family, _)| family.to_owned()).into_iter().chain([arn]).collect()
    }

    fn on_role(&self, name: &str) -> About {
        let denies =
            || self.request.get("policyDocument").is_some_and(|raw| Policy::of(raw).denies);
        let effect = match name {
            "PutRolePolicy" if denies() => Effect::Blinds,
            "AttachRolePolicy"
                if self.text("policyArn").is_some_and(|arn| arn.contains("Deny")) =>
            {
                Effect::Blinds
            }
            "AttachRolePolicy"
            | "PutRolePolicy"
            | "PutRolePermissionsBoundary"
            | "UpdateAssumeRolePolicy" => Effect::Changes,
            _ => Effect::Blinds,
        };
        // Records do not have the path of a role.
        let role = self.text("roleName").unwrap_or_default();
        (Some(effect), vec![self.arn("iam", ("role/", &role))])
    }

    fn on_key(&self, name: &str) -> About {
        let allows = || self.request.get("policy").is_none_or(|raw| Policy::of(raw).allows);
        let effect = match name {
            "PutKeyPolicy" if allows() => Effect::Changes,
            "RevokeGrant" => Effect::Changes,
            _ => Effect::Blinds,
        };
        let resources = self.event.resources.into_iter().flat_map(Raw::each);
        let arns = resources.filter_map(|one| Some(one.get("ARN")?.text()?.get().into_owned()));
        let mut arns: Vec<String> = arns.chain(self.named("kms", ("key/", "keyId"))).collect();
        arns.sort_unstable();
        arns.dedup();
        (Some(effect), arns)
    }
}
