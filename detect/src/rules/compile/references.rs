//! What documents are called, by themselves and by others.

use crate::{
    DETECTORS,
    rules::{
        fields::suggestion,
        rule::{Rule, RuleNo},
        sigma::{Document, Head, Line, RuleError, Unused, UnusedKind, Why},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Ids of all documents, and whom other names mean.
pub(super) struct References {
    /// By place of the document; `None` for filters, what is about other logs, and where the id is
    /// another's.
    ids: Vec<Option<Arc<str>>>,
    /// UUIDs, names and ids of rules, with those that each means.
    rules: BTreeMap<String, Vec<Meant>>,
    correlations: BTreeSet<String>,
    /// Ids and names of rules about other logs, in lower case, and a word for the logs.
    others: BTreeMap<String, String>,
}

/// A rule that a name means.
struct Meant {
    file: Arc<str>,
    id: Arc<str>,
    is_in_force: bool,
}

/// What a document is called that has an id.
struct Called<'d> {
    file: &'d Arc<str>,
    line: Line,
    uuid: Option<&'d str>,
    name: Option<&'d str>,
}

impl<'d> Called<'d> {
    /// `None` for filters and what is about other logs.
    fn of(document: &'d Document) -> Option<Self> {
        if let Some(Head { file, line, uuid, name, .. }) = document.head() {
            let (uuid, name) = (uuid.as_deref(), name.as_deref());
            return Some(Self { file, line: *line, uuid, name });
        }
        match document {
            Document::Unused(Unused { file, line, why: Why::Fault, kind, uuid, name })
                if *kind != UnusedKind::Filter =>
            {
                let (uuid, name) = (uuid.as_deref(), name.as_deref());
                Some(Self { file, line: *line, uuid, name })
            }
            _ => None,
        }
    }
}

impl References {
    /// Reads the names of all documents. Where two would have one id, the second is refused. What has a
    /// fault has its id all the same: that of its siblings is another one's when it is mended.
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
        for called in documents.iter().filter_map(Called::of) {
            *all.entry(called.file).or_default() += 1;
            *nameless.entry(called.file).or_default() += usize::from(called.name.is_none());
        }
        let mut taken: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for detector in DETECTORS {
            taken.insert(detector.meta.id.into(), "a detector".to_owned());
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for document in documents {
            let Some(called) = Called::of(document) else {
                references.ids.push(None);
                continue;
            };
            let n = seen.entry(called.file).or_default();
            *n += 1;
            let is_alone = all.get(&**called.file) == Some(&1);
            let has_file =
                is_alone || called.name.is_none() && nameless.get(&**called.file) == Some(&1);
            let id: Arc<str> = id(&called, *n, has_file).into();
            let fault = match taken.get(&id) {
                _ if taken.len() >= super::DOCUMENTS_MAX + DETECTORS.len() => {
                    Some(format!("expected at most {} documents", super::DOCUMENTS_MAX))
                }
                Some(owner) => Some(format!("the id `{id}` is that of {owner}; name it otherwise")),
                None => None,
            };
            if let Some(what) = fault {
                // What is out of force has been told of.
                if document.head().is_some() {
                    errors.push(RuleError::fault(called.file, called.line, what));
                }
                references.ids.push(None);
                continue;
            }
            taken.insert(Arc::clone(&id), format!("{}:{}", called.file, called.line.0));
            references.know(document, &called, &id);
            references.ids.push(Some(id));
        }
        references
    }

    fn know(&mut self, document: &Document, called: &Called<'_>, id: &Arc<str>) {
        let uuid = called.uuid.map(str::to_lowercase);
        let names = [Some(id.to_string()), uuid, called.name.map(str::to_owned)];
        let names: BTreeSet<String> = names.into_iter().flatten().collect();
        let is_correlation = match document {
            Document::Correlation(_) => true,
            Document::Unused(unused) => matches!(unused.kind, UnusedKind::Correlation(_)),
            Document::Detection(_) | Document::Filter(_) => false,
        };
        if is_correlation {
            self.correlations.extend(names);
            return;
        }
        for name in names {
            let (file, id) = (Arc::clone(called.file), Arc::clone(id));
            let is_in_force = document.head().is_some();
            self.rules.entry(name).or_default().push(Meant { file, id, is_in_force });
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

    /// The rule that a document of `file` means, among those that were made.
    pub(super) fn rule(
        &self,
        name: &str,
        file: &Arc<str>,
        rules: &[Rule],
    ) -> Result<RuleNo, String> {
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
        let only = |wanted: &dyn Fn(&&Meant) -> bool| {
            let mut meant = known.iter().filter(wanted);
            meant.next().filter(|_| meant.next().is_none())
        };
        // What stands in the same file is meant before what stands in others.
        let meant = only(&|meant| meant.file == *file)
            .or_else(|| only(&|meant| meant.is_in_force))
            .or_else(|| only(&|_| true));
        let Some(Meant { id, .. }) = meant else {
            return Err(format!("several rules are called `{name}`"));
        };
        let numbered = (0..).map(RuleNo).zip(rules);
        let mut made = numbered.filter(|(_, rule)| rule.id == *id).map(|(no, _)| no);
        made.next().ok_or_else(|| format!("the rule `{name}` could not be read"))
    }
}

fn others(documents: &[Document]) -> BTreeMap<String, String> {
    let mut others = BTreeMap::new();
    for document in documents {
        let Document::Unused(Unused { why: Why::OtherLogs(logs), uuid, name, .. }) = document
        else {
            continue;
        };
        let names = [uuid, name].into_iter().flatten().map(|name| name.to_lowercase());
        others.extend(names.map(|name| (name, logs.clone())));
    }
    others
}

/// The id of the `n`th document of its file, from 1: the file's name for the only one, or the only one
/// without a name of its own; the others by theirs.
fn id(called: &Called<'_>, n: usize, has_file: bool) -> String {
    let file = called.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = kebab(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    match called.name.map(kebab).filter(|name| !name.is_empty()) {
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
