//! How CloudTrail delivers: objects by region and five minutes, late, a little out of order, and
//! some records twice.

use std::collections::BTreeMap;
use std::error::Error;

use super::call::Record;
use super::gzip;
use crate::Archive;
use crate::clock::{folder, round_up, stamp};
use crate::rng::Rng;

/// Stamps are whole multiples of this. Unit: seconds.
pub const STAMP_STEP_S: i64 = 300;
/// No record is delivered sooner. Unit: seconds.
pub const DELAY_MIN_S: i64 = 60;
/// No record is delivered later. Unit: seconds.
pub const DELAY_MAX_S: i64 = 540;

/// How often something out of the ordinary happens to a record: once in that many.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// A record comes in the second slot after its time, not in the first.
    pub late_one_in: u64,
    /// A record changes places with the one before it.
    pub swap_one_in: u64,
    /// Half of an object's records come again in an object of the second trail.
    pub repeat_one_in: u64,
    /// One of the two trails is silent from here on. Unit: seconds since the Unix epoch.
    pub repeat_until_s: i64,
}

/// Puts `records` of `account` into objects, as `habits` say.
pub fn deliver(
    records: Vec<Record>,
    account: &str,
    habits: Habits,
    rng: &mut Rng,
) -> Result<Archive, Box<dyn Error>> {
    let mut slots: BTreeMap<(i64, &'static str), Vec<Record>> = BTreeMap::new();
    for record in records {
        let stamp_s = stamp_of(record.time_s, rng.one_in(habits.late_one_in));
        slots.entry((stamp_s, record.region)).or_default().push(record);
    }
    let mut archive = Archive::new();
    for ((stamp_s, region), mut records) in slots {
        records.sort_by_key(|record| record.time_s);
        for late in 1..records.len() {
            if rng.one_in(habits.swap_one_in) {
                records.swap(late - 1, late);
            }
        }
        let lines: Vec<String> = records.into_iter().map(|record| record.text).collect();
        if stamp_s < habits.repeat_until_s && rng.one_in(habits.repeat_one_in) {
            // The second trail cuts its objects in other places: here it has every other record.
            let some: Vec<String> = lines.iter().step_by(2).cloned().collect();
            archive
                .insert(key(None, account, region, (stamp_s, &rng.suffix(16))), object_of(&some)?);
        }
        archive.insert(key(None, account, region, (stamp_s, &rng.suffix(16))), object_of(&lines)?);
    }
    Ok(archive)
}

/// The key of an object with events, of an organisation's trail or of an account's own.
pub fn key(
    organisation: Option<&str>,
    account: &str,
    region: &str,
    (stamp_s, suffix): (i64, &str),
) -> String {
    let (folder_of, slash) = organisation.map_or(("", ""), |id| (id, "/"));
    format!(
        "AWSLogs/{folder_of}{slash}{account}/CloudTrail/{region}/{}/\
         {account}_CloudTrail_{region}_{}_{suffix}.json.gz",
        folder(stamp_s),
        stamp(stamp_s)
    )
}

fn object_of(records: &[String]) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())?)
}

fn stamp_of(time_s: i64, late: bool) -> i64 {
    let first_s = round_up(time_s + DELAY_MIN_S, STAMP_STEP_S);
    let second_s = first_s + STAMP_STEP_S;
    if late && second_s <= time_s + DELAY_MAX_S { second_s } else { first_s }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_whole_and_one_to_nine_minutes_late() {
        for time_s in 0..2_000 {
            for late in [false, true] {
                let stamp_s = stamp_of(time_s, late);
                assert_eq!(stamp_s % STAMP_STEP_S, 0);
                assert!((DELAY_MIN_S..=DELAY_MAX_S).contains(&(stamp_s - time_s)));
            }
        }
    }
}
