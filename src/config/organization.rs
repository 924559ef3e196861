//! Table `[organization]`: whether AWS Organizations is asked what accounts are called, and as whom.

use super::keys::{Fault, Places, shown};
use ingest::source::session::{Access, Role};
use serde::{Deserialize, Serialize};

/// Table `[organization]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OrganizationTable {
    /// Whether accounts have the names that they have there.
    account_names: bool,
    /// ARN of a role that may list accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

impl OrganizationTable {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every key, with a value of its type.
    pub(super) fn known() -> toml::Table {
        let all = Self { account_names: false, role: Some(String::new()) };
        toml::Table::try_from(all).unwrap_or_default()
    }

    /// How Organizations is reached, if it is to be asked.
    pub(super) fn access(&self, access: Access) -> Option<Access> {
        let role = self.role.clone().map(|arn| Role { arn, external_id: None });
        self.account_names.then_some(Access { role, ..access })
    }

    /// What is wrong with it, and where.
    pub(super) fn check(&self, places: &Places) -> Result<(), Fault> {
        let is_arn = |role: &String| role.starts_with("arn:") && role.contains(":role/");
        match &self.role {
            Some(role) if !is_arn(role) => {
                let at = places.get("organization.role").map_or(0, |place| place.value.start);
                let expected =
                    "expected such as \"arn:aws:iam::111122223333:role/sentrail-accounts\"";
                Err((
                    at,
                    format!("organization.role: {} is no ARN of a role ({expected})", shown(role)),
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{
        Config,
        tests::{Folder, refused},
    };

    #[test]
    fn organizations_is_asked_where_that_is_said_and_changes_no_hash() {
        let folder = Folder::new("organization");
        let load = |text: &str| Config::load(Some(&folder.file(text))).unwrap();
        assert_eq!(load("").organization(), None);
        let role = "arn:aws:iam::111122223333:role/sentrail-accounts";
        let config = load(&format!("[organization]\naccount-names = true\nrole = \"{role}\""));
        assert_eq!(config.organization().unwrap().role.unwrap().arn, role);
        assert_eq!(config.hash(), load("").hash());
        refused("[organization]\nrole = \"a\"", (2, 8), "\"a\" is no ARN of a role");
        refused("[organization]\naccount-name = true", (2, 1), "did you mean \"account-names\"?");
    }
}
