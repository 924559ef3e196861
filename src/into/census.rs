//! Who there is in the logs, and which of them the user means.

use super::{Pupil, Unusable};
use crate::{config::suggest, worker::Sink};
use baseline::{Kind, Principal};
use detect::FlowRows;
use ingest::{
    Event, Identity, Text,
    flow::{Field, FlowBatch},
    source::Object,
};
use std::collections::BTreeMap;
use testdata::clock::NAMED_S;

/// Identities whose calls are counted, so that a mistyped one can be mended; of those that are meant
/// as many. Unit: identities.
const NAMES_MAX: usize = 10_000;
/// Identities that an error names.
const SHOWN_MAX: usize = 5;

/// An identity or an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) account: String,
    /// As findings have it.
    pub(super) key: String,
    pub(super) is_interface: bool,
}

/// First and last moment. Unit: seconds since the Unix epoch.
type Span = Option<(i64, i64)>;

pub(super) struct Census<'a> {
    wanted: &'a str,
    /// The story happens to an interface, not to an identity.
    is_of_network: bool,
    meant: BTreeMap<Who, u64>,
    names: BTreeMap<Who, u64>,
    calls: Span,
    flows: Span,
    account: String,
    /// When the object was written. Unit: seconds since the Unix epoch.
    stamp_s: Option<i64>,
}

impl<'a> Census<'a> {
    pub(super) fn new(wanted: &'a str, is_of_network: bool) -> Self {
        let (meant, names) = (BTreeMap::new(), BTreeMap::new());
        let account = String::new();
        Self {
            wanted,
            is_of_network,
            meant,
            names,
            calls: None,
            flows: None,
            account,
            stamp_s: None,
        }
    }

    /// The busiest of those that are meant, and the time that logs of its kind cover.
    pub(super) fn found(self) -> Result<(Who, (i64, i64)), Unusable> {
        let busiest = self.meant.iter().rev().max_by_key(|(_, n)| **n).map(|(who, _)| who.clone());
        let who = busiest.ok_or_else(|| self.unknown())?;
        let span = if who.is_interface { self.flows } else { self.calls };
        Ok((who, span.unwrap_or_default()))
    }

    fn unknown(&self) -> Unusable {
        let mut names: Vec<(&Who, u64)> = self.names.iter().map(|(who, n)| (who, *n)).collect();
        // Interfaces have more rows than identities have calls, and would push them all out.
        names.sort_by_key(|(who, n)| {
            let is_other = who.is_interface != self.is_of_network;
            (!who.key.contains(self.wanted), is_other, std::cmp::Reverse(*n))
        });
        let names: Vec<&str> = names.iter().map(|(who, _)| &*who.key).collect();
        let is_part = names.first().is_some_and(|name| name.contains(self.wanted));
        let near = if is_part { None } else { suggest(self.wanted, names.iter().copied()) };
        let mut shown: Vec<&str> = near.into_iter().collect();
        shown.extend(names.iter().filter(|name| Some(**name) != near));
        shown.truncate(SHOWN_MAX);
        let wanted = self.wanted;
        if shown.is_empty() {
            let what = "the only calls are those of AWS's services";
            return Unusable(format!("{wanted} is not in these logs: {what}"));
        }
        let shown = shown.join(", ");
        Unusable(format!(
            "{wanted} is not in these logs (expected an identity as findings have it, an ARN, an access \
             key or an interface, for example {shown})"
        ))
    }

    fn count(&mut self, who: Who, is_meant: bool) {
        if is_meant {
            add(&mut self.meant, who.clone());
        }
        add(&mut self.names, who);
    }
}

fn add<T: Ord>(counts: &mut BTreeMap<T, u64>, thing: T) {
    if let Some(n) = counts.get_mut(&thing) {
        *n += 1;
    } else if counts.len() < NAMES_MAX {
        counts.insert(thing, 1);
    }
}

/// What is dated after its object counts as of the object; what no log can name does not count.
fn widen(span: &mut Span, time_s: i64, stamp_s: Option<i64>) {
    let time_s = time_s.min(stamp_s.unwrap_or(i64::MAX));
    if !NAMED_S.contains(&time_s) {
        return;
    }
    let (first_s, last_s) = span.unwrap_or((time_s, time_s));
    *span = Some((first_s.min(time_s), last_s.max(time_s)));
}

/// The entity behind a call, as findings have it.
pub(super) fn who(event: &Event<'_>) -> Option<(Who, Principal)> {
    let account = event.account().map(Text::get).unwrap_or_default();
    let principal = Principal::of(&Identity::of(event.identity?), &account);
    let key = principal.entity.key.to_string();
    let account = principal.entity.account.to_string();
    Some((Who { account, key, is_interface: false }, principal))
}

impl Pupil for Census<'_> {
    fn object(&mut self, object: &Object) {
        object.info().account.unwrap_or_default().clone_into(&mut self.account);
        self.stamp_s = object.stamp_ms.map(|ms| ms.div_euclid(1_000));
    }
}

impl Sink for Census<'_> {
    fn record(&mut self, event: &Event<'_>) {
        widen(&mut self.calls, event.time_ms.div_euclid(1_000), self.stamp_s);
        let Some((who, principal)) = who(event) else { return };
        let wanted = self.wanted;
        let issuer = event.identity.map(Identity::of).and_then(|identity| identity.issuer_arn);
        let is_meant = who.key == wanted
            || *principal.actor == *wanted
            || goes_by(&alerts::readable(&principal.entity), wanted)
            || principal.access_key.is_some_and(|key| *key == *wanted)
            || issuer.is_some_and(|arn| arn.is(wanted));
        if is_meant || principal.entity.kind != Kind::Service {
            self.count(who, is_meant);
        }
    }

    fn rows(&mut self, rows: &FlowRows<'_>) {
        let batch = rows.batch;
        let ends = batch.int64(Field::End);
        for row in 0..batch.rows() {
            if let Some(end_s) = ends.and_then(|ends| ends.get(row)) {
                widen(&mut self.flows, end_s, self.stamp_s);
            }
            let Some((account, key)) = interface(batch, row, &self.account) else { continue };
            let is_meant =
                key == self.wanted || self.wanted.split_once('/') == Some((account, key));
            let who = Who { account: account.to_owned(), key: key.to_owned(), is_interface: true };
            self.count(who, is_meant);
        }
    }
}

/// Whether `readable`, the name in the table of findings, is meant: all of it, or what stands before
/// the brackets.
fn goes_by(readable: &str, wanted: &str) -> bool {
    let bare = readable.split_once(" (").map_or(readable, |(name, _)| name);
    [readable, bare].contains(&wanted)
}

/// Account and interface of a row; of an object that belongs to `account` if the row does not tell.
pub(super) fn interface<'a>(
    batch: &'a FlowBatch,
    row: usize,
    account: &'a str,
) -> Option<(&'a str, &'a str)> {
    let text = |field| batch.texts(field).and_then(|texts| texts.get(row));
    Some((text(Field::AccountId).unwrap_or(account), text(Field::InterfaceId)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(key: &str) -> Who {
        Who { account: "111122223333".to_owned(), key: key.to_owned(), is_interface: false }
    }

    #[test]
    fn the_busiest_of_those_that_are_meant_is_found() {
        let mut census = Census::new("role", false);
        for (key, n, is_meant) in [("a#ci", 1, true), ("b#ci", 3, true), ("c", 9, false)] {
            (0..n).for_each(|_| census.count(who(key), is_meant));
        }
        for time_s in [7, 5, 9_000, i64::MAX, -1] {
            widen(&mut census.calls, time_s, (time_s == 9_000).then_some(6));
        }
        widen(&mut census.flows, 99, None);
        assert_eq!(census.found().unwrap(), (who("b#ci"), (5, 7)));
    }

    #[test]
    fn who_is_not_there_hears_the_nearest_and_the_busiest() {
        let mut census = Census::new("eni-0b", false);
        for n in 0..9 {
            (0..n).for_each(|_| census.count(who(&format!("user-{n}")), false));
        }
        census.count(who("eni-0a"), false);
        let eni = Who { is_interface: true, ..who("eni-1") };
        (0..99).for_each(|_| census.count(eni.clone(), false));
        let part =
            Census { wanted: "ser-3", names: census.names.clone(), ..Census::new("", false) };
        let text = part.found().unwrap_err().to_string();
        assert!(text.ends_with("for example user-3, user-8, user-7, user-6, user-5)"), "{text}");
        let text = census.found().unwrap_err().to_string();
        assert!(text.ends_with("for example eni-0a, user-8, user-7, user-6, user-5)"), "{text}");
        let text = Census::new("x", false).found().unwrap_err().to_string();
        assert!(text.ends_with("the only calls are those of AWS's services"), "{text}");
    }

    #[test]
    fn a_name_of_the_table_is_meant() {
        for name in ["ada@example.com (AWSReservedSSO_Admin)", "ada@example.com"] {
            assert!(goes_by("ada@example.com (AWSReservedSSO_Admin)", name), "{name}");
        }
        assert!(!goes_by("ada@example.com (AWSReservedSSO_Admin)", "ada"));
    }

    #[test]
    fn names_are_bounded() {
        let mut census = Census::new("x", false);
        for n in 0..NAMES_MAX + 5 {
            census.count(who(&n.to_string()), true);
        }
        assert_eq!((census.names.len(), census.meant.len()), (NAMES_MAX, NAMES_MAX));
    }
}
