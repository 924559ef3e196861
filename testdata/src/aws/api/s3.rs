//! S3: buckets, and data events on objects.

use super::At;
use crate::aws::call::{Call, Encryption, Transfer};
use crate::json::{Json, fixed};
use crate::object;
use crate::rng::Rng;

const XMLNS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
/// What S3 answers to a refused call. Unit: bytes.
const REFUSAL_BYTES: i64 = 243;

/// A data event on an object; `extra` parameters and the answer are an object or null.
fn on_object(
    (at, name): (At<'_>, &'static str),
    object: (&str, &str),
    moved: Transfer,
    (extra, answer): (Json, Json),
    rng: &mut Rng,
) -> Call {
    let call = Call::new(at.time_s, at.region, "s3", name).asking(extra).answered(answer);
    call.on_object(at.account, object, moved, rng)
}

/// A download of `bytes`.
pub fn get_object(at: At<'_>, object: (&str, &str), bytes: i64, rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: bytes, encryption: Encryption::Default };
    on_object((at, "GetObject"), object, moved, (Json::Null, Json::Null), rng)
}

/// A download of `bytes` that a key of KMS encrypts: S3 asks KMS too.
pub fn get_encrypted_object(at: At<'_>, object: (&str, &str), bytes: i64, rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: bytes, encryption: Encryption::Kms };
    on_object((at, "GetObject"), object, moved, (Json::Null, Json::Null), rng)
}

/// A download of what is not there.
pub fn get_object_in_vain(at: At<'_>, object: (&str, &str), rng: &mut Rng) -> Call {
    let moved = Transfer::answer(REFUSAL_BYTES);
    on_object((at, "GetObject"), object, moved, (Json::Null, Json::Null), rng)
        .refused("NoSuchKey", "The specified key does not exist.")
}

/// Whether an object is there, and how large.
pub fn head_object(at: At<'_>, object: (&str, &str), rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: 0, encryption: Encryption::Default };
    on_object((at, "HeadObject"), object, moved, (Json::Null, Json::Null), rng)
}

/// An upload of `bytes`.
pub fn put_object(at: At<'_>, object: (&str, &str), bytes: i64, rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: bytes, out_bytes: 0, encryption: Encryption::Default };
    let answer = object! { "x-amz-server-side-encryption": "AES256" };
    on_object((at, "PutObject"), object, moved, (Json::Null, answer), rng)
}

/// An upload of `bytes` to a bucket that encrypts with a key of KMS: S3 asks KMS too.
pub fn put_encrypted_object(
    at: At<'_>,
    object: (&str, &str),
    (bytes, kms_key): (i64, &str),
    rng: &mut Rng,
) -> Call {
    let moved = Transfer { in_bytes: bytes, out_bytes: 0, encryption: Encryption::Kms };
    let answer = Json::Object(encrypted_with(at, kms_key).to_vec());
    on_object((at, "PutObject"), object, moved, (Json::Null, answer), rng)
}

/// How S3 names a key of KMS, asked and answered.
fn encrypted_with(at: At<'_>, kms_key: &str) -> [(&'static str, Json); 2] {
    let arn = ["arn:aws:kms:", at.region, ":", at.account, ":key/", kms_key].concat();
    [
        ("x-amz-server-side-encryption-aws-kms-key-id", Json::from(arn)),
        ("x-amz-server-side-encryption", fixed("aws:kms")),
    ]
}

/// A copy of `source`, written as `bucket/key`.
pub fn copy_object(at: At<'_>, object: (&str, &str), source: &str, rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: 234, encryption: Encryption::Default };
    let extra = object! { "x-amz-copy-source": source };
    let answer = object! { "x-amz-server-side-encryption": "AES256" };
    on_object((at, "CopyObject"), object, moved, (extra, answer), rng)
}

/// A copy of `source`, encrypted with a key of KMS that the caller names.
pub fn copy_encrypted_object(
    at: At<'_>,
    object: (&str, &str),
    (source, kms_key): (&str, &str),
    rng: &mut Rng,
) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: 234, encryption: Encryption::Kms };
    let encrypted = encrypted_with(at, kms_key);
    let mut extra = vec![("x-amz-copy-source", Json::from(source))];
    extra.extend(encrypted.clone());
    let parts = (Json::Object(extra), Json::Object(encrypted.to_vec()));
    on_object((at, "CopyObject"), object, moved, parts, rng)
}

/// A copy of an object over itself with a key that only the caller has.
pub fn encrypt_with_own_key(at: At<'_>, object: (&str, &str), rng: &mut Rng) -> Call {
    let moved = Transfer { in_bytes: 0, out_bytes: 238, encryption: Encryption::Customer };
    let source = [object.0, "/", object.1].concat();
    let extra = Json::Object(vec![
        ("x-amz-copy-source", Json::from(source)),
        (CUSTOMER_ALGORITHM, fixed("AES256")),
    ]);
    let answer = Json::Object(vec![(CUSTOMER_ALGORITHM, fixed("AES256"))]);
    on_object((at, "CopyObject"), object, moved, (extra, answer), rng)
}

/// An object is deleted.
pub fn delete_object(at: At<'_>, object: (&str, &str), rng: &mut Rng) -> Call {
    on_object((at, "DeleteObject"), object, Transfer::answer(0), (Json::Null, Json::Null), rng)
}

/// Up to 1,000 objects are deleted in one call: CloudTrail does not tell which. `bytes` are asked.
pub fn delete_objects(at: At<'_>, bucket: &str, bytes: i64, rng: &mut Rng) -> Call {
    let call = listing(at, "DeleteObjects", (bucket, ""), object! { "delete": "" }, rng);
    let moved = Transfer { in_bytes: bytes, out_bytes: bytes, encryption: Encryption::None };
    call.moving(moved, rng)
}

/// Keys below `prefix`; `bytes` are answered.
pub fn list_objects(at: At<'_>, place: (&str, &str), bytes: i64, rng: &mut Rng) -> Call {
    let extra = object! {
        "list-type": "2", "encoding-type": "url", "prefix": place.1,
    };
    listing(at, "ListObjects", place, extra, rng).moving(Transfer::answer(bytes), rng)
}

/// A data event on a bucket as a whole.
fn listing(
    at: At<'_>,
    name: &'static str,
    (bucket, prefix): (&str, &str),
    extra: Json,
    rng: &mut Rng,
) -> Call {
    let mut call = on_bucket(at, name, bucket, extra, rng).of(crate::aws::call::Kind::Data);
    let arn = ["arn:aws:s3:::", bucket, "/", prefix].concat();
    call.resources.insert(0, object! { "type": "AWS::S3::Object", "ARNPrefix": arn });
    call
}

/// A call on a bucket; `extra` parameters follow its name and host.
pub fn on_bucket(at: At<'_>, name: &'static str, bucket: &str, extra: Json, rng: &mut Rng) -> Call {
    let call = Call::new(at.time_s, at.region, "s3", name).on_bucket(at.account, bucket, rng);
    let mut request =
        vec![("bucketName", Json::from(bucket)), ("Host", Json::from(call.host.clone()))];
    if let Json::Object(extra) = extra {
        request.extend(extra);
    }
    call.asking(Json::Object(request))
}

/// The buckets of the account.
pub fn list_buckets(at: At<'_>, rng: &mut Rng) -> Call {
    let host = ["s3.", at.region, ".amazonaws.com"].concat();
    Call::new(at.time_s, at.region, "s3", "ListBuckets")
        .asking(object! { "Host": &host })
        .to(host)
        .moving(Transfer::answer(1_873), rng)
}

/// A new bucket; it is no resource yet.
pub fn create_bucket(at: At<'_>, bucket: &str, rng: &mut Rng) -> Call {
    let extra = object! { "x-amz-acl": "private" };
    Call { resources: Vec::new(), ..on_bucket(at, "CreateBucket", bucket, extra, rng) }
}

/// A bucket is deleted.
pub fn delete_bucket(at: At<'_>, bucket: &str, rng: &mut Rng) -> Call {
    on_bucket(at, "DeleteBucket", bucket, Json::Null, rng)
}

/// A tag is put on a bucket.
pub fn put_bucket_tagging(
    at: At<'_>,
    bucket: &str,
    (key, value): (&str, &str),
    rng: &mut Rng,
) -> Call {
    let tag = object! { "Value": value, "Key": key };
    let extra = object! {
        "Tagging": object! { "xmlns": XMLNS, "TagSet": object! { "Tag": tag } },
        "tagging": "",
    };
    on_bucket(at, "PutBucketTagging", bucket, extra, rng)
}

/// Who may reach a bucket: `principal` may do `action`.
pub fn put_bucket_policy(
    at: At<'_>,
    bucket: &str,
    (principal, action): (Json, &str),
    rng: &mut Rng,
) -> Call {
    let statement = object! {
        "Action": action, "Effect": "Allow", "Principal": principal,
        "Resource": ["arn:aws:s3:::", bucket].concat(), "Sid": "Access",
    };
    let policy = object! { "Version": "2012-10-17", "Statement": vec![statement] };
    let extra = object! { "bucketPolicy": policy, "policy": "" };
    on_bucket(at, "PutBucketPolicy", bucket, extra, rng)
}

/// The policy of a bucket is gone.
pub fn delete_bucket_policy(at: At<'_>, bucket: &str, rng: &mut Rng) -> Call {
    on_bucket(at, "DeleteBucketPolicy", bucket, object! { "policy": "" }, rng)
}

/// Keys that callers bring are allowed again: new buckets refuse them since 2025.
pub fn allow_own_keys(at: At<'_>, bucket: &str, rng: &mut Rng) -> Call {
    let rule = object! {
        "ApplyServerSideEncryptionByDefault": object! { "SSEAlgorithm": "AES256" },
        "BucketKeyEnabled": false,
        "BlockedEncryptionTypes": object! { "EncryptionType": "NONE" },
    };
    let configuration = object! { "xmlns": XMLNS, "Rule": rule };
    let extra = object! { "encryption": "", "ServerSideEncryptionConfiguration": configuration };
    on_bucket(at, "PutBucketEncryption", bucket, extra, rng)
}

/// What is written from now on is encrypted with a key of KMS.
pub fn encrypt_bucket(at: At<'_>, bucket: &str, kms_key: &str, rng: &mut Rng) -> Call {
    let arn = ["arn:aws:kms:", at.region, ":", at.account, ":key/", kms_key].concat();
    let rule = object! {
        "ApplyServerSideEncryptionByDefault": object! {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn,
        },
        "BucketKeyEnabled": true,
    };
    let configuration = object! { "xmlns": XMLNS, "Rule": rule };
    let extra = object! { "encryption": "", "ServerSideEncryptionConfiguration": configuration };
    on_bucket(at, "PutBucketEncryption", bucket, extra, rng)
}

/// Every object expires `days` days after it was written.
pub fn expire_all(at: At<'_>, bucket: &str, days: i64, rng: &mut Rng) -> Call {
    let rule = object! {
        "ID": "expire-all", "Status": "Enabled", "Filter": object! { "Prefix": "" },
        "Expiration": object! { "Days": days },
    };
    let configuration = object! { "xmlns": XMLNS, "Rule": rule };
    let extra = object! { "LifecycleConfiguration": configuration, "lifecycle": "" };
    on_bucket(at, "PutBucketLifecycle", bucket, extra, rng)
}

/// Versions are kept (`Enabled`) or no longer (`Suspended`).
pub fn put_bucket_versioning(
    at: At<'_>,
    bucket: &str,
    status: &'static str,
    rng: &mut Rng,
) -> Call {
    let configuration = object! { "xmlns": XMLNS, "Status": fixed(status) };
    let extra = object! { "VersioningConfiguration": configuration, "versioning": "" };
    on_bucket(at, "PutBucketVersioning", bucket, extra, rng)
}

/// All four blocks against public access, on or off.
pub fn put_public_access_block(at: At<'_>, bucket: &str, block: bool, rng: &mut Rng) -> Call {
    let configuration = object! {
        "xmlns": XMLNS, "RestrictPublicBuckets": block, "BlockPublicPolicy": block,
        "BlockPublicAcls": block, "IgnorePublicAcls": block,
    };
    let extra = object! {
        "publicAccessBlock": "", "PublicAccessBlockConfiguration": configuration,
    };
    on_bucket(at, "PutBucketPublicAccessBlock", bucket, extra, rng)
}

/// CloudTrail delivers a log of `bytes`, encrypted with a key of KMS, as an object that belongs to
/// the owner of the bucket.
pub fn deliver_log(
    at: At<'_>,
    object: (&str, &str),
    (bytes, kms_key): (i64, &str),
    rng: &mut Rng,
) -> Call {
    let moved = Transfer { in_bytes: bytes, out_bytes: 0, encryption: Encryption::Kms };
    let encrypted = encrypted_with(at, kms_key);
    let mut extra = vec![("x-amz-acl", fixed("bucket-owner-full-control"))];
    extra.extend(encrypted.clone());
    let parts = (Json::Object(extra), Json::Object(encrypted.to_vec()));
    on_object((at, "PutObject"), object, moved, parts, rng)
}

/// A log that the bucket does not take: AWS tries on, with every file.
pub fn deliver_log_in_vain(at: At<'_>, object: (&str, &str), rng: &mut Rng) -> Call {
    let moved = Transfer::answer(REFUSAL_BYTES);
    let extra = object! { "x-amz-acl": "bucket-owner-full-control" };
    on_object((at, "PutObject"), object, moved, (extra, Json::Null), rng)
        .refused("AccessDenied", "Access Denied")
}

/// CloudTrail looks whether it may deliver.
pub fn get_bucket_acl(at: At<'_>, bucket: &str, rng: &mut Rng) -> Call {
    on_bucket(at, "GetBucketAcl", bucket, object! { "acl": "" }, rng)
}

impl Call {
    /// With other bytes in `additionalEventData`.
    #[must_use]
    pub fn moving(mut self, moved: Transfer, rng: &mut Rng) -> Self {
        self.additional = Some(crate::aws::call::s3_data(moved, rng));
        self
    }
}
