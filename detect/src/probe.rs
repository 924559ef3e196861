//! A look into what judged an entity on a day, taken when that day closes. In: who and when. Out: the
//! generations, and every span with its bits, above a threshold or not. Without a probe it costs nothing.

use crate::{anomaly, budget::Threshold, detectors, engine::Context};
use baseline::{
    Bits, Day, Dimension, Entity, Generation, Held, Hour, Hours, N_PRIORS, Term, Track, Weight,
};
use std::{cmp::Reverse, fmt};

/// Whose days are looked into.
pub struct Probe {
    /// Which entities.
    pub wants: Box<dyn Fn(&Entity) -> bool + Send + Sync>,
    /// Only this day; of others it is told that they have records.
    pub day: Option<Day>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("day", &self.day).finish_non_exhaustive()
    }
}

/// A day on which an entity that is wanted has records.
#[derive(Debug)]
pub struct Look {
    /// Who.
    pub entity: Entity,
    /// When.
    pub day: Day,
    /// What judged it, if the day is wanted.
    pub judged: Option<Box<JudgedDay>>,
}

/// What judged an entity on a day.
#[derive(Debug)]
pub struct JudgedDay {
    /// G(D): what was learned of the entity.
    pub own: Held,
    /// P(D): what was learned of those of its role, of its kind in the account, of the account, of the
    /// organisation; nothing of those that have taught nothing.
    pub groups: [Option<Held>; N_PRIORS],
    /// Days of its own, and of its kind, that stand behind what is said. Unit: days.
    pub history_days: (u32, u32),
    /// Whether it is too new to have habits, and judged by what its kind knows as well.
    pub is_young: bool,
    /// Whether the day teaches an eighth, since something of medium or above was found on the entity.
    pub teaches_less: bool,
    /// What an hour has to carry, by detector of unusual behaviour; nothing where there is not enough
    /// history, or the kind is not judged.
    pub thresholds: Vec<(&'static str, Threshold)>,
    /// What the alert budget asks of its kind, before it is bounded; nothing where too few days are known.
    pub asked: Option<Bits>,
    /// What the day teaches of how high days of its kind reach: the largest threshold under which it would
    /// still be an alert, and what it weighs; nothing where it is not judged.
    pub height: Option<(Bits, Weight)>,
    /// Every hour that has calls, in order: each track that has some, then the context alone.
    pub spans: Vec<JudgedSpan>,
}

/// Calls in the 60 minutes that say the most and end in an hour.
#[derive(Debug)]
pub struct JudgedSpan {
    /// The hour.
    pub hour: Hour,
    /// What the calls can do; of the context alone, which is that of all calls, nothing.
    pub track: Option<Track>,
    /// The most of them in 60 minutes; of all calls the sum over their tracks. Unit: calls.
    pub n_calls: u64,
    /// What its bits are multiplied by. Unit: halves.
    pub weight_halves: u32,
    /// Where the bits come from, already multiplied, the heaviest first; nothing where there is not
    /// enough history.
    pub terms: Vec<Term>,
    /// Which detector judges it; none judges what says nothing of an intruder.
    pub detector: Option<&'static str>,
    /// What it would have to carry. Unit: bits.
    pub needs: Option<f64>,
    /// Whether it carries that, and of a track the deeds their share of it.
    pub is_told: bool,
}

impl JudgedSpan {
    /// The score.
    pub fn bits(&self) -> Bits {
        anomaly::sum(&self.terms)
    }
}

/// What is known of a day that closes.
#[derive(Debug)]
pub(crate) struct Looked<'a> {
    pub(crate) touched: &'a [Hour],
    pub(crate) teaches_less: bool,
    pub(crate) asked: Option<Bits>,
    pub(crate) height: Option<(Bits, Weight)>,
}

impl Probe {
    /// What judged `entity` on `day`, if both are wanted.
    pub(crate) fn look(
        &self,
        (entity, day): (&Entity, Day),
        (usual, hours): (&Generation<'_>, &Hours),
        looked: &Looked<'_>,
        context: &Context,
    ) -> Option<Look> {
        if !(self.wants)(entity) {
            return None;
        }
        let is_wanted = self.day.is_none_or(|wanted| wanted == day);
        let Looked { touched, teaches_less, asked, height } = *looked;
        let judged = is_wanted.then(|| {
            let thresholds: Vec<_> = detectors::unusual()
                .filter_map(|(detector, _)| {
                    let settings = (detector.of_unusual)(&context.options.detectors)?;
                    let needed = anomaly::needed(settings, (entity.kind, usual), asked)?;
                    Some((detector.meta.id, needed))
                })
                .collect();
            let of_hour = |hour: &Hour| spans(*hour, (usual, hours), &thresholds);
            Box::new(JudgedDay {
                own: usual.held(),
                groups: usual.held_of_groups(),
                history_days: (usual.own_days(), usual.group_days()),
                is_young: usual.is_young(),
                teaches_less,
                spans: touched.iter().flat_map(of_hour).collect(),
                thresholds,
                asked,
                height,
            })
        });
        Some(Look { entity: entity.clone(), day, judged })
    }
}

/// Every track that has calls in `hour`, and the context of them all.
fn spans(
    hour: Hour,
    (usual, hours): (&Generation<'_>, &Hours),
    thresholds: &[(&'static str, Threshold)],
) -> Vec<JudgedSpan> {
    let span = hours.span(hour);
    let has_calls = |track: &Track| span.slots_of(Dimension::calls(*track)).next().is_some();
    let tracks: Vec<Track> = Track::all().filter(has_calls).collect();
    let is_judged = !thresholds.is_empty();
    let context = if is_judged { usual.context(&span) } else { Vec::new() };
    let judged = |track: Option<Track>| {
        let all = tracks.iter().filter(|one| track.is_none_or(|track| track == **one));
        let weight_halves = all.clone().map(|one| anomaly::halves(one.impact)).max()?;
        let deeds = track.filter(|_| is_judged).map(|track| usual.deeds(&span, track));
        let deeds = deeds.map(|deeds| anomaly::weighed(deeds, weight_halves));
        let detector = detectors::unusual().find(|(_, watched)| watched.watches(track));
        let detector = detector.map(|(detector, _)| detector.meta.id);
        let needs = thresholds.iter().find(|(id, _)| Some(*id) == detector);
        let needs = needs.map(|(_, threshold)| threshold.bits);
        let is_deed = |needs| deeds.as_ref().is_none_or(|deeds| anomaly::is_deed(deeds, needs));
        let is_deed = needs.is_some_and(is_deed);
        let mut terms = anomaly::weighed(context.clone(), weight_halves);
        terms.extend(deeds.unwrap_or_default());
        terms.sort_by_key(|term| Reverse(term.part.bits));
        let bits = anomaly::sum(&terms).as_f64();
        Some(JudgedSpan {
            hour,
            track,
            n_calls: all.map(|one| span.largest(Dimension::calls(*one))).sum(),
            weight_halves,
            terms,
            detector,
            needs,
            is_told: is_deed && needs.is_some_and(|needs| bits >= needs),
        })
    };
    tracks.iter().copied().map(Some).chain([None]).filter_map(judged).collect()
}
