//! What a generation holds, as plain values for whoever wants to look into it or work it out again.

use crate::{
    dimension::Dimension,
    generation::Generation,
    history::Learned,
    memory::{Rate, Seen},
    time::Day,
    value::Value,
};

/// What the days up to a certain one have taught, of an entity or of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The last of these days.
    pub through: Day,
    /// Days with records. Unit: days.
    pub n_days: u32,
    /// The same, decayed; of a group those of all its members. Unit: days.
    pub decayed_days: f64,
    /// Hours that held anything. Unit: decayed hours.
    pub hours: f64,
    /// Those of days that were judged by a history. Unit: decayed hours.
    pub judged_hours: f64,
    /// What is remembered, in the order of dimensions; those that were never seen are left out.
    pub dimensions: Vec<HeldDimension>,
}

/// One dimension of it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldDimension {
    /// Which.
    pub dimension: Dimension,
    /// How much the hours brought that held any. Of dimensions whose values are judged as new: how many
    /// new values.
    pub rate: HeldRate,
    /// What four alerted days have made usual in 60 minutes; 0 for nothing. Unit: the dimension's.
    pub after_alerts: u64,
    /// The values that were seen, the heaviest first.
    pub values: Vec<HeldValue>,
}

/// How much the hours of a dimension brought, decayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldRate {
    /// Hours that held any. Unit: decayed hours.
    pub hours: f64,
    /// The sum of what they brought. Unit: the dimension's.
    pub sum: f64,
    /// The sum of the squares of what they brought.
    pub sum_squares: f64,
}

/// A value that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldValue {
    /// The value, as the log had it: hostile, escaped at the door out.
    pub value: Value,
    /// Its weight, undecayed. Unit: eighths of a day.
    pub weight_eighths: u32,
    /// Its weight, decayed. Unit: days.
    pub days: f64,
    /// Of a group: the largest number of members that had it on one day, decayed. Unit: members.
    pub n_members: f64,
    /// Whether its weight makes it known.
    pub is_known: bool,
}

impl Generation<'_> {
    /// What is held of the entity itself.
    pub fn held(&self) -> Held {
        held(self.own)
    }

    /// What is held of its groups, the nearest first; nothing of those that have taught nothing.
    pub fn held_of_groups(&self) -> [Option<Held>; crate::N_PRIORS] {
        self.priors.map(|prior| (prior.n_days() > 0).then(|| held(prior)))
    }
}

fn held(learned: &Learned) -> Held {
    let dimension = |(dimension, seen, rate): (Dimension, &Seen, &Rate)| HeldDimension {
        dimension,
        rate: rate.held(),
        after_alerts: learned.usual_after_alerts(dimension),
        values: seen.held(),
    };
    Held {
        through: learned.through(),
        n_days: learned.n_days(),
        decayed_days: learned.n_decayed_days(),
        hours: learned.n_hours(),
        judged_hours: learned.n_judged_hours(),
        dimensions: learned.memories().map(dimension).collect(),
    }
}
