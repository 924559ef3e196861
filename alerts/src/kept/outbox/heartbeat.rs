//! Heartbeats among the messages of a sink: one in each span of time, of which only the last is worth sending.

use super::{Dropped, KeptError, Outbox, message};
use crate::{
    kept::rows,
    sinks::{Heartbeat, Message, Sink},
};
use baseline::{Day, stable_hash};
use detect::{FindingId, Severity};
use store::{Row, Value};

/// What stands for a finding in the heartbeats of a sink, of which one waits at a time.
fn id_of(sink: &str) -> FindingId {
    FindingId(stable_hash(&[b"heartbeat", sink.as_bytes()]))
}

/// What tells that of one span from others: the same whoever asks.
fn id_of_span(sink: &str, span: i64) -> FindingId {
    FindingId(stable_hash(&[b"heartbeat", sink.as_bytes(), &span.to_le_bytes()]))
}

impl Outbox<'_> {
    /// Queues the heartbeat of the span that `now_ms` lies in, in place of an earlier one that still waits; nothing
    /// where it was queued before, or the sink takes none. Answers what had to go for it. Unit:
    /// milliseconds, of `now_ms` since the Unix epoch.
    pub fn beat(
        &self,
        sink: &Sink,
        (heartbeat, every_ms): (&Heartbeat, i64),
        now_ms: i64,
    ) -> Result<Option<Dropped>, KeptError> {
        let span = now_ms.div_euclid(every_ms.max(1));
        let begun_ms = span.saturating_mul(every_ms);
        let (finding, of_span) = (id_of(&sink.name), id_of_span(&sink.name, span));
        if self.beaten_ms(&sink.name, finding)? >= Some(begun_ms) {
            return Ok(None);
        }
        let Some(body) = sink.to.heartbeat(heartbeat, now_ms) else { return Ok(None) };
        if let Some(before) = self.queued(&sink.name, finding)? {
            self.remove(&sink.name, &before)?;
        }
        self.has_beaten((&sink.name, finding), begun_ms, now_ms)?;
        let new = message(&sink.name, (of_span, Severity::Low), body);
        self.add(&sink.name, &Message { finding, n_findings: 0, ..new }, now_ms)?;
        self.make_room(sink)
    }

    /// When the span of the last heartbeat began, if there was one.
    fn beaten_ms(&self, sink: &str, finding: FindingId) -> Result<Option<i64>, KeptError> {
        let sql = "SELECT created_ms FROM outbox_told WHERE sink = ?1 AND finding = ?2";
        let key = [rows::text(sink), rows::text(&finding.to_string())];
        Ok(self.first(sql, &key, Row::maybe_integer)?.flatten())
    }

    /// Notes that, in place of what was noted before.
    fn has_beaten(
        &self,
        (sink, finding): (&str, FindingId),
        begun_ms: i64,
        now_ms: i64,
    ) -> Result<(), KeptError> {
        let sql = "INSERT OR REPLACE INTO outbox_told (sink, finding, severity, created_ms, day) \
                   VALUES (?1, ?2, 0, ?3, ?4)";
        let finding = rows::text(&finding.to_string());
        let today = rows::text(&rows::of_day(Day::of(now_ms)));
        let values = [rows::text(sink), finding, Value::Integer(begun_ms), today];
        self.store.execute(sql, &values)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{H_MS, START_MS, counts, file, finding, sink, tell},
        *,
    };
    use crate::{
        StateFile, sample,
        sinks::{Lane, Outcome, To, json_lines},
    };

    #[test]
    fn a_heartbeat_is_told_once_in_each_span_and_only_the_last_that_waits() {
        let (_folder, path) = file();
        let mut file = sample::state(&path);
        let pager = sink("pager", Severity::Critical);
        let heartbeat = Heartbeat {
            since_ms: START_MS,
            n_objects: 1,
            n_records: 2,
            newest_ms: None,
            n_told: 0,
            n_suppressed: 0,
            next_ms: START_MS + H_MS,
        };
        let beat = |file: &StateFile, now_ms: i64| {
            let dropped = file.outbox().beat(&pager, (&heartbeat, H_MS), now_ms).unwrap();
            assert_eq!(dropped, None);
        };
        let begin_ms = START_MS.div_euclid(H_MS) * H_MS;
        let due = |file: &StateFile, now_ms: i64| {
            file.outbox().due(&mut Lane::new("pager"), now_ms, 8).unwrap()
        };
        // Between some of them nobody was there.
        for after_ms in [-9 * H_MS, -5 * H_MS, 0, 1, H_MS - 1, H_MS, 2 * H_MS] {
            beat(&file, begin_ms + after_ms);
        }
        file.commit().unwrap();
        let waiting = due(&file, begin_ms + 2 * H_MS);
        assert_eq!(waiting.len(), 1);
        assert!(waiting[0].body.contains("\"type\":\"heartbeat\""), "{}", waiting[0].body);
        assert_eq!((waiting[0].severity, counts(&file, "pager")), (Severity::Low, [1, 0, 0]));
        let mut lane = Lane::new("pager");
        let now_ms = begin_ms + 2 * H_MS;
        file.outbox().settle(&mut lane, &waiting[0], &Outcome::Delivered, now_ms).unwrap();
        // A daemon that starts again in the same hour has told it.
        beat(&file, now_ms + 5);
        assert_eq!(counts(&file, "pager"), [0, 0, 0]);
        beat(&file, now_ms + H_MS);
        assert_eq!(counts(&file, "pager"), [1, 0, 0]);
        // Nobody reads a file of findings for these.
        let archive = To::JsonLines(json_lines::Settings { path: "a".into() });
        let archive = Sink { name: "archive".to_owned(), to: archive, ..pager.clone() };
        file.outbox().beat(&archive, (&heartbeat, H_MS), now_ms).unwrap();
        assert_eq!(file.outbox().counts().unwrap().len(), 1);
        // Where there is room for one message, it is not for this.
        tell(&file, &finding(7, 3), std::slice::from_ref(&pager), now_ms);
        let full = Outbox { messages_max: 1, ..file.outbox() };
        let dropped = full.beat(&pager, (&heartbeat, H_MS), now_ms + 2 * H_MS).unwrap();
        assert_eq!(dropped.map(|dropped| dropped.severity), Some(Severity::Low));
        assert_eq!(counts(&file, "pager"), [1, 0, 1]);
    }
}
