//! Table `quiet` of `[sinks.NAME]`: hours in which people are told only what is critical. In: texts. Out: the same,
//! checked.

use alerts::sinks::Quiet;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// From when to when, on the clock of which place.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "a table with `from`, `to` and `zone`")]
pub(super) struct QuietTable {
    from: String,
    to: String,
    zone: String,
}

/// The keys that it may have.
pub(super) fn known() -> Value {
    let keys = ["from", "to", "zone"].map(|key| (key.to_owned(), Value::String(String::new())));
    Value::Table(keys.into_iter().collect::<Table>())
}

impl QuietTable {
    /// The hours; or which key is wrong, and how.
    pub(super) fn quiet(&self) -> Result<Quiet, (&'static str, String)> {
        let Self { from, to, zone } = self;
        Quiet::new(from, to, zone).map_err(|(key, error)| {
            let key = match key {
                "from" => "quiet.from",
                "to" => "quiet.to",
                _ => "quiet.zone",
            };
            (key, error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::tests::{Folder, refused};
    use std::fs;

    const SINK: &str = "[sinks.a]\ntype = \"slack\"\nurl-file = \"url\"\n";

    #[test]
    fn hours_that_cannot_be_quiet_are_refused_where_they_stand() {
        let line = |quiet: &str| format!("{SINK}quiet = {quiet}");
        let good = "{ from = \"22:00\", to = \"07:00\", zone = \"Europe/Berlin\" }";
        refused(&line("\"night\""), (4, 9), "expected a table with `from`, `to` and `zone`");
        refused(&line("{ from = \"22:00\", to = \"07:00\" }"), (4, 9), "zone");
        refused(&line("{ form = \"22:00\" }"), (4, 11), "did you mean \"from\"?");
        let late = line(&good.replace("22:00", "22"));
        refused(&late, (4, 18), "sinks.a.quiet.from: no time of day (expected such as \"22:00\")");
        let endless = line(&good.replace("22:00", "07:00"));
        refused(&endless, (4, 32), "sinks.a.quiet.to: from and to are the same");
        let nowhere = line(&good.replace("Berlin", "Atlantis"));
        refused(&nowhere, (4, 48), "sinks.a.quiet.zone: no time zone");
        let file = "[sinks.a]\ntype = \"json-lines\"\npath = \"a\"\n";
        refused(&format!("{file}quiet = {good}"), (4, 9), "only a sink of type \"webhook\", ");
    }

    #[test]
    fn a_heartbeat_is_hours_or_days_and_for_people_who_want_it() {
        let line = |heartbeat: &str| format!("{SINK}heartbeat = {heartbeat}");
        for wrong in ["\"30m\"", "\"0h\"", "\"169h\"", "\"day\""] {
            refused(&line(wrong), (4, 13), "expected 1h to 168h, for example \"24h\"");
        }
        refused(&line("24"), (4, 13), "expected a text in quotes");
        let file = "[sinks.a]\ntype = \"json-lines\"\npath = \"a\"\nheartbeat = \"1d\"";
        refused(
            file,
            (4, 13),
            "only a sink of type \"webhook\", \"slack\", \"teams\" or \"sns\" has it",
        );
        let folder = Folder::new("heartbeat");
        let file = folder.file(line("\"1d\""));
        fs::write(file.with_file_name("url"), "https://hooks.example.com/key-9183").unwrap();
        let config = Config::load(Some(&file)).unwrap();
        assert_eq!(config.sinks().unwrap()[0].heartbeat_ms, Some(24 * 3_600_000));
        assert_eq!(config.effective()["sinks"]["a"]["heartbeat"].as_str(), Some("24h"));
    }

    #[test]
    fn a_burst_is_for_chats_and_has_a_bound() {
        for wrong in ["0", "1001"] {
            let text = format!("{SINK}burst = {wrong}");
            refused(&text, (4, 9), "sinks.a.burst: expected a whole number from 1 to 1000");
        }
        let file = "[sinks.a]\ntype = \"json-lines\"\npath = \"a\"\nburst = 5";
        refused(file, (4, 9), "only a sink of type \"slack\" or \"teams\" has it");
    }

    #[test]
    fn quiet_hours_reach_the_sink() {
        let folder = Folder::new("quiet");
        let quiet = "quiet = { from = \"22:00\", to = \"07:00\", zone = \"UTC\" }";
        let file = folder.file(format!("{SINK}{quiet}"));
        fs::write(file.with_file_name("url"), "https://hooks.example.com/key-9183").unwrap();
        let sinks = Config::load(Some(&file)).unwrap().sinks().unwrap();
        let ends_ms = |at_ms| sinks[0].quiet.as_ref().unwrap().ends_ms(at_ms);
        assert_eq!((ends_ms(0), ends_ms(8 * 3_600_000)), (Some(7 * 3_600_000), None));
    }
}
