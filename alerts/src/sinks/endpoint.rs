//! The URL of a webhook. It is a secret: most services put the key into it. In: text. Out: what is needed to
//! call it, or what is wrong with it, without a word of it.

use super::guard::Allowed;
use hyper::Uri;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Longer URLs are refused. Unit: bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// As long as names in the DNS are. Unit: bytes.
const HOST_BYTES_MAX: usize = 253;

/// Where to send messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) is_tls: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// As it stands in the header `Host`.
    pub(super) authority: String,
    /// With its query.
    pub(super) path: String,
}

/// Nothing of a URL is told.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint(hidden)")
    }
}

/// To whom a URL leads.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    Name(String),
}

/// What is wrong with a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is too long.
    #[error("a URL of {0} bytes (expected {URL_BYTES_MAX} at most)")]
    TooLong(usize),
    /// It is none.
    #[error("no URL (expected https://HOST/PATH)")]
    NoUrl,
    /// It begins otherwise.
    #[error("expected a URL that begins with https://")]
    Scheme,
    /// In the clear, to whom nobody allowed it.
    #[error("expected https (http goes only to addresses that `allow` names)")]
    Clear,
    /// It holds a name and a password.
    #[error(
        "a user or password in a URL (expected none: put a secret into the path or into `secret-file`)"
    )]
    Credentials,
    /// No host that can be meant.
    #[error(
        "no host in the URL (expected a name of letters, digits, `-` and `.`, or an address as 192.0.2.1 or [2001:db8::1])"
    )]
    NoHost,
    /// An address that is refused.
    #[error("the URL leads to {0}")]
    Inner(super::guard::Inner),
}

impl Endpoint {
    /// Reads a URL; `allowed` says which addresses it may lead to besides those of the internet.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, EndpointError> {
        if text.len() > URL_BYTES_MAX {
            return Err(EndpointError::TooLong(text.len()));
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::NoUrl)?;
        let (is_tls, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(EndpointError::Scheme),
        };
        let authority = uri.authority().ok_or(EndpointError::NoHost)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        let host = host(authority.host())?;
        if let Host::Address(ip) = host {
            if let Some(inner) = allowed.refuses(ip) {
                return Err(EndpointError::Inner(inner));
            }
            if !is_tls && !allowed.holds(ip) {
                return Err(EndpointError::Clear);
            }
        } else if !is_tls && *allowed == Allowed::default() {
            return Err(EndpointError::Clear);
        }
        let after = authority.as_str().get(authority.host().len()..).unwrap_or_default();
        let port = match after.strip_prefix(':') {
            Some(_) => {
                authority.port_u16().filter(|port| *port != 0).ok_or(EndpointError::NoHost)?
            }
            None => port,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { is_tls, host, port, authority: authority.as_str().to_owned(), path })
    }
}

fn host(text: &str) -> Result<Host, EndpointError> {
    if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let ip: Ipv6Addr = inside.parse().map_err(|_| EndpointError::NoHost)?;
        return Ok(Host::Address(ip.to_canonical()));
    }
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lower = last.to_ascii_lowercase();
    let is_number = lower.bytes().all(|byte| byte.is_ascii_digit())
        || lower.strip_prefix("0x").is_some_and(is_hex);
    if is_number {
        // What ends in a number is an address to most resolvers, in forms that people do not see through.
        let ip: Ipv4Addr = text.parse().map_err(|_| EndpointError::NoHost)?;
        return Ok(Host::Address(ip.into()));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if text.len() > HOST_BYTES_MAX || !text.bytes().all(fits) {
        return Err(EndpointError::NoHost);
    }
    Ok(Host::Name(lower_name(text)))
}

/// One name has one form.
fn lower_name(text: &str) -> String {
    text.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allowed() -> Allowed {
        Allowed::new(vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn a_url_says_whom_to_call() {
        let of = |text| Endpoint::parse(text, &allowed()).unwrap();
        let plain = of("https://Hooks.Example.com");
        assert_eq!((plain.is_tls, plain.port, &*plain.path), (true, 443, "/"));
        assert!(plain.host == Host::Name("hooks.example.com".to_owned()));
        let long = of("https://hooks.example.com.:8443/a/b?key=x&y=%20#part");
        assert_eq!((long.port, &*long.path), (8443, "/a/b?key=x&y=%20"));
        assert_eq!(long.authority, "hooks.example.com.:8443");
        assert!(of("http://127.0.0.1:8080/").host == Host::Address([127, 0, 0, 1].into()));
        assert!(of("https://[::ffff:10.0.0.1]/").host == Host::Address([10, 0, 0, 1].into()));
        assert!(!of("http://inner.example.com/").is_tls);
    }

    proptest! {
        #[test]
        fn what_is_accepted_can_be_called(text in "(https?://)?[a-z0-9.:@/%\\[\\]_é-]{0,40}|\\PC{0,60}") {
            if let Ok(endpoint) = Endpoint::parse(&text, &allowed()) {
                prop_assert!(endpoint.port > 0 && endpoint.path.starts_with('/'), "{}", text);
                prop_assert!(!endpoint.authority.contains('@') && text.starts_with("http"), "{}", text);
            }
        }
    }

    #[test]
    fn a_host_is_as_long_as_a_name_may_be() {
        let host = |n: usize| format!("https://{}/", "a".repeat(n));
        assert!(Endpoint::parse(&host(HOST_BYTES_MAX), &allowed()).is_ok());
        let error = Endpoint::parse(&host(HOST_BYTES_MAX + 1), &allowed()).unwrap_err();
        assert_eq!(error, EndpointError::NoHost);
    }

    #[test]
    fn what_is_wrong_is_told_without_the_url() {
        for (text, error) in [
            ("", "no URL"),
            ("hooks", "begins with https://"),
            ("ftp://hooks/", "begins with https://"),
            ("file:///etc/hooks", "no URL"),
            ("https://", "no URL"),
            ("https:///hooks", "no URL"),
            ("https://hooks:pass@example.com/", "a user or password"),
            ("https://hooks@example.com/", "a user or password"),
            ("https://hooks:0/", "no host"),
            ("https://hooks:/", "no host"),
            ("https://hooks:99999/", "no host"),
            ("https://ho%6fks/", "no"),
            ("https://hööks/", "no URL"),
            ("https://hooks/ x", "no URL"),
            ("https://[hooks]/", "no"),
            ("http://1.1.1.1/hooks", "expected https"),
            ("https://192.168.0.1/hooks", "the URL leads to a private address"),
        ] {
            let told = Endpoint::parse(text, &allowed()).unwrap_err().to_string();
            assert!(told.contains(error) && !told.contains("hooks"), "{text}: {told}");
        }
        let clear = Endpoint::parse("http://hooks/", &Allowed::default()).unwrap_err();
        assert_eq!(clear, EndpointError::Clear);
        let long = format!("https://hooks/{}", "x".repeat(URL_BYTES_MAX));
        assert!(
            Endpoint::parse(&long, &allowed())
                .unwrap_err()
                .to_string()
                .starts_with("a URL of 2062")
        );
        let endpoint = Endpoint::parse("https://hooks/secret", &allowed()).unwrap();
        assert_eq!(format!("{endpoint:?}"), "Endpoint(hidden)");
    }
}
