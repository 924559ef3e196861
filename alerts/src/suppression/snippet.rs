//! An entry to paste into the file of suppressions. In: a finding, of which an intruder may have chosen every name.
//! Out: TOML that fits the findings of its detector on its entity, of flows with the same peers, and no others.

use super::criterion::peers;
use crate::escape::is_hidden;
use baseline::Day;
use detect::{Finding, literal};

/// For how long it holds: a quarter, after which somebody looks again. Unit: days.
const HOLDS_D: i32 = 90;
/// Stands where the reason belongs, and is to be replaced.
pub const REASON_OPEN: &str = "WHY";
/// Stands where the owner belongs, and is to be replaced.
pub const OWNER_OPEN: &str = "WHO";

/// The lines of an entry that suppresses what `finding` tells, on other days, too. From `today` on it holds, for an entry
/// to the findings of old logs would be one that has expired; or from the finding's own day, where that is later.
pub fn suppression_snippet(finding: &Finding, today: Day) -> Vec<String> {
    let Finding { about, entity, day, .. } = finding;
    let (from, called) = if *day > today { (*day, "its day") } else { (today, "today") };
    let expires = Day(from.0.saturating_add(HOLDS_D));
    let pattern = |text: &str| toml_text(&literal(text));
    let mut lines = vec![
        "[[suppress]]".to_owned(),
        format!("reason = {}", toml_text(REASON_OPEN)),
        format!("owner = {}", toml_text(OWNER_OPEN)),
        format!("expires = \"{expires}\"  # {HOLDS_D} days from {called} on"),
        format!("detector = {}", pattern(&about.id)),
        format!("account = {}", pattern(&entity.account)),
        format!("entity = {}", pattern(&entity.key)),
    ];
    let peers: Vec<String> =
        peers(finding).unwrap_or_default().iter().map(|one| toml_text(one)).collect();
    if !peers.is_empty() {
        lines.push(format!("peer = [{}]", peers.join(", ")));
    }
    lines
}

/// A basic string of TOML in which nothing is hidden.
pub(crate) fn toml_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) && u32::from(c) > 0xffff => {
                quoted.extend(format!("\\U{:08x}", u32::from(c)).chars());
            }
            c if is_hidden(c) => quoted.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use proptest::prelude::*;

    #[test]
    fn an_entry_names_detector_account_and_entity_for_a_quarter_to_come() {
        let mut finding = sample::finding("port-scan");
        finding.entity.key = "arn:aws:iam::111122223333:user/\"*\\".into();
        let expected = r#"[[suppress]]
reason = "WHY"
owner = "WHO"
expires = "2027-02-28"  # 90 days from today on
detector = "port-scan"
account = "111122223333"
entity = "arn:aws:iam::111122223333:user/\"\\*\\\\""#;
        let today = Day(20_787);
        assert_eq!(suppression_snippet(&finding, today).join("\n"), expected);
        // A clock that is behind the logs.
        let expires = &suppression_snippet(&finding, Day(0))[3];
        assert_eq!(expires, "expires = \"2026-06-10\"  # 90 days from its day on");
    }

    #[test]
    fn an_entry_to_flows_names_their_peers_where_all_are_known() {
        let mut finding = sample::flow();
        let last = |finding: &Finding| suppression_snippet(finding, Day(0)).pop().unwrap();
        let flow = finding.flow.as_mut().unwrap();
        flow.peers = vec!["192.0.2.9".to_owned(), "2001:db8::7".to_owned()];
        assert_eq!(last(&finding), "peer = [\"192.0.2.9\", \"2001:db8::7\"]");
        finding.flow.as_mut().unwrap().has_all_peers = false;
        assert!(last(&finding).starts_with("entity = "));
    }

    proptest! {
        #[test]
        fn any_text_is_toml_and_shows_what_it_holds(text in any::<String>()) {
            let quoted = toml_text(&text);
            prop_assert!(!quoted.chars().any(is_hidden));
            let table: toml::Table = toml::from_str(&format!("text = {quoted}")).unwrap();
            prop_assert_eq!(table["text"].as_str().unwrap(), text);
        }
    }
}
