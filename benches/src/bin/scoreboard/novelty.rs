//! What a plain novelty counter would tell: the first use of an API or a network by an identity.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use testdata::clock::DAY_S;

use crate::{LEARNED_MS, archive::Archive};

/// What it told, after it had learned.
#[derive(Debug, Default)]
pub(crate) struct Novelty {
    /// By story it told of: the records of the story up to the first one that was new.
    pub(crate) needed: BTreeMap<usize, usize>,
    /// Alerts about no story.
    pub(crate) n_false: u64,
    /// Identities, each on each day with a record.
    pub(crate) n_identity_days: u64,
    /// Records.
    pub(crate) n_records: u64,
}

/// One alert at most for an identity and day; it is about the stories whose records were new.
pub(crate) fn count(archive: &Archive) -> Novelty {
    let mut told = Novelty::default();
    let mut known = HashSet::new();
    let mut seen = vec![0; archive.stories.len()];
    let mut days = HashSet::new();
    let mut alerts: BTreeMap<(u128, i64), BTreeSet<usize>> = BTreeMap::new();
    for row in &archive.rows {
        let place = row.story.and_then(|story| seen.get_mut(story));
        let place = place.map(|place| {
            *place += 1;
            *place
        });
        let is_new_api = known.insert((row.entity, row.api));
        let is_new_network = row.network.is_some_and(|network| known.insert((row.entity, network)));
        if row.time_ms < LEARNED_MS {
            continue;
        }
        told.n_records += 1;
        let day = (row.entity, row.time_ms.div_euclid(DAY_S * 1_000));
        days.insert(day);
        if is_new_api || is_new_network {
            let about = alerts.entry(day).or_default();
            if let Some((story, place)) = row.story.zip(place) {
                about.insert(story);
                told.needed.entry(story).or_insert(place);
            }
        }
    }
    told.n_identity_days = days.len() as u64;
    told.n_false = alerts.values().filter(|about| about.is_empty()).count() as u64;
    told
}
