//! Servers that speak AWS's protocols, on the loopback. In: nothing but `.venv`, which `make test` makes.
//! Out: moto's server, one a test binary, and what tests need to put there. No SDK: the program's own
//! must not vouch for itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use serde_json::{Value, json};

/// Runs the server until its standard input ends, which is when the tests do, however they end.
const PROGRAM: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
";

/// A server for S3 and SQS that keeps what it is told until the tests end. Tests share it, so each takes
/// buckets and queues of its own name.
pub(crate) struct Server {
    /// Address and port.
    pub(crate) address: String,
    /// Ends when its standard input does.
    _child: Child,
}

/// An answer of HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// The server of this test binary, started when it is first asked for.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::begin)
}

impl Server {
    /// One of one's own, for what others would not bear.
    pub(crate) fn begin() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = [here, here.parent().unwrap()].map(|root| root.join(".venv/bin/python"));
        let python = python.into_iter().find(|python| python.exists()).unwrap_or_else(|| {
            panic!(
                "the test servers are not installed: run `make servers` once (no .venv in {})",
                here.display()
            )
        });
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = Vec::new();
        let address = loop {
            let Some(Ok(line)) = said.next() else { panic!("moto ended: {}", lines.join("\n")) };
            if let Some((_, address)) = line.split_once("Running on http://") {
                break address.trim().to_owned();
            }
            lines.push(line);
        };
        // A pipe that nobody empties would stop the server.
        thread::spawn(move || said.for_each(drop));
        Self { address, _child: child }
    }

    pub(crate) fn bucket(&self, bucket: &str) {
        self.s3("PUT", &format!("/{bucket}"), b"");
    }

    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        self.s3("PUT", &format!("/{bucket}/{}", encoded(key)), bytes);
    }

    /// Keys of all objects of a bucket, up to 1,000.
    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        let listing = self.s3("GET", &format!("/{bucket}?list-type=2"), b"");
        let listing = String::from_utf8(listing).unwrap();
        let keys = listing.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
        keys.map(str::to_owned).collect()
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str) {
        self.s3("DELETE", &format!("/{bucket}/{}", encoded(key)), b"");
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.s3("GET", &format!("/{bucket}/{}", encoded(key)), b"")
    }

    /// Has a bucket tell a queue of new objects.
    pub(crate) fn notify(&self, bucket: &str, queue: &str) {
        let configuration = format!(
            "<NotificationConfiguration><QueueConfiguration>\
             <Queue>arn:aws:sqs:us-east-1:123456789012:{queue}</Queue>\
             <Event>s3:ObjectCreated:*</Event>\
             </QueueConfiguration></NotificationConfiguration>"
        );
        self.s3("PUT", &format!("/{bucket}?notification"), configuration.as_bytes());
    }

    /// Makes a queue and returns its URL.
    pub(crate) fn queue(&self, name: &str, timeout_s: u32) -> String {
        let attributes = json!({"VisibilityTimeout": timeout_s.to_string()});
        self.queue_with(name, &attributes)
    }

    /// Makes a queue whose messages go to another one after so many receipts; the URLs of both.
    pub(crate) fn queue_with_dead_letters(
        &self,
        name: &str,
        timeout_s: u32,
        receives_max: u32,
    ) -> (String, String) {
        let dead_name = format!("{name}-dead");
        let dead = self.queue(&dead_name, 30);
        let target = format!("arn:aws:sqs:us-east-1:123456789012:{dead_name}");
        let redrive = json!({"deadLetterTargetArn": target, "maxReceiveCount": receives_max});
        let attributes = json!({
            "VisibilityTimeout": timeout_s.to_string(),
            "RedrivePolicy": redrive.to_string(),
        });
        (self.queue_with(name, &attributes), dead)
    }

    /// Sets attributes of a queue.
    pub(crate) fn set_queue(&self, queue: &str, attributes: &Value) {
        self.sqs("SetQueueAttributes", &json!({"QueueUrl": queue, "Attributes": attributes}));
    }

    /// Has a bucket tell whom this says.
    pub(crate) fn notify_by(&self, bucket: &str, configuration: &str) {
        let configuration =
            format!("<NotificationConfiguration>{configuration}</NotificationConfiguration>");
        self.s3("PUT", &format!("/{bucket}?notification"), configuration.as_bytes());
    }

    /// Enables Security Hub in `us-east-1`.
    pub(crate) fn enable_security_hub(&self) {
        let authorization = authorization("securityhub");
        let headers =
            [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
        assert!(self.call("POST", "/accounts", &headers, b"{}").status < 300);
    }

    /// Makes a user; the id and the secret of a key of it.
    pub(crate) fn user(&self, name: &str) -> [String; 2] {
        self.form("iam", &format!("Action=CreateUser&Version=2010-05-08&UserName={name}"));
        let key = format!("Action=CreateAccessKey&Version=2010-05-08&UserName={name}");
        let key = String::from_utf8(self.form("iam", &key)).unwrap();
        ["AccessKeyId", "SecretAccessKey"].map(|name| {
            let rest = key.split(&format!("<{name}>")).nth(1).unwrap();
            rest.split('<').next().unwrap().to_owned()
        })
    }

    /// Lets a user do this, and nothing else.
    pub(crate) fn lets(&self, user: &str, policy: &Value) {
        self.form(
            "iam",
            &format!(
                "Action=PutUserPolicy&Version=2010-05-08&UserName={user}&PolicyName=own\
                 &PolicyDocument={}",
                encoded(&policy.to_string())
            ),
        );
    }

    /// From now on policies hold, or do not. Only of a server of one's own.
    pub(crate) fn enforce(&self, is_enforced: bool) {
        let n_free: &[u8] = if is_enforced { b"0" } else { b"1000000" };
        let headers = [("Content-Type", "text/plain")];
        assert_eq!(self.call("POST", "/moto-api/reset-auth", &headers, n_free).status, 200);
    }

    fn queue_with(&self, name: &str, attributes: &Value) -> String {
        let made = self.sqs("CreateQueue", &json!({"QueueName": name, "Attributes": attributes}));
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    pub(crate) fn send(&self, queue: &str, body: &str) {
        self.sqs("SendMessage", &json!({"QueueUrl": queue, "MessageBody": body}));
    }

    /// Receives what anyone may receive of a queue: the bodies of its messages.
    pub(crate) fn bodies(&self, queue: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10});
            let answer = self.sqs("ReceiveMessage", &asked);
            let Some(messages) = answer["Messages"].as_array() else { return bodies };
            bodies.extend(messages.iter().map(|one| one["Body"].as_str().unwrap().to_owned()));
        }
    }

    /// Messages of a queue that anyone may receive, and those that somebody received.
    pub(crate) fn messages(&self, queue: &str) -> (u64, u64) {
        let asked = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let answer = self.sqs("GetQueueAttributes", &asked);
        let number = |name: &str| answer["Attributes"][name].as_str().unwrap().parse().unwrap();
        (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"))
    }

    /// What Security Hub has in a region.
    pub(crate) fn findings(&self, region: &str) -> Vec<Value> {
        let authorization = authorization("securityhub").replace("us-east-1", region);
        let headers =
            [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
        let (mut all, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut asked = json!({"MaxResults": 100});
            if next.is_string() {
                asked["NextToken"] = next;
            }
            let answer = self.call("POST", "/findings", &headers, asked.to_string().as_bytes());
            let answer: Value = serde_json::from_slice(&answer.body).unwrap();
            all.extend(answer["Findings"].as_array().unwrap().iter().cloned());
            next = answer["NextToken"].clone();
            if !next.is_string() {
                return all;
            }
        }
    }

    /// Has a new topic tell a queue; the ARN of the topic. `attributes` are those of the subscription.
    pub(crate) fn topic(&self, name: &str, queue: &str, attributes: &[(&str, &str)]) -> String {
        self.sns(&format!("Action=CreateTopic&Name={name}"));
        let topic = format!("arn:aws:sns:us-east-1:123456789012:{name}");
        let attributes = (1..).zip(attributes).map(|(n, (key, value))| {
            let entry = format!("Attributes.entry.{n}");
            format!("&{entry}.key={key}&{entry}.value={}", encoded(value))
        });
        let attributes: Vec<_> = attributes.collect();
        self.sns(&format!(
            "Action=Subscribe&Protocol=sqs&TopicArn={topic}\
             &Endpoint=arn:aws:sqs:us-east-1:123456789012:{queue}{}",
            attributes.concat()
        ));
        topic
    }

    /// Has a new bus hand a queue the events of a pattern.
    pub(crate) fn bus(&self, name: &str, queue: &str, pattern: &Value) {
        self.events("CreateEventBus", &json!({"Name": name}));
        self.rule(name, queue, pattern);
    }

    /// Has a bus that is there hand a queue the events of a pattern, by a rule called `a`.
    pub(crate) fn rule(&self, name: &str, queue: &str, pattern: &Value) {
        let rule = json!({"Name": "a", "EventBusName": name, "EventPattern": pattern.to_string()});
        self.events("PutRule", &rule);
        let arn = format!("arn:aws:sqs:us-east-1:123456789012:{queue}");
        let target = json!({"Id": "1", "Arn": arn});
        let targets = json!({"Rule": "a", "EventBusName": name, "Targets": [target]});
        self.events("PutTargets", &targets);
    }

    /// Has Secrets Manager keep this, in place of what it kept before.
    pub(crate) fn secret(&self, name: &str, value: &str) {
        const API: &str = "secretsmanager";
        let make = json!({"Name": name, "SecretString": value});
        if self.ask(API, (API, "CreateSecret"), &make).status >= 300 {
            let put = json!({"SecretId": name, "SecretString": value});
            self.asked(API, (API, "PutSecretValue"), &put);
        }
    }

    /// Makes accounts of an organisation.
    pub(crate) fn accounts(&self, names: &[String]) {
        const API: &str = "AWSOrganizationsV20161128";
        self.asked("organizations", (API, "CreateOrganization"), &json!({"FeatureSet": "ALL"}));
        for name in names {
            let asked = json!({"AccountName": name, "Email": format!("{name}@example.com")});
            self.asked("organizations", (API, "CreateAccount"), &asked);
        }
    }

    fn events(&self, action: &str, asked: &Value) {
        self.asked("events", ("AWSEvents", action), asked);
    }

    fn sns(&self, form: &str) {
        self.form("sns", form);
    }

    /// What a service answers that is asked by a form.
    pub(crate) fn form(&self, service: &str, form: &str) -> Vec<u8> {
        let authorization = authorization(service);
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", authorization.as_str()),
        ];
        let answer = self.call("POST", "/", &headers, form.as_bytes());
        let said = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 300, "{form}: {} {said}", answer.status);
        answer.body
    }

    fn s3(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let authorization = authorization("s3");
        let headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Encoding", "gzip"),
            ("Authorization", authorization.as_str()),
        ];
        let answer = self.call(method, path, &headers, body);
        let said = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 300, "{method} {path}: {} {said}", answer.status);
        answer.body
    }

    fn sqs(&self, action: &str, asked: &Value) -> Value {
        self.asked("sqs", ("AmazonSQS", action), asked)
    }

    /// What a service answers that is asked in JSON.
    fn asked(&self, service: &str, of: (&str, &str), asked: &Value) -> Value {
        let answer = self.ask(service, of, asked);
        let said = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 300, "{}: {} {said}", of.1, answer.status);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn ask(&self, service: &str, (api, action): (&str, &str), asked: &Value) -> Answer {
        let target = format!("{api}.{action}");
        let authorization = authorization(service);
        let headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", target.as_str()),
            ("Authorization", authorization.as_str()),
        ];
        self.call("POST", "/", &headers, asked.to_string().as_bytes())
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut lines =
            vec![format!("{method} {path} HTTP/1.1"), format!("Host: {}", self.address)];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("Content-Length: {}", body.len()));
        lines.push("Connection: close\r\n\r\n".to_owned());
        let head = lines.join("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head_bytes = head_bytes(&answer).unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        Answer { status, body: answer.split_off(head_bytes) }
    }
}

/// What a signed request has: the server goes by the name of the service, and checks no more of it.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20250314/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

/// Bytes of the head of a message of HTTP with the empty line behind it, if all of it is there.
pub(crate) fn head_bytes(message: &[u8]) -> Option<usize> {
    message.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

/// A key as it stands in a URL.
fn encoded(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    key.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
