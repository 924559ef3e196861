//! What AWS Organizations calls accounts, asked at the start and once a day: accounts come and are called otherwise. In: how
//! it is reached. Out: names, or a warning; nothing waits for them but the start.

use super::{Daemon, Event, Level, Log};
use crate::{aws, clock};
use alerts::Accounts;
use ingest::source::session::Access;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::mpsc};

/// How often it is asked.
pub(super) const EVERY: Duration = Duration::from_hours(24);
/// How long the start waits for it.
pub(super) const START_MAX: Duration = Duration::from_mins(1);

/// What accounts are called there; `None` where that cannot be told, which is said.
pub(crate) fn read(access: &Access, log: &Log) -> Option<Accounts> {
    let read = aws::runtime().map_err(|error| format!("{error:#}")).and_then(|runtime| {
        runtime.block_on(async {
            let asked = Accounts::of_organization(access, clock::now_ms);
            let in_time = tokio::time::timeout(START_MAX, asked).await;
            in_time.unwrap_or_else(|_| Err("no answer in time".to_owned()))
        })
    });
    match read {
        Ok(accounts) => {
            let n = accounts.len();
            let what = format!("AWS Organizations has names for {n} accounts");
            log.say(Level::Info, "accounts-named", &what, &[("accounts", json!(n))]);
            Some(accounts)
        }
        Err(error) => {
            let what = format!("accounts are called as before, for Organizations: {error}");
            log.say(Level::Warn, "accounts-unnamed", &what, &[("reason", json!(error))]);
            None
        }
    }
}

/// Asks once a day, if anybody is to be asked, and puts what it hears into `inbox`.
pub(super) fn ask_daily(
    organization: Option<Access>,
    runtime: &Handle,
    (inbox, log): (&mpsc::Sender<Event>, &Arc<Log>),
) {
    if let Some(access) = organization {
        let log = Arc::clone(log);
        repeat(move || read(&access, &log), runtime, inbox.clone());
    }
}

fn repeat(
    read: impl Fn() -> Option<Accounts> + Send + Sync + 'static,
    runtime: &Handle,
    inbox: mpsc::Sender<Event>,
) {
    let read = Arc::new(read);
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let read = Arc::clone(&read);
            let read = tokio::task::spawn_blocking(move || read()).await;
            let Ok(Some(accounts)) = read else { continue };
            if inbox.send(Event::Named(accounts)).await.is_err() {
                return;
            }
        }
    });
}

impl Daemon<'_> {
    /// Calls accounts so from now on, but for those that the file names.
    pub(super) fn name(&mut self, others: Accounts) {
        let accounts = Arc::new(self.in_force.get().accounts().beside(&others));
        self.others = others;
        self.file.call_accounts(Arc::clone(&accounts));
        self.inputs = self.inputs.clone().of(accounts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn organizations_is_asked_once_a_day_and_a_failure_is_none() {
        let (to_inbox, mut inbox) = mpsc::channel(8);
        let n_asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&n_asked);
        // The first time it cannot be reached.
        let read = move || (counted.fetch_add(1, Ordering::Relaxed) > 0).then(Accounts::default);
        repeat(read, &Handle::current(), to_inbox);
        let begun = tokio::time::Instant::now();
        assert!(matches!(inbox.recv().await, Some(Event::Named(_))));
        assert_eq!((begun.elapsed().as_secs(), n_asked.load(Ordering::Relaxed)), (2 * 86_400, 2));
    }
}
