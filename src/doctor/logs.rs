//! Buckets of logs: whether they can be listed and read, and what lies there. In: a bucket and a prefix. Out: checks, and the
//! newest object of each kind. Of a folder of days only the last is looked into.

use super::{
    ask::{Client, Heard, Need, Question, elements, encoded, text},
    report::{Report, State},
};
use crate::{
    aws::{
        BucketPath,
        permissions::{DECRYPT_LOGS, LIST_LOGS, READ_LOGS},
    },
    clock,
    config::n_of,
};
use ingest::source::{KeyInfo, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Requests that look at what lies in a bucket. Unit: requests.
pub(super) const LOOKS_MAX: usize = 100;
/// CloudTrail writes every five minutes where anything is called. Unit: hours.
const SILENCE_HOURS_MAX: i64 = 24;
/// Unit: milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What lies below a prefix.
#[derive(Debug, Default)]
pub(super) struct Layout {
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
    organisations: BTreeSet<String>,
    /// The newest object of each kind that is read.
    pub(super) newest: BTreeMap<Kind, Found>,
    n_others: usize,
    is_empty: bool,
    is_whole: bool,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: String,
    /// Unit: bytes.
    pub(super) bytes: u64,
}

impl Found {
    fn stamp_ms(&self) -> Option<i64> {
        KeyInfo::of(&self.key).stamp_ms
    }
}

impl Layout {
    /// Accounts that the logs are of.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(String::as_str)
    }

    fn words(&self) -> String {
        let all = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let kinds: Vec<_> = self.newest.keys().map(|kind| name(*kind)).collect();
        let at_least = if self.is_whole { "" } else { "at least " };
        let whose = if self.organisations.is_empty() {
            String::new()
        } else {
            format!(" of organisation {}", all(&self.organisations))
        };
        let (accounts, regions) = (all(&self.accounts), all(&self.regions));
        let n = n_of(self.accounts.len(), "account");
        format!("{at_least}{} in {n}{whose} ({accounts}), {regions}", kinds.join(" and "))
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::CloudTrail => "CloudTrail",
        Kind::FlowLog => "flow logs",
        _ => "unnamed logs",
    }
}

/// How statements name a bucket.
pub(super) fn named(at: &BucketPath) -> [(&'static str, &str); 2] {
    [("bucket", &at.bucket), ("prefix", &at.prefix)]
}

/// Looks at a bucket of logs; `None` where that is not possible.
pub(super) fn examine(client: &mut Client, at: &BucketPath, report: &mut Report) -> Option<Layout> {
    let url = at.to_string();
    let first = client.ask(Question::of_s3("GET", &listing(at, &at.prefix)));
    let first = listed(client, at, first, report)?;
    let layout = look(client, at, &first);
    note(client, at, &layout, report);
    for (kind, found) in &layout.newest {
        read(client, at, (*kind, found), report);
    }
    let newest = layout.newest.get(&Kind::CloudTrail).and_then(Found::stamp_ms);
    if let Some(stamp_ms) = newest {
        let hours = clock::now_ms().saturating_sub(stamp_ms) / HOUR_MS;
        let found = format!("the newest object of CloudTrail is {hours} h old");
        let (state, to_do) = match hours {
            0..=SILENCE_HOURS_MAX => (State::Ok, None),
            _ => (State::Fault, Some("see whether the trail is logging, and may write here")),
        };
        let check = report.note(("bucket-fresh", &url), state, "the stamp in its name", found);
        to_do.map(|to_do| check.mend(to_do));
    }
    Some(layout)
}

fn listing(at: &BucketPath, prefix: &str) -> String {
    let (bucket, prefix) = (encoded(&at.bucket, ""), encoded(prefix, ""));
    format!("/{bucket}?delimiter=%2F&list-type=2&prefix={prefix}")
}

/// What a listing said, or why there is none.
fn listed(client: &Client, at: &BucketPath, heard: Heard, report: &mut Report) -> Option<String> {
    let url = at.to_string();
    let subject = ("bucket-list", url.as_str());
    if let Heard::Refused(failure) = &heard
        && ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocation"]
            .iter()
            .any(|code| failure.code.contains(code))
    {
        let what = format!("it is not in {}: {}", client.region(), failure.error);
        let check = report.note(subject, State::Fault, "s3:ListBucket", what);
        check.mend("set `region` of [aws] to that of the bucket");
        return None;
    }
    let with = named(at);
    let need = Need::of(&LIST_LOGS, &with);
    let answer = client.answered(heard, (report, subject), need)?;
    report.note(subject, State::Ok, need.tried(), "allowed");
    Some(String::from_utf8_lossy(&answer.body).into_owned())
}

/// Looks into folders, those of accounts, services and regions all, of days the last.
fn look(client: &mut Client, at: &BucketPath, first: &str) -> Layout {
    let mut layout = Layout { is_whole: true, ..Layout::default() };
    let mut pages = vec![first.to_owned()];
    let mut waiting: Vec<String> = Vec::new();
    let mut n_looks = 0;
    layout.is_empty =
        elements(first, "CommonPrefixes").is_empty() && elements(first, "Contents").is_empty();
    loop {
        if let Some(page) = pages.pop() {
            waiting.extend(folders(&page, &mut layout));
            objects(&page, &mut layout);
        }
        let Some(folder) = waiting.pop() else { break };
        n_looks += 1;
        if n_looks > LOOKS_MAX {
            layout.is_whole = false;
            break;
        }
        if let Heard::Done(answer) = client.ask(Question::of_s3("GET", &listing(at, &folder))) {
            pages.push(String::from_utf8_lossy(&answer.body).into_owned());
        } else {
            layout.is_whole = false;
        }
    }
    layout
}

/// Folders of a page that are looked into.
fn folders(page: &str, layout: &mut Layout) -> Vec<String> {
    let all: Vec<_> =
        elements(page, "CommonPrefixes").iter().filter_map(|one| text(one, "Prefix")).collect();
    let of_times: Vec<_> = all.iter().filter(|folder| is_of_time(folder)).collect();
    if of_times.len() == all.len() {
        return all.into_iter().max().into_iter().collect();
    }
    let mut kept = Vec::new();
    for folder in all {
        match KeyInfo::of(&format!("{folder}x")).kind {
            Kind::CloudTrail | Kind::FlowLog | Kind::Unknown => kept.push(folder),
            _ => layout.n_others += 1,
        }
    }
    kept
}

/// Whether it is a year, a month, a day or an hour.
fn is_of_time(folder: &str) -> bool {
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let digits = name.split_once('=').map_or(name, |(_, value)| value);
    (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn objects(page: &str, layout: &mut Layout) {
    // Of more than 1,000 names the others are not asked for.
    layout.is_whole &= text(page, "IsTruncated").as_deref() != Some("true");
    for one in elements(page, "Contents") {
        let Some(key) = text(one, "Key") else { continue };
        let bytes = text(one, "Size").and_then(|size| size.parse().ok()).unwrap_or_default();
        let info = KeyInfo::of(&key);
        let kind = info.kind;
        if !matches!(kind, Kind::CloudTrail | Kind::FlowLog) || bytes == 0 {
            layout.n_others += 1;
            continue;
        }
        let own = |name: Option<&str>| name.map(str::to_owned);
        layout.accounts.extend(own(info.account));
        layout.regions.extend(own(info.region));
        layout.organisations.extend(own(info.organisation));
        let stamp_ms = info.stamp_ms;
        let found = Found { key, bytes };
        let before = layout.newest.get(&kind).and_then(Found::stamp_ms);
        if before.is_none_or(|before| stamp_ms.is_some_and(|stamp_ms| stamp_ms > before)) {
            layout.newest.insert(kind, found);
        }
    }
}

fn note(client: &mut Client, at: &BucketPath, layout: &Layout, report: &mut Report) {
    let url = at.to_string();
    let (subject, tried) = (("bucket-layout", url.as_str()), "listing it folder by folder");
    if !layout.newest.is_empty() {
        report.note(subject, State::Ok, tried, layout.words());
        return;
    }
    if !layout.is_empty {
        let found = format!(
            "no object of CloudTrail or flow logs by its name; {}",
            n_of(layout.n_others, "other name")
        );
        let check = report.note(subject, State::Fault, tried, found);
        check.mend("expected a prefix such as s3://BUCKET/AWSLogs/");
        return;
    }
    let top = BucketPath { prefix: String::new(), ..at.clone() };
    let others = match client.ask(Question::of_s3("GET", &listing(&top, ""))) {
        Heard::Done(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
        _ => String::new(),
    };
    let others: Vec<_> =
        elements(&others, "CommonPrefixes").iter().filter_map(|one| text(one, "Prefix")).collect();
    if others.is_empty() || at.prefix.is_empty() {
        let found = "nothing lies there yet; a new trail writes within 15 minutes";
        report.note(subject, State::Unknown, tried, found);
    } else {
        let found = format!("nothing lies there; the bucket has {}", others.join(", "));
        report.note(subject, State::Fault, tried, found).mend("look at the prefix");
    }
}

/// Reads the first byte of an object, and so of its key of KMS.
fn read(client: &mut Client, at: &BucketPath, (kind, found): (Kind, &Found), report: &mut Report) {
    let url = format!("s3://{}/{}", at.bucket, found.key);
    let path = format!("/{}/{}", encoded(&at.bucket, ""), encoded(&found.key, "/"));
    let range = [("range", "bytes=0-0")];
    let heard = client.ask(Question { headers: &range, ..Question::of_s3("GET", &path) });
    let is_kms = matches!(&heard, Heard::Denied(failure) | Heard::Refused(failure)
        | Heard::Missing(failure)
        if failure.code.starts_with("KMS") || failure.error.contains("kms:"));
    if !is_kms {
        let subject = ("bucket-get", url.as_str());
        let with = named(at);
        let need = Need::of(&READ_LOGS, &with);
        if client.answered(heard, (report, subject), need).is_some() {
            let what = format!("the newest object of {} can be read", name(kind));
            report.note(subject, State::Ok, need.tried(), what);
        }
        return;
    }
    let head = client.ask(Question::of_s3("HEAD", &path));
    let key = match &head {
        Heard::Done(answer) => answer.header("x-amz-server-side-encryption-aws-kms-key-id"),
        _ => None,
    };
    let any = format!("arn:aws:kms:{}:{}:key/KEY-ID", client.region(), client.account);
    let with = [("key", key.unwrap_or(&any))];
    let subject = ("bucket-decrypt", url.as_str());
    client.answered(heard, (report, subject), Need::of(&DECRYPT_LOGS, &with));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(folders: &[&str], keys: &[&str]) -> String {
        let folder =
            |name: &&str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let key = |key: &&str| format!("<Contents><Key>{key}</Key><Size>9</Size></Contents>");
        folders.iter().map(folder).chain(keys.iter().map(key)).collect()
    }

    #[test]
    fn of_days_the_last_is_looked_into_and_of_accounts_all() {
        let mut layout = Layout::default();
        let days = ["A/2026/03/01/", "A/2026/03/02/"];
        assert_eq!(folders(&page(&days, &[]), &mut layout), [days[1]]);
        let accounts = ["AWSLogs/111122223333/", "AWSLogs/444455556666/"];
        assert_eq!(folders(&page(&accounts, &[]), &mut layout), accounts);
        let services = ["AWSLogs/111122223333/CloudTrail/", "AWSLogs/111122223333/Config/"];
        assert_eq!(folders(&page(&services, &[]), &mut layout), [services[0]]);
        assert_eq!(layout.n_others, 1);
    }

    #[test]
    fn the_newest_object_of_each_kind_is_kept() {
        let key = |stamp: &str| {
            format!(
                "AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/eu-west-1/2026/03/02/\
                 111122223333_CloudTrail_eu-west-1_{stamp}_a.json.gz"
            )
        };
        let keys = [key("20260302T0005Z"), key("20260302T0010Z"), key("20260302T0000Z")];
        let mut layout = Layout::default();
        objects(&page(&[], &keys.each_ref().map(String::as_str)), &mut layout);
        assert_eq!(layout.newest[&Kind::CloudTrail].key, keys[1]);
        let words = layout.words();
        assert!(words.contains("organisation o-a1b2c3d4e5 (111122223333), eu-west-1"), "{words}");
    }
}
