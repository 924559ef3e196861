//! What an error of S3 means. In: an error of the SDK. Out: what to do about it, and words.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why an object, or a bucket, could not be read. Each names what it is about as `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// It does not exist, or no longer; asking again is of no use.
    #[error("{at} does not exist ({code})")]
    Gone {
        /// The object.
        at: String,
        /// What S3 calls the error.
        code: String,
    },
    /// A policy, or a key of KMS, does not let us; it helps when somebody changes that.
    #[error(
        "{at} may not be read ({code}; expected to be allowed s3:GetObject and s3:ListBucket, and kms:Decrypt where it is encrypted by a key of KMS)"
    )]
    Denied {
        /// The object.
        at: String,
        /// What S3 or KMS calls the error.
        code: String,
    },
    /// It is another object than the one that was asked for, or became one meanwhile.
    #[error("{at} was written again meanwhile (expected the entity tag that it was found with)")]
    Changed {
        /// The object.
        at: String,
    },
    /// The service is busy, out of reach, or hung up; it helps to wait.
    #[error("{at} is out of reach: {reason}")]
    Unavailable {
        /// The object.
        at: String,
        /// What went wrong.
        reason: String,
    },
    /// Larger than was allowed for.
    #[error("{at} has {bytes} bytes (expected at most {limit})")]
    TooLarge {
        /// The object.
        at: String,
        /// Its size. Unit: bytes.
        bytes: u64,
        /// What was allowed for. Unit: bytes.
        limit: u64,
    },
    /// All else.
    #[error("{at} cannot be read: {reason}")]
    Other {
        /// The object.
        at: String,
        /// What went wrong.
        reason: String,
    },
}

/// Why an object was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at} cannot be written: {reason}")]
pub struct WriteError {
    /// The object, as `s3://bucket/key`.
    pub at: String,
    /// What went wrong.
    pub reason: String,
}

/// What an error of the SDK means for an object that was to be written.
pub(crate) fn of_writing<E>(at: String, error: &SdkError<E, HttpResponse>) -> WriteError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let reason = match told(at.clone(), error) {
        S3Error::Denied { code, .. } => format!(
            "{code} (expected to be allowed s3:PutObject, and kms:GenerateDataKey where a key of KMS encrypts the bucket)"
        ),
        S3Error::Gone { code, .. } => code,
        S3Error::Unavailable { reason, .. } | S3Error::Other { reason, .. } => reason,
        other @ (S3Error::Changed { .. } | S3Error::TooLarge { .. }) => other.to_string(),
    };
    WriteError { at, reason }
}

/// What an error of the SDK means for this object.
pub(crate) fn told<E>(at: String, error: &SdkError<E, HttpResponse>) -> S3Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            match answer.err().meta().code() {
                Some(code) => of_answer(at, status, code),
                None => of_answer(at, status, &format!("HTTP {status}")),
            }
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            S3Error::Unavailable { at, reason: DisplayErrorContext(error).to_string() }
        }
        _ => S3Error::Other { at, reason: DisplayErrorContext(error).to_string() },
    }
}

/// What a status of HTTP and S3's name of the error mean. Names come first: KMS and expired
/// credentials answer 400.
fn of_answer(at: String, status: u16, code: &str) -> S3Error {
    let kms = code.starts_with("KMS") || code.starts_with("Kms");
    let credentials = matches!(code, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired");
    let busy = matches!(code, "SlowDown" | "RequestTimeout" | "Throttling" | "ThrottlingException");
    let code = code.to_owned();
    match status {
        _ if busy => S3Error::Unavailable { at, reason: code },
        _ if kms || credentials => S3Error::Denied { at, code },
        401 | 403 => S3Error::Denied { at, code },
        // 405 is a version that is but the mark of a deletion.
        404 | 405 | 410 => S3Error::Gone { at, code },
        // 416: it became shorter than what was read of it.
        412 | 416 => S3Error::Changed { at },
        429 | 500..=599 => S3Error::Unavailable { at, reason: code },
        _ => S3Error::Other { at, reason: format!("{code} (HTTP {status})") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_to_do() {
        let kind = |status, code| match of_answer(String::new(), status, code) {
            S3Error::Gone { .. } => "gone",
            S3Error::Denied { .. } => "denied",
            S3Error::Changed { .. } => "changed",
            S3Error::Unavailable { .. } => "unavailable",
            S3Error::TooLarge { .. } => "too large",
            S3Error::Other { .. } => "other",
        };
        for (status, code, expected) in [
            (404, "NoSuchKey", "gone"),
            (404, "NoSuchVersion", "gone"),
            (404, "NoSuchBucket", "gone"),
            (405, "MethodNotAllowed", "gone"),
            (403, "AccessDenied", "denied"),
            (403, "InvalidObjectState", "denied"),
            (400, "KMS.DisabledException", "denied"),
            (400, "ExpiredToken", "denied"),
            (412, "PreconditionFailed", "changed"),
            (416, "InvalidRange", "changed"),
            (503, "SlowDown", "unavailable"),
            (500, "InternalError", "unavailable"),
            (400, "RequestTimeout", "unavailable"),
            (429, "HTTP 429", "unavailable"),
            (301, "PermanentRedirect", "other"),
            (400, "InvalidRequest", "other"),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn messages_name_the_object_and_what_was_expected() {
        let at = || "s3://logs/AWSLogs/a.json.gz".to_owned();
        assert_eq!(
            of_answer(at(), 403, "AccessDenied").to_string(),
            "s3://logs/AWSLogs/a.json.gz may not be read (AccessDenied; expected to be allowed \
             s3:GetObject and s3:ListBucket, and kms:Decrypt where it is encrypted by a key of KMS)"
        );
        let large = S3Error::TooLarge { at: at(), bytes: 11, limit: 10 };
        assert_eq!(
            large.to_string(),
            "s3://logs/AWSLogs/a.json.gz has 11 bytes (expected at most 10)"
        );
    }
}
