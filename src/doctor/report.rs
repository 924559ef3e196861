//! What was found of a set-up, a line each. In: checks. Out: lines for people, or one object of JSON.

use alerts::escape;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// `run` fails, or misses something.
    Fault,
    /// It cannot be told.
    Unknown,
}

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    /// What it is about.
    on: String,
    state: State,
    tried: String,
    found: String,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
    /// Of a policy, to paste.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Value>,
}

impl Check {
    /// What mends it.
    pub(super) fn mend(&mut self, to_do: impl Into<String>) -> &mut Self {
        self.to_do = Some(to_do.into());
        self
    }

    /// What is missing in a policy.
    pub(super) fn paste(&mut self, statement: Value) {
        self.statement = Some(statement);
    }
}

/// All checks, in their order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    checks: Vec<Check>,
}

impl Report {
    /// Notes a check: its name and what it is about, what was tried, what was found.
    pub(super) fn note(
        &mut self,
        (name, on): (&'static str, &str),
        state: State,
        tried: impl Into<String>,
        found: impl Into<String>,
    ) -> &mut Check {
        let (tried, found) = (tried.into(), found.into());
        let on = on.to_owned();
        self.checks.push(Check { name, on, state, tried, found, to_do: None, statement: None });
        let last = self.checks.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed just now")]
        &mut self.checks[last]
    }

    /// How many checks found a fault.
    pub(crate) fn n_faults(&self) -> usize {
        self.n_of(State::Fault)
    }

    fn n_of(&self, state: State) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }

    /// What is missing, as one policy; `None` where nothing is.
    fn policy(&self) -> Option<Value> {
        let faults = self.checks.iter().filter(|check| check.state == State::Fault);
        let mut statements: Vec<&Value> = Vec::new();
        for statement in faults.filter_map(|check| check.statement.as_ref()) {
            if !statements.contains(&statement) {
                statements.push(statement);
            }
        }
        let is_any = !statements.is_empty();
        is_any.then(|| json!({"Version": "2012-10-17", "Statement": statements}))
    }

    /// Writes a line for each check, and what is to be pasted below it.
    pub(crate) fn write_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        for check in &self.checks {
            let Check { name, on, state, tried, found, to_do, statement } = check;
            let state = match state {
                State::Ok => "ok",
                State::Fault => "fault",
                State::Unknown => "unknown",
            };
            let to_do = to_do.as_ref().map(|to_do| format!("; {to_do}")).unwrap_or_default();
            let line = format!("{name} of {on}: {tried}: {found}{to_do}");
            writeln!(out, "{state:<7} {}", escape(&line))?;
            if let Some(statement) = statement {
                for line in format!("{statement:#}").lines() {
                    writeln!(out, "        {line}")?;
                }
            }
        }
        let [ok, faults, unknown] =
            [State::Ok, State::Fault, State::Unknown].map(|state| self.n_of(state));
        writeln!(out, "{ok} ok, {faults} at fault, {unknown} unknown")
    }

    /// Writes one object of JSON.
    pub(crate) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = match self.policy() {
            Some(policy) => json!({"checks": self.checks, "policy": policy}),
            None => json!({"checks": self.checks}),
        };
        writeln!(out, "{all:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_one_policy_and_each_line_says_what_to_do() {
        let mut report = Report::default();
        let statement = json!({"Sid": "ReadLogs"});
        for on in ["s3://a\u{1b}[31m", "s3://b"] {
            report
                .note(("bucket-get", on), State::Fault, "s3:GetObject", "AccessDenied")
                .mend("allow it")
                .paste(statement.clone());
        }
        report
            .note(("notification", "s3://a"), State::Unknown, "reading it", "not allowed")
            .paste(json!({"Sid": "LookAtBucket"}));
        assert_eq!(report.n_faults(), 2);
        assert_eq!(report.policy().unwrap()["Statement"], json!([statement]));
        let mut out = Vec::new();
        report.write_lines(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("fault   bucket-get of s3://a"), "{text}");
        assert!(text.contains(": s3:GetObject: AccessDenied; allow it\n        {\n"), "{text}");
        assert!(text.ends_with("0 ok, 2 at fault, 1 unknown\n") && !text.contains('\u{1b}'));
    }
}
