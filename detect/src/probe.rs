//! A look into what judged an entity on a day, taken when that day closes. In: who and when. Out: the
//! generations, and every span with its bits, above a threshold or not. Without a probe it costs nothing.

use crate::{anomaly, detectors, engine::Context};
use baseline::{
    Bits, Day, Dimension, Entity, Generation, Held, Hour, Hours, N_PRIORS, Term, Track,
};
use std::fmt;

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
    /// The bits that an hour has to carry, by detector of unusual behaviour; nothing where there is not
    /// enough history, or the kind is not judged.
    pub thresholds: Vec<(&'static str, f64)>,
    /// Every hour and track that has calls, in order.
    pub spans: Vec<JudgedSpan>,
}

/// The calls of one track in the 60 minutes that say the most and end in an hour.
#[derive(Debug)]
pub struct JudgedSpan {
    /// The hour.
    pub hour: Hour,
    /// What the calls can do.
    pub track: Track,
    /// The most of them in 60 minutes. Unit: calls.
    pub n_calls: u64,
    /// What its bits are multiplied by. Unit: halves.
    pub weight_halves: u32,
    /// Where the bits come from, already multiplied; nothing where there is not enough history.
    pub terms: Vec<Term>,
    /// Which detector judges it; none judges what says nothing of an intruder.
    pub detector: Option<&'static str>,
    /// What it would have to carry. Unit: bits.
    pub needs: Option<f64>,
}

impl JudgedSpan {
    /// The score.
    pub fn bits(&self) -> Bits {
        self.terms.iter().map(|term| term.part.bits).sum()
    }
}

impl Probe {
    /// What judged `entity` on `day`, if both are wanted.
    pub(crate) fn look(
        &self,
        (entity, day): (&Entity, Day),
        (usual, hours): (&Generation<'_>, &Hours),
        (touched, teaches_less): (&[Hour], bool),
        context: &Context,
    ) -> Option<Look> {
        if !(self.wants)(entity) {
            return None;
        }
        let is_wanted = self.day.is_none_or(|wanted| wanted == day);
        let judged = is_wanted.then(|| {
            let thresholds: Vec<_> = detectors::UNUSUAL
                .iter()
                .filter_map(|unusual| {
                    let settings = (unusual.settings)(&context.options.detectors);
                    let needed = anomaly::needed(settings, entity.kind, usual)?;
                    Some((unusual.id(), needed))
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
            })
        });
        Some(Look { entity: entity.clone(), day, judged })
    }
}

/// Every track that has calls in `hour`.
fn spans(
    hour: Hour,
    (usual, hours): (&Generation<'_>, &Hours),
    thresholds: &[(&'static str, f64)],
) -> Vec<JudgedSpan> {
    let span = hours.span(hour);
    let tracks = Track::all().filter(|track| {
        let calls = Dimension::calls(*track);
        span.slots_of(calls).next().is_some()
    });
    let judged = |track: Track| {
        let detector = detectors::UNUSUAL.iter().find(|unusual| unusual.watched.watches(track));
        let detector = detector.map(detectors::Unusual::id);
        let needs = thresholds.iter().find(|(id, _)| Some(*id) == detector);
        JudgedSpan {
            hour,
            track,
            n_calls: span.largest(Dimension::calls(track)),
            weight_halves: anomaly::halves(track.impact),
            terms: if thresholds.is_empty() {
                Vec::new()
            } else {
                anomaly::terms(&span, usual, track)
            },
            detector,
            needs: needs.map(|(_, bits)| *bits),
        }
    };
    tracks.map(judged).collect()
}
