//! What AWS says of a call that failed, in JSON or XML. In: an answer. Out: a code, words that can be shown, and an
//! outcome.

use crate::{
    escape,
    sinks::{Outcome, retry_after::asked_ms},
};
use ingest::source::calls::{Answer, CallError};
use serde_json::Value;

/// Of what AWS says, so much is kept. Unit: characters.
pub(in crate::sinks) const SAID_CHARS_MAX: usize = 400;

/// What becomes of a call that says several things.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sinks) enum Verdict<T> {
    /// It was taken, but perhaps not all of it.
    Each(T),
    /// It was refused for what stands in it, of which one may be at fault.
    Split(String),
    /// Nothing of it was taken.
    Failed(Outcome),
}

/// Somebody else's words, so that they can be shown.
pub(crate) fn said(text: &str) -> String {
    let escaped = escape(text);
    match escaped.char_indices().nth(SAID_CHARS_MAX) {
        Some((at, _)) => format!("{}...", escaped.get(..at).unwrap_or_default()),
        None => escaped.into_owned(),
    }
}

/// Nothing was sent, or nobody answered.
pub(in crate::sinks) fn unreached(error: &CallError) -> Outcome {
    let said = said(&error.to_string());
    match error {
        // The others may well answer.
        CallError::NoRole { .. } => Outcome::Later { error: said },
        _ => again(said),
    }
}

/// It may go well another time.
pub(in crate::sinks) fn again(error: String) -> Outcome {
    Outcome::Retry { error, after_ms: None }
}

/// A call that was not taken.
#[derive(Debug)]
pub struct Failure {
    /// Of HTTP.
    pub status: u16,
    /// Empty where there is none.
    pub code: String,
    /// All of it, in words that can be shown.
    pub error: String,
    after_ms: Option<i64>,
}

impl Failure {
    /// What an answer says, unless its status is 2xx. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub fn of(answer: &Answer, now_ms: i64) -> Option<Self> {
        let status = answer.status;
        if (200..300).contains(&status) {
            return None;
        }
        let text = String::from_utf8_lossy(&answer.body);
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |keys: &[&str]| keys.iter().find_map(|key| body.get(key)?.as_str());
        let code = answer.header("x-amzn-errortype").or_else(|| word(&["__type", "code", "Code"]));
        let code = code.or_else(|| element(&text, "Code"));
        // `com.amazonaws.securityhub#InternalException:http://internal.amazon.com/...`
        let code = code.and_then(|code| code.split(':').next()?.rsplit('#').next());
        let message = word(&["message", "Message"]).or_else(|| element(&text, "Message"));
        let error = said(&match code {
            Some(code) => format!("{code} (status {status}): {}", message.unwrap_or_default()),
            None => format!("status {status}"),
        });
        let after_ms = asked_ms(answer.header("retry-after"), now_ms);
        Some(Self { status, code: code.unwrap_or_default().to_owned(), error, after_ms })
    }

    /// Sent again, not before the time that was asked for.
    pub(in crate::sinks) fn again(self) -> Outcome {
        Outcome::Retry { error: self.error, after_ms: self.after_ms }
    }

    /// Sent again, for somebody may do this meanwhile.
    pub(in crate::sinks) fn until(self, what_to_do: &str) -> Outcome {
        again(format!("{what_to_do}: {}", self.error))
    }
}

/// What stands in the first element of a name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
