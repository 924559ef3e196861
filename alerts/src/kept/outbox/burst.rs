//! Messages that are due to a chat at once, and more than it would read: one takes their place. What it tells of
//! counts as told.

use super::{KeptError, Outbox, message, rank};
use crate::{
    Account,
    kept::rows,
    sinks::{Burst, Lane, Message, NAMED_MAX, Named, Sink},
};
use baseline::stable_hash;
use detect::FindingId;
use store::{Row, Value, WrongValue};

/// Rows of the outbox that are due and tell of a finding: ?1 sink, ?2 now, ?3 the last durable row, ?4 the least
/// severity.
const DUE: &str = "FROM outbox JOIN findings ON findings.id = outbox.finding \
                   WHERE sink = ?1 AND is_dead = 0 AND due_ms <= ?2 AND outbox.id <= ?3 \
                   AND outbox.severity >= ?4";

impl Outbox<'_> {
    /// Whether more messages about findings are due to a chat, which could get one, than it asks for. Unit of `now_ms`:
    /// milliseconds since the Unix epoch.
    pub fn is_burst(&self, sink: &Sink, lane: &Lane, now_ms: i64) -> Result<bool, KeptError> {
        if !sink.to.is_chat() || lane.n_on_way() > 0 || lane.room(now_ms, 1) == 0 {
            return Ok(false);
        }
        let mut of = self.due_now(lane, now_ms).to_vec();
        of.push(rows::count(sink.burst.saturating_add(1)));
        let some = format!("SELECT count(*) FROM (SELECT 1 {DUE} LIMIT ?5)");
        Ok(self.first(&some, &of, Row::count)?.unwrap_or_default() > sink.burst)
    }

    fn due_now(&self, lane: &Lane, now_ms: i64) -> [Value; 4] {
        [
            rows::text(lane.sink()),
            Value::Integer(now_ms),
            Value::Integer(self.through),
            Value::Integer(rank(lane.least(now_ms))),
        ]
    }

    /// Puts one message in place of all that are due, where [`Self::is_burst`] says so. Unit of `now_ms`: milliseconds
    /// since the Unix epoch.
    pub fn gather(&self, sink: &Sink, lane: &Lane, now_ms: i64) -> Result<(), KeptError> {
        let of = self.due_now(lane, now_ms);
        let burst = self.burst(&of)?;
        let Some(body) = sink.to.burst(&burst) else { return Ok(()) };
        let last = format!("SELECT max(outbox.id) {DUE}");
        let last = self.first(&last, &of, Row::count)?.unwrap_or_default();
        let n_findings = burst.n();
        let told = format!(
            "INSERT INTO outbox_told (sink, finding, severity, day) \
             SELECT sink, finding, outbox.severity, findings.day {DUE} \
             ON CONFLICT (sink, finding) DO UPDATE SET severity = max(severity, excluded.severity)"
        );
        self.store.execute(&told, &of)?;
        let gone = format!("DELETE FROM outbox WHERE id IN (SELECT outbox.id {DUE})");
        let n = i64::try_from(self.store.execute(&gone, &of)?).unwrap_or(i64::MAX);
        self.count(&sink.name, [-n, 0, 0])?;
        // No row is given its number twice, so no other burst has this id.
        let id = stable_hash(&[b"burst", sink.name.as_bytes(), &last.to_le_bytes()]);
        let one = message(&sink.name, (FindingId(id), burst.severity()), body);
        self.add(&sink.name, &Message { n_findings, ..one }, now_ms)
    }

    fn burst(&self, of: &[Value]) -> Result<Burst, KeptError> {
        let damaged = |wrong: WrongValue| self.store.damaged(&format!("outbox: {wrong}"));
        let counts = format!(
            "SELECT outbox.severity, count(*) {DUE} GROUP BY outbox.severity ORDER BY 1 DESC"
        );
        let mut by_severity = Vec::new();
        for mut row in self.store.query(&counts, of)? {
            let (rank, n) =
                row.integer().and_then(|rank| Ok((rank, row.count()?))).map_err(damaged)?;
            by_severity.push((self.severity(rank)?, n));
        }
        let first = format!(
            "SELECT outbox.severity, (SELECT title FROM detectors WHERE detectors.id = about), \
             entity_name, account, account_said, day, finding \
             {DUE} ORDER BY outbox.severity DESC, outbox.id LIMIT {NAMED_MAX}"
        );
        let mut named = Vec::new();
        for mut row in self.store.query(&first, of)? {
            let rank = row.integer().map_err(damaged)?;
            named.push(self.named(rank, &mut row).map_err(damaged)??);
        }
        Ok(Burst { counts: by_severity, named })
    }

    fn named(&self, rank: i64, row: &mut Row) -> Result<Result<Named, KeptError>, WrongValue> {
        let (title, name, number) = (row.text()?, row.text()?, row.text()?);
        let said = row.maybe_text()?.map(|said| rows::parsed::<Account>(&said)).transpose()?;
        let account = said.map_or(number.clone(), |said| said.called(&number));
        let (day, id) = (row.text()?, row.text()?);
        let who = format!("{name}, account {account}");
        Ok(self.severity(rank).map(|severity| Named { severity, title, who, day, id }))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{START_MS, counts, file, finding, sink, tell},
        *,
    };
    use crate::{
        StateFile, sample,
        sinks::{Form, Outcome, To},
    };
    use detect::{Finding, Severity};

    #[test]
    fn one_message_takes_the_place_of_many_that_a_chat_would_get_at_once() {
        let (_folder, path) = file();
        let mut file = sample::state(&path);
        let mut chat = sink("chat", Severity::Low);
        let To::Webhook(settings) = &mut chat.to else { panic!() };
        settings.form = Form::Slack;
        chat.burst = 3;
        let sinks = [chat.clone()];
        let found: Vec<_> =
            [0, 3, 2, 0].into_iter().enumerate().map(|(n, at)| finding(n, at)).collect();
        let mut lane = Lane::new("chat").paced(1_000);
        let is_burst =
            |file: &StateFile, lane: &Lane| file.outbox().is_burst(&chat, lane, START_MS).unwrap();
        for (n, finding) in found.iter().enumerate() {
            assert!(!is_burst(&file, &lane), "{n}");
            tell(&file, finding, &sinks, START_MS);
            file.finding(finding, None).unwrap();
            file.commit().unwrap();
        }
        assert!(is_burst(&file, &lane));
        file.outbox().gather(&chat, &lane, START_MS).unwrap();
        file.commit().unwrap();
        assert_eq!(counts(&file, "chat"), [1, 0, 0]);
        let [one] = &file.outbox().due(&mut lane, START_MS, 8).unwrap()[..] else { panic!() };
        assert!(one.body.contains("4 findings at once: 1 critical, 1 high, 2 low"), "{}", one.body);
        assert_eq!((one.severity, one.n_findings), (Severity::Critical, 4));
        let named = FindingId(1).to_string();
        assert!(one.body.contains(&named) && !one.body.contains(" more"), "{}", one.body);
        file.outbox().settle(&mut lane, one, &Outcome::Delivered, START_MS).unwrap();
        // They are told; one that rises is told by itself.
        for finding in &found {
            tell(&file, finding, &sinks, START_MS);
        }
        assert_eq!(counts(&file, "chat"), [0, 0, 0]);
        tell(
            &file,
            &Finding { severity: Severity::Critical, ..found[0].clone() },
            &sinks,
            START_MS,
        );
        assert_eq!(counts(&file, "chat"), [1, 0, 0]);
        // Whoever takes each by itself gets each.
        let siem = sink("siem", Severity::Low);
        assert!(
            !file
                .outbox()
                .is_burst(&Sink { burst: 0, ..siem }, &Lane::new("siem"), START_MS)
                .unwrap()
        );
    }
}
