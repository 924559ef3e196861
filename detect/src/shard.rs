//! One slice of the entities: a plain value that knows no clock, no lock and no I/O.

use crate::{
    anomaly, budget,
    chunk::Chunk,
    detector::{Case, Detector, Severity, Verdict},
    detectors::DETECTORS,
    engine::{Context, Options},
    facts::Facts,
    finding::FindingId,
    hear::Withheld,
    priors::{Group, Priors},
    probe::{Look, Looked},
    stage::{Stage, timed},
    touched::{Told, Touched},
    watch::{Judge, Judged, Memory, Sighting},
};
use baseline::{
    Aggregate, Bits, Day, Days, Dimension, Entity, Gathered, HeightHistory, Hour, Kind, Lateness,
    Piece, Profile, Profiles, Value, Weight, ids_beside, lacks,
};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

/// The profiles of its entities, and what rules matched of them.
#[derive(Debug, PartialEq)]
pub(crate) struct Shard {
    pub(crate) profiles: Profiles,
    pub(crate) matches: Memory,
    /// What every closed day has taught, where it is to be judged in hindsight.
    pub(crate) days: BTreeMap<u128, Days>,
}

/// A judged hour that stands above its threshold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Occurrence {
    /// Who spoke, by number in the catalogue.
    pub(crate) speaker: usize,
    /// Of the profile: of one entity each flow log has one.
    pub(crate) id: u128,
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
    /// How high the judged days of identities reached.
    pub(crate) heights: Vec<(Kind, (Bits, Weight))>,
    /// Whose day closed, where changes are noted.
    pub(crate) ids: Vec<u128>,
    /// What alerted days held back, where changes are noted.
    pub(crate) withheld: Vec<Withheld>,
    /// On whom alerts of built-in rules opened, and of which.
    alerted: BTreeMap<u128, BTreeSet<usize>>,
}

/// What is said of open days.
pub(crate) type OfDays = BTreeMap<Day, Vec<Occurrence>>;

/// What is known of all when a day is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) priors: &'a Priors,
    pub(crate) heights: &'a HeightHistory,
    pub(crate) facts: &'a Facts,
}

impl Shard {
    /// Nothing yet.
    pub(crate) fn new(options: &Options) -> Self {
        let profiles = Profiles::new(options.lateness, options.hash_key);
        let matches = Memory::new(options.hash_key);
        Self { profiles, matches, days: BTreeMap::new() }
    }

    /// Counts what some records say of one entity.
    pub(crate) fn apply(
        &mut self,
        (aggregate, chunk): (&Aggregate, &Chunk),
        oldest_open: Day,
        (context, priors): (&Context, &Priors),
    ) {
        let lateness = context.options.lateness;
        let Aggregate { entity, id, .. } = aggregate;
        let new = || {
            let lessons = context.options.lessons.on(entity.id());
            (entity.clone(), Profile::with_lessons(lessons, oldest_open, lateness))
        };
        let first = |row| chunk.first(row);
        let group_days = |through| priors.n_days(entity, through);
        self.profiles.with_new(*id, new, |_, profile| {
            profile.apply(aggregate, (&first, &group_days), (oldest_open, lateness));
        });
    }

    /// Counts matches of rules.
    pub(crate) fn sight(&mut self, sightings: &[&Sighting<'_>]) {
        for sighting in sightings {
            self.matches.add(sighting);
        }
        self.matches.rest();
    }

    /// The first day before `oldest_open` that is still open.
    pub(crate) fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        let days = self.profiles.first_closing(oldest_open).into_iter();
        days.chain(self.matches.first_closing(oldest_open)).min()
    }

    /// Judges what rules matched on `day`, which closes.
    pub(crate) fn close_matches(
        &mut self,
        day: Day,
        context: &Context,
        known: Known<'_>,
    ) -> Closing {
        let judged = self.judge_matches((day, None), (context, known.priors));
        self.matches.close(day);
        let alerted = alerted(&judged);
        Closing { occurrences: told(judged, context).collect(), alerted, ..Closing::default() }
    }

    /// Judges and closes `day` of the profiles that are held and have it open.
    pub(crate) fn close_profiles(
        &mut self,
        (day, closing): (Day, &mut Closing),
        context: &Context,
        known: Known<'_>,
    ) {
        let priors = known.priors;
        let lateness = context.options.lateness;
        let Self { profiles, days, matches: _ } = self;
        profiles.close(day, |id, entity, profile| {
            let group = Group::of(entity);
            let asked = known.asked((entity, day), context);
            let found = timed(Stage::Judge, || {
                known.settle((entity, profile), day, lateness);
                judge((id, entity, asked), profile, (day, None), (context, known))
            });
            let mut alerts = found.alerts;
            alerts.extend(closing.alerted.get(&id).into_iter().flatten());
            closing.occurrences.extend(found.occurrences);
            let height = found.height.map(|height| (height, weight_of_height(&alerts)));
            closing.heights.extend(height.map(|height| (entity.kind, height)));
            if let Some(probe) = &context.probe {
                let touched = profile.touched(day, day);
                let usual = profile.generation(day, priors.of(&group), lateness);
                let looked =
                    Looked { touched: &touched, teaches_less: !alerts.is_empty(), asked, height };
                let usual = (&usual.0, usual.1);
                closing.looks.extend(probe.look((entity, day), usual, &looked, context));
            }
            let is_plain = alerts.is_empty() || lacks(Piece::Alerted);
            let weight = if is_plain { Weight::PLAIN } else { Weight::ALERTED };
            let taught = timed(Stage::Teach, || profile.close(day, weight, lateness));
            if context.notes_changes {
                closing.ids.push(id);
            }
            if context.notes_changes && !is_plain {
                let findings = findings_of(&alerts, (entity, day), context);
                closing.withheld.push(Withheld::of((id, day), findings, &taught));
            }
            if context.remembers_days {
                days.entry(id).or_default().add(day, &taught);
            }
            if let Some(since) = plain_from(&alerts, (entity, day), context) {
                profile.make_good(since, &taught);
            }
            timed(Stage::Teach, || closing.taught.entry(group).or_default().add(taught));
        });
    }

    /// Judges what rules matched on a day, all or what is wanted, by watch and id.
    fn judge_matches(
        &mut self,
        (day, wanted): (Day, Option<&BTreeSet<(u32, u128)>>),
        (context, priors): (&Context, &Priors),
    ) -> Vec<Judged> {
        let Self { profiles, matches, days: _ } = self;
        let lateness = context.options.lateness;
        let mut with_usual = |id, judge: Judge<'_>| {
            let with_usual = |entity: &Entity, profile: &mut Profile| {
                let priors = priors.of(&Group::of(entity));
                judge(Some(&profile.generation(day, priors, lateness).0));
            };
            let known = if profiles.inherits(id) {
                profiles.rehearse(id, with_usual)
            } else {
                profiles.with(id, with_usual)
            };
            if known.is_none() {
                judge(None);
            }
        };
        timed(Stage::Watches, || matches.judge((day, wanted), context, &mut with_usual))
    }

    /// Whom [`Self::judge_open_matches`] judges.
    pub(crate) fn matched_beside(&self, touched: &Touched) -> BTreeSet<u128> {
        self.matches.beside(&touched.matches_until(Day(i32::MAX))).collect()
    }

    /// What would be said of what rules matched on open days, of which something was touched, if these closed
    /// now. It changes nothing.
    pub(crate) fn judge_open_matches(
        &mut self,
        touched: &Touched,
        oldest_open: Day,
        (context, known): (&Context, Known<'_>),
    ) -> OfDays {
        let lateness = context.options.lateness;
        let is_complete = |day: &Day| lateness.is_complete(*day, oldest_open);
        let mut occurrences = OfDays::new();
        let days: Vec<Day> = self.matches.open_days().take_while(is_complete).collect();
        for day in days {
            let wanted = touched.matches_until(day);
            let judged = self.judge_matches((day, Some(&wanted)), (context, known.priors));
            occurrences.entry(day).or_default().extend(told(judged, context));
        }
        occurrences
    }

    /// The same of the open days of profiles, from the hour on in which each was touched.
    pub(crate) fn judge_open(
        &mut self,
        (touched, told_of): (&[(u128, Hour)], &mut Told),
        oldest_open: Day,
        (context, known): (&Context, Known<'_>),
    ) -> OfDays {
        let lateness = context.options.lateness;
        let is_complete = |day: &Day| lateness.is_complete(*day, oldest_open);
        let mut occurrences = OfDays::new();
        for &(id, from) in touched {
            self.profiles.rehearse(id, |entity, profile| {
                let days: Vec<Day> = profile.open_days().take_while(is_complete).collect();
                for day in days {
                    // The first hour of a day reaches into the day before.
                    known.settle((entity, profile), day, lateness);
                    if day < from.day() {
                        continue;
                    }
                    let asked = known.asked((entity, day), context);
                    let found =
                        judge((id, entity, asked), profile, (day, Some(from)), (context, known));
                    for one in found.occurrences {
                        told_of.entry((id, one.hour)).or_default().push(one);
                    }
                    // What other logs say of the entity is part of the same findings.
                    let beside = ids_beside(id);
                    let (first, last) = (Hour(i32::MIN), Hour(i32::MAX));
                    let told = told_of.range((*beside.start(), first)..=(*beside.end(), last));
                    let told = told.filter(|((_, hour), _)| hour.day() == day);
                    let told = told.flat_map(|(_, told)| told).cloned();
                    occurrences.entry(day).or_default().extend(told);
                }
            });
        }
        occurrences
    }

    /// After the days before `oldest_open` were closed.
    pub(crate) fn advance(&mut self, oldest_open: Day, context: &Context) {
        self.profiles.advance(oldest_open);
        self.matches.advance(oldest_open, context.options.rules.watches());
    }

    /// Matches that were left out. Unit: matches.
    pub(crate) fn n_matches_dropped(&self) -> u64 {
        self.matches.n_dropped
    }

    /// The profiles of an entity, by their ids.
    pub(crate) fn ids_beside(&self, id: u128) -> impl Iterator<Item = u128> {
        self.profiles.ids_beside(id)
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.profiles.entities()
    }

    pub(crate) fn n_entities(&self) -> usize {
        self.profiles.n_all()
    }
}

impl Known<'_> {
    /// Makes a day of a profile ready to be judged.
    fn settle(self, (entity, profile): (&Entity, &mut Profile), day: Day, lateness: Lateness) {
        let group_days = || self.priors.n_days(entity, lateness.prior_through(day));
        profile.settle(day, entity.kind.has_habits().then(group_days), lateness);
    }

    /// What the alert budget asks of an entity on a day.
    fn asked(self, (entity, day): (&Entity, Day), context: &Context) -> Option<Bits> {
        let Options { lateness, alerts_per_day, .. } = context.options;
        let heights = self.heights.at(lateness.prior_through(day));
        let asked = budget::asked(heights, entity.kind, alerts_per_day);
        asked.filter(|_| entity.kind.has_habits())
    }
}

/// On whom alerts of built-in rules opened, and of which.
fn alerted(judged: &[Judged]) -> BTreeMap<u128, BTreeSet<usize>> {
    let mut alerted: BTreeMap<u128, BTreeSet<usize>> = BTreeMap::new();
    for Judged { id, speaker, .. } in judged.iter().filter(|judged| judged.teaches_less) {
        alerted.entry(*id).or_default().insert(*speaker);
    }
    alerted
}

/// What is told of what watches said.
fn told(judged: Vec<Judged>, context: &Context) -> impl Iterator<Item = Occurrence> {
    let occurrences = judged.into_iter().filter_map(|judged| judged.occurrence);
    occurrences.filter_map(|one| admitted(one, context))
}

struct Found {
    occurrences: Vec<Occurrence>,
    /// Who makes the day teach less.
    alerts: BTreeSet<usize>,
    /// The largest threshold under which unusual behaviour would still be an alert; nothing where it is not
    /// judged.
    height: Option<Bits>,
}

/// What detectors say of the hours of a day: of those from one of them on, if it is still open.
fn judge(
    (id, entity, asked): (u128, &Entity, Option<Bits>),
    profile: &mut Profile,
    (day, open_from): (Day, Option<Hour>),
    (context, known): (&Context, Known<'_>),
) -> Found {
    let mut found = Found { occurrences: Vec::new(), alerts: BTreeSet::new(), height: None };
    let mut touched = profile.touched(day, day);
    let closes_in = touched.last().copied().filter(|_| open_from.is_none());
    touched.retain(|hour| open_from.is_none_or(|from| *hour >= from));
    let priors = known.priors.of(&Group::of(entity));
    let (usual, hours) = profile.generation(day, priors, context.options.lateness);
    let facts = known.facts.of(&entity.account);
    let settings = &context.options.detectors;
    let by_default = anomaly::needed_by_default((entity.kind, &usual));
    found.height = by_default.map(|_| Bits::ZERO);
    for hour in touched {
        let span = hours.span(hour);
        let cell = OnceCell::new();
        let enrich = &context.enrich;
        let case = Case { entity, span, usual: &usual, facts, enrich, asked, context: &cell };
        for (n, detector) in DETECTORS.iter().enumerate() {
            if detector.meta.is_at_close() && closes_in != Some(hour) {
                continue;
            }
            let told = (detector.judge)(settings, &case);
            // What is learned follows the defaults, and no budget: settings change what is told.
            let is_alert = match (detector.meta.unusual(), by_default) {
                (Some(watched), Some(needed)) => {
                    let reach = anomaly::reach(watched, &case);
                    found.height = found.height.max(Some(reach));
                    reach.as_f64() >= needed.bits
                }
                _ => alerts(told.as_ref(), detector, &case, context),
            };
            if is_alert {
                found.alerts.insert(n);
            }
            let Some(verdict) = told else { continue };
            let (own_days, group_days) = (usual.own_days(), usual.group_days());
            let entity = entity.clone();
            let dimensions = verdict.parts.iter().map(|part| part.dimension).collect();
            let news = usual.unknown_values(&span, &dimensions);
            let occurrence =
                Occurrence { speaker: n, id, entity, hour, verdict, own_days, group_days, news };
            found.occurrences.extend(admitted(occurrence, context));
        }
    }
    found
}

/// Whether a detector would alert under its default settings, that told this under those in force.
fn alerts(told: Option<&Verdict>, detector: &Detector, case: &Case<'_>, context: &Context) -> bool {
    let is_loud = |verdict: &Verdict| verdict.severity >= Severity::Medium;
    match &context.default_detectors {
        None => told.is_some_and(is_loud),
        Some(defaults) => (detector.judge)(defaults, case).as_ref().is_some_and(is_loud),
    }
}

/// What the height of a day weighs: less where others than the detectors of unusual behaviour found
/// something. That these did says how high it was, not that it was an intruder's.
fn weight_of_height(alerts: &BTreeSet<usize>) -> Weight {
    let is_unusual = |n: &usize| DETECTORS.get(*n).is_some_and(|one| one.meta.unusual().is_some());
    if alerts.iter().all(is_unusual) { Weight::PLAIN } else { Weight::ALERTED }
}

/// The day from which on `day` counts as one like any other for an entity, though `alerts` opened on it.
fn plain_from(
    alerts: &BTreeSet<usize>,
    (entity, day): (&Entity, Day),
    context: &Context,
) -> Option<Day> {
    context.options.lessons.plain_from(findings_of(alerts, (entity, day), context))
}

/// The ids of what these say of an entity on a day.
fn findings_of<'a>(
    alerts: &'a BTreeSet<usize>,
    (entity, day): (&'a Entity, Day),
    context: &'a Context,
) -> impl Iterator<Item = FindingId> + 'a {
    let catalogue = context.options.rules.catalogue();
    let alerts = alerts.iter().filter_map(|speaker| catalogue.get(*speaker));
    alerts.map(move |about| FindingId::of(&about.id, entity, day))
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
