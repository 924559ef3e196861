//! Series: findings of one detector on one entity, on days that follow each other, are one conversation. In: what is
//! known of a series, and another finding of it. Out: whether a sink has to hear of that, as what, and why.

use super::{Outbox, count, rank};
use crate::{
    kept::{KeptError, rows},
    sinks::{Event, InSeries, Manner, Occasion, Sink, Why},
};
use baseline::{Day, stable_hash};
use detect::{Finding, FindingId, Severity};
use store::{Row, Value, WrongValue};

/// Quiet days after which a series has ended. Unit: days.
pub(super) const QUIET_D: i32 = 7;
/// Days after which one that goes on is told once more. Unit: days.
pub(super) const REMIND_D: i32 = 7;

/// What a sink has heard of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Series {
    opened: FindingId,
    /// The finding that was told last.
    said: FindingId,
    first: Day,
    last: Day,
    said_on: Day,
    /// The highest.
    rank: i64,
    /// When it was first and last seen. Unit: milliseconds since the Unix epoch.
    times_ms: (i64, i64),
}

/// Columns of its table, after the sink and the series.
const COLUMNS: &str = "opened, said, first_day, last_day, said_day, severity, first_ms, last_ms";

impl Series {
    /// What is known of it after a finding of this rank, and why the sink has to hear of that, if it has to.
    fn after(
        known: Option<Self>,
        (id, day, times_ms): (FindingId, Day, (i64, i64)),
        rank: i64,
    ) -> (Self, Option<Why>) {
        let new =
            Self { opened: id, said: id, first: day, last: day, said_on: day, rank, times_ms };
        let Some(known) = known.filter(|known| known.reaches(day)) else {
            return (new, Some(Why::Opened));
        };
        let first = known.first.min(day);
        let last = known.last.max(day);
        let why = if rank > known.rank {
            Some(Why::Risen)
        } else if day.0 >= known.said_on.0.saturating_add(REMIND_D) {
            Some(Why::Reminder)
        } else {
            None
        };
        let times_ms = (known.times_ms.0.min(times_ms.0), known.times_ms.1.max(times_ms.1));
        let said_on = known.said_on.max(day);
        if why.is_none() {
            return (Self { first, last, times_ms, ..known }, None);
        }
        let rank = rank.max(known.rank);
        (Self { said: id, first, last, said_on, rank, times_ms, ..known }, why)
    }

    /// Whether a day belongs to it.
    fn reaches(&self, day: Day) -> bool {
        let last = self.last.0.saturating_add(QUIET_D);
        let first = self.first.0.saturating_sub(QUIET_D);
        (first..=last).contains(&day.0)
    }

    fn read(row: &mut Row) -> Result<Self, WrongValue> {
        let (opened, said) = (rows::id(&row.text()?)?, rows::id(&row.text()?)?);
        let (first, last) = (rows::day(&row.text()?)?, rows::day(&row.text()?)?);
        let (said_on, rank) = (rows::day(&row.text()?)?, row.integer()?);
        let times_ms = (row.integer()?, row.integer()?);
        Ok(Self { opened, said, first, last, said_on, rank, times_ms })
    }

    fn values(self) -> [Value; 8] {
        let [opened, said] = [self.opened, self.said].map(|id| rows::text(&id.to_string()));
        let days = [self.first, self.last, self.said_on];
        let [first, last, said_on] = days.map(|day| rows::text(&rows::of_day(day)));
        let [rank, begun, ended] =
            [self.rank, self.times_ms.0, self.times_ms.1].map(Value::Integer);
        [opened, said, first, last, said_on, rank, begun, ended]
    }
}

/// As what a sink is told of a finding.
pub(super) struct ToldAs {
    /// By which the sink knows it.
    pub(super) finding: FindingId,
    pub(super) severity: Severity,
    pub(super) occasion: Occasion,
}

impl Outbox<'_> {
    /// As what a sink is told of a finding, if it has to be told.
    pub(super) fn told_as(
        &self,
        sink: &Sink,
        finding: &Finding,
    ) -> Result<Option<ToldAs>, KeptError> {
        let (manner, rank) = (sink.to.manner(), rank(finding.severity));
        let told = self.highest("outbox_told", &sink.name, finding.id)?;
        let known = if manner == Manner::OnePerSeries {
            self.highest("outbox_filed", &sink.name, finding.id)?
        } else {
            told.max(self.queued(&sink.name, finding.id)?.map(|queued| queued.rank))
        };
        if known >= Some(rank) {
            return Ok(None);
        }
        let event = if told.is_some() { Event::Updated } else { Event::Created };
        let Finding { id, severity, .. } = *finding;
        if manner == Manner::EachFinding {
            let occasion = Occasion { event, series: None };
            return Ok(Some(ToldAs { finding: id, severity, occasion }));
        }
        let series = self.continued(&sink.name, finding, rank)?;
        let occasion = Occasion { event, series: Some(series) };
        if manner == Manner::NewsOfSeries {
            let told_as = ToldAs { finding: id, severity, occasion };
            return Ok(series.why.map(|_| told_as));
        }
        let InSeries { opened, severity, .. } = series;
        self.filed(&sink.name, finding, (opened, rank))?;
        Ok(Some(ToldAs { finding: opened, severity, occasion }))
    }

    /// The highest severity of a finding that stands in a table of a sink's findings.
    pub(super) fn highest(
        &self,
        table: &str,
        sink: &str,
        finding: FindingId,
    ) -> Result<Option<i64>, KeptError> {
        let sql = format!("SELECT severity FROM {table} WHERE finding = ?1 AND sink = ?2");
        let key = [rows::text(&finding.to_string()), rows::text(sink)];
        self.first(&sql, &key, |row| row.count().map(count))
    }

    /// Notes a finding in its series with a sink; answers what is known of that now, and why the sink has to hear of
    /// it, if it has to.
    fn continued(&self, sink: &str, finding: &Finding, rank: i64) -> Result<InSeries, KeptError> {
        let key = [rows::text(sink), rows::text(&key_of(finding))];
        let known = self.known(&key, finding.day)?;
        let (next, why) = Series::after(known, (finding.id, finding.day, finding.times_ms), rank);
        if known != Some(next) {
            let sql = format!(
                "INSERT OR REPLACE INTO outbox_series (sink, series, {COLUMNS}) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            );
            let values: Vec<Value> = key.into_iter().chain(next.values()).collect();
            self.store.execute(&sql, &values)?;
        }
        let Series { opened, rank, times_ms, .. } = next;
        Ok(InSeries { opened, why, severity: self.severity(rank)?, times_ms })
    }

    /// The latest series of a key that a day belongs to. A replay that is repeated comes to those before.
    fn known(&self, key: &[Value; 2], day: Day) -> Result<Option<Series>, KeptError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox_series WHERE sink = ?1 AND series = ?2 \
             ORDER BY last_day DESC, opened"
        );
        for mut row in self.store.query(&sql, key)? {
            let series = Series::read(&mut row).map_err(|wrong| self.store.damaged(&wrong))?;
            if series.reaches(day) {
                return Ok(Some(series));
            }
        }
        Ok(None)
    }

    /// Notes that a finding goes into a message about its series.
    fn filed(
        &self,
        sink: &str,
        finding: &Finding,
        (opened, rank): (FindingId, i64),
    ) -> Result<(), KeptError> {
        let sql = "INSERT OR REPLACE INTO outbox_filed (sink, finding, opened, severity, day) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let [id, opened] = [finding.id, opened].map(|id| rows::text(&id.to_string()));
        let day = rows::text(&rows::of_day(finding.day));
        self.store.execute(sql, &[rows::text(sink), id, opened, Value::Integer(rank), day])?;
        Ok(())
    }
}

/// Which series a finding belongs to: the same for ever.
fn key_of(finding: &Finding) -> String {
    let Finding { about, entity, .. } = finding;
    let id = entity.id().to_le_bytes();
    format!("{:032x}", stable_hash(&[about.id.as_bytes(), &id]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOW: i64 = 0;
    const HIGH: i64 = 2;

    fn whys(findings: &[(i32, i64)]) -> Vec<Option<Why>> {
        let mut known = None;
        let one = |(n, (day, rank)): (u128, &(i32, i64))| {
            let (next, why) = Series::after(known, (FindingId(n), Day(*day), (0, 0)), *rank);
            known = Some(next);
            why
        };
        (0..).zip(findings).map(one).collect()
    }

    #[test]
    fn only_an_opening_a_rise_and_a_weekly_reminder_are_told() {
        let days: Vec<_> = (0..16).map(|day| (day, LOW)).collect();
        let told = whys(&days);
        let at = |why| (0..).zip(&told).filter(move |(_, one)| **one == Some(why));
        assert_eq!(at(Why::Opened).map(|(day, _)| day).collect::<Vec<i32>>(), [0]);
        assert_eq!(at(Why::Reminder).map(|(day, _)| day).collect::<Vec<i32>>(), [7, 14]);
        let rise = whys(&[(0, LOW), (1, HIGH), (2, LOW), (2, HIGH), (7, LOW), (8, LOW)]);
        let (risen, remind) = (Some(Why::Risen), Some(Why::Reminder));
        assert_eq!(rise, [Some(Why::Opened), risen, None, None, None, remind]);
    }

    #[test]
    fn seven_quiet_days_end_a_series() {
        assert_eq!(whys(&[(0, HIGH), (7, LOW)]), [Some(Why::Opened), Some(Why::Reminder)]);
        assert_eq!(whys(&[(0, HIGH), (8, LOW)]), [Some(Why::Opened); 2]);
        assert_eq!(whys(&[(9, HIGH), (1, LOW)]), [Some(Why::Opened); 2]);
        assert_eq!(whys(&[(9, HIGH), (3, LOW)]), [Some(Why::Opened), None]);
    }

    proptest! {
        #[test]
        fn nobody_hears_less_than_the_highest(days in prop::collection::vec((0..40_i32, 0..4_i64), 1..40)) {
            let mut known: Option<Series> = None;
            let mut highest = -1;
            for (n, (day, rank)) in (0..).zip(days) {
                let (next, why) = Series::after(known, (FindingId(n), Day(day), (0, 0)), rank);
                let is_new = known.is_none_or(|known| known.opened != next.opened);
                highest = if is_new { -1 } else { highest };
                prop_assert!(why.is_some() || rank <= highest);
                if why.is_some() {
                    highest = highest.max(rank);
                    prop_assert_eq!(next.said, FindingId(n));
                }
                prop_assert_eq!(next.rank, highest);
                known = Some(next);
            }
        }
    }
}
