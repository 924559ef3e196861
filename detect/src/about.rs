//! What those who speak say about themselves: the facts that findings, lists and pages share.

use crate::{
    detector::{Impact, Meta, Severity},
    detectors::DETECTORS,
    watch::Watches,
};
use std::sync::Arc;

/// What a detector or a rule says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Kebab-case, never reused: the settings key and the docs anchor.
    pub id: String,
    /// UUID of a rule, in lower case, by which it can be called, too.
    pub uuid: Option<String>,
    /// A few words.
    pub title: String,
    /// Its usual severity; a verdict may say another, and the page says when.
    pub severity: Severity,
    /// What the calls it watches can do.
    pub impact: Impact,
    /// MITRE ATT&CK techniques, for example `T1535`.
    pub techniques: Vec<String>,
    /// GuardDuty finding type it matches, if GuardDuty has one.
    pub guardduty: Option<String>,
    /// The user documentation, as Markdown: `# title`, then `## Fires when`, `## Quiet when`,
    /// `## Misses`, `## Triage`.
    pub page: String,
}

impl About {
    /// Whether it is called so: by its id or its UUID.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.uuid.as_deref().is_some_and(|uuid| uuid.eq_ignore_ascii_case(name))
    }

    /// The text of one section of the page, as one line.
    pub fn section(&self, heading: &str) -> String {
        let lines = self.page.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
        let text = lines.skip(1).take_while(|line| !line.starts_with("## "));
        text.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl From<&Meta> for About {
    fn from(meta: &Meta) -> Self {
        let page = meta.page();
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        Self {
            id: meta.id.to_owned(),
            uuid: None,
            title,
            severity: meta.severity,
            impact: meta.impact,
            techniques: meta.techniques.iter().map(|technique| technique.0.to_owned()).collect(),
            guardduty: meta.guardduty.map(str::to_owned),
            page,
        }
    }
}

/// Everything that can speak, by number: the detectors in the order of their registry, then rules and
/// correlations.
#[derive(Debug, Clone)]
pub struct Catalogue(Vec<Arc<About>>);

impl Catalogue {
    /// Every detector and every watch.
    pub(crate) fn of(watches: &Watches) -> Self {
        let detectors = DETECTORS.iter().map(|detector| Arc::new(detector.meta.into()));
        Self(detectors.chain(watches.iter().map(|watch| Arc::clone(&watch.about))).collect())
    }

    /// All, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<About>> {
        self.0.iter()
    }

    /// The one of this id or UUID.
    pub fn find(&self, name: &str) -> Option<&Arc<About>> {
        self.iter().find(|about| about.is_called(name))
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Arc<About>> {
        self.0.get(number)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Rules;

    #[test]
    fn everybody_is_documented() {
        for about in Rules::built_in().catalogue().iter() {
            assert!(!about.title.is_empty() && !about.techniques.is_empty(), "{}", about.id);
            for heading in ["Fires when", "Quiet when", "Misses", "Triage"] {
                assert!(!about.section(heading).is_empty(), "{}: no `## {heading}`", about.id);
            }
        }
    }
}
