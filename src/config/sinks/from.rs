//! Tables `{ secretsmanager = "NAME", key = "KEY" }`: what AWS Secrets Manager keeps for a sink. In: texts. Out: the same,
//! checked.

use super::SinkTable;
use alerts::sinks::{KeptSecret, NoKeptSecret};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Where it is kept.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "expected such as `{ secretsmanager = \"NAME\" }`")]
pub(super) struct FromTable {
    secretsmanager: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// The keys that it may have.
pub(super) fn known() -> Value {
    let keys = ["secretsmanager", "key"].map(|key| (key.to_owned(), Value::String(String::new())));
    Value::Table(keys.into_iter().collect::<Table>())
}

impl FromTable {
    /// Where it is kept; or what is wrong with that.
    pub(super) fn place(&self) -> Result<KeptSecret, String> {
        // No name begins so but by mistake.
        if self.secretsmanager.starts_with("whsec_") {
            return Err(super::wrong::HOLDS_IT.to_owned());
        }
        let place = KeptSecret::parse(&self.secretsmanager, self.key.as_deref());
        place.map_err(|error: NoKeptSecret| error.to_string())
    }
}

impl SinkTable {
    /// What AWS Secrets Manager keeps of it, by key.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&'static str, &FromTable)> {
        let all = [
            ("url-from", &self.url_from),
            ("secret-from", &self.secret_from),
            ("key-from", &self.key_from),
        ];
        all.into_iter().filter_map(|(key, from)| Some((key, from.as_ref()?)))
    }
}

/// What AWS Secrets Manager keeps of all of them, by `SINK.KEY`.
pub(in crate::config) fn kept(tables: &BTreeMap<String, SinkTable>) -> Vec<(String, KeptSecret)> {
    let of = |(name, table): (&String, &SinkTable)| {
        let place =
            |(key, from): (&str, &FromTable)| Some((format!("{name}.{key}"), from.place().ok()?));
        table.kept().filter_map(place).collect::<Vec<_>>()
    };
    tables.iter().flat_map(of).collect()
}

/// Leaves those of which AWS Secrets Manager keeps nothing: what can be looked at without it.
pub(in crate::config) fn offline(
    tables: &BTreeMap<String, SinkTable>,
) -> BTreeMap<String, SinkTable> {
    let is_here = |(_, table): &(&String, &SinkTable)| table.kept().next().is_none();
    tables.iter().filter(is_here).map(|(name, table)| (name.clone(), table.clone())).collect()
}
