//! What Security Hub's answers mean. In: an answer, and where findings were filed. Out: what becomes of them, in
//! words that say what to do.

use super::batch::Product;
use crate::{
    escape,
    sinks::{Outcome, retry_after::asked_ms},
};
use ingest::source::calls::Answer;
use serde_json::Value;
use std::collections::BTreeMap;

/// Of what AWS says, so much is kept. Unit: characters.
pub(super) const SAID_CHARS_MAX: usize = 400;

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was taken, but for these findings, by id.
    Each(BTreeMap<String, Outcome>),
    /// It was refused for what stands in it, of which one finding may be at fault.
    Split(String),
    /// Nothing of it was taken.
    Failed(Outcome),
}

/// Somebody else's words, so that they can be shown.
pub(super) fn said(text: &str) -> String {
    let escaped = escape(text);
    match escaped.char_indices().nth(SAID_CHARS_MAX) {
        Some((at, _)) => format!("{}...", escaped.get(..at).unwrap_or_default()),
        None => escaped.into_owned(),
    }
}

/// What an answer means for findings that were filed under `product`. Unit of `now_ms`: milliseconds since the
/// Unix epoch.
pub(super) fn verdict(answer: &Answer, product: Product<'_>, now_ms: i64) -> Verdict {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if (200..300).contains(&answer.status) {
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let failed = body.get("FailedFindings").and_then(Value::as_array);
        let failed = failed.map_or(&[][..], Vec::as_slice);
        // What failed and is not named could be any of them.
        let is_whole = number("FailedCount").unwrap_or_default() == failed.len() as u64;
        return match number("SuccessCount") {
            Some(_) if is_whole => {
                Verdict::Each(failed.iter().map(|one| failure(one, product)).collect())
            }
            _ => again("an answer that is not one of Security Hub".to_owned(), None),
        };
    }
    let word = |keys: &[&str]| keys.iter().find_map(|key| body.get(key)?.as_str());
    let code = answer.error_type.as_deref().or_else(|| word(&["__type", "code", "Code"]));
    // `com.amazonaws.securityhub#InternalException:http://internal.amazon.com/...`
    let code = code.and_then(|code| code.split(':').next()?.rsplit('#').next());
    let message = word(&["message", "Message"]).unwrap_or_default();
    let error = said(&match code {
        Some(code) => format!("{code} (status {}): {message}", answer.status),
        None => format!("status {}", answer.status),
    });
    match (answer.status, code.unwrap_or_default()) {
        (413, _)
        | (400, "InvalidInputException" | "ValidationException" | "SerializationException") => {
            Verdict::Split(error)
        }
        (_, "InvalidAccessException") => shut(format!("{}: {error}", not_enabled(product))),
        (_, "AccessDeniedException") => shut(format!("{}: {error}", denied(product))),
        _ => again(error, asked_ms(answer.retry_after.as_deref(), now_ms)),
    }
}

fn again(error: String, after_ms: Option<i64>) -> Verdict {
    Verdict::Failed(Outcome::Retry { error, after_ms })
}

/// The account takes nothing.
fn shut(error: String) -> Verdict {
    Verdict::Failed(Outcome::Later { error })
}

/// A finding that was not taken, and why.
fn failure(failed: &Value, product: Product<'_>) -> (String, Outcome) {
    let word = |key: &str| failed.get(key).and_then(Value::as_str).unwrap_or_default();
    let (id, code) = (word("Id"), word("ErrorCode"));
    let error = said(&format!("{code}: {}", word("ErrorMessage")));
    let outcome = match code {
        "InvalidInput" => Outcome::Refused { error },
        "InvalidAccess" => {
            Outcome::Retry { error: format!("{}: {error}", not_enabled(product)), after_ms: None }
        }
        _ => Outcome::Retry { error, after_ms: None },
    };
    (id.to_owned(), outcome)
}

fn not_enabled(Product { region, account, .. }: Product<'_>) -> String {
    format!(
        "Security Hub is not enabled in account {account} in {region}, or does not take findings of one's own there \
         (enable Security Hub CSPM in that account and region, or set `region`)"
    )
}

/// What AWS tells as a missing permission is often a wrong account.
fn denied(product: Product<'_>) -> String {
    format!(
        "Security Hub takes findings of account {} from credentials of that account alone, which are allowed \
         securityhub:BatchImportFindings on {} (look whose credentials these are, at their policy, and at policies \
         of the organisation)",
        product.account,
        product.arn()
    )
}
