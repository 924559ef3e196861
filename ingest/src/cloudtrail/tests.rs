use super::*;

/// One line per record: its name, or the byte and the complaint.
fn names(text: &str) -> (Vec<String>, Result<Shape, ObjectError>) {
    let mut seen = Vec::new();
    let shape = read(text, |index, record| {
        assert_eq!(index, seen.len());
        seen.push(match record {
            Ok(Record::Event(event)) => event.name.to_string(),
            Ok(Record::Insight(insight)) => format!("insight {}", insight.state),
            Ok(Record::Aggregated(window)) => format!("window {}", window.end_ms - window.start_ms),
            Err(error) => format!("byte {}: {}", error.offset, error.expected),
        });
    });
    (seen, shape)
}

fn record(name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2025-03-14T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"{name}"}}"#
    )
}

#[track_caller]
fn check(text: &str, shape: Shape, expected: &[&str]) {
    let (seen, found) = names(text);
    assert_eq!(seen, expected, "{text}");
    assert_eq!(found, Ok(shape), "{text}");
}

#[test]
fn log_files_are_read_with_keys_around_the_records() {
    let (a, b) = (record("A"), record("B"));
    check(&format!(r#"{{"Records":[{a},{b}]}}"#), Shape::Records, &["A", "B"]);
    check(
        &format!(r#"{{ "x" : [1] , "Records" : [ {a} , {b} ] , "y" : 1 }} "#),
        Shape::Records,
        &["A", "B"],
    );
    check(r#"{"Records":[]}"#, Shape::Records, &[]);
    check(&format!("\u{feff}{{\"Records\":[{a}]}}\n"), Shape::Records, &["A"]);
}

#[test]
fn values_one_after_the_other_are_read() {
    let (a, b) = (record("A"), record("B"));
    check(&a, Shape::Record, &["A"]);
    check(&format!("{a}\n{b}\n"), Shape::Lines, &["A", "B"]);
    check(&format!("{a}{b}"), Shape::Lines, &["A", "B"]);
    check(&format!(r#"{{"Records":[{a}]}}{{"Records":[{b}]}}"#), Shape::Records, &["A", "B"]);
    check(&format!("[{a},{b}]"), Shape::Array, &["A", "B"]);
    check(" \n", Shape::Empty, &[]);
}

#[test]
fn lookup_events_output_is_read_from_its_strings() {
    let item = |name| format!(r#"{{"EventId":"x","CloudTrailEvent":{:?}}}"#, record(name));
    let (a, b) = (item("A"), item("B"));
    check(&format!(r#"{{"Events":[{a},{b}],"NextToken":"t"}}"#), Shape::LookupEvents, &["A", "B"]);
    check(&format!("{a}\n{b}"), Shape::LookupEvents, &["A", "B"]);
    check(&format!("[{a},{b}]"), Shape::Array, &["A", "B"]);
    let bad = r#"{"CloudTrailEvent":"no json"}"#;
    check(
        &format!(r#"{{"Events":[{bad},{b}]}}"#),
        Shape::LookupEvents,
        &["byte 11: a JSON object or array", "B"],
    );
}

#[test]
fn event_bus_events_are_read_from_their_detail() {
    let a = record("A");
    let event = format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{a}}}"#);
    check(&event, Shape::EventBridge, &["A"]);
    let message =
        format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"message":{event:?}}}]}}"#);
    check(&message, Shape::LogsSubscription, &["A"]);
}

#[test]
fn subscriptions_are_read_from_their_messages() {
    let message = |name| format!(r#"{{"id":"1","timestamp":1,"message":{:?}}}"#, record(name));
    let events = format!("[{},{}]", message("A"), message("B"));
    let data = format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":{events}}}"#);
    check(&data, Shape::LogsSubscription, &["A", "B"]);
    check(&format!("{data}{data}"), Shape::LogsSubscription, &["A", "B", "A", "B"]);
    let control = r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"ping"}]}"#;
    check(control, Shape::LogsSubscription, &[]);
}

#[test]
fn digests_give_nothing() {
    let digest = r#"{"awsAccountId":"1","digestStartTime":"a","digestEndTime":"b",
        "digestS3Object":"k","logFiles":[]}"#;
    check(digest, Shape::Digest, &[]);
}

#[test]
fn insights_and_aggregates_are_records() {
    let insight = r#"{"eventVersion":"1.07","eventTime":"2019-11-14T00:51:00Z",
        "eventType":"AwsCloudTrailInsight","sharedEventId":"s","insightDetails":{"state":"Start",
        "eventSource":"ssm.amazonaws.com","eventName":"X","insightType":"ApiCallRateInsight",
        "insightContext":{"statistics":{}}},"eventCategory":"Insight"}"#;
    let aggregated = r#"{"eventVersion":"1.0","accountId":"1","eventId":"e",
        "eventCategory":"Aggregated","eventType":"AwsAggregatedEvent",
        "timeWindow":{"windowStart":"2025-11-20T10:00:00Z","windowEnd":"2025-11-20T10:05:00Z",
        "windowSize":"PT5M"},"summary":{"primaryDimension":{}}}"#;
    let file = format!(r#"{{"Records":[{insight},{aggregated}]}}"#);
    check(&file, Shape::Records, &["insight Start", "window 300000"]);
    read(&file, |_, record| match record.unwrap() {
        Record::Insight(insight) => {
            assert_eq!(insight.shared_event_id, Some(Text("s")));
            assert_eq!(insight.kind, Some(Text("ApiCallRateInsight")));
            assert_eq!(insight.context, Some(Raw(r#"{"statistics":{}}"#)));
        }
        Record::Aggregated(aggregated) => assert_eq!(aggregated.account, Some(Text("1"))),
        Record::Event(event) => panic!("{event:?}"),
    })
    .unwrap();
}

#[test]
fn a_bad_record_costs_itself() {
    let (a, b) = (record("A"), record("B"));
    let lacking = "a string under \"eventSource\"";
    let time = "an ISO 8601 time from 1970 to 9999 as the record's time";
    for (bad, offset, expected) in [
        (r#"{"eventTime":"2025-03-14T10:00:00Z"}"#, 0, lacking),
        (r#"{"eventTime":"soon","eventSource":"s","eventName":"n"}"#, 0, time),
        (
            r#"{"eventTime":"2025-03-14T10:00:00Z","eventSource":"s","eventName":""}"#,
            0,
            "a string under \"eventName\"",
        ),
        ("{}", 0, time),
        ("7", 0, "a JSON object as a record"),
        ("null", 0, "a JSON object as a record"),
        (r#""text, with [ { ""#, 0, "a JSON object as a record"),
        (r#"[{"x":1}]"#, 0, "a JSON object as a record"),
        (r#"{"eventVersion":1.}"#, 18, "a value"),
        (r#"{"eventVersion" "1"}"#, 16, "a colon after a key"),
        (r#"{"a":1 "b":2}"#, 7, "a comma or the closing brace of an object"),
        (r#"{"a":[}]}"#, 6, "the bracket that closes the innermost container"),
        (r#"{"a":1,}"#, 7, "the opening quote of a key"),
    ] {
        let text = format!(r#"{{"Records":[{a},{bad},{b}]}}"#);
        let (seen, shape) = names(&text);
        assert_eq!(shape, Ok(Shape::Records), "{bad}");
        assert_eq!(
            (seen.len(), seen[0].as_str(), seen[2].as_str()),
            (3, "A", "B"),
            "{bad} {seen:?}"
        );
        let offset = 12 + a.len() + 1 + offset;
        assert_eq!(seen[1], format!("byte {offset}: {expected}"), "{bad}");
    }
}

#[test]
fn an_unfinished_record_costs_itself() {
    let (a, b) = (record("A"), record("B"));
    for bad in [r#"{"eventVersion":"1","x":{"#, r#"{"eventVersion":"1"#] {
        let (seen, shape) = names(&format!(r#"{{"Records":[{a},{bad},{b}]}}"#));
        assert_eq!(shape, Ok(Shape::Records), "{bad}");
        assert_eq!((seen.len(), seen[0].as_str(), seen[2].as_str()), (3, "A", "B"), "{bad}");
    }
}

#[test]
fn a_bad_line_costs_itself() {
    let (a, b) = (record("A"), record("B"));
    for bad in [r#"{"eventVersion":"1","#, "garbage", r#"{"a":"#, "{}", r#"{"a":1 2}"#] {
        let (seen, shape) = names(&format!("{a}\n{bad}\n{b}\n"));
        assert_eq!(shape, Ok(Shape::Lines), "{bad}");
        assert_eq!(
            (seen.len(), seen[0].as_str(), seen[2].as_str()),
            (3, "A", "B"),
            "{bad} {seen:?}"
        );
    }
}

#[test]
fn a_broken_object_says_where() {
    let a = record("A");
    let broken = |offset, expected| Err(ObjectError::Broken { offset, expected });
    let bracket = "a comma or the closing bracket of an array";
    let cut = format!(r#"{{"Records":[{a}"#);
    assert_eq!(names(&cut), (vec!["A".to_owned()], broken(cut.len(), bracket)));
    let cut = format!(r#"{{"Records":[{a},{{"eventVersion":"#);
    assert_eq!(names(&cut).1, broken(cut.len(), "a value"));
    let open = format!(r#"{{"Records":[{a}]"#);
    let brace = "a comma or the closing brace after \"Records\"";
    assert_eq!(names(&open).1, broken(open.len(), brace));
    for text in ["12345\n", "text", "\"eventVersion\": \"1.05\",", "null", "}", "\0"] {
        assert_eq!(names(text), (vec![], Err(ObjectError::NotCloudTrail { offset: 0 })), "{text}");
    }
    let trailing = format!(r#"{{"Records":[{a}]}} trailing"#);
    assert_eq!(names(&trailing).1, broken(trailing.len() - 8, "a JSON object or array"));
    assert_eq!(
        names(&trailing).1.unwrap_err().to_string(),
        format!("broken at byte {}: expected a JSON object or array", trailing.len() - 8)
    );
}

#[test]
fn depth_bombs_cost_one_record() {
    let deep = format!(r#"{{"eventVersion":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let text = format!(r#"{{"Records":[{deep},{}]}}"#, record("B"));
    let (seen, shape) = names(&text);
    assert_eq!((seen.len(), seen[1].as_str(), shape), (2, "B", Ok(Shape::Records)));
    assert!(seen[0].ends_with("at most 128 nested containers"), "{seen:?}");
    assert!(names(&"[".repeat(100_000)).1.is_err());
    assert!(names(&r#"{"Records":["#.repeat(20_000)).1.is_err());
}

#[test]
fn a_record_above_the_cap_is_refused() {
    let filler = "x".repeat(RECORD_BYTES_MAX);
    let large = record("A").replacen("1.08", &filler, 1);
    let text = format!(r#"{{"Records":[{large},{}]}}"#, record("B"));
    check(&text, Shape::Records, &["byte 12: a record of at most 16 MiB", "B"]);
    let filler = "x".repeat(RECORD_BYTES_MAX + "1.08".len() - record("A").len());
    let largest = record("A").replacen("1.08", &filler, 1);
    assert_eq!(largest.len(), RECORD_BYTES_MAX);
    check(&largest, Shape::Record, &["A"]);
    let one_more = largest.replacen('x', "xx", 1);
    check(&one_more, Shape::Record, &["byte 0: a record of at most 16 MiB"]);
}

#[test]
fn wrappers_end_somewhere() {
    let wrapped = |times: usize| r#"{"detail":"#.repeat(times) + &record("A") + &"}".repeat(times);
    check(&wrapped(usize::from(WRAPPERS_MAX)), Shape::EventBridge, &["A"]);
    let (seen, _) = names(&wrapped(usize::from(WRAPPERS_MAX) + 1));
    assert!(seen[0].ends_with("a record wrapped at most 6 times"), "{seen:?}");
}

#[test]
fn endless_damage_is_given_up_after_the_search_budget() {
    let text = format!(r#"{{"Records":[{}"#, r#"{"eventVersion":{"a":{"#.repeat(20_000));
    let (seen, shape) = names(&text);
    assert!((10..19_000).contains(&seen.len()), "{}", seen.len());
    assert!(matches!(shape, Err(ObjectError::Broken { .. })));
}

#[test]
fn keys_and_values_are_read_however_they_are_spelt() {
    let text = r#"{"Records":[{ "event\u004eame" : "Put\u004fbject" ,
        "eventTime" : "2025-03-14T10:00:00.5Z", "eventSource":"a","eventSource":"s3.amazonaws.com",
        "readOnly":"true","recipientAccountId":111122223333,"errorCode":null,"userAgent":{},
        "requestParameters":null,"responseElements":{},"unknown":[1,{"eventName":"no"}]}]}"#;
    let mut events = 0;
    read(text, |_, record| {
        let Ok(Record::Event(event)) = record else { panic!("{record:?}") };
        events += 1;
        assert_eq!(event.name, "PutObject");
        assert_eq!(event.source, "s3.amazonaws.com");
        assert_eq!(event.time_ms, 1_741_946_400_500);
        assert_eq!(event.read_only, Some(true));
        assert_eq!(event.recipient_account, Some(Text("111122223333")));
        assert_eq!((event.error_code, event.user_agent, event.request), (None, None, None));
        assert_eq!(event.response, Some(Raw("{}")));
    })
    .unwrap();
    assert_eq!(events, 1);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_reported() {
    assert_eq!(super::text(b"{}"), Decoded { text: Cow::Borrowed("{}"), lossy: false });
    let decoded = super::text(b"\"\xff\"");
    assert_eq!((decoded.text.as_ref(), decoded.lossy), ("\"\u{fffd}\"", true));
}

#[test]
fn what_changes_no_boundary_is_let_through() {
    let lenient = record("A\tB\\q").replacen("\"1.08\"", "{\"a\" 1,,}", 1);
    assert!(serde_json::from_str::<serde_json::Value>(&lenient).is_err());
    check(&lenient, Shape::Record, &["A\tB\\q"]);
}
