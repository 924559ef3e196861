//! Secrets that are replaced while the daemon runs: those of a webhook are read again from time to time, and when the
//! receiver does not know who sends. In: outcomes. Out: the webhook with the secrets in force.

use crate::run::{Level, Log};
use alerts::sinks::{Gate, Outcome, To, Webhook};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often secrets are read.
pub(crate) const EVERY: Duration = Duration::from_mins(15);
/// How often at most, where a receiver refuses every message.
pub(crate) const EVERY_DENIED: Duration = Duration::from_mins(1);

/// Reads what a sink of a name is now; or says why that is not possible.
pub(crate) type Renew = Arc<dyn Fn(&str) -> Result<To, String> + Send + Sync>;

/// When a sink is read again.
pub(super) struct Renewal {
    sink: String,
    renew: Option<Renew>,
    log: Arc<Log>,
    read: Instant,
    denied: Option<Instant>,
    gate: Gate,
}

impl Renewal {
    /// Of a sink that was just read.
    pub(super) fn new(sink: &str, renew: Option<Renew>, log: Arc<Log>) -> Self {
        Self {
            sink: sink.to_owned(),
            renew,
            log,
            read: Instant::now(),
            denied: None,
            gate: Gate::default(),
        }
    }

    /// The same, of a webhook that sends through this gate.
    pub(super) fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// Reads it again, if it is time.
    pub(super) async fn renew(&mut self, webhook: &mut Webhook) {
        if self.read.elapsed() >= EVERY {
            self.read(webhook).await;
        }
    }

    /// Reads it again, if that may help; answers whether it is worth while to send once more.
    pub(super) async fn helps(&mut self, webhook: &mut Webhook, outcome: &Outcome) -> bool {
        let is_soon = self.denied.is_some_and(|denied| denied.elapsed() < EVERY_DENIED);
        if !outcome.is_denied() || is_soon || self.renew.is_none() {
            return false;
        }
        self.denied = Some(Instant::now());
        self.read(webhook).await
    }

    async fn read(&mut self, webhook: &mut Webhook) -> bool {
        let Some(renew) = self.renew.clone() else { return false };
        self.read = Instant::now();
        let sink = self.sink.clone();
        // It reads files, and waits for AWS.
        let read = tokio::task::spawn_blocking(move || renew(&sink)).await;
        let read = read.unwrap_or_else(|_| Err("was interrupted".to_owned()));
        let renewed = read.and_then(|to| match to {
            To::Webhook(settings) => Webhook::new(settings).map_err(|error| error.to_string()),
            To::JsonLines(_) | To::Syslog(_) | To::Service(_) => {
                Err("is of another type now".to_owned())
            }
        });
        match renewed {
            Ok(renewed) => {
                *webhook = renewed.behind(self.gate.clone());
                true
            }
            Err(error) => {
                let sink = &self.sink;
                let what = format!("sink {sink} keeps the secrets that it has: {error}");
                self.log.say(Level::Warn, "secret-unread", &what, &[("sink", json!(sink))]);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerts::sinks::{Allowed, Endpoint, Form, webhook::Settings};
    use std::sync::atomic::{AtomicU32, Ordering};

    fn settings() -> Settings {
        let allowed = Allowed::default();
        let endpoint = Endpoint::parse("https://hooks.example.com/a", &allowed).unwrap();
        Settings { endpoint, form: Form::Slack, allowed, headers: Vec::new() }
    }

    /// Of a sink whose secrets are there to be read, and how often they were.
    fn renewal() -> (Renewal, Arc<AtomicU32>) {
        let n_read = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&n_read);
        let renew: Renew = Arc::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(To::Webhook(settings()))
        });
        (Renewal::new("chat", Some(renew), Arc::new(Log::of_a_command())), n_read)
    }

    #[tokio::test(start_paused = true)]
    async fn secrets_are_read_every_fifteen_minutes() {
        let (mut renewal, n_read) = renewal();
        let mut webhook = Webhook::new(settings()).unwrap();
        for (after, n) in [
            (EVERY.saturating_sub(Duration::from_secs(1)), 0),
            (Duration::from_secs(1), 1),
            (Duration::from_mins(1), 1),
            (EVERY, 2),
        ] {
            tokio::time::advance(after).await;
            renewal.renew(&mut webhook).await;
            assert_eq!(n_read.load(Ordering::Relaxed), n, "{after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_refuses_all_has_secrets_read_once_a_minute() {
        let (mut renewal, n_read) = renewal();
        let mut webhook = Webhook::new(settings()).unwrap();
        let denied = Outcome::Retry { error: "status 401".to_owned(), after_ms: None };
        assert!(denied.is_denied());
        let mut helps = Vec::new();
        for after in [0, 59, 1, 59] {
            tokio::time::advance(Duration::from_secs(after)).await;
            helps.push(renewal.helps(&mut webhook, &denied).await);
        }
        assert_eq!((helps, n_read.load(Ordering::Relaxed)), (vec![true, false, true, false], 2));
    }
}
