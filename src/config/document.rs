//! Files of TOML beside the configuration, whose keys are the user's: read by hand, so that everything that is wrong
//! has its place. In: a document. Out: its values, or where it says what cannot hold.

use super::{ConfigError, keys::Fault, read, units, wrong};
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Reads the file at `path`, which the setting `key` names, and understands it by `parse`.
pub(super) fn document<T>(
    (key, path): (&'static str, &Path),
    parse: impl FnOnce(&DeTable<'_>) -> Result<T, Fault>,
) -> Result<(T, String), ConfigError> {
    let text = read(path).map_err(|error| match error {
        ConfigError::Read { path, source } => ConfigError::ReadNamed { key, path, source },
        other => other,
    })?;
    let parsed = table(&text).and_then(|table| parse(&table));
    parsed.map(|parsed| (parsed, text.clone())).map_err(|fault| wrong(path, &text, fault))
}

/// The document of a text.
pub(super) fn table(text: &str) -> Result<DeTable<'_>, Fault> {
    let fault = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, units::plain(&error.message().replace('\n', ", ")))
    };
    DeTable::parse(text).map(Spanned::into_inner).map_err(fault)
}

/// Where a value stands. Unit: byte offset.
pub(super) fn place(value: &Spanned<DeValue<'_>>) -> usize {
    value.span().start
}

/// A text of 1 to `chars_max` characters that says something.
pub(super) fn text<'v>(
    value: &'v Spanned<DeValue<'_>>,
    chars_max: usize,
) -> Result<&'v str, Fault> {
    let fault = |what: &str| (place(value), what.to_owned());
    let text = value.get_ref().as_str().ok_or_else(|| fault("expected a text in quotes"))?;
    if text.trim().is_empty() {
        return Err(fault("an empty text (expected one that says something)"));
    }
    if text.chars().count() > chars_max {
        return Err(fault(&format!("expected at most {chars_max} characters")));
    }
    Ok(text)
}

/// One text, or a list of them that is not empty, each with its place.
pub(super) fn texts<'v>(value: &'v Spanned<DeValue<'_>>) -> Result<Vec<(&'v str, usize)>, Fault> {
    let fault = |value: &Spanned<DeValue<'_>>, what: &str| (place(value), what.to_owned());
    let one = |value: &'v Spanned<DeValue<'_>>| {
        let text = value.get_ref().as_str().map(|text| (text, place(value)));
        text.ok_or_else(|| fault(value, "expected a text in quotes, or a list of them"))
    };
    match value.get_ref().as_array() {
        Some(all) if all.is_empty() => Err(fault(value, "an empty list (expected a text in it)")),
        Some(all) => all.iter().map(one).collect(),
        None => one(value).map(|text| vec![text]),
    }
}
