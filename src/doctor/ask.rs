//! Asks AWS one thing. In: a service and what to ask. Out: what it said, with permissions told apart from what is not there
//! and from what is out of reach.

use super::report::{Report, State};
use crate::{
    aws::permissions::{Action, Grant},
    clock,
};
use alerts::sinks::{Failure, http_date_ms};
use anyhow::Result;
use ingest::{
    source::{
        calls::{Answer, Calls, Request},
        session::{Access, Session},
    },
    target::partition_of,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Runtime;

/// Times that who is busy, or says nothing, is asked.
pub(super) const TRIES_MAX: usize = 3;
/// In between.
const PAUSE: Duration = Duration::from_millis(500);
/// Of requests to buckets whose readers pay.
const REQUESTER_PAYS: (&str, &str) = ("x-amz-request-payer", "requester");
/// What may keep an answer away.
pub(super) const NETWORK: &str =
    "look at the network, endpoints of the VPC, and `endpoint` of [aws]";
/// What a role that cannot be assumed may lack.
pub(super) const TRUST: &str = "let sentrail assume the role, here and in the trust policy of the role, with the same external id";
/// What a session is called that a role was assumed for; it stands behind the role in the caller's ARN.
const ASSUMED: &str = ":assumed-role/";

/// What became of a question.
#[derive(Debug)]
pub(super) enum Heard {
    /// It was answered.
    Done(Answer),
    /// A policy does not let us.
    Denied(Failure),
    /// There is no such thing.
    Missing(Failure),
    /// What was asked for cannot be.
    Refused(Failure),
    /// Nobody said anything of use.
    Nothing(String),
}

impl Heard {
    fn of(answer: Answer) -> Self {
        let Some(failure) = Failure::of(&answer, clock::now_ms()) else {
            return Self::Done(answer);
        };
        let code = failure.code.as_str();
        let is_denied = ["AccessDenied", "Forbidden", "AuthorizationError", "NotAuthorized"]
            .iter()
            .any(|word| code.contains(word))
            || (failure.status == 403 && code.is_empty())
            || code.starts_with("KMS.AccessDenied");
        let is_missing = ["NoSuch", "NotFound", "NonExistent", "DoesNotExist"]
            .iter()
            .any(|word| code.contains(word))
            || failure.status == 404;
        if is_denied {
            Self::Denied(failure)
        } else if is_missing {
            Self::Missing(failure)
        } else if failure.status >= 500 || failure.status == 429 {
            Self::Nothing(failure.error)
        } else {
            Self::Refused(failure)
        }
    }

    /// Whether it was refused for what was asked, so that it is allowed to ask.
    pub(super) fn is_refused_as(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused(failure) | Self::Missing(failure)
            if codes.iter().any(|code| failure.code.contains(code)))
    }
}

/// Who asks, and where.
pub(super) struct Client {
    calls: Calls,
    runtime: Arc<Runtime>,
    requester_pays: bool,
    /// The date of the last answer. Unit: milliseconds since the Unix epoch.
    pub(super) date_ms: Option<i64>,
    /// Whose policy it is that lacks something.
    pub(super) caller: String,
    pub(super) account: String,
}

/// What to ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) service: &'q str,
    pub(super) method: &'q str,
    pub(super) path: &'q str,
    pub(super) headers: &'q [(&'static str, &'q str)],
    pub(super) body: &'q str,
}

impl<'q> Question<'q> {
    /// One of S3, of which nothing is sent.
    pub(super) fn of_s3(method: &'q str, path: &'q str) -> Self {
        Self { service: "s3", method, path, headers: &[], body: "" }
    }
}

impl Client {
    /// Finds region and credentials; `role` is a name that other accounts have.
    pub(super) fn reach(
        runtime: &Arc<Runtime>,
        access: &Access,
        role: Option<String>,
    ) -> Result<Self> {
        let session = runtime.block_on(Session::begin(access))?;
        let (calls, runtime) = (Calls::new(&session, role), Arc::clone(runtime));
        let (caller, account) = (String::new(), "000000000000".to_owned());
        let requester_pays = access.requester_pays;
        Ok(Self { calls, runtime, requester_pays, date_ms: None, caller, account })
    }

    pub(super) fn region(&self) -> &str {
        self.calls.region()
    }

    /// What every statement is filled in with.
    pub(super) fn place(&self) -> [(&str, &str); 3] {
        let partition = partition_of(self.region());
        [("partition", partition), ("region", self.region()), ("account", &self.account)]
    }

    pub(super) fn ask(&mut self, question: Question<'_>) -> Heard {
        self.ask_as("", question)
    }

    /// Asks as another account, by the role that it was reached with.
    pub(super) fn ask_as(&mut self, account: &str, question: Question<'_>) -> Heard {
        let Self { calls, runtime, requester_pays, date_ms, .. } = self;
        let mut heard = Heard::Nothing(String::new());
        for n in 0..TRIES_MAX {
            if n > 0 {
                runtime.block_on(async { tokio::time::sleep(PAUSE).await });
            }
            let Question { service, method, path, headers, body } = question;
            let pays = (service == "s3" && *requester_pays).then_some(REQUESTER_PAYS);
            let headers: Vec<_> = headers.iter().copied().chain(pays).collect();
            let request = Request { service, path, headers: &headers, body: body.to_owned() };
            let asked = calls.ask(account, (method, request), clock::now_ms());
            heard = match runtime.block_on(asked) {
                Ok(answer) => {
                    *date_ms = answer.header("date").and_then(http_date_ms);
                    Heard::of(answer)
                }
                Err(error) => Heard::Nothing(error.to_string()),
            };
            if !matches!(heard, Heard::Nothing(_)) {
                break;
            }
        }
        heard
    }

    /// Asks a service that speaks JSON.
    pub(super) fn ask_json(&mut self, service: &str, target: &str, body: &Value) -> Heard {
        let version = if service == "sqs" { "1.0" } else { "1.1" };
        let kind = format!("application/x-amz-json-{version}");
        let headers = [("content-type", kind.as_str()), ("x-amz-target", target)];
        let body = body.to_string();
        let question =
            Question { service, method: "POST", path: "/", headers: &headers, body: &body };
        self.ask(question)
    }

    /// Asks a service that is asked by a form.
    pub(super) fn ask_form(&mut self, service: &str, body: &str) -> Heard {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.ask(Question { service, method: "POST", path: "/", headers: &headers, body })
    }

    /// Notes what came of a question, unless it was answered.
    pub(super) fn answered(
        &self,
        heard: Heard,
        (report, subject): (&mut Report, (&'static str, &str)),
        need: Need<'_>,
    ) -> Option<Answer> {
        let tried = need.tried();
        match heard {
            Heard::Done(answer) => return Some(answer),
            Heard::Denied(failure) => {
                let what = format!("not allowed: {}", failure.error);
                let check = report.note(subject, State::Fault, tried, what);
                check.mend(self.where_to_paste(need)).paste(self.statement(need));
            }
            Heard::Missing(failure) => {
                let what = format!("not there: {}", failure.error);
                report.note(subject, State::Fault, tried, what).mend("look at its name");
            }
            Heard::Refused(failure) => {
                report.note(subject, State::Fault, tried, failure.error);
            }
            Heard::Nothing(why) => {
                let what = format!("out of reach: {why}");
                let is_network = !what.contains("AccessDenied");
                let check = report.note(subject, State::Fault, tried, what);
                check.mend(if is_network { NETWORK } else { TRUST });
            }
        }
        None
    }

    /// What lets the caller.
    pub(super) fn statement(&self, need: Need<'_>) -> Value {
        need.grant.statement(&[need.with, &self.place()].concat())
    }

    /// The same, of whom it is known whose credentials they are.
    pub(super) fn known(self, caller: &str, account: &str) -> Self {
        Self { caller: caller.to_owned(), account: account.to_owned(), ..self }
    }

    fn where_to_paste(&self, need: Need<'_>) -> String {
        let caller = &self.caller;
        let whose = match caller.split_once(ASSUMED) {
            Some((_, role)) => format!("role {}", role.split('/').next().unwrap_or(role)),
            None if caller.is_empty() => "the credentials".to_owned(),
            None => caller.clone(),
        };
        let needed_for = need.grant.needed_for.replace('`', "");
        format!(
            "it is needed for {needed_for}: paste this into a policy of {whose}, and look at policies of \
             the organisation, and of the resource where it is of another account"
        )
    }
}

/// A permission that is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need<'n> {
    grant: &'static Grant,
    /// One of the statement.
    action: &'static str,
    /// What the statement is filled in with.
    with: &'n [(&'n str, &'n str)],
}

impl<'n> Need<'n> {
    /// The first action of a statement.
    pub(super) fn of(grant: &'static Grant, with: &'n [(&'n str, &'n str)]) -> Self {
        let action = grant.actions.first().map_or("", |action| action.name);
        Self { grant, action, with }
    }

    /// Another action of the same statement.
    pub(super) fn to(self, action: &'static str) -> Self {
        Self { action, ..self }
    }

    /// The action, and how it is tried.
    pub(super) fn tried(self) -> String {
        let Self { grant, action, .. } = self;
        let named = |one: &&Action| one.name == action;
        let tried = grant.actions.iter().find(named).map_or("", |one| one.tried);
        format!("{action} ({tried})")
    }
}

/// What stands in each element of a name.
pub(super) fn elements<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let each = xml.split(open.as_str()).skip(1);
    each.filter_map(|rest| rest.split_once(close.as_str()).map(|(inner, _)| inner)).collect()
}

/// The text of the first element of a name.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    let raw = elements(xml, name).first().copied()?;
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(marks.iter().fold(raw.to_owned(), |text, (mark, is)| text.replace(mark, is)))
}

/// A text as it stands in a path or a form; a path keeps its `/`.
pub(super) fn encoded(text: &str, keeps: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keeps.as_bytes().contains(&byte)
    };
    let one = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_marks() {
        let xml = "<A><Key>a&amp;lt;b</Key></A><A><Key>c</Key></A>";
        assert_eq!(elements(xml, "A").len(), 2);
        assert_eq!(text(xml, "Key").as_deref(), Some("a&lt;b"));
        assert_eq!(text(xml, "None"), None);
    }

    #[test]
    fn a_path_keeps_its_folders_and_a_form_does_not() {
        assert_eq!(encoded("a b/c=d", "/"), "a%20b/c%3Dd");
        assert_eq!(encoded("a/b", ""), "a%2Fb");
    }
}
