use super::*;
use crate::{
    sample,
    sinks::{Occasion, To, reach::tests::certified, service::stub::message_of},
};
use detect::FindingId;
use ingest::instant::parse_instant;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{TcpListener, UdpSocket as StdUdpSocket},
    sync::mpsc::{Receiver, channel},
    thread,
};
use tokio_rustls::rustls::{ServerConnection, StreamOwned};

const NOW_MS: i64 = 1_773_400_000_000;
const HOST: &str = "watch-1.example.com";

/// Whether receivers of RFC 5424 understand a message, take one so long, and read the finding in it.
pub(in crate::sinks) fn check(message: &str, bytes_max: usize, finding: &Finding) -> Value {
    assert!(message.len() <= bytes_max, "{}", message.len());
    assert!(message.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{message}");
    let fields: Vec<_> = message.splitn(8, ' ').collect();
    let [version, time, host, app, process, kind, data, text] = fields[..] else {
        panic!("{message}")
    };
    let (priority, version) = version.strip_prefix('<').unwrap().split_once('>').unwrap();
    let priority: u8 = priority.parse().unwrap();
    assert_eq!((version, app, process, data), ("1", "sentrail", "-", "-"));
    let severities = [(5, "low"), (4, "medium"), (3, "high"), (2, "critical")];
    assert!(severities.contains(&(priority % 8, finding.severity.label())), "{message}");
    assert_eq!(priority / 8, 13);
    assert!(parse_instant(time).is_ok(), "{time}");
    assert!((1..=255).contains(&host.len()) && (1..=32).contains(&kind.len()), "{message}");
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["id"], finding.id.to_string());
    assert_eq!(value["severity"]["label"], finding.severity.label());
    assert_eq!(value["count"], finding.count);
    assert!(value["entity"]["key"].is_string() && value["summary"].is_string(), "{value}");
    value
}

/// Both of the longest messages about a finding.
pub(in crate::sinks) fn check_finding(finding: &Finding, inputs: &Inputs) {
    for (url, bytes_max) in
        [("tcp://127.0.0.1", STREAM_BYTES_MAX), ("udp://127.0.0.1", DATAGRAM_BYTES_MAX)]
    {
        check(&settings(url).body((finding, inputs), NOW_MS), bytes_max, finding);
    }
}

fn settings(url: &str) -> Settings {
    let allowed = Allowed::new(vec!["127.0.0.1".parse().unwrap()]);
    let endpoint = Endpoint::of(crate::sinks::Protocol::Syslog, url, &allowed).unwrap();
    Settings { endpoint, allowed, host: HOST.to_owned() }
}

fn messages(settings: &Settings) -> Vec<Message> {
    let findings = [sample::finding("s3-mass-reencryption"), sample::hostile(), sample::flow()];
    let to = To::Syslog(settings.clone());
    let message = |(n, finding): (u128, Finding)| {
        let finding = Finding { id: FindingId(n), ..finding };
        message_of(&finding, to.body(Occasion::NEW, (&finding, &sample::inputs()), NOW_MS))
    };
    (1..).zip(findings).map(message).collect()
}

fn send(syslog: &Syslog, messages: &[Message]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(syslog.send(messages))
}

/// What `read` makes of each connection to a listener, whose port is told.
fn listener<T: Send + 'static>(
    mut read: impl FnMut(std::net::TcpStream) -> T + Send + 'static,
) -> (u16, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (to, got) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if to.send(read(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (port, got)
}

fn to_the_end(mut stream: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Frames of RFC 6587, 3.4.1.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let at = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let n: usize = std::str::from_utf8(&bytes[..at]).unwrap().parse().unwrap();
        frames.push(String::from_utf8(bytes[at + 1..at + 1 + n].to_vec()).unwrap());
        bytes = &bytes[at + 1 + n..];
    }
    frames
}

#[test]
fn a_message_says_when_where_who_and_what() {
    let finding = sample::finding("s3-mass-reencryption");
    let told = settings("tls://siem.example.com").body((&finding, &sample::inputs()), NOW_MS);
    let line = body::line(&finding, &sample::inputs());
    let head = "<106>1 2026-03-13T11:06:40Z watch-1.example.com sentrail - s3-mass-reencryption - ";
    assert_eq!(told, format!("{head}{line}"));
}

#[test]
fn what_may_not_stand_in_a_head_does_not() {
    let mut finding = sample::finding("denied-burst");
    std::sync::Arc::make_mut(&mut finding.about).id = "a".repeat(KIND_CHARS_MAX + 1);
    for host in ["", "a b", "münchen", &"a".repeat(HOST_CHARS_MAX + 1)] {
        let settings = Settings { host: host.to_owned(), ..settings("tls://siem.example.com") };
        let told = settings.body((&finding, &sample::inputs()), NOW_MS);
        assert!(told.starts_with("<106>1 2026-03-13T11:06:40Z - sentrail - finding - {"), "{told}");
    }
}

#[test]
fn the_largest_message_fits_and_says_that_it_was_cut() {
    for wide in ["\u{e0041}", "\u{1f600}", "\"", "\\", "W", "東"] {
        let finding = crate::sinks::note::tests::largest_of(&wide.repeat(5_000));
        for (url, bytes_max) in
            [("tcp://127.0.0.1", STREAM_BYTES_MAX), ("udp://127.0.0.1", DATAGRAM_BYTES_MAX)]
        {
            let longest = Settings { host: "h".repeat(HOST_CHARS_MAX), ..settings(url) };
            let told = longest.body((&finding, &sample::inputs()), NOW_MS);
            assert_eq!(check(&told, bytes_max, &finding)["truncated"], true, "{told}");
        }
    }
}

#[test]
fn a_datagram_holds_what_fits() {
    let told = messages(&settings("udp://127.0.0.1")).remove(0);
    let finding = Finding { id: FindingId(1), ..sample::finding("s3-mass-reencryption") };
    let value = check(&told.body, DATAGRAM_BYTES_MAX, &finding);
    assert_eq!(value["truncated"], true);
    assert_eq!(value["entity"]["name"], "hedda@example.com (AWSReservedSSO_Engineer)");
    assert_eq!(value.get("event_ids"), None);
}

#[test]
fn over_tcp_each_message_stands_behind_its_length() {
    let (port, got) = listener(to_the_end);
    let settings = settings(&format!("tcp://127.0.0.1:{port}"));
    let messages = messages(&settings);
    assert_eq!(send(&Syslog::new(settings).unwrap(), &messages), Outcome::Delivered);
    let sent: Vec<_> = messages.into_iter().map(|message| message.body).collect();
    assert_eq!(frames(&got.recv().unwrap()), sent);
}

#[test]
fn over_tls_too_to_whom_the_certificate_names_and_to_nobody_else() {
    let (roots, config) = certified();
    let (port, got) = listener(move |stream| {
        let tls = ServerConnection::new(config.clone()).unwrap();
        let mut bytes = Vec::new();
        // Whoever does not trust us says nothing.
        drop(StreamOwned::new(tls, stream).read_to_end(&mut bytes));
        bytes
    });
    let settings = settings(&format!("tls://127.0.0.1:{port}"));
    let messages = messages(&settings);
    let trusting = Syslog { settings: settings.clone(), reach: Reach::with_roots(roots) };
    assert_eq!(send(&trusting, &messages), Outcome::Delivered);
    assert_eq!(frames(&got.recv().unwrap()).len(), 3);
    let none = tokio_rustls::rustls::RootCertStore::empty();
    let wary = Syslog { settings, reach: Reach::with_roots(none) };
    let Outcome::Retry { error, .. } = send(&wary, &messages) else { panic!("it was sent") };
    assert_eq!(error, "no TLS: a certificate of an unknown issuer");
    assert_eq!(got.recv().unwrap(), b"");
}

#[test]
fn whoever_hangs_up_on_what_he_was_told_is_told_again() {
    let (port, got) = listener(|mut stream| {
        // What was not read makes the end a reset.
        stream.read_exact(&mut [0; 10]).unwrap();
    });
    let settings = settings(&format!("tcp://127.0.0.1:{port}"));
    let outcome = send(&Syslog::new(settings.clone()).unwrap(), &messages(&settings));
    got.recv().unwrap();
    let Outcome::Retry { error, .. } = outcome else { panic!("{outcome:?}") };
    assert!(error.starts_with("the connection broke: "), "{error}");
}

#[test]
fn whoever_never_closes_has_it_all_the_same() {
    let (port, got) = listener(|mut stream| {
        let clone = stream.try_clone().unwrap();
        let bytes = to_the_end(&stream);
        drop(stream.write_all(b"hello"));
        (bytes, clone)
    });
    let settings = settings(&format!("tcp://127.0.0.1:{port}"));
    let messages = messages(&settings);
    assert_eq!(send(&Syslog::new(settings).unwrap(), &messages), Outcome::Delivered);
    assert_eq!(frames(&got.recv().unwrap().0).len(), 3);
}

#[test]
fn a_datagram_is_a_message() {
    let socket = StdUdpSocket::bind("127.0.0.1:0").unwrap();
    let settings = settings(&format!("udp://{}", socket.local_addr().unwrap()));
    let messages = messages(&settings);
    assert_eq!(send(&Syslog::new(settings.clone()).unwrap(), &messages), Outcome::Delivered);
    for message in &messages {
        let mut bytes = vec![0; 65_536];
        let n = socket.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..n], message.body.as_bytes());
    }
    drop(socket);
    let Outcome::Retry { error, .. } = send(&Syslog::new(settings).unwrap(), &messages) else {
        panic!("nobody is there")
    };
    assert_eq!(error, "cannot send: connection refused");
}

#[test]
fn only_whom_the_user_allows_is_told_in_the_clear() {
    let narrow = Settings { allowed: Allowed::default(), ..settings("tcp://127.0.0.1:9") };
    let Outcome::Retry { error, .. } = send(&Syslog::new(narrow).unwrap(), &[]) else {
        panic!("it was sent")
    };
    assert!(error.starts_with("the URL leads to a loopback address"), "{error}");
}
