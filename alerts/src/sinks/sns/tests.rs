use super::*;
use crate::{
    formats::tests::is_obeyed,
    sample,
    sinks::{
        Event, InSeries, Occasion, Service, Sink, To, Why,
        service::stub::{Scripted, message_of, told},
    },
};
use detect::{Finding, FindingId, Severity};
use std::collections::BTreeMap;

/// 2026-03-13T11:06:40Z.
const START_MS: i64 = 1_773_400_000_000;
const ARN: &str = "arn:aws:sns:eu-central-1:111122223333:findings";
const TAKEN: &str =
    "<PublishResponse><PublishResult><MessageId>a-1</MessageId></PublishResult></PublishResponse>";

fn now_ms() -> i64 {
    START_MS
}

fn settings(endpoint: Option<String>, arn: &str) -> Settings {
    let topic = Topic::parse(arn).unwrap();
    let region = Some(topic.region.clone());
    Settings { access: Access { endpoint, region, ..Access::default() }, topic }
}

async fn sns(server: &Scripted, arn: &str) -> Sns {
    let Settings { access, topic } = settings(Some(server.endpoint.clone()), arn);
    Sns::within(&Session::with_test_keys(&access).await.unwrap(), topic)
}

fn finding(n: u128) -> Finding {
    Finding { id: FindingId(n), ..sample::finding("s3-mass-reencryption") }
}

fn message(finding: &Finding) -> Message {
    let series = Some(InSeries::of(finding, Why::Opened));
    let occasion = Occasion { event: Event::Created, series };
    let to = To::Service(Service::Sns(settings(None, ARN)));
    message_of(finding, to.body(occasion, (finding, &sample::inputs()), START_MS))
}

/// Fields of a form, read back.
fn fields(form: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            let (byte, rest) = part.split_at(2);
            bytes.push(u8::from_str_radix(byte, 16).unwrap());
            bytes.extend(rest.bytes());
        }
        String::from_utf8(bytes).unwrap()
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (decoded(name), decoded(value))
    };
    form.split('&').map(pair).collect()
}

/// Whether SNS takes what is published of a finding: in all, and no attribute that is empty.
pub(in crate::sinks) fn check(envelope: &str, finding: &Finding) {
    let topic = Topic::parse(&format!("{ARN}.fifo")).unwrap();
    let fields = fields(&form(&topic, &message_of(finding, envelope.to_owned())));
    assert_eq!(fields["Message"], envelope);
    assert!(fields["MessageGroupId"] == finding.id.to_string());
    let attributes: Vec<_> =
        fields.iter().filter(|(name, _)| name.ends_with("StringValue")).collect();
    assert!((2..=3).contains(&attributes.len()), "{attributes:?}");
    assert!(attributes.iter().all(|(_, text)| !text.is_empty() && !text.contains(is_obeyed)));
    let n_bytes = envelope.len() + attributes.iter().map(|(_, text)| text.len()).sum::<usize>();
    assert!(n_bytes < 256_000, "{n_bytes}");
}

#[test]
fn only_arns_of_topics_are_topics() {
    for arn in [
        ARN,
        "arn:aws:sns:eu-central-1:111122223333:find_ings-2.fifo",
        "arn:aws-cn:sns:cn-north-1:111122223333:a",
        "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a",
    ] {
        assert_eq!(Topic::parse(arn).unwrap().arn, arn);
    }
    let long = format!("arn:aws:sns:eu-central-1:111122223333:{}", "a".repeat(NAME_CHARS_MAX + 1));
    for text in [
        "",
        "findings",
        "arn:aws:sqs:eu-central-1:111122223333:findings",
        "arn:aws:sns:cn-north-1:111122223333:findings",
        "arn:aws:sns:evil.example/:111122223333:findings",
        "arn:aws:sns::111122223333:findings",
        "arn:aws:sns:eu-central-1:1111:findings",
        "arn:aws:sns:eu-central-1:111122223333:",
        "arn:aws:sns:eu-central-1:111122223333:.fifo",
        // That of a subscription.
        "arn:aws:sns:eu-central-1:111122223333:findings:0a1b",
        &long,
    ] {
        assert_eq!(Topic::parse(text), Err(NoTopic), "{text}");
    }
}

#[tokio::test]
async fn a_message_is_the_body_of_a_webhook_with_attributes_to_filter_by() {
    let server = Scripted::new("sns");
    server.gives("200 OK", TAKEN);
    let mut finding = finding(1);
    finding.entity.account = "1111\u{1b}[2J".into();
    let message = message(&finding);
    let sent = sns(&server, ARN).await.send(vec![message.clone()], now_ms).await;
    assert_eq!(told(sent)[&1], "delivered");
    let form = fields(&server.bodies()[0]);
    assert_eq!((&*form["Action"], &*form["TopicArn"]), ("Publish", ARN));
    assert_eq!(form["Message"], message.body);
    let attributes = [("severity", "critical"), ("detector", "s3-mass-reencryption")];
    for (n, (name, value)) in
        (1..).zip(attributes.into_iter().chain([("account", "1111\\u{1b}[2J")]))
    {
        let field = |end: &str| &*form[&format!("MessageAttributes.entry.{n}.{end}")];
        assert_eq!((field("Name"), field("Value.StringValue")), (name, value));
        assert_eq!(field("Value.DataType"), "String");
    }
    let others = ["Subject", "MessageGroupId", "MessageDeduplicationId"];
    assert!(others.iter().all(|name| !form.contains_key(*name)));
}

#[tokio::test]
async fn a_topic_with_an_order_gets_the_series_and_the_id() {
    let server = Scripted::new("sns");
    let arn = format!("{ARN}.fifo");
    let mut sns = sns(&server, &arn).await;
    let sink = Sink::new("bus", Severity::Low, To::Service(Service::Sns(settings(None, &arn))));
    let sample = Message::sample(&sink, &sample::inputs(), START_MS);
    for (message, group) in [(message(&finding(7)), FindingId(7)), (sample.clone(), sample.finding)]
    {
        server.gives("200 OK", TAKEN);
        let id = message.id.clone();
        sns.send(vec![message], now_ms).await;
        let form = fields(&server.bodies()[0]);
        assert_eq!(form["MessageGroupId"], group.to_string());
        assert_eq!(form["MessageDeduplicationId"], id);
    }
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let server = Scripted::new("sns");
    let mut sns = sns(&server, ARN).await;
    let error = |code: &str, message: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
    };
    for (head, body, outcome) in [
        ("200 OK", TAKEN.to_owned(), "delivered"),
        ("200 OK", "<html>welcome</html>".to_owned(), "again: an answer that is not one of SNS"),
        ("400 No", error("Throttling", "slow"), "again: Throttling (status 400): slow"),
        ("429 Slow\r\nretry-after: 7", String::new(), "again in 7000: status 429"),
        ("500 Oops", error("InternalFailure", ""), "again: InternalFailure (status 500): "),
        ("503 Busy\r\nretry-after: 2", String::new(), "again in 2000: status 503"),
        (
            "400 No",
            error("InvalidParameter", "Invalid parameter: Message \u{1b}[2J"),
            "refused: InvalidParameter (status 400): Invalid parameter: Message \\u{1b}[2J",
        ),
        ("400 No", error("ParameterValueInvalid", ""), "refused: ParameterValueInvalid"),
        ("413 Large", String::new(), "refused: status 413"),
        (
            "400 No",
            error("InvalidParameter", "Invalid parameter: TopicArn"),
            "again: SNS does not take arn:aws:sns:eu-central-1:111122223333:findings for a topic of eu-central-1 (mend `topic`): Inv",
        ),
        (
            "403 No",
            error("AuthorizationError", "no"),
            "again: the credentials may not publish to arn:aws:sns:eu-central-1:111122223333:findings (allow sns:Publish",
        ),
        (
            "404 No",
            error("NotFound", "Topic does not exist"),
            "again: there is no topic arn:aws:sns:",
        ),
        ("400 No", error("KMSDisabled", ""), "again: the key of arn:aws:sns:"),
        ("400 No", error("KMSThrottling", ""), "again: KMSThrottling (status 400): "),
        ("403 No", error("ExpiredToken", ""), "again: ExpiredToken (status 403): "),
        ("302 There\r\nlocation: http://127.0.0.1:9/", String::new(), "again: status 302"),
    ] {
        server.gives(head, &body);
        let told = told(sns.send(vec![message(&finding(1))], now_ms).await);
        assert!(told[&1].starts_with(outcome), "{head}: {told:?}");
    }
    let told = told(sns.send(vec![message(&finding(1))], now_ms).await);
    assert_eq!(told[&1], "again: no answer: the connection cannot be made, or broke");
}

#[tokio::test]
async fn what_is_refused_holds_up_nothing_and_what_fails_holds_up_what_comes_behind() {
    let server = Scripted::new("sns");
    let refused = "<Error><Code>InvalidParameter</Code></Error>";
    for (head, body) in [
        ("200 OK", TAKEN),
        ("400 No", refused),
        ("200 OK", TAKEN),
        ("503 Busy\r\nretry-after: 2", ""),
    ] {
        server.gives(head, body);
    }
    let all = (1..=6).map(|n| message(&finding(n))).collect();
    let told = told(sns(&server, ARN).await.send(all, now_ms).await);
    assert_eq!((&*told[&1], &*told[&3]), ("delivered", "delivered"));
    assert!(told[&2].starts_with("refused: "));
    assert!((4..=6).all(|n| told[&n] == "again in 2000: status 503"), "{told:?}");
    assert_eq!(server.bodies().len(), 4);
}
