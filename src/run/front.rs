//! What a daemon has before it reads anything, and while it waits for its turn: signals, its inbox, who is asked for health.

use super::{Event, INBOX_MAX, Log, http, metrics::Metrics, signals};
use alerts::Suppressions;
use anyhow::Result;
use signals::Stop;
use std::{net::SocketAddr, sync::Arc};
use tokio::{runtime::Handle, sync::mpsc};

/// All of that.
pub(crate) struct Front {
    pub(super) to_inbox: mpsc::Sender<Event>,
    pub(super) inbox: mpsc::Receiver<Event>,
    pub(super) stop: Stop,
    /// Hears when the configuration is to be read.
    pub(super) reloads: mpsc::Receiver<()>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Front {
    /// Listens to signals, and at `listen` for who asks for health and metrics.
    pub(crate) fn open(
        runtime: &Handle,
        listen: Option<SocketAddr>,
        suppressions: &Suppressions,
        log: &Arc<Log>,
    ) -> Result<Self> {
        let (to_inbox, inbox) = mpsc::channel(INBOX_MAX);
        let (stop, reloads) = signals::listen(runtime, to_inbox.clone(), Arc::clone(log))?;
        let metrics = Arc::new(Metrics::new(suppressions));
        if let Some(address) = listen {
            http::serve(runtime, address, Arc::clone(&metrics), log)?;
        }
        Ok(Self { to_inbox, inbox, stop, reloads, metrics })
    }

    /// Whether the end was asked for.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }
}
