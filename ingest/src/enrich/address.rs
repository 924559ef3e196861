//! What an address is before any table is asked: public, private, or not an address at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who `sourceIPAddress` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// An address outside the private ranges. It may still be one that nobody routes
    /// (documentation, multicast, reserved): then it has no origin and no place.
    Public(IpAddr),
    /// An address of somebody's inside: RFC 1918, carrier NAT, loopback, link-local, unique local.
    /// CloudTrail shows these for calls through a VPC endpoint.
    Private(IpAddr),
    /// An AWS service, by its name: `cloudtrail.amazonaws.com`.
    Service,
    /// `AWS Internal`, with or without a suffix such as `/3`.
    Internal,
    /// Anything else, among it addresses with leading zeros (`078.010.020.30`), which some
    /// programs read as octal.
    Other,
}

/// Suffixes of the names that AWS services have in `sourceIPAddress`.
const SERVICE_SUFFIXES: [&str; 4] =
    [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"];

impl Caller {
    /// A caller at this address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        if is_private(address) { Self::Private(address) } else { Self::Public(address) }
    }

    /// The address, if it is a public one.
    pub fn public(self) -> Option<IpAddr> {
        if let Self::Public(address) = self { Some(address) } else { None }
    }
}

/// Reads `sourceIPAddress`.
pub fn caller(text: &str) -> Caller {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Caller::of(address);
    }
    if text == "AWS Internal" || text.starts_with("AWS Internal/") {
        return Caller::Internal;
    }
    let named = |suffix: &str| text.strip_suffix(suffix).is_some_and(is_host_name);
    let service = SERVICE_SUFFIXES.iter().any(|suffix| named(suffix));
    if service { Caller::Service } else { Caller::Other }
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let carrier_nat = a == 100 && b & 0xc0 == 64;
    address.is_private() || address.is_loopback() || address.is_link_local() || carrier_nat
}

/// The address as a key of the tables, when the internet routes addresses like it.
///
/// IPv4: all 32 bits. IPv6: the upper 64, as nobody announces less than a /64.
/// Ranges from the IANA special-purpose address registries (RFC 6890 and its updates).
pub(super) fn key(address: IpAddr) -> Option<Key> {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_routed_v4(v4).then(|| Key::V4(u64::from(v4.to_bits()))),
        IpAddr::V6(v6) => is_routed_v6(v6).then(|| {
            let [a, b, c, d, ..] = v6.segments();
            Key::V6([a, b, c, d].into_iter().fold(0, |key, part| key << 16 | u64::from(part)))
        }),
    }
}

/// A routed address, ready to be looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    V4(u64),
    V6(u64),
}

fn is_routed_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let benchmark = a == 198 && b & 0xfe == 18;
    let protocol = (a, b, c) == (192, 0, 0);
    // 224/4 is multicast, 240/4 reserved.
    let unicast = a != 0 && a < 224;
    unicast && !benchmark && !protocol && !address.is_documentation() && !is_private_v4(address)
}

fn is_routed_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    // 2001::/32 is Teredo, 2002::/16 6to4: the network seen is the relay's, not the caller's.
    let tunnel = a == 0x2002 || (a, b) == (0x2001, 0);
    let documentation = (a, b) == (0x2001, 0x0db8) || (a == 0x3fff && b < 0x1000);
    global_unicast && !tunnel && !documentation
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Caller) {
        assert_eq!(caller(text), expected, "{text}");
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn inside_addresses_are_private() {
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            check(text, Caller::Private(ip(text)));
        }
        check("::ffff:10.0.0.1", Caller::Private(ip("10.0.0.1")));
    }

    #[test]
    fn their_neighbours_are_public() {
        for text in
            ["172.32.0.0", "100.63.255.255", "100.128.0.0", "8.8.8.8", "2600::1", "3fff:1000::1"]
        {
            check(text, Caller::Public(ip(text)));
            assert!(key(ip(text)).is_some(), "{text}");
        }
        check("::ffff:8.8.8.8", Caller::Public(ip("8.8.8.8")));
    }

    #[test]
    fn addresses_that_nobody_routes_are_public_without_a_key() {
        for text in [
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "198.19.0.1",
            "192.0.0.8",
            "ff02::1",
            "::",
            "2001::1",
            "2002:808:808::1",
            "100::1",
        ] {
            check(text, Caller::Public(ip(text)));
            assert_eq!(key(ip(text)), None, "{text}");
        }
    }

    #[test]
    fn services_and_the_inside_of_aws_are_named() {
        check("cloudtrail.amazonaws.com", Caller::Service);
        check("ec2.cn-north-1.amazonaws.com.cn", Caller::Service);
        check("AWS Internal", Caller::Internal);
        check("AWS Internal/3", Caller::Internal);
    }

    #[test]
    fn everything_else_is_other() {
        for text in [
            "",
            "078.010.020.30",
            "1.2.3",
            "1.2.3.4 ",
            "AWS Internally",
            ".amazonaws.com",
            "evil.com/.amazonaws.com",
            "amazonaws.com",
            "fe80::1%eth0",
            "HIDDEN",
        ] {
            check(text, Caller::Other);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_has_an_answer(text in ".{0,60}") {
            let _ = caller(&text);
        }

        #[test]
        fn private_addresses_have_no_key(bits in any::<u32>()) {
            let address = IpAddr::V4(Ipv4Addr::from_bits(bits));
            if is_private(address) {
                prop_assert_eq!(key(address), None);
            }
        }
    }
}
