//! Other settings for an engine that goes on. In: what is to be in force. Out: the same engine, as one that begins under
//! these settings and takes back its state; but profiles stay where they are, as reading a million takes long.

use crate::{
    detectors::Settings,
    engine::{Engine, Options, shard_of},
    learned::Part,
    shelf::ShelfError,
    state::OfDay,
    watch::{Watches, key_of_day},
};
use ingest::enrich::Enrich;
use std::{collections::BTreeSet, iter, mem};

impl Engine {
    /// Reads and judges by these options and tables from now on, with readers that are made from now on and know no
    /// chunk of before. Whoever has open days counts as touched; matches of rules that are no more are forgotten.
    /// Lateness, hash key, the memory for fingerprints and lessons stay what they are: the state rests on them.
    pub fn reconfigure(&mut self, options: Options, enrich: Enrich) -> Result<(), ShelfError> {
        let before = &self.context.options;
        let options = Options {
            lateness: before.lateness,
            hash_key: before.hash_key,
            duplicates_budget_bytes: before.duplicates_budget_bytes,
            lessons: before.lessons.clone(),
            ..options
        };
        let defaults = Settings::default();
        self.context.default_detectors = (options.detectors != defaults).then_some(defaults);
        self.context.enrich = enrich;
        let before = mem::replace(&mut self.context.options, options);
        self.renumber_watches(before.rules.watches());
        self.touch_all()
    }

    /// Matches go to the watches that are the same as before.
    fn renumber_watches(&mut self, before: &Watches) {
        let Self { shards, context, changes, oldest_open, .. } = self;
        let numbers = before.numbers_among(context.options.rules.watches());
        let mut gone: BTreeSet<OfDay> = BTreeSet::new();
        for (number, shard) in (0..).zip(shards) {
            let of_shard = shard.matches.renumber(&numbers, *oldest_open);
            gone.extend(of_shard.into_iter().map(|(watch, day)| (number, watch, day)));
        }
        for noted in [&mut changes.matches, &mut changes.forgotten] {
            for (shard, watch, day) in mem::take(noted) {
                match numbers.get(watch as usize).copied().flatten() {
                    Some(now) => noted.insert((shard, now, day)),
                    None => gone.insert((shard, watch, day)),
                };
            }
        }
        for (shard, watch, day) in gone {
            if let Some(watch) = before.get(watch) {
                let key = key_of_day(watch.identity(), (shard, day));
                changes.useless.insert((Part::Open, key));
            }
        }
    }

    /// Notes of all who have open days that these are to be judged anew. Of days that cannot be judged yet it is noted
    /// since records touched them.
    fn touch_all(&mut self) -> Result<(), ShelfError> {
        let Self { shards, touched, shelved, .. } = self;
        let Some(noted) = touched else { return Ok(()) };
        for ((touched, told), shard) in noted.iter_mut().zip(shards) {
            told.clear();
            touched.forget_matches();
            for (id, first_open) in shard.profiles.open() {
                touched.note_open(id, iter::once(first_open));
            }
            for (day, matched) in shard.matches.open_groups() {
                touched.note_matched(day, matched);
            }
        }
        shelved.ask(|shelf| {
            shelf.each_open(&mut |id, first_open| {
                if let Some((touched, _)) = noted.get_mut(shard_of(id)) {
                    touched.note_open(id, iter::once(first_open));
                }
            })
        })
    }
}
