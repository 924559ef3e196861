//! Runs a consumer. In: what the desk wants done. Out: what came of it, to the desk. It decides nothing
//! but when to ask for more messages.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::s3::{Fetched, S3Error};
use super::deletions::{Deleted, Deletion, Deletions};
use super::desk::{Action, Desk, Handed, PartId, Rules};
use super::lease::Extension;
use super::message::Received;
use super::wire::Queue;
use super::{
    Answer, Buckets, Consumer, Delivery, Level, PAUSE_S_MAX, RECEIPTS_MAX, Receipt, STOP_S_MAX,
};
use crate::time::Stretch;

/// Answers taken at a time, so that deletions go together. Unit: answers.
const ANSWERS_MAX: usize = 256;

/// How long to sleep when there is nothing to wake up for.
const IDLE: Duration = Duration::from_mins(1);

/// What came of something that was done.
enum Done {
    Received(Result<Vec<Received>, String>),
    Fetched(PartId, Option<Result<Fetched, S3Error>>),
    Extended(u64, Extension),
    Deleted(Vec<(Deletion, Deleted)>),
    /// Nobody waits for it.
    Delayed,
}

impl Consumer {
    /// Receives, reads and hands over until it is stopped, which takes 15 seconds at most (`STOP_S_MAX`).
    ///
    /// It stops when `stop` becomes true or its sender is dropped, and when nobody takes deliveries any
    /// more. What was handed over by then is waited for; all else comes again at once.
    pub async fn run(self, deliveries: mpsc::Sender<Delivery>, stop: watch::Receiver<bool>) {
        let Self { queue, rules, buckets, settings, ledger, tell, counters } = self;
        let has_dead_letters = rules.receives_max.is_some();
        let desk = Desk::new(Rules {
            filter: settings.filter,
            queue: rules,
            bytes_max: settings.bytes_max,
            retry_s: settings.retry_s,
            ledger,
            counters: counters.clone(),
            tell,
        });
        if !has_dead_letters {
            let queue = queue.url();
            let sentence = format!(
                "queue {queue} has no dead-letter queue: what fails comes again until its retention ends"
            );
            desk.tell(Level::Warn, sentence);
        }
        let (answer, answers) = mpsc::channel(RECEIPTS_MAX);
        let running = Running {
            desk,
            queue,
            buckets,
            counters,
            deletions: Deletions::default(),
            tasks: JoinSet::new(),
            fetches: BTreeMap::new(),
            began: Instant::now(),
            is_receiving: false,
            releases: Vec::new(),
            failures: 0,
            pause_until: Duration::ZERO,
            stop_at: None,
            answer,
        };
        running.run(deliveries, answers, stop).await;
    }
}

/// A consumer at work.
struct Running {
    desk: Desk,
    queue: Queue,
    buckets: Buckets,
    counters: std::sync::Arc<super::Counters>,
    deletions: Deletions,
    tasks: JoinSet<Done>,
    /// Dropping one stops the reading of that object.
    fetches: BTreeMap<PartId, oneshot::Sender<()>>,
    began: Instant,
    is_receiving: bool,
    /// Messages to be shown again once nothing is received any more: our own receive would take them.
    releases: Vec<String>,
    /// Receives that failed, one after the other.
    failures: u32,
    pause_until: Duration,
    /// When a stop ends, whatever is open then.
    stop_at: Option<Duration>,
    answer: mpsc::Sender<Answer>,
}

impl Running {
    async fn run(
        mut self,
        deliveries: mpsc::Sender<Delivery>,
        mut answers: mpsc::Receiver<Answer>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut taken = Vec::new();
        loop {
            self.perform();
            let now = self.now();
            if self.stop_at.is_some_and(|at| now >= at || self.is_done()) {
                return;
            }
            let is_stopped = self.stop_at.is_some();
            let wake = self.began + self.wake().unwrap_or(now + IDLE);
            tokio::select! {
                // In this order: an end first, for what is given back unanswered means something else then.
                biased;
                // An error is a sender that was dropped, which stops as well.
                _ = stop.wait_for(|stop| *stop), if !is_stopped => self.stop(),
                () = deliveries.closed(), if !is_stopped => self.stop(),
                _ = answers.recv_many(&mut taken, ANSWERS_MAX) => {
                    for (part, outcome) in taken.drain(..) {
                        self.desk.answered(part, outcome);
                    }
                }
                // None is aborted; a panic is nobody's to hide.
                Some(done) = self.tasks.join_next() => {
                    self.done(done.unwrap_or_else(|error| resume_unwind(error.into_panic())));
                }
                place = deliveries.reserve(), if self.desk.can_hand() => match place {
                    Ok(place) => {
                        if let Some(delivery) = self.delivery() {
                            place.send(delivery);
                        }
                    }
                    Err(_) => self.stop(),
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// When something is to be done that nothing else brings up.
    fn wake(&self) -> Option<Duration> {
        let pause = Some(self.pause_until).filter(|at| *at > self.now());
        let times = [self.desk.next(), self.deletions.next(), self.stop_at, pause];
        times.into_iter().flatten().min()
    }

    fn is_done(&self) -> bool {
        self.desk.is_empty() && self.deletions.is_empty() && self.tasks.is_empty()
    }

    fn stop(&mut self) {
        if self.stop_at.is_none() {
            self.stop_at = Some(self.now() + Duration::from_secs(STOP_S_MAX));
            self.desk.stop();
        }
    }

    fn delivery(&mut self) -> Option<Delivery> {
        let Handed { part, object, fetched: Fetched { bytes, got, .. }, received } =
            self.desk.hand()?;
        let receipt = Receipt { part, answers: Some(self.answer.clone()) };
        let received = self.began.into_std() + received;
        let waited = Stretch { from: received.min(got.from), to: got.from };
        Some(Delivery { object, bytes, waited, got, receipt })
    }

    /// Begins all that is to be done.
    fn perform(&mut self) {
        let now = self.now();
        self.desk.tick(now);
        for action in self.desk.actions() {
            self.begin(action);
        }
        if !self.is_receiving {
            for handle in std::mem::take(&mut self.releases) {
                self.delay(handle, 0);
            }
        }
        while let Some(batch) = self.deletions.batch(now) {
            let queue = self.queue.clone();
            self.tasks.spawn(async move { Done::Deleted(queue.delete(batch).await) });
        }
        let room = self.desk.room();
        if !self.is_receiving && room > 0 && now >= self.pause_until {
            self.is_receiving = true;
            let queue = self.queue.clone();
            self.tasks.spawn(async move { Done::Received(queue.receive(room).await) });
        }
    }

    fn begin(&mut self, action: Action) {
        let queue = self.queue.clone();
        match action {
            Action::Fetch { part, at, bytes_max } => {
                let (buckets, (keep, stopped)) = (self.buckets.clone(), oneshot::channel());
                self.fetches.insert(part, keep);
                self.tasks.spawn(async move {
                    tokio::select! {
                        fetched = buckets.get(&at, bytes_max) => Done::Fetched(part, Some(fetched)),
                        _ = stopped => Done::Fetched(part, None),
                    }
                });
            }
            Action::Abandon(part) => drop(self.fetches.remove(&part)),
            Action::Extend { message, handle, timeout_s } => {
                self.tasks.spawn(async move {
                    Done::Extended(message, queue.hide(handle, timeout_s).await)
                });
            }
            Action::Release { handle } => self.releases.push(handle),
            Action::Delay { handle, delay_s } => self.delay(handle, delay_s),
            Action::Delete { handle } => self.deletions.add(handle),
        }
    }

    /// Lets a message be seen again after so long; if that fails, it is when its timeout is over.
    fn delay(&mut self, handle: String, delay_s: u32) {
        let queue = self.queue.clone();
        self.tasks.spawn(async move {
            queue.hide(handle, delay_s).await;
            Done::Delayed
        });
    }

    fn done(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Received(Ok(messages)) => {
                (self.is_receiving, self.failures) = (false, 0);
                self.counters.count(|counts| counts.failing_since = None);
                for received in messages {
                    self.desk.received(received, now);
                }
            }
            Done::Received(Err(reason)) => {
                self.is_receiving = false;
                self.counters.count(|counts| {
                    counts.receives_failed += 1;
                    counts.failing_since.get_or_insert(Instant::now().into_std());
                });
                let pause_s = pause_s(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.pause_until = now + Duration::from_secs(pause_s);
                let queue = self.queue.url();
                let sentence =
                    format!("nothing can be received from {queue}: {reason}; again in {pause_s} s");
                self.desk.tell(Level::Error, sentence);
            }
            Done::Fetched(part, result) => {
                self.fetches.remove(&part);
                self.desk.fetched(part, result);
            }
            Done::Extended(message, extension) => self.desk.extended(message, extension),
            Done::Deleted(batch) => {
                let came = self.deletions.answered(batch, now);
                self.counters.count(|counts| {
                    counts.messages_deleted += came.deleted;
                    counts.deletions_failed += came.given_up;
                });
                if came.given_up > 0 {
                    let given_up = came.given_up;
                    let sentence = format!(
                        "{given_up} messages could not be deleted; they come again and are known"
                    );
                    self.desk.tell(Level::Warn, sentence);
                }
            }
            Done::Delayed => {}
        }
    }
}

/// How long to wait after a receive that failed, behind so many others. Unit: seconds.
fn pause_s(failures: u32) -> u64 {
    PAUSE_S_MAX.min(1 << failures.min(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_longest() {
        let pauses = [0, 1, 4, 5, 6, u32::MAX].map(pause_s);
        assert_eq!(pauses, [1, 2, 16, 32, 32, PAUSE_S_MAX]);
    }
}
