//! # AWS Security Hub
//!
//! Each series is one finding in AWS Security Finding Format, sent by `BatchImportFindings` and kept up to date.
//!
//! ## Sends
//!
//! What was found last of a series, under the id of the finding that opened it, as severe as any of it was. `UpdatedAt`
//! is put in as it is sent, and later than any before, since Security Hub ignores an update that is not; `CreatedAt` is
//! the same when it is sent for the first time, and stays. Up to 100 findings and 6 MB go in a call.
//!
//! ## Files it as
//!
//! The own account (`self`), or that of the finding (`member`), whose role is assumed for it: with a product of one's
//! own, Security Hub takes a finding only from the account that it is filed under. The region is that of the sink: a
//! finding may be of several regions or of none, and where its findings are gathered the user has decided.
//!
//! ## Fails when
//!
//! * a finding failed by itself: with `InvalidInput` it is dead at once, with any other code it is sent again;
//! * the call was refused for what stands in it: it is halved until the finding is alone that is at fault; where the
//!   first two of an account are refused alone, for the same, it is not at fault, and all of the account is sent again;
//! * anything else: all of that account is sent again, not before `retry-after`.

mod alone;
mod answer;
mod batch;

use super::{
    Message, Outcome,
    service::{Access, answer::unreached, pace::Paced},
};
use alone::Alone;
use answer::Verdict;
pub(super) use batch::as_sample;
use batch::{Batch, Product};
use ingest::source::{
    calls::Request,
    session::{AccessError, Session},
};
use std::collections::VecDeque;

/// Findings in a call, and so many may be on the way. Unit: findings.
pub const FINDINGS_MAX: usize = 100;

/// By which name calls are signed.
const SERVICE: &str = "securityhub";

/// Under which account findings are filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAs {
    /// That of the own credentials.
    Own,
    /// That of the finding, as this role of it. What names no account is filed under the own one.
    Member {
        /// Its name, which is the same in every account.
        role: String,
    },
}

/// What such a sink has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How AWS is reached, and the region whose Security Hub it is.
    pub access: Access,
    /// Under which account findings are filed.
    pub file_as: FileAs,
}

/// Sends findings to the Security Hub of one region.
#[derive(Debug)]
pub struct SecurityHub {
    paced: Paced,
    file_as: FileAs,
    /// The last `UpdatedAt`.
    stamped_ms: i64,
}

impl SecurityHub {
    /// Finds region and credentials; whether they are good, the first call tells.
    pub(super) async fn reach(settings: Settings) -> Result<Self, AccessError> {
        let Settings { access, file_as } = settings;
        Ok(Self::within(&Session::begin(&access).await?, file_as))
    }

    fn within(session: &Session, file_as: FileAs) -> Self {
        let role = match &file_as {
            FileAs::Own => None,
            FileAs::Member { role } => Some(role.clone()),
        };
        Self { paced: Paced::new(session, role), file_as, stamped_ms: 0 }
    }

    /// As [`super::Caller::send`].
    pub(super) async fn send(
        &mut self,
        messages: Vec<Message>,
        now_ms: fn() -> i64,
    ) -> Vec<(Message, Outcome)> {
        let own = match self.paced.calls.own_account().await {
            Ok(own) => own,
            Err(error) => {
                let outcome = unreached(&error);
                return messages.into_iter().map(|one| (one, outcome.clone())).collect();
            }
        };
        let is_own = self.file_as == FileAs::Own;
        let mut waiting: VecDeque<_> = batch::of(messages, &own, is_own).into();
        let (mut done, mut alone) = (Vec::new(), Alone::default());
        while let Some(mut batch) = waiting.pop_front() {
            match self.import(&mut batch, now_ms).await {
                Verdict::Each(failed) => {
                    alone.taken.insert(batch.account.clone());
                    done.extend(batch.each(failed));
                }
                Verdict::Split(error) => match batch.halved() {
                    Ok([first, second]) => {
                        waiting.push_front(second);
                        waiting.push_front(first);
                    }
                    Err(one) => {
                        if let Some(all) = alone.refuses(one, error) {
                            let outcome = all.outcome();
                            let same = of_account(&mut waiting, &all.account);
                            let all = same.into_iter().chain(all.refused);
                            done.extend(all.flat_map(|batch| batch.all(&outcome)));
                        }
                    }
                },
                Verdict::Failed(outcome) => {
                    // The rest of the account would meet the same.
                    let same = of_account(&mut waiting, &batch.account);
                    let all = same.into_iter().chain([batch]);
                    done.extend(all.flat_map(|batch| batch.all(&outcome)));
                }
            }
        }
        done.extend(alone.at_fault());
        let to_all = |outcome| match outcome {
            // There is no other account.
            Outcome::Later { error } if is_own => Outcome::Retry { error, after_ms: None },
            outcome => outcome,
        };
        done.into_iter().map(|(message, outcome)| (message, to_all(outcome))).collect()
    }

    /// Sends a batch, when its account may be called.
    async fn import(&mut self, batch: &mut Batch, now_ms: fn() -> i64) -> Verdict {
        self.paced.turn(&batch.account).await;
        let now_ms = now_ms();
        // Whatever the clock does.
        self.stamped_ms = now_ms.max(self.stamped_ms.saturating_add(1));
        let (region, account) = (self.paced.calls.region().to_owned(), batch.account.clone());
        let partition = self.paced.calls.partition();
        let product = Product { partition, region: &region, account: &account };
        let request = Request {
            service: SERVICE,
            path: "/findings/import",
            headers: &[("content-type", "application/json")],
            body: batch.filed(product, self.stamped_ms),
        };
        match self.paced.post(&account, request, now_ms).await {
            Ok(answer) => answer::verdict(&answer, product, now_ms),
            Err(outcome) => Verdict::Failed(outcome),
        }
    }
}

/// Takes out what is of an account.
fn of_account(waiting: &mut VecDeque<Batch>, account: &str) -> Vec<Batch> {
    let all = std::mem::take(waiting).into_iter();
    let (same, others) = all.partition::<Vec<_>, _>(|batch| batch.account == account);
    *waiting = others.into();
    same
}

#[cfg(test)]
mod tests;
