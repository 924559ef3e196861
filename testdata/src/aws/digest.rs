//! The hourly digests of a trail: which objects it delivered, with the hash of each, chained to the
//! hour before. AWS keeps the signature in the object's metadata, which a folder has none of.

use sha2::{Digest as _, Sha256};

use crate::clock::{HOUR_S, folder, iso, stamp_with_seconds};
use crate::json::Json;
use crate::object;

/// Which trail signs, and where it delivers.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'a> {
    /// Id of the organisation, of a trail that is the organisation's.
    pub organisation: Option<&'a str>,
    /// Account whose events these are.
    pub account: &'a str,
    /// Name of the trail.
    pub name: &'a str,
    /// The trail's home region.
    pub home: &'a str,
    /// The bucket.
    pub bucket: &'a str,
}

/// An object that a digest lists.
#[derive(Debug, Clone)]
pub struct LogFile {
    /// Its key.
    pub key: String,
    /// SHA-256 of its inflated content, hexadecimal.
    pub hash: String,
    /// Times of its first and last record. Unit: seconds since the Unix epoch.
    pub times_s: (i64, i64),
}

/// The digest of the hour before.
#[derive(Debug, Clone)]
pub struct Previous {
    key: String,
    hash: String,
    signature: String,
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')),
        );
        text
    })
}

/// Key and text of the digest of `region` for the hour that ends at `end_s`, and what the next one
/// says of it. Without `previous` it starts a chain.
pub fn hourly(
    trail: Trail<'_>,
    region: &str,
    end_s: i64,
    files: &[LogFile],
    previous: Option<&Previous>,
) -> (String, String, Previous) {
    let Trail { organisation, account, name, home, bucket } = trail;
    let (prefix, slash) = organisation.map_or(("", ""), |id| (id, "/"));
    let key = format!(
        "AWSLogs/{prefix}{slash}{account}/CloudTrail-Digest/{region}/{}/\
         {account}_CloudTrail-Digest_{region}_{name}_{home}_{}.json.gz",
        folder(end_s),
        stamp_with_seconds(end_s)
    );
    let or_null = |value: Option<&String>| value.map_or(Json::Null, Json::from);
    let time = |time_s: Option<i64>| time_s.map_or(Json::Null, |time_s| Json::from(iso(time_s)));
    let listed = files.iter().map(|file| listed(file, bucket)).collect::<Vec<_>>();
    let body = object! {
        "awsAccountId": account,
        "digestStartTime": iso(end_s - HOUR_S),
        "digestEndTime": iso(end_s),
        "digestS3Bucket": bucket,
        "digestS3Object": &key,
        "digestPublicKeyFingerprint": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": time(files.iter().map(|file| file.times_s.1).max()),
        "oldestEventTime": time(files.iter().map(|file| file.times_s.0).min()),
        "previousDigestS3Bucket": previous.map_or(Json::Null, |_| Json::from(bucket)),
        "previousDigestS3Object": or_null(previous.map(|previous| &previous.key)),
        "previousDigestHashValue": or_null(previous.map(|previous| &previous.hash)),
        "previousDigestHashAlgorithm": previous.map_or(Json::Null, |_| Json::from("SHA-256")),
        "previousDigestSignature": or_null(previous.map(|previous| &previous.signature)),
        "logFiles": listed,
    };
    let text = body.line();
    let hash = sha256(text.as_bytes());
    // No key signs a story: the chain holds, the signature does not.
    let signature = sha256(hash.as_bytes()).repeat(8);
    let next = Previous { key: key.clone(), hash, signature };
    (key, text, next)
}

fn listed(file: &LogFile, bucket: &str) -> Json {
    object! {
        "s3Bucket": bucket,
        "s3Object": &file.key,
        "hashValue": &file.hash,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": iso(file.times_s.1),
        "oldestEventTime": iso(file.times_s.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIL: Trail<'_> = Trail {
        organisation: Some("o-a1b2c3d4e5"),
        account: "111122223333",
        name: "organisation",
        home: "us-east-1",
        bucket: "rivermill-trail",
    };

    #[test]
    fn the_hash_is_sha256() {
        // FIPS 180-2, appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), hash);
    }

    #[test]
    fn each_digest_names_the_one_before() {
        let file = LogFile { key: "k".to_owned(), hash: sha256(b"{}"), times_s: (100, 200) };
        let (first_key, first, next) = hourly(TRAIL, "eu-west-1", 3_600, &[file], None);
        assert!(first.contains(r#""previousDigestHashValue":null"#));
        assert!(first.contains(r#""oldestEventTime":"1970-01-01T00:01:40Z""#));
        let (_, second, _) = hourly(TRAIL, "eu-west-1", 7_200, &[], Some(&next));
        assert!(second.contains(&format!(r#""previousDigestS3Object":"{first_key}""#)));
        assert!(second.contains(&sha256(first.as_bytes())));
        assert!(second.contains(r#""newestEventTime":null"#));
    }
}
