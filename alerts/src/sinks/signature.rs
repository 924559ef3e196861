//! How a message proves who sent it: `webhook-signature` of Standard Webhooks 1.0.0. In: secrets, and what is
//! sent. Out: the header.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use std::{fmt, ops::RangeInclusive};

/// How long a secret is. Unit: bytes, before base64.
const SECRET_BYTES: RangeInclusive<usize> = 24..=64;

/// A key that the receiver has, too.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Keys cannot be compared, but what they make of a text can.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let [own, other] = [self, other].map(|Secret(key)| hmac::sign(key, b"the same"));
        own.as_ref() == other.as_ref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A text that is no secret; it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `whsec_` and {} to {} bytes in base64 (`echo whsec_$(openssl rand -base64 32)`)", SECRET_BYTES.start(), SECRET_BYTES.end())]
pub struct NoSecret;

impl Secret {
    /// Reads `whsec_...`.
    pub fn parse(text: &str) -> Result<Self, NoSecret> {
        let digits = text.trim().strip_prefix("whsec_").ok_or(NoSecret)?;
        let bytes = STANDARD.decode(digits).map_err(|_| NoSecret)?;
        let key =
            SECRET_BYTES.contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        key.map(Self).ok_or(NoSecret)
    }
}

/// The signatures by all `secrets`, in their order, of a message that is sent now. Unit: seconds since the Unix
/// epoch.
pub(super) fn sign(secrets: &[Secret], (id, now_s): (&str, i64), body: &str) -> String {
    let signed = format!("{id}.{now_s}.{body}");
    let sign = |Secret(key): &Secret| {
        format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())))
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed() {
        // From the reference libraries of Standard Webhooks.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret), (id, 1_614_265_330), body), expected);
        let both = sign(&[secret.clone(), secret], (id, 1_614_265_330), body);
        assert_eq!(both, format!("{expected} {expected}"));
        assert_eq!(sign(&[], (id, 0), body), "");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        let short = STANDARD.encode([7; 23]);
        let long = STANDARD.encode([7; 65]);
        for text in [
            "",
            "whsec_",
            "whsec_!!",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            &format!("whsec_{short}"),
            &format!("whsec_{long}"),
        ] {
            let error = Secret::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("expected `whsec_` and 24 to 64 bytes"), "{error}");
            assert!(text.is_empty() || text == "whsec_" || !error.contains(text), "{error}");
        }
        for n in [24, 64] {
            let secret = Secret::parse(&format!("whsec_{}", STANDARD.encode(vec![7; n]))).unwrap();
            assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        }
    }
}
