//! Correlations: what must come together, how often and how fast.

use super::{
    Alias, Bound, Bounds, Correlation, CorrelationKind, FieldName, Head, Line,
    head::{field, fields},
    table::{Faults, Table, shown, text, unknown, wrong},
};
use crate::rules::yaml::{Fault, Kind, Node, Scalar, Value};

/// The shortest and longest `timespan`. Unit: milliseconds.
const TIMESPANS_MS: std::ops::RangeInclusive<i64> = 1_000..=7 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

pub(super) const KEYS: [&str; 7] =
    ["aliases", "condition", "generate", "group-by", "rules", "timespan", "type"];

const BOUNDS: [(&str, Bound); 6] = [
    ("eq", Bound::Equal),
    ("gt", Bound::Greater),
    ("gte", Bound::GreaterOrEqual),
    ("lt", Bound::Less),
    ("lte", Bound::LessOrEqual),
    ("neq", Bound::NotEqual),
];

pub(super) const TYPES: [&str; 4] = ["event_count", "temporal", "temporal_ordered", "value_count"];
/// Types of other readers of Sigma.
const OTHER_TYPES: [&str; 6] =
    ["value_avg", "value_max", "value_median", "value_min", "value_percentile", "value_sum"];

/// Table `correlation` of a document, and its `generate`.
pub(super) fn read(
    document: Table<'_>,
    node: &Node,
    head: Option<Head>,
    faults: &mut Faults,
) -> Option<Correlation> {
    let table = faults.keep(Table::of(node, "correlation"))?;
    faults.keep(table.only(&KEYS));
    let rules = faults.keep(rules(table));
    let group_by = faults.keep(fields(table, "group-by"));
    let timespan_ms = faults.keep(timespan_ms(table));
    let generate = faults.keep(generate(document, table));
    let kind = faults.keep(kind(table, rules.as_deref().unwrap_or_default()));
    let aliases = faults.keep(aliases(table, rules.as_deref()));
    let correlation = Correlation {
        head: head?,
        kind: kind?,
        rules: rules?,
        group_by: group_by?,
        aliases: aliases?,
        timespan_ms: timespan_ms?,
        generate: generate?,
    };
    faults.keep(check_aliases(&correlation))?;
    Some(correlation)
}

fn rules(table: Table<'_>) -> Result<Vec<(Line, String)>, Fault> {
    table.required("rules")?;
    let mut rules: Vec<(Line, String)> = Vec::new();
    for (line, rule) in table.texts("rules")? {
        if rules.iter().any(|(_, earlier)| earlier == rule) {
            let what = format!("rule {} a second time (expected it once)", shown(rule));
            return Err(Fault::new(line, what));
        }
        rules.push((line, rule.to_owned()));
    }
    Ok(rules)
}

/// A number and one letter of `s`, `m`, `h`, `d`, `w`.
fn timespan_ms(table: Table<'_>) -> Result<i64, Fault> {
    let node = table.required("timespan")?;
    let span = text(node, "timespan")?;
    let units = [('s', 1_000), ('m', 60_000), ('h', 3_600_000), ('d', DAY_MS), ('w', 7 * DAY_MS)];
    let read = units.iter().find_map(|(unit, unit_ms)| {
        let digits = span.strip_suffix(*unit)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok().and_then(|n: i64| n.checked_mul(*unit_ms)))
    });
    match read {
        Some(Some(span_ms)) if TIMESPANS_MS.contains(&span_ms) => Ok(span_ms),
        Some(_) => {
            let what = format!("timespan {} (expected 1s to 7d)", shown(span));
            Err(Fault::new(node.line, what))
        }
        None => {
            let what = format!("timespan {} (expected one as 30s, 5m, 2h or 1d)", shown(span));
            Err(Fault::new(node.line, what))
        }
    }
}

/// `generate` stands in the document by the specification, in the table by others.
fn generate(document: Table<'_>, table: Table<'_>) -> Result<bool, Fault> {
    match (document.get("generate"), table.get("generate")) {
        (None, None) => Ok(false),
        (Some(node), None) | (None, Some(node)) => match &node.kind {
            Kind::Scalar(Scalar { value: Value::Bool(generate), .. }) => Ok(*generate),
            _ => Err(wrong(node, "generate", "true or false")),
        },
        (Some(_), Some(node)) => {
            Err(Fault::new(node.line, "\"generate\" a second time (expected it once)"))
        }
    }
}

fn kind(table: Table<'_>, rules: &[(Line, String)]) -> Result<CorrelationKind, Fault> {
    let node = table.required("type")?;
    match text(node, "type")? {
        "event_count" => {
            let condition = Table::of(table.required("condition")?, "condition")?;
            condition.only(&BOUNDS.map(|(name, _)| name))?;
            // A window ends with a match: none at all is never counted.
            Ok(CorrelationKind::EventCount(bounds(condition, 1)?))
        }
        "value_count" => {
            let condition = Table::of(table.required("condition")?, "condition")?;
            let [eq, gt, gte, lt, lte, neq] = BOUNDS.map(|(name, _)| name);
            condition.only(&[eq, "field", gt, gte, lt, lte, neq])?;
            condition.required("field")?;
            Ok(CorrelationKind::ValueCount(fields(condition, "field")?, bounds(condition, 0)?))
        }
        name @ ("temporal" | "temporal_ordered") => {
            if let [(line, _)] = rules {
                let what = format!("{name} of one rule (expected two or more)");
                return Err(Fault::new(*line, what));
            }
            check_all(table, name, rules)?;
            let is_ordered = name == "temporal_ordered";
            Ok(if is_ordered {
                CorrelationKind::TemporalOrdered
            } else {
                CorrelationKind::Temporal
            })
        }
        other if OTHER_TYPES.contains(&other) => {
            let what = format!("type \"{other}\" (not supported; expected {})", TYPES.join(", "));
            Err(Fault::new(node.line, what))
        }
        other => Err(Fault::new(node.line, format!("no type {}", unknown(other, &TYPES)))),
    }
}

/// The bounds of a count that is `least` or more.
fn bounds(condition: Table<'_>, least: u64) -> Result<Bounds, Fault> {
    let mut bounds = Vec::new();
    for (name, bound) in BOUNDS {
        let Some(node) = condition.get(name) else { continue };
        let count = match &node.kind {
            Kind::Scalar(Scalar { value: Value::Int(count), .. }) => u64::try_from(*count).ok(),
            _ => None,
        };
        let count = count.ok_or_else(|| wrong(node, name, "a whole number from 0 on"))?;
        bounds.push((bound, count));
    }
    let bounds = Bounds(bounds);
    if bounds.0.is_empty() {
        let names = BOUNDS.map(|(name, _)| name).join(", ");
        return Err(Fault::new(condition.line, format!("condition without a count ({names})")));
    }
    if bounds.is_empty(least) {
        let what = format!("condition that no count can meet (expected one for {least} or more)");
        return Err(Fault::new(condition.line, what));
    }
    Ok(bounds)
}

impl Bounds {
    /// Whether no count of `least` or more is within all of them.
    fn is_empty(&self, least: u64) -> bool {
        let (mut low, mut high) = (least, u64::MAX);
        for (bound, count) in &self.0 {
            match bound {
                Bound::Less => high = high.min(count.saturating_sub(1)),
                Bound::LessOrEqual => high = high.min(*count),
                Bound::Greater => low = low.max(count.saturating_add(1)),
                Bound::GreaterOrEqual => low = low.max(*count),
                Bound::Equal => (low, high) = (low.max(*count), high.min(*count)),
                Bound::NotEqual => {}
            }
        }
        let excluded = |(bound, count): &(Bound, u64)| *bound == Bound::NotEqual && *count == low;
        low > high
            || self.0.contains(&(Bound::Less, 0))
            || (low == high && self.0.iter().any(excluded))
    }
}

/// A temporal correlation is about all of its rules. A condition may say so, and nothing else.
fn check_all(table: Table<'_>, kind: &str, rules: &[(Line, String)]) -> Result<(), Fault> {
    let Some(node) = table.get("condition") else { return Ok(()) };
    let says_all = match &node.kind {
        Kind::Mapping(_) => {
            let condition = Table::of(node, "condition")?;
            condition.only(&BOUNDS.map(|(name, _)| name))?;
            let Bounds(bounds) = bounds(condition, 0)?;
            let n_rules = rules.len() as u64;
            bounds.iter().all(|(bound, count)| match bound {
                Bound::GreaterOrEqual | Bound::Equal => *count == n_rules,
                Bound::Greater => count.checked_add(1) == Some(n_rules),
                _ => false,
            })
        }
        Kind::Scalar(scalar) => {
            let words: Vec<_> = scalar.text.split_whitespace().collect();
            let mut named: Vec<_> = words.iter().copied().step_by(2).collect();
            let mut joins = words.iter().skip(1).step_by(2);
            let is_chain =
                words.len() % 2 == 1 && joins.all(|word| word.eq_ignore_ascii_case("and"));
            named.sort_unstable();
            let mut names: Vec<_> = rules.iter().map(|(_, rule)| rule.as_str()).collect();
            names.sort_unstable();
            is_chain && named == names
        }
        Kind::Sequence(_) => false,
    };
    if says_all {
        return Ok(());
    }
    let what = format!("condition of {kind} (not supported: leave it out for all of the rules)");
    Err(Fault::new(node.line, what))
}

fn aliases(table: Table<'_>, rules: Option<&[(Line, String)]>) -> Result<Vec<Alias>, Fault> {
    let Some(node) = table.get("aliases") else { return Ok(Vec::new()) };
    let mut aliases = Vec::new();
    for (key, node) in Table::of(node, "aliases")?.entries {
        let mut alias = Alias { name: key.text.clone(), fields: Vec::new() };
        for (rule, node) in Table::of(node, "alias")?.entries {
            let is_known =
                rules.is_none_or(|rules| rules.iter().any(|(_, name)| *name == rule.text));
            if !is_known {
                let what = format!("alias for {} (expected one of \"rules\")", shown(&rule.text));
                return Err(Fault::new(rule.line, what));
            }
            let name = text(node, "field")?;
            alias.fields.push((rule.text.clone(), field(node.line, name)?));
        }
        aliases.push(alias);
    }
    Ok(aliases)
}

/// An alias that nothing groups by or counts is a slip.
fn check_aliases(correlation: &Correlation) -> Result<(), Fault> {
    let counted: &[FieldName] = match &correlation.kind {
        CorrelationKind::ValueCount(fields, _) => fields,
        _ => &[],
    };
    let used: Vec<_> =
        correlation.group_by.iter().chain(counted).map(FieldName::to_string).collect();
    for Alias { name, fields } in &correlation.aliases {
        if !used.contains(name) {
            let line = fields.first().map_or(correlation.head.line, |(_, field)| field.line);
            let what = format!("alias {} that \"group-by\" does not name", shown(name));
            return Err(Fault::new(line, what));
        }
    }
    Ok(())
}
