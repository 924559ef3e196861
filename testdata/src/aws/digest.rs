//! The hourly digest of a trail in a region where nothing happened: it lists no object, and as the
//! first after a start it names no digest before it.

use std::error::Error;

use super::gzip;
use crate::clock::{HOUR_S, folder, iso, stamp_with_seconds};
use crate::json::Json;
use crate::object;

/// Which trail signs, and where it delivers.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'a> {
    /// Account of the trail.
    pub account: &'a str,
    /// Name of the trail.
    pub name: &'a str,
    /// The trail's home region.
    pub home: &'a str,
    /// The bucket.
    pub bucket: &'a str,
}

/// Key and bytes of the starting digest of `region` for the hour that ends at `end_s`.
pub fn starting(
    trail: Trail<'_>,
    region: &str,
    end_s: i64,
) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let Trail { account, name, home, bucket } = trail;
    let key = format!(
        "AWSLogs/{account}/CloudTrail-Digest/{region}/{}/\
         {account}_CloudTrail-Digest_{region}_{name}_{home}_{}.json.gz",
        folder(end_s),
        stamp_with_seconds(end_s)
    );
    let body = object! {
        "awsAccountId": account,
        "digestStartTime": iso(end_s - HOUR_S),
        "digestEndTime": iso(end_s),
        "digestS3Bucket": bucket,
        "digestS3Object": &key,
        "digestPublicKeyFingerprint": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": Json::Null,
        "oldestEventTime": Json::Null,
        "previousDigestS3Bucket": Json::Null,
        "previousDigestS3Object": Json::Null,
        "previousDigestHashValue": Json::Null,
        "previousDigestHashAlgorithm": Json::Null,
        "previousDigestSignature": Json::Null,
        "logFiles": Vec::new(),
    };
    let bytes = gzip(body.line().as_bytes())?;
    Ok((key, bytes))
}
