//! Series: findings of one detector on one entity, on days that follow each other, are one conversation. In: what is
//! known of a series, and another finding of it. Out: whether anybody has to hear of that, and why.

use crate::{kept::rows, sinks::Why};
use baseline::{Day, stable_hash};
use detect::{Finding, FindingId};
use store::{Row, Value, WrongValue};

/// Quiet days after which a series has ended. Unit: days.
pub(super) const QUIET_D: i32 = 7;
/// Days after which one that goes on is told once more. Unit: days.
pub(super) const REMIND_D: i32 = 7;

/// What a sink has heard of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) opened: FindingId,
    /// The finding that was told last.
    pub(super) said: FindingId,
    pub(super) first: Day,
    pub(super) last: Day,
    said_on: Day,
    rank: i64,
}

/// Columns of its table, after the sink and the series.
pub(super) const COLUMNS: &str = "opened, said, first_day, last_day, said_day, severity";

impl Series {
    /// What is known of it after a finding of this rank, and why the sink has to hear of that, if it has to.
    pub(super) fn after(
        known: Option<Self>,
        (id, day): (FindingId, Day),
        rank: i64,
    ) -> (Self, Option<Why>) {
        let new = Self { opened: id, said: id, first: day, last: day, said_on: day, rank };
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
        let said_on = known.said_on.max(day);
        if why.is_none() {
            return (Self { first, last, ..known }, None);
        }
        let rank = rank.max(known.rank);
        (Self { said: id, first, last, said_on, rank, ..known }, why)
    }

    /// Whether a day belongs to it.
    fn reaches(&self, day: Day) -> bool {
        let last = self.last.0.saturating_add(QUIET_D);
        let first = self.first.0.saturating_sub(QUIET_D);
        (first..=last).contains(&day.0)
    }

    pub(super) fn read(row: &mut Row) -> Result<Self, WrongValue> {
        let (opened, said) = (rows::id(&row.text()?)?, rows::id(&row.text()?)?);
        let (first, last) = (rows::day(&row.text()?)?, rows::day(&row.text()?)?);
        let (said_on, rank) = (rows::day(&row.text()?)?, row.integer()?);
        Ok(Self { opened, said, first, last, said_on, rank })
    }

    pub(super) fn values(self) -> [Value; 6] {
        let [opened, said] = [self.opened, self.said].map(|id| rows::text(&id.to_string()));
        let days = [self.first, self.last, self.said_on];
        let [first, last, said_on] = days.map(|day| rows::text(&rows::of_day(day)));
        [opened, said, first, last, said_on, Value::Integer(self.rank)]
    }
}

/// Which series a finding belongs to: the same for ever.
pub(super) fn key_of(finding: &Finding) -> String {
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
            let (next, why) = Series::after(known, (FindingId(n), Day(*day)), *rank);
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
                let (next, why) = Series::after(known, (FindingId(n), Day(day)), rank);
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
