//! Where snapshots are kept. In: a bucket and a prefix. Out: checks. An empty object is written, read, and deleted again; in
//! between it is tried whether the bucket refuses to write it again on a condition that does not hold.

use super::{
    ask::{Client, Heard, Need, Question, encoded},
    logs::named,
    report::{Report, State},
};
use crate::aws::{
    BucketPath,
    permissions::{ENCRYPT_SNAPSHOTS, KEEP_SNAPSHOTS, LIST_SNAPSHOTS},
};

/// Stands below the prefix for a moment.
const NAME: &str = ".sentrail-doctor";
/// Nothing is there: how a lease is begun.
const IF_NEW: [(&str, &str); 1] = [("if-none-match", "*")];
/// What is there has not changed, of an entity tag that an empty object has not: how a lease is renewed.
const IF_UNCHANGED: [(&str, &str); 1] = [("if-match", "\"00000000000000000000000000000000\"")];

/// Looks at where snapshots are kept.
pub(super) fn examine(client: &mut Client, at: &BucketPath, report: &mut Report) {
    let url = at.to_string();
    let bucket = encoded(&at.bucket, "");
    let prefix = match at.prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let at = BucketPath { prefix: prefix.clone(), ..at.clone() };
    let listing = format!("/{bucket}?list-type=2&max-keys=1&prefix={}", encoded(&prefix, ""));
    let heard = client.ask(Question::of_s3("GET", &listing));
    let subject = ("snapshots-list", url.as_str());
    let with = named(&at);
    let need = Need::of(&LIST_SNAPSHOTS, &with);
    if client.answered(heard, (report, subject), need).is_none() {
        return;
    }
    report.note(subject, State::Ok, need.tried(), "allowed");
    let path = format!("/{bucket}/{}", encoded(&format!("{prefix}{NAME}"), "/"));
    let put = Question { headers: &IF_NEW, ..Question::of_s3("PUT", &path) };
    for (name, action, question) in [
        ("snapshots-put", "s3:PutObject", put),
        ("snapshots-get", "s3:GetObject", Question::of_s3("GET", &path)),
        ("snapshots-delete", "s3:DeleteObject", Question::of_s3("DELETE", &path)),
    ] {
        let heard = client.ask(question);
        let subject = (name, url.as_str());
        let need = Need::of(&KEEP_SNAPSHOTS, &with).to(action);
        // It lies there still where nobody might delete it the last time.
        if heard.is_refused_as(&["PreconditionFailed"]) {
            report.note(subject, State::Ok, need.tried(), "allowed");
            continue;
        }
        let key = format!("arn:aws:kms:{}:{}:key/KEY-ID", client.region(), client.account);
        let of_key = [("key", key.as_str())];
        let answer = match &heard {
            Heard::Denied(failure) if failure.error.contains("kms:") => {
                client.answered(heard, (report, subject), Need::of(&ENCRYPT_SNAPSHOTS, &of_key))
            }
            _ => client.answered(heard, (report, subject), need),
        };
        if answer.is_some() {
            report.note(subject, State::Ok, need.tried(), "allowed");
        } else if name == "snapshots-put" {
            // What is not there can be neither read nor deleted.
            return;
        }
        if name == "snapshots-put" {
            look_at_conditions(client, &path, report, &url);
        }
    }
}

/// Without conditions two that hold the lease would both write, each over what the other wrote.
fn look_at_conditions(client: &mut Client, path: &str, report: &mut Report, url: &str) {
    let subject = ("snapshots-conditions", url);
    for (condition, tried) in [
        (&IF_NEW, "writes an empty object that is there, if none is there"),
        (&IF_UNCHANGED, "writes it, if it is another one than it is"),
    ] {
        let put = Question { headers: condition, ..Question::of_s3("PUT", path) };
        let heard = client.ask(put);
        if heard.is_refused_as(&["PreconditionFailed"]) {
            continue;
        }
        let (state, found) = match heard {
            Heard::Done(_) => (State::Fault, "written all the same".to_owned()),
            Heard::Missing(failure) | Heard::Refused(failure) => (State::Fault, failure.error),
            // What lets it be asked is looked at besides: to compare takes leave to read.
            Heard::Denied(failure) => (State::Unknown, failure.error),
            Heard::Nothing(why) => (State::Unknown, format!("out of reach: {why}")),
        };
        let check = report.note(subject, state, tried, found);
        if state == State::Fault {
            check.mend(
                "keep snapshots where S3's conditional writes (If-None-Match, If-Match) are heeded: without \
                 them two sentrails may write at a time",
            );
        }
        return;
    }
    let tried = "writes an empty object on conditions that do not hold";
    report.note(subject, State::Ok, tried, "refused, as it should be");
}
