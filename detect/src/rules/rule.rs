//! Rules and correlations, made ready.

use super::{
    compile,
    fields::Field,
    names::Names,
    predicate::Predicate,
    sigma::{self, Condition, Head, Logs},
    view::{Seen, View},
};
use std::sync::{Arc, OnceLock};

/// The place of a rule in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleNo(pub(crate) u32);

/// Longest value that a summary or a group holds. Unit: characters.
pub(crate) const VALUE_CHARS_MAX: usize = 200;
/// Values of one field that a summary names. Unit: values.
const VALUES_SHOWN: usize = 3;
/// Values of one field that are looked at. Unit: values.
const VALUES_MAX: usize = 1_000;
/// Things that a record was done to. Unit: values.
const TARGETS_MAX: usize = crate::detector::Verdict::TARGETS_MAX;

/// A rule about single records.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Unique among rules, correlations and detectors.
    pub(crate) id: Arc<str>,
    pub(crate) head: Head,
    pub(crate) logs: Logs,
    /// Its own, and those of filters where it does not ship with the program; without placeholders.
    pub(crate) condition: Condition,
    /// Filters of a rule that ships with the program, all of which must hold for a match to be told.
    pub(crate) filters: Vec<Predicate>,
    /// Of a rule that ships with the program, made when it is first asked for: most APIs never come.
    pub(crate) made: OnceLock<Made>,
    /// Whether a match is told by itself: not where only correlations want it.
    pub(crate) speaks: bool,
}

/// What a rule is asked for when a record may match.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) predicate: Predicate,
    pub(crate) summary: Option<Vec<Piece>>,
    pub(crate) targets: Vec<Field>,
}

impl Made {
    /// Of a rule that cannot be made: it matches nothing.
    fn nothing() -> Self {
        Self { predicate: Predicate::Any(Vec::new()), summary: None, targets: Vec::new() }
    }
}

/// A piece of a summary.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Field(Field),
}

/// A rule about several matches.
#[derive(Debug, Clone)]
pub(crate) struct Correlation {
    /// Unique among rules, correlations and detectors.
    pub(crate) id: Arc<str>,
    /// The document: kind, bounds, timespan.
    pub(crate) document: sigma::Correlation,
    /// In the order of the document.
    pub(crate) members: Vec<Member>,
}

/// A rule that a correlation is about.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) rule: RuleNo,
    /// `group-by`, aliases resolved.
    pub(crate) group_by: Vec<Field>,
    /// Fields whose values are counted.
    pub(crate) counted: Vec<Field>,
    /// The correlation's summary, of a match of this rule.
    pub(crate) summary: Option<Vec<Piece>>,
    /// What a match of this rule was done to: the correlation's fields, else those of the rule.
    pub(crate) targets: Vec<Field>,
}

/// What stands between the values of a group.
const BETWEEN: &str = " / ";

impl Rule {
    fn made(&self) -> &Made {
        // What can be wrong was told when the rule was loaded, or a test fails.
        self.made.get_or_init(|| compile::made(self).unwrap_or_else(|_| Made::nothing()))
    }

    /// Whether it matches.
    pub(crate) fn predicate(&self) -> &Predicate {
        &self.made().predicate
    }

    /// The fields that its words ask for.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let pieces = self.made().summary.iter().flatten().filter_map(|piece| match piece {
            Piece::Field(field) => Some(field),
            Piece::Text(_) => None,
        });
        pieces.chain(&self.made().targets)
    }

    /// Whether a match is told, or only makes what its day teaches weigh less.
    pub(crate) fn is_told(&self, seen: Seen<'_>, names: &Names) -> bool {
        let view = View::whole(seen, names);
        self.filters.iter().all(|filter| filter.holds(&view) == Some(true))
    }

    /// What was done, as the rule's author puts it; `None` where he does not. An absent value is `-`.
    pub(crate) fn summary(&self, seen: Seen<'_>, names: &Names) -> Option<String> {
        Some(filled(self.made().summary.as_ref()?, seen, names).0)
    }

    /// What it was done to.
    pub(crate) fn targets(&self, seen: Seen<'_>, names: &Names) -> Vec<String> {
        targets(&self.made().targets, seen, names)
    }
}

impl Correlation {
    fn member(&self, rule: RuleNo) -> Option<&Member> {
        self.members.iter().find(|member| member.rule == rule)
    }

    /// The group that a match of `rule` belongs to: its values of `group-by`, the first of each.
    /// `None` where one is absent: such a match belongs to no group. Empty without `group-by`.
    pub(crate) fn group(&self, rule: RuleNo, seen: Seen<'_>, names: &Names) -> Option<String> {
        joined(&self.member(rule)?.group_by, &View::whole(seen, names))
    }

    /// What was done, as the correlation's author puts it; `None` where he does not, or where this match
    /// lacks a value: that of another rule may have it.
    pub(crate) fn summary(&self, rule: RuleNo, seen: Seen<'_>, names: &Names) -> Option<String> {
        let (text, is_whole) = filled(self.member(rule)?.summary.as_ref()?, seen, names);
        is_whole.then_some(text)
    }

    /// What a match of `rule` was done to.
    pub(crate) fn targets(&self, rule: RuleNo, seen: Seen<'_>, names: &Names) -> Vec<String> {
        self.member(rule).map_or_else(Vec::new, |member| targets(&member.targets, seen, names))
    }

    /// The values that a match of `rule` adds to those that are counted: of one field all, of
    /// several the first of each, together.
    pub(crate) fn counted(&self, rule: RuleNo, seen: Seen<'_>, names: &Names) -> Vec<String> {
        let view = View::whole(seen, names);
        match self.member(rule).map(|member| member.counted.as_slice()) {
            None | Some([]) => Vec::new(),
            Some([field]) => values(field, &view),
            Some(fields) => joined(fields, &view).into_iter().collect(),
        }
    }
}

fn targets(fields: &[Field], seen: Seen<'_>, names: &Names) -> Vec<String> {
    let view = View::whole(seen, names);
    let mut targets: Vec<String> = Vec::new();
    for value in fields.iter().flat_map(|field| values(field, &view)) {
        if targets.len() < TARGETS_MAX && !targets.contains(&value) {
            targets.push(value);
        }
    }
    targets
}

/// A summary with its values, and whether none is absent.
fn filled(pieces: &[Piece], seen: Seen<'_>, names: &Names) -> (String, bool) {
    let view = View::whole(seen, names);
    let mut is_whole = true;
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field(field) => {
            let values = values(field, &view);
            is_whole &= !values.is_empty();
            shown(&values)
        }
    });
    (pieces.collect(), is_whole)
}

fn joined(fields: &[Field], view: &View<'_>) -> Option<String> {
    let firsts = fields.iter().map(|field| {
        let mut first = None;
        field.any(view, &mut |value| {
            first = Some(bounded(&value.text()));
            true
        });
        first
    });
    Some(firsts.collect::<Option<Vec<_>>>()?.join(BETWEEN))
}

/// The distinct values of a field, in order of appearance.
fn values(field: &Field, view: &View<'_>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    field.any(view, &mut |value| {
        let value = bounded(&value.text());
        if !values.contains(&value) {
            values.push(value);
        }
        values.len() >= VALUES_MAX
    });
    values
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn shown(values: &[String]) -> String {
    match values.split_at_checked(VALUES_SHOWN) {
        None if values.is_empty() => "-".to_owned(),
        None | Some((_, [])) => values.join(", "),
        Some((first, more)) => format!("{} and {} more", first.join(", "), more.len()),
    }
}
