//! # Amazon SNS
//!
//! Each message is one `Publish` to a topic: the body that a webhook gets, less than 20 KB of the 256 KB that SNS takes.
//!
//! ## Sends
//!
//! `Message`, and attributes that subscriptions filter by: `severity`, `detector` and `account`. To a topic that keeps an
//! order (`.fifo`) also the series as `MessageGroupId`, and the id of the message as `MessageDeduplicationId`: what is
//! sent twice within five minutes comes once. `Subject` is none, since mails would show what logs say.
//!
//! ## Succeeds when
//!
//! The status is 2xx, and the answer gives the message an id.
//!
//! ## Fails when
//!
//! * the message was refused for what stands in it: it is dead at once;
//! * anything else: it is sent again, and so is what would have been sent behind it.

use super::{
    Message, Outcome,
    service::{
        Access,
        answer::{Failure, again},
        of_arn,
        pace::Paced,
    },
};
use crate::escape;
use ingest::source::{
    calls::{Answer, Request},
    session::{AccessError, Session},
};
use serde_json::Value;

/// The most characters of a name that SNS gives a topic, `.fifo` included.
const NAME_CHARS_MAX: usize = 256;

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    arn: String,
    region: String,
    /// Whether it keeps an order.
    is_fifo: bool,
}

/// Why a text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the ARN of a topic, such as \"arn:aws:sns:eu-central-1:111122223333:findings\"")]
pub struct NoTopic;

impl Topic {
    /// The topic of an ARN.
    pub fn parse(text: &str) -> Result<Self, NoTopic> {
        let (region, name) = of_arn(text, "sns").ok_or(NoTopic)?;
        let bare = name.strip_suffix(".fifo").unwrap_or(name);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if bare.is_empty() || name.len() > NAME_CHARS_MAX || !bare.chars().all(fits) {
            return Err(NoTopic);
        }
        Ok(Self { arn: text.to_owned(), region: region.to_owned(), is_fifo: bare != name })
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The region that it is in.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// What such a sink has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How AWS is reached, but for the region.
    pub access: Access,
    /// Where to publish.
    pub topic: Topic,
}

/// Publishes to one topic.
#[derive(Debug)]
pub struct Sns {
    paced: Paced,
    topic: Topic,
}

impl Sns {
    /// Finds credentials; whether they are good, the first call tells.
    pub(super) async fn reach(settings: Settings) -> Result<Self, AccessError> {
        let Settings { access, topic } = settings;
        let access = Access { region: Some(topic.region.clone()), ..access };
        Ok(Self::within(&Session::begin(&access).await?, topic))
    }

    fn within(session: &Session, topic: Topic) -> Self {
        Self { paced: Paced::new(session, None), topic }
    }

    /// As [`super::Caller::send`].
    pub(super) async fn send(
        &mut self,
        messages: Vec<Message>,
        now_ms: fn() -> i64,
    ) -> Vec<(Message, Outcome)> {
        let mut done = Vec::with_capacity(messages.len());
        let mut failed = None;
        for message in messages {
            // What comes behind one that failed would meet the same, or pass it.
            let outcome = match &failed {
                Some(outcome) => Outcome::clone(outcome),
                None => self.publish(&message, now_ms).await,
            };
            if let Outcome::Retry { .. } = outcome {
                failed = Some(outcome.clone());
            }
            done.push((message, outcome));
        }
        done
    }

    async fn publish(&mut self, message: &Message, now_ms: fn() -> i64) -> Outcome {
        let request = Request {
            service: "sns",
            path: "/",
            headers: &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: form(&self.topic, message),
        };
        match self.paced.ask(request, now_ms).await {
            Ok(answer) => verdict(&answer, &self.topic, now_ms()),
            Err(outcome) => outcome,
        }
    }
}

/// What is published, as the query protocol of AWS has it.
fn form(topic: &Topic, message: &Message) -> String {
    let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let word =
        |pointer| body.pointer(pointer).and_then(Value::as_str).filter(|word| !word.is_empty());
    let mut fields: Vec<(String, String)> = [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("TopicArn", &*topic.arn),
        ("Message", &*message.body),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let attributes = [
        ("severity", "/data/severity/label"),
        ("detector", "/data/detector"),
        ("account", "/data/account"),
    ];
    // SNS takes no value that is empty.
    let attributes = attributes.into_iter().filter_map(|(name, from)| Some((name, word(from)?)));
    for (n, (name, value)) in (1..).zip(attributes) {
        let entry = format!("MessageAttributes.entry.{n}");
        fields.push((format!("{entry}.Name"), name.to_owned()));
        fields.push((format!("{entry}.Value.DataType"), "String".to_owned()));
        fields.push((format!("{entry}.Value.StringValue"), escape(value).into_owned()));
    }
    if topic.is_fifo {
        // A sample is of no series.
        let group = word("/series/id").or(word("/data/id")).unwrap_or(&message.id);
        fields.push(("MessageGroupId".to_owned(), group.to_owned()));
        fields.push(("MessageDeduplicationId".to_owned(), message.id.clone()));
    }
    let fields = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// As it may stand in a form.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded = |byte| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encoded).collect()
}

/// What an answer means for a message.
fn verdict(answer: &Answer, Topic { arn, region, .. }: &Topic, now_ms: i64) -> Outcome {
    let Some(failure) = Failure::of(answer, now_ms) else {
        let is_published = String::from_utf8_lossy(&answer.body).contains("MessageId");
        let foreign = || again("an answer that is not one of SNS".to_owned());
        return if is_published { Outcome::Delivered } else { foreign() };
    };
    match &*failure.code {
        // That is what the sink was told, and of no message.
        "InvalidParameter" if failure.error.contains("TopicArn") => {
            failure.until(&format!("SNS does not take {arn} for a topic of {region} (mend `topic`)"))
        }
        "InvalidParameter" | "InvalidParameterValue" | "ParameterValueInvalid" | "ValidationError" => {
            Outcome::Refused { error: failure.error }
        }
        "AuthorizationError" | "AuthorizationErrorException" | "AccessDenied" => failure.until(&format!(
            "the credentials may not publish to {arn} (allow sns:Publish in their policy, and look at the policy of the \
             topic and at those of the organisation)"
        )),
        "NotFound" => failure.until(&format!("there is no topic {arn} (make it, or mend `topic`)")),
        code if code.starts_with("KMS") && code != "KMSThrottling" => failure.until(&format!(
            "the key of {arn} cannot be used (allow kms:GenerateDataKey and kms:Decrypt on it, and look whether it is \
             enabled)"
        )),
        _ if failure.status == 413 => Outcome::Refused { error: failure.error },
        _ => failure.again(),
    }
}

#[cfg(test)]
pub(super) mod tests;
