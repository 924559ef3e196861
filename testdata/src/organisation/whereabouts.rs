//! Where somebody calls from at a moment: from home, the office, the street or a hotel, or through
//! the company's private network. Nobody calls from the air.

use super::{Organisation, Person, Team, part};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::places::{COMPANY_VPN, City};
use crate::rng::Rng;

/// People leave their desk so long after they came. Unit: seconds.
pub const DESK_S: i64 = 9 * HOUR_S;
/// From home to the office. Unit: seconds.
const WAY_S: i64 = 45 * MINUTE_S;
/// Providers give homes another address after so long. Unit: days.
const ADDRESS_DAYS: u64 = 40;
/// A Monday, midnight UTC: weeks on call begin on Mondays. Unit: seconds since the Unix epoch.
const MONDAY_S: i64 = 4 * DAY_S;

/// A while at one address.
#[derive(Debug, Clone)]
pub struct Stay {
    /// Where calls come from.
    pub address: String,
    /// Where they are.
    pub city: City,
    /// From when on they may be elsewhere. Unit: seconds since the Unix epoch.
    pub until_s: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At home, or in the hotel.
    Home,
    Office,
    /// On the way, with the telephone as modem.
    Street,
    /// At home, through the company's network.
    Vpn,
}

impl Organisation {
    /// Where person number `person` calls from at `at_s`; `None`: they are in the air, or nobody.
    pub fn stay(&self, person: usize, at_s: i64) -> Option<Stay> {
        let of = self.people.get(person)?;
        let (city, leaves_s) = of.city_at(at_s)?;
        let local_s = at_s + city.zone.offset_s(at_s);
        let (date, wall_s) = (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S));
        let of_day = [date.unsigned_abs(), person as u64];
        let mut rng = Rng::for_part(self.seed, &[part::PLACE, of_day[0], of_day[1]]);
        let (mut place, mut until_s) = (Place::Home, DAY_S);
        for (from_s, next) in day(of, city, date * DAY_S, &mut rng) {
            if from_s > wall_s {
                until_s = from_s;
                break;
            }
            place = next;
        }
        let address = self.address((person, of), city, place, date);
        Some(Stay { address, city, until_s: leaves_s.min(at_s + until_s - wall_s) })
    }

    /// The city in which somebody works on the date that begins at `midnight_s` in UTC; `None`:
    /// they do not, since it is a weekend or a holiday there, or they are away.
    pub fn at_work(&self, person: usize, midnight_s: i64) -> Option<City> {
        let of = self.people.get(person)?;
        let is_here = of.is_here((midnight_s - self.start_s).div_euclid(DAY_S));
        let city = of.city_on(midnight_s).filter(|city| city.zone.is_working_day(midnight_s))?;
        (is_here && !of.has_time_off(midnight_s)).then_some(city)
    }

    /// Who is called when something breaks at night, in the week of `midnight_s`.
    pub fn on_call(&self, midnight_s: i64) -> Option<usize> {
        let week = (midnight_s - MONDAY_S).div_euclid(7 * DAY_S);
        let day = (MONDAY_S + week * 7 * DAY_S - self.start_s).div_euclid(DAY_S);
        let can = |person: &Person| matches!(person.team(day), Team::Engineering | Team::Platform);
        let repairers = || {
            let people = self.people.iter().enumerate();
            people.filter(|(_, person)| person.is_here(day) && can(person))
        };
        let turn = usize::try_from(week).ok()?.checked_rem(repairers().count())?;
        repairers().nth(turn).map(|(number, _)| number)
    }

    fn address(
        &self,
        (number, of): (usize, &Person),
        city: City,
        place: Place,
        date: i64,
    ) -> String {
        let date = date.unsigned_abs();
        let person = number as u64;
        let rng = |parts: &[u64]| Rng::for_part(self.seed ^ city.number(), parts);
        let address = match place {
            Place::Home if city == of.city => {
                let weeks = (date + person * 7) / ADDRESS_DAYS;
                city.homes.address(&mut rng(&[part::PERSON, person, u64::MAX, weeks]))
            }
            // A hotel, or a week of it.
            Place::Home => city.business.address(&mut rng(&[part::PLACE, person, date / 7])),
            // One office in a city, with two ways out.
            Place::Office => city.business.address(&mut rng(&[part::ORGANISATION, date % 2])),
            Place::Street => city.mobile.address(&mut rng(&[part::PLACE, date, person, 1])),
            Place::Vpn => COMPANY_VPN.nth(self.seed.wrapping_add((date + person) % 4)),
        };
        address.to_string()
    }
}

/// From when on somebody is where, on one date. Unit: seconds after midnight on the wall.
fn day(of: &Person, city: City, midnight_s: i64, rng: &mut Rng) -> Vec<(i64, Place)> {
    use Place::{Home, Office, Street, Vpn};
    let (begins_s, ends_s) = (of.begins_s, of.begins_s + DESK_S);
    let noon_s = rng.between(11 * HOUR_S, 15 * HOUR_S);
    let goes_out = rng.one_in(8);
    let desk = if of.has_vpn && rng.chance(0.7) { Vpn } else { Home };
    let office = if city == of.city { of.office } else { 0.6 };
    let in_office = rng.chance(office);
    let (all_day, mornings) = (!rng.one_in(5), rng.one_in(2));
    if !city.zone.is_working_day(midnight_s) {
        let out = [(noon_s, Street), (noon_s + 2 * HOUR_S, Home)];
        return if goes_out { out.into() } else { Vec::new() };
    }
    // The private network goes along, whatever carries it.
    let way = if desk == Vpn { Vpn } else { Street };
    let comes = [(begins_s - WAY_S, way), (begins_s, Office)];
    let goes = [(ends_s, way), (ends_s + WAY_S, Home)];
    let changes = |place| [(noon_s, way), (noon_s + WAY_S, place)];
    match (in_office, all_day, mornings) {
        (true, true, _) => [comes, goes].concat(),
        (true, false, true) => [&comes[..], &changes(desk), &[(ends_s + HOUR_S, Home)]].concat(),
        (true, false, false) => [&[(begins_s, desk)][..], &changes(Office), &goes].concat(),
        (false, ..) if goes_out => {
            [&[(begins_s, desk)][..], &changes(desk), &[(ends_s + HOUR_S, Home)]].concat()
        }
        (false, ..) => vec![(begins_s, desk), (ends_s + HOUR_S, Home)],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::organisation::Size;

    const SIZE: Size =
        Size { accounts: 3, people: 60, machines: 0, pipelines: 0, agents: 0, vpcs: 0 };
    /// 2026-03-02, a Monday. Unit: seconds since the Unix epoch.
    const START_S: i64 = 1_772_409_600;
    const DAYS: i64 = 60;

    fn made() -> Organisation {
        Organisation::new(7, SIZE, (START_S, DAYS))
    }

    #[test]
    fn nobody_is_faster_than_an_airliner() {
        let made = made();
        let mut journeys = 0;
        for (person, of) in made.people.iter().enumerate() {
            let mut last: Option<(i64, City)> = None;
            for at_s in (0..DAYS * DAY_S / 600).map(|step| START_S + step * 600) {
                let Some(stay) = made.stay(person, at_s) else { continue };
                assert!(stay.until_s > at_s, "{}", of.mail);
                if let Some((last_s, city)) = last.filter(|(_, city)| *city != stay.city) {
                    let hours = (at_s - last_s) as f64 / HOUR_S as f64;
                    assert!(city.distance_km(&stay.city) / hours < 900.0, "{}", of.mail);
                    journeys += 1;
                }
                last = Some((at_s, stay.city));
            }
        }
        assert!(journeys > 20, "{journeys}");
    }

    #[test]
    fn an_office_has_few_addresses_and_a_home_one_for_weeks() {
        let made = made();
        let (mut offices, mut homes) = (BTreeSet::new(), BTreeSet::new());
        for (person, of) in made.people.iter().enumerate() {
            for day in 0..DAYS {
                let at_s = of.city.zone.at(START_S + day * DAY_S, of.begins_s + 3_600);
                if of.city_at(at_s).is_none_or(|(city, _)| city != of.city) {
                    continue;
                }
                let address: std::net::Ipv4Addr =
                    made.stay(person, at_s).unwrap().address.parse().unwrap();
                if of.city.business.contains(address) {
                    offices.insert(address);
                } else if of.city.homes.contains(address) {
                    homes.insert((person, address));
                }
            }
        }
        assert!((8..=16).contains(&offices.len()), "{offices:?}");
        assert!((60..=180).contains(&homes.len()), "{}", homes.len());
    }

    #[test]
    fn people_take_turns_on_call() {
        let made = made();
        let week = |number: i64| made.on_call(START_S + number * 7 * DAY_S);
        assert!(week(0).is_some() && week(0) == made.on_call(START_S + 6 * DAY_S));
        let called: BTreeSet<usize> = (0..8).filter_map(week).collect();
        assert!(called.len() >= 6, "{called:?}");
    }
}
