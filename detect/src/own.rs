//! What sentrail itself lives on: the trail, the flow logs, buckets, queue, key, task and role by which logs reach it, and
//! where it tells. In: patterns on ARNs, as the configuration has them. Out: whether a call touches any of them, and what
//! that does to it. It asks AWS nothing: a replay knows as much as the daemon.

mod calls;

pub(crate) use calls::{APIS, Effect, touches};

use crate::{beginning, fits, fits_any};

/// The detector that tells of it. Nothing switches it off, and only a suppression that names it hides what it tells.
pub const TAMPERED: &str = "sentrail-tampered-with";

/// A kind of resource that sentrail can live on.
struct Kind {
    service: &'static str,
    /// What names of resources of this kind begin with, before their own name.
    resource: &'static str,
    /// What it is to sentrail.
    is: &'static str,
    /// What comes of it where it is gone.
    without: &'static str,
}

const fn kind(
    service: &'static str,
    resource: &'static str,
    is: &'static str,
    without: &'static str,
) -> Kind {
    Kind { service, resource, is, without }
}

/// Every kind. Objects of S3 stand before buckets: their names have more in them.
const KINDS: &[Kind] = &[
    kind("cloudtrail", "trail/", "its trail", "records of calls come no more"),
    kind("ec2", "vpc-flow-log/", "its flow log", "flows come no more"),
    kind("ec2", "instance/", "the instance that it runs on", "nobody reads the logs"),
    kind("s3", "*/", "what it keeps", "it cannot go on where it was if its disk is lost"),
    kind("s3", "", "its bucket of logs", "logs are not written, not announced or not there"),
    kind("sqs", "", "its queue", "it is not told of new logs"),
    kind("sns", "", "its topic", "what the topic hands on arrives no more"),
    kind("events", "rule/", "its event rule", "what the rule hands on arrives no more"),
    kind("events", "event-bus/", "its event bus", "what the bus hands on arrives no more"),
    kind("kms", "key/", "the key of its logs", "logs cannot be written or read"),
    kind("ecs", "service/", "the service that runs it", "nobody reads the logs"),
    kind("ecs", "task-definition/", "its task definition", "it may not start again"),
    kind("iam", "role/", "its role", "it is refused what it reads, or where it tells"),
    kind("securityhub", "hub/", "its Security Hub", "findings are not seen there"),
];

/// What sentrail lives on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own(Vec<String>);

/// Nothing.
pub(crate) static NOTHING: Own = Own(Vec::new());

impl Own {
    /// Patterns together: each is compared with what calls name that can do harm. Unit: patterns.
    pub const MAX: usize = 200;

    /// What ARNs that fit any of these patterns name.
    pub fn of(patterns: impl IntoIterator<Item = String>) -> Self {
        let without_path = |pattern: &String| {
            let (before, role) = pattern.split_once(":role/")?;
            Some(format!("{before}:role/{}", role.rsplit_once('/')?.1))
        };
        // Records name a role without its path.
        let both = |pattern: String| without_path(&pattern).into_iter().chain([pattern]);
        Self(patterns.into_iter().flat_map(both).collect())
    }

    /// Why a pattern cannot be meant; `None` where it can.
    pub fn refused(pattern: &str) -> Option<String> {
        let parts: Vec<&str> = pattern.splitn(6, ':').collect();
        let &["arn", _, service, _, _, resource] = parts.as_slice() else {
            return Some(
                "is no ARN (expected such as \"arn:aws:sqs:REGION:ACCOUNT:QUEUE\")".into(),
            );
        };
        let of_service = || KINDS.iter().filter(|kind| kind.service == service);
        if of_service().next().is_none() {
            let mut known: Vec<_> = KINDS.iter().map(|kind| kind.service).collect();
            known.dedup();
            return Some(format!("is of no service that is watched ({})", known.join(", ")));
        }
        let Some(kind) = of_service().find(|kind| kind.takes(resource)) else {
            let known: Vec<_> = of_service().map(|kind| kind.resource).collect();
            return Some(format!("names nothing that is watched ({} ...)", known.join(", ")));
        };
        let name = resource.strip_prefix(kind.resource).unwrap_or(resource);
        (name.is_empty() || fits_any(name)).then(|| "names all there are (expected a name)".into())
    }

    /// Whether nothing is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an ARN names something of it.
    pub(crate) fn names(&self, arn: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, arn))
    }

    /// What of a bucket it keeps something in, as ARNs of objects are written: what may begin with `prefix`.
    fn kept_in(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let kept = self.0.iter().filter(|one| {
            let objects = one.split_once(":s3:::").and_then(|(_, objects)| objects.split_once('/'));
            objects.is_some_and(|(own, objects)| {
                let before = beginning(objects);
                let may_begin = before.starts_with(prefix) || prefix.starts_with(&before);
                may_begin && fits(own, bucket)
            })
        });
        kept.cloned().collect()
    }

    /// Whether it names a bucket, and not only what lies in one.
    fn has_bucket(&self) -> bool {
        let mut named = self.0.iter().filter_map(|one| one.split_once(":s3:::"));
        named.any(|(_, bucket)| !bucket.contains('/'))
    }

    /// Whether it names a rule of EventBridge: a bus may be what findings are told to.
    fn has_rule(&self) -> bool {
        self.0.iter().any(|one| one.contains(":events:") && one.contains(":rule/"))
    }

    /// Whether it names anything of these services.
    fn has(&self, services: &[&str]) -> bool {
        let mut named = self.0.iter().filter_map(|one| one.split(':').nth(2));
        named.any(|service| services.contains(&service))
    }
}

impl Kind {
    fn takes(&self, resource: &str) -> bool {
        match self.resource {
            "*/" => resource.contains('/'),
            beginning => resource.starts_with(beginning),
        }
    }

    fn of(arn: &str) -> Option<&'static Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, resource) = (parts.next()?, parts.nth(2)?);
        KINDS.iter().find(|kind| kind.service == service && kind.takes(resource))
    }
}

/// What the resource of an ARN is to sentrail, and what comes of it where it is gone.
pub(crate) fn part(arn: &str) -> (&'static str, &'static str) {
    Kind::of(arn).map_or(("", ""), |kind| (kind.is, kind.without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (pattern, why) in [
            ("arn:aws:cloudtrail:eu-central-1:111122223333:trail/main", None),
            ("arn:aws:s3:::logs", None),
            ("arn:aws:s3:::state/sentrail/*", None),
            ("arn:*:sqs:*:111122223333:sentrail", None),
            ("arn:aws:ecs:eu-central-1:111122223333:service/sentrail/*", None),
            ("sentrail", Some("is no ARN")),
            ("arn:aws:dynamodb:eu-central-1:111122223333:table/a", Some("is of no service")),
            ("arn:aws:iam::111122223333:user/a", Some("names nothing that is watched (role/")),
            ("arn:aws:s3:::*", Some("names all there are")),
            ("arn:aws:kms:eu-central-1:111122223333:key/", Some("names all there are")),
        ] {
            let refused = Own::refused(pattern);
            assert_eq!(refused.is_some(), why.is_some(), "{pattern}: {refused:?}");
            let said = refused.unwrap_or_default();
            assert!(said.starts_with(why.unwrap_or_default()), "{pattern}: {said}");
        }
    }

    #[test]
    fn the_apis_are_in_their_order() {
        assert!(APIS.is_sorted());
    }

    #[test]
    fn every_kind_says_what_goes_blind() {
        for kind in KINDS {
            let name = kind.resource.replace('*', "bucket");
            let arn = format!("arn:aws:{}:eu-central-1:111122223333:{name}x", kind.service);
            assert_eq!(part(&arn), (kind.is, kind.without), "{arn}");
        }
        assert_eq!(part("arn"), ("", ""));
    }
}
