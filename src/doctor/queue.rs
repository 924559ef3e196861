//! A queue: whether it can be served, and would lose nothing. In: its URL. Out: checks, and what else has to be known of it.

use super::{
    ask::{Client, Heard, Need},
    report::{Report, State},
};
use crate::aws::permissions::{LOOK_AT_DEAD_LETTERS, SERVE_QUEUE};
use ingest::source::calls::Answer;
use serde_json::{Value, json};

/// An epoch may take 30 s, and a message stays invisible for two of them. Unit: seconds.
const VISIBILITY_S_MIN: u64 = 60;
/// Somebody has to come back from a weekend. Unit: seconds.
const RETENTION_S_MIN: u64 = 3 * 24 * 60 * 60;
/// Fewer, and what was busy for a minute is dead. Unit: times.
const RECEIVES_MIN: u64 = 3;
/// What SQS hands out at once. Unit: messages.
const RECEIVED_MAX: u64 = 10;
/// Nobody was given it.
const RECEIPT: &str = "sentrail-doctor";
/// What SQS says of it, to whoever may ask.
const NO_RECEIPT: &[&str] = &["ReceiptHandle", "InvalidParameter", "InvalidAddress"];

/// What is known of a queue.
pub(super) struct Queue {
    pub(super) arn: String,
    pub(super) policy: Value,
    /// The key that encrypts it, if it is one of KMS.
    pub(super) key: Option<String>,
}

/// Looks at a queue; `None` where that is not possible.
pub(super) fn examine(client: &mut Client, url: &str, report: &mut Report) -> Option<Queue> {
    let arn = arn_of(client, url);
    let with = [("queue", arn.as_str())];
    let need = Need::of(&SERVE_QUEUE, &with);
    let reading = need.to("sqs:GetQueueAttributes");
    let heard = attributes_of(client, url);
    let answer = client.answered(heard, (report, ("queue-attributes", url)), reading);
    let attributes = attributes(answer.as_ref());
    if answer.is_some() {
        report.note(("queue-attributes", url), State::Ok, reading.tried(), "allowed");
        times(&attributes, url, report);
        dead_letters(client, &attributes, url, report);
    }
    receive(client, url, &attributes, (need, report));
    for (name, check, more) in [
        ("sqs:DeleteMessage", "queue-delete", json!({})),
        ("sqs:ChangeMessageVisibility", "queue-hide", json!({"VisibilityTimeout": 0})),
    ] {
        let mut body = json!({"QueueUrl": url, "ReceiptHandle": RECEIPT});
        body.as_object_mut()?.extend(more.as_object().cloned().unwrap_or_default());
        let heard = client.ask_json("sqs", &name.replace("sqs:", "AmazonSQS."), &body);
        let need = need.to(name);
        if heard.is_refused_as(NO_RECEIPT)
            || client.answered(heard, (report, (check, url)), need).is_some()
        {
            report.note((check, url), State::Ok, need.tried(), "allowed");
        }
    }
    let policy = text(&attributes, "Policy").and_then(|text| serde_json::from_str(text).ok());
    let key = text(&attributes, "KmsMasterKeyId").filter(|key| !key.is_empty());
    answer.is_some().then(|| Queue {
        arn,
        policy: policy.unwrap_or_default(),
        key: key.map(str::to_owned),
    })
}

fn attributes_of(client: &mut Client, url: &str) -> Heard {
    let body = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    client.ask_json("sqs", "AmazonSQS.GetQueueAttributes", &body)
}

fn attributes(answer: Option<&Answer>) -> Value {
    let said: Option<Value> = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok());
    said.and_then(|mut said| Some(said.get_mut("Attributes")?.take())).unwrap_or_default()
}

fn text<'v>(attributes: &'v Value, name: &str) -> Option<&'v str> {
    attributes.get(name)?.as_str()
}

fn number(attributes: &Value, name: &str) -> Option<u64> {
    text(attributes, name)?.parse().ok()
}

/// The ARN of a queue by its URL.
fn arn_of(client: &Client, url: &str) -> String {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default();
    let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit());
    let account = parts.next().filter(is_account).unwrap_or(&client.account);
    let [(_, partition), (_, region), _] = client.place();
    format!("arn:{partition}:sqs:{region}:{account}:{name}")
}

/// The URL of a queue by its ARN, beside another one.
fn url_of(arn: &str, beside: &str) -> Option<String> {
    let mut fields = arn.split(':').skip(4);
    let (account, name) = (fields.next()?, fields.next()?);
    let mut parts = beside.trim_end_matches('/').rsplitn(3, '/');
    let base = parts.nth(2)?;
    Some(format!("{base}/{account}/{name}"))
}

fn times(attributes: &Value, url: &str, report: &mut Report) {
    let visibility_s = number(attributes, "VisibilityTimeout").unwrap_or_default();
    let tried = "its visibility timeout against an epoch of 30 s";
    let found = format!("{visibility_s} s");
    let is_long = visibility_s >= VISIBILITY_S_MIN;
    let state = if is_long { State::Ok } else { State::Fault };
    let check = report.note(("queue-visibility", url), state, tried, found);
    if !is_long {
        check.mend("set it to 300 s");
    }
    let retention_s = number(attributes, "MessageRetentionPeriod").unwrap_or_default();
    let is_long = retention_s >= RETENTION_S_MIN;
    let state = if is_long { State::Ok } else { State::Fault };
    let found = format!("{} h", retention_s / 3_600);
    let tried = "how long messages are kept, against a weekend";
    let check = report.note(("queue-retention", url), state, tried, found);
    if !is_long {
        check.mend("set MessageRetentionPeriod to 14 days, 1209600 s");
    }
}

fn dead_letters(client: &mut Client, attributes: &Value, url: &str, report: &mut Report) {
    let redrive: Value = text(attributes, "RedrivePolicy")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let subject = ("dead-letters", url);
    let Some(dead) = text(&redrive, "deadLetterTargetArn") else {
        let check = report.note(subject, State::Fault, "its RedrivePolicy", "there is none");
        check.mend("give it a dead-letter queue, with a maxReceiveCount of 5: what cannot be read comes again for ever");
        return;
    };
    let receives = redrive.get("maxReceiveCount");
    let receives = receives.and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
    if receives.is_some_and(|n| n < RECEIVES_MIN) {
        let what = format!("a message is dead after {} receipts", receives.unwrap_or_default());
        let check = report.note(subject, State::Fault, "its maxReceiveCount", what);
        check.mend("set it to 5: S3 and KMS may be busy for a while");
        return;
    }
    let Some(dead_url) = url_of(dead, url) else { return };
    match attributes_of(client, &dead_url) {
        Heard::Done(answer) => {
            let dead_ones = self::attributes(Some(&answer));
            let n = number(&dead_ones, "ApproximateNumberOfMessages").unwrap_or_default();
            let [kept, kept_dead] = [attributes, &dead_ones]
                .map(|of| number(of, "MessageRetentionPeriod").unwrap_or_default());
            let tried = format!("the attributes of {dead}");
            if n > 0 {
                let what = format!("{n} messages lie there");
                let check = report.note(subject, State::Fault, tried, what);
                check.mend("look at one of them and at the log of sentrail, mend the cause, and redrive them");
            } else if kept_dead < kept {
                let what = "it keeps messages for less long than the queue, counted from when they were sent";
                let check = report.note(subject, State::Fault, tried, what);
                check.mend("set its MessageRetentionPeriod to 14 days, 1209600 s");
            } else {
                report.note(subject, State::Ok, tried, "it is there, and empty");
            }
        }
        Heard::Missing(failure) => {
            let what = format!("{dead} is not there: {}", failure.error);
            let tried = "sqs:GetQueueAttributes of it";
            report.note(subject, State::Fault, tried, what).mend("create it anew");
        }
        Heard::Denied(_) => {
            let with = [("queue", dead)];
            let need = Need::of(&LOOK_AT_DEAD_LETTERS, &with);
            let what = format!("{dead} may not be looked at");
            let check = report.note(subject, State::Unknown, need.tried(), what);
            check.paste(client.statement(need));
        }
        Heard::Refused(failure) => {
            report.note(subject, State::Unknown, "the attributes of it", failure.error);
        }
        Heard::Nothing(why) => {
            report.note(subject, State::Unknown, "the attributes of it", why);
        }
    }
}

/// Tries to receive. A message that was received counts as such, and is dead after some times: of a queue with messages more
/// are asked for at once than there may be.
fn receive(
    client: &mut Client,
    url: &str,
    attributes: &Value,
    (need, report): (Need<'_>, &mut Report),
) {
    let n = number(attributes, "ApproximateNumberOfMessages");
    let n_asked = if n == Some(0) { 1 } else { RECEIVED_MAX + 1 };
    let body = json!({"QueueUrl": url, "MaxNumberOfMessages": n_asked, "VisibilityTimeout": 0});
    let heard = client.ask_json("sqs", "AmazonSQS.ReceiveMessage", &body);
    let subject = ("queue-receive", url);
    if heard.is_refused_as(&["InvalidParameter", "ReadCountOutOfRange"]) {
        let waiting = n.map(|n| format!("; about {n} messages wait")).unwrap_or_default();
        let what = format!("not refused for want of a permission{waiting}");
        report.note(subject, State::Ok, need.tried(), what);
    } else if client.answered(heard, (report, subject), need).is_some() {
        report.note(subject, State::Ok, need.tried(), "allowed; no message waits");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_lie_beside_their_queue() {
        let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/logs";
        let dead = url_of("arn:aws:sqs:eu-west-1:111122223333:logs-dead", url);
        let expected = "https://sqs.eu-west-1.amazonaws.com/111122223333/logs-dead";
        assert_eq!(dead.as_deref(), Some(expected));
    }
}
