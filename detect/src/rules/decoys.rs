//! Decoys: roles, users, secrets, buckets, tables, parameters and access keys that nobody has any
//! business with, so that whoever names one is looking around.
//!
//! A decoy is found by its whole name: as a value of the call's parameters, as the name within an
//! ARN, or as the caller. `prod` is not found in `prod-2`.

use super::{matcher::folded, walk, words::Words};
use ingest::{Event, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Names of decoys, or their ARNs.
#[derive(Debug, Clone, Default)]
pub struct Decoys {
    /// As records may write them, folded, with what the configuration calls them.
    names: BTreeMap<String, String>,
    words: Words,
}

impl Decoys {
    /// Decoys of these names or ARNs.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let mut decoys = Self::default();
        for name in names {
            for written in [name.as_str()].into_iter().chain(names_in(&name)) {
                let written = folded(written.trim_start_matches('/'));
                decoys.names.entry(written).or_insert_with(|| name.clone());
            }
        }
        decoys.names.remove("");
        decoys.words = Words::of(decoys.names.keys().map(String::as_str));
        decoys
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The decoys that a call names, as the configuration calls them.
    pub(crate) fn named_by(&self, event: &Event<'_>) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        if self.names.is_empty() || !self.words.may_be_in(event.raw.0) {
            return found;
        }
        for raw in [event.identity, event.request, event.resources].into_iter().flatten() {
            walk::texts(raw, &mut |_, text| found.extend(self.within(text)));
        }
        found
    }

    fn within(&self, text: Text<'_>) -> Option<&str> {
        let text = text.get();
        let mut written = [&*text].into_iter().chain(names_in(&text));
        written.find_map(|name| {
            let name = folded(name.trim_start_matches('/'));
            self.names.get(&name).map(String::as_str)
        })
    }
}

/// The names that an ARN may give its resource.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut parts = text.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let service = parts.nth(1).unwrap_or_default();
    let resource = parts.nth(2).filter(|_| is_arn).unwrap_or_default();
    // `bucket/key`, but `role/path/name`, `table/name/index/name`, `secret:name-AbCdEf`.
    let is_bucket = service == "s3";
    let name = match resource.split_once(['/', ':']) {
        Some((bucket, _)) if is_bucket => bucket,
        Some((_, name)) => name,
        None => resource,
    };
    let named = name.len().checked_sub(SECRET_SUFFIX).and_then(|at| name.split_at_checked(at));
    let secret = named.filter(|(_, end)| service == "secretsmanager" && end.starts_with('-'));
    let ends = [name.split(['/', ':']).next(), name.rsplit(['/', ':']).next()];
    [Some(name), secret.map(|(name, _)| name)]
        .into_iter()
        .chain(ends)
        .flatten()
        .filter(|n| !n.is_empty())
}

/// Secrets Manager puts a hyphen and six characters of its own behind names. Unit: bytes.
const SECRET_SUFFIX: usize = 7;

#[cfg(test)]
mod tests;
