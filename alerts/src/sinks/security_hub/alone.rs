//! Findings that a call with nothing else was refused for. In: such findings, and which accounts took any. Out: whether they
//! are at fault, or something that all of an account have in common.

use super::batch::Batch;
use crate::sinks::{Message, Outcome};
use std::collections::BTreeSet;

/// What was met in one sending.
#[derive(Default)]
pub(super) struct Alone {
    /// Accounts that took a call.
    pub(super) taken: BTreeSet<String>,
    /// With what was said.
    refused: Vec<(Batch, String)>,
}

/// Findings that were refused for what is no fault of theirs.
pub(super) struct Common {
    pub(super) account: String,
    pub(super) refused: Vec<Batch>,
    error: String,
}

impl Alone {
    /// A finding was refused alone. Where another of its account was refused for the same, and none was taken, it is not
    /// what stands in one of them.
    pub(super) fn refuses(&mut self, one: Batch, error: String) -> Option<Common> {
        let account = one.account.clone();
        let is_same = |batch: &Batch| batch.account == account;
        let is_again = self.refused.iter().any(|(batch, said)| is_same(batch) && *said == error);
        self.refused.push((one, error.clone()));
        if !is_again || self.taken.contains(&account) {
            return None;
        }
        let all = std::mem::take(&mut self.refused).into_iter();
        let (same, others) = all.partition(|(batch, _)| is_same(batch));
        self.refused = others;
        let refused = Vec::into_iter(same).map(|(batch, _)| batch).collect();
        Some(Common { account, refused, error })
    }

    /// Those that are at fault, in the end.
    pub(super) fn at_fault(self) -> impl Iterator<Item = (Message, Outcome)> {
        let refused = self.refused.into_iter();
        refused.flat_map(|(batch, error)| batch.all(&Outcome::Refused { error }))
    }
}

impl Common {
    /// What becomes of all of the account.
    pub(super) fn outcome(&self) -> Outcome {
        let Self { account, error, .. } = self;
        let what = "is refused, so it is not for what stands in one of them (look at the account, the region and whose \
                    credentials these are)";
        Outcome::Later { error: format!("every finding of account {account} {what}: {error}") }
    }
}
