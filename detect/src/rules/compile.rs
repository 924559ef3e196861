//! Documents to rules: names of fields resolved, values made ready, filters put where they belong,
//! references followed. What is wrong is told with its line, and costs its document only.

mod condition;
mod references;
mod twins;

use self::references::References;
use super::{
    fields::Field,
    names::Names,
    predicate::Predicate,
    rule::{Correlation, Made, Member, Piece, Rule, RuleNo},
    set::{Applied, RuleSet},
    sigma::{
        self, Condition, CorrelationKind, Detection, Document, FieldName, Filter, Head, Line, Logs,
        RuleError, Unused, UnusedKind, Why,
    },
};
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

/// Rules and correlations of one set. Unit: documents.
pub const DOCUMENTS_MAX: usize = 10_000;

/// What is wrong with one document.
struct Faults<'d> {
    file: &'d Arc<str>,
    errors: Vec<RuleError>,
}

impl<'d> Faults<'d> {
    fn of(file: &'d Arc<str>) -> Self {
        Self { file, errors: Vec::new() }
    }

    fn add(&mut self, line: Line, what: impl Into<String>) {
        self.errors.push(RuleError::fault(self.file, line, what));
    }

    /// The value; an error is written down.
    fn note<T>(&mut self, line: Line, result: Result<T, String>) -> Option<T> {
        result.map_err(|what| self.add(line, what)).ok()
    }

    fn field(&mut self, name: &FieldName, logs: sigma::Logs) -> Option<Field> {
        self.note(name.line, Field::of(name, logs))
    }
}

impl RuleSet {
    /// Makes documents ready. The order of the documents does not change what rules say.
    pub(crate) fn compile(documents: Vec<Document>, names: Names) -> (Self, Vec<RuleError>) {
        let mut errors = Vec::new();
        let mut references = References::of(&documents, &mut errors);
        let (mut rules, mut correlations, mut filters) = (Vec::new(), Vec::new(), Vec::new());
        let mut unused = Vec::new();
        for (document, id) in documents.into_iter().zip(references.ids()) {
            match (document, id) {
                (Document::Detection(document), Some(id)) => match rule(document, id, &names) {
                    Ok(rule) => rules.push(rule),
                    Err(found) => errors.extend(found),
                },
                (Document::Correlation(document), Some(id)) => correlations.push((document, id)),
                (Document::Filter(filter), _) => filters.push(filter),
                (document, _) => unused.push(document.refused()),
            }
        }
        twins::refuse_rules(&mut rules, &correlations, &mut references, &mut errors);
        let mut applied = Vec::new();
        for filter in filters {
            match apply(&filter, &mut rules, &references, &names) {
                Ok(to) => {
                    let Filter { file, samples, .. } = filter;
                    applied.push(Applied { file, to, samples });
                }
                Err(found) => errors.extend(found),
            }
        }
        let mut made = Vec::new();
        for (document, id) in correlations {
            match correlation(&document, id, &rules, &references) {
                Ok(correlation) => made.push(correlation),
                Err(mut found) => {
                    let document = Document::Correlation(document).refused();
                    if wanted(&document, &rules, &references).next().is_some() {
                        RuleError::says_silence(&mut found);
                    }
                    errors.extend(found);
                    unused.push(document);
                }
            }
        }
        unused.extend(twins::refuse_correlations(&mut made, &rules, &mut errors));
        let silent: Vec<_> =
            unused.iter().flat_map(|document| wanted(document, &rules, &references)).collect();
        hush(&mut rules, &made, silent);
        errors.sort();
        (Self::new(rules, made, names).with_filters(applied), errors)
    }
}

fn rule(document: Detection, id: Arc<str>, names: &Names) -> Result<Rule, Vec<RuleError>> {
    let Detection { head, logs, mut condition } = document;
    let mut faults = Faults::of(&head.file);
    condition::expand(&mut condition, names, &mut faults);
    let mut errors = faults.errors;
    let (filters, made) = (Vec::new(), OnceLock::new());
    let rule = Rule { id, head, logs, condition, filters, made, speaks: true };
    if rule.head.is_built_in() {
        return if errors.is_empty() { Ok(rule) } else { Err(errors) };
    }
    match self::made(&rule) {
        Ok(made) if errors.is_empty() => Ok(Rule { made: made.into(), ..rule }),
        made => {
            errors.extend(made.err().unwrap_or_default());
            Err(errors)
        }
    }
}

/// What a rule is asked for.
pub(super) fn made(rule: &Rule) -> Result<Made, Vec<RuleError>> {
    let Rule { head, logs, condition, .. } = rule;
    let mut faults = Faults::of(&head.file);
    let predicate = condition::predicate(condition, *logs, &mut faults);
    let summary = summary(head, *logs, &mut faults);
    let targets = head.notes.targets.iter().filter_map(|name| faults.field(name, *logs)).collect();
    match predicate {
        Some(mut predicate) if faults.errors.is_empty() => {
            predicate.order();
            Ok(Made { predicate, summary, targets })
        }
        _ => Err(faults.errors),
    }
}

fn summary(head: &Head, logs: Logs, faults: &mut Faults<'_>) -> Option<Vec<Piece>> {
    let pieces = head.notes.summary.as_ref()?.0.iter().filter_map(|piece| match piece {
        sigma::Piece::Text(text) => Some(Piece::Text(text.clone())),
        sigma::Piece::Field(name) => faults.field(name, logs).map(Piece::Field),
    });
    Some(pieces.collect())
}

/// Puts the condition of a filter to the rules that it names, and says which these are.
fn apply(
    filter: &Filter,
    rules: &mut [Rule],
    references: &References,
    names: &Names,
) -> Result<Vec<RuleNo>, Vec<RuleError>> {
    let mut faults = Faults::of(&filter.file);
    let mut condition = filter.condition.clone();
    condition::expand(&mut condition, names, &mut faults);
    let mut predicate = condition::predicate(&condition, filter.logs, &mut faults);
    predicate.iter_mut().for_each(Predicate::order);
    let mut wanted: Vec<RuleNo> = Vec::new();
    match &filter.rules {
        None => {
            let numbered = (0..).map(RuleNo).zip(rules.iter());
            let same = numbered.filter(|(_, rule)| rule.logs == filter.logs);
            wanted.extend(same.map(|(no, _)| no));
        }
        Some(named) => {
            for (line, name) in named {
                let found = faults.note(*line, references.rule(name, &filter.file, rules));
                let logs = found.and_then(|no| rules.get(no.0 as usize)).map(|rule| rule.logs);
                if logs.is_some_and(|logs| logs != filter.logs) {
                    faults
                        .add(*line, format!("the rule `{name}` reads other logs than the filter"));
                }
                wanted.extend(found);
            }
        }
    }
    if !faults.errors.is_empty() {
        return Err(faults.errors);
    }
    for no in &wanted {
        if let Some(rule) = rules.get_mut(no.0 as usize) {
            if rule.head.is_built_in() {
                rule.filters.extend(predicate.clone());
                continue;
            }
            let own = std::mem::replace(&mut rule.condition, Condition::Any(Vec::new()));
            rule.condition = Condition::All(vec![own, condition.clone()]);
            rule.made = OnceLock::new();
        }
    }
    Ok(wanted)
}

fn correlation(
    document: &sigma::Correlation,
    id: Arc<str>,
    rules: &[Rule],
    references: &References,
) -> Result<Correlation, Vec<RuleError>> {
    let mut faults = Faults::of(&document.head.file);
    let mut others = document.rules.iter().map(|(line, name)| (line, references.other(name)));
    if let Some((line, Some(logs))) = others.find(|(_, logs)| logs.is_some()) {
        let what = format!("sentrail does not read the logs of its rules: {logs}");
        let error = RuleError::fault(&document.head.file, *line, what);
        return Err(vec![RuleError { why: Why::OtherLogs(logs.to_owned()), ..error }]);
    }
    let mut members: Vec<Member> = Vec::new();
    for (line, name) in &document.rules {
        let found = faults.note(*line, references.rule(name, &document.head.file, rules));
        let Some((rule, logs)) = found.and_then(|no| Some((no, rules.get(no.0 as usize)?.logs)))
        else {
            continue;
        };
        let fields = |names: &[FieldName], faults: &mut Faults<'_>| -> Vec<Field> {
            let aliased = names.iter().filter_map(|field| aliased(document, field, name, faults));
            let aliased: Vec<FieldName> = aliased.collect();
            aliased.iter().filter_map(|field| faults.field(field, logs)).collect()
        };
        let group_by = fields(&document.group_by, &mut faults);
        let counted = match &document.kind {
            CorrelationKind::ValueCount(names, _) => fields(names, &mut faults),
            _ => Vec::new(),
        };
        if members.iter().any(|member| member.rule == rule) {
            faults.add(*line, format!("the rule `{name}` is named twice"));
        }
        let summary = summary(&document.head, logs, &mut faults);
        let targets = match document.head.notes.targets.as_slice() {
            [] => {
                let names = rules.get(rule.0 as usize).map(|rule| &rule.head.notes.targets);
                let names = names.into_iter().flatten();
                names.filter_map(|name| faults.field(name, logs)).collect()
            }
            own => fields(own, &mut faults),
        };
        members.push(Member { rule, group_by, counted, summary, targets });
    }
    let errors = faults.errors;
    if errors.is_empty() {
        Ok(Correlation { id, document: document.clone(), members })
    } else {
        Err(errors)
    }
}

/// The field that a name of `group-by` stands for in the rule that is referred to as `rule`.
fn aliased(
    document: &sigma::Correlation,
    name: &FieldName,
    rule: &str,
    faults: &mut Faults<'_>,
) -> Option<FieldName> {
    let full = name.to_string();
    let Some(alias) = document.aliases.iter().find(|alias| alias.name == full) else {
        return Some(name.clone());
    };
    let found = alias.fields.iter().find(|(of, _)| of == rule).map(|(_, field)| field.clone());
    if found.is_none() {
        faults.add(name.line, format!("the alias `{full}` has no field for the rule `{rule}`"));
    }
    found
}

/// The rules that only this correlation wants, which is not in force.
fn wanted<'d>(
    document: &'d Document,
    rules: &'d [Rule],
    references: &'d References,
) -> impl Iterator<Item = RuleNo> + 'd {
    let (file, names) = match document {
        Document::Unused(Unused { file, kind: UnusedKind::Correlation(names), .. }) => {
            (Some(file), names.as_slice())
        }
        _ => (None, [].as_slice()),
    };
    let found = file.into_iter().flat_map(move |file| {
        names.iter().filter_map(move |name| references.rule(name, file, rules).ok())
    });
    // Nobody's correlation takes a rule out of force that ships with the program.
    found.filter(|no| rules.get(no.0 as usize).is_some_and(|rule| !rule.head.is_built_in()))
}

/// Rules that only correlations want do not speak for themselves, whether these are in force or not.
fn hush(rules: &mut [Rule], correlations: &[Correlation], silent: Vec<RuleNo>) {
    let members = |generates: bool| -> BTreeSet<RuleNo> {
        let of = correlations.iter().filter(|made| made.document.generate == generates);
        let members =
            of.flat_map(|made| made.members.iter().map(move |member| (made, member.rule)));
        let members = members.filter(|(made, no)| {
            let rule = rules.get(no.0 as usize);
            made.document.head.is_built_in() || rule.is_none_or(|rule| !rule.head.is_built_in())
        });
        members.map(|(_, no)| no).collect()
    };
    let (mut wanted, generated) = (members(false), members(true));
    wanted.extend(silent);
    for (no, rule) in (0..).map(RuleNo).zip(rules) {
        rule.speaks = !wanted.contains(&no) || generated.contains(&no);
    }
}

#[cfg(test)]
mod tests;
