//! The condition of a document to a predicate.

use super::Faults;
use crate::rules::{
    matcher::{Matcher, Pattern, Range},
    names::Names,
    predicate::{Item, Predicate, Test},
    sigma::{self, Condition, Glob, GlobPart, Line, Logs, Operand},
};

/// Replaces placeholders by what the configuration has for them; where it has nothing, that is written
/// down.
pub(super) fn expand(condition: &mut Condition, names: &Names, faults: &mut Faults<'_>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                expand(part, names, faults);
            }
        }
        Condition::Not(part) => expand(part, names, faults),
        Condition::Item(item) if has_placeholder(item) => {
            let operands = std::mem::take(&mut item.values).into_iter();
            item.values =
                operands.flat_map(|one| expanded(one, item.line, names, faults)).collect();
        }
        Condition::Item(_) => {}
    }
}

fn has_placeholder(item: &sigma::Item) -> bool {
    item.values.iter().any(|value| matches!(value, Operand::Placeholder(_)))
}

fn expanded(operand: Operand, line: Line, names: &Names, faults: &mut Faults<'_>) -> Vec<Operand> {
    let Operand::Placeholder(name) = operand else { return vec![operand] };
    let values = names.placeholders.get(&name).map(Vec::as_slice).unwrap_or_default();
    if values.is_empty() {
        let what = format!("the configuration has no values for the placeholder `%{name}%`");
        faults.add(line, what);
    }
    let literal = |value: &String| Operand::Glob(Glob(vec![GlobPart::Text(value.clone())]));
    values.iter().map(literal).collect()
}

/// The predicate of a condition without placeholders; `None` where something was wrong, which is written down.
pub(super) fn predicate(
    condition: &Condition,
    logs: Logs,
    faults: &mut Faults<'_>,
) -> Option<Predicate> {
    let all = |parts: &[Condition], faults: &mut Faults<'_>| -> Option<Vec<Predicate>> {
        // Every fault is told, not only the first.
        let parts: Vec<_> = parts.iter().map(|part| predicate(part, logs, faults)).collect();
        parts.into_iter().collect()
    };
    Some(match condition {
        Condition::All(parts) => Predicate::All(all(parts, faults)?),
        Condition::Any(parts) => Predicate::Any(all(parts, faults)?),
        Condition::Not(part) => Predicate::Not(Box::new(predicate(part, logs, faults)?)),
        Condition::Item(item) => match &item.field {
            Some(name) => {
                let field = faults.field(name, logs);
                let tests = tests(item, logs, faults);
                let (field, needs_all, tests) = (field?, item.needs_all, tests?);
                Predicate::Item(Item { field, needs_all, tests })
            }
            None => keywords(item, logs, faults)?,
        },
    })
}

fn keywords(item: &sigma::Item, logs: Logs, faults: &mut Faults<'_>) -> Option<Predicate> {
    if logs == Logs::Flow {
        faults.add(item.line, "keywords are for texts; flow logs have fields only");
        return None;
    }
    let sigma::Test::Equals { cased } = item.test else {
        faults.add(item.line, "keywords are looked for as they are; this comparison needs a field");
        return None;
    };
    let mut patterns = Vec::new();
    for operand in &item.values {
        match operand {
            Operand::Glob(glob) => patterns.push(Pattern::anywhere(glob, cased)),
            Operand::Number(number) => {
                let glob = Glob(vec![GlobPart::Text(number.to_string())]);
                patterns.push(Pattern::anywhere(&glob, cased));
            }
            _ => {
                faults.add(item.line, "a keyword is a text");
                return None;
            }
        }
    }
    Some(Predicate::Keywords { patterns, needs_all: item.needs_all })
}

fn tests(item: &sigma::Item, logs: Logs, faults: &mut Faults<'_>) -> Option<Vec<Test>> {
    let made: Vec<_> =
        item.values.iter().map(|operand| test(item, operand, logs, faults)).collect();
    made.into_iter().collect()
}

/// One comparison.
fn test(
    item: &sigma::Item,
    operand: &Operand,
    logs: Logs,
    faults: &mut Faults<'_>,
) -> Option<Test> {
    use sigma::Test::{
        Cidr, Equals, Exists, FieldRef, Greater, GreaterOrEqual, Less, LessOrEqual, Regex,
    };
    let matcher = match (item.test, operand) {
        (Equals { .. }, Operand::Null) => return Some(Test::Exists(false)),
        (Exists, Operand::Bool(exists)) => return Some(Test::Exists(*exists)),
        (FieldRef(edge), Operand::Field(name)) => {
            return faults.field(name, logs).map(|field| Test::Field(edge, field));
        }
        (Equals { cased }, Operand::Glob(glob)) => Matcher::Pattern(Pattern::of(glob, cased)),
        (Equals { .. }, Operand::Number(number)) => Matcher::Number(*number),
        (Equals { .. }, Operand::Bool(wanted)) => Matcher::Bool(*wanted),
        (Regex, Operand::Regex(source)) => faults.note(item.line, Matcher::regex(source))?,
        (Cidr, Operand::Cidr(address, n_bits)) => Matcher::Range(Range::of(*address, *n_bits)),
        (Cidr, Operand::Glob(glob)) => {
            let range = literal(glob).and_then(Range::parse);
            let range = range.ok_or_else(|| "expected a network such as 10.0.0.0/8".to_owned());
            Matcher::Range(faults.note(item.line, range)?)
        }
        (Less, Operand::Number(bound)) => Matcher::Less(*bound),
        (LessOrEqual, Operand::Number(bound)) => Matcher::LessOrEqual(*bound),
        (Greater, Operand::Number(bound)) => Matcher::Greater(*bound),
        (GreaterOrEqual, Operand::Number(bound)) => Matcher::GreaterOrEqual(*bound),
        (test, _) => {
            faults.add(item.line, format!("expected {}", expected(test)));
            return None;
        }
    };
    Some(Test::Value(matcher))
}

fn expected(test: sigma::Test) -> &'static str {
    match test {
        sigma::Test::Equals { .. } => "a text, a number, true, false or null",
        sigma::Test::Regex => "a regular expression",
        sigma::Test::Cidr => "a network such as 10.0.0.0/8",
        sigma::Test::Exists => "true or false",
        sigma::Test::FieldRef(_) => "the name of a field",
        sigma::Test::Less
        | sigma::Test::LessOrEqual
        | sigma::Test::Greater
        | sigma::Test::GreaterOrEqual => "a number",
    }
}

fn literal(glob: &Glob) -> Option<&str> {
    match glob.0.as_slice() {
        [GlobPart::Text(text)] => Some(text),
        _ => None,
    }
}
