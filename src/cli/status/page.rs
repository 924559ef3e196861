//! The page of `status`. In: what a daemon answered at two moments. Out: text, or JSON.

use super::{Look, samples::Samples};
use alerts::escape;
use ingest::time::format_ms;
use serde_json::{Value, json};
use std::{borrow::Cow, fmt::Write as _};

/// Feeds that are shown, the longest silent first. Unit: feeds.
const FEEDS_MAX: usize = 5;

/// Severities, the worst first.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// What is shown.
pub(super) struct Page {
    all: Value,
}

impl Page {
    /// Of two looks, the rates between them.
    pub(super) fn of(before: &Look, now: &Look) -> Self {
        let samples = &now.samples;
        let seconds = now.at.duration_since(before.at).as_secs_f64().max(0.001);
        let rate = |name: &str| {
            let more = samples.sum(name) - before.samples.sum(name);
            (more.max(0.0) / seconds * 10.0).round() / 10.0
        };
        let version = samples.by("sentrail_build_info", ["version"]);
        let objects = "sentrail_objects_processed_total";
        let of_result = |result: &str| samples.sum_of(objects, ("result", result));
        let findings = SEVERITIES.map(|severity| {
            (
                severity.to_owned(),
                json!(samples.sum_of("sentrail_findings_total", ("severity", severity))),
            )
        });
        let feeds = samples.by("sentrail_log_gap_seconds", ["account", "region", "source"]);
        let mut feeds: Vec<([String; 3], f64)> = feeds.into_iter().collect();
        feeds.sort_by(|one, other| other.1.total_cmp(&one.1));
        let n_feeds = feeds.len();
        let feeds: Vec<Value> = feeds
            .into_iter()
            .take(FEEDS_MAX)
            .map(|([account, region, source], silent_s)| {
                json!({"account": account, "region": region, "source": source, "silent_s": silent_s})
            })
            .collect();
        let lag = |q: f64| samples.quantile("sentrail_event_lag_seconds", q);
        let all = json!({
            "ready": now.unready.is_none(),
            "unready": now.unready,
            "version": version.keys().next().map(|[version]| version.clone()),
            "now_s": samples.sum("sentrail_now_timestamp_seconds"),
            "days_open": samples.sum("sentrail_days_open"),
            "epoch_age_s": samples.sum("sentrail_epoch_age_seconds"),
            "config_unapplied": samples.sum("sentrail_config_unapplied") > 0.0,
            "lag_s": {"p50": lag(0.5), "p95": lag(0.95)},
            "lease_held": samples.of("sentrail_lease_held").map(|held| held > 0.0),
            "snapshot_age_s": samples.of("sentrail_snapshot_age_seconds"),
            "objects": {
                "read": of_result("read"), "unread": of_result("unread"), "changed": of_result("changed"),
                "per_s": rate(objects),
            },
            "records": {
                "read": samples.sum("sentrail_records_total"),
                "duplicate": samples.sum("sentrail_records_duplicate_total"),
                "late": samples.sum("sentrail_records_late_total"),
                "not_understood": samples.sum("sentrail_parse_errors_total"),
                "per_s": rate("sentrail_records_total"),
            },
            "findings": findings.into_iter().collect::<serde_json::Map<_, _>>(),
            "suppressed": samples.sum("sentrail_findings_suppressed_total"),
            "memory_bytes": samples.sum("process_resident_memory_bytes"),
            "identities": samples.sum("sentrail_identities_tracked"),
            "sinks": sinks(samples),
            "n_feeds": n_feeds,
            "feeds": feeds,
            "troubles": now.troubles,
        });
        Self { all }
    }

    /// For programs.
    pub(super) fn json(&self) -> &Value {
        &self.all
    }

    /// For people.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut to = String::new();
        self.write(&mut to)?;
        Ok(to)
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let all = &self.all;
        let number = |path: &str| all.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
        let text = |path: &str| escape(all.pointer(path).and_then(Value::as_str).unwrap_or("?"));
        let is_ready = all.get("ready") == Some(&Value::Bool(true));
        let ready = if is_ready { "yes".to_owned() } else { format!("no: {}", text("/unready")) };
        writeln!(to, "ready      {ready}; version {}", text("/version"))?;
        #[expect(clippy::cast_possible_truncation, reason = "times of this century")]
        let now_ms = (number("/now_s") * 1_000.0) as i64;
        let at = if now_ms == 0 { "nothing yet".to_owned() } else { format_ms(now_ms) };
        writeln!(to, "logs       up to {at}; {} days open", count(number("/days_open")))?;
        writeln!(to, "durable    what was read until {} ago", span(number("/epoch_age_s")))?;
        if all.get("config_unapplied") == Some(&Value::Bool(true)) {
            writeln!(to, "config     the one on disk is not in force: see trouble below")?;
        }
        if let Some(is_held) = all.get("lease_held").and_then(Value::as_bool) {
            let lease = if is_held { "this daemon has the lease" } else { "another has the lease" };
            let age = all.get("snapshot_age_s").and_then(Value::as_f64);
            let age = age.map_or_else(|| "none yet".to_owned(), |age| format!("{} ago", span(age)));
            writeln!(to, "snapshot   {age}; {lease}")?;
        }
        let within = |path: &str| all.pointer(path).and_then(Value::as_f64).map(span);
        if let (Some(half), most) = (within("/lag_s/p50"), within("/lag_s/p95")) {
            let most = most.unwrap_or_else(|| "more than the longest that is counted".to_owned());
            writeln!(to, "lag        half of the objects within {half}, 95 of 100 within {most}")?;
        }
        writeln!(
            to,
            "objects    {} read, {} a second; {} could not be read, {} changed",
            count(number("/objects/read")),
            number("/objects/per_s"),
            count(number("/objects/unread")),
            count(number("/objects/changed"))
        )?;
        writeln!(
            to,
            "records    {} read, {} a second; {} delivered before, {} late, {} not understood",
            count(number("/records/read")),
            number("/records/per_s"),
            count(number("/records/duplicate")),
            count(number("/records/late")),
            count(number("/records/not_understood"))
        )?;
        let findings = SEVERITIES
            .map(|one| format!("{} {one}", count(number(&format!("/findings/{one}")))))
            .join(", ");
        writeln!(to, "findings   {findings}; {} suppressed", count(number("/suppressed")))?;
        writeln!(
            to,
            "memory     {} MiB; {} identities and interfaces",
            count(number("/memory_bytes") / f64::from(1 << 20)),
            count(number("/identities"))
        )?;
        self.write_each(to)
    }

    /// Sinks, feeds, and what went wrong.
    fn write_each(&self, to: &mut String) -> std::fmt::Result {
        let all = &self.all;
        let each = |path: &str| all.get(path).and_then(Value::as_array).into_iter().flatten();
        let n = |one: &Value, name: &str| one.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        for sink in each("sinks") {
            let (name, sent) = (of(sink, "sink"), count(n(sink, "delivered")));
            let (pending, dead) = (count(n(sink, "pending")), count(n(sink, "dead")));
            writeln!(to, "sink       {name}: {sent} delivered, {pending} waiting, {dead} dead")?;
        }
        let more = n(all, "n_feeds") - each("feeds").count() as f64;
        for feed in each("feeds") {
            let (source, account) = (of(feed, "source"), of(feed, "account"));
            let (region, silent) = (of(feed, "region"), span(n(feed, "silent_s")));
            writeln!(to, "feed       {source} of {account} in {region}: silent for {silent}")?;
        }
        if more > 0.0 {
            writeln!(to, "feed       {} more, silent for less", count(more))?;
        }
        for trouble in each("troubles") {
            let (event, times) = (of(trouble, "event"), count(n(trouble, "count")));
            let (last, message) = (of(trouble, "last"), of(trouble, "message"));
            writeln!(to, "trouble    {event}, {times} times, last at {last}: {message}")?;
        }
        Ok(())
    }
}

/// How much each sink got, and has to get.
fn sinks(samples: &Samples) -> Vec<Value> {
    let sinks = samples.by("sentrail_alert_spool_entries", ["sink", "state"]);
    let sent = samples.by("sentrail_alerts_sent_total", ["sink", "result"]);
    let mut names: Vec<&str> = sinks.keys().map(|[sink, _]| sink.as_str()).collect();
    names.dedup();
    let told = names.into_iter().map(|sink| {
        let key = |state: &str| [sink.to_owned(), state.to_owned()];
        let of = |state: &str| sinks.get(&key(state)).unwrap_or(&0.0);
        let sent = sent.get(&key("delivered")).unwrap_or(&0.0);
        json!({"sink": sink, "delivered": sent, "pending": of("pending"), "dead": of("dead")})
    });
    told.collect()
}

/// The text of a member, for a terminal.
fn of<'v>(one: &'v Value, name: &str) -> Cow<'v, str> {
    escape(one.get(name).and_then(Value::as_str).unwrap_or_default())
}

/// A whole number, its thousands apart.
fn count(n: f64) -> String {
    let digits = format!("{:.0}", n.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds in the unit that fits.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// The lines about feeds, of so many; each is silent for an hour longer than the one before.
    fn feeds(n: u32) -> Vec<String> {
        let name = "sentrail_log_gap_seconds";
        let feed = |n| {
            let labels =
                format!("account=\"{n:012}\",region=\"eu-central-1\",source=\"cloudtrail\"");
            format!("{name}{{{labels}}} {}\n", 7_200 + 3_600 * n)
        };
        let samples = || Samples::read(&(0..n).map(feed).collect::<String>());
        let look = || Look {
            at: Instant::now(),
            samples: samples(),
            unready: None,
            troubles: Value::Null,
        };
        let text = Page::of(&look(), &look()).text().unwrap();
        text.lines().filter(|line| line.starts_with("feed ")).map(str::to_owned).collect()
    }

    #[test]
    fn of_many_feeds_the_longest_silent_are_shown_and_the_others_counted() {
        assert!(feeds(0).is_empty());
        let most = feeds(5);
        assert_eq!(most.len(), FEEDS_MAX);
        let longest = "feed       cloudtrail of 000000000004 in eu-central-1: silent for 6.0 h";
        assert_eq!(most[0], longest);
        assert!(most[4].ends_with("silent for 2.0 h"), "{most:?}");
        let more = feeds(1_006);
        assert_eq!(more.len(), FEEDS_MAX + 1);
        assert!(more[0].contains("of 000000001005 in"), "{more:?}");
        assert_eq!(more[FEEDS_MAX], "feed       1,001 more, silent for less");
    }

    #[test]
    fn numbers_are_as_people_read_them() {
        assert_eq!([0.0, 12.0, 1_234.0, 1_234_567.0].map(count), ["0", "12", "1,234", "1,234,567"]);
        let spans = [0.4, 119.0, 120.0, 7_200.0, 172_800.0].map(span);
        assert_eq!(spans, ["0 s", "119 s", "2 min", "2.0 h", "2.0 days"]);
    }
}
