//! How a queue comes to know of new objects: by the bucket itself, a topic, or a rule of EventBridge. In: a bucket and a
//! queue. Out: one check, which says "unknown" where nobody lets us look.

use super::{
    ask::{Client, Heard, Need, Question, elements, encoded, text},
    logs::named,
    policy::{Says, lets_send},
    queue::Queue,
    report::{Report, State},
};
use crate::aws::{
    BucketPath,
    permissions::{LOOK_AT_BUCKET, LOOK_AT_RULES, LOOK_AT_TOPIC},
};
use serde_json::{Value, json};

/// The principal by which S3 sends.
const S3: &str = "s3.amazonaws.com";

/// Whom a bucket tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// ARNs of queues and topics, with the filter and the events of each.
    queues: Vec<Route>,
    topics: Vec<Route>,
    is_event_bridge: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Route {
    arn: String,
    prefix: String,
    suffix: String,
    is_of_new_objects: bool,
}

/// Looks at how the queue comes to know of the bucket.
pub(super) fn examine(client: &mut Client, at: &BucketPath, queue: &Queue, report: &mut Report) {
    let url = at.to_string();
    let tried = "the notifications of the bucket";
    let path = format!("/{}?notification=", encoded(&at.bucket, ""));
    let xml = match client.ask(Question::of_s3("GET", &path)) {
        Heard::Done(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
        other => {
            let with = named(at);
            unknown(client, &url, other, (Need::of(&LOOK_AT_BUCKET, &with), report));
            return;
        }
    };
    let told = Told::of(&xml);
    let subject = ("notification", url.as_str());
    if let Some(route) = told.queues.iter().find(|route| route.arn == queue.arn) {
        let source = format!("arn:{}:s3:::{}", partition(client), at.bucket);
        if fits(route, at, report) {
            allowed(("the bucket tells the queue itself", S3), &source, (queue, at), report);
        }
        return;
    }
    for route in &told.topics {
        if topic(client, (route, at), queue, report) {
            return;
        }
    }
    if told.is_event_bridge {
        rules(client, at, queue, report);
        return;
    }
    // CloudTrail tells topics of a trail by itself, which is no notification of the bucket.
    for arn in sources(&queue.policy, ":sns:") {
        let route = Route { arn, is_of_new_objects: true, ..Route::default() };
        if topic(client, (&route, at), queue, report) {
            return;
        }
    }
    let others: Vec<_> =
        told.queues.iter().chain(&told.topics).map(|one| one.arn.as_str()).collect();
    let found = if others.is_empty() {
        "nobody is told of new objects".to_owned()
    } else {
        format!("others are told, and not the queue: {}", others.join(", "))
    };
    let check = report.note(subject, State::Fault, tried, found);
    check.mend(format!(
        "have the bucket tell {} of s3:ObjectCreated:*, by itself, a topic or EventBridge; \
         until then only --bucket finds anything",
        queue.arn
    ));
    // S3 takes a notification only once the queue lets it send.
    let source = format!("arn:{}:s3:::{}", partition(client), at.bucket);
    let subject = ("queue-policy", queue.arn.as_str());
    if lets_send(&queue.policy, S3, &source) == Says::No {
        let tried = format!("whether {S3} may send for {source}");
        refuses((S3, &source), (subject, &tried), queue, report);
    }
}

impl Told {
    fn of(xml: &str) -> Self {
        let routes = |name: &str, target: &str| {
            elements(xml, name).iter().filter_map(|one| Route::of(one, target)).collect()
        };
        Self {
            queues: routes("QueueConfiguration", "Queue"),
            topics: routes("TopicConfiguration", "Topic"),
            is_event_bridge: xml.contains("<EventBridgeConfiguration"),
        }
    }
}

impl Route {
    fn of(xml: &str, target: &str) -> Option<Self> {
        let rule = |wanted: &str| {
            let of_name = |rule: &&&str| {
                text(rule, "Name").is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            };
            let rules = elements(xml, "FilterRule");
            rules.iter().find(of_name).and_then(|rule| text(rule, "Value")).unwrap_or_default()
        };
        let news = ["s3:ObjectCreated:*", "s3:ObjectCreated:Put"];
        let is_of_new_objects = elements(xml, "Event").iter().any(|event| news.contains(event));
        let arn = text(xml, target)?;
        Some(Self { arn, prefix: rule("prefix"), suffix: rule("suffix"), is_of_new_objects })
    }
}

fn partition(client: &Client) -> &str {
    let [(_, partition), ..] = client.place();
    partition
}

/// Whether a route lets through what is asked for; else it is noted.
fn fits(route: &Route, at: &BucketPath, report: &mut Report) -> bool {
    let Route { arn, prefix, suffix, is_of_new_objects } = route;
    // All that AWS writes lies in such a folder.
    let is_prefix = at.prefix.starts_with(prefix.as_str())
        || prefix.strip_prefix(at.prefix.as_str()) == Some("AWSLogs/");
    let endings = ["json.gz", "log.gz", "parquet"];
    let is_suffix = suffix.is_empty()
        || endings.iter().any(|end| end.ends_with(suffix.trim_start_matches('.')));
    if is_prefix && is_suffix && *is_of_new_objects {
        return true;
    }
    let found = if *is_of_new_objects {
        format!("{arn} is told only of keys that begin with \"{prefix}\" and end in \"{suffix}\"")
    } else {
        format!("{arn} is not told of s3:ObjectCreated:*")
    };
    let url = at.to_string();
    let subject = ("notification", url.as_str());
    let check = report.note(subject, State::Fault, "the filter of the notification", found);
    check.mend(format!(
        "have it told of s3:ObjectCreated:* with the prefix \"{}\", and no suffix",
        at.prefix
    ));
    false
}

/// Notes that the queue lets nobody send for a source, and what would let it.
fn refuses(
    (service, source): (&str, &str),
    (subject, tried): ((&'static str, &str), &str),
    queue: &Queue,
    report: &mut Report,
) {
    let what = "the policy of the queue does not let it";
    let check = report.note(subject, State::Fault, tried, what);
    check.mend("paste this into the policy of the queue").paste(json!({
        "Sid": "LetSourceTell",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }));
}

/// Whether the queue takes what it is told; notes it.
fn allowed(
    (way, service): (&str, &str),
    source: &str,
    (queue, at): (&Queue, &BucketPath),
    report: &mut Report,
) {
    let url = at.to_string();
    report.note(("notification", &url), State::Ok, "the notifications of the bucket", way);
    let subject = ("queue-policy", queue.arn.as_str());
    let tried = format!("whether {service} may send for {source}");
    match lets_send(&queue.policy, service, source) {
        Says::Yes => {
            report.note(subject, State::Ok, tried, "the policy of the queue lets it");
        }
        Says::Perhaps => {
            let what = "that depends on conditions of the policy of the queue";
            report.note(subject, State::Unknown, tried, what);
        }
        Says::No => {
            refuses((service, source), (subject, &tried), queue, report);
        }
    }
    if queue.key.as_ref().is_some_and(|key| key.ends_with("alias/aws/sqs")) {
        let what = "alias/aws/sqs, which lets no service of AWS send";
        let subject = ("queue-key", queue.arn.as_str());
        let check = report.note(subject, State::Fault, "the key that encrypts the queue", what);
        check.mend(format!(
            "encrypt it by SSE-SQS, or by a key of your own that lets {service} use it"
        ));
    } else if let Some(key) = &queue.key {
        let what = format!("{key}: whether it lets {service} use it, its policy says");
        let subject = ("queue-key", queue.arn.as_str());
        report.note(subject, State::Unknown, "the key that encrypts the queue", what);
    }
}

/// Whether the way to the queue is by this topic; notes that it is, or that nobody lets us look.
fn topic(
    client: &mut Client,
    (route, at): (&Route, &BucketPath),
    queue: &Queue,
    report: &mut Report,
) -> bool {
    let url = at.to_string();
    let body = format!(
        "Action=ListSubscriptionsByTopic&Version=2010-03-31&TopicArn={}",
        encoded(&route.arn, "")
    );
    let heard = client.ask_form("sns", &body);
    let Heard::Done(answer) = heard else {
        let with = [("topic", route.arn.as_str())];
        unknown(client, &url, heard, (Need::of(&LOOK_AT_TOPIC, &with), report));
        return true;
    };
    let xml = String::from_utf8_lossy(&answer.body).into_owned();
    let is_there = elements(&xml, "Endpoint").contains(&queue.arn.as_str());
    if is_there && fits(route, at, report) {
        let way = format!("{} tells the queue", route.arn);
        allowed((&way, "sns.amazonaws.com"), &route.arn, (queue, at), report);
    }
    is_there
}

/// Whether a rule of the default bus tells the queue.
fn rules(client: &mut Client, at: &BucketPath, queue: &Queue, report: &mut Report) {
    let url = at.to_string();
    let subject = ("notification", url.as_str());
    let need = Need::of(&LOOK_AT_RULES, &[]);
    let body = json!({"TargetArn": queue.arn});
    let tried = "the rules of EventBridge that tell the queue";
    let heard = client.ask_json("events", "AWSEvents.ListRuleNamesByTarget", &body);
    let Heard::Done(answer) = heard else {
        return unknown(client, &url, heard, (need, report));
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let names = said.get("RuleNames").and_then(Value::as_array).cloned().unwrap_or_default();
    for name in names.iter().filter_map(Value::as_str) {
        let heard = client.ask_json("events", "AWSEvents.DescribeRule", &json!({"Name": name}));
        let Heard::Done(answer) = heard else {
            return unknown(client, &url, heard, (need.to("events:DescribeRule"), report));
        };
        let rule: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let field = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        let pattern: Value = serde_json::from_str(field("EventPattern")).unwrap_or_default();
        let buckets = pattern.pointer("/detail/bucket/name").and_then(Value::as_array);
        let is_ours = buckets.is_none_or(|all| {
            all.iter().any(|one| !one.is_string() || one.as_str() == Some(&at.bucket))
        });
        if !is_ours {
            continue;
        }
        if field("State") == "DISABLED" {
            let what = format!("the rule {name} is disabled");
            report.note(subject, State::Fault, tried, what).mend("enable it");
            return;
        }
        let (way, source) = (format!("the rule {name} tells the queue"), field("Arn").to_owned());
        return allowed((&way, "events.amazonaws.com"), &source, (queue, at), report);
    }
    let what = "no rule of the default bus tells the queue of this bucket";
    let check = report.note(subject, State::Fault, tried, what);
    check.mend(format!(
        "create a rule for \"Object Created\" of aws.s3 with the target {}",
        queue.arn
    ));
}

/// ARNs in whose name a policy lets somebody send.
fn sources(policy: &Value, of: &str) -> Vec<String> {
    let text = policy.to_string();
    let quoted = text.split('"').filter(|part| part.starts_with("arn:") && part.contains(of));
    let mut all: Vec<_> = quoted.filter(|arn| !arn.contains('*')).map(str::to_owned).collect();
    all.dedup();
    all
}

fn unknown(client: &Client, url: &str, heard: Heard, (need, report): (Need<'_>, &mut Report)) {
    let (found, is_denied) = match heard {
        Heard::Denied(failure) => (format!("may not be looked at: {}", failure.error), true),
        Heard::Missing(failure) | Heard::Refused(failure) => (failure.error, false),
        Heard::Nothing(why) => (why, false),
        Heard::Done(_) => return,
    };
    let check = report.note(("notification", url), State::Unknown, need.tried(), found);
    if is_denied {
        check.paste(client.statement(need));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_says_who_is_told_of_what() {
        let told = Told::of(
            "<NotificationConfiguration><QueueConfiguration><Queue>arn:q</Queue>\
             <Event>s3:ObjectCreated:*</Event><Filter><S3Key>\
             <FilterRule><Name>Prefix</Name><Value>AWSLogs/</Value></FilterRule>\
             </S3Key></Filter></QueueConfiguration></NotificationConfiguration>",
        );
        let route = Route {
            arn: "arn:q".to_owned(),
            prefix: "AWSLogs/".to_owned(),
            suffix: String::new(),
            is_of_new_objects: true,
        };
        let queues = vec![route];
        assert_eq!(told, Told { queues, topics: Vec::new(), is_event_bridge: false });
        assert!(Told::of("<EventBridgeConfiguration/>").is_event_bridge);
    }

    #[test]
    fn a_policy_names_the_topics_it_lets_send() {
        let arn = "arn:aws:sns:us-east-1:111122223333:trail";
        let policy = json!({"Statement": {"Condition": {"ArnLike": {"aws:SourceArn": [arn, "arn:aws:s3:::b"]}}}});
        assert_eq!(sources(&policy, ":sns:"), [arn]);
    }
}
