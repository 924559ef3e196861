use super::*;
use crate::{
    sample,
    sinks::{
        Event, InSeries, Occasion, Service, To, Why,
        body::ENVELOPE_BYTES_MAX,
        service::stub::{Scripted, message_of, told},
    },
};
use detect::{Finding, FindingId};

/// 2026-03-13T11:06:40Z.
const START_MS: i64 = 1_773_400_000_000;
/// EventBridge takes 256 KB in a call. Unit: bytes.
const CALL_BYTES_MAX: usize = 256_000;
/// What stands around the finding is less than 100 bytes.
const _: () = assert!(
    (ENVELOPE_BYTES_MAX + RESOURCES_MAX * RESOURCE_BYTES_MAX + 100) * ENTRIES_MAX < CALL_BYTES_MAX
);
const ARN: &str = "arn:aws:events:eu-central-1:111122223333:event-bus/findings";

fn now_ms() -> i64 {
    START_MS
}

/// Whether an event of a finding is one of those of which ten fit into a call.
pub(in crate::sinks) fn check(envelope: &str, finding: &Finding) {
    let entry = entry(&message_of(finding, envelope.to_owned()), &Bus::default());
    let word = |key: &str| entry[key].as_str().unwrap();
    assert_eq!((word("Source"), word("EventBusName")), ("sentrail", "default"));
    assert_eq!(word("DetailType"), "finding.created");
    let detail: Value = serde_json::from_str(word("Detail")).unwrap();
    assert_eq!(detail["id"], finding.id.to_string());
    let resources = entry["Resources"].as_array().unwrap();
    assert!(
        resources.iter().all(|arn| arn.as_str().unwrap().bytes().all(|b| b.is_ascii_graphic()))
    );
    // What AWS counts: Source, DetailType, Detail and Resources in UTF-8, and 14 for the time.
    let sizes = resources.iter().map(|arn| arn.as_str().unwrap().len());
    let n_bytes = sizes.sum::<usize>() + word("Detail").len() + 100;
    assert!(n_bytes * ENTRIES_MAX < CALL_BYTES_MAX, "{n_bytes}");
}

async fn bridge(server: &Scripted) -> EventBridge {
    let (endpoint, region) = (Some(server.endpoint.clone()), Some("eu-central-1".to_owned()));
    let access = Access { endpoint, region, ..Access::default() };
    EventBridge::within(&Session::with_test_keys(&access).await.unwrap(), Bus::default())
}

fn finding(n: u128) -> Finding {
    Finding { id: FindingId(n), ..sample::finding("s3-mass-reencryption") }
}

fn message(finding: &Finding) -> Message {
    let series = Some(InSeries::of(finding, Why::Opened));
    let occasion = Occasion { event: Event::Created, series };
    let settings = Settings { access: Access::default(), bus: Bus::default() };
    let to = To::Service(Service::EventBridge(settings));
    message_of(finding, to.body(occasion, (finding, &sample::inputs()), START_MS))
}

/// An answer in which these failed, by their places.
fn taken(n: usize, failed: &[(usize, &str)]) -> String {
    let entry = |at| match failed.iter().find(|(place, _)| *place == at) {
        Some((_, code)) => json!({"ErrorCode": code, "ErrorMessage": "because"}),
        None => json!({"EventId": "a-1"}),
    };
    let entries: Vec<_> = (0..n).map(entry).collect();
    json!({"FailedEntryCount": failed.len(), "Entries": entries}).to_string()
}

#[test]
fn names_and_arns_of_buses_are_buses() {
    for (text, region) in
        [("default", None), ("aws.partner/example.com/a", None), (ARN, Some("eu-central-1"))]
    {
        let bus = Bus::parse(text).unwrap();
        assert_eq!((&*bus.name, bus.region()), (text, region));
    }
    let long = "a".repeat(NAME_CHARS_MAX + 1);
    for text in [
        "",
        "a b",
        "arn:aws:events:eu-central-1:111122223333:rule/findings",
        "arn:aws:events:evil.example/:111122223333:event-bus/findings",
        "arn:aws:sns:eu-central-1:111122223333:findings",
        "arn:aws:events:eu-central-1:111122223333:event-bus/",
        &long,
    ] {
        assert_eq!(Bus::parse(text), Err(NoBus), "{text}");
    }
}

#[tokio::test]
async fn an_event_is_the_finding_with_its_series() {
    let server = Scripted::new("events");
    server.gives("200 OK", &taken(1, &[]));
    let mut finding = finding(1);
    let (bucket, long) = ("arn:aws:s3:::ledger".to_owned(), "a".repeat(RESOURCE_BYTES_MAX));
    finding.entity.key = "arn:aws:iam::111122223333:user/ana".into();
    finding.targets = vec![
        bucket.clone(),
        "ledger".to_owned(),
        bucket.clone(),
        "arn:aws:s3:::\u{202e}".to_owned(),
        format!("arn:aws:s3:::{long}"),
    ];
    let message = message(&finding);
    let envelope: Value = serde_json::from_str(&message.body).unwrap();
    let sent = bridge(&server).await.send(vec![message], now_ms).await;
    assert_eq!(told(sent)[&1], "delivered");
    let body: Value = serde_json::from_str(&server.bodies()[0]).unwrap();
    let entry = &body["Entries"][0];
    for (key, value) in [
        ("Source", json!("sentrail")),
        ("DetailType", json!("finding.created")),
        ("EventBusName", json!("default")),
        ("Time", json!(START_MS / 1_000)),
        ("Resources", json!(["arn:aws:iam::111122223333:user/ana", bucket])),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    let mut detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let series = detail.as_object_mut().unwrap().remove("series").unwrap();
    assert_eq!((series, detail), (envelope["series"].clone(), envelope["data"].clone()));
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let server = Scripted::new("events");
    let mut bridge = bridge(&server).await;
    let foreign = "again: an answer that is not one of EventBridge";
    for (head, body, outcome) in [
        ("200 OK", &*taken(1, &[]), "delivered"),
        ("200 OK", "no json", foreign),
        ("200 OK", "{}", foreign),
        ("200 OK", &taken(2, &[]), foreign),
        ("200 OK", r#"{"FailedEntryCount":0,"Entries":[{}]}"#, foreign),
        ("200 OK", r#"{"FailedEntryCount":1,"Entries":[{"EventId":"a"}]}"#, foreign),
        ("200 OK", r#"{"FailedEntryCount":0,"Entries":[{"ErrorCode":"a"}]}"#, foreign),
        ("200 OK", r#"{"Entries":[{"EventId":"a"}]}"#, foreign),
        (
            "400 No",
            r#"{"__type":"ThrottlingException","message":"slow"}"#,
            "again: ThrottlingException (status 400): slow",
        ),
        ("429 Slow\r\nretry-after: 7", "", "again in 7000: status 429"),
        (
            "500 Oops\r\nx-amzn-errortype: InternalException",
            "{}",
            "again: InternalException (status 500): ",
        ),
        (
            "400 No",
            r#"{"__type":"a#ValidationException","message":"x\u001b[2J"}"#,
            "refused: ValidationException (status 400): x\\u{1b}[2J",
        ),
        ("413 Large", "", "refused: status 413"),
        (
            "400 No",
            r#"{"__type":"AccessDeniedException"}"#,
            "again: the credentials may not put events of the source sentrail on the bus default",
        ),
        ("400 No", r#"{"__type":"ResourceNotFoundException"}"#, "again: there is no bus default"),
        (
            "400 No",
            r#"{"__type":"ExpiredTokenException"}"#,
            "again: ExpiredTokenException (status 400): ",
        ),
    ] {
        server.gives(head, body);
        let told = told(bridge.send(vec![message(&finding(1))], now_ms).await);
        assert!(told[&1].starts_with(outcome), "{head} {body}: {told:?}");
    }
    let told = told(bridge.send(vec![message(&finding(1))], now_ms).await);
    assert_eq!(told[&1], "again: no answer: the connection cannot be made, or broke");
}

#[tokio::test]
async fn an_event_that_fails_by_itself_fails_alone() {
    let server = Scripted::new("events");
    let failed = [
        (1, "InvalidArgument"),
        (3, "ThrottlingException"),
        (4, "InternalFailure"),
        (5, "NotAuthorizedForSourceException"),
    ];
    server.gives("200 OK", &taken(6, &failed));
    let all = (0..6).map(|n| message(&finding(n))).collect();
    let told = told(bridge(&server).await.send(all, now_ms).await);
    for (n, outcome) in [
        (0, "delivered"),
        (1, "refused: InvalidArgument: because"),
        (2, "delivered"),
        (3, "again: ThrottlingException: because"),
        (4, "again: InternalFailure: because"),
        (5, "again: the credentials may not put events"),
    ] {
        assert!(told[&n].starts_with(outcome), "{told:?}");
    }
}

#[tokio::test]
async fn the_event_at_fault_is_found_and_a_failure_is_that_of_all_behind_it() {
    let server = Scripted::new("events");
    let invalid = r#"{"__type":"ValidationException"}"#;
    // Of four, of the first two, of one each; of the last two, of which the first is taken.
    for (head, body) in [
        ("400 No", invalid),
        ("400 No", invalid),
        ("400 No", invalid),
        ("200 OK", &taken(1, &[])),
        ("200 OK", &taken(2, &[])),
    ] {
        server.gives(head, body);
    }
    let mut bridge = bridge(&server).await;
    let all = (0..4).map(|n| message(&finding(n))).collect();
    let first = told(bridge.send(all, now_ms).await);
    assert!(first[&0].starts_with("refused: ValidationException"));
    assert!((1..4).all(|n| first[&n] == "delivered"), "{first:?}");
    server.bodies();
    server.gives("200 OK", &taken(ENTRIES_MAX, &[]));
    server.gives("503 Busy\r\nretry-after: 2", "");
    let all = (0..25).map(|n| message(&finding(n))).collect();
    let second = told(bridge.send(all, now_ms).await);
    assert!((0..10).all(|n| second[&n] == "delivered"), "{second:?}");
    assert!((10..25).all(|n| second[&n] == "again in 2000: status 503"), "{second:?}");
    let sizes: Vec<_> = server
        .bodies()
        .iter()
        .map(|body| {
            serde_json::from_str::<Value>(body).unwrap()["Entries"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(sizes, [10, 10]);
}

#[tokio::test]
async fn what_is_refused_whatever_stands_in_it_waits() {
    let server = Scripted::new("events");
    // Of four, of the first two, of one each: nothing else is asked.
    for _ in 0..4 {
        server.gives("400 No", r#"{"__type":"ValidationException"}"#);
    }
    let mut bridge = bridge(&server).await;
    let all = (0..4).map(|n| message(&finding(n))).collect();
    let told = told(bridge.send(all, now_ms).await);
    assert_eq!(server.bodies().len(), 4);
    let expected = "later: every event for the bus default is refused";
    assert!((0..4).all(|n| told[&n].starts_with(expected)), "{told:?}");
}

#[test]
fn the_largest_events_fit_into_a_call() {
    let mut finding = finding(1);
    finding.targets = (10..60)
        .map(|n| format!("arn:aws:s3:::{n}{}", "b".repeat(RESOURCE_BYTES_MAX - 20)))
        .collect();
    let entry = entry(&message(&finding), &Bus::default());
    assert_eq!(entry["Resources"].as_array().unwrap().len(), RESOURCES_MAX);
    let text = |key: &str| entry[key].as_str().unwrap().len();
    let resources: usize =
        entry["Resources"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().len()).sum();
    // As AWS counts: 14 bytes for the time.
    let counted = 14 + text("Source") + text("DetailType") + text("Detail") + resources;
    assert!(counted > 15_000 && counted * ENTRIES_MAX < CALL_BYTES_MAX, "{counted}");
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["truncated"], true);
}
