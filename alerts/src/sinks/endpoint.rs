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
    pub(super) scheme: Scheme,
    pub(super) host: Host,
    pub(super) port: u16,
    /// As it stands in the header `Host`.
    pub(super) authority: String,
    /// With its query.
    pub(super) path: String,
}

/// What a URL begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
    Tls,
    Tcp,
    Udp,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Where none stands there: RFC 5425, RFC 5426; of syslog over TCP it is what receivers listen to, and nobody's.
    fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::Tls => 6_514,
            Self::Tcp | Self::Udp => 514,
        }
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// The one that is to be used where nobody allowed this.
    pub(super) fn encrypted(self) -> &'static str {
        match self {
            Self::Https | Self::Http => Self::Https.name(),
            Self::Tls | Self::Tcp | Self::Udp => Self::Tls.name(),
        }
    }
}

/// What is said to whoever is at a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP.
    Requests,
    /// Syslog, of which a URL has no path.
    Syslog,
}

impl Protocol {
    fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::Requests => &[Scheme::Https, Scheme::Http],
            Self::Syslog => &[Scheme::Tls, Scheme::Tcp, Scheme::Udp],
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Requests => "https://HOST/PATH",
            Self::Syslog => "tls://HOST:6514, tcp://HOST:514 or udp://HOST:514",
        }
    }
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
    #[error("no URL (expected {0})")]
    NoUrl(&'static str),
    /// It begins otherwise.
    #[error("expected a URL that begins with {0}://")]
    Scheme(&'static str),
    /// In the clear, to whom nobody allowed it.
    #[error("expected {0} ({1} goes only to addresses that `allow` names)")]
    Clear(&'static str, &'static str),
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
    pub(super) fn is_tls(&self) -> bool {
        self.scheme.is_tls()
    }

    /// Reads a URL of HTTP; `allowed` says which addresses it may lead to besides those of the internet.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, EndpointError> {
        Self::of(Protocol::Requests, text, allowed)
    }

    /// The same of a protocol.
    pub fn of(protocol: Protocol, text: &str, allowed: &Allowed) -> Result<Self, EndpointError> {
        if text.len() > URL_BYTES_MAX {
            return Err(EndpointError::TooLong(text.len()));
        }
        let no_url = EndpointError::NoUrl(protocol.expected());
        let uri: Uri = text.parse().map_err(|_| no_url.clone())?;
        let schemes = protocol.schemes();
        let scheme = schemes.iter().copied().find(|one| uri.scheme_str() == Some(one.name()));
        let encrypted = schemes.first().map_or("", |first| first.name());
        let scheme = scheme.ok_or(EndpointError::Scheme(encrypted))?;
        let clear = EndpointError::Clear(encrypted, scheme.name());
        let is_tls = scheme.is_tls();
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
                return Err(clear);
            }
        } else if !is_tls && *allowed == Allowed::default() {
            return Err(clear);
        }
        let after = authority.as_str().get(authority.host().len()..).unwrap_or_default();
        let port = match after.strip_prefix(':') {
            Some(_) => {
                authority.port_u16().filter(|port| *port != 0).ok_or(EndpointError::NoHost)?
            }
            None => scheme.port(),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        if protocol == Protocol::Syslog && !path.trim_start_matches('/').is_empty() {
            return Err(no_url);
        }
        Ok(Self { scheme, host, port, authority: authority.as_str().to_owned(), path })
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
        assert_eq!((plain.is_tls(), plain.port, &*plain.path), (true, 443, "/"));
        assert!(plain.host == Host::Name("hooks.example.com".to_owned()));
        let long = of("https://hooks.example.com.:8443/a/b?key=x&y=%20#part");
        assert_eq!((long.port, &*long.path), (8443, "/a/b?key=x&y=%20"));
        assert_eq!(long.authority, "hooks.example.com.:8443");
        assert!(of("http://127.0.0.1:8080/").host == Host::Address([127, 0, 0, 1].into()));
        assert!(of("https://[::ffff:10.0.0.1]/").host == Host::Address([10, 0, 0, 1].into()));
        assert!(!of("http://inner.example.com/").is_tls());
    }

    #[test]
    fn a_url_of_syslog_has_a_port_and_no_path() {
        let of = |text| Endpoint::of(Protocol::Syslog, text, &allowed());
        let found = |text| {
            let endpoint = of(text).unwrap();
            (endpoint.scheme, endpoint.port)
        };
        assert_eq!(found("tls://siem.example.com"), (Scheme::Tls, 6_514));
        assert_eq!(found("tcp://127.0.0.1/"), (Scheme::Tcp, 514));
        assert_eq!(found("udp://10.0.0.9:5514"), (Scheme::Udp, 5_514));
        for (text, error) in [
            ("https://siem.example.com", "expected a URL that begins with tls://"),
            ("siem.example.com:6514", "expected a URL that begins with tls://"),
            ("tls://siem.example.com/a", "no URL (expected tls://HOST:6514, tcp://"),
            ("tcp://192.168.0.1", "the URL leads to a private address"),
            ("udp://1.1.1.1", "expected tls (udp goes only to addresses that `allow` names)"),
            ("tls://siem:pass@example.com", "a user or password"),
        ] {
            let told = of(text).unwrap_err().to_string();
            assert!(told.contains(error) && !told.contains("siem"), "{text}: {told}");
        }
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
        assert_eq!(clear, EndpointError::Clear("https", "http"));
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
