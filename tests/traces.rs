//! Traces of objects on their way, as a collector of OpenTelemetry is sent them.

use crate::support::{
    daemon::Daemon, deliver_all, kept, objects_by_stamp, receiver::receiver, text,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{ResourceSpans, Span},
};
use prost::Message as _;
use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Enough of the archive that something is told. Unit: objects.
const N_OBJECTS: usize = 400;

/// A collector on the loopback: its address, and what it is sent.
fn collector() -> (String, mpsc::Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (to, sent) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some((head, body)) = read(&mut stream) else { continue };
            assert!(head.starts_with("POST /v1/traces "), "{head}");
            to.send(ExportTraceServiceRequest::decode(&*body).unwrap()).unwrap();
            write!(stream, "HTTP/1.1 200 so\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        }
    });
    (address, sent)
}

fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let n = stream.read(&mut buffer).unwrap();
        if n == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..n]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            return Some((head, bytes[end + 4..].to_vec()));
        }
    }
}

/// A folder with the first objects of the archive, and a daemon that reads it under this environment.
fn start(folder: &TempDir, environment: &[(&str, &str)], more: &[&str]) -> Daemon {
    let logs = folder.path().join("logs");
    fs::create_dir_all(&logs).unwrap();
    deliver_all(&objects_by_stamp()[..N_OBJECTS], &logs);
    let (logs, state) = (text(&logs), text(&folder.path().join("s.db")));
    let own = ["--folder", &logs, "--state", &state];
    Daemon::start_in(environment, &[&own[..], more].concat(), None)
}

fn spans(sent: &[ResourceSpans]) -> Vec<&Span> {
    sent.iter().flat_map(|of| &of.scope_spans).flat_map(|of| &of.spans).collect()
}

#[test]
fn each_object_is_a_trace_from_its_bytes_to_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (address, sent) = collector();
    let (webhook, _, told) = receiver();
    let config = folder.path().join("sentrail.toml");
    let sink = format!(
        "[sinks.hook]\ntype = \"webhook\"\nurl = \"http://{webhook}/\"\nallow = [\"127.0.0.1\"]\n"
    );
    fs::write(&config, sink).unwrap();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
    ];
    let mut daemon = start(&folder, &environment, &["--config", &text(&config)]);
    assert!(daemon.says("caught-up"));
    let message = told.recv_timeout(Duration::from_mins(1)).unwrap();
    daemon.stop();
    let sent: Vec<ResourceSpans> = sent.try_iter().flat_map(|sent| sent.resource_spans).collect();
    let service = sent.iter().flat_map(|of| &of.resource.as_ref().unwrap().attributes);
    let service = service.filter(|one| one.key == "service.name").map(|one| {
        let Some(Value::StringValue(name)) = &one.value.as_ref().unwrap().value else { panic!() };
        name.as_str()
    });
    assert!(service.collect::<Vec<_>>().iter().all(|name| *name == "sentrail"));

    let spans = spans(&sent);
    let mut traces: BTreeMap<&[u8], Vec<&Span>> = BTreeMap::new();
    for span in &spans {
        traces.entry(&span.trace_id).or_default().push(span);
    }
    let objects: Vec<_> =
        traces.values().filter(|trace| trace.iter().any(|span| span.name == "object")).collect();
    assert_eq!(objects.len(), N_OBJECTS);
    for trace in objects {
        let (roots, steps): (Vec<&Span>, Vec<&Span>) =
            trace.iter().copied().partition(|span| span.name == "object");
        let [root] = roots[..] else { panic!("{roots:#?}") };
        let mut steps = steps;
        steps.sort_by_key(|step| step.end_time_unix_nano);
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["get", "inflate", "parse", "score", "commit", "delete"]);
        for step in steps {
            assert_eq!(step.parent_span_id, root.span_id);
            assert!(root.start_time_unix_nano <= step.start_time_unix_nano);
            assert!(step.start_time_unix_nano <= step.end_time_unix_nano);
            assert!(step.end_time_unix_nano <= root.end_time_unix_nano);
        }
    }

    let number = |bytes: &[u8]| bytes.iter().fold(0_u128, |n, byte| n << 8 | u128::from(*byte));
    let sends = spans.iter().filter(|span| span.name == "send");
    let parents = sends.map(|span| {
        format!("00-{:032x}-{:016x}-01", number(&span.trace_id), number(&span.span_id))
    });
    let traceparent = message["traceparent"].as_str().unwrap();
    assert!(parents.collect::<Vec<_>>().iter().any(|parent| parent == traceparent));
}

#[test]
fn whoever_takes_no_traces_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{address}");
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let mut daemon = start(&folder, &environment, &[]);
    assert!(daemon.says("caught-up"));
    assert!(daemon.says("traces-unsent"));
    daemon.stop();
    let found = kept(&text(&folder.path().join("s.db")));

    let other = tempfile::tempdir().unwrap();
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SDK_DISABLED", "true")];
    let mut daemon = start(&other, &environment, &[]);
    assert!(daemon.says("caught-up"));
    let said = daemon.stop();
    assert!(!said.iter().any(|line| line.contains("traces")), "{said:#?}");
    assert_eq!(kept(&text(&other.path().join("s.db"))), found);
}

#[test]
fn traces_that_are_not_built_in_are_refused_by_the_name_of_the_variable() {
    for (variable, value, expected) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "\"http/protobuf\""),
        ("OTEL_TRACES_EXPORTER", "zipkin", "\"otlp\" or \"none\""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let environment =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), (variable, value)];
        let mut daemon = start(&folder, &environment, &[]);
        assert_eq!(daemon.ends().code(), Some(2));
        let said = daemon.said.join("\n");
        assert!(said.contains(&format!("{variable}: {value:?} (expected {expected})")), "{said}");
    }
}
