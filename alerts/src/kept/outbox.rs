//! What sinks have still to be told, in the transaction of the findings: what is durable here is delivered at
//! least once, always under the same id. In: findings, outcomes. Out: messages that are due.

mod burst;
mod ended;
mod heartbeat;
mod series;
mod told;

use super::{KeptError, SCHEMA, rows};
use crate::{
    Inputs,
    sinks::{Lane, Manner, Message, Outcome, Sink, next_due},
};
use baseline::stable_hash;
use detect::{Finding, FindingId, Severity};
use std::path::Path;
use store::{Row, Store, Value, WrongValue};

/// Messages of one sink that are kept, dead ones included. Beyond it the least severe go, the newest of
/// them first. Unit: messages.
pub(super) const MESSAGES_MAX: u64 = 100_000;

/// What a sink will not be told, since there was too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The sink.
    pub sink: String,
    /// What it would have been told of. Found again, it is told after all.
    pub finding: FindingId,
    /// How severe that is.
    pub severity: Severity,
}

/// What became of a message that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The sink has it.
    Delivered,
    /// It is sent again, not before this. Unit: milliseconds since the Unix epoch.
    Again {
        /// When.
        due_ms: i64,
    },
    /// It is kept, and not sent again unless somebody asks for it.
    Dead,
    /// It waits for the next start: the sink wants no messages.
    Waits,
}

/// Messages of one sink. Unit: messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageCounts {
    /// The sink, configured now or before.
    pub sink: String,
    /// Still to be delivered.
    pub n_pending: u64,
    /// Not tried again.
    pub n_dead: u64,
    /// Dropped, ever.
    pub n_dropped: u64,
}

/// The outbox of a file.
#[derive(Debug)]
pub struct Outbox<'a> {
    pub(super) store: &'a Store,
    /// The last row that is durable: what came after is not sent.
    pub(super) through: i64,
    pub(super) messages_max: u64,
}

/// Has dead messages of the state at `path` sent once more, of all sinks or of one, also while somebody goes on with
/// it; answers how many of which. Unit of `now_ms`: milliseconds since the Unix epoch.
pub fn resend(
    path: &Path,
    of_sink: Option<&str>,
    now_ms: i64,
) -> Result<Vec<(String, u64)>, KeptError> {
    let store = Store::change(path, &SCHEMA)?;
    store.begin()?;
    let outbox = Outbox::of(&store, i64::MAX);
    let mut all = Vec::new();
    for MessageCounts { sink, .. } in outbox.counts()? {
        if of_sink.is_none_or(|name| name == sink) {
            let n = outbox.resend(&sink, now_ms)?;
            all.push((sink, n));
        }
    }
    store.commit()?;
    Ok(all)
}

/// The last row that was given a number.
pub(super) fn last_row(store: &Store) -> Result<i64, KeptError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'";
    let Some(mut row) = store.query(sql, &[])?.into_iter().next() else { return Ok(0) };
    let number = row.count().map_err(|wrong| store.damaged(&wrong))?;
    Ok(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A row of `outbox` by what decides about it.
struct Queued {
    id: i64,
    rank: i64,
    is_dead: bool,
}

impl<'a> Outbox<'a> {
    /// That of a file of which all up to this row is durable.
    pub(super) fn of(store: &'a Store, through: i64) -> Self {
        Self { store, through, messages_max: MESSAGES_MAX }
    }
}

impl Outbox<'_> {
    /// Queues what `sinks` have to be told of `finding`: whether it is new to them, or more severe than they
    /// know; most are told by series. Answers what had to go for it. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub fn tell(
        &self,
        (finding, inputs): (&Finding, &Inputs),
        sinks: &[Sink],
        now_ms: i64,
    ) -> Result<Vec<Dropped>, KeptError> {
        let mut dropped = Vec::new();
        for sink in sinks.iter().filter(|sink| sink.wants(finding, &inputs.accounts)) {
            let Some(told_as) = self.told_as(sink, finding)? else { continue };
            if let Some(queued) = self.queued(&sink.name, told_as.finding)? {
                // The new one says all that it says, and more.
                self.remove(&sink.name, &queued)?;
            }
            let body = sink.to.body(told_as.occasion, (finding, inputs), now_ms);
            // Of a series, too, the id is of this finding.
            let new = message(&sink.name, (finding.id, finding.severity), body);
            let new = Message { finding: told_as.finding, severity: told_as.severity, ..new };
            self.add(&sink.name, &new, now_ms)?;
            dropped.extend(self.make_room(sink)?);
        }
        Ok(dropped)
    }

    /// What of a finding is still to be delivered, or dead.
    fn queued(&self, sink: &str, finding: FindingId) -> Result<Option<Queued>, KeptError> {
        let sql = "SELECT id, severity, is_dead FROM outbox WHERE finding = ?1 AND sink = ?2";
        let key = [rows::text(&finding.to_string()), rows::text(sink)];
        self.first(sql, &key, queued_row)
    }

    fn add(&self, sink: &str, message: &Message, now_ms: i64) -> Result<(), KeptError> {
        let own = own(sink, message);
        let [sink_value, id, finding, rank, body] = own.clone();
        let checksum = rows::text(&rows::checksum([&own[..]]));
        let columns = [
            "sink",
            "message",
            "finding",
            "severity",
            "is_dead",
            "attempts",
            "due_ms",
            "checksum",
            "body",
            "n_findings",
        ];
        let none = Value::Integer(0);
        let row = [
            sink_value,
            id,
            finding,
            rank,
            none.clone(),
            none,
            Value::Integer(now_ms),
            checksum,
            body,
            rows::count(message.n_findings),
        ];
        self.store.insert("outbox", &columns, &row)?;
        self.count(sink, [1, 0, 0])
    }

    fn remove(&self, sink: &str, queued: &Queued) -> Result<(), KeptError> {
        self.store.execute("DELETE FROM outbox WHERE id = ?1", &[Value::Integer(queued.id)])?;
        self.count(sink, if queued.is_dead { [0, -1, 0] } else { [-1, 0, 0] })
    }

    /// Takes out the least severe message, the newest of those, if there is one too many.
    fn make_room(&self, sink: &Sink) -> Result<Option<Dropped>, KeptError> {
        let (sink, manner) = (&*sink.name, sink.to.manner());
        let key = [rows::text(sink)];
        let sql = "SELECT pending + dead FROM outbox_sinks WHERE sink = ?1";
        let n = self.first(sql, &key, Row::count)?.unwrap_or_default();
        if n <= self.messages_max {
            return Ok(None);
        }
        // One look into the index for each part, which has the least severe at its end.
        let of = |is_dead: u8| {
            format!(
                "SELECT * FROM (SELECT id, severity, is_dead, finding FROM outbox WHERE sink = ?1 \
                 AND is_dead = {is_dead} ORDER BY severity, id DESC LIMIT 1)"
            )
        };
        let sql = format!("{} UNION ALL {} ORDER BY 2, 1 DESC LIMIT 1", of(0), of(1));
        let least =
            self.first(&sql, &key, |row| Ok((queued_row(row)?, rows::id(&row.text()?)?)))?;
        let Some((queued, finding)) = least else { return Ok(None) };
        self.remove(sink, &queued)?;
        self.count(sink, [0, 0, 1])?;
        let sql = match manner {
            // What is one finding with the sink goes on to be the same.
            Manner::OnePerSeries => "DELETE FROM outbox_filed WHERE sink = ?1 AND opened = ?2",
            _ => "DELETE FROM outbox_series WHERE sink = ?1 AND said = ?2",
        };
        self.store.execute(sql, &[rows::text(sink), rows::text(&finding.to_string())])?;
        let severity = self.severity(queued.rank)?;
        Ok(Some(Dropped { sink: sink.to_owned(), finding, severity }))
    }

    /// Hands out messages that are durable and due, the most severe first, so that at most `most` are on the way, and
    /// of no finding two.
    pub fn due(
        &self,
        lane: &mut Lane,
        now_ms: i64,
        most: usize,
    ) -> Result<Vec<Message>, KeptError> {
        let n = lane.room(now_ms, most);
        if n == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT message, finding, severity, attempts, checksum, body, (SELECT created_ms \
                   FROM outbox_told AS told WHERE told.sink = outbox.sink \
                   AND told.finding = outbox.finding), n_findings FROM outbox \
                   WHERE sink = ?1 AND is_dead = 0 AND due_ms <= ?2 AND id <= ?3 AND severity >= ?5 \
                   ORDER BY severity DESC, id LIMIT ?4";
        // Those that are on the way are due, too.
        let limit = n.saturating_add(lane.n_on_way());
        let values = [
            rows::text(lane.sink()),
            Value::Integer(now_ms),
            Value::Integer(self.through),
            rows::count(limit as u64),
            Value::Integer(rank(lane.least(now_ms))),
        ];
        let mut messages = Vec::new();
        for row in self.store.query(sql, &values)? {
            let message = self.message(lane.sink(), row)?;
            if messages.len() < n && !lane.is_on_way(message.finding) {
                lane.hand_out(message.finding);
                messages.push(message);
            }
        }
        Ok(messages)
    }

    fn message(&self, sink: &str, mut row: Row) -> Result<Message, KeptError> {
        let damaged = |wrong: WrongValue| self.store.damaged(&format!("outbox: {wrong}"));
        let mut read = || {
            let (id, finding) = (row.text()?, rows::id(&row.text()?)?);
            let (rank, attempts) = (count(row.count()?), row.count()?);
            let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
            // Severity and whether it is what was written is told below.
            let (severity, checksum, body) = (Severity::Low, row.text()?, row.text()?);
            let (created_ms, n_findings) = (row.maybe_integer()?, row.count()?);
            let message = Message { id, finding, severity, body, attempts, created_ms, n_findings };
            Ok((message, rank, checksum))
        };
        let (message, rank, checksum) = read().map_err(damaged)?;
        let message = Message { severity: self.severity(rank)?, ..message };
        if checksum != rows::checksum([&own(sink, &message)[..]]) {
            let what = format!("message {} of the outbox is not what was written", message.id);
            return Err(self.store.damaged(&what).into());
        }
        Ok(message)
    }

    /// Writes what became of a message that was handed out.
    pub fn settle(
        &self,
        lane: &mut Lane,
        message: &Message,
        outcome: &Outcome,
        now_ms: i64,
    ) -> Result<Settled, KeptError> {
        let settled = match outcome {
            Outcome::Delivered => {
                self.delivered(lane.sink(), message, now_ms)?;
                Settled::Delivered
            }
            Outcome::Retry { error, after_ms } => {
                self.again(lane.sink(), message, (error, *after_ms), now_ms)?
            }
            Outcome::Later { error } => self.again(lane.sink(), message, (error, None), now_ms)?,
            Outcome::Refused { error } => self.dead(lane.sink(), message, error)?,
            Outcome::Gone { error } => {
                let sql = "UPDATE outbox SET error = ?2 WHERE message = ?1";
                self.store.execute(sql, &[rows::text(&message.id), rows::text(error)])?;
                Settled::Waits
            }
        };
        if lane.note(message.finding, outcome, now_ms) {
            self.wake(lane.sink(), now_ms)?;
        }
        Ok(settled)
    }

    /// What failed is due at once, as if it had never been tried: an outage has ended, or somebody asks for it. Unit of
    /// `now_ms`: milliseconds since the Unix epoch.
    pub fn wake(&self, sink: &str, now_ms: i64) -> Result<(), KeptError> {
        let sql = "UPDATE outbox SET attempts = 0, due_ms = ?2 \
                   WHERE sink = ?1 AND is_dead = 0 AND due_ms > ?2";
        self.store.execute(sql, &[rows::text(sink), Value::Integer(now_ms)])?;
        Ok(())
    }

    fn delivered(&self, sink: &str, message: &Message, now_ms: i64) -> Result<(), KeptError> {
        // It may be gone meanwhile, for a more severe one or since there were too many.
        let sql = "SELECT id, severity, is_dead FROM outbox WHERE message = ?1";
        if let Some(queued) = self.first(sql, &[rows::text(&message.id)], queued_row)? {
            self.remove(sink, &queued)?;
        }
        self.told(sink, message, now_ms)
    }

    fn again(
        &self,
        sink: &str,
        message: &Message,
        (error, after_ms): (&str, Option<i64>),
        now_ms: i64,
    ) -> Result<Settled, KeptError> {
        let attempts = message.attempts.saturating_add(1);
        let Some(due_ms) = next_due(&message.id, attempts, now_ms, after_ms) else {
            return self.dead(sink, message, error);
        };
        let sql = "UPDATE outbox SET attempts = ?2, due_ms = ?3, error = ?4 WHERE message = ?1";
        let [attempts, due] = [attempts.into(), due_ms].map(Value::Integer);
        let id = rows::text(&message.id);
        self.store.execute(sql, &[id, attempts, due, rows::text(error)])?;
        Ok(Settled::Again { due_ms })
    }

    fn dead(&self, sink: &str, message: &Message, error: &str) -> Result<Settled, KeptError> {
        let sql = "UPDATE outbox SET is_dead = 1, attempts = attempts + 1, error = ?2 \
                   WHERE message = ?1 AND is_dead = 0";
        let n = self.store.execute(sql, &[rows::text(&message.id), rows::text(error)])?;
        if n > 0 {
            self.count(sink, [-1, 1, 0])?;
        }
        Ok(Settled::Dead)
    }

    /// Has the dead messages of a sink sent once more; answers how many there are.
    fn resend(&self, sink: &str, now_ms: i64) -> Result<u64, KeptError> {
        let sql = "UPDATE outbox SET is_dead = 0, attempts = 0, due_ms = ?2 \
                   WHERE sink = ?1 AND is_dead = 1";
        let n = self.store.execute(sql, &[rows::text(sink), Value::Integer(now_ms)])? as u64;
        let moved = i64::try_from(n).unwrap_or(i64::MAX);
        self.count(sink, [moved, -moved, 0])?;
        Ok(n)
    }

    /// How many messages there are, by sink, in the order of their names.
    pub fn counts(&self) -> Result<Vec<MessageCounts>, KeptError> {
        let sql = "SELECT sink, pending, dead, dropped FROM outbox_sinks ORDER BY sink";
        let read = |mut row: Row| {
            let (sink, n_pending, n_dead) = (row.text()?, row.count()?, row.count()?);
            Ok(MessageCounts { sink, n_pending, n_dead, n_dropped: row.count()? })
        };
        let rows = self.store.query(sql, &[])?.into_iter().map(read);
        Ok(rows
            .collect::<Result<_, _>>()
            .map_err(|wrong: WrongValue| self.store.damaged(&wrong))?)
    }

    /// Adds to what is pending, dead and dropped of a sink.
    fn count(&self, sink: &str, by: [i64; 3]) -> Result<(), KeptError> {
        let sql = "INSERT INTO outbox_sinks (sink, pending, dead, dropped) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (sink) DO UPDATE SET pending = pending + excluded.pending, \
                   dead = dead + excluded.dead, dropped = dropped + excluded.dropped";
        let [pending, dead, dropped] = by.map(Value::Integer);
        self.store.execute(sql, &[rows::text(sink), pending, dead, dropped])?;
        Ok(())
    }

    fn first<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: impl FnOnce(&mut Row) -> Result<T, WrongValue>,
    ) -> Result<Option<T>, KeptError> {
        let row = self.store.query(sql, values)?.into_iter().next();
        let read = row.map(|mut row| read(&mut row)).transpose();
        Ok(read.map_err(|wrong| self.store.damaged(&format!("outbox: {wrong}")))?)
    }

    fn severity(&self, rank: i64) -> Result<Severity, KeptError> {
        let found = usize::try_from(rank).ok().and_then(|rank| Severity::ALL.get(rank));
        let damaged = || self.store.damaged(&format!("outbox: holds an unknown severity: {rank}"));
        Ok(*found.ok_or_else(damaged)?)
    }
}

/// A message that nobody tried to deliver; its id is the same for the same sink, finding and severity.
fn message(sink: &str, (finding, severity): (FindingId, Severity), body: String) -> Message {
    let of = [sink.as_bytes(), &finding.0.to_le_bytes(), severity.label().as_bytes()];
    let id = format!("msg_{:032x}", stable_hash(&of));
    Message { id, finding, severity, body, attempts: 0, created_ms: None, n_findings: 1 }
}

fn rank(severity: Severity) -> i64 {
    let position = Severity::ALL.iter().position(|one| *one == severity);
    i64::try_from(position.unwrap_or_default()).unwrap_or_default()
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What never changes of a row.
fn own(sink: &str, message: &Message) -> [Value; 5] {
    let Message { id, finding, severity, body, .. } = message;
    [
        rows::text(sink),
        rows::text(id),
        rows::text(&finding.to_string()),
        Value::Integer(rank(*severity)),
        rows::text(body),
    ]
}

fn queued_row(row: &mut Row) -> Result<Queued, WrongValue> {
    let (id, rank) = (count(row.count()?), count(row.count()?));
    Ok(Queued { id, rank, is_dead: row.count()? != 0 })
}

#[cfg(test)]
mod tests;
