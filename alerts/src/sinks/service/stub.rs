//! What servers of tests share that take calls as AWS does: requests, and whose keys signed them; and a server that gives
//! the answers that it is told to give, and keeps what it was asked.

use crate::sinks::{Message, Outcome};
use detect::Finding;
use ingest::source::{
    calls::Calls,
    session::{Access, Session},
};
use ring::{digest, hmac};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub(in crate::sinks) const OWN: &str = "123456789012";

/// The rest of the first line and of the headers of an answer, and its body.
pub(in crate::sinks) type Given = (String, String);

#[derive(Default)]
struct State {
    answers: VecDeque<Given>,
    bodies: Vec<String>,
}

/// Gives these answers one after the other, and hangs up when there is none.
pub(crate) struct Scripted {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Scripted {
    /// Listens until the tests end; all calls have to be signed for `service`.
    pub(crate) fn new(service: &'static str) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        Self { endpoint: listen(move |stream| serve(stream, service, &shared)), state }
    }

    /// Calls that are answered here.
    pub(crate) async fn calls(&self) -> Calls {
        let (endpoint, region) = (Some(self.endpoint.clone()), Some("eu-central-1".to_owned()));
        let access = Access { endpoint, region, ..Access::default() };
        Calls::new(&Session::with_test_keys(&access).await.unwrap(), None)
    }

    pub(crate) fn gives(&self, head: &str, body: &str) {
        self.state.lock().unwrap().answers.push_back((head.to_owned(), body.to_owned()));
    }

    /// Bodies of the requests since this was asked last.
    pub(crate) fn bodies(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().bodies)
    }
}

/// Listens until the tests end, and has each connection served as long as there is something; answers where.
pub(in crate::sinks) fn listen(
    serve: impl Fn(&TcpStream) -> Option<()> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
            // Whoever hangs up has what it wanted.
            thread::spawn(move || while serve(&stream).is_some() {});
        }
    });
    endpoint
}

fn serve(mut stream: &TcpStream, service: &str, state: &Mutex<State>) -> Option<()> {
    let request = read(stream)?;
    assert_eq!(signed_by(&request, service), OWN);
    let mut state = state.lock().unwrap();
    state.bodies.push(String::from_utf8(request.body).unwrap());
    let (head, body) = state.answers.pop_front()?;
    write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).ok()
}

/// A request as it came.
pub(in crate::sinks) struct Request {
    pub(in crate::sinks) line: String,
    pub(in crate::sinks) headers: BTreeMap<String, String>,
    pub(in crate::sinks) body: Vec<u8>,
}

pub(in crate::sinks) fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|n| *n > 0)?;
        Some(line.trim_end().to_owned())
    };
    let line = next()?;
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = next()?.split_once(':') {
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    lines.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body })
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digits: Vec<_> = bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// The account whose key signed a request, by AWS Signature Version 4 worked out anew.
pub(in crate::sinks) fn signed_by(
    Request { line, headers, body }: &Request,
    service: &str,
) -> String {
    let signed = &headers["authorization"];
    let part = |name: &str| {
        let rest = signed.split(&format!("{name}=")).nth(1).unwrap();
        rest.split(',').next().unwrap().trim().to_owned()
    };
    let (credential, names) = (part("Credential"), part("SignedHeaders"));
    let (key, scope) = credential.split_once('/').unwrap();
    for name in ["host", "x-amz-date", "content-type"] {
        assert!(names.split(';').any(|one| one == name), "{names}");
    }
    let listed: Vec<_> =
        names.split(';').map(|name| format!("{name}:{}\n", headers[name])).collect();
    let listed = listed.concat();
    let sum = hex(digest::digest(&digest::SHA256, body));
    let path = line.split(' ').nth(1).unwrap();
    let canonical = format!("POST\n{path}\n\n{listed}\n{names}\n{sum}");
    let sum = hex(digest::digest(&digest::SHA256, canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{sum}", headers["x-amz-date"]);
    let account = key.strip_prefix("ASIA");
    let secret = if account.is_some() { "AWS4secret" } else { "AWS4test" };
    let next = |key: Vec<u8>, part: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, part.as_bytes()).as_ref().to_vec()
    };
    let end = format!("/eu-central-1/{service}/aws4_request");
    assert!(scope.ends_with(&end), "{scope}");
    let derived = scope.split('/').fold(secret.as_bytes().to_vec(), next);
    assert_eq!(part("Signature"), hex(next(derived, &text)));
    assert_eq!(account.is_some(), headers.contains_key("x-amz-security-token"));
    account.unwrap_or(OWN).to_owned()
}

pub(in crate::sinks) fn message_of(finding: &Finding, body: String) -> Message {
    let Finding { id, severity, .. } = *finding;
    Message {
        id: format!("msg_{id}"),
        finding: id,
        severity,
        body,
        attempts: 0,
        created_ms: None,
        n_findings: 1,
    }
}

/// What became of messages, by the number of the finding.
pub(in crate::sinks) fn told(sent: Vec<(Message, Outcome)>) -> BTreeMap<u128, String> {
    let told = |outcome| match outcome {
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Retry { error, after_ms: None } => format!("again: {error}"),
        Outcome::Retry { error, after_ms: Some(ms) } => format!("again in {ms}: {error}"),
        Outcome::Later { error } => format!("later: {error}"),
        Outcome::Refused { error } => format!("refused: {error}"),
        Outcome::Gone { error } => format!("gone: {error}"),
    };
    sent.into_iter().map(|(message, outcome)| (message.finding.0, told(outcome))).collect()
}
