//! `replay --alert`: tells the sinks of the configuration what a replay found. In: findings, into the outbox of what keeps
//! them; then that outbox. Out: messages, and what became of them. Nothing is sent before it is durable, and before the
//! replay has ended: then a chat gets one message in place of many.
//!
//! Quiet hours do not hold: whoever replays by hand waits for the end, which cannot be put off until the morning, and
//! what waits in no file would be lost.

use super::{Wrong, complain};
use crate::{
    aws, clock,
    config::{Config, n_of},
    run::{
        Log, Traces,
        sinks::{Beside, Sent, Sinks, tell_dropped},
    },
};
use alerts::{
    Inputs, MessageCounts, Outbox, Spool,
    sinks::{Gate, ON_WAY_MAX, Outcome, Sink},
};
use anyhow::{Result, anyhow};
use baseline::Day;
use detect::Finding;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};

/// How long sinks may neither take nor refuse anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long sinks are told at most.
const ALERT_MAX: Duration = Duration::from_hours(1);
/// How often it is seen after what is due.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The sinks of a configuration, one of which there has to be.
pub(super) fn sinks(config: &Config) -> Result<Vec<Sink>> {
    let sinks = config.sinks()?;
    if sinks.is_empty() {
        let what =
            "--alert has nobody to tell (expected a table [sinks.NAME] in the file of --config)";
        return Err(Wrong::usage(anyhow!(what)));
    }
    Ok(sinks.into_iter().map(|sink| Sink { quiet: None, ..sink }).collect())
}

/// Queues what sinks have to be told of a finding. It happened when it was last seen: so a replay that is repeated says
/// the same.
pub(super) fn queue(
    outbox: &Outbox<'_>,
    (finding, inputs): (&Finding, &Inputs),
    sinks: &[Sink],
) -> Result<()> {
    if !sinks.is_empty() {
        let (_, last_ms) = finding.times_ms;
        tell_dropped(&outbox.tell((finding, inputs), sinks, last_ms)?, &Log::of_a_command());
    }
    Ok(())
}

/// What became of the messages to one sink.
#[derive(Debug, Default)]
struct Became {
    n_delivered: u64,
    n_refused: u64,
    /// Still to be sent.
    n_left: u64,
    /// What was said of the last that was not delivered.
    why: Option<String>,
}

/// What became of messages, by sink.
#[derive(Debug)]
pub(super) struct Alerted(BTreeMap<String, Became>);

impl Alerted {
    /// Tells it, a line each.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for (n, (sink, became)) in self.0.iter().enumerate() {
            let head = if n == 0 { "alerts" } else { "" };
            writeln!(out, "{head:<10}{sink}: {}", became.told())?;
        }
        Ok(())
    }

    /// Whether something was not delivered, and then says what there is to do; `file` has what waits, if one has.
    pub(super) fn is_short(&self, file: Option<&Path>) -> bool {
        let then = match file.map(Path::display) {
            Some(file) => format!(
                "what waits is in {file}, and goes with the next replay with --alert into it; `sentrail alerts resend {file}` \
                 has what was refused sent once more"
            ),
            None => "the same replay sends all of it once more, under the same ids".to_owned(),
        };
        let is_short = |became: &Became| became.n_refused + became.n_left > 0;
        for (sink, became) in self.0.iter().filter(|(_, became)| is_short(became)) {
            let why = became.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
            complain(&format!("sink {sink}: {}{why}; {then}", became.told()));
        }
        self.0.values().any(is_short)
    }
}

impl Became {
    fn told(&self) -> String {
        let Self { n_delivered, n_refused, n_left, .. } = self;
        let messages = n_of(usize::try_from(*n_delivered).unwrap_or(usize::MAX), "message");
        let more = [(n_refused, "refused"), (n_left, "not delivered")].into_iter();
        let more = more.filter(|(n, _)| **n > 0).map(|(n, what)| format!(", {n} {what}"));
        format!("{messages} delivered{}", more.collect::<String>())
    }

    fn note(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Delivered => self.n_delivered += 1,
            Outcome::Retry { error, .. }
            | Outcome::Later { error }
            | Outcome::Refused { error }
            | Outcome::Gone { error } => self.why = Some(error.clone()),
        }
    }
}

/// Sends what waits, until every sink has taken or refused all of it, or does neither any more. Series of which nothing
/// can come from `ended` on, the first open day, are over.
pub(super) fn deliver(
    spool: &mut dyn Spool,
    sinks: Vec<Sink>,
    ended: Option<Day>,
) -> Result<Alerted> {
    let runtime = aws::runtime()?;
    let (to_inbox, mut inbox) =
        mpsc::channel::<Sent>(sinks.len().saturating_mul(ON_WAY_MAX).max(1));
    let log = Arc::new(Log::of_a_command());
    let mut alerted: BTreeMap<_, _> =
        sinks.iter().map(|sink| (sink.name.clone(), Became::default())).collect();
    let (gate, traces) = (Gate::default(), Traces::default());
    let beside = Beside { renew: None, gate: &gate, traces: &traces, log: &log };
    let mut sinks = Sinks::start(sinks, runtime.handle(), &to_inbox, beside)?;
    if let Some(open_from) = ended {
        sinks.end_series(spool, open_from, &log)?;
    }
    spool.change(&mut |outbox| {
        sinks.all().iter().try_for_each(|sink| outbox.wake(&sink.name, clock::now_ms()))
    })?;
    let n_dead = dead(&spool.outbox().counts()?);
    let begun = Instant::now();
    let mut moved = begun;
    loop {
        let until = (moved + PATIENCE).min(begun + ALERT_MAX);
        sinks.gather(spool)?;
        sinks.hand_out(&spool.outbox(), &log)?;
        let left = until.saturating_duration_since(Instant::now());
        let left_ms = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        let until_ms = clock::now_ms().saturating_add(left_ms);
        let is_idle = sinks.n_on_way() == 0;
        if left.is_zero() || (is_idle && !sinks.is_due(&spool.outbox(), until_ms)?) {
            break;
        }
        let first = runtime.block_on(async { timeout(LOOK_EVERY, inbox.recv()).await });
        let mut sent: Vec<_> = first.ok().flatten().into_iter().collect();
        sent.extend(std::iter::from_fn(|| inbox.try_recv().ok()));
        for one in &sent {
            if matches!(one.outcome, Outcome::Delivered | Outcome::Refused { .. }) {
                moved = Instant::now();
            }
            alerted
                .entry(sinks.name(one).unwrap_or_default().to_owned())
                .or_default()
                .note(&one.outcome);
        }
        if !sent.is_empty() {
            sinks.settle(spool, &sent, &log)?;
        }
    }
    let counts = spool.outbox().counts()?;
    let now_dead = dead(&counts);
    for MessageCounts { sink, n_pending, .. } in &counts {
        let Some(became) = alerted.get_mut(sink) else { continue };
        became.n_left = *n_pending;
        let of = |dead: &BTreeMap<String, u64>| dead.get(sink).copied().unwrap_or_default();
        became.n_refused = of(&now_dead).saturating_sub(of(&n_dead));
    }
    Ok(Alerted(alerted))
}

/// Messages that are not tried any more, by sink.
fn dead(counts: &[MessageCounts]) -> BTreeMap<String, u64> {
    counts.iter().map(|counts| (counts.sink.clone(), counts.n_dead)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = include_str!("../../../docs/limits.md");

    #[test]
    fn the_page_of_limits_gives_the_bounds_in_force() {
        for (name, bound) in [("PATIENCE", PATIENCE), ("ALERT_MAX", ALERT_MAX)] {
            let row = format!("\n| `replay::alert::{name}` | {} s ", bound.as_secs());
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
    }
}
