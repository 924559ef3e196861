//! What documents are called, by themselves and by others.

use crate::{
    DETECTORS,
    rules::{
        fields::suggestion,
        rule::{Rule, RuleNo},
        sigma::{Document, Head, Line, RuleError, Unused, UnusedKind, Whose, Why},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is said of a rule with a fault.
const UNREAD: &str = "could not be read";

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
    /// Why it is not in force; `None` where it is.
    why_not: Option<String>,
}

/// What a document is called that has an id.
struct Called<'d> {
    file: &'d Arc<str>,
    line: Line,
    whose: Whose,
    uuid: Option<&'d str>,
    name: Option<&'d str>,
}

impl<'d> Called<'d> {
    /// `None` for filters and what is about other logs.
    fn of(document: &'d Document) -> Option<Self> {
        let (file, line, whose, uuid, name) = match document {
            Document::Unused(Unused { why: Why::OtherLogs(_), .. }) => return None,
            Document::Unused(unused) if unused.kind == UnusedKind::Filter => return None,
            Document::Unused(Unused { file, line, whose, uuid, name, .. }) => {
                (file, line, whose, uuid, name)
            }
            _ => {
                let Head { file, line, whose, uuid, name, .. } = document.head()?;
                (file, line, whose, uuid, name)
            }
        };
        let (uuid, name) = (uuid.as_deref(), name.as_deref());
        Some(Self { file, line: *line, whose: *whose, uuid, name })
    }
}

/// Ids as they are given, in the order of the documents.
#[derive(Default)]
struct Ids<'d> {
    /// By file: documents with an id, those without a name, those that have come.
    all: BTreeMap<&'d str, usize>,
    nameless: BTreeMap<&'d str, usize>,
    seen: BTreeMap<&'d str, usize>,
    /// Whose each id is, and what messages call him.
    taken: BTreeMap<Arc<str>, (Whose, String)>,
    /// Second ids that were given, by first ones.
    n_more: BTreeMap<Arc<str>, usize>,
}

impl<'d> Ids<'d> {
    fn of(documents: &'d [Document]) -> Self {
        let mut ids = Self::default();
        for called in documents.iter().filter_map(Called::of) {
            *ids.all.entry(called.file).or_default() += 1;
            *ids.nameless.entry(called.file).or_default() += usize::from(called.name.is_none());
        }
        for detector in DETECTORS {
            let owner = (Whose::Program, "a detector".to_owned());
            ids.taken.insert(detector.meta.id.into(), owner);
        }
        ids
    }

    /// The id of a document, and what is to be said of it; an error where it has none.
    fn give(&mut self, called: &Called<'d>) -> Result<(Arc<str>, Option<String>), String> {
        let n = self.seen.entry(called.file).or_default();
        *n += 1;
        let is_only = |of: &BTreeMap<&str, usize>| of.get(&**called.file) == Some(&1);
        // What names itself in a file of several leaves the name of the file to the others.
        let has_file = is_only(&self.all) || called.name.is_none() && is_only(&self.nameless);
        let mut id: Arc<str> = id(called, *n, has_file).into();
        if self.taken.len() >= super::DOCUMENTS_MAX + DETECTORS.len() {
            return Err(format!("expected at most {} documents", super::DOCUMENTS_MAX));
        }
        let mut note = None;
        if let Some((owner, said)) = self.taken.get(&id) {
            let said = format!("the id `{id}` is that of {said}");
            // What the user has under this id takes the place of what others have.
            if called.whose != Whose::Others || *owner == Whose::Own {
                return Err(format!("{said}; name it otherwise"));
            }
            id = self.second(&id);
            note = Some(format!("{said}; this one is called `{id}`"));
        }
        let owner = (called.whose, format!("{}:{}", called.file, called.line.0));
        self.taken.insert(Arc::clone(&id), owner);
        Ok((id, note))
    }

    fn second(&mut self, id: &Arc<str>) -> Arc<str> {
        let n_more = self.n_more.entry(Arc::clone(id)).or_default();
        loop {
            *n_more += 1;
            let second: Arc<str> = format!("{id}-{}", *n_more + 1).into();
            if !self.taken.contains_key(&second) {
                return second;
            }
        }
    }
}

impl References {
    /// Reads the names of all documents. Where two would have one id, the second is refused, or gets
    /// another one if it is of other people. What has a fault has its id all the same: else its sibling
    /// would have it until it is mended.
    pub(super) fn of(documents: &[Document], errors: &mut Vec<RuleError>) -> Self {
        let mut references = Self {
            ids: Vec::new(),
            rules: BTreeMap::new(),
            correlations: BTreeSet::new(),
            others: others(documents),
        };
        let mut ids = Ids::of(documents);
        for document in documents {
            let Some(called) = Called::of(document) else {
                references.ids.push(None);
                continue;
            };
            let given = ids.give(&called);
            let said = match &given {
                Ok((_, note)) => note.clone().map(|what| (what, Why::Tolerated)),
                Err(what) => Some((what.clone(), Why::Fault)),
            };
            // What is out of force has been told of.
            if let Some((what, why)) = said.filter(|_| document.head().is_some()) {
                let error = RuleError::fault(called.file, called.line, what);
                errors.push(RuleError { why, ..error });
            }
            let id = given.ok().map(|(id, _)| id);
            if let Some(id) = &id {
                references.know(document, &called, id);
            }
            references.ids.push(id);
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
        let why_not = match document {
            Document::Unused(Unused { why: Why::Retired(status), .. }) => {
                Some(format!("is {status}"))
            }
            Document::Unused(_) => Some(UNREAD.to_owned()),
            _ => None,
        };
        for name in names {
            let (file, id) = (Arc::clone(called.file), Arc::clone(id));
            self.rules.entry(name).or_default().push(Meant { file, id, why_not: why_not.clone() });
        }
    }

    /// Whoever means the rule `id` by any of its names means `first` from now on, which is the same rule
    /// in another document.
    pub(super) fn stand_in(&mut self, id: &Arc<str>, first: &Arc<str>) {
        for meant in self.rules.values_mut() {
            if meant.iter().any(|one| one.id == *first) {
                meant.retain(|one| one.id != *id);
            }
            for one in meant.iter_mut().filter(|one| one.id == *id) {
                one.id = Arc::clone(first);
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
            .or_else(|| only(&|meant| meant.why_not.is_none()))
            .or_else(|| only(&|_| true));
        let Some(Meant { id, why_not, .. }) = meant else {
            return Err(format!("several rules are called `{name}`"));
        };
        let numbered = (0..).map(RuleNo).zip(rules);
        let mut made = numbered.filter(|(_, rule)| rule.id == *id).map(|(no, _)| no);
        made.next()
            .ok_or_else(|| format!("the rule `{name}` {}", why_not.as_deref().unwrap_or(UNREAD)))
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
