//! Documents with one UUID: one rule, of which one document is in force. In: what was made of documents.
//! Out: the same without the others, each of which is told.

use super::References;
use crate::rules::{
    rule::{Correlation, Rule},
    sigma::{self, Document, Head, RuleError, Whose, Why},
};
use std::{collections::BTreeMap, sync::Arc};

/// Who goes first, the least: what ships with the program, the user's, other people's; of these rules;
/// of these by id, which no two have. Neither folders nor the order of files decide.
type Rank = (Whose, bool, Arc<str>);

/// By UUID the document that is in force, with its place for messages.
struct Firsts<'h>(BTreeMap<&'h str, (Rank, &'h Head)>);

impl<'h> Firsts<'h> {
    fn of(
        rules: &'h [Rule],
        correlations: impl IntoIterator<Item = (&'h Head, &'h Arc<str>)>,
    ) -> Self {
        let rules = rules.iter().map(|rule| (&rule.head, false, &rule.id));
        let correlations = correlations.into_iter().map(|(head, id)| (head, true, id));
        let mut firsts: BTreeMap<&str, (Rank, &Head)> = BTreeMap::new();
        for (head, is_correlation, id) in rules.chain(correlations) {
            let Some(uuid) = head.true_uuid() else { continue };
            let rank = (head.whose, is_correlation, Arc::clone(id));
            if firsts.get(uuid).is_none_or(|(first, _)| rank < *first) {
                firsts.insert(uuid, (rank, head));
            }
        }
        Self(firsts)
    }

    /// Who is in force instead of the document `id`, and what is told of that.
    fn instead(&self, head: &Head, id: &str) -> Option<(Arc<str>, RuleError)> {
        let uuid = head.true_uuid()?;
        let ((_, _, first), Head { file, line, .. }) =
            self.0.get(uuid).filter(|((.., first), _)| **first != *id)?;
        let what = format!(
            "the UUID {uuid} is that of {file}:{}, which is in force, and this is not (expected one \
             document of it)",
            line.0
        );
        Some((Arc::clone(first), RuleError::fault(&head.file, head.line, what)))
    }
}

/// Takes out rules that are another document's. Other people's correlations, which may still be refused,
/// stand in nobody's way.
pub(super) fn refuse_rules(
    rules: &mut Vec<Rule>,
    correlations: &[(sigma::Correlation, Arc<str>)],
    references: &mut References,
    errors: &mut Vec<RuleError>,
) {
    let correlations = correlations.iter().map(|(document, id)| (&document.head, id));
    let correlations = correlations.filter(|(head, _)| head.whose != Whose::Others);
    let firsts = Firsts::of(rules, correlations);
    let found = rules.iter().map(|rule| firsts.instead(&rule.head, &rule.id));
    let found: Vec<_> = found.collect();
    let mut kept = Vec::new();
    for (rule, instead) in std::mem::take(rules).into_iter().zip(found) {
        match instead {
            None => kept.push(rule),
            Some((first, error)) => {
                references.stand_in(&rule.id, &first);
                tell(error, errors);
            }
        }
    }
    *rules = kept;
}

/// The same of correlations. They are given back: the rules that they count stay silent.
pub(super) fn refuse_correlations(
    made: &mut Vec<Correlation>,
    rules: &[Rule],
    errors: &mut Vec<RuleError>,
) -> Vec<Document> {
    let firsts = Firsts::of(rules, made.iter().map(|one| (&one.document.head, &one.id)));
    let found = made.iter().map(|one| firsts.instead(&one.document.head, &one.id));
    let found: Vec<_> = found.collect();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for (one, instead) in std::mem::take(made).into_iter().zip(found) {
        match instead {
            None => kept.push(one),
            Some((_, error)) => {
                tell(error, errors);
                refused.push(Document::Correlation(one.document).refused());
            }
        }
    }
    *made = kept;
    refused
}

/// Instead of what was told of a second id: nobody has it.
fn tell(error: RuleError, errors: &mut Vec<RuleError>) {
    let is_same = |known: &RuleError| known.file == error.file && known.line == error.line;
    errors.retain(|known| known.why != Why::Tolerated || !is_same(known));
    errors.push(error);
}
