//! The condition of a rule, made ready: what it says of a record, and what it can say when only a
//! part of the record is known.

use super::{
    fields::Field,
    matcher::{Matcher, Pattern, Value, stands},
    sigma::Edge,
    view::{Facet, Seen, View},
};
use ingest::Text;

/// A condition. Its answer is `None` where what is known does not decide it; of a whole record
/// everything is known.
#[derive(Debug, Clone)]
pub(crate) enum Predicate {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Item(Item),
    /// In the whole record, as its text.
    Keywords {
        patterns: Vec<Pattern>,
        needs_all: bool,
    },
}

/// A field, and what it is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) field: Field,
    pub(crate) needs_all: bool,
    pub(crate) tests: Vec<Test>,
}

/// One comparison.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// By any of the field's values.
    Value(Matcher),
    /// Whether the field has any value. `null` is none.
    Exists(bool),
    /// By any value of another field.
    Field(Edge, Field),
}

impl Predicate {
    /// Whether it holds.
    pub(crate) fn holds(&self, view: &View<'_>) -> Option<bool> {
        match self {
            Self::All(parts) => decided(parts, view, false),
            Self::Any(parts) => decided(parts, view, true),
            Self::Not(part) => part.holds(view).map(|holds| !holds),
            Self::Item(item) => item.holds(view),
            Self::Keywords { patterns, needs_all } => keywords(patterns, *needs_all, view),
        }
    }

    /// Whether what is known leaves room for it.
    pub(crate) fn can_hold(&self, view: &View<'_>) -> bool {
        self.holds(view) != Some(false)
    }

    /// Every field that it compares with something.
    pub(crate) fn items(&self, visit: &mut dyn FnMut(&Item)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.items(visit)),
            Self::Not(part) => part.items(visit),
            Self::Item(item) => visit(item),
            Self::Keywords { .. } => {}
        }
    }

    /// Every field it asks for.
    pub(crate) fn fields(&self, visit: &mut dyn FnMut(&Field)) {
        self.items(&mut |item| {
            visit(&item.field);
            for test in &item.tests {
                if let Test::Field(_, field) = test {
                    visit(field);
                }
            }
        });
    }

    /// Puts what is cheap to ask first.
    pub(crate) fn order(&mut self) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().for_each(Self::order);
                parts.sort_by_cached_key(Self::cost);
            }
            Self::Not(part) => part.order(),
            Self::Item(_) | Self::Keywords { .. } => {}
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Self::Not(part) => part.cost(),
            Self::Item(item) => item.cost(),
            Self::Keywords { .. } => u8::MAX,
        }
    }

    /// Words of which any record that it holds for has one; `None` where it can do without.
    pub(crate) fn words(&self) -> Option<Vec<String>> {
        match self {
            Self::All(parts) => parts.iter().filter_map(Self::words).min_by_key(Vec::len),
            Self::Any(parts) => {
                let all: Option<Vec<_>> = parts.iter().map(Self::words).collect();
                Some(all?.into_iter().flatten().collect())
            }
            Self::Keywords { patterns, needs_all } => {
                let mut words: Vec<String> = patterns.iter().map(Pattern::longest_text).collect();
                if *needs_all {
                    words.sort_by_key(String::len);
                    words.drain(..words.len().saturating_sub(1));
                }
                Some(words)
            }
            Self::Not(_) | Self::Item(_) => None,
        }
    }
}

/// Any part that is `decisive` decides; else all must be known.
fn decided(parts: &[Predicate], view: &View<'_>, decisive: bool) -> Option<bool> {
    let mut is_known = true;
    for part in parts {
        match part.holds(view) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(!decisive)
}

fn keywords(patterns: &[Pattern], needs_all: bool, view: &View<'_>) -> Option<bool> {
    if !view.knows(Facet::Rest) {
        return None;
    }
    let mut is = |pattern: &Pattern| match view.seen() {
        Seen::Record(parts) => pattern.matches_value(Value::Json(Text(parts.event.raw.0))),
        Seen::Flow(_) | Seen::Port(_) => false,
    };
    Some(if needs_all { patterns.iter().all(&mut is) } else { patterns.iter().any(&mut is) })
}

impl Item {
    fn holds(&self, view: &View<'_>) -> Option<bool> {
        if !view.knows(self.field.facet()) && !self.field.is_void(view) {
            return None;
        }
        // One walk for all values, where one of them is enough.
        let mut is = |value: Value<'_>| {
            let value = value.plain();
            self.tests.iter().any(|test| matches!(test, Test::Value(m) if m.matches(value)))
        };
        if !self.needs_all && self.field.any(view, &mut is) {
            return Some(true);
        }
        let is_left = |test: &&Test| self.needs_all || !matches!(test, Test::Value(_));
        let mut is_known = true;
        for test in self.tests.iter().filter(is_left) {
            match self.test(test, view) {
                Some(holds) if holds != self.needs_all => return Some(holds),
                Some(_) => {}
                None => is_known = false,
            }
        }
        is_known.then_some(self.needs_all)
    }

    fn test(&self, test: &Test, view: &View<'_>) -> Option<bool> {
        match test {
            Test::Value(matcher) => Some(self.field.any(view, &mut |value| matcher.matches(value))),
            Test::Exists(wanted) => Some(self.field.any(view, &mut |_| true) == *wanted),
            Test::Field(edge, other) => {
                let is = &mut |value: Value<'_>| {
                    let text = value.text();
                    other.any(view, &mut |other| stands(&text, &other.text(), *edge))
                };
                view.knows(other.facet()).then(|| self.field.any(view, is))
            }
        }
    }

    fn cost(&self) -> u8 {
        let others = self.tests.iter().map(|test| match test {
            Test::Field(_, field) => field.cost() + 1,
            Test::Value(Matcher::Regex(_)) => 2,
            Test::Value(_) | Test::Exists(_) => 0,
        });
        self.field.cost() + others.max().unwrap_or(0)
    }
}
