//! The file that setting `accounts` names: what people call accounts. In: tables by account number. Out: the same,
//! checked.

use super::{
    ConfigError,
    document::{document, place, text, texts},
    keys::{Fault, shown, unknown},
};
use alerts::{Account, Accounts};
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Digits of an account's number.
const NUMBER_CHARS: usize = 12;
/// Of names and owners. AWS gives names of 50. Unit: characters.
const NAME_CHARS_MAX: usize = 100;
/// Of a tag. Unit: characters.
const TAG_CHARS_MAX: usize = 60;
/// Of an account. Unit: tags.
const TAGS_MAX: usize = 20;

/// Reads the file at `path`.
pub(super) fn load(path: &Path) -> Result<Accounts, ConfigError> {
    document(("accounts", path), parse).map(|(accounts, _)| accounts)
}

fn parse(document: &DeTable<'_>) -> Result<Accounts, Fault> {
    let mut accounts = Vec::with_capacity(document.len());
    for (key, value) in document {
        let number: &str = key.get_ref();
        if number.len() != NUMBER_CHARS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let what = "is no account (expected 12 digits in quotes)";
            return Err((key.span().start, format!("{} {what}", shown(number))));
        }
        let account =
            account(value, number).map_err(|(at, what)| (at, format!("{number}: {what}")))?;
        accounts.push((number.to_owned(), account));
    }
    Ok(Accounts::new(accounts))
}

fn account(value: &Spanned<DeValue<'_>>, number: &str) -> Result<Account, Fault> {
    let expected = || (place(value), "expected `{ name = \"...\" }`".to_owned());
    let table = value.get_ref().as_table().ok_or_else(expected)?;
    let (mut name, mut owner, mut tags) = (None, None, Vec::new());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "name" => name = Some(text(value, NAME_CHARS_MAX)?.to_owned()),
            "owner" => owner = Some(text(value, NAME_CHARS_MAX)?.to_owned()),
            "tags" => tags = all_tags(value)?,
            other => {
                let what = unknown("key", other, &["name", "owner", "tags"], number);
                return Err((key.span().start, what));
            }
        }
    }
    Ok(Account { name: name.ok_or_else(expected)?, owner, tags })
}

fn all_tags(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Fault> {
    let tags = texts(value)?;
    if tags.len() > TAGS_MAX {
        return Err((place(value), format!("more than {TAGS_MAX} tags")));
    }
    for (tag, at) in &tags {
        if tag.trim().is_empty() || tag.chars().count() > TAG_CHARS_MAX {
            return Err((*at, format!("expected a tag of 1 to {TAG_CHARS_MAX} characters")));
        }
    }
    Ok(tags.into_iter().map(|(tag, _)| tag.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{document::table, position};

    fn accounts(text: &str) -> Result<Accounts, Fault> {
        table(text).and_then(|document| parse(&document))
    }

    #[track_caller]
    fn refused(text: &str, at: (usize, usize), words: &str) {
        let (offset, what) = accounts(text).unwrap_err();
        assert_eq!(position(text, offset), at, "{what}");
        assert!(what.contains(words), "{what}");
    }

    #[test]
    fn accounts_have_a_name_and_may_have_an_owner_and_tags() {
        let text = "111122223333 = { name = \"payments-prod\", owner = \"payments\", tags = [\"prod\", \"pci\"] }\n\
                    [\"444455556666\"]\nname = \"sandbox\"\n";
        let accounts = accounts(text).unwrap();
        assert_eq!(accounts.len(), 2);
        let prod = accounts.get("111122223333").unwrap();
        assert_eq!((&*prod.name, prod.owner.as_deref()), ("payments-prod", Some("payments")));
        assert_eq!(prod.tags, ["prod", "pci"]);
        assert_eq!(accounts.called("444455556666"), "sandbox (444455556666)");
    }

    #[test]
    fn what_is_no_account_is_refused_where_it_stands() {
        refused("\n1111 = { name = \"a\" }", (2, 1), "expected 12 digits");
        refused("11112222333a = { name = \"a\" }", (1, 1), "expected 12 digits");
        refused("111122223333 = \"a\"", (1, 16), "111122223333: expected `{ name = ");
        refused("111122223333 = { owner = \"a\" }", (1, 16), "expected `{ name = ");
        refused("111122223333 = { name = \" \" }", (1, 25), "an empty text");
        refused("111122223333 = { nmae = \"a\" }", (1, 18), "did you mean \"name\"?");
        refused("111122223333 = { name = \"a\", tags = [1] }", (1, 38), "expected a text");
        let long = format!("111122223333 = {{ name = \"{}\" }}", "x".repeat(NAME_CHARS_MAX + 1));
        refused(&long, (1, 25), "at most 100 characters");
        let tag = format!("111122223333 = {{ name = \"a\", tags = [\"{}\"] }}", "x".repeat(61));
        refused(&tag, (1, 38), "a tag of 1 to 60 characters");
        let tags = format!("111122223333 = {{ name = \"a\", tags = {:?} }}", ["x"; TAGS_MAX + 1]);
        refused(&tags, (1, 37), "more than 20 tags");
    }
}
