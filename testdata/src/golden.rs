//! The small story: twelve days of a firm called Rivermill, with an attack on the eleventh.
//!
//! `archive` gives every object that `testdata/golden` holds. People, machines and their habits are
//! in `cast`, ordinary days in `work`, the attack in `attack`, packets in `network`, and what is
//! true of it all in `truth`.

mod attack;
mod cast;
#[cfg(test)]
mod check;
mod network;
mod truth;
mod work;

use std::error::Error;

use crate::Archive;
use crate::aws::call::{Call, Record};
use crate::aws::caller::Caller;
use crate::aws::delivery::{self, Habits};
use crate::aws::digest;
use crate::aws::flow::{self, Flow};
use crate::aws::gzip;
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::rng::Rng;
use cast::Cast;
use truth::Truth;

/// Monday 2026-03-02, midnight. Unit: seconds since the Unix epoch.
pub const START_S: i64 = 1_772_409_600;
/// Days told.
pub const DAYS: i64 = 12;
/// The account of the story, one of AWS's documentation examples.
pub const ACCOUNT: &str = "111122223333";
/// Where the machines are, and the trails at home.
pub const HOME: &str = "us-west-2";
/// Where global services are logged.
pub const GLOBAL: &str = "us-east-1";

const SEED: u64 = 0x5e17_7a11;

/// Everything told so far.
pub(crate) struct Story {
    rng: Rng,
    cast: Cast,
    records: Vec<Record>,
    flows: Vec<Flow>,
    truth: Truth,
    /// The key that the billing instance has, and since when.
    instance_key: (String, i64),
    /// The one it had when it was stolen.
    stolen_key: (String, i64),
}

impl Story {
    fn new() -> Self {
        let mut rng = Rng::new(SEED);
        let cast = Cast::new(&mut rng);
        let (records, flows, truth) = (Vec::new(), Vec::new(), Truth::default());
        Self {
            rng,
            cast,
            records,
            flows,
            truth,
            instance_key: (String::new(), 0),
            stolen_key: (String::new(), 0),
        }
    }

    /// Adds a record of `call` and returns its event id.
    fn tell(&mut self, caller: &Caller, call: Call) -> String {
        let record = call.record(caller, ACCOUNT, &mut self.rng);
        let id = record.id.clone();
        self.records.push(record);
        id
    }
}

/// Midnight of day `day`, counted from 1. Unit: seconds since the Unix epoch.
pub(crate) fn midnight(day: i64) -> i64 {
    START_S + (day - 1) * DAY_S
}

/// Hour and minute of day `day`, UTC. Unit: seconds since the Unix epoch.
pub(crate) fn at(day: i64, hour: i64, minute: i64) -> i64 {
    midnight(day) + hour * HOUR_S + minute * MINUTE_S
}

/// Days 6, 7 are a weekend.
pub(crate) fn is_weekday(day: i64) -> bool {
    (day - 1).rem_euclid(7) < 5
}

/// All objects of the story, and `truth.json`.
pub fn archive() -> Result<Archive, Box<dyn Error>> {
    let mut story = Story::new();
    work::tell(&mut story);
    attack::tell(&mut story);
    network::tell(&mut story);
    let Story { mut rng, records, flows, truth, .. } = story;
    let habits = Habits {
        late_one_in: 150,
        swap_one_in: 8,
        repeat_one_in: 20,
        repeat_until_s: attack::TRAIL_STOPPED_S,
    };
    let mut archive = delivery::deliver(records, ACCOUNT, habits, &mut rng)?;
    archive.extend(flow::deliver(&flows, network::FLOW_LOG, &mut rng)?);
    let trail = digest::Trail {
        organisation: None,
        account: ACCOUNT,
        name: cast::TRAIL,
        home: HOME,
        bucket: cast::LOG_BUCKET,
    };
    for region in ["eu-north-1", "sa-east-1"] {
        let (key, text, _) = digest::hourly(trail, region, START_S + HOUR_S, &[], None);
        archive.insert(key, gzip(text.as_bytes())?);
    }
    archive.insert("truth.json".to_owned(), truth.text()?.into_bytes());
    Ok(archive)
}
