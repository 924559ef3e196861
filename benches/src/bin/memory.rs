//! What profiles take in memory and in a file: so many made-up identities live some days, straight in the
//! profiles, as the shards of an engine hold them. Prints Markdown; `docs/limits.md` shows it.
//!
//!     cargo run --release -p benches --bin memory [IDENTITIES]

use baseline::{
    Aggregate, Call, Day, Dimension, Entity, Entry, Evidence, First, Form, HashKey, Impact, Kind,
    Lateness, Profile, Slot, Stay, Track, Value, Weight, form::Writer,
};
use std::{collections::BTreeMap, error::Error, fs, net::IpAddr, sync::Arc};

/// As the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Days that everybody lives: the last two are open at the end, the one before closed and not merged.
const DAYS: i32 = 8;
/// Identities whose records come in one chunk, and so share their texts.
const PER_CHUNK: usize = 500;

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

fn entity(life: &Life, n: usize) -> Entity {
    let account: Arc<str> = format!("{:012}", n / 1_000).into();
    let key = format!("arn:aws:iam::{account}:role/{}-{n}#program", life.kind.name());
    Entity { account, kind: life.kind, key: key.into() }
}

/// What one chunk holds of the values of a day: each text once.
fn texts(life: &Life, day: i32) -> BTreeMap<Dimension, Vec<Value>> {
    let of = |dimension: Dimension, n: usize| {
        let day = if life.is_restless { day } else { 0 };
        HashKey::DEFAULT.value(&format!("{}:SomethingUsual{day}-{n}", dimension.name()))
    };
    let all = life.values.iter();
    all.map(|&(dimension, n)| (dimension, (0..n).map(|n| of(dimension, n)).collect())).collect()
}

fn record(time_ms: i64, who: &Entity) -> Evidence {
    let call = Call {
        api: "s3:PutObject".into(),
        address: Some("81.2.69.142".into()),
        access_key: Some("AKIAIOSFODNN7EXAMPLE".into()),
        region: Some("eu-west-1".into()),
        actor: Some(Arc::clone(&who.key)),
    };
    let id = u128::from(time_ms.unsigned_abs()).into();
    Evidence { time_ms, id, call: call.into(), amount: 1 }
}

/// What an identity does on a day.
fn day_of(
    life: &Life,
    who: &Entity,
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
        let first = Some(First { track, time_ms: slot.start_ms(), row: 0 });
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
        let address: IpAddr = [81, 2, 69, 142].into();
        let record = record(0, who);
        let stay = Stay {
            rank: 1,
            address,
            country: None,
            network: None,
            access_key: record.call.access_key.clone(),
            first: record.clone(),
            last: record,
            n_records: 3,
        };
        of.stays = slots.into_iter().map(|slot| (slot, stay.clone())).collect();
    }
    of
}

struct World {
    profiles: BTreeMap<u128, (Entity, Profile)>,
}

impl World {
    /// Lets `n` identities live.
    fn of(n: usize, lives: impl Fn(usize) -> Life) -> Self {
        let lateness = Lateness::default();
        let mut profiles = BTreeMap::new();
        let first = Day(20_000);
        for n in 0..n {
            let who = entity(&lives(n), n);
            profiles.insert(who.id(), (who, Profile::new(first, lateness)));
        }
        let mut world = Self { profiles };
        for day in (0..DAYS).map(|day| Day(first.0 + day)) {
            // As the first record of a day finds it.
            world.close_before(Day(day.0 - 1), lateness);
            let mut chunk: BTreeMap<&str, BTreeMap<Dimension, Vec<Value>>> = BTreeMap::new();
            for (at, (who, profile)) in world.profiles.values_mut().enumerate() {
                let n: usize =
                    who.key.rsplit(['-', '#']).nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
                let life = lives(n);
                if at % PER_CHUNK == 0 {
                    chunk.clear();
                }
                let texts = chunk.entry(life.name).or_insert_with(|| texts(&life, day.0));
                let aggregate = day_of(&life, who, day, texts);
                let shared = record(0, who);
                // Made anew each time, as a chunk makes it.
                let record = |_| {
                    let call = Arc::new(Call::clone(&shared.call));
                    Some(Evidence { time_ms: day.start_ms(), call, ..shared.clone() })
                };
                let oldest_open = Day(day.0 - 1);
                profile.apply(&aggregate, (&record, &|_| 9), (oldest_open, lateness));
            }
        }
        world
    }

    fn close_before(&mut self, oldest_open: Day, lateness: Lateness) {
        for (_, profile) in self.profiles.values_mut() {
            while let Some(day) = profile.closing(oldest_open) {
                profile.settle(day, Some(9), lateness);
                drop(profile.close(day, Weight::PLAIN, lateness));
            }
            profile.advance(oldest_open, lateness);
        }
    }

    /// Unit: bytes of all profiles in a file.
    fn file_bytes(&self, oldest_open: Day) -> u64 {
        let blobs = self.profiles.values().map(|(who, profile)| {
            let mut to = Writer::default();
            who.write(&mut to);
            profile.write_closed(oldest_open, &mut to);
            to.finish().len() as u64
        });
        blobs.sum()
    }
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn tell(name: &str, n: usize, life: impl Fn(usize) -> Life) -> Result<(), Box<dyn Error>> {
    let before = resident()?;
    let mut world = World::of(n, life);
    let whole = resident()?.saturating_sub(before);
    let end = Day(20_000 + DAYS + 1);
    // As after a day without records: all closed, two of them not merged.
    world.close_before(end, Lateness::default());
    let file = world.file_bytes(end);
    let closed = world.profiles.len() as u64;
    let of = |bytes: u64| bytes as f64 / closed.max(1) as f64 / 1_024.0;
    let (kib, in_file) = (of(whole), of(file));
    println!("| {name} | {n} | {kib:.1} KiB | {:.2} GB | {in_file:.1} KiB |", whole as f64 / 1e9);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let n: usize = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse())?;
    let only = std::env::args().nth(2).and_then(|at| at.parse::<usize>().ok());
    // One life a process: an allocator keeps what is given back.
    match only.and_then(|at| LIVES.get(at)) {
        Some(life) => tell(life.name, n, |_| *life),
        None => tell("all of them, 60 : 30 : 10", n, |n| {
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
