//! One slice of the entities: a plain value that knows no clock, no lock and no I/O.

use crate::{
    chunk::Chunk,
    detector::{Case, Severity, Verdict},
    detectors::DETECTORS,
    engine::Context,
    finding,
    priors::{Group, Priors},
    probe::Look,
    watch::{Judged, Memory, Sighting},
};
use baseline::{
    Aggregate, Day, Dimension, Entity, Gathered, Hour, N_PRIORS, Profile, Value, Weight,
};
use std::collections::{BTreeMap, BTreeSet};

/// The profiles of its entities, and what rules matched of them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Shard {
    pub(crate) profiles: BTreeMap<u128, (Entity, Profile)>,
    pub(crate) matches: Memory,
}

/// A judged hour that stands above its threshold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Occurrence {
    /// Who spoke, by number in the catalogue.
    pub(crate) speaker: usize,
    pub(crate) entity: Entity,
    pub(crate) hour: Hour,
    pub(crate) verdict: Verdict,
    pub(crate) own_days: u32,
    pub(crate) group_days: u32,
    /// What the entity did not know.
    pub(crate) news: BTreeSet<(Dimension, Value)>,
}

/// What a shard says when a day closes.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) taught: BTreeMap<Group, Gathered>,
    pub(crate) looks: Vec<Look>,
}

impl Shard {
    /// Counts what some records say of one entity.
    pub(crate) fn apply(
        &mut self,
        (aggregate, chunk): (&Aggregate, &Chunk),
        oldest_open: Day,
        (context, priors): (&Context, &Priors),
    ) {
        let lateness = context.options.lateness;
        let new = || {
            let lessons = context.options.lessons.on(aggregate.id);
            let profile = Profile::with_lessons(lessons, oldest_open, lateness);
            (aggregate.entity.clone(), profile)
        };
        let (_, profile) = self.profiles.entry(aggregate.id).or_insert_with(new);
        let first = |row| chunk.first(row);
        let group_days = |through| priors.n_days(&aggregate.entity, through);
        profile.apply(aggregate, (&first, &group_days), (oldest_open, lateness));
    }

    /// Counts a match of a rule.
    pub(crate) fn sight(&mut self, sighting: &Sighting<'_>, context: &Context) {
        self.matches.add(sighting, &context.options.hash_key);
    }

    /// The first day before `oldest_open` that is still open.
    pub(crate) fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        let days = self.profiles.values().filter_map(|(_, profile)| profile.closing(oldest_open));
        days.chain(self.matches.first_closing(oldest_open)).min()
    }

    /// Judges and closes `day`.
    pub(crate) fn close(&mut self, day: Day, context: &Context, priors: &Priors) -> Closing {
        let mut closing = Closing::default();
        let alerted = self.close_matches(day, (context, priors), &mut closing);
        for (id, (entity, profile)) in &mut self.profiles {
            if !profile.is_open(day) {
                continue;
            }
            let lateness = context.options.lateness;
            let group_days = entity
                .kind
                .has_habits()
                .then(|| priors.n_days(entity, lateness.prior_through(day)));
            profile.settle(day, group_days, lateness);
            let group = Group::of(entity);
            let found = judge(entity, profile, day, (context, priors.of(&group)));
            let mut alerts = found.alerts;
            alerts.extend(alerted.get(id).into_iter().flatten());
            closing.occurrences.extend(found.occurrences);
            if let Some(probe) = &context.probe {
                let touched = profile.touched(day, day);
                let usual = profile.generation(day, priors.of(&group), lateness);
                let looked = (&*touched, !alerts.is_empty());
                let usual = (&usual.0, usual.1);
                closing.looks.extend(probe.look((entity, day), usual, looked, context));
            }
            let weight = if alerts.is_empty() { Weight::PLAIN } else { Weight::ALERTED };
            let taught = profile.close(day, weight, context.options.lateness);
            if let Some(since) = plain_from(&alerts, (entity, day), context) {
                profile.make_good(since, &taught);
            }
            closing.taught.entry(group).or_default().add(taught);
        }
        closing
    }

    /// Judges what rules matched on `day`; answers on whom alerts of built-in rules opened, and of which.
    fn close_matches(
        &mut self,
        day: Day,
        (context, priors): (&Context, &Priors),
        closing: &mut Closing,
    ) -> BTreeMap<u128, BTreeSet<usize>> {
        let Self { profiles, matches } = self;
        let lateness = context.options.lateness;
        let judged = matches.judge(day, context, &mut |id, judge| match profiles.get_mut(&id) {
            Some((entity, profile)) => {
                let priors = priors.of(&Group::of(entity));
                judge(Some(&profile.generation(day, priors, lateness).0));
            }
            None => judge(None),
        });
        matches.close(day);
        let mut alerted: BTreeMap<u128, BTreeSet<usize>> = BTreeMap::new();
        for Judged { id, speaker, occurrence, teaches_less } in judged {
            if teaches_less {
                alerted.entry(id).or_default().insert(speaker);
            }
            closing.occurrences.extend(occurrence.and_then(|one| admitted(one, context)));
        }
        alerted
    }

    /// After the days before `oldest_open` were closed.
    pub(crate) fn advance(&mut self, oldest_open: Day, context: &Context) {
        for (_, profile) in self.profiles.values_mut() {
            profile.advance(oldest_open, context.options.lateness);
        }
        self.matches.advance(oldest_open, context.options.rules.watches());
    }

    /// Matches that were left out. Unit: matches.
    pub(crate) fn n_matches_dropped(&self) -> u64 {
        self.matches.n_dropped
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.profiles.values().map(|(entity, _)| entity)
    }

    pub(crate) fn n_entities(&self) -> usize {
        self.profiles.len()
    }
}

struct Found {
    occurrences: Vec<Occurrence>,
    /// Who makes the day teach less.
    alerts: BTreeSet<usize>,
}

fn judge(
    entity: &Entity,
    profile: &mut Profile,
    day: Day,
    (context, priors): (&Context, [&baseline::History; N_PRIORS]),
) -> Found {
    let mut found = Found { occurrences: Vec::new(), alerts: BTreeSet::new() };
    let touched = profile.touched(day, day);
    let (usual, hours) = profile.generation(day, priors, context.options.lateness);
    let settings = &context.options.detectors;
    for hour in touched {
        let span = hours.span(hour);
        let case = Case { entity, span, usual: &usual, enrich: &context.enrich };
        for (n, detector) in DETECTORS.iter().enumerate() {
            let told = (detector.judge)(settings, &case);
            // What is learned follows the defaults: settings change what is told.
            let by_default = match &context.default_detectors {
                None => told.as_ref().map(|verdict| verdict.severity),
                Some(defaults) => (detector.judge)(defaults, &case).map(|verdict| verdict.severity),
            };
            if by_default.is_some_and(|severity| severity >= Severity::Medium) {
                found.alerts.insert(n);
            }
            let Some(verdict) = told else { continue };
            let (own_days, group_days) = (usual.own_days(), usual.group_days());
            let entity = entity.clone();
            let dimensions = verdict.parts.iter().map(|part| part.dimension).collect();
            let news = usual.unknown_values(&span, &dimensions);
            let occurrence =
                Occurrence { speaker: n, entity, hour, verdict, own_days, group_days, news };
            found.occurrences.extend(admitted(occurrence, context));
        }
    }
    found
}

/// The day from which on `day` counts as one like any other for an entity, though `alerts` opened on it.
fn plain_from(
    alerts: &BTreeSet<usize>,
    (entity, day): (&Entity, Day),
    context: &Context,
) -> Option<Day> {
    let catalogue = context.options.rules.catalogue();
    let alerts = alerts.iter().filter_map(|speaker| catalogue.get(*speaker));
    context.options.lessons.plain_from(alerts.map(|about| finding::id(&about.id, entity, day)))
}

/// The switches that all who speak share.
fn admitted(mut occurrence: Occurrence, context: &Context) -> Option<Occurrence> {
    let options = &context.options;
    let about = options.rules.catalogue().get(occurrence.speaker)?;
    if options.detectors.disable.iter().any(|name| about.is_called(name)) {
        return None;
    }
    let changed = options.detectors.severity.iter().find(|(name, _)| about.is_called(name));
    if let Some((_, severity)) = changed {
        occurrence.verdict.severity = *severity;
    }
    Some(occurrence)
}
