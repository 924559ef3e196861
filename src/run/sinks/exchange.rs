//! Sinks that take the place of others while the daemon runs. One that is reached as before keeps its task, its pauses
//! and its pace; another begins, and what is left behind it is what a restart would leave.

use super::{Beside, Sent, Sinks, Way};
use alerts::sinks::Sink;
use anyhow::Result;
use baseline::Day;
use tokio::{runtime::Handle, sync::mpsc};

/// Sinks that are about to begin.
pub(crate) struct Ready {
    sinks: Vec<Sink>,
    /// By place: the way that is new, or nothing where it is that of before.
    ways: Vec<Option<Way>>,
}

impl Sinks {
    /// Begins what is new of these. Nothing of it is in force before [`Self::exchange`].
    pub(crate) fn ready<E: From<Sent> + Send + 'static>(
        &self,
        sinks: Vec<Sink>,
        (runtime, inbox): (&Handle, &mpsc::Sender<E>),
        beside: Beside<'_>,
    ) -> Result<Ready> {
        let begin = |(number, sink): (usize, &Sink)| {
            let is_new = self.all.iter().all(|before| !is_reached_as(before, sink));
            is_new.then(|| Way::begin((number, sink), (runtime, inbox), beside)).transpose()
        };
        let ways = (self.n_begun..).zip(&sinks).map(begin).collect::<Result<_>>()?;
        Ok(Ready { sinks, ways })
    }

    /// Messages on the way to sinks that are not among these.
    pub(crate) fn n_on_way_of_leaving(&self, ready: &Ready) -> usize {
        let stays = |own: &Sink| {
            let mut all = ready.sinks.iter().zip(&ready.ways);
            all.any(|(sink, new)| new.is_none() && is_reached_as(own, sink))
        };
        let own = self.all.iter().zip(&self.ways);
        own.filter(|(sink, _)| !stays(sink)).map(|(_, way)| way.lane.n_on_way()).sum()
    }

    /// Goes on with these.
    pub(crate) fn exchange(&mut self, Ready { sinks, ways }: Ready) {
        self.n_begun += sinks.len();
        let mut before: Vec<Way> = std::mem::take(&mut self.ways);
        let mut all = Vec::with_capacity(sinks.len());
        for (sink, new) in sinks.into_iter().zip(ways) {
            let known = before.iter().position(|way| way.lane.sink() == sink.name);
            let kept = || Some(before.swap_remove(known?).of(&sink));
            if let Some(way) = new.or_else(kept) {
                self.ways.push(way);
                all.push(sink);
            }
        }
        self.all = all;
        // New ones may have to close what was told before.
        self.ended_before = Day(i32::MIN);
    }
}

/// Whether messages for the one go the way of the other.
fn is_reached_as(before: &Sink, now: &Sink) -> bool {
    before.name == now.name && before.to == now.to
}

impl Way {
    /// The same, of a sink that is reached as before.
    fn of(self, sink: &Sink) -> Self {
        let lane = self.lane.quiet(sink.quiet.clone());
        // Of a heartbeat that was queued or delivered nothing comes.
        Self { lane, beat_ms: i64::MIN, ..self }
    }
}
