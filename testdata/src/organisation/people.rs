//! People: where they live, how they sign in, what they work on, when they come and go.

use super::{Account, names};
use crate::aws::caller::User;
use crate::places::{CITIES, City};
use crate::rng::Rng;

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
        /// Name of the permission set.
        permission_set: &'static str,
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

/// Days away from home.
#[derive(Debug, Clone, Copy)]
pub struct Trip {
    /// The first day there, counted from 0.
    pub first_day: i64,
    /// The last day there.
    pub last_day: i64,
    /// Where.
    pub city: City,
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Mail address, and session name.
    pub mail: String,
    /// How they get in.
    pub access: Access,
    /// What they work on.
    pub team: Team,
    /// Home.
    pub city: City,
    /// Drawn once: which browser they use.
    pub computer: u64,
    /// The accounts they work in, the usual one first.
    pub accounts: Vec<usize>,
    /// Sessions on a working day, on average.
    pub sessions_a_day: f64,
    /// The wall clock when they begin. Unit: seconds after midnight.
    pub begins_s: i64,
    /// First day at work; negative when they were there before.
    pub joined_day: i64,
    /// The last day at work.
    pub left_day: Option<i64>,
    /// One trip at most.
    pub trip: Option<Trip>,
}

impl Person {
    /// Person number `number` of `organisation`, in a story of `days`.
    pub(super) fn new(
        rng: &mut Rng,
        number: u32,
        (organisation, days): (&str, i64),
        accounts: &[Account],
    ) -> Self {
        let team = match rng.below(20) {
            0..=9 => Team::Engineering,
            10..=12 => Team::Platform,
            13..=15 => Team::Data,
            16..=17 => Team::Security,
            _ => Team::Finance,
        };
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
        let access = access(rng, team, (given, family, number), accounts);
        Self {
            mail,
            access,
            team,
            city,
            computer: rng.bits(),
            accounts: accounts_of,
            // Few people do most of the work.
            sessions_a_day: rng.log_normal(0.5, 1.1).min(6.0),
            begins_s: 3_600 * 8 + rng.between(0, 2 * 3_600),
            joined_day: if rng.chance(0.04) { rng.between(1, days.max(1)) } else { -1 },
            left_day: rng.chance(0.03).then(|| rng.between(1, days.max(1))),
            trip: trip(rng, city, days),
        }
    }

    /// Where they are on `day`.
    pub fn city_on(&self, day: i64) -> City {
        match self.trip {
            Some(trip) if (trip.first_day..=trip.last_day).contains(&day) => trip.city,
            _ => self.city,
        }
    }

    /// Whether they belong to the organisation on `day`.
    pub fn is_here(&self, day: i64) -> bool {
        day >= self.joined_day && self.left_day.is_none_or(|left| day <= left)
    }
}

fn access(
    rng: &mut Rng,
    team: Team,
    (given, family, number): (&str, &str, u32),
    accounts: &[Account],
) -> Access {
    if rng.chance(0.8) {
        let permission_set = match team {
            Team::Engineering => "DeveloperAccess",
            Team::Platform => "AdministratorAccess",
            Team::Data => "DataAccess",
            Team::Security => "SecurityAudit",
            Team::Finance => "Billing",
        };
        let store_id = rng.uuid();
        return Access::IdentityCenter { permission_set, store_id };
    }
    let user = User {
        account: accounts.first().map(|account| account.id.clone()).unwrap_or_default(),
        name: format!("{given}.{family}{number}"),
        principal: format!("AIDA{}", rng.capitals(17)),
    };
    Access::IamUser { user, key: format!("AKIA{}", rng.capitals(16)), has_mfa: rng.chance(0.85) }
}

fn trip(rng: &mut Rng, home: City, days: i64) -> Option<Trip> {
    let first_day = rng.between(0, days.max(1));
    let city = *rng.pick(&CITIES)?;
    let length = rng.between(2, 6);
    let goes = rng.chance(0.12) && city != home;
    goes.then_some(Trip { first_day, last_day: first_day + length, city })
}
