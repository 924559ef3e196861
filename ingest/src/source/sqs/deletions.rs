//! Which messages are to be deleted. In: receipt handles, and what SQS said of each. Out: batches, and
//! what was given up.

use std::collections::VecDeque;
use std::time::Duration;

/// Messages that SQS deletes by one request. Unit: messages.
pub(crate) const BATCH_MAX: usize = 10;

/// Times that the deletion of a message is asked for; each is sent up to three times. Unit: requests.
pub(crate) const DELETE_ATTEMPTS_MAX: u32 = 3;

/// How long to wait before it is asked for again. Unit: seconds.
pub(crate) const DELETE_RETRY_S: u64 = 1;

/// A message to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deletion {
    pub(crate) handle: String,
    /// Times asked for already.
    attempts: u32,
}

/// What SQS said of one message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    Done,
    /// It is of no use to ask again.
    Refused,
    /// It may work later.
    Failed,
}

/// Messages to be deleted.
#[derive(Debug, Default)]
pub(crate) struct Deletions {
    due: VecDeque<Deletion>,
    later: VecDeque<(Duration, Deletion)>,
    running: usize,
}

/// What a batch came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) deleted: u64,
    pub(crate) given_up: u64,
}

impl Deletions {
    pub(crate) fn add(&mut self, handle: String) {
        self.due.push_back(Deletion { handle, attempts: 0 });
    }

    /// The next batch to send, if there is one.
    pub(crate) fn batch(&mut self, now: Duration) -> Option<Vec<Deletion>> {
        while let Some((at, _)) = self.later.front()
            && *at <= now
        {
            self.due.extend(self.later.pop_front().map(|(_, deletion)| deletion));
        }
        let batch: Vec<Deletion> = self.due.drain(..self.due.len().min(BATCH_MAX)).collect();
        self.running += batch.len();
        (!batch.is_empty()).then_some(batch)
    }

    /// When to look again for what failed.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.later.front().map(|(at, _)| *at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.later.is_empty() && self.running == 0
    }

    /// Learns what SQS said of each message of a batch.
    pub(crate) fn answered(&mut self, batch: Vec<(Deletion, Deleted)>, now: Duration) -> Came {
        let mut came = Came::default();
        for (mut deletion, deleted) in batch {
            self.running -= 1;
            deletion.attempts += 1;
            match deleted {
                Deleted::Done => came.deleted += 1,
                Deleted::Failed if deletion.attempts < DELETE_ATTEMPTS_MAX => {
                    self.later.push_back((now + Duration::from_secs(DELETE_RETRY_S), deletion));
                }
                Deleted::Failed | Deleted::Refused => came.given_up += 1,
            }
        }
        came
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn handles(batch: &[Deletion]) -> Vec<&str> {
        batch.iter().map(|deletion| deletion.handle.as_str()).collect()
    }

    #[test]
    fn a_batch_has_ten() {
        let mut deletions = Deletions::default();
        (0..13).for_each(|n| deletions.add(n.to_string()));
        let sizes: Vec<usize> =
            std::iter::from_fn(|| deletions.batch(s(0))).map(|batch| batch.len()).collect();
        assert_eq!(sizes, [10, 3]);
        assert!(!deletions.is_empty(), "thirteen are under way");
    }

    #[test]
    fn what_failed_is_asked_for_again_and_given_up_in_the_end() {
        let mut deletions = Deletions::default();
        for handle in ["ok", "refused", "failing"] {
            deletions.add(handle.to_owned());
        }
        let batch = deletions.batch(s(0)).unwrap();
        let answers = [Deleted::Done, Deleted::Refused, Deleted::Failed];
        let came = deletions.answered(batch.into_iter().zip(answers).collect(), s(0));
        assert_eq!(came, Came { deleted: 1, given_up: 1 });
        for round in 1..DELETE_ATTEMPTS_MAX {
            let at = deletions.next().unwrap();
            assert_eq!(at, s(u64::from(round) * DELETE_RETRY_S));
            assert!(deletions.batch(at.saturating_sub(s(1))).is_none());
            let batch = deletions.batch(at).unwrap();
            assert_eq!(handles(&batch), ["failing"]);
            let came = deletions.answered(vec![(batch[0].clone(), Deleted::Failed)], at);
            assert_eq!(came.given_up, u64::from(round + 1 == DELETE_ATTEMPTS_MAX));
        }
        assert!(deletions.is_empty() && deletions.next().is_none());
    }
}
