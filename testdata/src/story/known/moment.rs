//! When somebody is at work, and the moment at which a story begins.

use std::collections::BTreeSet;

use crate::calendar::Zone;
use crate::clock::{DAY_S, HOUR_S, NAMED_S, round_up};
use crate::places::CITIES;
use crate::rng::Rng;
use crate::story::{Hours, Story};

/// Days that are remembered; a story begins on none before the last so many. Unit: days.
pub const DAYS_MAX: i64 = 3_660;

/// The hours and days on which somebody was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Habit {
    /// Calls by hour of the day, UTC.
    by_hour: [u64; 24],
    days: BTreeSet<i64>,
}

impl Habit {
    pub(super) fn at(&mut self, time_s: i64) {
        if !NAMED_S.contains(&time_s) {
            return;
        }
        if let Some(n) = self.by_hour.get_mut(hour_of(time_s)) {
            *n += 1;
        }
        self.days.insert(time_s.div_euclid(DAY_S));
        let last = self.days.last().copied().unwrap_or(0);
        while self.days.first().is_some_and(|first| last - first >= DAYS_MAX) {
            self.days.pop_first();
        }
    }

    /// Where the clocks show office hours while most is done.
    pub(super) fn zone(&self) -> Zone {
        let day_s = self.days.last().copied().unwrap_or(0) * DAY_S;
        let at_work = |zone: &Zone| -> u64 {
            let hours = (0..).zip(self.by_hour);
            let within = hours.filter(|(n, _)| (9..17).contains(&zone.hour(day_s + n * HOUR_S)));
            within.map(|(_, n)| n).sum()
        };
        let zones = CITIES.map(|city| city.zone);
        let first = zones.iter().rev().max_by_key(|zone| at_work(zone));
        first.copied().unwrap_or(crate::calendar::LONDON)
    }

    /// A moment for `story` in the last third of the logs, and early enough for it to end in them:
    /// at work or while nearly nothing is done, as the story wants it, if there is such an hour.
    /// Unit: seconds since the Unix epoch.
    pub(super) fn moment(&self, story: &Story, span_s: (i64, i64), rng: &mut Rng) -> i64 {
        let (first_s, last_s) = (span_s.0.max(span_s.1 - DAYS_MAX * DAY_S), span_s.1);
        let from_s = first_s + (last_s - first_s) / 3 * 2;
        let ends_in_time_s = last_s - story.days * DAY_S;
        let until_s = if ends_in_time_s > from_s { ends_in_time_s } else { last_s };
        let hours = || (0..).map(|n| round_up(from_s, HOUR_S) + n * HOUR_S);
        let hours = || hours().take_while(|hour_s| hour_s + HOUR_S <= until_s);
        let mut free: Vec<i64> =
            hours().filter(|hour_s| self.suits(story.hours, *hour_s)).collect();
        if free.is_empty() {
            free = hours().collect();
        }
        match rng.pick(&free) {
            Some(hour_s) => hour_s + rng.between(0, HOUR_S - 1),
            None => rng.between(from_s, until_s),
        }
    }

    fn suits(&self, hours: Hours, hour_s: i64) -> bool {
        let own = self.by_hour.get(hour_of(hour_s)).copied().unwrap_or(0) * 24;
        let all: u64 = self.by_hour.iter().sum();
        match hours {
            // At least the mean, on a day on which they were there.
            Hours::Work | Hours::Leaving => {
                own >= all && self.days.contains(&hour_s.div_euclid(DAY_S))
            }
            // A quarter of the mean.
            Hours::Night => own * 4 <= all,
            Hours::Any => true,
        }
    }
}

fn hour_of(time_s: i64) -> usize {
    usize::try_from(time_s.rem_euclid(DAY_S) / HOUR_S).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::named;

    /// Monday 2026-03-02. Unit: seconds since the Unix epoch.
    const START_S: i64 = 1_772_409_600;

    /// Thirty days, from `first` to `last` o'clock UTC, but not on Sundays.
    fn habit(first: i64, last: i64) -> Habit {
        let mut habit = Habit::default();
        for day in (0..30).filter(|day| day % 7 != 6) {
            for hour in first..last {
                habit.at(START_S + day * DAY_S + hour * HOUR_S);
            }
        }
        habit
    }

    #[test]
    fn stories_begin_in_the_hours_they_want_in_the_last_third() {
        let span_s = (START_S, START_S + 30 * DAY_S);
        let habit = habit(8, 17);
        for seed in 0..200 {
            for (name, at_work) in [("stolen-session", true), ("logging-off", false)] {
                let story = named(name).unwrap();
                let time_s = habit.moment(story, span_s, &mut Rng::new(seed));
                assert_eq!((8..17).contains(&hour_of(time_s)), at_work, "{name} {time_s}");
                assert!((20 * DAY_S..=29 * DAY_S).contains(&(time_s - START_S)), "{name} {time_s}");
                assert!(!at_work || (time_s - START_S) / DAY_S % 7 != 6, "a Sunday");
            }
        }
    }

    #[test]
    fn short_logs_and_sleepless_machines_have_a_moment_too() {
        let beacon = named("beacon").unwrap();
        for length_s in [0, 1, 600, HOUR_S, 3 * HOUR_S, DAY_S] {
            let span_s = (START_S, START_S + length_s);
            let time_s = Habit::default().moment(beacon, span_s, &mut Rng::new(1));
            assert!(time_s >= START_S + length_s / 3 * 2 && time_s <= span_s.1, "{length_s}");
        }
        let night = named("logging-off").unwrap();
        let span_s = (START_S, START_S + 30 * DAY_S);
        assert!(habit(0, 24).moment(night, span_s, &mut Rng::new(1)) < span_s.1);
    }

    #[test]
    fn the_zone_is_where_most_is_done_in_office_hours() {
        assert_eq!(habit(17, 24).zone().name, "America/Los_Angeles");
        // The last of the days are in summer time.
        assert_eq!(habit(7, 15).zone().name, "Europe/Berlin");
        assert_eq!(habit(0, 8).zone().name, "Asia/Tokyo");
    }

    #[test]
    fn days_are_bounded() {
        let mut habit = Habit::default();
        (0..DAYS_MAX + 5).for_each(|day| habit.at(day * DAY_S));
        habit.at(0);
        assert_eq!((habit.days.len(), habit.days.first()), (3_660, Some(&5)));
    }
}
