//! A bucket and a queue over real sockets, and a daemon that reads them.

use crate::{
    proxy::Proxy,
    servers::{Server, server},
    support::{archive, daemon::Daemon, in_order, objects_by_stamp, run, text},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often it is looked whether a queue is empty, and how many times at most.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS_MAX: usize = 600;
/// A queue with more slows the server down. Unit: objects in one message.
pub(crate) const OBJECTS_PER_MESSAGE: usize = 25;

/// What the server takes for keys.
pub(crate) const KEYS: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// Objects of the first three days of the archive, by stamp.
pub(crate) fn objects() -> Vec<PathBuf> {
    let mut objects = objects_by_stamp();
    objects.retain(|path| {
        ["/2026/03/02/", "/2026/03/03/", "/2026/03/04/"].iter().any(|day| text(path).contains(day))
    });
    objects
}

/// A bucket with objects and a queue of one name, with a folder of the same objects.
pub(crate) struct Bench {
    pub(crate) server: &'static Server,
    pub(crate) proxy: Proxy,
    pub(crate) name: &'static str,
    pub(crate) queue: String,
    pub(crate) dead: String,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn key_of(object: &Path) -> String {
    text(object.strip_prefix(archive()).unwrap())
}

impl Bench {
    pub(crate) fn new(name: &'static str, timeout_s: u32) -> Self {
        let server = server();
        let (queue, dead) = server.queue_with_dead_letters(name, timeout_s, 5);
        server.bucket(name);
        let proxy = Proxy::before(&server.address);
        Self { server, proxy, name, queue, dead, folder: tempfile::tempdir().unwrap() }
    }

    /// Puts objects of the archive.
    pub(crate) fn put(&self, objects: &[PathBuf]) {
        for object in objects {
            self.put_bytes(&key_of(object), &fs::read(object).unwrap());
        }
    }

    /// Puts an object that can be read.
    pub(crate) fn put_bytes(&self, key: &str, bytes: &[u8]) {
        self.server.put(self.name, key, bytes);
        let copy = self.folder.path().join("logs").join(key);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::write(copy, bytes).unwrap();
    }

    /// Tells the queue of objects, some at a time.
    pub(crate) fn tell_of(&self, objects: &[PathBuf]) {
        for group in objects.chunks(OBJECTS_PER_MESSAGE) {
            let keys: Vec<String> = group.iter().map(|object| key_of(object)).collect();
            self.tell(&of_s3(self.name, &keys));
        }
    }

    pub(crate) fn tell(&self, body: &Value) {
        self.server.send(&self.queue, &body.to_string());
    }

    pub(crate) fn state(&self) -> String {
        text(&self.folder.path().join("s.db"))
    }

    pub(crate) fn start(&self, more: &[&str], fault: Option<&str>) -> Daemon {
        let state = self.state();
        let own = ["--queue", &self.queue, "--state", &state];
        let endpoint = self.proxy.endpoint();
        let environment = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
        Daemon::start_in(&environment, &[&own[..], more].concat(), fault)
    }

    /// Waits until no more than so many messages are left in the queue.
    #[track_caller]
    pub(crate) fn is_left(&self, n_left: u64) {
        let is_so = || {
            thread::sleep(LOOK_EVERY);
            let (visible, received) = self.server.messages(&self.queue);
            visible + received == n_left
        };
        let said = || format!("{:?}", self.server.messages(&self.queue));
        assert!(std::iter::repeat_with(is_so).take(LOOKS_MAX).any(|is_so| is_so), "{}", said());
    }

    /// What a replay of the same objects finds.
    #[track_caller]
    pub(crate) fn expected(&self) -> Vec<Value> {
        let logs = text(&self.folder.path().join("logs"));
        in_order(run(&["replay", "--quiet", "--format", "jsonl", &logs]).ends(0).rows())
    }
}

/// S3's own event about objects of a bucket; keys are encoded as AWS encodes them.
pub(crate) fn of_s3(bucket: &str, keys: &[String]) -> Value {
    let record = |key: &String| {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
               "s3": {"bucket": {"name": bucket}, "object": {"key": key.replace('=', "%3D")}}})
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

pub(crate) fn of_cloudtrail(bucket: &str, keys: &[String]) -> Value {
    json!({"s3Bucket": bucket, "s3ObjectKey": keys})
}
