//! What is another between two sets of rules. In: both. Out: ids.

use super::{library::Rules, rule::Rule};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Ids of rules and correlations, each in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleChanges {
    /// Those that were not there.
    pub added: Vec<String>,
    /// Those that are not there any more.
    pub gone: Vec<String>,
    /// Those of which a file says something else: their own, that of a rule which they count, or of a filter.
    pub changed: Vec<String>,
}

impl Rules {
    /// What is another than it was `before`.
    pub fn changes(&self, before: &Self) -> RuleChanges {
        let (now, before) = (self.said(), before.said());
        let owned = |id: &str| id.to_owned();
        let added = now.keys().filter(|id| !before.contains_key(*id));
        let gone = before.keys().filter(|id| !now.contains_key(*id));
        let is_other = |(id, said): &(&&str, &BTreeSet<&str>)| {
            before.get(*id).is_some_and(|before| before != *said)
        };
        let changed = now.iter().filter(is_other).map(|(id, _)| id);
        RuleChanges {
            added: added.copied().map(owned).collect(),
            gone: gone.copied().map(owned).collect(),
            changed: changed.copied().map(owned).collect(),
        }
    }

    /// By id, the texts of the files that decide what it says.
    fn said(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let texts = self.texts.iter().map(|(file, text)| (Arc::as_ptr(file).cast::<u8>(), &**text));
        let texts: BTreeMap<*const u8, &str> = texts.collect();
        let text = |file: &Arc<str>| texts.get(&Arc::as_ptr(file).cast::<u8>()).copied();
        let rules = self.set().rules();
        let mut by_rule: Vec<BTreeSet<&str>> =
            rules.iter().map(|rule| text(&rule.head.file).into_iter().collect()).collect();
        for filter in self.set().filters() {
            for no in &filter.to {
                if let Some(said) = by_rule.get_mut(no.0 as usize) {
                    said.extend(text(&filter.file));
                }
            }
        }
        let mut all = BTreeMap::new();
        for made in self.set().correlations() {
            let members = made.members.iter().filter_map(|one| by_rule.get(one.rule.0 as usize));
            let mut said: BTreeSet<&str> = members.flatten().copied().collect();
            said.extend(text(&made.document.head.file));
            all.insert(&*made.id, said);
        }
        all.extend(rules.iter().map(|rule: &Rule| &*rule.id).zip(by_rule));
        all
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::{Names, RuleFile, Rules, Whose};

    fn rules(files: &[(&str, &str)]) -> Rules {
        let file = |(name, text): &(&str, &str)| RuleFile {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
            whose: Whose::Own,
        };
        let files: Vec<_> = files.iter().map(file).collect();
        let (rules, errors) = Rules::of(&files, Names::default());
        assert_eq!(errors, []);
        rules
    }

    fn rule(api: &str, level: &str) -> String {
        format!(
            "title: Somebody called {api}\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  \
             selection:\n    eventName: {api}\n  condition: selection\nlevel: {level}\n"
        )
    }

    #[test]
    fn rules_that_came_went_or_say_something_else_are_named() {
        let (a, b, b_now, c) =
            (rule("A", "low"), rule("B", "low"), rule("B", "high"), rule("C", "low"));
        let before = rules(&[("a.yml", &a), ("b.yml", &b)]);
        let changes = rules(&[("b.yml", &b_now), ("c.yml", &c)]).changes(&before);
        assert_eq!(changes.added, ["c"]);
        assert_eq!(changes.gone, ["a"]);
        assert_eq!(changes.changed, ["b"]);
    }

    #[test]
    fn the_same_rules_are_no_change_wherever_they_lie() {
        let (a, b) = (rule("A", "low"), rule("B", "low"));
        let before = rules(&[("a.yml", &a), ("b.yml", &b)]);
        let now = rules(&[("x/a.yml", &a), ("b.yml", &b)]);
        assert_eq!(now.changes(&before), super::RuleChanges::default());
    }
}
