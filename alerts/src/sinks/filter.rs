//! Which findings a sink is told of, besides how severe they are. In: the lists of its table. Out: whether a finding
//! is for it.

use crate::Accounts;
use detect::{Finding, fits};

/// What findings have for an account that are about none, but about the watch itself.
const NO_ACCOUNT: &str = "-";

/// Patterns, of which those with a `!` in front leave out what they fit. Of the others, if there are any, one has to
/// fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice(Vec<String>);

impl Choice {
    /// By these patterns; by none, everything is chosen.
    pub fn new(patterns: Vec<String>) -> Self {
        Self(patterns)
    }

    /// Whether something is chosen that goes by all of these names.
    pub fn admits(&self, names: &[&str]) -> bool {
        let is_named = |pattern: &str| names.iter().any(|name| fits(pattern, name));
        let is_out = self.0.iter().filter_map(|one| one.strip_prefix('!')).any(is_named);
        let mut wanted = self.0.iter().filter(|one| !one.starts_with('!')).peekable();
        !is_out && (wanted.peek().is_none() || wanted.any(|one| is_named(one)))
    }
}

/// What a sink asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of the ids of detectors and rules.
    pub detectors: Choice,
    /// Of accounts, by their numbers and the names that the user gives them.
    pub accounts: Choice,
    /// Of the tags that the user gives accounts.
    pub account_tags: Choice,
}

impl Filter {
    /// Whether a finding is for the sink. What is about the watch itself and no account is for every account.
    pub fn admits(&self, finding: &Finding, accounts: &Accounts) -> bool {
        let number = &*finding.entity.account;
        let said = accounts.get(number);
        let names: Vec<_> =
            [Some(number), said.map(|account| &*account.name)].into_iter().flatten().collect();
        let tags: Vec<_> =
            said.iter().flat_map(|account| &account.tags).map(|tag| &**tag).collect();
        let is_of_account = || self.accounts.admits(&names) && self.account_tags.admits(&tags);
        self.detectors.admits(&[&finding.about.id]) && (number == NO_ACCOUNT || is_of_account())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, sample};

    fn choice(patterns: &[&str]) -> Choice {
        Choice::new(patterns.iter().map(|pattern| (*pattern).to_owned()).collect())
    }

    #[test]
    fn a_mark_of_exclamation_leaves_out_and_the_rest_chooses() {
        for (patterns, admitted, left) in [
            (&[][..], &["a", "b"][..], &[][..]),
            (&["a*"], &["a", "ab"], &["b", "ba"]),
            (&["a*", "c"], &["a", "c"], &["b"]),
            (&["!a*"], &["b"], &["a", "ab"]),
            (&["!ab", "a*"], &["a", "abc"], &["ab", "b"]),
            (&["a*", "!*b"], &["a"], &["ab", "c"]),
            (&["!*"], &[], &["a", "b"]),
        ] {
            let choice = choice(patterns);
            assert!(admitted.iter().all(|name| choice.admits(&[name])), "{patterns:?}");
            assert!(!left.iter().any(|name| choice.admits(&[name])), "{patterns:?}");
        }
        assert!(!choice(&["a"]).admits(&[]) && choice(&["!a"]).admits(&[]));
    }

    #[test]
    fn a_sink_chooses_detectors_accounts_and_their_tags() {
        let account = Account {
            name: "payments-prod".to_owned(),
            owner: None,
            tags: vec!["prod".to_owned(), "pci".to_owned()],
        };
        let accounts = Accounts::new([("111122223333".to_owned(), account)]);
        let mut finding = sample::finding("port-scan");
        let admits = |finding: &Finding, detectors: &[&str], accounts_: &[&str], tags: &[&str]| {
            let [detectors, accounts_, account_tags] = [detectors, accounts_, tags].map(choice);
            Filter { detectors, accounts: accounts_, account_tags }.admits(finding, &accounts)
        };
        assert!(admits(&finding, &[], &[], &[]));
        assert!(admits(&finding, &["port-*"], &["1111*"], &["pci"]));
        assert!(admits(&finding, &[], &["payments-*"], &["prod", "test"]));
        assert!(!admits(&finding, &["!port-scan"], &[], &[]));
        assert!(!admits(&finding, &[], &["!payments-prod"], &[]));
        assert!(!admits(&finding, &[], &[], &["prod", "!pci"]));
        assert!(!admits(&finding, &[], &["4444*"], &[]));
        // Nothing is said of this one, so it has no tag.
        finding.entity.account = "444455556666".into();
        assert!(admits(&finding, &[], &["4444*"], &["!prod"]));
        assert!(!admits(&finding, &[], &[], &["prod"]));
        // A state that was damaged is everybody's.
        finding.entity.account = "-".into();
        assert!(admits(&finding, &[], &["4444*"], &["prod"]));
    }
}
