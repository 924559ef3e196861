//! What people call accounts, whose numbers nobody remembers. In: what the user's file says of each, and what AWS
//! Organizations calls them. Out: names to read, owners to ask, and tags by which sinks choose.

mod organization;

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// What is said of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// How people call it.
    pub name: String,
    /// Who answers for it, if that is said.
    pub owner: Option<String>,
    /// What it is like, in the user's own words.
    pub tags: Vec<String>,
}

impl Account {
    pub(crate) fn called(&self, number: &str) -> String {
        format!("{} ({number})", self.name)
    }
}

/// Accounts by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    /// These, by number.
    pub fn new(accounts: impl IntoIterator<Item = (String, Account)>) -> Self {
        Self(accounts.into_iter().collect())
    }

    /// These, and of accounts that are not among them what others say.
    #[must_use]
    pub fn beside(&self, others: &Self) -> Self {
        Self(
            others
                .0
                .iter()
                .chain(&self.0)
                .map(|(number, one)| (number.clone(), one.clone()))
                .collect(),
        )
    }

    /// What is said of the account of this number, if anything is.
    pub fn get(&self, number: &str) -> Option<&Account> {
        self.0.get(number)
    }

    /// How many there are. Unit: accounts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is said of any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is said of each, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }

    /// An account as people read it: `payments-prod (111122223333)`, or the number alone. Not escaped.
    pub fn called<'n>(&self, number: &'n str) -> Cow<'n, str> {
        self.get(number).map_or(number.into(), |account| account.called(number).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_called_by_its_name_and_keeps_its_number() {
        let prod = Account { name: "payments-prod".to_owned(), owner: None, tags: Vec::new() };
        let accounts = Accounts::new([("111122223333".to_owned(), prod)]);
        assert_eq!(accounts.called("111122223333"), "payments-prod (111122223333)");
        assert_eq!(accounts.called("444455556666"), "444455556666");
    }
}
