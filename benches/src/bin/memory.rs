//! What profiles take in memory and in a file: so many made-up identities live some days, straight in the
//! profiles, as the shards of an engine hold them. Prints Markdown; `docs/limits.md` shows it.
//!
//!     cargo run --release -p benches --bin memory [IDENTITIES [DAYS [LIFE]]]

use baseline::{
    Aggregate, Call, Day, Dimension, Entity, Entry, Evidence, First, Form, HashKey, Impact, Kind,
    Lateness, Place, Profile, Profiles, Slot, Stay, Track, Value, Weight, form::Writer,
    stable_hash,
};
use std::{collections::BTreeMap, convert::Infallible, error::Error, fs, net::IpAddr, sync::Arc};

/// As the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Days that everybody lives: the last two are open at the end, the one before closed and not merged.
const DAYS: i32 = 8;
/// Slices of the entities, as an engine has.
const SHARDS: usize = 64;
/// Identities of an account.
const ACCOUNT: usize = 1_000;
/// Identities that act on the same things, from the same address.
const TEAM: usize = 20;

/// How somebody lives.
#[derive(Clone, Copy)]
struct Life {
    name: &'static str,
    kind: Kind,
    /// Of how many identities of a hundred.
    percent: usize,
    /// Different values a day, of each dimension.
    values: &'static [(Dimension, usize)],
    /// Hours of a day, and slots of 5 minutes of an hour, in which something is called.
    hours: i32,
    slots: i32,
    /// What calls can do.
    impacts: &'static [Impact],
    /// Whether the values of each day are others.
    is_restless: bool,
}

use Dimension::{
    Agent, Api, Country, Credential, Error as Errors, Network, Region, Service, Target,
};

const LIVES: [Life; 4] = [
    Life {
        name: "a job: 4 APIs, one hour a day",
        kind: Kind::Workload,
        percent: 60,
        values: &[(Api, 4), (Service, 2), (Region, 1), (Agent, 1), (Credential, 1), (Target, 3)],
        hours: 1,
        slots: 2,
        impacts: &[Impact::Read, Impact::Write],
        is_restless: false,
    },
    Life {
        name: "a machine: 8 APIs, every hour",
        kind: Kind::Workload,
        percent: 30,
        values: &[
            (Api, 8),
            (Service, 4),
            (Region, 1),
            (Network, 1),
            (Agent, 1),
            (Credential, 1),
            (Target, 8),
        ],
        hours: 24,
        slots: 1,
        impacts: &[Impact::Read, Impact::Discovery, Impact::Write],
        is_restless: false,
    },
    Life {
        name: "a person: 40 APIs, 8 hours",
        kind: Kind::Human,
        percent: 10,
        values: &[
            (Api, 40),
            (Service, 12),
            (Region, 2),
            (Country, 1),
            (Network, 2),
            (Agent, 3),
            (Credential, 1),
            (Target, 25),
            (Errors, 3),
        ],
        hours: 8,
        slots: 4,
        impacts: &[Impact::Read, Impact::Discovery, Impact::Write, Impact::Privilege],
        is_restless: false,
    },
    Life {
        name: "the busiest: 500 new values a day of each kind, every 5 minutes, all it can do",
        kind: Kind::Human,
        percent: 0,
        values: &[
            (Api, 500),
            (Service, 500),
            (Region, 500),
            (Country, 500),
            (Network, 500),
            (Agent, 500),
            (Credential, 500),
            (Target, 500),
            (Errors, 500),
        ],
        hours: 24,
        slots: 12,
        impacts: Impact::ALL,
        is_restless: true,
    },
];

/// Unit: bytes that this process holds.
fn resident() -> Result<u64, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).ok_or("no resident pages")?.parse()?;
    Ok(pages * 4_096)
}

fn entity(life: &Life, n: usize, account: &Arc<str>) -> Entity {
    let key = format!("arn:aws:iam::{account}:role/{}-{n}#program", life.kind.name());
    Entity { account: Arc::clone(account), kind: life.kind, key: key.into() }
}

/// The values of a day: what teams act on is their own.
fn texts(life: &Life, team: usize, day: i32) -> BTreeMap<Dimension, Vec<Value>> {
    let of = |dimension: Dimension, n: usize| {
        let day = if life.is_restless { day } else { 0 };
        let team = if dimension == Target { team } else { 0 };
        HashKey::DEFAULT.value(&format!("{}:SomethingUsual{day}-{team}-{n}", dimension.name()))
    };
    let all = life.values.iter();
    all.map(|&(dimension, n)| (dimension, (0..n).map(|n| of(dimension, n)).collect())).collect()
}

/// The record of number `row` of an identity. No two have the same id, and each tells of its call anew, as a
/// chunk makes it.
fn record(who: &Entity, team: usize, day: Day, row: u32) -> Evidence {
    let call = Call {
        api: "s3:PutObject".into(),
        address: Some(address(team).to_string().into()),
        access_key: Some(format!("AKIA{:016X}", who.id() % (1 << 64)).into()),
        region: Some("eu-west-1".into()),
        actor: Some(format!("{}/session", who.key).into()),
    };
    let fields: [&[u8]; 2] = [who.key.as_bytes(), &day.start_ms().to_le_bytes()];
    let id = stable_hash(&fields) ^ u128::from(row);
    // Anywhere in its five minutes, to the second.
    let within_ms = i64::from(row).wrapping_mul(7_919) % 300 * 1_000;
    let time_ms = day.start_ms() + i64::from(row / 1_000) * 300_000 + within_ms;
    Evidence { time_ms, id: id.into(), call: call.into(), amount: 1 }
}

fn address(team: usize) -> IpAddr {
    let [.., high, low] = team.to_be_bytes();
    [81, 2, high, low].into()
}

/// What an identity does on a day.
fn day_of(
    life: &Life,
    (who, team): (&Entity, usize),
    day: Day,
    texts: &BTreeMap<Dimension, Vec<Value>>,
) -> Aggregate {
    let mut of = Aggregate::of(who.clone());
    let slots: Vec<_> = (0..life.hours)
        .flat_map(|hour| (0..life.slots).map(move |slot| hour * 12 + slot * 12 / life.slots))
        .map(|slot| Slot(day.first_slot().0 + slot))
        .collect();
    let mut entry = |dimension, slot: Slot, value, n: usize| {
        let impact = life.impacts.get(n % life.impacts.len()).copied().unwrap_or(Impact::Read);
        let track = Track { impact, is_s3: false };
        // As many as are in five minutes at most.
        let slot_of_day = u32::try_from(slot.0 - day.first_slot().0).unwrap_or(0);
        let row =
            slot_of_day * 1_000 + u32::try_from(of_dimension(dimension, n) % 1_000).unwrap_or(0);
        let first = Some(First { track, time_ms: slot.start_ms(), row });
        let (evidence, others) = (None, Vec::new());
        of.entries.push(Entry {
            dimension,
            slot,
            value,
            amount: 3,
            n_records: 3,
            evidence,
            first,
            others,
        });
    };
    for (n, slot) in slots.iter().enumerate() {
        for (impact, of) in life.impacts.iter().enumerate() {
            entry(Dimension::calls(Track { impact: *of, is_s3: false }), *slot, None, impact);
        }
        for (dimension, values) in texts {
            // All values come up in the course of a day.
            let share = values.len().div_ceil(slots.len());
            for (at, value) in values.iter().skip(n * share).take(share).enumerate() {
                entry(*dimension, *slot, Some(value.clone()), at);
            }
        }
    }
    if life.kind.travels() {
        let stay = |slot: Slot| {
            let row = u32::try_from(slot.0 - day.first_slot().0).unwrap_or(0) * 1_000;
            // The first record of a slot is the first of its track.
            let track = Track {
                impact: life.impacts.first().copied().unwrap_or(Impact::Read),
                is_s3: false,
            };
            let first =
                row + u32::try_from(of_dimension(Dimension::calls(track), 0) % 1_000).unwrap_or(0);
            let [first, last] = [first, row + 999].map(|row| record(who, team, day, row));
            let (address, access_key) = (address(team), first.call.access_key.clone());
            let rank = HashKey::DEFAULT.hash(&address.to_string());
            let place = Place { rank, address, country: None, network: None, access_key };
            (slot, Stay { place, first, last, n_records: 3 })
        };
        of.stays = slots.into_iter().map(stay).collect();
    }
    of
}

/// A number of a value, or of calls, that is hardly another's.
fn of_dimension(dimension: Dimension, n: usize) -> usize {
    (dimension as usize) * 37 + n
}

/// The first day that anybody lived.
const FIRST: Day = Day(20_000);

/// Days that everybody has lived by the end of `through`.
fn n_days(through: Day) -> u32 {
    u32::try_from(through.0 - FIRST.0 + 1).unwrap_or(0)
}

struct World {
    shards: Vec<Profiles>,
    oldest_open: Day,
}

impl World {
    /// Lets `n` identities live some days.
    fn of(n_all: usize, days: i32, lives: impl Fn(usize) -> Life) -> Self {
        let lateness = Lateness::default();
        let new = || Profiles::new(lateness, HashKey::DEFAULT);
        let shards = std::iter::repeat_with(new).take(SHARDS).collect();
        let mut world = Self { shards, oldest_open: FIRST };
        for day in (0..days).map(|day| Day(FIRST.0 + day)) {
            // As the first record of a day finds it.
            world.close_before(Day(day.0 - 1));
            let mut account: Arc<str> = "".into();
            for n in 0..n_all {
                if n % ACCOUNT == 0 {
                    account = format!("{:012}", n / ACCOUNT).into();
                }
                let (life, team) = (lives(n), n / TEAM);
                let who = entity(&life, n, &account);
                let texts = texts(&life, team, day.0);
                let aggregate = day_of(&life, (&who, team), day, &texts);
                let record = |row| Some(record(&who, team, day, row));
                let new = || (who.clone(), Profile::new(FIRST, lateness));
                let oldest_open = world.oldest_open;
                let shard = usize::try_from(aggregate.id % SHARDS as u128).unwrap_or(0);
                let Some(profiles) = world.shards.get_mut(shard) else { continue };
                profiles.with_new(aggregate.id, new, |_, profile| {
                    profile.apply(&aggregate, (&record, &n_days), (oldest_open, lateness));
                });
            }
        }
        world
    }

    fn close_before(&mut self, oldest_open: Day) {
        let lateness = Lateness::default();
        for profiles in &mut self.shards {
            while let Some(day) = profiles.first_closing(oldest_open) {
                profiles.close(day, |_, _, profile| {
                    profile.settle(day, Some(n_days(lateness.prior_through(day))), lateness);
                    drop(profile.close(day, Weight::PLAIN, lateness));
                });
            }
            profiles.advance(oldest_open);
        }
        self.oldest_open = oldest_open;
    }

    /// Unit: bytes of all profiles in a file.
    fn file_bytes(&self) -> Result<u64, Infallible> {
        let mut n_bytes = 0;
        for profiles in &self.shards {
            profiles.visit::<Infallible>(&mut |_, who, profile| {
                let mut to = Writer::default();
                who.write(&mut to);
                profile.write_closed(self.oldest_open, &mut to);
                n_bytes += to.finish().len() as u64;
                Ok(())
            })?;
        }
        Ok(n_bytes)
    }
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn tell(
    (name, n): (&str, usize),
    days: i32,
    life: impl Fn(usize) -> Life,
) -> Result<(), Box<dyn Error>> {
    let before = resident()?;
    let mut world = World::of(n, days, life);
    let whole = resident()?.saturating_sub(before);
    // As after a day without records: all closed, two of them not merged.
    world.close_before(Day(FIRST.0 + days + 1));
    let file = world.file_bytes()?;
    let of = |bytes: u64| bytes as f64 / n.max(1) as f64 / 1_024.0;
    let (kib, in_file) = (of(whole), of(file));
    println!("| {name} | {n} | {kib:.1} KiB | {:.2} GB | {in_file:.1} KiB |", whole as f64 / 1e9);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse::<usize>());
    let n = numbers.next().transpose()?.unwrap_or(1_000_000);
    let days = numbers.next().transpose()?.map_or(Ok(DAYS), i32::try_from)?;
    let only = numbers.next().transpose()?;
    // One life a process: an allocator keeps what is given back.
    match only.and_then(|at| LIVES.get(at)) {
        Some(life) => tell((life.name, n), days, |_| *life),
        None => tell(("all of them, 60 : 30 : 10", n), days, |n| {
            let percent = n % 100;
            let [job, machine, person, _] = LIVES;
            if percent < job.percent {
                job
            } else if percent < job.percent + machine.percent {
                machine
            } else {
                person
            }
        }),
    }
}
