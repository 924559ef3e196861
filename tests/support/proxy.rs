//! A proxy that fails as networks and services do. In: requests of HTTP, and which of them shall meet
//! with which fault. Out: answers of the server behind it, or not. It keeps count.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::servers::head_bytes;

/// What a request meets with.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An answer of the proxy's own, of this status, with a code of S3 or SQS in it.
    Answer(u16, &'static str),
    /// The answer comes this much later.
    Delay(Duration),
    /// The body of the answer comes at 1 KB/s.
    Slow,
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The connection ends before anything is asked of the server.
    HangUp,
    /// The server does what it is asked, and its answer is lost.
    DropReply,
    /// The answer says that it is this time.
    Dated(&'static str),
    /// A message that is to stay invisible for [`LONG_S`] or longer does so for this part of it.
    Sooner(u64),
    /// The server is not told on which condition something is to be written.
    Unconditional,
}

/// Shorter times are those of the queue itself. Unit: seconds.
const LONG_S: u64 = 30;

/// Which requests meet with a fault: the next of those whose [`line`] has this text.
struct Rule {
    text: String,
    left: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<String>,
}

/// A proxy in front of one server.
pub(crate) struct Proxy {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Listens in front of a server until the tests end.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::<Mutex<State>>::default();
        let (server, shared) = (server.to_owned(), Arc::clone(&state));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, shared) = (server.clone(), Arc::clone(&shared));
                // Whoever hangs up meanwhile has what it wanted.
                thread::spawn(move || drop(serve(client, &server, &shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the next `times` requests that have `text` meet with a fault.
    pub(crate) fn fault(&self, text: &str, times: usize, fault: Fault) {
        let rule = Rule { text: text.to_owned(), left: times, fault };
        self.state.lock().unwrap().rules.push(rule);
    }

    /// Requests that had this text, each as [`line`] has it.
    pub(crate) fn requests(&self, text: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

impl State {
    /// Notes a request and tells its fault.
    fn next(&mut self, line: String) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.left > 0 && line.contains(&rule.text));
        let fault = rule.map(|rule| {
            rule.left -= 1;
            rule.fault.clone()
        });
        self.requests.push(line);
        fault
    }
}

fn serve(mut client: TcpStream, server: &str, state: &Mutex<State>) -> std::io::Result<()> {
    let request = request(&mut client)?;
    let fault = state.lock().unwrap().next(line(&request));
    let request = match fault {
        Some(Fault::Sooner(times)) => sooner(&request, times),
        Some(Fault::Unconditional) => unconditional(&request),
        _ => request,
    };
    match &fault {
        Some(Fault::HangUp) => return Ok(()),
        Some(Fault::Answer(status, code)) => {
            return client.write_all(own_answer(*status, code, &request).as_bytes());
        }
        _ => {}
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&request)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let head = head_bytes(&answer).unwrap_or(answer.len());
    match fault {
        Some(Fault::DropReply) => return Ok(()),
        Some(Fault::Delay(delay)) => thread::sleep(delay),
        Some(Fault::Dated(date)) => {
            let (own, body) = answer.split_at(head);
            let own = String::from_utf8_lossy(own).into_owned();
            let dated = |line: &str| {
                let is_date = line.to_ascii_lowercase().starts_with("date:");
                if is_date { format!("Date: {date}") } else { line.to_owned() }
            };
            let lines: Vec<_> = own.split("\r\n").map(dated).collect();
            answer = [lines.join("\r\n").as_bytes(), body].concat();
        }
        Some(Fault::Cut(body_bytes)) => answer.truncate(head + body_bytes),
        Some(Fault::Slow) => {
            let (head, body) = answer.split_at(head);
            client.write_all(head)?;
            for part in body.chunks(100) {
                client.write_all(part)?;
                thread::sleep(Duration::from_millis(100));
            }
            return Ok(());
        }
        Some(Fault::Answer(..) | Fault::HangUp | Fault::Sooner(_) | Fault::Unconditional)
        | None => {}
    }
    client.write_all(&answer)
}

/// Reads one request, with its body, and asks for the connection to be closed behind it.
fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut block = [0; 8_192];
    loop {
        let n = client.read(&mut block)?;
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&block[..n]);
        let Some(head) = head_bytes(&bytes) else { continue };
        let body = header(&bytes[..head], "content-length").and_then(|text| text.parse().ok());
        if bytes.len() >= head + body.unwrap_or(0) {
            let rest = bytes.split_off(head - 2);
            bytes.extend_from_slice(b"Connection: close\r\n");
            bytes.extend_from_slice(&rest);
            return Ok(bytes);
        }
    }
}

/// Method, path, and what else tells requests apart: SQS's action, S3's range and who pays, and a form as
/// STS is sent, which has no names of headers.
fn line(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().next().unwrap_or_default();
    let mut parts = vec![line.strip_suffix(" HTTP/1.1").unwrap_or(line).to_owned()];
    for name in ["x-amz-target", "range", "x-amz-request-payer"] {
        parts.extend(header(request, name).map(|value| format!("{name}: {value}")));
    }
    if header(request, "content-type").is_some_and(|kind| kind.contains("form-urlencoded")) {
        parts.extend(text.lines().last().map(str::to_owned));
    }
    parts.join(" ")
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let mut headers = head.lines().skip(1).take_while(|line| !line.is_empty());
    headers.find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The same request, for a shorter time.
fn sooner(request: &[u8], times: u64) -> Vec<u8> {
    const NAME: &str = "\"VisibilityTimeout\":";
    let text = std::str::from_utf8(request).unwrap();
    let Some((before, asked)) = text.split_once(NAME) else { return request.to_owned() };
    let digits = asked.find(|c: char| !c.is_ascii_digit()).unwrap();
    let (asked_s, after) = asked.split_at(digits);
    let asked_s: u64 = asked_s.parse().unwrap();
    let shorter_s = if asked_s < LONG_S { asked_s } else { asked_s / times };
    // JSON may end in white space: the length of the body stays what the head says.
    let padding = " ".repeat(digits - shorter_s.to_string().len());
    format!("{before}{NAME}{shorter_s}{after}{padding}").into_bytes()
}

/// The same request, whatever is there. Signatures are not looked at.
fn unconditional(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request).into_owned();
    let is_condition = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        ["if-match", "if-none-match"].contains(&name.as_str())
    };
    let lines: Vec<_> = text.split("\r\n").filter(|line| !is_condition(line)).collect();
    lines.join("\r\n").into_bytes()
}

/// An error as S3 or SQS words it.
fn own_answer(status: u16, code: &str, request: &[u8]) -> String {
    let is_sqs = header(request, "x-amz-target").is_some();
    let body = if is_sqs {
        format!("{{\"__type\":\"com.amazonaws.sqs#{code}\",\"message\":\"{code}\"}}")
    } else {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
        )
    };
    let kind = if is_sqs { "application/x-amz-json-1.0" } else { "application/xml" };
    format!(
        "HTTP/1.1 {status} Fault\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
