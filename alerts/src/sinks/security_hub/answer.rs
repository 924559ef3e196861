//! What Security Hub's answers mean. In: an answer, and where findings were filed. Out: what becomes of them, in
//! words that say what to do.

use super::batch::Product;
use crate::sinks::{
    Outcome,
    service::answer::{self, Failure, again, said},
};
use ingest::source::calls::Answer;
use serde_json::Value;
use std::collections::BTreeMap;

/// What became of findings that were not taken stands there by their id.
pub(super) type Verdict = answer::Verdict<BTreeMap<String, Outcome>>;

/// What an answer means for findings that were filed under `product`. Unit of `now_ms`: milliseconds since the
/// Unix epoch.
pub(super) fn verdict(answer: &Answer, product: Product<'_>, now_ms: i64) -> Verdict {
    let Some(failure) = Failure::of(answer, now_ms) else {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let failed = body.get("FailedFindings").and_then(Value::as_array);
        let failed = failed.map_or(&[][..], Vec::as_slice);
        // What failed and is not named could be any of them.
        let is_whole = number("FailedCount").unwrap_or_default() == failed.len() as u64;
        return match number("SuccessCount") {
            Some(_) if is_whole => {
                Verdict::Each(failed.iter().map(|one| failure_of(one, product)).collect())
            }
            _ => Verdict::Failed(again("an answer that is not one of Security Hub".to_owned())),
        };
    };
    match (failure.status, &*failure.code) {
        (413, _)
        | (400, "InvalidInputException" | "ValidationException" | "SerializationException") => {
            Verdict::Split(failure.error)
        }
        (_, "InvalidAccessException") => shut(&failure, &not_enabled(product)),
        (_, "AccessDeniedException") => shut(&failure, &denied(product)),
        _ => Verdict::Failed(failure.again()),
    }
}

/// The account takes nothing, until somebody does this.
fn shut(failure: &Failure, what_to_do: &str) -> Verdict {
    Verdict::Failed(Outcome::Later { error: format!("{what_to_do}: {}", failure.error) })
}

/// A finding that was not taken, and why.
fn failure_of(failed: &Value, product: Product<'_>) -> (String, Outcome) {
    let word = |key: &str| failed.get(key).and_then(Value::as_str).unwrap_or_default();
    let (id, code) = (word("Id"), word("ErrorCode"));
    let error = said(&format!("{code}: {}", word("ErrorMessage")));
    let outcome = match code {
        "InvalidInput" => Outcome::Refused { error },
        "InvalidAccess" => Outcome::Later { error: format!("{}: {error}", not_enabled(product)) },
        _ => again(error),
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
