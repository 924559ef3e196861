//! What a call acts on, as a name that stays: the bucket, not the object; the function, not its version.
//! In: the record. Out: borrowed text. What is made and thrown away by the thousand (instances,
//! snapshots, streams of logs, runs) is no target: it would be new every day.

mod table;

use crate::event::{Event, Raw};
use std::{borrow::Cow, fmt};

/// Longest target, kind and colon included; what is beyond is cut off. Unit: bytes.
pub(crate) const TARGET_BYTES_MAX: usize = 256;

/// What IAM and sign-in write where a name may be a password.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The thing that a call acts on. Written out, it is `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The service, and behind a colon what of it where names alone could be confused: `s3`,
    /// `iam:role`.
    pub kind: &'static str,
    /// Its name or id within account and region.
    pub name: Cow<'a, str>,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// The partition that a region belongs to: `aws`, `aws-cn` or `aws-us-gov`.
pub fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// Where the records of a service name what a call acts on. The same for all its calls: look it up once.
#[derive(Debug, Clone, Copy)]
pub struct Targets(&'static [Key]);

/// A member of `requestParameters` that names a target.
#[derive(Debug)]
struct Key {
    name: &'static str,
    kind: &'static str,
    /// The type of the resource in its ARN; empty where ARNs of the service have none.
    arn_type: &'static str,
    form: Form,
}

/// Which part of a value is the name that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// What stands before the first of these.
    Before(char),
    /// What stands behind the last slash.
    Last,
    /// A bucket, of the ARN of an object too.
    Bucket,
    /// A secret, without the six characters that its ARN has behind the name.
    Secret,
    /// The path that a parameter lies in, without slashes around it; its name where it lies in none.
    Folder,
    /// A path, without slashes around it.
    Path,
}

impl Targets {
    /// Of the service of this name, as in [`Event::service`]. Unknown ones have no targets, and
    /// `sts` has none: see [`assumed_role`].
    pub fn of(service: &str) -> Self {
        let at = table::TABLE.binary_search_by(|(known, _)| (*known).cmp(service));
        let keys = at.ok().and_then(|at| table::TABLE.get(at)).map(|(_, keys)| *keys);
        Self(keys.unwrap_or_default())
    }

    /// What a call of the service acts on: what `requestParameters` names, by the first key of the
    /// service that is there, else the first ARN of `resources` that is of a kind of the service.
    /// Allocates only where the log escaped something.
    pub fn target<'a>(self, event: &Event<'a>) -> Option<Target<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let named = event.request.and_then(|request| self.named(request));
        named.or_else(|| self.resource(event.resources?))
    }

    fn named<'a>(self, request: Raw<'a>) -> Option<Target<'a>> {
        let mut best: Option<(usize, Target<'a>)> = None;
        for (name, value) in request.entries() {
            // No service has keys that must be escaped.
            let Some((at, key)) = self.0.iter().enumerate().find(|(_, key)| key.name == name.0)
            else {
                continue;
            };
            if best.as_ref().is_none_or(|(best, _)| at < *best)
                && let Some(target) = key.target(value)
            {
                best = Some((at, target));
                if at == 0 {
                    break;
                }
            }
        }
        best.map(|(_, target)| target)
    }

    fn resource(self, resources: Raw<'_>) -> Option<Target<'_>> {
        resources.each().find_map(|resource| {
            let arn = resource.get("ARN")?.text()?.get();
            self.0.iter().find_map(|key| key.of_arn(arn.clone()))
        })
    }
}

impl Key {
    /// The target that a value names: the first of several.
    fn target<'a>(&self, value: Raw<'a>) -> Option<Target<'a>> {
        let text = value.each().next()?.text()?.get();
        if text == HIDDEN {
            return None;
        }
        self.part(text, |text| match arn(text) {
            Some((_, resource)) => self.form.of_arn(self.typed(resource).unwrap_or(resource)),
            None => self.form.of(text),
        })
    }

    /// The target that an ARN names, if it is of this kind.
    fn of_arn<'a>(&self, text: Cow<'a, str>) -> Option<Target<'a>> {
        self.part(text, |text| {
            let (service, resource) = arn(text).unwrap_or_default();
            let is_own = self.kind.split(':').next() == Some(service);
            let resource = self.typed(resource).filter(|_| is_own);
            resource.map_or("", |resource| self.form.of_arn(resource))
        })
    }

    /// What stands behind the type of a resource.
    fn typed<'t>(&self, resource: &'t str) -> Option<&'t str> {
        if self.arn_type.is_empty() {
            return Some(resource);
        }
        resource.strip_prefix(self.arn_type)?.strip_prefix([':', '/'])
    }

    /// A part of a text as target; `None` if it is empty.
    fn part<'a>(&self, text: Cow<'a, str>, of: impl Fn(&str) -> &str) -> Option<Target<'a>> {
        let bytes_max = TARGET_BYTES_MAX - self.kind.len() - 1;
        let cut = |name: &str| name.len().min(name.floor_char_boundary(bytes_max));
        let name = match text {
            Cow::Borrowed(text) => {
                let name = of(text);
                Cow::Borrowed(name.get(..cut(name)).unwrap_or_default())
            }
            Cow::Owned(text) => {
                let name = of(&text);
                Cow::Owned(name.get(..cut(name)).unwrap_or_default().to_owned())
            }
        };
        (!name.is_empty()).then_some(Target { kind: self.kind, name })
    }
}

impl Form {
    /// Of a name.
    fn of(self, text: &str) -> &str {
        match self {
            Self::Whole | Self::Secret => text,
            Self::Before(mark) => text.split(mark).next().unwrap_or(text),
            Self::Last => text.rsplit('/').next().unwrap_or(text),
            Self::Bucket if text.starts_with("accesspoint/") => text,
            Self::Bucket => text.split('/').next().unwrap_or(text),
            Self::Folder => {
                let path = Self::Path.of(text);
                path.rsplit_once('/').map_or(path, |(folder, _)| folder)
            }
            Self::Path => {
                let path = text.trim_matches('/');
                // The root holds everything.
                if path.is_empty() { text } else { path }
            }
        }
    }

    /// Of what an ARN has behind the type.
    fn of_arn(self, resource: &str) -> &str {
        match self {
            Self::Secret => match resource.rsplit_once('-') {
                Some((name, suffix)) if suffix.len() == 6 => name,
                _ => resource,
            },
            _ => self.of(resource),
        }
    }
}

/// Service and resource of an ARN.
fn arn(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
    let service = parts.nth(1)?;
    Some((service, parts.nth(2)?))
}

/// The role that a call asks for: `roleArn` of `AssumeRole` and its like, at most
/// `TARGET_BYTES_MAX` of it.
pub fn assumed_role<'a>(event: &Event<'a>) -> Option<Cow<'a, str>> {
    if !event.name.0.starts_with("AssumeRole") || event.service() != "sts" {
        return None;
    }
    let mut role = event.request?.get("roleArn")?.text()?.get();
    let end = role.floor_char_boundary(TARGET_BYTES_MAX);
    match &mut role {
        Cow::Borrowed(role) => *role = role.get(..end).unwrap_or_default(),
        Cow::Owned(role) => role.truncate(end),
    }
    (!role.is_empty()).then_some(role)
}

#[cfg(test)]
mod tests;
