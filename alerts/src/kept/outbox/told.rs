//! What sinks were told, and for how long that is remembered: as long as it can be found again. In: messages that were
//! delivered; the first day of which anything can still be found. Out: rows of `outbox_told`.

use super::{KeptError, Outbox, rank};
use crate::{kept::rows, sinks::Message};
use baseline::Day;
use store::{Row, Value};

impl Outbox<'_> {
    /// Notes that a sink has what a message says. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub(super) fn told(&self, sink: &str, message: &Message, now_ms: i64) -> Result<(), KeptError> {
        let sql = "INSERT INTO outbox_told (sink, finding, severity, created_ms, day) \
                   VALUES (?1, ?2, ?3, ?4, coalesce((SELECT day FROM findings WHERE id = ?2), ?5)) \
                   ON CONFLICT (sink, finding) DO UPDATE \
                   SET severity = max(severity, excluded.severity), \
                   created_ms = coalesce(created_ms, excluded.created_ms), day = excluded.day";
        let finding = rows::text(&message.finding.to_string());
        let rank = Value::Integer(rank(message.severity));
        let created = message.created_ms.map_or(Value::Null, Value::Integer);
        let today = rows::text(&rows::of_day(Day::of(now_ms)));
        self.store.execute(sql, &[rows::text(sink), finding, rank, created, today])?;
        Ok(())
    }

    /// Forgets what was told of days before `first`, of which nothing is found any more. What opened a series that goes on
    /// stays: Security Hub is told when it had that first.
    pub(in crate::kept) fn forget(&self, first: Day) -> Result<(), KeptError> {
        let first = [rows::text(&rows::of_day(first))];
        for sql in [
            "DELETE FROM outbox_series WHERE last_day < ?1",
            "DELETE FROM outbox_filed WHERE day < ?1",
            "DELETE FROM outbox_told WHERE day < ?1 AND NOT EXISTS (SELECT 1 FROM outbox_series AS series \
             WHERE series.sink = outbox_told.sink AND series.opened = outbox_told.finding)",
        ] {
            self.store.execute(sql, &first)?;
        }
        Ok(())
    }

    /// When the first of the messages to a sink may be sent. Unit: milliseconds since the Unix epoch.
    pub fn first_due_ms(&self, sink: &str) -> Result<Option<i64>, KeptError> {
        let sql = "SELECT min(due_ms) FROM outbox WHERE sink = ?1 AND is_dead = 0 AND id <= ?2";
        let values = [rows::text(sink), Value::Integer(self.through)];
        Ok(self.first(sql, &values, Row::maybe_integer)?.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{START_MS, file, finding, sink, tell};
    use crate::{
        StateFile, Version, sample,
        sinks::{Access, Lane, Outcome, Service, Sink, To, security_hub},
    };
    use baseline::{Day, time::DAY_MS};
    use detect::{Finding, FindingId, Severity};

    fn hub() -> Sink {
        let file_as = security_hub::FileAs::Own;
        let settings = security_hub::Settings { access: Access::default(), file_as };
        Sink::new("hub", Severity::Low, To::Service(Service::SecurityHub(settings)))
    }

    fn rows(file: &StateFile, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        file.outbox().store.query(&sql, &[]).unwrap().remove(0).count().unwrap()
    }

    /// A year, each day of which has a finding of a series of its own and one of a series that goes on.
    #[test]
    fn what_cannot_be_found_any_more_is_not_remembered_as_told() {
        let (_folder, path) = file();
        let mut file = sample::state(&path);
        let sinks = [sink("siem", Severity::Low), hub()];
        let mut lanes = sinks.clone().map(|sink| Lane::new(&sink.name));
        let first = finding(1, 1);
        let version = Version { size_bytes: 1, etag: None, content: None, read_ms: None };
        let mut n_most = 0;
        for (n, after_d) in (0..365_usize).zip(0..) {
            let (day, now_ms) =
                (Day(first.day.0 + after_d), START_MS + i64::from(after_d) * DAY_MS);
            let id = |of: usize| FindingId((of + n) as u128);
            let goes_on = Finding { id: id(1_000), day, ..first.clone() };
            let alone = Finding { id: id(2_000), day, ..finding(5_000 + n, 1) };
            for finding in [goes_on, alone] {
                tell(&file, &finding, &sinks, now_ms);
                file.finding(&finding, None).unwrap();
            }
            file.object(&n.to_string(), &version, day).unwrap();
            file.commit().unwrap();
            for lane in &mut lanes {
                for mut message in file.outbox().due(lane, now_ms, 9).unwrap() {
                    message.created_ms.get_or_insert(now_ms);
                    file.outbox().settle(lane, &message, &Outcome::Delivered, now_ms).unwrap();
                }
            }
            file.commit().unwrap();
            n_most = n_most.max(rows(&file, "outbox_told"));
        }
        // Of each day that is known one for each sink, then reminders, and what opened the series of each.
        assert!(n_most <= 2 * 46 + 7 + 2, "{n_most}");
        assert_eq!(rows(&file, "outbox_filed"), 2 * 46);
        let sql = "SELECT created_ms FROM outbox_told WHERE sink = 'hub' AND day = (SELECT min(day) FROM outbox_told)";
        let created = file.outbox().store.query(sql, &[]).unwrap().remove(0).integer().unwrap();
        assert_eq!(created, START_MS);
    }
}
