//! What documents are called, by themselves and by others.

use crate::{
    DETECTORS,
    rules::{
        fields::suggestion,
        rule::{Rule, RuleNo},
        sigma::{Document, Head, RuleError},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Ids of all documents, and whom other names mean.
pub(super) struct References {
    /// By place of the document; `None` for filters, and where the id is another's.
    ids: Vec<Option<Arc<str>>>,
    /// UUIDs, names and ids of rules, with the id that each means; `None` where it means several.
    rules: BTreeMap<String, Option<Arc<str>>>,
    correlations: BTreeSet<String>,
    /// Ids and names of rules about other logs, in lower case, and a word for the logs.
    others: BTreeMap<String, String>,
}

impl References {
    /// Reads the names of all documents. Where two would have one id, the second is refused.
    pub(super) fn of(documents: &[Document], errors: &mut Vec<RuleError>) -> Self {
        let mut references = Self {
            ids: Vec::new(),
            rules: BTreeMap::new(),
            correlations: BTreeSet::new(),
            others: others(documents),
        };
        // What names itself in a file of several leaves the name of the file to the others.
        let mut nameless: BTreeMap<&str, usize> = BTreeMap::new();
        let mut all: BTreeMap<&str, usize> = BTreeMap::new();
        for head in documents.iter().filter_map(Document::head) {
            *all.entry(&head.file).or_default() += 1;
            *nameless.entry(&head.file).or_default() += usize::from(head.name.is_none());
        }
        let mut taken: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for detector in DETECTORS {
            taken.insert(detector.meta.id.into(), "a detector".to_owned());
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for document in documents {
            let Some(head) = document.head() else {
                references.ids.push(None);
                continue;
            };
            let n = seen.entry(&head.file).or_default();
            *n += 1;
            let is_alone = all.get(&*head.file) == Some(&1);
            let has_file = is_alone || head.name.is_none() && nameless.get(&*head.file) == Some(&1);
            let id: Arc<str> = id(head, *n, has_file).into();
            let fault = match taken.get(&id) {
                _ if taken.len() >= super::DOCUMENTS_MAX + DETECTORS.len() => {
                    Some(format!("expected at most {} documents", super::DOCUMENTS_MAX))
                }
                Some(owner) => Some(format!("the id `{id}` is that of {owner}; name it otherwise")),
                None => None,
            };
            if let Some(what) = fault {
                errors.push(RuleError::fault(&head.file, head.line, what));
                references.ids.push(None);
                continue;
            }
            taken.insert(Arc::clone(&id), format!("{}:{}", head.file, head.line.0));
            references.know(document, head, &id);
            references.ids.push(Some(id));
        }
        references
    }

    fn know(&mut self, document: &Document, head: &Head, id: &Arc<str>) {
        let names: BTreeSet<String> =
            [Some(id.to_string()), head.uuid.as_deref().map(str::to_lowercase), head.name.clone()]
                .into_iter()
                .flatten()
                .collect();
        match document {
            Document::Correlation(_) => self.correlations.extend(names),
            _ => {
                for name in names {
                    let whom = Some(Arc::clone(id));
                    self.rules.entry(name).and_modify(|whom| *whom = None).or_insert(whom);
                }
            }
        }
    }

    /// Ids of the documents, in their order.
    pub(super) fn ids(&self) -> impl Iterator<Item = Option<Arc<str>>> {
        self.ids.iter().cloned()
    }

    /// A word for the logs of the rule that is meant, if sentrail does not read them.
    pub(super) fn other(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        let is_read = self.rules.contains_key(&name);
        self.others.get(&name).filter(|_| !is_read).map(String::as_str)
    }

    /// The rule that is meant, among those that were made.
    pub(super) fn rule(&self, name: &str, rules: &[Rule]) -> Result<RuleNo, String> {
        let known = self.rules.get(name).or_else(|| self.rules.get(&name.to_lowercase()));
        let Some(known) = known else {
            if let Some(logs) = self.other(name) {
                return Err(format!("`{name}` is about logs that sentrail does not read: {logs}"));
            }
            if self.correlations.contains(name) {
                return Err(format!("`{name}` is a correlation; expected a rule about records"));
            }
            let names = self.rules.keys().map(String::as_str);
            return Err(format!("no rule has the id or name `{name}`{}", suggestion(name, names)));
        };
        let Some(id) = known else { return Err(format!("several rules are called `{name}`")) };
        let numbered = (0..).map(RuleNo).zip(rules);
        let mut made = numbered.filter(|(_, rule)| rule.id == *id).map(|(no, _)| no);
        made.next().ok_or_else(|| format!("the rule `{name}` could not be read"))
    }
}

fn others(documents: &[Document]) -> BTreeMap<String, String> {
    let others = documents.iter().filter_map(|document| match document {
        Document::Other(other) => Some(other),
        _ => None,
    });
    let named = others.flat_map(|other| other.names.iter().map(|name| (name, &other.logs)));
    named.map(|(name, logs)| (name.clone(), logs.clone())).collect()
}

/// The id of the `n`th document of its file, from 1: the file's name for the only one, or the only one
/// without a name of its own; the others by theirs.
fn id(head: &Head, n: usize, has_file: bool) -> String {
    let file = head.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = kebab(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    match head.name.as_deref().map(kebab).filter(|name| !name.is_empty()) {
        _ if has_file => stem,
        Some(name) => name,
        _ if n == 1 => stem,
        _ => format!("{stem}-{n}"),
    }
}

/// Lower case, words of letters and digits with hyphens between them.
fn kebab(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
