//! Table `[aws]`: how buckets and queues are reached. What it does not say, environment and profile do.

use ingest::source::session::{Access, Role};
use serde::{Deserialize, Serialize};

/// Table `[aws]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AwsTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// ARN of a role that reads the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    requester_pays: bool,
}

impl AwsTable {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every key, with a value of its type.
    pub(super) fn known() -> toml::Table {
        let text = || Some(String::new());
        let all = Self {
            region: text(),
            profile: text(),
            endpoint: text(),
            role: text(),
            external_id: text(),
            requester_pays: false,
        };
        toml::Table::try_from(all).unwrap_or_default()
    }

    pub(super) fn access(&self) -> Access {
        let Self { region, profile, endpoint, role, external_id, requester_pays } = self.clone();
        let role = role.map(|arn| Role { arn, external_id });
        Access { region, profile, endpoint, role, requester_pays, ..Access::default() }
    }
}
