use super::*;
use crate::{
    Format, Style, Writer, sample,
    sinks::{
        EndpointError, Occasion, To,
        guard::{Answer as Addresses, Resolve},
        reach::{ADDRESSES_MAX, Around, tests::certified},
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read, Write},
    net::{IpAddr, TcpListener, TcpStream as StdStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver as Channel, SyncSender, sync_channel},
    },
    thread,
};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

const NOW_MS: i64 = 784_111_740_999; // Sun, 06 Nov 1994 08:49:00 GMT
/// Nothing takes this long but what never ends.
const LONG: Duration = Duration::from_secs(20);
/// How long to wait for what never comes.
const SHORT: Duration = Duration::from_millis(400);
const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];

type Tls = StreamOwned<ServerConnection, StdStream>;
/// What a receiver does with a request that it has read.
type Act = fn(&mut Tls) -> io::Result<()>;

/// A request as it came.
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// A server with a certificate of its own.
struct Receiver {
    port: u16,
    roots: RootCertStore,
    requests: Channel<Request>,
}

impl Receiver {
    /// Listens on 127.0.0.1 until the test ends.
    fn new(act: impl Fn(&mut Tls) -> io::Result<()> + Send + 'static) -> Self {
        let (roots, config) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = sync_channel(100);
        thread::spawn(move || {
            for tcp in listener.incoming() {
                // Who hangs up ends the conversation.
                drop(serve(tcp.unwrap(), &config, &sender, &act));
            }
        });
        Self { port, roots, requests }
    }

    fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::new(move |tls| {
            let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\n\r\nok");
            tls.write_all(head.as_bytes())?;
            tls.conn.send_close_notify();
            tls.flush()
        })
    }

    fn webhook(&self, timeout: Duration) -> Webhook {
        self.named("hooks.example.com", &[&["127.0.0.1"]], timeout)
    }

    fn named(&self, host: &str, answers: &[&[&str]], timeout: Duration) -> Webhook {
        let url = format!("https://{host}:{}/in/secret-path?a=b", self.port);
        webhook(&url, self.roots.clone(), answers, timeout).unwrap()
    }

    fn send(&self, timeout: Duration) -> Outcome {
        send(&self.webhook(timeout))
    }
}

fn serve(
    tcp: StdStream,
    config: &Arc<ServerConfig>,
    requests: &SyncSender<Request>,
    act: &impl Fn(&mut Tls) -> io::Result<()>,
) -> io::Result<()> {
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), tcp);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let pair =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers: BTreeMap<_, _> = lines.filter_map(pair).collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    tls.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    requests.try_send(Request { line, headers, body }).unwrap();
    act(&mut tls)
}

/// Knows what it was told, one answer after the other, the last for ever.
struct Fixed(Mutex<VecDeque<Vec<IpAddr>>>);

impl Fixed {
    fn new(answers: &[&[&str]]) -> Self {
        let answer = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Self(Mutex::new(answers.iter().map(answer).collect()))
    }
}

impl Resolve for Fixed {
    fn resolve<'a>(&'a self, _: &'a str) -> Addresses<'a> {
        let mut answers = self.0.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async { next.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

fn webhook(
    url: &str,
    roots: RootCertStore,
    answers: &[&[&str]],
    timeout: Duration,
) -> Result<Webhook, EndpointError> {
    let allowed = ["127.0.0.1", "127.0.1.0/24"].map(|text| text.parse().unwrap());
    let allowed = Allowed::new(allowed.to_vec());
    let endpoint = Endpoint::parse(url, &allowed)?;
    let header = Header::parse("Authorization", " Bearer abc ").unwrap();
    let secrets = SECRETS.iter().map(|text| Secret::parse(text).unwrap()).collect();
    let settings =
        Settings { endpoint, form: Form::Standard(secrets), allowed, headers: vec![header] };
    let around = Around { roots, resolver: Arc::new(Fixed::new(answers)), timeout };
    Ok(Webhook { settings, reach: Reach::within(around).unwrap() })
}

fn message() -> Message {
    let finding = sample::finding("s3-mass-reencryption");
    let settings =
        webhook("https://hooks.example.com/", RootCertStore::empty(), &[], LONG).unwrap().settings;
    let body = To::Webhook(settings).body(Occasion::NEW, (&finding, &sample::inputs()), NOW_MS);
    let id = format!("msg_{}", finding.id);
    Message {
        id,
        finding: finding.id,
        severity: finding.severity,
        body,
        attempts: 0,
        created_ms: None,
        n_findings: 1,
    }
}

fn send(webhook: &Webhook) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let message = message();
    let sending = webhook.send(&message, NOW_MS, None);
    runtime.block_on(may_move(sending))
}

/// A task may go from thread to thread.
fn may_move<T: Send>(future: T) -> T {
    future
}

/// What an outcome is, in a line.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Refused { error } => format!("refused: {error}"),
        Outcome::Gone { error } => format!("gone: {error}"),
        Outcome::Retry { error, after_ms: None } => format!("retry: {error}"),
        Outcome::Retry { error, after_ms: Some(ms) } => format!("retry in {ms}: {error}"),
        Outcome::Later { error } => format!("later: {error}"),
    }
}

#[test]
fn each_answer_has_its_outcome() {
    for (answer, outcome) in [
        ("200 OK", "delivered"),
        ("202 Accepted", "delivered"),
        ("299 Odd\r\nretry-after: 9", "delivered"),
        ("300 Choose", "retry: status 300"),
        ("304 Not Modified", "retry: status 304"),
        ("400 Bad Request", "refused: status 400"),
        ("401 Unauthorized", "retry: status 401"),
        ("403 Forbidden", "retry: status 403"),
        ("404 Not Found", "retry: status 404"),
        ("408 Timeout", "retry: status 408"),
        ("409 Conflict", "retry: status 409"),
        ("410 Gone", "gone: status 410"),
        ("413 Too Large", "refused: status 413"),
        ("415 Unsupported", "refused: status 415"),
        ("422 Unprocessable", "refused: status 422"),
        ("429 Too Many", "retry: status 429"),
        ("429 Too Many\r\nretry-after: 120", "retry in 120000: status 429"),
        (
            "429 Too Many\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT",
            "retry in 36001: status 429",
        ),
        ("429 Too Many\r\nretry-after: 999999999", "retry in 3600000: status 429"),
        ("429 Too Many\r\nretry-after: soon", "retry: status 429"),
        ("500 Oops\r\nretry-after: 120", "retry: status 500"),
        ("502 Bad Gateway\r\nretry-after: 7", "retry in 7000: status 502"),
        ("503 Unavailable\r\nretry-after: 7", "retry in 7000: status 503"),
        ("504 Timeout\r\nretry-after: 7", "retry in 7000: status 504"),
        ("599 Odd", "retry: status 599"),
    ] {
        assert_eq!(told(&Receiver::answering(answer).send(LONG)), outcome, "{answer:?}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Receiver::answering("200 OK");
        let receiver = Receiver::answering(format!(
            "{status} Elsewhere\r\nlocation: https://127.0.0.1:{}/",
            other.port
        ));
        assert_eq!(told(&receiver.send(LONG)), format!("retry: status {status}"));
        assert_eq!(
            (receiver.requests.try_iter().count(), other.requests.try_iter().count()),
            (1, 0)
        );
    }
}

/// Writes until the other side hangs up, and says how much.
fn flood(tls: &mut Tls) -> u64 {
    let block = [b'x'; 16_384];
    let mut n_bytes = 0;
    while n_bytes < 1 << 30 && tls.write_all(&block).is_ok() {
        n_bytes += block.len() as u64;
    }
    n_bytes
}

/// Writes a byte now and then until the other side hangs up.
fn drip(tls: &mut Tls, bytes: impl Iterator<Item = u8>) -> io::Result<()> {
    for byte in bytes {
        tls.write_all(&[byte])?;
        tls.flush()?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[test]
fn whoever_answers_badly_is_left_in_time() {
    let cases: [(&str, Act, &str); 7] = [
        ("says nothing", |tls| tls.read(&mut [0]).map(drop), "retry: no answer within 0.4 s"),
        (
            "drips its head",
            |tls| drip(tls, b"HTTP/1.1 200 OK\r\n".iter().copied().chain(std::iter::repeat(b'x'))),
            "retry: no answer within 0.4 s",
        ),
        (
            "drips its body",
            |tls| {
                tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
                drip(tls, std::iter::repeat(b'x'))
            },
            "delivered",
        ),
        (
            "never ends its head",
            |tls| {
                tls.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
                assert!(flood(tls) < 64 << 20);
                Ok(())
            },
            "retry: no answer: it is not HTTP, or its head is too long",
        ),
        ("hangs up", |_| Ok(()), "retry: no answer: the connection broke"),
        (
            "speaks something else",
            |tls| tls.write_all(b"220 smtp.example.com ESMTP\r\n"),
            "retry: no answer: it is not HTTP, or its head is too long",
        ),
        (
            "hangs up in its body",
            |tls| tls.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 9\r\n\r\n"),
            "retry: status 500",
        ),
    ];
    for (who, act, outcome) in cases {
        let begun = Instant::now();
        // What ends by itself is not hurried, whatever else the machine does.
        let timeout = match outcome {
            "delivered" => Duration::from_secs(3),
            _ if outcome.contains("0.4 s") => SHORT,
            _ => LONG,
        };
        assert_eq!(told(&Receiver::new(act).send(timeout)), outcome, "{who}");
        assert!(begun.elapsed() < LONG, "{who}");
    }
}

#[test]
fn of_an_answer_of_a_gigabyte_little_is_read() {
    for head in
        ["content-length: 1073741824\r\n\r\n", "transfer-encoding: chunked\r\n\r\n40000000\r\n"]
    {
        let (sender, written) = sync_channel(1);
        let receiver = Receiver::new(move |tls| {
            write!(tls, "HTTP/1.1 200 OK\r\n{head}")?;
            sender.try_send(flood(tls)).unwrap();
            Ok(())
        });
        assert_eq!(told(&receiver.send(LONG)), "delivered");
        // What the system holds for both sides comes on top of what is read.
        let n_bytes = written.recv().unwrap();
        assert!(n_bytes < 32 << 20, "{n_bytes}");
    }
}

#[test]
fn what_goes_wrong_is_told_without_a_name() {
    let receiver = Receiver::answering("200 OK");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clear = TcpListener::bind("127.0.0.1:0").unwrap();
    let clear_port = clear.local_addr().unwrap().port();
    thread::spawn(move || {
        for tcp in clear.incoming() {
            drop(tcp.unwrap().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        }
    });
    let own: &[&[&str]] = &[&["127.0.0.1"]];
    let at = |port: u16, roots: &RootCertStore| {
        webhook(&format!("https://hooks.example.com:{port}/"), roots.clone(), own, LONG).unwrap()
    };
    let none = RootCertStore::empty();
    for (webhook, outcome) in [
        (receiver.named("other.example.com", own, LONG), "no TLS: a certificate for another name"),
        (at(receiver.port, &none), "no TLS: a certificate of an unknown issuer"),
        (at(closed, &none), "cannot connect: connection refused"),
        (at(clear_port, &none), "no TLS: the other side speaks it otherwise, or not at all"),
        (
            receiver.named("hooks.example.com", &[], LONG),
            "cannot resolve the name: entity not found",
        ),
        (receiver.named("hooks.example.com", &[&[]], LONG), "the name has no address"),
    ] {
        assert_eq!(told(&send(&webhook)), format!("retry: {outcome}"));
        let shown = format!("{webhook:?}");
        assert!(!shown.contains("example") && !shown.contains("secret-path"), "{shown}");
    }
    assert_eq!(receiver.requests.try_iter().count(), 0);
}

#[test]
fn of_many_addresses_the_first_are_tried_and_all_are_judged() {
    let receiver = Receiver::answering("200 OK");
    let closed = ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4"];
    for (n_before, outcome) in [
        (ADDRESSES_MAX - 1, "delivered"),
        (ADDRESSES_MAX, "retry: cannot connect: connection refused"),
    ] {
        let addresses = [&closed[..n_before], &["127.0.0.1"]].concat();
        let webhook = receiver.named("hooks.example.com", &[&addresses], LONG);
        assert_eq!(told(&send(&webhook)), outcome);
    }
    let addresses = [&["127.0.0.1"], &closed[..], &["127.0.0.2"]].concat();
    let webhook = receiver.named("hooks.example.com", &[&addresses], LONG);
    assert!(told(&send(&webhook)).contains("leads to a loopback address"));
}

/// Runs `code` of Python with these lines of input, and says how it ended.
fn python(code: &str, input: &[&str]) -> bool {
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.join("\n").as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// The page shows how a receiver verifies a message: by code that shares nothing with this.
#[test]
fn the_receiver_on_the_page_verifies_what_is_sent() {
    let receiver = Receiver::answering("200 OK");
    assert_eq!(receiver.send(LONG), Outcome::Delivered);
    let request = receiver.requests.recv().unwrap();
    assert_eq!(request.line, "POST /in/secret-path?a=b HTTP/1.1");
    assert_eq!(request.headers["host"], format!("hooks.example.com:{}", receiver.port));
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["authorization"], "Bearer abc");
    assert_eq!((&request.headers["webhook-id"], &request.body), (&message().id, &message().body));
    assert_eq!(request.headers["webhook-timestamp"], "784111740");
    let signature = &request.headers["webhook-signature"];
    assert_eq!(signature.split(' ').count(), 2);

    let page = include_str!("../../../../docs/sinks.md");
    let shown = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let code = format!(
        "{shown}\nimport sys\nsecret, now, id, at, signature, body = sys.stdin.read().split('\\n', 5)\n\
         headers = {{'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature}}\n\
         assert verify(secret, headers, body.encode(), float(now))['type'] == 'finding.created'"
    );
    let id = &*message().id;
    let good = ["784111740", id, "784111740", signature, &request.body];
    let with = |secret: &str, changed: Option<(usize, &str)>| {
        let mut lines = good;
        if let Some((n, text)) = changed {
            lines[n] = text;
        }
        python(&code, &[&[secret], &lines[..]].concat())
    };
    assert!(SECRETS.iter().all(|secret| with(secret, None)), "either secret verifies");
    let body = request.body.replace("critical", "low");
    for changed in
        [(0, "784112100"), (1, "msg_other"), (2, "784111741"), (3, "v1,AAAA"), (4, &body)]
    {
        assert!(!with(SECRETS[0], Some(changed)), "{changed:?}");
    }
    assert!(!with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None));
}

#[test]
fn a_name_is_asked_for_once_and_what_it_says_is_called() {
    let receiver = Receiver::answering("200 OK");
    // The second answer would come if anybody asked again between the look and the call.
    let rebinding = receiver.named("hooks.example.com", &[&["127.0.0.1"], &["127.0.0.2"]], LONG);
    assert_eq!(send(&rebinding), Outcome::Delivered);
    assert_eq!(
        told(&send(&rebinding)),
        "retry: the URL leads to a loopback address, which `allow` does not name"
    );
    assert_eq!(receiver.requests.try_iter().count(), 1);
}

/// URLs that lead, or may lead, where nobody outside should reach. `PORT` is that of a server that listens on
/// every address of this machine; names mean what stands behind them.
const HOSTILE: [(&str, &[&str]); 48] = [
    ("https://127.0.0.2:PORT/", &[]),
    ("https://127.1:PORT/", &[]),
    ("https://127.0.0.02:PORT/", &[]),
    ("https://2130706434:PORT/", &[]),
    ("https://017700000002:PORT/", &[]),
    ("https://0177.0.0.2:PORT/", &[]),
    ("https://0x7f000002:PORT/", &[]),
    ("https://0x7f.0.0.2:PORT/", &[]),
    ("https://0X7F.1:PORT/", &[]),
    ("https://127.0.0.2.:PORT/", &[]),
    ("https://0:PORT/", &[]),
    ("https://0.0.0.0:PORT/", &[]),
    ("https://[::]:PORT/", &[]),
    ("https://[::1]:PORT/", &[]),
    ("https://[::ffff:127.0.0.2]:PORT/", &[]),
    ("https://[::ffff:7f00:2]:PORT/", &[]),
    ("https://[::127.0.0.2]:PORT/", &[]),
    ("https://[64:ff9b::127.0.0.2]:PORT/", &[]),
    ("https://[64:ff9b::a00:1]/", &[]),
    ("https://[2002:7f00:2::]:PORT/", &[]),
    ("https://[2001::1]/", &[]),
    ("https://[fe80::1%25eth0]:PORT/", &[]),
    ("https://[fe80::1]/", &[]),
    ("https://[fd00:ec2::254]/latest/meta-data/", &[]),
    ("https://[ff02::1]/", &[]),
    ("https://169.254.169.254/latest/meta-data/", &[]),
    ("http://169.254.169.254/latest/meta-data/", &[]),
    ("https://169.254.170.2/v2/credentials/", &[]),
    ("https://169.254.170.23/v1/credentials", &[]),
    ("https://[::ffff:a9fe:a9fe]/", &[]),
    ("https://10.0.0.1/", &[]),
    ("https://172.16.0.1/", &[]),
    ("https://192.168.0.1/", &[]),
    ("https://100.64.0.1/", &[]),
    ("https://224.0.0.1/", &[]),
    ("https://255.255.255.255/", &[]),
    ("https://1.1.1.1@127.0.0.2:PORT/", &[]),
    ("https://user:pass@hooks.example.com/", &["1.1.1.1"]),
    ("http://hooks.example.com/", &["1.1.1.1"]),
    ("ftp://127.0.0.1:PORT/", &[]),
    ("file:///etc/passwd", &[]),
    ("gopher://127.0.0.1:PORT/_x", &[]),
    ("https://localhost:PORT/", &["127.0.0.1", "::1"]),
    ("https://inner.example.com:PORT/", &["127.0.0.2"]),
    ("https://half.example.com:PORT/", &["127.0.0.1", "10.0.0.1"]),
    ("https://outer.example.com/", &["1.1.1.1", "169.254.169.254"]),
    ("https://metadata.example.com/", &["::ffff:169.254.169.254"]),
    ("http://127.0.0.1.nip.example.com:PORT/", &["127.0.0.1", "1.1.1.1"]),
];

#[test]
fn headers_that_cannot_be_sent_are_refused_and_values_are_not_shown() {
    let long = "a".repeat(HEADER_CHARS_MAX + 1);
    for (name, value, error) in [
        ("", "x", NoHeader::Name),
        ("a b", "x", NoHeader::Name),
        (&long, "x", NoHeader::Name),
        ("Content-Length", "1", NoHeader::Own),
        ("webhook-id", "1", NoHeader::Own),
        ("X", " ", NoHeader::Value),
        ("X", "a\r\nb: c", NoHeader::Value),
    ] {
        assert_eq!(Header::parse(name, value).unwrap_err(), error, "{name}");
    }
    let shown = format!("{:?}", Header::parse("X-Key", "abc-9183").unwrap());
    assert!(!shown.contains("9183"), "{shown}");
}

#[test]
fn whoever_leads_inside_is_refused() {
    let listener = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0")).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for (url, addresses) in HOSTILE {
        let url = url.replace("PORT", &port);
        let refused = match webhook(&url, RootCertStore::empty(), &[addresses], SHORT) {
            Err(error) => error.to_string(),
            Ok(webhook) => told(&send(&webhook)),
        };
        let is_told = [
            "leads to",
            "no host",
            "no URL",
            "expected https",
            "a user or password",
            "begins with",
        ];
        assert!(is_told.iter().any(|words| refused.contains(words)), "{url}: {refused}");
        assert!(!refused.contains("example") && !refused.contains("127."), "{url}: {refused}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn the_clear_goes_to_whom_the_user_allows() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://inner.example.com:{}/", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        let mut tcp = listener.accept().unwrap().0;
        assert!(tcp.read(&mut [0; 10]).unwrap() > 0);
        tcp.write_all(b"HTTP/1.1 204 Fine\r\n\r\n").unwrap();
    });
    let inner = webhook(&url, RootCertStore::empty(), &[&["127.0.0.1"]], LONG).unwrap();
    assert_eq!(send(&inner), Outcome::Delivered);
}

#[test]
fn an_envelope_holds_a_line_of_replay() {
    let finding = sample::finding("s3-mass-reencryption");
    let mut writer = Writer::new(Format::JsonLines, Vec::new(), Style { colour: false, width: 80 });
    writer.finding(&finding, &sample::inputs()).unwrap();
    let line = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert!(message().body.ends_with(&format!("\"data\":{}}}", line.trim_end())));
}
