mod stub;
mod world;

use super::*;
use crate::{
    sample,
    sinks::{
        Event, InSeries, Occasion, Service, Sink, To, Why,
        service::{
            answer::SAID_CHARS_MAX,
            pace,
            stub::{message_of, told},
        },
    },
};
use detect::{Finding, FindingId, Severity};
use ingest::source::calls;
use serde_json::Value;
use std::cell::Cell;
use stub::{Fault, MEMBERS, OWN, STRANGER, Stub};

/// 2026-03-13T11:06:40Z.
const START_MS: i64 = 1_773_400_000_000;

thread_local! {
    /// Each test has a clock of its own.
    static NOW_MS: Cell<i64> = const { Cell::new(START_MS) };
}

fn now_ms() -> i64 {
    NOW_MS.get()
}

fn file_as_member() -> FileAs {
    FileAs::Member { role: "sentrail-findings".to_owned() }
}

fn settings(stub: &Stub, file_as: FileAs) -> Settings {
    let (endpoint, region) = (Some(stub.endpoint.clone()), Some("eu-central-1".to_owned()));
    Settings { access: Access { endpoint, region, ..Access::default() }, file_as }
}

async fn hub(stub: &Stub, file_as: FileAs) -> SecurityHub {
    let Settings { access, file_as } = settings(stub, file_as);
    SecurityHub::within(&Session::with_test_keys(&access).await.unwrap(), file_as)
}

fn finding(n: u128, account: &str) -> Finding {
    let mut finding = Finding { id: FindingId(n), ..sample::finding("s3-mass-reencryption") };
    finding.entity.account = account.into();
    finding
}

fn message(finding: &Finding) -> Message {
    let inputs = sample::inputs();
    let to = To::Service(Service::SecurityHub(Settings {
        access: Access::default(),
        file_as: FileAs::Own,
    }));
    let series = Some(InSeries::of(finding, Why::Opened));
    let body = to.body(Occasion { event: Event::Created, series }, (finding, &inputs), START_MS);
    message_of(finding, body)
}

#[test]
fn the_page_of_limits_gives_the_bounds_in_force() {
    let page = include_str!("../../../../docs/limits.md");
    for (name, bound) in [
        ("security_hub::FINDINGS_MAX`", format!("{FINDINGS_MAX} findings")),
        ("batch::CALL_BYTES_MAX`", format!("{} bytes", batch::CALL_BYTES_MAX)),
        ("answer::SAID_CHARS_MAX`", format!("{SAID_CHARS_MAX} characters")),
        ("asff::FILED_BYTES_MAX`", format!("{} bytes", crate::formats::FILED_BYTES_MAX)),
        ("calls::ANSWER_BYTES_MAX`", format!("{} bytes", calls::ANSWER_BYTES_MAX)),
        ("calls::KEYS_MAX`", format!("{} accounts", calls::KEYS_MAX)),
        ("pace::GAP_MS`, `BURST`", format!("{} ms", pace::GAP_MS)),
    ] {
        let row = format!("\n| `{name} | {bound} ");
        assert!(page.contains(&row), "mend docs/limits.md: {row}");
    }
    assert!(page.contains(&format!("after a burst of {} calls", pace::BURST)));
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    let denied = "again: Security Hub takes findings of account 123456789012 from credentials of that \
                  account alone";
    let disabled = "again: Security Hub is not enabled in account 123456789012 in eu-central-1";
    for (head, body, outcome) in [
        ("429 Too Many\r\nretry-after: 7", "", "again in 7000: status 429"),
        ("429 Too Many\r\nretry-after: 99999", "", "again in 3600000: status 429"),
        (
            "500 Oops\r\nx-amzn-errortype: InternalException",
            "{}",
            "again: InternalException (status 500): ",
        ),
        ("503 Busy\r\nretry-after: 2", "", "again in 2000: status 503"),
        (
            "400 No",
            r#"{"__type":"a#ThrottlingException","message":"slow"}"#,
            "again: ThrottlingException (status 400): slow",
        ),
        (
            "400 No",
            r#"{"__type":"LimitExceededException"}"#,
            "again: LimitExceededException (status 400): ",
        ),
        (
            "400 No",
            r#"{"__type":"InvalidInputException","Message":"x\u001b[2J"}"#,
            "refused: InvalidInputException (status 400): x\\u{1b}[2J",
        ),
        ("400 No", "no json", "again: status 400"),
        ("401 No\r\nx-amzn-errortype: InvalidAccessException", "{}", disabled),
        (
            "403 No\r\nx-amzn-errortype: AccessDeniedException:http://x/",
            r#"{"Message":"no"}"#,
            denied,
        ),
        (
            "403 No",
            r#"{"__type":"ExpiredTokenException"}"#,
            "again: ExpiredTokenException (status 403): ",
        ),
        ("413 Large", "", "refused: status 413"),
        ("200 OK", "no json", "again: an answer that is not one of Security Hub"),
        ("200 OK", "{}", "again: an answer that is not one of Security Hub"),
        (
            "200 OK",
            r#"{"FailedCount":1,"SuccessCount":0,"FailedFindings":[]}"#,
            "again: an answer that is not one of Security Hub",
        ),
        (
            "200 OK",
            r#"{"FailedCount":1,"SuccessCount":0,"FailedFindings":[{"Id":"","ErrorCode":"InvalidInput"}]}"#,
            "again: an answer about findings that were not sent",
        ),
        ("302 There\r\nlocation: http://127.0.0.1:9/", "", "again: status 302"),
    ] {
        stub.fails(Fault::Answer(head, body));
        let told = told(hub.send(vec![message(&finding(1, MEMBERS[0]))], now_ms).await);
        assert!(told[&1].starts_with(outcome), "{head}: {told:?}");
    }
    assert!(stub.state().findings.is_empty());
    for fault in [Fault::HangUp, Fault::DropReply] {
        stub.fails(fault);
        let told = told(hub.send(vec![message(&finding(1, MEMBERS[0]))], now_ms).await);
        assert_eq!(told[&1], "again: no answer: the connection cannot be made, or broke");
    }
    assert_eq!(stub.state().findings.len(), 1);
    let identities = stub.state().asked.len();
    assert_eq!(identities, 1, "asked once");
}

#[tokio::test]
async fn a_finding_that_fails_by_itself_fails_alone() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    for (code, outcome) in [
        ("InvalidInput", "refused: InvalidInput: because"),
        ("LimitExceeded", "again: LimitExceeded: because"),
        ("InternalException", "again: InternalException: because"),
        ("InternalError", "again: InternalError: because"),
        ("InvalidAccess", "again: Security Hub is not enabled in account 123456789012"),
    ] {
        stub.fails(Fault::EverySecond(code));
        let all = (1..=4).map(|n| message(&finding(n, OWN))).collect();
        let told = told(hub.send(all, now_ms).await);
        for n in [1, 3] {
            assert_eq!(told[&n], "delivered");
            assert!(told[&(n + 1)].starts_with(outcome), "{told:?}");
        }
    }
}

#[tokio::test]
async fn the_finding_at_fault_is_found_and_the_others_go() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    let mut bad = finding(63, OWN);
    let mut about = (*bad.about).clone();
    about.title = "bad".to_owned();
    bad.about = about.into();
    stub.state().refused.push("bad".to_owned());
    let all = (0..FINDINGS_MAX as u128)
        .map(|n| if n == 63 { message(&bad) } else { message(&finding(n, OWN)) });
    let mut told = told(hub.send(all.collect(), now_ms).await);
    let refused = told.remove(&63).unwrap();
    assert_eq!(refused, "refused: InvalidInputException (status 400): Invalid \\u{1b}[31mTitle");
    assert_eq!(told.len(), 99);
    assert!(told.values().all(|outcome| outcome == "delivered"), "{told:?}");
    assert_eq!(stub.state().findings.len(), 99);
    assert!(stub.state().calls.len() <= 2 * 7 + 1, "{}", stub.state().calls.len());
}

#[tokio::test]
async fn what_all_of_an_account_are_refused_for_kills_none_of_them() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    let refused = r#"{"__type":"InvalidInputException","Message":"account"}"#;
    let all = || (0..FINDINGS_MAX as u128).map(|n| message(&finding(n, OWN))).collect();
    for _ in 0..2 {
        // Seven halves down to the first alone, then the second.
        for _ in 0..9 {
            stub.fails(Fault::Answer("400 No", refused));
        }
        let told = told(hub.send(all(), now_ms).await);
        let words =
            "again: every finding of account 123456789012 is refused, so it is not for what ";
        assert_eq!(told.len(), FINDINGS_MAX);
        assert!(told.values().all(|outcome| outcome.starts_with(words)), "{told:?}");
        assert!(told[&7].ends_with(": InvalidInputException (status 400): account"), "{told:?}");
    }
    let told = told(hub.send(all(), now_ms).await);
    assert!(told.values().all(|outcome| outcome == "delivered"), "{told:?}");
}

#[tokio::test]
async fn calls_are_no_larger_than_they_may_be() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    let sizes =
        |stub: &Stub| -> Vec<usize> { stub.state().calls.drain(..).map(|(_, _, n)| n).collect() };
    let all = (0..250).map(|n| message(&finding(n, OWN))).collect();
    hub.send(all, now_ms).await;
    assert_eq!(sizes(&stub), [100, 100, 50]);
    // Of the largest findings fewer fit.
    let large = |n| {
        let mut finding = finding(n, OWN);
        let wide = "\u{1f511}".repeat(2_000);
        finding.parts = vec![finding.parts[0].clone(); 20];
        for part in &mut finding.parts {
            part.observed.clone_from(&wide);
        }
        message(&finding)
    };
    let one = large(0);
    let fit = batch::CALL_BYTES_MAX / one.body.len();
    let all: Vec<_> = (0..100).map(large).collect();
    assert!(told(hub.send(all, now_ms).await).values().all(|outcome| outcome == "delivered"));
    let sizes = sizes(&stub);
    assert!(sizes[0] <= fit && sizes[0] > fit / 2, "{sizes:?}, {fit}");
}

#[tokio::test]
async fn updates_are_later_whatever_the_clock_does() {
    let stub = Stub::new();
    let mut hub = hub(&stub, FileAs::Own).await;
    let mut message = message(&finding(1, OWN));
    let mut before = String::new();
    for ms in [START_MS, START_MS, START_MS - 86_400_000, START_MS + 5, START_MS + 5] {
        NOW_MS.set(ms);
        let mut sent = hub.send(vec![message], now_ms).await;
        message = sent.remove(0).0;
        assert_eq!(message.created_ms, Some(START_MS));
        let state = stub.state();
        let kept = state.findings.values().next().unwrap();
        assert_eq!(kept["CreatedAt"], "2026-03-13T11:06:40.000Z");
        let updated = kept["UpdatedAt"].as_str().unwrap().to_owned();
        assert!(updated > before, "{updated} {before}");
        before = updated;
    }
    assert_eq!((before.as_str(), stub.state().n_stale), ("2026-03-13T11:06:40.006Z", 0));
}

#[tokio::test]
async fn members_get_their_own_and_one_that_is_out_of_reach_holds_up_no_other() {
    let stub = Stub::new();
    let mut hub = hub(&stub, file_as_member()).await;
    stub.state().disabled.push(MEMBERS[1].to_owned());
    for _ in 0..2 {
        let accounts = [MEMBERS[0], STRANGER, MEMBERS[1], OWN, "unknown", MEMBERS[0]];
        let all = (0..).zip(accounts).map(|(n, account)| message(&finding(n, account))).collect();
        let told = told(hub.send(all, now_ms).await);
        for n in [0, 3, 4, 5] {
            assert_eq!(told[&n], "delivered");
        }
        let role = "arn:aws:iam::999988887777:role/sentrail-findings";
        let why = "AccessDenied: not authorized to perform: sts:AssumeRole";
        assert_eq!(told[&1], format!("later: cannot assume {role}: {why}"));
        assert!(told[&2].starts_with("later: Security Hub is not enabled in account 444455556666"));
    }
    let state = stub.state();
    let filed: Vec<_> = state.findings.keys().map(|(account, _)| &**account).collect();
    assert_eq!(filed, [MEMBERS[0], MEMBERS[0], OWN, OWN]);
    let unknown = &state.findings[&(OWN.to_owned(), FindingId(4).to_string())];
    assert_eq!(unknown["ProductFields"]["sentrail/account"], "unknown");
    let assumed = |account: &str| {
        state.asked.iter().filter(|one| one.contains("AssumeRole") && one.contains(account)).count()
    };
    // Credentials that served are kept; those of the others are asked for anew.
    assert_eq!([MEMBERS[0], MEMBERS[1], STRANGER].map(assumed), [1, 2, 2]);
}

#[tokio::test]
async fn of_what_is_too_much_only_so_much_is_kept() {
    let stub = Stub::new();
    let mut hub = hub(&stub, file_as_member()).await;
    let endless = "x".repeat(calls::ANSWER_BYTES_MAX).leak();
    let long = format!("{{\"__type\":\"{}\"}}", "y".repeat(1_000)).leak();
    let cut = format!("again: {}...", "y".repeat(SAID_CHARS_MAX));
    for (body, outcome) in
        [(&*endless, "again: an answer that is not one of Security Hub"), (&*long, &*cut)]
    {
        let head = if body.starts_with('x') { "200 OK" } else { "500 Oops" };
        stub.fails(Fault::Answer(head, body));
        let told = told(hub.send(vec![message(&finding(1, OWN))], now_ms).await);
        assert_eq!(told[&1], outcome);
    }
    // One account more than credentials are kept for: those of the first are asked for again.
    let accounts = (0..=calls::KEYS_MAX).map(|n| format!("2{n:011}"));
    let all = (0..).zip(accounts).map(|(n, account)| message(&finding(n, &account))).collect();
    hub.send(all, now_ms).await;
    let first = "2".to_owned() + &"0".repeat(11);
    hub.send(vec![message(&finding(0, &first))], now_ms).await;
    let state = stub.state();
    assert_eq!(state.asked.iter().filter(|asked| asked.contains(&first)).count(), 2);
}

#[tokio::test]
async fn a_sample_says_so_and_is_filed_as_ones_own() {
    let stub = Stub::new();
    let to = To::Service(Service::SecurityHub(settings(&stub, file_as_member())));
    let sink = Sink::new("hub", Severity::Medium, to);
    let sample = Message::sample(&sink, &sample::inputs(), START_MS);
    let mut hub = hub(&stub, file_as_member()).await;
    assert_eq!(hub.send(vec![sample], now_ms).await[0].1, Outcome::Delivered);
    let state = stub.state();
    let ((account, _), kept) = state.findings.first_key_value().unwrap();
    assert_eq!((&**account, &kept["Sample"]), (OWN, &Value::Bool(true)));
    assert!(kept["Title"].as_str().unwrap().starts_with("[SAMPLE]"));
}
