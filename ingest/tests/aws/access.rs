//! Sessions with the test server.

use ingest::source::s3::{Buckets, OBJECT_BYTES_MAX, S3Object};
use ingest::source::session::{Access, Role, Session};

use super::proxy::Proxy;
use super::servers::server;

/// What is reached at this address, by keys that are not asked for.
pub(crate) async fn session(endpoint: String) -> Session {
    let access = Access { endpoint: Some(endpoint), ..Access::default() };
    Session::with_test_keys(&access).await.unwrap()
}

#[tokio::test]
async fn another_account_is_read_by_its_role_and_at_our_cost() {
    let server = server();
    server.bucket("foreign");
    server.put("foreign", "a.json", b"x");
    let proxy = Proxy::before(&server.address);
    let role = Role {
        arn: "arn:aws:iam::111122223333:role/log-reader".to_owned(),
        external_id: Some("sentrail-7".to_owned()),
    };
    let access = Access {
        endpoint: Some(proxy.endpoint()),
        role: Some(role),
        requester_pays: true,
        ..Access::default()
    };
    let buckets = Buckets::new(&Session::with_test_keys(&access).await.unwrap());
    let (bucket, key) = (Box::from("foreign"), Box::from("a.json"));
    let object = S3Object { bucket, key, version_id: None, etag: None };
    for _ in 0..2 {
        assert_eq!(buckets.get(&object, OBJECT_BYTES_MAX).await.unwrap().bytes, b"x");
    }
    let assumed = proxy.requests("Action=AssumeRole");
    assert_eq!(assumed.len(), 1, "once, and then kept");
    for part in ["role%2Flog-reader", "ExternalId=sentrail-7", "RoleSessionName=sentrail"] {
        assert!(assumed[0].contains(part), "{part}: {assumed:?}");
    }
    let paid = proxy.requests("x-amz-request-payer: requester");
    assert_eq!(paid.len(), 2, "{:?}", proxy.requests(""));
}
