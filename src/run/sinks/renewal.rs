//! Secrets that are replaced while the daemon runs: those of a webhook are read again from time to time, and when the
//! receiver does not know who sends. In: outcomes. Out: the webhook with the secrets in force.

use crate::run::{Level, Log};
use alerts::sinks::{Outcome, To, Webhook};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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
}

impl Renewal {
    /// Of a sink that was just read.
    pub(super) fn new(sink: &str, renew: Option<Renew>, log: Arc<Log>) -> Self {
        Self { sink: sink.to_owned(), renew, log, read: Instant::now(), denied: None }
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
                *webhook = renewed;
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
