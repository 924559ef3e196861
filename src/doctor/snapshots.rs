//! Where snapshots are kept. In: a bucket and a prefix. Out: checks. An empty object is written, read, and deleted again.

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
    let new = [("if-none-match", "*")];
    let put = Question { headers: &new, ..Question::of_s3("PUT", &path) };
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
    }
}
