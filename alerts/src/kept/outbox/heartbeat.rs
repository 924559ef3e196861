//! Heartbeats among the messages of a sink: one in each span of time, of which only the last is worth sending.

use super::{Dropped, KeptError, Outbox, queued_row};
use crate::{
    kept::rows,
    sinks::{Heartbeat, Sink},
};
use baseline::stable_hash;
use detect::{FindingId, Severity};
use store::Row;

/// What stands for a finding in a heartbeat: the same for one sink and span, whoever asks.
fn id_of(sink: &str, span: i64) -> FindingId {
    FindingId(stable_hash(&[b"heartbeat", sink.as_bytes(), &span.to_le_bytes()]))
}

impl Outbox<'_> {
    /// Queues the heartbeat of the span that `now_ms` lies in, in place of the one before if that still waits; nothing
    /// where it was queued or delivered before, or the sink takes none. Answers what had to go for it. Unit:
    /// milliseconds, of `now_ms` since the Unix epoch.
    pub fn beat(
        &self,
        sink: &Sink,
        (heartbeat, every_ms): (&Heartbeat, i64),
        now_ms: i64,
    ) -> Result<Option<Dropped>, KeptError> {
        let span = now_ms.div_euclid(every_ms.max(1));
        let id = id_of(&sink.name, span);
        let key = |id: FindingId| [rows::text(&id.to_string()), rows::text(&sink.name)];
        let told = "SELECT severity FROM outbox_told WHERE finding = ?1 AND sink = ?2";
        let queued = "SELECT id, severity, is_dead FROM outbox WHERE finding = ?1 AND sink = ?2";
        let is_told = self.first(told, &key(id), Row::count)?.is_some();
        if is_told || self.first(queued, &key(id), queued_row)?.is_some() {
            return Ok(None);
        }
        let Some(body) = sink.to.heartbeat(heartbeat, now_ms) else { return Ok(None) };
        let before = id_of(&sink.name, span.saturating_sub(1));
        if let Some(before) = self.first(queued, &key(before), queued_row)? {
            self.remove(&sink.name, &before)?;
        }
        self.add(&sink.name, (id, Severity::Low), (&body, now_ms))?;
        self.make_room(&sink.name)
    }
}
