//! People: where they live, how they sign in, what they work on, when they come and go.

use super::{Account, names};
use crate::aws::caller::User;
use crate::aws::caller::agents::{LAPTOPS, Laptop};
use crate::calendar;
use crate::clock::{DAY_S, HOUR_S};
use crate::places::{CITIES, City};
use crate::rng::Rng;

/// People are ill on so many of their days.
const ILL: f64 = 0.012;

/// What somebody works on, which decides what they look at and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Team {
    /// Writes services; reads logs and configuration.
    Engineering,
    /// Runs the accounts; uses Terraform and the command line.
    Platform,
    /// Reads and writes buckets; queries.
    Data,
    /// Looks at trails, keys and findings everywhere.
    Security,
    /// Looks at bills, rarely.
    Finance,
}

/// How somebody gets in.
#[derive(Debug, Clone)]
pub enum Access {
    /// IAM Identity Center: a session of the permission set's role in each account.
    IdentityCenter {
        /// User id in the identity store.
        store_id: String,
    },
    /// An IAM user of the first account with a password, and a key for the command line.
    IamUser {
        /// The user.
        user: User,
        /// `AKIA...`
        key: String,
        /// Whether sign-ins show a second factor.
        has_mfa: bool,
    },
}

impl Team {
    /// What Identity Center calls the rights of the team.
    pub fn permission_set(self) -> &'static str {
        match self {
            Self::Engineering => "DeveloperAccess",
            Self::Platform => "AdministratorAccess",
            Self::Data => "DataAccess",
            Self::Security => "SecurityAudit",
            Self::Finance => "Billing",
        }
    }
}

/// A journey, and the days between its flights. Unit of all times: seconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct Trip {
    /// Where.
    pub city: City,
    /// The last moment at home.
    pub leaves_s: i64,
    /// The first moment there.
    pub lands_s: i64,
    /// The last moment there.
    pub returns_s: i64,
    /// The first moment at home again.
    pub home_s: i64,
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Mail address, and session name.
    pub mail: String,
    /// How they get in.
    pub access: Access,
    /// What they work on at first.
    team: Team,
    /// The first day in another team, and which.
    moves: Option<(i64, Team)>,
    /// Home.
    pub city: City,
    /// Drawn once: which computer they use, and when they are away.
    computer: u64,
    /// The accounts they work in, the usual one first.
    pub accounts: Vec<usize>,
    /// Console sessions on a working day, on average.
    pub sessions_a_day: f64,
    /// The wall clock when they begin. Unit: seconds after midnight.
    pub begins_s: i64,
    /// First day at work; negative when they were there before.
    pub joined_day: i64,
    /// The last day at work.
    pub left_day: Option<i64>,
    /// Journeys, one after the other.
    pub trips: Vec<Trip>,
    /// Share of working days in the office.
    pub office: f64,
    /// Out of the office they go through the company's private network, on most days.
    pub has_vpn: bool,
}

impl Person {
    /// Person number `number` of `organisation`, in a story of so many days from a moment on.
    pub(super) fn new(
        rng: &mut Rng,
        number: u32,
        (organisation, start_s, days): (&str, i64, i64),
        accounts: &[Account],
    ) -> Self {
        let team = draw_team(rng);
        let (given, family) = (rng.pick(&names::GIVEN), rng.pick(&names::FAMILY));
        let (given, family) = (given.copied().unwrap_or("ada"), family.copied().unwrap_or("berg"));
        let mail = match number {
            0..=31 => format!("{given}.{family}{number}@{organisation}.example"),
            _ => format!("{given}.{family}.{number}@{organisation}.example"),
        };
        let city = *rng.pick(&CITIES).unwrap_or(&CITIES[0]);
        let n_accounts = match team {
            Team::Platform | Team::Security => accounts.len().min(4),
            _ => accounts.len().min(2),
        };
        let first = rng.below(accounts.len() as u64);
        let accounts_of = (0..n_accounts)
            .filter_map(|step| usize::try_from(first).ok().map(|first| first + step))
            .map(|index| index % accounts.len())
            .collect();
        Self {
            mail,
            access: access(rng, (given, family, number), accounts),
            team,
            city,
            computer: rng.bits(),
            accounts: accounts_of,
            // Few people do most of the work.
            sessions_a_day: rng.log_normal(0.5, 1.1).min(6.0),
            begins_s: 3_600 * 8 + rng.between(0, 2 * 3_600),
            joined_day: if rng.chance(0.04) { rng.between(1, days.max(1)) } else { -1 },
            left_day: rng.chance(0.03).then(|| rng.between(1, days.max(1))),
            moves: rng.chance(0.04).then(|| (rng.between(1, days.max(1)), draw_team(rng))),
            office: rng.pick(&[0.0, 0.4, 0.4, 0.6, 0.6, 0.9]).copied().unwrap_or_default(),
            has_vpn: rng.chance(0.2),
            trips: trips(rng, city, (start_s, days)),
        }
    }

    /// Whether they belong to the organisation on `day`.
    pub fn is_here(&self, day: i64) -> bool {
        day >= self.joined_day && self.left_day.is_none_or(|left| day <= left)
    }

    /// What they work on, on `day`.
    pub fn team(&self, day: i64) -> Team {
        self.moves.filter(|(first_day, _)| day >= *first_day).map_or(self.team, |(_, team)| team)
    }

    /// Whether they sign in as an IAM user.
    pub fn is_iam_user(&self) -> bool {
        matches!(self.access, Access::IamUser { .. })
    }

    /// Their computer.
    pub fn laptop(&self) -> Laptop {
        let place = usize::try_from(self.computer % LAPTOPS.len() as u64).unwrap_or(0);
        LAPTOPS.get(place).copied().unwrap_or(LAPTOPS[0])
    }

    /// The city they work in on the date that begins at `midnight_s` in UTC; `None`: they are on
    /// their way.
    pub fn city_on(&self, midnight_s: i64) -> Option<City> {
        let noon_s = |city: City| city.zone.at(midnight_s, 12 * HOUR_S);
        let is_there = |trip: &&Trip| (trip.lands_s..trip.returns_s).contains(&noon_s(trip.city));
        if let Some(trip) = self.trips.iter().find(is_there) {
            return Some(trip.city);
        }
        let at_s = noon_s(self.city);
        let is_away = |trip: &Trip| (trip.leaves_s..trip.home_s).contains(&at_s);
        (!self.trips.iter().any(is_away)).then_some(self.city)
    }

    /// Where they are, and until when at most; `None`: in the air.
    pub fn city_at(&self, at_s: i64) -> Option<(City, i64)> {
        let Some(trip) = self.trips.iter().find(|trip| at_s < trip.home_s) else {
            return Some((self.city, i64::MAX));
        };
        match at_s {
            _ if at_s < trip.leaves_s => Some((self.city, trip.leaves_s)),
            _ if (trip.lands_s..trip.returns_s).contains(&at_s) => {
                Some((trip.city, trip.returns_s))
            }
            _ => None,
        }
    }

    /// Whether they have time off on the date that begins at `midnight_s` in UTC: five weeks a
    /// year, two of them in summer, and days on which they are ill.
    pub fn has_time_off(&self, midnight_s: i64) -> bool {
        let date = calendar::date(midnight_s).iso_week_date();
        let (year, week) = (i64::from(date.year()), i64::from(date.week()));
        let mut rng = Rng::for_part(self.computer, &[year.unsigned_abs()]);
        let weeks = [(25, 35, 2), (7, 17, 1), (38, 44, 1), (51, 52, 1)];
        let is_away = weeks.map(|(earliest, latest, n)| {
            let first = rng.between(earliest, latest);
            (first..first + n).contains(&week)
        });
        let date = midnight_s.div_euclid(DAY_S).unsigned_abs();
        is_away.contains(&true) || Rng::for_part(self.computer, &[0, date]).chance(ILL)
    }
}

fn draw_team(rng: &mut Rng) -> Team {
    match rng.below(20) {
        0..=9 => Team::Engineering,
        10..=12 => Team::Platform,
        13..=15 => Team::Data,
        16..=17 => Team::Security,
        _ => Team::Finance,
    }
}

fn access(
    rng: &mut Rng,
    (given, family, number): (&str, &str, u32),
    accounts: &[Account],
) -> Access {
    if rng.chance(0.8) {
        return Access::IdentityCenter { store_id: rng.uuid() };
    }
    let user = User {
        account: accounts.first().map(|account| account.id.clone()).unwrap_or_default(),
        name: format!("{given}.{family}{number}"),
        principal: format!("AIDA{}", rng.capitals(17)),
    };
    Access::IamUser { user, key: format!("AKIA{}", rng.capitals(16)), has_mfa: rng.chance(0.85) }
}

/// One in three travels, every few weeks. Flights leave in the evening, and take the time it takes.
fn trips(rng: &mut Rng, home: City, (start_s, days): (i64, i64)) -> Vec<Trip> {
    let mut trips = Vec::new();
    let mut day = if rng.one_in(3) { rng.between(1, 60) } else { days };
    while day < days {
        let city = rng.pick(&CITIES).copied().unwrap_or(home);
        let midnight_s = start_s + day * DAY_S;
        let leaves_s = home.zone.at(midnight_s, rng.between(17 * HOUR_S, 20 * HOUR_S));
        let lands_s = leaves_s + home.journey_s(&city);
        let last_s = lands_s - (lands_s - start_s).rem_euclid(DAY_S) + rng.between(2, 6) * DAY_S;
        let returns_s = city.zone.at(last_s, rng.between(17 * HOUR_S, 20 * HOUR_S));
        let home_s = returns_s + city.journey_s(&home);
        if city != home {
            trips.push(Trip { city, leaves_s, lands_s, returns_s, home_s });
        }
        day = (home_s - start_s) / DAY_S + rng.between(5, 75);
    }
    trips
}
