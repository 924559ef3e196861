//! Silence: whether the logs of an account, region and kind still come, judged against how they used to come.
//! In: stamps of objects. Out: findings about feeds that stopped.

use super::operations::Operation;
use baseline::time::DAY_MS;
use detect::Finding;
use ingest::{
    source::{KeyInfo, Kind},
    time::format_ms,
};
use std::collections::{BTreeMap, VecDeque};

/// A pause below this is no silence: AWS writes every five minutes, and may be ten late. Unit: milliseconds
/// (20 min).
const SILENCE_MS_MIN: i64 = 20 * 60 * 1_000;
/// How much longer than the longest pause it must be.
const SILENCE_RATIO: f64 = 1.5;
/// Pauses are remembered for so long. Unit: milliseconds (7 d).
const MEMORY_MS: i64 = 7 * DAY_MS;
/// Fewer objects do not say how a feed comes. Unit: objects.
const OBJECTS_MIN: u64 = 12;
/// Logs whose newest object is older are those of an archive. Unit: milliseconds (24 h).
const LIVE_MS: i64 = DAY_MS;
/// Feeds that are watched; accounts, regions and kinds beyond are not. Unit: feeds.
pub(super) const FEEDS_MAX: usize = 100_000;

/// Account, region and kind of log.
pub(super) type FeedId = (Box<str>, Box<str>, Kind);

/// How one feed has come.
#[derive(Debug, Default)]
struct Feed {
    n_objects: u64,
    last_ms: i64,
    /// Pauses and when each ended, the longer ones only: what is shorter than a later one never counts.
    pauses: VecDeque<(i64, i64)>,
    is_told: bool,
}

impl Feed {
    fn saw(&mut self, stamp_ms: i64) {
        if self.n_objects > 0 && stamp_ms > self.last_ms {
            let pause_ms = stamp_ms - self.last_ms;
            while self.pauses.back().is_some_and(|(before_ms, _)| *before_ms <= pause_ms) {
                self.pauses.pop_back();
            }
            self.pauses.push_back((pause_ms, stamp_ms));
            while self.pauses.front().is_some_and(|(_, at_ms)| *at_ms < stamp_ms - MEMORY_MS) {
                self.pauses.pop_front();
            }
        }
        self.n_objects += 1;
        if stamp_ms > self.last_ms {
            self.last_ms = stamp_ms;
            self.is_told = false;
        }
    }

    /// The longest pause that is remembered. Unit: milliseconds.
    fn usual_ms(&self) -> i64 {
        self.pauses.front().map_or(0, |(pause_ms, _)| *pause_ms)
    }

    fn is_silent(&self, now_ms: i64) -> bool {
        let longest = self.usual_ms() as f64 * SILENCE_RATIO;
        let silent_ms = now_ms.saturating_sub(self.last_ms);
        self.n_objects >= OBJECTS_MIN && silent_ms > SILENCE_MS_MIN && silent_ms as f64 > longest
    }
}

/// All feeds.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    feeds: BTreeMap<FeedId, Feed>,
    newest_ms: i64,
}

impl Feeds {
    /// An object came, now or before.
    pub(super) fn saw(&mut self, info: &KeyInfo<'_>) {
        let KeyInfo { account, region, stamp_ms, kind, .. } = *info;
        let (Some(account), Some(region), Some(stamp_ms)) = (account, region, stamp_ms) else {
            return;
        };
        self.newest_ms = self.newest_ms.max(stamp_ms);
        let id = (account.into(), region.into(), kind);
        if self.feeds.len() < FEEDS_MAX || self.feeds.contains_key(&id) {
            self.feeds.entry(id).or_default().saw(stamp_ms);
        }
    }

    /// How long each feed has been silent. Unit: milliseconds.
    pub(super) fn silences_ms(&self, now_ms: i64) -> impl Iterator<Item = (&FeedId, i64)> {
        self.feeds.iter().map(move |(id, feed)| (id, now_ms.saturating_sub(feed.last_ms).max(0)))
    }

    /// Findings about feeds that have stopped, each told once until it comes again.
    pub(super) fn judge(&mut self, now_ms: i64) -> Vec<Finding> {
        if now_ms.saturating_sub(self.newest_ms) > LIVE_MS {
            return Vec::new();
        }
        let silent =
            self.feeds.iter_mut().filter(|(_, feed)| !feed.is_told && feed.is_silent(now_ms));
        silent
            .map(|(id, feed)| {
                feed.is_told = true;
                told(id, feed, now_ms)
            })
            .collect()
    }
}

/// What kind of log it is, in the words of AWS.
pub(super) fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::FlowLog => "VPC Flow Logs",
        _ => "CloudTrail",
    }
}

fn told((account, region, kind): &FeedId, feed: &Feed, now_ms: i64) -> Finding {
    let what = name_of(*kind);
    let minutes = |ms: i64| ms / 60_000;
    let (silent, usual) = (minutes(now_ms - feed.last_ms), minutes(feed.usual_ms()));
    let summary = format!(
        "delivered nothing for {silent} minutes, since {}; usual: a pause of {usual} minutes at most in 7 days",
        format_ms(feed.last_ms)
    );
    let key = format!("{what} of {account} in {region}");
    Operation::FeedSilent.finding((account, &key), (feed.last_ms, feed.last_ms), summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const START_MS: i64 = 20_000 * DAY_MS;

    fn object(region: &str, minute: i64) -> KeyInfo<'_> {
        let key = "AWSLogs/111122223333/CloudTrail/us-east-1/2025/03/14/a.json.gz";
        let stamp_ms = Some(START_MS + minute * MINUTE_MS);
        KeyInfo { region: Some(region), stamp_ms, ..KeyInfo::of(key) }
    }

    fn at(minute: i64) -> i64 {
        START_MS + minute * MINUTE_MS
    }

    /// One that delivers every five minutes until `until`, another that goes on.
    fn feeds(until: i64) -> Feeds {
        let mut feeds = Feeds::default();
        for minute in (0..=600).step_by(5) {
            feeds.saw(&object("eu-west-1", minute));
            if minute <= until {
                feeds.saw(&object("us-east-1", minute));
            }
        }
        feeds
    }

    #[test]
    fn a_feed_that_stops_is_told_once() {
        let mut feeds = feeds(575);
        assert_eq!(feeds.judge(at(595)), []);
        let told = feeds.judge(at(596));
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].summary,
            "delivered nothing for 21 minutes, since 2024-10-04T09:35:00Z; usual: a pause of 5 minutes at \
             most in 7 days"
        );
        assert_eq!(feeds.judge(at(600)), []);
        feeds.saw(&object("us-east-1", 600));
        assert_eq!(feeds.judge(at(600)), []);
        assert_eq!(feeds.judge(at(640)).len(), 2);
    }

    #[test]
    fn a_pause_that_is_usual_is_none() {
        let mut feeds = Feeds::default();
        for minute in (0..=600).step_by(5).filter(|minute| !(100..=220).contains(minute)) {
            feeds.saw(&object("us-east-1", minute));
        }
        // 130 minutes from 95 to 225: one and a half of them is 195.
        assert_eq!(feeds.judge(at(600 + 195)), []);
        assert_eq!(feeds.judge(at(600 + 196)).len(), 1);
    }

    #[test]
    fn a_pause_is_forgotten_after_seven_days() {
        let mut feeds = Feeds::default();
        let week = 7 * 24 * 60;
        for minute in [0, 300].into_iter().chain((305..=300 + week + 5).step_by(5)) {
            feeds.saw(&object("us-east-1", minute));
        }
        assert_eq!(feeds.judge(at(300 + week + 5 + 21)).len(), 1);
    }

    #[test]
    fn few_objects_and_archives_say_nothing() {
        let mut few = Feeds::default();
        for minute in 0..11 {
            few.saw(&object("us-east-1", minute * 5));
        }
        assert_eq!(few.judge(at(600)), []);
        few.saw(&object("us-east-1", 55));
        assert_eq!(few.judge(at(600)).len(), 1);
        let mut archive = feeds(300);
        assert_eq!(archive.judge(at(600) + LIVE_MS + 1), []);
    }

    #[test]
    fn what_comes_late_is_no_pause() {
        let mut feeds = feeds(575);
        for n in (0..=115).rev() {
            feeds.saw(&object("us-east-1", n * 5));
        }
        assert_eq!(feeds.judge(at(596)).len(), 1);
    }

    #[test]
    fn feeds_beyond_the_bound_are_not_watched() {
        let mut feeds = Feeds::default();
        for n in 0..=FEEDS_MAX {
            feeds.saw(&object(&format!("region-{n}"), 0));
        }
        assert_eq!(feeds.silences_ms(at(0)).count(), FEEDS_MAX);
    }
}
