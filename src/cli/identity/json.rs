//! What judged a day as JSON: `docs/identity.md` explains every field.

use super::date;
use alerts::{Inputs, readable, write_json};
use baseline::{Bits, Day, Entity, Held, HeldDimension, HeldValue, Term, Weight};
use detect::{JudgedDay, JudgedSpan};
use ingest::time::format_ms;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Version of the form: it grows when a field goes or changes its meaning, not when one comes.
const VERSION: u32 = 1;

/// Writes one line.
pub(super) fn write(
    out: &mut impl Write,
    (entity, day, judged): (&Entity, Day, &JudgedDay),
    inputs: &Inputs,
) -> io::Result<()> {
    let [role, kind, account, organisation] = &judged.groups;
    let of_group = |group: &Option<Held>| group.as_ref().map_or(Value::Null, held);
    let needs = judged.thresholds.iter();
    let needs = needs.map(|(id, threshold)| ((*id).to_owned(), json!(threshold.bits)));
    let (own_days, kind_days) = judged.history_days;
    let value = json!({
        "version": VERSION,
        "account": &*entity.account,
        "entity": {
            "kind": entity.kind.name(),
            "key": &*entity.key,
            "name": readable(entity),
        },
        "day": date(day),
        "history": { "own_days": own_days, "kind_days": kind_days },
        "is_judged": !judged.thresholds.is_empty(),
        "is_young": judged.is_young,
        "teaches": if judged.teaches_less { 0.125 } else { 1.0 },
        "thresholds": needs.collect::<serde_json::Map<_, _>>(),
        "budget_asks": judged.asked.map(Bits::as_f64),
        "height": judged.height.map(height),
        "spans": judged.spans.iter().map(span).collect::<Vec<_>>(),
        "own": held(&judged.own),
        "role": of_group(role),
        "kind": of_group(kind),
        "of_account": of_group(account),
        "organisation": of_group(organisation),
        "inputs": inputs,
    });
    write_json(out, &value)?;
    out.write_all(b"\n")
}

fn height((bits, weight): (Bits, Weight)) -> Value {
    let weight = if weight == Weight::PLAIN { 1.0 } else { 0.125 };
    json!({ "bits": bits.as_f64(), "weight": weight })
}

fn span(span: &JudgedSpan) -> Value {
    json!({
        "hour": format_ms(span.hour.start_ms()),
        "impact": span.track.map(|track| track.impact.name()),
        "is_s3": span.track.map(|track| track.is_s3),
        "calls": span.n_calls,
        "weight": f64::from(span.weight_halves) / 2.0,
        "bits": span.bits().as_f64(),
        "needs": span.needs,
        "detector": span.detector,
        "is_told": span.is_told,
        "parts": span.terms.iter().map(part).collect::<Vec<_>>(),
    })
}

fn part(term: &Term) -> Value {
    json!({
        "dimension": term.part.dimension.name(),
        "bits": term.part.bits.as_f64(),
        "observed": term.part.observed,
        "usual": term.part.usual,
        "values": term.values,
    })
}

fn held(held: &Held) -> Value {
    let dimensions =
        held.dimensions.iter().map(|one| (one.dimension.name().to_owned(), memory(one)));
    json!({
        "through": date(held.through),
        "days": held.n_days,
        "decayed_days": held.decayed_days,
        "hours": held.hours,
        "judged_hours": held.judged_hours,
        "dimensions": dimensions.collect::<serde_json::Map<_, _>>(),
    })
}

fn memory(one: &HeldDimension) -> Value {
    let rate = one.rate;
    let mean = if rate.hours > 0.0 { rate.sum / rate.hours } else { 0.0 };
    json!({
        "rate": {
            "hours": rate.hours,
            "sum": rate.sum,
            "sum_squares": rate.sum_squares,
            "mean": mean,
        },
        "after_alerts": one.after_alerts,
        "values": one.values.iter().map(value).collect::<Vec<_>>(),
    })
}

fn value(held: &HeldValue) -> Value {
    json!({
        "value": &*held.value.text,
        "weight": f64::from(held.weight_eighths) / 8.0,
        "days": held.days,
        "members": held.n_members,
        "is_known": held.is_known,
    })
}
