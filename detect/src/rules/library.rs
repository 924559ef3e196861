//! The rules in force: those that ship with the program, and the user's.

use super::{
    lists::Lists,
    names::Names,
    rule::RuleNo,
    samples::Tested,
    set::RuleSet,
    sigma::{self, Document, Level, Logs, RuleError, Usual, Whose, Why},
};
use crate::{about::Catalogue, watch::Watches};
use ingest::flow;
use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

/// The files of `detect/rules`, sorted, without their samples: names, texts, and the documents that
/// the build script read.
static BUILT_IN: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// As messages name it.
    pub name: String,
    /// What it says: YAML.
    pub text: String,
    /// Whose it is.
    pub whose: Whose,
}

/// Rules ready to be asked, what is made of their matches, and who can speak.
#[derive(Debug)]
pub struct Rules {
    set: RuleSet,
    watches: Watches,
    catalogue: Catalogue,
    /// The files that something of is in force, with what they say.
    pub(super) texts: Vec<(Arc<str>, Cow<'static, str>)>,
    counts: RuleCounts,
}

/// What is in force besides what ships with the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Rules about single records.
    pub n_rules: usize,
    /// Rules about several matches.
    pub n_correlations: usize,
    /// What others know to be harmless.
    pub n_filters: usize,
    /// Of the rules those that tell nothing by themselves, and that correlations in force count.
    pub n_counted: usize,
    /// Of rules and correlations those that nothing is made of: `informational` ones that no correlation
    /// counts, and rules that only correlations with a fault want.
    pub n_silent: usize,
    /// Documents of any kind that a fault keeps out of force.
    pub n_rejected: usize,
}

impl RuleCounts {
    /// Documents that are in force.
    pub fn n_loaded(&self) -> usize {
        self.n_rules + self.n_correlations + self.n_filters
    }

    /// Rules and correlations that tell by themselves.
    pub fn n_telling(&self) -> usize {
        (self.n_rules + self.n_correlations).saturating_sub(self.n_counted + self.n_silent)
    }
}

impl Rules {
    /// The rules that ship with the program, without any list or decoy.
    pub fn built_in() -> Arc<Self> {
        static RULES: LazyLock<Arc<Rules>> =
            LazyLock::new(|| Arc::new(Rules::of(&[], Names::default()).0));
        Arc::clone(&RULES)
    }

    /// No rule at all: what the cost of rules is measured against.
    #[cfg(feature = "profile")]
    pub fn none() -> Self {
        let set = RuleSet::default();
        let watches = Watches::of(&set);
        let catalogue = Catalogue::of(&watches);
        Self { set, watches, catalogue, texts: Vec::new(), counts: RuleCounts::default() }
    }

    /// The rules that ship with the program and those of `files`; what is wrong costs the document it
    /// stands in.
    pub fn of(files: &[RuleFile], names: Names) -> (Self, Vec<RuleError>) {
        let mut errors = Vec::new();
        let (mut documents, mut texts) = (Vec::new(), Vec::new());
        for (name, text, read) in BUILT_IN {
            let file: Arc<str> = (*name).into();
            documents.extend(built_in(&file, read));
            texts.push((file, Cow::Borrowed(*text)));
        }
        let n_built_in = documents.len();
        for RuleFile { name, text, whose } in files {
            let file: Arc<str> = name.as_str().into();
            let (read, found) = sigma::read(&file, text, *whose);
            errors.extend(found);
            let read = read.into_iter().map(|document| match learns_match(&document) {
                Some(error) => {
                    errors.push(error);
                    document.refused()
                }
                None => document,
            });
            let read: Vec<_> = read.collect();
            if read.iter().any(|document| !matches!(document, Document::Unused(_))) {
                texts.push((file, Cow::Owned(text.clone())));
            }
            documents.extend(read);
        }
        let n_read = documents.len() - n_built_in;
        let (set, found) = RuleSet::compile(documents, names);
        errors.extend(found);
        errors.sort();
        let watches = Watches::of(&set);
        let catalogue = Catalogue::of(&watches);
        let counts = counts(&set, &watches, (n_read, &errors));
        (Self { set, watches, catalogue, texts, counts }, errors)
    }

    /// What is in force besides what ships with the program.
    pub fn counts(&self) -> RuleCounts {
        self.counts
    }

    /// The files that decide what a rule or correlation says, with their texts: its own, those of the
    /// rules that it counts, and filters.
    pub fn sources(&self, id: &str) -> Vec<(&str, &str)> {
        let numbered = || (0..).map(RuleNo).zip(self.set.rules());
        let mut numbers: Vec<RuleNo> =
            numbered().filter(|(_, rule)| *rule.id == *id).map(|(no, _)| no).collect();
        let mut files: Vec<&Arc<str>> = Vec::new();
        for made in self.set.correlations().iter().filter(|made| *made.id == *id) {
            files.push(&made.document.head.file);
            numbers.extend(made.members.iter().map(|member| member.rule));
        }
        let rules = numbers.iter().filter_map(|no| self.set.rules().get(no.0 as usize));
        files.extend(rules.map(|rule| &rule.head.file));
        let filters = self.set.filters().iter();
        let applied = filters.filter(|filter| filter.to.iter().any(|no| numbers.contains(no)));
        files.extend(applied.map(|filter| &filter.file));
        let mut texts: Vec<(&str, &str)> = Vec::new();
        for file in files {
            let text = self.texts.iter().find(|(known, _)| Arc::ptr_eq(known, file));
            let text = text.map(|(file, text)| (&**file, &**text));
            texts.extend(text.filter(|(name, _)| texts.iter().all(|(known, _)| known != name)));
        }
        texts
    }

    /// Everybody who can speak.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The columns of flow logs that rules ask for; none where no rule about flow logs can match.
    pub fn flow_fields(&self) -> BTreeSet<flow::Field> {
        self.set.flow_fields()
    }

    /// Ids of other people's rules and correlations that are in force.
    pub fn of_others(&self) -> BTreeSet<&str> {
        let rules = self.set.rules().iter().map(|rule| (&rule.id, &rule.head));
        let made = self.set.correlations().iter().map(|made| (&made.id, &made.document.head));
        let others = rules.chain(made).filter(|(_, head)| head.whose == Whose::Others);
        others.map(|(id, _)| &**id).collect()
    }

    pub(crate) fn set(&self) -> &RuleSet {
        &self.set
    }

    /// The lists of addresses that the user has.
    pub fn lists(&self) -> &Lists {
        &self.set.names().lists
    }

    pub(crate) fn watches(&self) -> &Watches {
        &self.watches
    }

    /// The rules of `files`, each of which speaks, with its samples: as tests need them. Those that ship
    /// with the program are there to be referred to, but for such as have an id or UUID that `files` has.
    pub(super) fn for_tests(
        files: &[RuleFile],
        names: Names,
    ) -> (Self, Vec<Tested>, Vec<RuleError>) {
        let (mut documents, mut errors) = (Vec::new(), Vec::new());
        let mut given: Vec<Arc<str>> = Vec::new();
        for RuleFile { name, text, whose } in files {
            let file: Arc<str> = name.as_str().into();
            let (read, found) = sigma::read(&file, text, *whose);
            given.push(file);
            documents.extend(read);
            errors.extend(found);
        }
        let is_given = |file: &Arc<str>| given.iter().any(|one| Arc::ptr_eq(one, file));
        let others = BUILT_IN.iter().filter(|(name, ..)| given.iter().all(|one| **one != **name));
        for (name, _, read) in others {
            documents.extend(built_in(&(*name).into(), read));
        }
        for document in &mut documents {
            if let Document::Correlation(correlation) = document {
                correlation.generate = true;
            }
            if let Some(head) = document.head_mut() {
                // A changed copy takes the place of what has its UUID, whatever its name.
                head.whose = if is_given(&head.file) { Whose::Own } else { Whose::Others };
                head.level = head.level.max(Level::Low);
            }
        }
        let has_samples = |document: &Document| matches!(document, Document::Filter(filter) if !filter.samples.is_empty());
        let unfiltered = documents.iter().any(has_samples).then(|| {
            let documents = documents.iter().filter(|one| !matches!(one, Document::Filter(_)));
            let (set, _) = RuleSet::compile(documents.cloned().collect(), names.clone());
            Arc::new(Self::of_set(set))
        });
        let (set, found) = RuleSet::compile(documents, names);
        errors.extend(found.into_iter().filter(|error| is_given(&error.file)));
        errors.sort();
        // The samples of a correlation test its members too.
        let members = || set.correlations().iter().flat_map(|made| &made.members);
        let alone = (0..).map(RuleNo).zip(set.rules()).filter(|(no, rule)| {
            !rule.head.samples.is_empty() || !members().any(|member| member.rule == *no)
        });
        let rules = alone.map(|(_, rule)| (&rule.id, &rule.head, rule.logs));
        let made = set.correlations().iter().map(|made| {
            let first = made.members.first().and_then(|one| set.rules().get(one.rule.0 as usize));
            let logs = first.map_or(Logs::CloudTrail, |rule| rule.logs);
            (&made.id, &made.document.head, logs)
        });
        let heads = rules.chain(made).filter(|(_, head, _)| is_given(&head.file));
        let tested = heads.map(|(id, head, logs)| {
            let (ids, file) = (vec![Arc::clone(id)], Arc::clone(&head.file));
            Tested { ids, unfiltered: None, file, logs, samples: head.samples.clone() }
        });
        let mut tested: Vec<Tested> = tested.collect();
        for filter in set.filters().iter().filter(|filter| !filter.samples.is_empty()) {
            let rules = filter.to.iter().filter_map(|no| set.rules().get(no.0 as usize));
            let rules: Vec<_> = rules.collect();
            let logs = rules.first().map_or(Logs::CloudTrail, |rule| rule.logs);
            let ids = rules.iter().map(|rule| Arc::clone(&rule.id)).collect();
            let (file, samples) = (Arc::clone(&filter.file), filter.samples.clone());
            tested.push(Tested { ids, unfiltered: unfiltered.clone(), file, logs, samples });
        }
        (Self::of_set(set), tested, errors)
    }

    /// Rules of which each speaks.
    fn of_set(set: RuleSet) -> Self {
        let watches = Watches::of(&set);
        let catalogue = Catalogue::of(&watches);
        let (texts, counts) = (Vec::new(), RuleCounts::default());
        Self { set, watches, catalogue, texts, counts }
    }

    /// The files that ship with the program, with their samples.
    #[cfg(test)]
    pub(super) fn built_in_files() -> Vec<RuleFile> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let files = BUILT_IN.iter().map(|(name, ..)| {
            let path = folder.join(name.trim_start_matches("built-in/"));
            let text = std::fs::read_to_string(path).unwrap();
            RuleFile { name: (*name).into(), text, whose: Whose::Own }
        });
        files.collect()
    }
}

/// What is in force of `n_read` documents, and what is not.
fn counts(set: &RuleSet, watches: &Watches, (n_read, errors): (usize, &[RuleError])) -> RuleCounts {
    let telling: BTreeSet<&str> = watches.iter().map(|watch| &*watch.about.id).collect();
    let members = set.correlations().iter().flat_map(|made| &made.members);
    let members: BTreeSet<RuleNo> = members.map(|member| member.rule).collect();
    let mut counts = RuleCounts { n_filters: set.filters().len(), ..RuleCounts::default() };
    let numbered = (0..).map(RuleNo).zip(set.rules());
    for (no, rule) in numbered.filter(|(_, rule)| !rule.head.is_built_in()) {
        let tells = telling.contains(&*rule.id);
        let is_counted = !tells && members.contains(&no);
        counts.n_rules += 1;
        counts.n_counted += usize::from(is_counted);
        counts.n_silent += usize::from(!tells && !is_counted);
    }
    let made = set.correlations().iter();
    for made in made.filter(|made| !made.document.head.is_built_in()) {
        counts.n_correlations += 1;
        counts.n_silent += usize::from(!telling.contains(&*made.id));
    }
    // A document is left out for one reason, and refused for several.
    let is_left_out = |error: &&RuleError| matches!(error.why, Why::OtherLogs(_) | Why::Retired(_));
    let n_left_out = errors.iter().filter(is_left_out).count();
    counts.n_rejected = n_read.saturating_sub(counts.n_loaded() + n_left_out);
    counts
}

/// What users' rules match is never learned, so that no configuration changes what is.
fn learns_match(document: &Document) -> Option<RuleError> {
    let head = document.head()?;
    let what = "`usual: match` is for built-in rules (expected `api` or `never`)";
    (head.notes.usual == Usual::Match).then(|| RuleError::fault(&head.file, head.line, what))
}

/// The documents of a file that ships with the program. The build script wrote them; a test reads them.
fn built_in(file: &Arc<str>, read: &[u8]) -> Vec<Document> {
    let mut documents: Vec<Document> = postcard::from_bytes(read).unwrap_or_default();
    for head in documents.iter_mut().filter_map(Document::head_mut) {
        (head.file, head.whose) = (Arc::clone(file), Whose::Program);
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::{super::compile, *};
    use sigma::{Head, Level};

    #[test]
    fn every_built_in_rule_can_be_used() {
        let (rules, errors) = Rules::of(&[], Names::default());
        assert_eq!(errors, []);
        for rule in rules.set.rules() {
            assert_eq!(compile::made(rule).err(), None);
        }
        assert!(rules.watches.iter().count() >= 3);
    }

    /// Whether a condition can be made not to hold, or to hold where `is_not`, by the user agent alone:
    /// everybody writes there what he wants.
    fn rests_on_agent(condition: &sigma::Condition, is_not: bool) -> bool {
        use sigma::Condition::{All, Any, Item, Not};
        let is_agent = |one: &sigma::Condition| {
            let field = |item: &sigma::Item| item.field.as_ref().map(ToString::to_string);
            matches!(one, Item(item) if field(item).is_some_and(|name| name == "userAgent"))
        };
        match condition {
            Not(part) => rests_on_agent(part, !is_not),
            Item(_) => is_not && is_agent(condition),
            All(parts) if is_not => parts.iter().all(|part| rests_on_agent(part, is_not)),
            All(parts) | Any(parts) => parts.iter().any(|part| rests_on_agent(part, is_not)),
        }
    }

    #[test]
    fn no_built_in_rule_is_quiet_by_a_user_agent_alone() {
        // Infrastructure tools read as widely as a thief does, with long-term keys too. What is unusual
        // in it is for `anomalous-discovery`; and reading changes nothing.
        let reads =
            ["identities-looked-through", "bucket-posture-swept", "services-looked-through"];
        let mut quiet = Vec::new();
        for RuleFile { name, text, .. } in Rules::built_in_files() {
            if reads.iter().any(|reads| name.contains(reads)) {
                continue;
            }
            let (documents, _) = sigma::read(&name.as_str().into(), &text, Whose::Own);
            let is_quiet = |document: &Document| match document {
                Document::Detection(one) => rests_on_agent(&one.condition, false),
                _ => false,
            };
            quiet.extend(documents.iter().any(is_quiet).then_some(name));
        }
        // Who can forge an agent leaves out the name of his tool, and this rule has nothing else.
        assert_eq!(quiet, ["built-in/attack-tool-named.yml"]);
    }

    #[test]
    fn every_built_in_rule_says_what_its_reader_needs() {
        let mut missing = Vec::new();
        for RuleFile { name, text, .. } in Rules::built_in_files() {
            let (documents, _) = sigma::read(&name.as_str().into(), &text, Whose::Own);
            let heads = || documents.iter().filter_map(Document::head);
            // Documents of a file may be shown by the samples of another one in it.
            let has = |fires| heads().flat_map(|head| &head.samples).any(|one| one.fires == fires);
            for Head { level, line, uuid, notes, .. } in heads() {
                let speaks = *level > Level::Informational;
                let wanted = [
                    ("`id`, a new UUID", uuid.is_some()),
                    ("`sentrail.quiet-when`", !speaks || notes.quiet_when.is_some()),
                    ("`sentrail.misses`", !speaks || notes.misses.is_some()),
                    ("`sentrail.triage`", !speaks || notes.triage.is_some()),
                    ("a sample in `tests.fires`", !speaks || has(true)),
                    ("a harmless twin in `tests.quiet`", !speaks || has(false)),
                ];
                let lacks = wanted.iter().filter(|(_, is_there)| !is_there);
                missing.extend(lacks.map(|(what, _)| format!("{name}:{}: {what}", line.0)));
            }
        }
        assert!(missing.is_empty(), "rules lack {missing:#?}");
    }

    #[test]
    fn built_in_rules_are_those_of_the_files_but_their_samples() {
        let mut n_samples = 0;
        for (RuleFile { name, text, .. }, (_, shipped, read)) in
            Rules::built_in_files().iter().zip(BUILT_IN)
        {
            let file = name.as_str().into();
            let (mut whole, _) = sigma::read(&file, text, Whose::Program);
            for head in whole.iter_mut().filter_map(Document::head_mut) {
                n_samples += std::mem::take(&mut head.samples).len();
            }
            assert_eq!(sigma::read(&file, shipped, Whose::Program).0, whole);
            assert_eq!(built_in(&file, read), whole);
            // They have no head to tell that they ship with the program.
            assert!(whole.iter().all(|document| document.head().is_some()));
        }
        assert!(n_samples > 0);
    }

    #[test]
    fn only_built_in_rules_learn_habits() {
        let text = "title: x\nlogsource: {product: aws, service: cloudtrail}\n\
                    detection:\n  s: {eventName: A}\n  condition: s\nsentrail: {usual: match}\n";
        let file = RuleFile { name: "x.yml".into(), text: text.into(), whose: Whose::Own };
        let (_, errors) = Rules::of(&[file], Names::default());
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            ["x.yml:1: `usual: match` is for built-in rules (expected `api` or `never`)"]
        );
    }

    #[test]
    fn a_rule_is_shown_with_what_it_rests_on() {
        let many = "title: y\ncorrelation: {type: event_count, rules: [decoy-touched, x], \
                    timespan: 1h, condition: {gte: 9}}\n";
        let rule = "title: x\nlogsource: {product: aws, service: cloudtrail}\n\
                    detection:\n  s: {eventName: A}\n  condition: s\n";
        let filter = "title: z\nlogsource: {product: aws, service: cloudtrail}\n\
                      filter:\n  rules: [x]\n  s: {eventName: B}\n  condition: not s\n";
        let files = [("many.yml", many), ("x.yml", rule), ("z.yml", filter)];
        let files = files.map(|(name, text)| RuleFile {
            name: name.into(),
            text: text.into(),
            whose: Whose::Own,
        });
        let (rules, errors) = Rules::of(&files, Names::default());
        assert_eq!(errors, []);
        let documents =
            RuleCounts { n_rules: 1, n_correlations: 1, n_filters: 1, ..<_>::default() };
        // The rule only serves the correlation.
        assert_eq!(rules.counts(), RuleCounts { n_counted: 1, ..documents });
        assert_eq!(rules.counts().n_telling(), 1);
        let sources = |id| rules.sources(id).iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(sources("x"), ["x.yml", "z.yml"]);
        assert_eq!(sources("many"), ["many.yml", "built-in/decoy-touched.yml", "x.yml", "z.yml"]);
        assert_eq!(rules.sources("z"), []);
    }
}
