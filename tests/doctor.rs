//! `doctor`: on a sound set-up it finds nothing; each planted fault it names, with what to paste, and no other.

use crate::{
    proxy::{Fault, Proxy},
    servers::Server,
    support::{gzip, run_in, text},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, SystemTime},
};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const TRAIL: &str = "AWSLogs/123456789012/CloudTrail/us-east-1";
const FLOWS: &str = "AWSLogs/123456789012/vpcflowlogs/us-east-1";
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                      start end action log-status tcp-flags flow-direction encryption-status";

/// Every action that the set-up needs, and those that `doctor` looks around with.
const ACTIONS: [&str; 21] = [
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetBucketNotification",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sns:Publish",
    "sns:ListSubscriptionsByTopic",
    "events:PutEvents",
    "events:DescribeEventBus",
    "events:ListRuleNamesByTarget",
    "events:DescribeRule",
    "secretsmanager:GetSecretValue",
    "organizations:ListAccounts",
    "securityhub:DescribeHub",
    "securityhub:BatchImportFindings",
    "kms:Decrypt",
    "sts:AssumeRole",
];

/// A bucket of logs, a queue that it tells, and sinks; by a server of its own, since policies are of a whole server.
struct Bench {
    server: Server,
    proxy: Proxy,
    folder: tempfile::TempDir,
    queue: String,
    dead: String,
    user: [String; 2],
}

/// What a fault is to be told by: the check, and the statement to paste.
type Told = (&'static str, Option<&'static str>);

/// When a file was written just now, as the name of an object has it. Unit: days before that.
fn stamp(days: u64) -> (String, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let now = file.as_file().metadata().unwrap().modified().unwrap();
    let at = now - Duration::from_hours(24 * days);
    let ms = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let text = ingest::time::format_ms(i64::try_from(ms).unwrap());
    let part = |at| text.get(at).unwrap();
    let (day, time) = (part(0..10).replace('-', "/"), part(11..16).replace(':', ""));
    let name = format!("{}T{time}Z", day.replace('/', ""));
    (day, name)
}

impl Bench {
    fn new() -> Self {
        let server = Server::begin();
        let proxy = Proxy::before(&server.address);
        let folder = tempfile::tempdir().unwrap();
        let (queue, dead) = server.queue_with_dead_letters("logs", 300, 5);
        for queue in [&queue, &dead] {
            server.set_queue(queue, &json!({"MessageRetentionPeriod": "1209600"}));
        }
        server.bucket("logs");
        server.bucket("state");
        let bench = Self { user: server.user("sentrail"), server, proxy, folder, queue, dead };
        bench.let_send("s3", "arn:aws:s3:::logs");
        bench.notify("AWSLogs/");
        bench.trail(0);
        bench.flows(HEADER);
        bench.server.secret("doctor-url", "https://localhost/hook");
        bench.server.topic("findings", "other", &[]);
        bench.server.accounts(&[]);
        bench.server.enable_security_hub();
        let sinks = format!(
            "hash-key = \"00112233445566778899aabbccddeeff\"\n[organization]\naccount-names = true\n\
             [sinks.chat]\ntype = \"webhook\"\nurl-from = {{ secretsmanager = \"doctor-url\" }}\n\
             allow = [\"127.0.0.1\", \"::1\"]\n[sinks.topic]\ntype = \"sns\"\n\
             topic = \"arn:aws:sns:{REGION}:{ACCOUNT}:findings\"\n[sinks.bus]\ntype = \"eventbridge\"\n\
             [sinks.file]\ntype = \"json-lines\"\npath = \"findings.jsonl\"\n\
             [sinks.lake]\ntype = \"ocsf\"\npath = \"s3://state/findings\"\n"
        );
        fs::write(bench.folder.path().join("sentrail.toml"), sinks).unwrap();
        bench
    }

    fn let_send(&self, service: &str, source: &str) {
        self.set((service, source), json!({}));
    }

    /// Sets attributes of the queue; the server forgets those that are not named.
    fn set(&self, (service, source): (&str, &str), mut attributes: Value) {
        let statement = json!({"Effect": "Allow", "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Action": "sqs:SendMessage", "Resource": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:logs"),
            "Condition": {"ArnEquals": {"aws:SourceArn": source}}});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        attributes["Policy"] = policy.into();
        self.server.set_queue(&self.queue, &attributes);
    }

    fn notify(&self, prefix: &str) {
        self.server.notify_by(
            "logs",
            &format!(
                "<QueueConfiguration><Queue>arn:aws:sqs:{REGION}:{ACCOUNT}:logs</Queue>\
                 <Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name>\
                 <Value>{prefix}</Value></FilterRule></S3Key></Filter></QueueConfiguration>"
            ),
        );
    }

    fn trail(&self, days: u64) {
        let (day, stamp) = stamp(days);
        let key = format!("{TRAIL}/{day}/{ACCOUNT}_CloudTrail_{REGION}_{stamp}_a1B2.json.gz");
        self.server.put("logs", &key, &gzip(b"{\"Records\":[]}"));
    }

    fn flows(&self, header: &str) {
        let (day, stamp) = stamp(0);
        let key = format!("{FLOWS}/{day}/{ACCOUNT}_vpcflowlogs_{REGION}_fl-1_{stamp}_a1.log.gz");
        self.server.put("logs", &key, &gzip(format!("{header}\n").as_bytes()));
    }

    /// What `doctor` says with these arguments, as the user if that is asked for.
    fn says(&self, more: &[&str], keys: Option<&[String; 2]>) -> (Option<i32>, Value) {
        let state = text(&self.folder.path().join("s.db"));
        let config = text(&self.folder.path().join("sentrail.toml"));
        let own = ["doctor", "--format", "json", "--config", &config, "--state", &state];
        let queue = ["--queue", self.queue.as_str()];
        let endpoint = self.proxy.endpoint();
        let [id, secret] =
            keys.map_or(["test", "test"], |keys| [keys[0].as_str(), keys[1].as_str()]);
        let environment = [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ];
        let is_other_queue = more.contains(&"--queue");
        let queue: &[&str] = if is_other_queue { &[] } else { &queue };
        let ended = run_in(&environment, &[&own[..], queue, more].concat());
        let report = serde_json::from_str(&ended.out);
        (ended.code, report.unwrap_or_else(|error| panic!("{error}: {} {}", ended.out, ended.err)))
    }

    /// With the policy of the user, but without some actions.
    fn says_without(&self, actions: &[&str]) -> (Option<i32>, Value) {
        let allowed: Vec<_> = ACTIONS.iter().filter(|one| !actions.contains(*one)).collect();
        let statement = json!({"Effect": "Allow", "Action": allowed, "Resource": "*"});
        self.server.lets("sentrail", &json!({"Version": "2012-10-17", "Statement": [statement]}));
        self.server.enforce(true);
        let said = self.says(&SOUND, Some(&self.user));
        self.server.enforce(false);
        said
    }
}

const SOUND: [&str; 4] = ["--bucket", "s3://logs/AWSLogs/", "--snapshots", "s3://state/snapshots"];

fn checks<'r>(report: &'r Value, state: &str) -> Vec<&'r Value> {
    let all = report["checks"].as_array().unwrap().iter();
    all.filter(|check| check["state"] == state).collect()
}

#[track_caller]
fn finds(plant: &str, (code, report): &(Option<i32>, Value), expected: &[Told]) {
    let faults = checks(report, "fault");
    let told: BTreeSet<_> = faults
        .iter()
        .map(|fault| (fault["check"].as_str().unwrap(), fault["statement"]["Sid"].as_str()))
        .collect();
    assert_eq!(told, expected.iter().copied().collect(), "{plant}: {faults:#?}");
    assert_eq!(*code, Some(i32::from(!expected.is_empty())), "{plant}");
    for fault in faults {
        let has = |key: &str| fault[key].as_str().is_some_and(|text| !text.is_empty());
        assert!(has("tried") && has("found"), "{plant}: {fault:#}");
    }
}

#[test]
fn a_sound_set_up_has_no_fault_and_nothing_is_left_behind() {
    let bench = Bench::new();
    let before = bench.server.keys("logs");
    finds("nothing", &bench.says_without(&[]), &[]);
    let said = bench.says(&SOUND, None);
    finds("nothing", &said, &[]);
    assert_eq!(checks(&said.1, "unknown"), Vec::<&Value>::new());
    let layout = checks(&said.1, "ok").into_iter().find(|one| one["check"] == "bucket-layout");
    let layout = layout.unwrap()["found"].as_str().unwrap().to_owned();
    assert_eq!(layout, format!("CloudTrail and flow logs in 1 account ({ACCOUNT}), {REGION}"));
    assert_eq!((bench.server.keys("logs"), bench.server.keys("state")), (before, Vec::new()));
    // However often it is asked, no message counts as received.
    bench.server.send(&bench.queue, "{}");
    for _ in 0..6 {
        finds("a message", &bench.says(&SOUND, None), &[]);
    }
    assert_eq!(bench.server.messages(&bench.dead), (0, 0));
    assert!(bench.server.messages(&bench.queue).0 >= 1);
    assert!(bench.server.findings(REGION).is_empty());
    assert!(fs::read_dir(bench.folder.path()).unwrap().count() == 1, "only the configuration");
}

#[test]
fn a_permission_that_is_missing_is_named_with_the_statement_to_paste() {
    let bench = Bench::new();
    let queue = |check| (check, Some("ServeQueue"));
    for (action, expected) in [
        (
            "s3:ListBucket",
            &[("bucket-list", Some("ListLogs")), ("snapshots-list", Some("ListSnapshots"))][..],
        ),
        (
            "s3:GetObject",
            &[("bucket-get", Some("ReadLogs")), ("snapshots-get", Some("KeepSnapshots"))],
        ),
        (
            "s3:PutObject",
            &[("snapshots-put", Some("KeepSnapshots")), ("sink-bucket", Some("WriteFindings"))],
        ),
        ("sqs:ReceiveMessage", &[queue("queue-receive")]),
        ("sqs:DeleteMessage", &[queue("queue-delete")]),
        ("sqs:ChangeMessageVisibility", &[queue("queue-hide")]),
        ("sqs:GetQueueAttributes", &[queue("queue-attributes")]),
        ("secretsmanager:GetSecretValue", &[("secret", Some("ReadSecrets"))]),
        ("sns:Publish", &[("sink-topic", Some("TellTopic"))]),
        ("events:PutEvents", &[("sink-bus", Some("TellBus"))]),
        ("organizations:ListAccounts", &[("organization", Some("NameAccounts"))]),
        ("s3:DeleteObject", &[("snapshots-delete", Some("KeepSnapshots"))]),
    ] {
        let said = bench.says_without(&[action]);
        finds(action, &said, expected);
        let policy = said.1["policy"].to_string();
        assert!(
            policy.contains(action) && policy.contains("arn:aws:") || policy.contains("\"*\""),
            "{policy}"
        );
    }
    // What only `doctor` looks at is no fault.
    let said = bench.says_without(&["s3:GetBucketNotification"]);
    finds("s3:GetBucketNotification", &said, &[]);
    let unknown = checks(&said.1, "unknown");
    assert_eq!(unknown[0]["statement"]["Sid"], "LookAtBucket", "{unknown:#?}");
    bench.server.enforce(true);
    let said = bench.says(&SOUND, None);
    bench.server.enforce(false);
    finds("keys of nobody", &said, &[("credentials", None)]);
}

#[test]
fn a_queue_that_would_lose_or_repeat_messages_is_named() {
    let bench = Bench::new();
    let set = |attributes: &Value| bench.set(("s3", "arn:aws:s3:::logs"), attributes.clone());
    let finds = |plant: &str, expected: &[Told]| finds(plant, &bench.says(&SOUND, None), expected);
    set(&json!({"VisibilityTimeout": "10"}));
    finds("visibility", &[("queue-visibility", None)]);
    set(&json!({"VisibilityTimeout": "300", "MessageRetentionPeriod": "3600"}));
    finds("retention", &[("queue-retention", None)]);
    set(&json!({"MessageRetentionPeriod": "1209600"}));
    bench.server.send(&bench.dead, "what nobody can read");
    finds("dead letters", &[("dead-letters", None)]);
    set(&json!({"KmsMasterKeyId": "alias/aws/sqs"}));
    finds("key", &[("dead-letters", None), ("queue-key", None)]);
    set(&json!({"RedrivePolicy": "", "KmsMasterKeyId": ""}));
    finds("no dead letters", &[("dead-letters", None)]);
}

#[test]
fn a_queue_without_dead_letters_or_that_is_not_there_is_named() {
    let bench = Bench::new();
    let bare = bench.server.queue("bare", 300);
    // S3 takes no notification to a queue that does not let it send.
    let told: &[Told] =
        &[("dead-letters", None), ("notification", None), ("queue-policy", Some("LetSourceTell"))];
    let arguments = |queue: &str| {
        [&SOUND[..], &["--queue", queue]]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let says = |queue: &str| {
        let arguments = arguments(queue);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        bench.says(&arguments, None)
    };
    finds("bare", &says(&bare), told);
    let missing = bare.replace("bare", "missing");
    let of_queue = ["queue-attributes", "queue-receive", "queue-delete", "queue-hide"];
    finds("missing", &says(&missing), &of_queue.map(|check| (check, None)));
    let said = says("https://sqs.eu-west-1.amazonaws.com/123456789012/logs");
    // It is looked for where its URL says, and not where one of its name is.
    finds("region", &said, &of_queue.map(|check| (check, None)));
}

#[test]
fn a_notification_that_does_not_reach_the_queue_is_named() {
    let bench = Bench::new();
    let finds = |plant: &str, expected: &[Told]| finds(plant, &bench.says(&SOUND, None), expected);
    bench.notify("elsewhere/");
    finds("filter", &[("notification", None)]);
    bench.server.queue("others", 300);
    bench.server.notify("logs", "others");
    finds("others", &[("notification", None)]);
    bench.notify("AWSLogs/");
    bench.let_send("s3", "arn:aws:s3:::other");
    finds("policy", &[("queue-policy", Some("LetSourceTell"))]);
    let topic = bench.server.topic("objects", "logs", &[]);
    bench.server.notify_by(
        "logs",
        &format!("<TopicConfiguration><Topic>{topic}</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"),
    );
    finds("policy of a topic", &[("queue-policy", Some("LetSourceTell"))]);
    bench.let_send("sns", &topic);
    finds("topic", &[]);
    bench.let_send("s3", "arn:aws:s3:::logs");
    // The server tells an EventBridge, and does not tell us of it.
    let event_bridge = Fault::Answer(200, "<EventBridgeConfiguration/>");
    bench.proxy.fault("GET /logs?notification", 3, event_bridge);
    finds("no rule", &[("notification", None)]);
    let pattern = json!({"source": ["aws.s3"], "detail": {"bucket": {"name": ["logs"]}}});
    bench.server.rule("default", "logs", &pattern);
    finds("policy of a rule", &[("queue-policy", Some("LetSourceTell"))]);
    bench.let_send("events", &format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/a"));
    finds("rule", &[]);
}

#[test]
fn logs_that_are_not_there_or_say_too_little_are_named() {
    let bench = Bench::new();
    let says = |bucket: &str| bench.says(&["--bucket", bucket], None);
    finds("bucket", &says("s3://nobodys/AWSLogs/"), &[("bucket-list", None)]);
    let said = says("s3://logs/AWSLog/");
    finds("prefix", &said, &[("bucket-layout", None), ("notification", None)]);
    let layout = checks(&said.1, "fault")[0]["found"].to_string();
    assert!(layout.contains("the bucket has AWSLogs/"), "{layout}");
    bench.flows("version interface-id srcaddr dstaddr");
    finds("fields", &says("s3://logs/AWSLogs/"), &[("flow-format", None)]);
    bench.flows("version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action");
    let said = says("s3://logs/AWSLogs/");
    finds("fields", &said, &[]);
    assert!(said.1.to_string().contains("no tcp-flags: who opened a connection"));
    bench.proxy.fault("GET /logs/AWSLogs", 2, Fault::Answer(403, "KMS.AccessDeniedException"));
    finds("key", &says("s3://logs/AWSLogs/"), &[("bucket-decrypt", Some("DecryptLogs"))]);
    let old = Bench::new();
    let keys = old.server.keys("logs").into_iter().filter(|key| key.contains("CloudTrail"));
    for key in keys {
        old.server.delete("logs", &key);
    }
    old.trail(3);
    let said = old.says(&["--bucket", "s3://logs/AWSLogs/"], None);
    finds("silence", &said, &[("bucket-fresh", None)]);
}

#[test]
fn a_bucket_that_heeds_no_conditions_is_named() {
    let bench = Bench::new();
    let put = "PUT /state/snapshots/.sentrail-doctor";
    for (plant, n_heeded) in [("if nothing is there", 1), ("if nothing changed", 2)] {
        bench.proxy.fault(put, n_heeded, Fault::Delay(Duration::ZERO));
        bench.proxy.fault(put, 1, Fault::Unconditional);
        finds(plant, &bench.says(&SOUND, None), &[("snapshots-conditions", None)]);
        assert_eq!(bench.server.keys("state"), Vec::<String>::new(), "{plant}");
    }
}

#[test]
fn what_is_wrong_around_it_is_named() {
    let bench = Bench::new();
    bench.proxy.fault("Action=GetCallerIdentity", 1, Fault::Dated("Mon, 01 Jan 2024 00:00:00 GMT"));
    finds("clock", &bench.says(&SOUND, None), &[("clock", None)]);
    let config = bench.folder.path().join("sentrail.toml");
    let sound = fs::read_to_string(&config).unwrap();
    let with = |from: &str, to: &str| {
        assert!(sound.contains(from), "{from}");
        fs::write(&config, sound.replace(from, to)).unwrap();
        bench.says(&SOUND, None)
    };
    finds("address", &with("\"127.0.0.1\", \"::1\"", ""), &[("sink-receiver", None)]);
    finds(
        "bus",
        &with("\"eventbridge\"", "\"eventbridge\"\nbus = \"nobodys\""),
        &[("sink-bus", None)],
    );
    finds(
        "folder",
        &with("findings.jsonl", "/proc/nowhere/findings.jsonl"),
        &[("sink-folder", None)],
    );
    finds("slip", &with("[organization]", "[organisation]"), &[("configuration", None)]);
    let hub = "[sinks.hub]\ntype = \"security-hub\"\nregion = \"us-east-1\"\n[sinks.lake]";
    finds("enabled", &with("[sinks.lake]", hub), &[]);
    let hub = hub.replace("us-east-1", "eu-west-1");
    finds("not enabled", &with("[sinks.lake]", &hub), &[("sink-security-hub", None)]);
    let denied = Fault::Answer(403, "AccessDeniedException");
    let hub = hub.replace("eu-west-1", "us-east-1");
    bench.proxy.fault("POST /findings/import", 1, denied);
    finds("import", &with("[sinks.lake]", &hub), &[("sink-security-hub", Some("FileFindings"))]);
    let role = "arn:aws:iam::444455556666:role/reader";
    let by_role = format!("[aws]\nrole = \"{role}\"\n[sinks.lake]");
    finds("assumed", &with("[sinks.lake]", &by_role), &[]);
    let pays = "[aws]\nrequester-pays = true\n[sinks.lake]";
    finds("pays", &with("[sinks.lake]", pays), &[]);
    assert!(bench.proxy.requests("x-amz-request-payer: requester").len() > 5);
    bench.proxy.fault("Action=AssumeRole", 3, Fault::Answer(403, "AccessDenied"));
    finds("role", &with("[sinks.lake]", &by_role), &[("logs-role", Some("AsReader"))]);
    fs::write(&config, &sound).unwrap();
    let state = ["--bucket", "s3://logs/AWSLogs/"];
    let nowhere = format!("{sound}[aws]\nendpoint = \"http://127.0.0.1:9\"\n");
    fs::write(&config, nowhere).unwrap();
    let said = bench.says(&state, None);
    finds("out of reach", &said, &[("credentials", None)]);
    assert!(said.1.to_string().contains("out of reach"), "{:#}", said.1);
}

#[test]
fn of_much_only_so_much_is_looked_at_and_it_says_so() {
    let bench = Bench::new();
    let (day, stamp) = stamp(0);
    for account in 1..=110_u64 {
        let account = format!("{account:012}");
        let name = format!("{account}_CloudTrail_{REGION}_{stamp}_a.json.gz");
        let key = format!("AWSLogs/{account}/CloudTrail/{REGION}/{day}/{name}");
        bench.server.put("logs", &key, &gzip(b"{\"Records\":[]}"));
    }
    let flow = format!("{FLOWS}/{day}/{ACCOUNT}_vpcflowlogs_{REGION}_fl-1_{stamp}_a1.log.gz");
    let config = bench.folder.path().join("sentrail.toml");
    let hub = "[sinks.hub]\ntype = \"security-hub\"\nfile-as = \"member\"\nrole = \"findings\"\n";
    fs::write(&config, hub).unwrap();
    bench.proxy.fault("AmazonSQS.GetQueueAttributes", 2, Fault::Answer(503, "Busy"));
    let said = bench.says(&["--bucket", "s3://logs/AWSLogs/"], None);
    finds("much", &said, &[]);
    let told = checks(&said.1, "ok");
    let of = |name: &str| told.iter().filter(|one| one["check"] == name).collect::<Vec<_>>();
    let layout = of("bucket-layout")[0]["found"].as_str().unwrap();
    assert!(layout.starts_with("at least CloudTrail"), "{layout}");
    // Each is assumed, and then asked to take nothing.
    assert_eq!(of("sink-member").len(), 2 * 5);
    bench.server.put("logs", &flow, &vec![0; (32 << 20) + 1]);
    let alone = format!("s3://logs/{FLOWS}/");
    let said = bench.says(&["--bucket", &alone], None);
    let unknown = checks(&said.1, "unknown");
    assert!(unknown.iter().any(|one| one["check"] == "flow-format"), "{unknown:#?}");
}

#[test]
fn a_report_is_read_by_people_too() {
    let bench = Bench::new();
    let endpoint = bench.proxy.endpoint();
    let environment = [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    bench.proxy.fault("AmazonSQS.ReceiveMessage", 3, Fault::Answer(403, "AccessDenied"));
    let ended = run_in(&environment, &["doctor", "--queue", &bench.queue]);
    let queue = &bench.queue;
    let line = format!(
        "fault   queue-receive of {queue}: sqs:ReceiveMessage (receives from an empty queue"
    );
    assert!(ended.ends(1).out.contains(&line), "{}", ended.out);
    assert!(ended.out.contains("\"Sid\": \"ServeQueue\""), "{}", ended.out);
    assert!(ended.out.contains(" 1 at fault, 1 unknown\n"), "{}", ended.out);
    run_in(&environment, &["doctor"]).ends(2).tells(&["nothing to look at"]);
}
