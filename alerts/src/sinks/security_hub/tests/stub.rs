//! A server that takes findings as AWS does: it checks signatures, knows accounts by their keys, keeps the later of two
//! updates, and fails as it is told to.

pub(super) use crate::sinks::service::stub::OWN;
use crate::sinks::service::stub::{Request, listen, read, signed_by};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    io::Write as _,
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

/// Who does not have the role.
pub(super) const STRANGER: &str = "999988887777";
pub(super) const MEMBERS: [&str; 2] = ["111122223333", "444455556666"];

/// What the next call meets.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// This answer: the rest of its first line and its headers, and its body.
    Answer(&'static str, &'static str),
    /// The connection ends before anything is taken.
    HangUp,
    /// All is taken, and the answer is lost.
    DropReply,
    /// This code for every finding that comes second, fourth, and so on.
    EverySecond(&'static str),
}

/// What it has, and what it saw.
#[derive(Default)]
pub(super) struct State {
    pub(super) faults: VecDeque<Fault>,
    /// Findings by account and id.
    pub(super) findings: BTreeMap<(String, String), Value>,
    /// Titles that are refused, with the call that they stand in.
    pub(super) refused: Vec<String>,
    /// Accounts in which it is not enabled.
    pub(super) disabled: Vec<String>,
    /// When it was called, by whom, with how many findings.
    pub(super) calls: Vec<(Instant, String, usize)>,
    /// Updates that it ignored since they were not later.
    pub(super) n_stale: usize,
    /// What STS was asked.
    pub(super) asked: Vec<String>,
}

pub(super) struct Stub {
    pub(super) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Stub {
    /// Listens until the tests end.
    pub(super) fn new() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        Self { endpoint: listen(move |stream| serve(stream, &shared)), state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn fails(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }
}

/// Serves one request; nothing when the connection is to end.
fn serve(mut stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = read(stream)?;
    let mut state = state.lock().unwrap();
    let (head, body) = if request.line.starts_with("POST / ") {
        sts(&request, &mut state)
    } else {
        assert_eq!(request.line, "POST /findings/import HTTP/1.1");
        let account = signed_by(&request, "securityhub");
        let findings: Value = serde_json::from_slice(&request.body).unwrap();
        let findings = findings["Findings"].as_array().unwrap().clone();
        state.calls.push((Instant::now(), account.clone(), findings.len()));
        match state.faults.pop_front() {
            Some(Fault::Answer(head, body)) => (head.to_owned(), body.to_owned()),
            Some(Fault::HangUp) => return None,
            Some(Fault::DropReply) => {
                import(&mut state, &account, &findings, None);
                return None;
            }
            Some(Fault::EverySecond(code)) => import(&mut state, &account, &findings, Some(code)),
            None => import(&mut state, &account, &findings, None),
        }
    };
    write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).ok()
}

/// What is done with findings that come from an account.
fn import(
    state: &mut State,
    account: &str,
    findings: &[Value],
    fails: Option<&str>,
) -> (String, String) {
    let refuse = |status: &str, code: &str, message: &str| {
        let head = format!("{status}\r\nx-amzn-errortype: {code}:http://internal.example.com/");
        (head, json!({"Message": message}).to_string())
    };
    if state.disabled.iter().any(|one| one == account) {
        return refuse("401 Unauthorized", "InvalidAccessException", "not subscribed");
    }
    assert!((1..=100).contains(&findings.len()));
    for finding in findings {
        let product =
            format!("arn:aws:securityhub:eu-central-1:{account}:product/{account}/default");
        if finding["AwsAccountId"] != account || finding["ProductArn"] != product {
            let message = "not authorized to perform: securityhub:BatchImportFindings";
            return refuse("403 Forbidden", "AccessDeniedException", message);
        }
        if state.refused.iter().any(|title| finding["Title"] == **title) {
            return refuse("400 Bad Request", "InvalidInputException", "Invalid \u{1b}[31mTitle");
        }
    }
    let mut failed = Vec::new();
    for (n, finding) in findings.iter().enumerate() {
        let id = finding["Id"].as_str().unwrap().to_owned();
        if let Some(code) = fails.filter(|_| n % 2 == 1) {
            failed.push(json!({"Id": id, "ErrorCode": code, "ErrorMessage": "because"}));
            continue;
        }
        let key = (account.to_owned(), id);
        let time = |finding: &Value, name: &str| {
            let text = finding[name].as_str().unwrap();
            assert_eq!(text.len(), "2026-03-12T14:03:11.000Z".len(), "{text}");
            ingest::time::parse_ms(text).unwrap()
        };
        let known = state.findings.get(&key);
        if known.is_some_and(|known| time(known, "UpdatedAt") >= time(finding, "UpdatedAt")) {
            state.n_stale += 1;
            continue;
        }
        assert!(known.is_some() || finding["CreatedAt"] == finding["UpdatedAt"], "{finding}");
        state.findings.insert(key, finding.clone());
    }
    let (n_failed, n) = (failed.len(), findings.len());
    let body =
        json!({"FailedCount": n_failed, "SuccessCount": n - n_failed, "FailedFindings": failed});
    ("200 OK".to_owned(), body.to_string())
}

fn sts(request: &Request, state: &mut State) -> (String, String) {
    let asked = String::from_utf8(request.body.clone()).unwrap();
    state.asked.push(asked.clone());
    if asked.contains("Action=GetCallerIdentity") {
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::{OWN}:user/a</Arn><UserId>A</UserId>\
             <Account>{OWN}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        return ("200 OK".to_owned(), body);
    }
    assert!(asked.contains("Action=AssumeRole") && asked.contains("role%2Fsentrail-findings"));
    let account = asked.split("iam%3A%3A").nth(1).unwrap().split('%').next().unwrap();
    if account == STRANGER {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                    <Message>not authorized to perform: sts:AssumeRole</Message></Error>\
                    </ErrorResponse>";
        return ("403 Forbidden".to_owned(), body.to_owned());
    }
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    ("200 OK".to_owned(), body)
}
