//! The APIs that a condition is about, told before anything is made of it.

use super::{
    fields::Derived,
    matcher::folded,
    sigma::{Condition, FieldName, Glob, GlobPart, Item, Operand, Test},
};
use std::collections::BTreeSet;

/// What a record's API must be for a condition to hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bond {
    /// `eventName`, folded.
    Name(String),
    /// `sentrail.api`, folded.
    Api(String),
}

/// The only APIs for which a condition about CloudTrail can hold; `None` where it may hold for any.
pub(crate) fn bonds(condition: &Condition) -> Option<BTreeSet<Bond>> {
    match condition {
        Condition::All(parts) => parts.iter().filter_map(bonds).min_by_key(BTreeSet::len),
        Condition::Any(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(bonds).collect();
            Some(all?.into_iter().flatten().collect())
        }
        Condition::Item(item) => of_item(item),
        Condition::Not(_) => None,
    }
}

/// The fields that a condition names, those that it compares with included.
pub(crate) fn fields(condition: &Condition, visit: &mut dyn FnMut(&FieldName)) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                fields(part, visit);
            }
        }
        Condition::Not(part) => fields(part, visit),
        Condition::Item(Item { field, values, .. }) => {
            let compared = values.iter().filter_map(|value| match value {
                Operand::Field(name) => Some(name),
                _ => None,
            });
            field.iter().chain(compared).for_each(visit);
        }
    }
}

fn of_item(Item { field, test, values, .. }: &Item) -> Option<BTreeSet<Bond>> {
    let bond = bond(field.as_ref()?)?;
    let whole = |value: &Operand| match (test, value) {
        (Test::Equals { .. }, Operand::Glob(glob)) => whole(glob).map(bond),
        _ => None,
    };
    values.iter().map(whole).collect()
}

/// What the values of a field are; `None` where they say nothing of the API.
fn bond(field: &FieldName) -> Option<fn(String) -> Bond> {
    match field.path.as_slice() {
        [name] if name.eq_ignore_ascii_case("eventName") => Some(Bond::Name),
        [_, _] if Derived::of(&field.to_string()) == Some(Derived::Api) => Some(Bond::Api),
        _ => None,
    }
}

/// The text that a glob without wildcards is, folded.
fn whole(Glob(parts): &Glob) -> Option<String> {
    let texts = parts.iter().map(|part| match part {
        GlobPart::Text(text) => Some(folded(text)),
        GlobPart::One | GlobPart::Many => None,
    });
    texts.collect()
}
