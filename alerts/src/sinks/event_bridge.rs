//! # Amazon EventBridge
//!
//! Messages are events on a bus, sent by `PutEvents`, up to 10 in a call.
//!
//! ## Sends
//!
//! `Source` is `sentrail`, `DetailType` the type that a webhook gets, `Detail` the finding with its `series`, `Time` when
//! the message was queued: that is when what it tells of happened to the finding; when it was seen stands in `Detail`.
//! `Resources` are ARNs of who and what it is about.
//!
//! ## Fails when
//!
//! * an event failed by itself: refused for what stands in it, it is dead at once, with any other code it is sent again;
//! * the call was refused for what stands in it: it is halved until the event is alone that is at fault. Where a second
//!   one is refused alone for the same, and none was taken, it is not what stands in them: all of them wait;
//! * anything else: all of it is sent again.

use super::{
    Message, Outcome,
    body::json,
    service::{
        Access,
        answer::{self, Failure, again, said},
        of_arn,
        pace::Paced,
    },
};
use ingest::{
    source::{
        calls::{Answer, Request},
        session::{AccessError, Session},
    },
    time::parse_ms,
};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Events in a call, and so many may be on the way. Unit: events.
pub const ENTRIES_MAX: usize = 10;
/// Of an event, so that 10 of them fit into a call whatever they say. Unit: ARNs.
const RESOURCES_MAX: usize = 10;
/// A longer one is left out. Unit: bytes.
const RESOURCE_BYTES_MAX: usize = 512;
/// The most characters of a name that EventBridge gives a bus.
const NAME_CHARS_MAX: usize = 256;

/// A bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Or its ARN.
    name: String,
    region: Option<String>,
}

/// Why a text is no bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the name of a bus, or its ARN, such as \"arn:aws:events:eu-central-1:111122223333:event-bus/findings\""
)]
pub struct NoBus;

impl Bus {
    /// The bus of a name or an ARN.
    pub fn parse(text: &str) -> Result<Self, NoBus> {
        let (region, name) = match of_arn(text, "events") {
            Some((region, resource)) => {
                (Some(region.to_owned()), resource.strip_prefix("event-bus/").ok_or(NoBus)?)
            }
            None => (None, text),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.chars().all(fits) {
            return Err(NoBus);
        }
        Ok(Self { name: text.to_owned(), region })
    }

    /// Its name or ARN.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The region that its ARN names.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// The bus that every account has.
impl Default for Bus {
    fn default() -> Self {
        Self { name: "default".to_owned(), region: None }
    }
}

/// What such a sink has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How AWS is reached; the region counts where the bus names none.
    pub access: Access,
    /// Where events go.
    pub bus: Bus,
}

/// Puts events on one bus.
#[derive(Debug)]
pub struct EventBridge {
    paced: Paced,
    bus: Bus,
}

/// What became of each event of a call stands there in their order.
type Verdict = answer::Verdict<Vec<Outcome>>;

impl EventBridge {
    /// Finds region and credentials; whether they are good, the first call tells.
    pub(super) async fn reach(settings: Settings) -> Result<Self, AccessError> {
        let Settings { access, bus } = settings;
        let region = bus.region.clone().or(access.region);
        let access = Access { region, ..access };
        Ok(Self::within(&Session::begin(&access).await?, bus))
    }

    fn within(session: &Session, bus: Bus) -> Self {
        Self { paced: Paced::new(session, None), bus }
    }

    /// As [`super::Caller::send`].
    pub(super) async fn send(
        &mut self,
        messages: Vec<Message>,
        now_ms: fn() -> i64,
    ) -> Vec<(Message, Outcome)> {
        let mut waiting: VecDeque<Vec<Message>> = VecDeque::new();
        for message in messages {
            match waiting.back_mut().filter(|last| last.len() < ENTRIES_MAX) {
                Some(last) => last.push(message),
                None => waiting.push_back(vec![message]),
            }
        }
        let mut done = Vec::new();
        // Refused alone, with what was said.
        let mut refused: Vec<(Message, String)> = Vec::new();
        while let Some(mut some) = waiting.pop_front() {
            match self.put(&some, now_ms).await {
                Verdict::Each(outcomes) => done.extend(some.into_iter().zip(outcomes)),
                Verdict::Split(error) if some.len() < 2 => {
                    let is_common = done.is_empty() && refused.iter().any(|(_, of)| *of == error);
                    refused.extend(some.into_iter().map(|one| (one, error.clone())));
                    if is_common {
                        let rest = std::mem::take(&mut waiting).into_iter().flatten();
                        let all = refused.drain(..).map(|(one, _)| one).chain(rest);
                        let outcome = self.common(&error);
                        done.extend(all.map(|one| (one, outcome.clone())));
                    }
                }
                Verdict::Split(_) => {
                    let second = some.split_off(some.len() / 2);
                    waiting.push_front(second);
                    waiting.push_front(some);
                }
                Verdict::Failed(outcome) => {
                    // The rest would meet the same.
                    let rest = std::mem::take(&mut waiting).into_iter().flatten();
                    done.extend(some.into_iter().chain(rest).map(|one| (one, outcome.clone())));
                }
            }
        }
        done.extend(refused.into_iter().map(|(one, error)| (one, Outcome::Refused { error })));
        done
    }

    /// What becomes of events that are refused whatever stands in them.
    fn common(&self, error: &str) -> Outcome {
        let what = "is refused, so it is not for what stands in one of them (look at `bus` and the region)";
        Outcome::Later {
            error: format!("every event for the bus {} {what}: {error}", self.bus.name),
        }
    }

    async fn put(&mut self, messages: &[Message], now_ms: fn() -> i64) -> Verdict {
        let entries: Vec<_> = messages.iter().map(|message| entry(message, &self.bus)).collect();
        let request = Request {
            service: "events",
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "AWSEvents.PutEvents"),
            ],
            body: json(&json!({"Entries": entries})),
        };
        match self.paced.ask(request, now_ms).await {
            Ok(answer) => verdict(&answer, messages.len(), (&self.bus, now_ms())),
            Err(outcome) => Verdict::Failed(outcome),
        }
    }
}

fn entry(message: &Message, Bus { name, .. }: &Bus) -> Value {
    let mut body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let mut detail = body.get_mut("data").map(Value::take).unwrap_or_default();
    let word = |pointer| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let resources = resources(&detail);
    let time_s = parse_ms(word("/timestamp")).map(|time_ms| time_ms.div_euclid(1_000));
    if let Some(fields) = detail.as_object_mut() {
        let beside = ["series", "truncated"].map(|key| (key, body.get(key)));
        for (key, value) in beside {
            fields.extend(value.map(|value| (key.to_owned(), value.clone())));
        }
    }
    json!({
        "Source": "sentrail",
        "DetailType": word("/type"),
        "Detail": json(&detail),
        "Time": time_s,
        "Resources": resources,
        "EventBusName": name,
    })
}

/// ARNs of who and what a finding is about, of those that EventBridge takes.
fn resources(finding: &Value) -> Vec<String> {
    let targets = finding.get("targets").and_then(Value::as_array).into_iter().flatten();
    let all = finding.pointer("/entity/key").into_iter().chain(targets).filter_map(Value::as_str);
    // What was cut ends in points.
    let fits = |text: &&str| {
        text.starts_with("arn:")
            && text.len() <= RESOURCE_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.ends_with("...")
    };
    let mut resources: Vec<String> = Vec::new();
    for text in all.filter(fits) {
        if resources.len() < RESOURCES_MAX && !resources.iter().any(|one| one == text) {
            resources.push(text.to_owned());
        }
    }
    resources
}

/// What an answer means for so many events.
fn verdict(answer: &Answer, n: usize, (bus, now_ms): (&Bus, i64)) -> Verdict {
    let Some(failure) = Failure::of(answer, now_ms) else {
        return each(&answer.body, (n, bus)).map_or_else(
            || Verdict::Failed(again("an answer that is not one of EventBridge".to_owned())),
            Verdict::Each,
        );
    };
    match (failure.status, &*failure.code) {
        (413, _) | (_, "ValidationException" | "SerializationException") => {
            Verdict::Split(failure.error)
        }
        (_, "AccessDeniedException") => Verdict::Failed(failure.until(&denied(bus))),
        (_, "ResourceNotFoundException") => Verdict::Failed(failure.until(&format!(
            "there is no bus {} in that region (make it, or mend `bus` or `region`)",
            bus.name
        ))),
        _ => Verdict::Failed(failure.again()),
    }
}

/// What became of each, by its place, if the answer says that of all.
fn each(body: &[u8], (n, bus): (usize, &Bus)) -> Option<Vec<Outcome>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let entries = body.get("Entries")?.as_array().filter(|entries| entries.len() == n)?;
    let outcomes = entries.iter().map(|one| outcome(one, bus)).collect::<Option<Vec<_>>>()?;
    let n_failed = outcomes.iter().filter(|one| **one != Outcome::Delivered).count();
    // What failed and is not named could be any of them.
    (body.get("FailedEntryCount")?.as_u64()? == n_failed as u64).then_some(outcomes)
}

fn outcome(entry: &Value, bus: &Bus) -> Option<Outcome> {
    let word = |key: &str| entry.get(key).and_then(Value::as_str);
    let Some(code) = word("ErrorCode") else {
        return word("EventId").map(|_| Outcome::Delivered);
    };
    let error = said(&format!("{code}: {}", word("ErrorMessage").unwrap_or_default()));
    Some(match code {
        "InvalidArgument" | "MalformedDetail" => Outcome::Refused { error },
        "AccessDeniedException"
        | "NotAuthorizedForSourceException"
        | "NotAuthorizedForDetailTypeException" => again(format!("{}: {error}", denied(bus))),
        _ => again(error),
    })
}

fn denied(Bus { name, .. }: &Bus) -> String {
    format!(
        "the credentials may not put events of the source sentrail on the bus {name} (allow events:PutEvents in their \
         policy, and look at the policy of the bus and at those of the organisation)"
    )
}

#[cfg(test)]
pub(super) mod tests;
