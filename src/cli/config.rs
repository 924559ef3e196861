//! `config check` and `config show`.

use super::configured;
use crate::config::{Config, n_of};
use anyhow::{Context as _, Result};
use std::{io::Write, path::Path};
use toml::{Table, Value};

/// Says that the configuration can be used, and what would be better. Opens the city database, and reads the
/// secrets of sinks.
pub(crate) fn check(path: Option<&Path>, out: &mut dyn Write) -> Result<()> {
    let config = Config::load(path)?;
    config
        .enrich()
        .with_context(|| format!("{}: city-database", config.origin("city-database")))?;
    match path {
        Some(path) => writeln!(out, "ok: {}", alerts::escape(&path.display().to_string()))?,
        None => writeln!(out, "ok: no file, all settings have their defaults")?,
    }
    writeln!(out, "ok: configuration hash {}", config.hash())?;
    if let Some(tally) = config.tally() {
        let word = if tally.is_whole() { "ok" } else { "warning" };
        writeln!(out, "{word}: rules: {tally}")?;
    }
    let (n_accounts, n_entries) = (config.accounts().len(), config.suppressions().entries().len());
    if n_accounts > 0 {
        writeln!(out, "ok: {} with a name", n_of(n_accounts, "account"))?;
    }
    if n_entries > 0 {
        writeln!(out, "ok: {}", n_of(n_entries, "suppression"))?;
    }
    let (sinks, n_kept) = config.sinks_offline()?;
    if n_kept > 0 {
        let others = n_of(n_kept, "sink");
        let what = "whose secrets AWS keeps: `alerts test` and every start read them";
        writeln!(out, "ok: {others} {what}")?;
    }
    if !sinks.is_empty() {
        let names: Vec<_> = sinks.iter().map(|sink| sink.name.as_str()).collect();
        writeln!(out, "ok: sinks: {}", names.join(", "))?;
    }
    for warning in config.warnings() {
        writeln!(out, "warning: {}", alerts::escape(warning))?;
    }
    if config.is_default_key() {
        writeln!(
            out,
            "warning: hash-key is not set, so bounded memories are ordered by a key that everybody \
             knows: an intruder could choose names that push others out. Set 32 random hexadecimal \
             digits, for example from `openssl rand -hex 16`, and keep them"
        )?;
    }
    let effective = config.effective();
    let disabled = effective.get("detectors").and_then(|detectors| detectors.get("disable"));
    for id in disabled.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        writeln!(out, "warning: {id} is disabled ({})", origin(&config, "detectors.disable"))?;
    }
    Ok(())
}

/// Prints what is in force as TOML, each value with the place it comes from. The hash key is hidden.
pub(crate) fn show(path: Option<&Path>, out: &mut dyn Write) -> Result<()> {
    let config = configured(path)?;
    writeln!(out, "# configuration hash {}", config.hash())?;
    let mut effective = config.effective();
    effective.remove("hash-key");
    let hidden = if config.is_default_key() { "not set" } else { "hidden" };
    writeln!(out, "# hash-key is {hidden} # {}", origin(&config, "hash-key"))?;
    if !effective.contains_key("city-database") {
        writeln!(out, "# city-database is not set # default")?;
    }
    print(&config, &effective, "", out)
}

/// Keys that are one setting though their value is a table.
const WHOLE: &[&str] = &["detectors.severity"];

fn print(config: &Config, table: &Table, name: &str, out: &mut dyn Write) -> Result<()> {
    let full = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    let is_table = |key: &str, value: &Value| value.is_table() && !WHOLE.contains(&&*full(key));
    for (key, value) in table.iter().filter(|(key, value)| !is_table(key, value)) {
        writeln!(out, "{key} = {value} # {}", origin(config, &full(key)))?;
    }
    for (key, value) in table.iter().filter(|(key, value)| is_table(key, value)) {
        if let Value::Table(inner) = value {
            writeln!(out, "\n[{}]", full(key))?;
            print(config, inner, &full(key), out)?;
        }
    }
    Ok(())
}

/// A file's name may hold anything.
fn origin(config: &Config, name: &str) -> String {
    alerts::escape(&config.origin(name)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: Option<&Path>) -> String {
        let mut out = Vec::new();
        show(path, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_value_is_shown_with_its_origin() {
        let folder = crate::config::tests::Folder::new("show");
        let file = folder.file(
            "lateness = \"2d\"\nhash-key = \"00112233445566778899aabbccddeeff\"\n\
             [detectors]\nseverity = { root-use = \"high\" }\n\
             [detectors.root-use]\nbits-min = 3\n",
        );
        let text = shown(Some(&file));
        let place = |line: usize| format!("# {}:{line}\n", file.display());
        assert!(text.contains(&format!("lateness = \"48h\" {}", place(1))), "{text}");
        assert!(
            text.contains(&format!("severity = {{ root-use = \"high\" }} {}", place(4))),
            "{text}"
        );
        assert!(text.contains(&format!("bits-min = 3.0 {}", place(6))), "{text}");
        assert!(text.contains("duplicates-budget = \"256 MiB\" # default\n"), "{text}");
        assert!(text.contains("# hash-key is hidden") && !text.contains("00112233"), "{text}");
    }

    #[test]
    fn a_sink_is_checked_and_its_url_hidden() {
        let folder = crate::config::tests::Folder::new("sink");
        let sink =
            "[sinks.siem]\ntype = \"webhook\"\nurl = \"https://siem.example.com/key-9183\"\n";
        let file = folder.file(sink);
        let mut out = Vec::new();
        check(Some(&file), &mut out).unwrap();
        let checked = String::from_utf8(out).unwrap();
        assert!(checked.contains("\nok: sinks: siem\n"), "{checked}");
        let text = shown(Some(&file)) + &checked;
        let hidden = "\n[sinks.siem]\nmin-severity = \"low\" # default\n";
        assert!(text.contains(hidden), "{text}");
        assert!(text.contains(&format!("url = \"hidden\" # {}:3\n", file.display())), "{text}");
        assert!(!text.contains("key-9183"), "{text}");
        let file = folder.file(format!("{sink}secret-file = \"none\"\n"));
        let error = check(Some(&file), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(":4:15: sinks.siem.secret-file: cannot read "), "{error}");
    }

    #[test]
    fn what_is_shown_means_the_same() {
        let folder = crate::config::tests::Folder::new("same");
        let file = folder.file(shown(None));
        let hash = |path| Config::load(path).unwrap().hash();
        assert_eq!(hash(Some(file.as_path())), hash(None));
    }

    #[test]
    fn a_check_warns_of_the_known_key_and_of_silence() {
        let folder = crate::config::tests::Folder::new("check");
        let file = folder.file("[detectors]\ndisable = [\"root-use\"]\n");
        let mut out = Vec::new();
        check(Some(&file), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("ok: ") && text.contains("warning: hash-key is not set"),
            "{text}"
        );
        assert!(text.contains("warning: root-use is disabled"), "{text}");
        let mut out = Vec::new();
        check(None, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("all settings have their defaults"));
    }

    #[test]
    fn a_missing_city_database_fails_the_check() {
        let folder = crate::config::tests::Folder::new("city");
        let file = folder.file("city-database = \"none.mmdb\"\n");
        let error = check(Some(&file), &mut Vec::new()).unwrap_err();
        let place = format!("{}:1: city-database: ", file.display());
        let error = format!("{error:#}");
        assert!(error.starts_with(&place) && error.contains("none.mmdb"), "{error}");
    }
}
