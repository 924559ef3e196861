//! What S3 adds to its calls: the host, what crossed the wire, and the bucket as a resource.

use std::borrow::Cow;

use super::{Call, Kind};
use crate::json::{Json, fixed};
use crate::object;
use crate::rng::Rng;

/// How S3 encrypted what it stored or read: `SSEApplied`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Nothing is stored or read.
    None,
    /// S3's own keys, by default.
    Default,
    /// S3's own keys, because the caller or the bucket asks for them.
    S3,
    /// A key of KMS.
    Kms,
    /// A key that the caller brings with each call.
    Customer,
}

/// What crossed the wire in a call to S3.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// `bytesTransferredIn`. Unit: bytes.
    pub in_bytes: i64,
    /// `bytesTransferredOut`. Unit: bytes.
    pub out_bytes: i64,
    /// `SSEApplied`.
    pub encryption: Encryption,
}

impl Transfer {
    /// Nothing stored, `out_bytes` answered.
    pub fn answer(out_bytes: i64) -> Self {
        Self { in_bytes: 0, out_bytes, encryption: Encryption::None }
    }
}

impl Call {
    /// A call on a bucket: host, `additionalEventData` and `resources` as S3 gives them.
    #[must_use]
    pub fn on_bucket(mut self, account: &str, bucket: &str, rng: &mut Rng) -> Self {
        self.host = Cow::Owned(bucket_host(bucket, self.region));
        self.additional = Some(s3_data(Transfer::answer(0), rng));
        self.resources = vec![bucket_resource(account, bucket)];
        self
    }

    /// A data event on an object. `extra` parameters follow bucket, host and key.
    #[must_use]
    pub fn on_object(
        mut self,
        account: &str,
        (bucket, key): (&str, &str),
        moved: Transfer,
        rng: &mut Rng,
    ) -> Self {
        self = self.on_bucket(account, bucket, rng).of(Kind::Data);
        self.additional = Some(s3_data(moved, rng));
        let mut request = Vec::with_capacity(6);
        request.extend([
            ("bucketName", Json::from(bucket)),
            ("Host", Json::from(self.host.clone())),
            ("key", Json::from(key)),
        ]);
        if let Json::Object(extra) = self.request {
            request.extend(extra);
        }
        self.request = Json::Object(request);
        let object_arn = ["arn:aws:s3:::", bucket, "/", key].concat();
        self.resources = vec![
            object! { "type": "AWS::S3::Object", "ARN": object_arn },
            bucket_resource(account, bucket),
        ];
        self
    }
}

/// The host of a bucket in its region.
pub(in crate::aws) fn bucket_host(bucket: &str, region: &str) -> String {
    [bucket, ".s3.", region, ".amazonaws.com"].concat()
}

/// A bucket in `resources`.
pub(in crate::aws) fn bucket_resource(account: &str, bucket: &str) -> Json {
    object! {
        "accountId": account, "type": "AWS::S3::Bucket",
        "ARN": ["arn:aws:s3:::", bucket].concat(),
    }
}

/// `additionalEventData` of a call to S3.
pub(in crate::aws) fn s3_data(moved: Transfer, rng: &mut Rng) -> Json {
    let mut pairs = Vec::with_capacity(7);
    pairs.extend([
        ("SignatureVersion", fixed("SigV4")),
        ("CipherSuite", fixed("TLS_AES_128_GCM_SHA256")),
        ("bytesTransferredIn", Json::from(moved.in_bytes)),
    ]);
    match moved.encryption {
        Encryption::None => {}
        Encryption::Default => pairs.push(("SSEApplied", fixed("Default_SSE_S3"))),
        Encryption::S3 => pairs.push(("SSEApplied", fixed("SSE_S3"))),
        Encryption::Kms => pairs.push(("SSEApplied", fixed("SSE_KMS"))),
        Encryption::Customer => pairs.push(("SSEApplied", fixed("SSE_C"))),
    }
    pairs.push(("AuthenticationMethod", fixed("AuthHeader")));
    pairs.push(("x-amz-id-2", Json::from(rng.base64(75) + "=")));
    pairs.push(("bytesTransferredOut", Json::from(moved.out_bytes)));
    Json::Object(pairs)
}
