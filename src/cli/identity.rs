//! `identity`: what judged an identity on a day, read from its logs.

mod json;
mod table;

use super::{INCOMPLETE, USAGE, Wrong, complain, findings::day, logs::Logs};
use crate::{config::n_of, pipeline::Observer, replay, terminal};
use alerts::{escape, readable};
use anyhow::{Result, anyhow};
use baseline::{Day, Entity};
use clap::Args;
use detect::{Engine, JudgedDay, Lessons, Look, Probe};
use indicatif::ProgressBar;
use ingest::time::format_ms;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufWriter, Stdout, Write},
    sync::Arc,
};

/// Entities that a part of a key may mean before what judged them is kept no more. Unit: entities.
const MATCHES_MAX: usize = 20;
/// Days that are named when the wanted one has no records. Unit: days.
const DAYS_SHOWN: usize = 7;
/// What asks for everybody.
const EVERYBODY: &str = "*";

#[derive(Debug, Args)]
pub(super) struct Identity {
    /// The key of an identity or interface as findings print it, a part of it or of its name, or the ARN
    /// of a session; words that all have to occur, so the account may be one. `*` with --json: everybody
    /// on all days
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    logs: Logs,
    /// The UTC day, for example 2025-03-14 [default: the last one with records]
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<Day>,
    /// All of it, as JSON
    #[arg(long)]
    json: bool,
}

/// What KEY asks for: everything that must occur, and what a session is called.
#[derive(Debug, Clone)]
struct Asked {
    text: String,
    /// Lower case.
    words: Vec<String>,
    /// The end of the key of a person behind a role.
    session: Option<String>,
}

impl Asked {
    fn of(text: &str) -> Self {
        // The ARN of a session: its role has the same account, and a path that it does not tell.
        let assumed = text.split_once(":assumed-role/").filter(|_| text.starts_with("arn:"));
        let (words, session) = match assumed {
            Some((head, path)) => {
                let (role, session) = path.split_once('/').unwrap_or((path, ""));
                let account = head.rsplit(':').next().unwrap_or_default();
                (vec![account.to_owned(), format!("/{role}#")], Some(format!("#{session}")))
            }
            None => (text.split_whitespace().map(str::to_owned).collect(), None),
        };
        let words = words.iter().map(|word| word.to_lowercase()).collect();
        Self { text: text.to_owned(), words, session }
    }

    fn is_everybody(&self) -> bool {
        self.text == EVERYBODY
    }

    fn wants(&self, entity: &Entity) -> bool {
        self.is_everybody() || self.is_exact(entity) || {
            let Entity { account, kind, key } = entity;
            let known = format!("{account} {} {key} {}", kind.name(), readable(entity));
            let known = known.to_lowercase();
            self.words.iter().all(|word| known.contains(word))
        }
    }

    fn is_exact(&self, entity: &Entity) -> bool {
        *entity.key == self.text
            || self.session.as_ref().is_some_and(|session| entity.key.ends_with(session))
                && self.words.iter().all(|word| entity.key.to_lowercase().contains(word))
    }
}

/// What is kept of one who is wanted.
#[derive(Debug, Default)]
struct Seen {
    days: BTreeSet<Day>,
    last: Option<(Day, Box<JudgedDay>)>,
}

/// Keeps what was looked into, or writes it at once where everybody is asked for.
struct Watcher {
    asked: Arc<Asked>,
    seen: BTreeMap<Entity, Seen>,
    inputs: alerts::Inputs,
    out: BufWriter<Stdout>,
    bar: ProgressBar,
    quiet: bool,
}

impl Observer for Watcher {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.quiet);
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn looks(&mut self, looks: Vec<Look>) -> Result<()> {
        for Look { entity, day, judged } in looks {
            if self.asked.is_everybody() {
                if let Some(judged) = &judged {
                    json::write(&mut self.out, (&entity, day, judged), &self.inputs)?;
                }
                self.seen.entry(entity).or_default().days.insert(day);
                continue;
            }
            let is_kept = self.seen.len() <= MATCHES_MAX || self.asked.is_exact(&entity);
            let seen = self.seen.entry(entity).or_default();
            seen.days.insert(day);
            seen.last = judged.map(|judged| (day, judged)).or(seen.last.take()).filter(|_| is_kept);
        }
        Ok(())
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let what = format!("{}: {}", escape(object), escape(what));
        self.bar.suspend(|| complain(&what));
    }
}

impl Identity {
    pub(super) fn run(self) -> Result<u8> {
        let asked = Arc::new(Asked::of(&self.key));
        if asked.words.is_empty() {
            return Err(Wrong::usage(anyhow!("an empty KEY; expected the key of an identity")));
        }
        if asked.is_everybody() && !self.json {
            return Err(Wrong::usage(anyhow!("`*` asks for everybody: add --json")));
        }
        self.logs.reading.start_threads()?;
        let config = self.logs.configured(self.logs.reading.config.as_deref())?;
        let (mut engine, inputs) = super::replay::engine(Some(&config), Lessons::default())?;
        let wanted = Arc::clone(&asked);
        let wants = Box::new(move |entity: &Entity| wanted.wants(entity));
        engine.look_into(Probe { wants, day: self.day });
        let plan = self.logs.plan(&config, self.logs.from)?;
        let (seen, out, bar) =
            (BTreeMap::new(), BufWriter::new(io::stdout()), ProgressBar::hidden());
        let quiet = self.logs.quiet;
        let mut watcher = Watcher { asked, seen, inputs, out, bar, quiet };
        let summary = replay::run(&plan, &mut engine, &mut watcher)?;
        watcher.bar.finish_and_clear();
        let code = watcher.tell(&engine, self.day, self.json)?;
        Ok(if code == 0 && summary.is_incomplete() { INCOMPLETE } else { code })
    }
}

impl Watcher {
    /// Writes what was asked for, if it is one, and answers how the program ends.
    fn tell(mut self, engine: &Engine, day: Option<Day>, is_json: bool) -> Result<u8> {
        if self.asked.is_everybody() && !self.seen.is_empty() {
            self.out.flush()?;
            return Ok(0);
        }
        if self.seen.keys().any(|entity| self.asked.is_exact(entity)) {
            self.seen.retain(|entity, _| self.asked.is_exact(entity));
        }
        if self.seen.len() > 1 {
            several(&self.asked, engine);
            return Ok(USAGE);
        }
        let Some((entity, Seen { days, last })) = self.seen.pop_first() else {
            return Err(Wrong::usage(unknown(&self.asked, engine)));
        };
        let Some((of, judged)) = last else {
            return Err(Wrong::usage(no_records(&entity, day, &days)));
        };
        if is_json {
            json::write(&mut self.out, (&entity, of, &judged), &self.inputs)?;
        } else {
            table::write(&mut self.out, (&entity, of, &judged), terminal::style())?;
        }
        self.out.flush()?;
        Ok(0)
    }
}

/// `2025-03-14`.
fn date(day: Day) -> String {
    format_ms(day.start_ms()).chars().take("2025-03-14".len()).collect()
}

/// How one says which of several is meant.
fn line(entity: &Entity) -> String {
    format!("{} {} {}", entity.account, entity.kind.name(), entity.key)
}

fn unknown(asked: &Asked, engine: &Engine) -> anyhow::Error {
    let names: Vec<_> = engine.entities().map(|one| (&*one.key, readable(one))).collect();
    let known = names.iter().flat_map(|(key, name)| [*key, name]);
    let meant =
        detect::suggest(&asked.text, known).map(|known| format!("; did you mean {known:?}?"));
    let n = names.len();
    anyhow!(
        "nobody in these logs has {:?} in account, kind, key or name{}",
        asked.text,
        meant.unwrap_or_else(|| format!("; they show {n} identities and interfaces"))
    )
}

/// Tells who may be meant, a line each.
fn several(asked: &Asked, engine: &Engine) {
    let mut all: Vec<_> = engine.entities().filter(|one| asked.is_exact(one)).collect();
    if all.is_empty() {
        all.extend(engine.entities().filter(|one| asked.wants(one)));
    }
    all.sort();
    complain(&format!("{:?} may be any of {}; say more:", asked.text, all.len()));
    all.iter().take(MATCHES_MAX).for_each(|one| complain(&line(one)));
    if let Some(n_more) = all.len().checked_sub(MATCHES_MAX).filter(|n| *n > 0) {
        complain(&format!("and {n_more} more"));
    }
}

fn no_records(entity: &Entity, day: Option<Day>, days: &BTreeSet<Day>) -> anyhow::Error {
    let last: Vec<_> = days.iter().rev().take(DAYS_SHOWN).map(|day| date(*day)).collect();
    let of = day.map(|day| format!(" on {}", date(day))).unwrap_or_default();
    let days = n_of(days.len(), "day");
    anyhow!(
        "{} has no records{of}; it has some on {days}, at last {}",
        line(entity),
        last.join(", ")
    )
}
