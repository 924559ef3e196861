//! Whom a webhook may talk to. In: the addresses that a name has. Out: whether each is out in the internet, or
//! was allowed by the user.
//!
//! Who may write the DNS of a receiver, or part of a configuration, must not reach what only this machine can
//! reach: its own services, its network, and the endpoints that hand out credentials. A name is resolved
//! once, all its addresses are judged, and the connection goes to one of these.

use ingest::flow::address;
use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
    str::FromStr,
};

/// Hands out credentials to whoever can send a request: no receiver is ever there.
const CREDENTIALS: [IpAddr; 5] = [
    // The instance metadata service.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Credentials of ECS tasks and EKS pods.
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// Networks of version 4 that are not in the internet (IANA's registry of special-purpose addresses), and
/// what they are; what is more particular stands first.
const INNER_V4: [(Ipv4Addr, u8, &str); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "private"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "reserved"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "reserved"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "reserved"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The same of version 6. Whatever is not in `2000::/3` is not in the internet.
const INNER_V6: [(Ipv6Addr, u8, &str); 8] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    // Teredo among others, which leads to an address of version 4.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "reserved"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "reserved"),
];

const INTERNET_V6: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);

/// An address, or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: u128,
    last: u128,
}

impl Network {
    fn new(ip: IpAddr, bits: u8) -> Option<Self> {
        let bits = match ip {
            IpAddr::V4(_) if bits <= 32 => 96 + bits,
            IpAddr::V6(_) if bits <= 128 => bits,
            _ => return None,
        };
        let rest = u128::MAX.checked_shr(bits.into()).unwrap_or_default();
        Some(Self { first: address(ip) & !rest, last: address(ip) | rest })
    }

    /// Whether it is every address of version 4, or every one there is.
    pub(crate) fn is_all_of_its_kind(self) -> bool {
        let all = Ipv4Addr::UNSPECIFIED.into();
        Self::new(all, 0) == Some(self) || (self.first, self.last) == (0, u128::MAX)
    }

    pub(crate) fn holds(self, ip: IpAddr) -> bool {
        (self.first..=self.last).contains(&address(ip))
    }
}

impl FromStr for Network {
    type Err = ();

    /// `10.0.0.0/8`, or an address.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(drop)?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        let is_number = |bits: &str| bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            Some(bits) if is_number(bits) => bits.parse().map_err(drop)?,
            Some(_) => return Err(()),
            None => whole,
        };
        Self::new(ip, bits).ok_or(())
    }
}

/// Addresses that are talked to though they are not in the internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Network>);

impl Allowed {
    /// Those of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether the user said so.
    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        !CREDENTIALS.contains(&ip) && self.0.iter().any(|network| network.holds(ip))
    }

    /// What the address is, if it may not be talked to.
    pub(super) fn refuses(&self, ip: IpAddr) -> Option<Inner> {
        if self.holds(ip) { None } else { inner(ip) }
    }
}

/// What an address is that is not in the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner(&'static str);

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} address, which `allow` does not name", self.0)
    }
}

fn inner(ip: IpAddr) -> Option<Inner> {
    let ip = ip.to_canonical();
    if CREDENTIALS.contains(&ip) {
        return Some(Inner("credential"));
    }
    let is_in = |network: IpAddr, bits| {
        Network::new(network, bits).is_some_and(|network| network.holds(ip))
    };
    let ip = match ip {
        IpAddr::V4(_) => {
            let mut all = INNER_V4.into_iter();
            let found = all.find(|(network, bits, _)| is_in((*network).into(), *bits));
            return found.map(|(_, _, what)| Inner(what));
        }
        IpAddr::V6(ip) => ip,
    };
    let mut all = INNER_V6.into_iter();
    if let Some((_, _, what)) = all.find(|(network, bits, _)| is_in((*network).into(), *bits)) {
        return Some(Inner(what));
    }
    match embedded(ip) {
        Some(v4) => inner(v4.into()),
        None => (!is_in(INTERNET_V6.into(), 3)).then_some(Inner("reserved")),
    }
}

/// The address of version 4 that one of 6to4 (RFC 3056) or NAT64 (RFC 6052) leads to.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = ip.octets();
    let v4 = match octets {
        [0x20, 0x02, v4 @ ..] => v4.first_chunk().copied(),
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, v4 @ ..] => Some(v4),
        _ => None,
    };
    v4.map(<[u8; 4]>::into)
}

/// The addresses of a name, as they come.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Knows the addresses of names.
pub(super) trait Resolve: Send + Sync {
    /// All addresses of `host`, asked for anew.
    fn resolve<'a>(&'a self, host: &'a str) -> Answer<'a>;
}

/// The resolver of the system.
pub(super) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> Answer<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(networks: &[&str]) -> Allowed {
        Allowed::new(networks.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_in_the_internet_is_refused() {
        for (address, what) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.255.255.255", "private"),
            ("100.64.0.1", "private"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("169.254.0.1", "link-local"),
            ("169.254.169.254", "credential"),
            ("169.254.170.2", "credential"),
            ("169.254.170.23", "credential"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("198.19.0.1", "reserved"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "credential"),
            ("::ffff:10.0.0.1", "private"),
            ("fd00:ec2::254", "credential"),
            ("fd00:ec2::23", "credential"),
            ("fd12::1", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
            ("2001::1", "reserved"),
            ("2001:db8::1", "reserved"),
            ("2002:7f00:1::", "loopback"),
            ("2002:a9fe:a9fe::1", "credential"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b::a9fe:a9fe", "credential"),
            ("64:ff9b:1::1", "reserved"),
            ("4000::1", "reserved"),
        ] {
            assert_eq!(Allowed::default().refuses(ip(address)), Some(Inner(what)), "{address}");
        }
    }

    #[test]
    fn what_is_in_the_internet_is_not() {
        for address in [
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1",
            "2002:101:101::",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(Allowed::default().refuses(ip(address)), None, "{address}");
        }
    }

    #[test]
    fn what_the_user_allows_is_talked_to_but_for_credentials() {
        let some = allowed(&["10.0.0.0/8", "127.0.0.1", "fd12::/16", "2002:7f00:1::"]);
        let refused = |address| some.refuses(ip(address)).is_some();
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fd12::9", "2002:7f00:1::"] {
            assert!(!refused(address) && some.holds(ip(address)), "{address}");
        }
        for address in ["127.0.0.2", "fd13::9", "172.16.0.1", "64:ff9b::10.0.0.1"] {
            assert!(refused(address), "{address}");
        }
        let all = allowed(&["0.0.0.0/0", "::/0"]);
        assert!(CREDENTIALS.iter().all(|one| all.refuses(*one).is_some()));
        assert_eq!(all.refuses(ip("::ffff:169.254.169.254")), Some(Inner("credential")));
        assert_eq!(all.refuses(ip("192.168.0.1")), None);
        // What is in the internet is talked to anyway, and not in the clear.
        assert!(!some.holds(ip("1.1.1.1")));
    }

    #[test]
    fn a_network_is_an_address_or_a_range() {
        for text in
            ["", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "010.0.0.1", "::/129", "1.1.1.1/+8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert_eq!("10.9.9.9/8".parse::<Network>(), "10.0.0.0/8".parse());
        assert!(!"10.0.0.0/8".parse::<Network>().unwrap().holds(ip("11.0.0.0")));
    }
}
