//! What goes into a call: findings of one account, filed as Security Hub asks for it. In: messages. Out: bodies of
//! requests, and messages with what became of them.

use super::FINDINGS_MAX;
use crate::{
    formats::{FILED_BYTES_MAX, NO_ACCOUNT},
    sinks::{Message, Outcome, body::json},
};
use ingest::time::format_ms;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Security Hub takes 6 MB. Unit: bytes.
pub(super) const CALL_BYTES_MAX: usize = 6_000_000;
/// What stands around the findings. Unit: bytes.
const AROUND_BYTES: usize = "{\"Findings\":[]}".len();

/// Where a finding is filed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

impl Product<'_> {
    /// The product that everybody has for findings of one's own.
    pub(super) fn arn(self) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
    }
}

/// Findings of one account that go in one call.
pub(super) struct Batch {
    pub(super) account: String,
    /// At most [`FINDINGS_MAX`].
    all: Vec<(Message, Map<String, Value>)>,
    n_bytes: usize,
    /// When it was filed last. Unit: milliseconds since the Unix epoch.
    stamp_ms: i64,
}

/// Messages as batches, in their order. `own` is the own account, and the only one where that is asked for.
pub(super) fn of(messages: Vec<Message>, own: &str, is_own: bool) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for message in messages {
        let finding = match serde_json::from_str(&message.body) {
            Ok(Value::Object(fields)) => fields,
            // The outbox gives back what was put there, so this is not.
            _ => Map::new(),
        };
        let of = finding.get("AwsAccountId").and_then(Value::as_str);
        let account = of.filter(|account| !is_own && *account != NO_ACCOUNT).unwrap_or(own);
        let n_bytes = message.body.len() + FILED_BYTES_MAX;
        let last = batches.iter_mut().rev().find(|batch| batch.account == account);
        match last.filter(|batch| batch.takes(n_bytes)) {
            Some(batch) => {
                batch.n_bytes += n_bytes;
                batch.all.push((message, finding));
            }
            None => batches.push(Batch {
                account: account.to_owned(),
                all: vec![(message, finding)],
                n_bytes: AROUND_BYTES + n_bytes,
                stamp_ms: 0,
            }),
        }
    }
    batches
}

/// A body that calls itself a sample, and is nobody's.
pub(crate) fn as_sample(body: &str) -> String {
    let mut finding: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(fields) = finding.as_object_mut() {
        fields.insert("Sample".to_owned(), true.into());
        fields.insert("AwsAccountId".to_owned(), NO_ACCOUNT.into());
    }
    json(&finding)
}

/// RFC 3339, always with milliseconds.
fn stamp(time_ms: i64) -> String {
    let text = format_ms(time_ms);
    if text.contains('.') { text } else { text.replace('Z', ".000Z") }
}

impl Batch {
    fn takes(&self, n_bytes: usize) -> bool {
        self.all.len() < FINDINGS_MAX && self.n_bytes + n_bytes < CALL_BYTES_MAX
    }

    /// The body of a call that is made at `stamp_ms`. Unit: milliseconds since the Unix epoch.
    pub(super) fn filed(&mut self, product: Product<'_>, stamp_ms: i64) -> String {
        let mut bodies = Vec::with_capacity(self.all.len());
        for (message, finding) in &mut self.all {
            let created_ms = message.created_ms.unwrap_or(stamp_ms);
            for (name, value) in [
                ("AwsAccountId", product.account.to_owned()),
                ("ProductArn", product.arn()),
                ("CreatedAt", stamp(created_ms)),
                ("UpdatedAt", stamp(stamp_ms)),
            ] {
                finding.insert(name.to_owned(), value.into());
            }
            bodies.push(json(finding));
        }
        self.stamp_ms = stamp_ms;
        format!("{{\"Findings\":[{}]}}", bodies.join(","))
    }

    /// What became of each, where these failed, by id, and the others did not.
    pub(super) fn each(self, mut failed: BTreeMap<String, Outcome>) -> Vec<(Message, Outcome)> {
        let is_ours = |id: &String| self.all.iter().any(|(one, _)| one.finding.to_string() == *id);
        if !failed.keys().all(is_ours) {
            let error = "an answer about findings that were not sent".to_owned();
            return self.all(&Outcome::Retry { error, after_ms: None });
        }
        let Self { all, stamp_ms, .. } = self;
        let each = all.into_iter().map(|(mut message, _)| {
            let outcome = failed.remove(&message.finding.to_string());
            if outcome.is_none() {
                message.created_ms.get_or_insert(stamp_ms);
            }
            (message, outcome.unwrap_or(Outcome::Delivered))
        });
        each.collect()
    }

    /// The same became of all.
    pub(super) fn all(self, outcome: &Outcome) -> Vec<(Message, Outcome)> {
        self.all.into_iter().map(|(message, _)| (message, outcome.clone())).collect()
    }

    /// Two of half as many, unless there is only one.
    pub(super) fn halved(mut self) -> Result<[Self; 2], Self> {
        if self.all.len() < 2 {
            return Err(self);
        }
        let second = self.all.split_off(self.all.len() / 2);
        // Neither is filled up any more: that it is less is enough to know of its bytes.
        let second = Self { account: self.account.clone(), all: second, ..self };
        Ok([self, second])
    }
}
