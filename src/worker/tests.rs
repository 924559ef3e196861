use ingest::enrich::Enrich;

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Seen {
    records: Vec<String>,
    calls: Vec<String>,
    n_flows: u64,
}

impl Sink for Seen {
    fn record(&mut self, event: &ingest::Event<'_>) {
        self.records.push(format!("{} {}", event.name.0, event.time_ms));
    }

    fn flows(&mut self, account: &str, n_records: u64, calls: &[Call]) {
        self.n_flows += n_records;
        self.calls.extend(calls.iter().map(|one| format!("{account} {one:?}")));
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    testdata::aws::gzip(text).unwrap()
}

fn read(object: &[u8], whole_bytes_max: usize, filter: &Filter) -> (ObjectRead, Seen) {
    let limits = Limits { whole_bytes_max, ..Limits::default() };
    let mut worker = Worker::new(filter, limits, None);
    let mut seen = Seen::default();
    worker.take(object.to_vec());
    let outcome = worker.read(Kind::Unknown, None, &mut seen);
    // When it was read is nothing of what was read.
    (ObjectRead { steps: Steps::default(), ..outcome }, seen)
}

fn record(n: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2025-03-14T10:00:{:02}Z","eventSource":"s3.amazonaws.com","awsRegion":"eu-west-{}","eventName":"Put{n}é"}}"#,
        n % 60,
        n % 3,
    )
}

fn log_file(n: usize) -> String {
    let records: Vec<String> = (0..n).map(record).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

fn flow_log(n: usize) -> String {
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    let mut lines = vec![header.to_owned()];
    lines.extend((0..n).map(|n| {
        format!(
            "2 123456789012 eni-0a 10.0.0.9 198.51.100.{} 49152 22 6 1 40 1741946400 1741946460 ACCEPT OK",
            n % 200
        )
    }));
    lines.join("\n")
}

#[track_caller]
fn check_blocks_change_nothing(text: &str, filter: &Filter) -> Seen {
    let object = gzip(text.as_bytes());
    let (whole, seen) = read(&object, text.len(), filter);
    let (blocks, seen_in_blocks) = read(&object, 1_000, filter);
    assert_eq!(whole.failure, None);
    assert_eq!(format!("{whole:?}"), format!("{blocks:?}"));
    assert_eq!(seen, seen_in_blocks);
    seen
}

#[test]
fn large_objects_read_as_small_ones() {
    let everything = Filter::default();
    let seen = check_blocks_change_nothing(&log_file(5_000), &everything);
    assert_eq!(seen.records.len(), 5_000);
    let seen = check_blocks_change_nothing(&log_file(5_000).replace("\"Put9", "Put9"), &everything);
    assert!((3_000..5_000).contains(&seen.records.len()));
    let one_region = Filter { regions: vec!["eu-west-1".to_owned()], ..Filter::default() };
    let seen = check_blocks_change_nothing(&log_file(3_000), &one_region);
    assert_eq!(seen.records.len(), 1_000);
    let seen = check_blocks_change_nothing(&flow_log(8_000), &everything);
    assert_eq!((seen.n_flows, seen.calls.len()), (8_000, 200));
}

#[test]
fn a_large_object_that_is_cut_short_fails() {
    let text = log_file(5_000);
    let cut = text.get(..text.len() / 2).unwrap();
    let (outcome, _) = read(&gzip(cut.as_bytes()), 1_000, &Filter::default());
    assert!(outcome.failure.unwrap().starts_with("broken at byte"));
    let object = gzip(text.as_bytes());
    let (outcome, seen) = read(&object[..object.len() / 2], 1_000, &Filter::default());
    assert!(outcome.failure.unwrap().contains("expected the rest of it"));
    assert_eq!(seen, Seen::default());
}

#[test]
fn an_object_none_of_whose_records_can_be_read_fails() {
    let bad = r#"{"eventName":"without a time"}"#;
    let read = |text: &str| read(text.as_bytes(), 1 << 20, &Filter::default()).0;
    let nothing = read(bad);
    let told =
        "none of its 1 records could be read, the first of them: record 0 at byte 0: expected";
    assert!(nothing.failure.unwrap().starts_with(told));
    assert_eq!((nothing.n_bad, nothing.bad.len()), (0, 0));
    // Beside others a bad record costs itself.
    let beside = read(&format!("{bad}\n{}", record(1)));
    assert_eq!((beside.failure, beside.n_bad, beside.n_records), (None, 1, 1));
    let none = read(r#"{"Records":[]}"#);
    assert_eq!((none.failure, none.n_bad), (None, 0));
    // A flow log whose lines have fewer fields than its header says.
    let log = flow_log(1);
    let flows = read(log.get(..log.len() - 3).unwrap());
    assert!(flows.failure.unwrap().starts_with("none of its 1 records could be read"));
}

#[test]
fn an_object_above_the_limit_of_memory_is_read() {
    let filler = "x".repeat(900_000);
    let record = record(7).replace("Put7", &format!("Put7\",\"requestID\":\"{filler}"));
    let text = format!(r#"{{"Records":[{}]}}"#, vec![record; 82].join(","));
    assert!(text.len() > 70 << 20);
    let max = Limits::default().whole_bytes_max;
    let (outcome, seen) = read(&gzip(text.as_bytes()), max, &Filter::default());
    assert_eq!((outcome.failure, seen.records.len()), (None, 82));
    assert_eq!(outcome.inflated_bytes, text.len() as u64);
}

#[test]
fn nothing_of_a_broken_large_object_is_applied() {
    let mut engine = detect::Engine::new(detect::Options::default(), Enrich::built_in());
    let filter = Filter::default();
    let limits = Limits { whole_bytes_max: 1_000, ..Limits::default() };
    let mut worker = Worker::new(&filter, limits, None);
    let mut reader = engine.reader();
    let text = log_file(5_000);
    for (content, text) in [(1, log_file(10)), (2, text.get(..text.len() - 3).unwrap().to_owned())]
    {
        reader.begin(content, None);
        worker.take(gzip(text.as_bytes()));
        if worker.read(Kind::CloudTrail, None, &mut reader).failure.is_some() {
            reader.abandon();
        }
    }
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
    assert_eq!(engine.intake().n_records, 10);
}
