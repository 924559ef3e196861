//! # One person in two places at once
//!
//! ## Fires when
//! records of one person, by sign-in or by access key, come from two places that nobody can travel
//! between in the time: more than 500 km and more than 900 km/h beyond what the places' accuracy may
//! explain, from different networks. Every pair of the last 24 hours is compared, not only neighbours.
//! High if both places are known by city and the same credential is used in turns in both; medium if
//! known by city; known by country only, medium if the credential is used in turns and one network is
//! of another kind (hosting, VPN, cloud), else low.
//!
//! ## Quiet when
//! both networks are known of the person, or on one day two or more of his group used the newer one
//! (shared egress), he himself among them or not; or one end is a network without a place (cloud, hosting, VPN, relay, satellite),
//! unless the same credential is used in turns.
//!
//! ## Misses
//! an intruder in the same country, or behind a network that the person knows. A finding by country
//! cannot tell where in it the address is.
//!
//! ## Triage
//! Ask the person which of the two it was. If not both: revoke the sessions, deactivate the
//! key, and read what the other place did.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Slot, Stay};
use ingest::enrich::{Enrich, NetworkClass, Origin, Place, Precision};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

pub(super) static META: Meta = Meta {
    id: "impossible-travel",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1078.004")],
    guardduty: Some("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B"),
    interest: Interest::Nothing,
    source: include_str!("impossible_travel.rs"),
    settings_source: include_str!("impossible_travel.rs"),
};

/// Table `[detectors.impossible-travel]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Shorter ways are never reported. Unit: km, beyond both accuracy radii.
    pub distance_min_km: f64,
    /// Slower ways are never reported: airliners cruise at about this. Unit: km/h.
    pub speed_min_kmh: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { distance_min_km: 500.0, speed_min_kmh: 900.0 }
    }
}

/// How far back a pair may reach: no flight with its stops takes longer. Unit: hours.
const LOOK_BACK_H: i32 = 24;
/// Stays of either side that are compared: all that an hour can hold, and of the day before the
/// latest, which leave least time to travel. Unit: stays.
const STAYS_MAX: usize = 384;
/// Priors of the model for what is new to everybody. Unit: bits.
const UNSEEN_NETWORK_BITS: f64 = 16.3;
const UNSEEN_COUNTRY_BITS: f64 = 8.0;

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// A stay with what is known of its address.
struct Located<'a> {
    stay: &'a Stay,
    slot: Slot,
    origin: Origin,
    place: Place,
}

impl Located<'_> {
    fn class(&self) -> NetworkClass {
        self.origin.network.map_or(NetworkClass::Access, ingest::enrich::Asn::class)
    }

    /// Whether its address tells where somebody is.
    fn is_somewhere(&self) -> bool {
        use NetworkClass::{Access, Education, Mobile};
        matches!(self.class(), Access | Education | Mobile)
    }

    fn network(&self) -> String {
        self.origin
            .network
            .map_or_else(|| "an unknown network".into(), |network| network.to_string())
    }

    fn describe(&self) -> String {
        let Place { country, city, .. } = &self.place;
        let city = city.as_ref().map_or_else(String::new, |city| format!("{city}, "));
        format!("{} ({city}{}, {})", self.stay.place.address, country.as_str(), self.network())
    }
}

/// The stays at each address with each credential.
type Places<'a> = BTreeMap<(IpAddr, Option<&'a str>), Vec<&'a Stay>>;

fn place_of(stay: &Stay) -> (IpAddr, Option<&str>) {
    (stay.place.address, stay.place.access_key.as_deref())
}

/// Two places, the earlier first.
struct Journey<'a> {
    from: &'a Located<'a>,
    to: &'a Located<'a>,
    distance_km: f64,
    gap_ms: i64,
    /// The same credential in turns: the first place went on after the other had begun.
    in_turns: bool,
}

impl<'a> Journey<'a> {
    /// The way from one stay to another that nobody can go; `places` tells whether it was gone back.
    fn between(
        a: &'a Located<'a>,
        b: &'a Located<'a>,
        places: &Places<'_>,
        settings: &Settings,
    ) -> Option<Self> {
        let (from, to) = if a.stay.first <= b.stay.first { (a, b) } else { (b, a) };
        let is_one_network = from.origin.network == to.origin.network;
        if from.stay.place.address == to.stay.place.address || is_one_network {
            return None;
        }
        let apart_km = from.place.distance_km(&to.place);
        let distance_km = apart_km - from.place.radius_km - to.place.radius_km;
        let is_too_fast = |gap_ms: i64| {
            let hours = gap_ms as f64 / 3_600_000.0;
            distance_km >= settings.distance_min_km && distance_km >= hours * settings.speed_min_kmh
        };
        let gap_ms = (to.stay.first.time_ms - from.stay.last.time_ms).max(0);
        if !is_too_fast(gap_ms) {
            return None;
        }
        let same_key = from.stay.place.access_key == to.stay.place.access_key
            && from.stay.place.access_key.is_some();
        let is_back = |stay: &Stay| {
            stay.last.time_ms > to.stay.first.time_ms
                && is_too_fast((stay.first.time_ms - to.stay.last.time_ms).max(0))
        };
        let stays = places.get(&place_of(from.stay)).filter(|_| same_key);
        let in_turns = stays.is_some_and(|stays| stays.iter().any(|stay| is_back(stay)));
        let is_known = from.is_somewhere() && to.is_somewhere();
        (is_known || in_turns).then_some(Self { from, to, distance_km, gap_ms, in_turns })
    }

    fn severity(&self) -> Severity {
        let by_city = [self.from, self.to].iter().all(|end| end.place.precision == Precision::City);
        let is_mixed = self.from.is_somewhere() != self.to.is_somewhere();
        match (by_city, self.in_turns) {
            (true, true) => Severity::High,
            (true, false) => Severity::Medium,
            (false, true) if is_mixed => Severity::Medium,
            (false, _) => Severity::Low,
        }
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let first_slot = case.span.hour.first_slot();
    let stays: Vec<_> = case.span.stays(LOOK_BACK_H).collect();
    let own = stays.iter().filter(|(slot, _)| *slot >= first_slot).count();
    let addresses: BTreeSet<_> = stays.iter().map(|(_, s)| s.place.address).collect();
    if own == 0 || addresses.len() < 2 {
        return None;
    }
    let located: Vec<_> =
        stays.iter().filter_map(|(slot, stay)| locate(case.enrich, *slot, stay)).collect();
    let mut places = Places::new();
    for Located { stay, .. } in &located {
        places.entry(place_of(stay)).or_default().push(stay);
    }
    let here = located.iter().filter(|located| located.slot >= first_slot).take(STAYS_MAX);
    let mut parts_of: BTreeMap<IpAddr, Option<Vec<baseline::Part>>> = BTreeMap::new();
    let mut worst: Option<(Journey<'_>, Vec<baseline::Part>)> = None;
    for here in here {
        for there in located.iter().rev().take(STAYS_MAX) {
            let Some(journey) = Journey::between(here, there, &places, settings) else { continue };
            let Some(newer) = newer(case, &journey) else { continue };
            // Many stays share few addresses, and bits take a look at all that is known.
            let parts =
                parts_of.entry(newer.stay.place.address).or_insert_with(|| surprise(case, newer));
            let Some(parts) = parts.clone() else { continue };
            let rank = |journey: &Journey<'_>, parts: &[baseline::Part]| {
                let bits: baseline::Bits = parts.iter().map(|part| part.bits).sum();
                (journey.severity(), bits, journey.in_turns, Reverse(journey.gap_ms))
            };
            let is_worse = worst.as_ref().is_none_or(|(worst, worst_parts)| {
                let (new, old) = (rank(&journey, &parts), rank(worst, worst_parts));
                // Of equals, the earliest: stays come in order of time within an hour.
                new > old || new == old && journey.order() < worst.order()
            });
            if is_worse {
                worst = Some((journey, parts));
            }
        }
    }
    let (journey, parts) = worst?;
    Some(verdict(case, &journey, parts))
}

impl Journey<'_> {
    fn order(&self) -> (&Evidence, &Evidence) {
        (&self.from.stay.first, &self.to.stay.first)
    }
}

fn locate<'a>(enrich: &Enrich, slot: Slot, stay: &'a Stay) -> Option<Located<'a>> {
    let place = enrich.place(stay.place.address)?;
    Some(Located { stay, slot, origin: enrich.origin(stay.place.address), place })
}

/// The end that the person is not known to be at; none if he knows both networks.
fn newer<'a>(case: &Case<'_>, journey: &Journey<'a>) -> Option<&'a Located<'a>> {
    let knows = |end: &Located<'_>| {
        let network = end.stay.place.network.as_ref();
        network.is_some_and(|network| case.usual.knows(Dimension::Network, network))
    };
    match (knows(journey.from), knows(journey.to)) {
        (true, true) => None,
        (_, true) => Some(journey.from),
        (_, false) => Some(journey.to),
    }
}

/// The bits of a place; nothing if colleagues are known to be there.
fn surprise(case: &Case<'_>, newer: &Located<'_>) -> Option<Vec<baseline::Part>> {
    let usual = case.usual;
    let network = newer.stay.place.network.as_ref()?;
    if usual.is_shared(Dimension::Network, network) {
        return None;
    }
    let mut parts = vec![usual.novelty(Dimension::Network, network, UNSEEN_NETWORK_BITS)];
    // A network lies in countries: the larger of the two counts, not their sum.
    if let Some(country) = &newer.stay.place.country {
        let country = usual.novelty(Dimension::Country, country, UNSEEN_COUNTRY_BITS);
        if parts.first().is_some_and(|network| network.bits < country.bits) {
            parts = vec![country];
        }
    }
    Some(parts)
}

fn slots(from: &Located<'_>, to: &Located<'_>) -> Vec<(Slot, u64)> {
    let (here, there) = (from.stay.n_records, to.stay.n_records);
    if from.slot == to.slot {
        return vec![(from.slot, here.saturating_add(there))];
    }
    vec![(from.slot, here), (to.slot, there)]
}

fn verdict(case: &Case<'_>, journey: &Journey<'_>, parts: Vec<baseline::Part>) -> Verdict {
    let (from, to) = (journey.from, journey.to);
    let minutes = journey.gap_ms / 60_000;
    let time = match (journey.in_turns, minutes) {
        (true, 0) => "with one credential used in turns".to_owned(),
        (true, _) => format!("with one credential used in turns, {minutes} minutes between them"),
        (false, _) => format!("within {minutes} minutes"),
    };
    let by_city = journey.severity() >= Severity::Medium && to.place.precision == Precision::City;
    let how = if by_city { "" } else { ", known by country only" };
    let summary = format!(
        "called from {} and from {}, at least {:.0} km apart, {time}{how}; usual networks: {}",
        from.describe(),
        to.describe(),
        journey.distance_km,
        case.usual.usual(Dimension::Network),
    );
    let ends = [from, to].into_iter().flat_map(|end| [&end.stay.first, &end.stay.last]);
    let mut records: Vec<Evidence> = ends.cloned().collect();
    records.sort();
    records.dedup();
    Verdict {
        parts,
        severity: journey.severity(),
        summary,
        slots: slots(from, to),
        last_ms: None,
        records,
        targets: Vec::new(),
        flow: None,
        threshold: None,
    }
}

#[cfg(test)]
mod tests;
