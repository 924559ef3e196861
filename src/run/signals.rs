//! SIGTERM and SIGINT: the daemon finishes what it began, and ends. SIGHUP: it reads its configuration.

use super::{Event, Level, Log};
use anyhow::{Context as _, Result};
use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};
use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

/// Whether the end was asked for, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<OnceLock<Instant>>);

impl Stop {
    pub(super) fn is_asked(&self) -> bool {
        self.at().is_some()
    }

    pub(super) fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}

/// Tells `inbox` when the process is to end; what is answered besides hears when it is to read its configuration.
pub(super) fn listen(
    runtime: &Handle,
    inbox: mpsc::Sender<Event>,
    log: Arc<Log>,
) -> Result<(Stop, mpsc::Receiver<()>)> {
    let _within = runtime.enter();
    let of = |kind: SignalKind| signal(kind).context("cannot listen to signals");
    let (mut terminate, mut interrupt) =
        (of(SignalKind::terminate())?, of(SignalKind::interrupt())?);
    let mut hang_up = of(SignalKind::hangup())?;
    // Whoever is asked twice reads once.
    let (reload, reloads) = mpsc::channel(1);
    runtime.spawn(async move {
        while hang_up.recv().await.is_some() {
            reload.try_send(()).unwrap_or_default();
        }
    });
    let stop = Stop::default();
    let asked = stop.clone();
    runtime.spawn(async move {
        let name = first(&mut terminate, &mut interrupt).await;
        log.say(Level::Info, "stopping", &format!("{name}: finishes what it began"), &[]);
        asked.0.get_or_init(Instant::now);
        // If the inbox is full nobody waits for it.
        drop(inbox.try_send(Event::Stop));
        // Whoever asks twice does not want to wait. What is durable stays so.
        first(&mut terminate, &mut interrupt).await;
        std::process::abort();
    });
    Ok((stop, reloads))
}

async fn first(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
