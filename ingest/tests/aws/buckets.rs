//! Objects read from a bucket.

use std::time::Duration;

use ingest::source::s3::{Buckets, Fetched, OBJECT_BYTES_MAX, S3Error, S3Object};

use super::access::session;
use super::proxy::{Fault, Proxy};
use super::servers::server;

/// A bucket with one object of 5,000 bytes, behind a proxy.
struct Bench {
    proxy: Proxy,
    buckets: Buckets,
    object: S3Object,
    stored: Vec<u8>,
}

const KEY: &str = "AWSLogs/a b+c.json.gz";

impl Bench {
    async fn new(bucket: &str) -> Self {
        let server = server();
        // Looks like gzip, so that whoever inflated it on the way would be found out.
        let stored: Vec<u8> =
            [0x1f, 0x8b].into_iter().chain(0..=u8::MAX).cycle().take(5_000).collect();
        server.bucket(bucket);
        server.put(bucket, KEY, &stored);
        let proxy = Proxy::before(&server.address);
        let buckets = Buckets::new(&session(proxy.endpoint()).await);
        let (bucket, key) = (Box::from(bucket), Box::from(KEY));
        let object = S3Object { bucket, key, version_id: None, etag: None };
        Self { proxy, buckets, object, stored }
    }

    async fn get(&self) -> Result<Fetched, S3Error> {
        self.buckets.get(&self.object, OBJECT_BYTES_MAX).await
    }

    fn gets(&self) -> usize {
        self.proxy.requests("GET").len()
    }
}

#[tokio::test]
async fn bytes_come_as_they_are_stored_with_their_entity_tag() {
    let mut bench = Bench::new("plain").await;
    let fetched = bench.get().await.unwrap();
    assert_eq!(fetched.bytes, bench.stored);
    // What it was found with is still there.
    bench.object.etag = fetched.etag.clone();
    let again = bench.get().await.unwrap();
    assert_eq!((again.bytes, &again.etag), (fetched.bytes, &fetched.etag));
    assert!(fetched.etag.is_some_and(|etag| !etag.contains('"')));
}

#[tokio::test]
async fn an_object_that_was_written_again_is_not_taken_for_the_one_asked_for() {
    let mut bench = Bench::new("overwritten").await;
    bench.object.etag = bench.get().await.unwrap().etag;
    server().put("overwritten", KEY, b"other");
    let at = format!("s3://overwritten/{KEY}");
    assert_eq!(bench.get().await.unwrap_err(), S3Error::Changed { at });
    bench.object.etag = None;
    assert_eq!(bench.get().await.unwrap().bytes, b"other");
}

#[tokio::test]
async fn a_body_that_is_cut_goes_on_where_it_ended() {
    let bench = Bench::new("cut").await;
    bench.proxy.fault("GET", 2, Fault::Cut(2_000));
    assert_eq!(bench.get().await.unwrap().bytes, bench.stored);
    let gets = bench.proxy.requests("GET");
    let ranges: Vec<_> = gets.iter().map(|line| line.split("range: ").nth(1)).collect();
    assert_eq!(ranges, [None, Some("bytes=2000-"), Some("bytes=4000-")]);
}

#[tokio::test]
async fn a_body_that_is_cut_again_and_again_is_given_up() {
    let bench = Bench::new("cut-often").await;
    bench.proxy.fault("GET", 100, Fault::Cut(100));
    let error = bench.get().await.unwrap_err();
    let S3Error::Unavailable { at, reason } = error else { panic!("{error:?}") };
    assert_eq!(at, format!("s3://cut-often/{KEY}"));
    assert_eq!(reason, "the connection broke at byte 500 of 5000, 4 times resumed");
    assert_eq!(bench.gets(), 5);
}

#[tokio::test]
async fn a_body_is_not_put_together_of_two_objects() {
    let bench = Bench::new("cut-changed").await;
    bench.proxy.fault("GET", 1, Fault::Cut(100));
    bench.proxy.fault("bytes=100-", 1, Fault::Answer(412, "PreconditionFailed"));
    let error = bench.get().await.unwrap_err();
    assert!(matches!(error, S3Error::Changed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_busy_service_is_asked_three_times() {
    let bench = Bench::new("busy").await;
    bench.proxy.fault("GET", 2, Fault::Answer(503, "SlowDown"));
    assert_eq!(bench.get().await.unwrap().bytes, bench.stored);
    assert_eq!(bench.gets(), 3);
    bench.proxy.fault("GET", 3, Fault::Answer(503, "SlowDown"));
    let error = bench.get().await.unwrap_err();
    assert!(matches!(error, S3Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.gets(), 6);
}

#[tokio::test]
async fn who_hangs_up_or_loses_the_answer_is_asked_again() {
    let bench = Bench::new("flaky").await;
    bench.proxy.fault("GET", 1, Fault::HangUp);
    assert_eq!(bench.get().await.unwrap().bytes, bench.stored);
    bench.proxy.fault("GET", 1, Fault::DropReply);
    bench.proxy.fault("GET", 1, Fault::Delay(Duration::from_millis(50)));
    assert_eq!(bench.get().await.unwrap().bytes, bench.stored);
    assert_eq!(bench.gets(), 4);
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let mut bench = Bench::new("errors").await;
    bench.proxy.fault("GET", 1, Fault::Answer(403, "AccessDenied"));
    let denied = bench.get().await.unwrap_err();
    assert!(matches!(denied, S3Error::Denied { ref code, .. } if code == "AccessDenied"));
    bench.proxy.fault("GET", 1, Fault::Answer(400, "KMS.DisabledException"));
    assert!(matches!(bench.get().await.unwrap_err(), S3Error::Denied { .. }));
    let large = bench.buckets.get(&bench.object, 4_999).await.unwrap_err();
    let at = bench.object.to_string();
    assert_eq!(large, S3Error::TooLarge { at, bytes: 5_000, limit: 4_999 });
    bench.object.key = Box::from("AWSLogs/none.json.gz");
    let gone = bench.get().await.unwrap_err();
    assert_eq!(gone.to_string(), "s3://errors/AWSLogs/none.json.gz does not exist (NoSuchKey)");
}
