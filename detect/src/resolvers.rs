//! Who answers names by HTTPS: addresses that operators of public resolvers publish, and those of the user's list
//! `doh-resolvers`. At port 443 nothing else tells such a call from any other. What a trusted list holds is nobody's
//! concern.
//!
//! Of the pages of the operators: developers.cloudflare.com/1.1.1.1/ip-addresses, developers.google.com/speed/public-dns,
//! quad9.net/service/service-addresses-and-features, opendns.com/setupguide, adguard-dns.io/public-dns.html, alidns.com,
//! dns.sb. Many serve web pages about themselves at the same addresses.

use crate::rules::Lists;
use ingest::flow::{address, ip};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The user's list of such resolvers, by its name in the configuration.
const LIST: &str = "doh-resolvers";

const IPV4: &[[u8; 4]] = &[
    // Cloudflare.
    [1, 1, 1, 1],
    [1, 0, 0, 1],
    [1, 1, 1, 2],
    [1, 0, 0, 2],
    [1, 1, 1, 3],
    [1, 0, 0, 3],
    // Google.
    [8, 8, 8, 8],
    [8, 8, 4, 4],
    // Quad9.
    [9, 9, 9, 9],
    [149, 112, 112, 112],
    [9, 9, 9, 10],
    [149, 112, 112, 10],
    [9, 9, 9, 11],
    [149, 112, 112, 11],
    // OpenDNS.
    [208, 67, 222, 222],
    [208, 67, 220, 220],
    [208, 67, 222, 123],
    [208, 67, 220, 123],
    // AdGuard.
    [94, 140, 14, 14],
    [94, 140, 15, 15],
    [94, 140, 14, 15],
    [94, 140, 15, 16],
    [94, 140, 14, 140],
    [94, 140, 14, 141],
    // AliDNS.
    [223, 5, 5, 5],
    [223, 6, 6, 6],
    // DNS.SB.
    [185, 222, 222, 222],
    [45, 11, 45, 11],
];

const IPV6: &[[u16; 8]] = &[
    // Cloudflare.
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1001],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1112],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1002],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1113],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1003],
    // Google.
    [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888],
    [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844],
    // Quad9.
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe],
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0x9],
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0x10],
    [0x2620, 0xfe, 0, 0, 0, 0, 0xfe, 0x10],
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0x11],
    [0x2620, 0xfe, 0, 0, 0, 0, 0xfe, 0x11],
    // OpenDNS.
    [0x2620, 0x119, 0x35, 0, 0, 0, 0, 0x35],
    [0x2620, 0x119, 0x53, 0, 0, 0, 0, 0x53],
    // AdGuard.
    [0x2a10, 0x50c0, 0, 0, 0, 0, 0xad1, 0xff],
    [0x2a10, 0x50c0, 0, 0, 0, 0, 0xad2, 0xff],
    // AliDNS.
    [0x2400, 0x3200, 0, 0, 0, 0, 0, 1],
    [0x2400, 0x3200, 0xbaba, 0, 0, 0, 0, 1],
    // DNS.SB.
    [0x2a09, 0, 0, 0, 0, 0, 0, 0],
    [0x2a11, 0, 0, 0, 0, 0, 0, 0],
];

/// Whether names are answered by HTTPS at this address.
pub(crate) fn is_doh(peer: u128, lists: &Lists) -> bool {
    let of_v4 = |known: &[u8; 4]| address(Ipv4Addr::from(*known).into()) == peer;
    let of_v6 = |known: &[u16; 8]| address(Ipv6Addr::from(*known).into()) == peer;
    let is_listed = || lists.holding(ip(peer)).any(|name| name == LIST);
    let is_trusted = || lists.trusting(ip(peer)).next().is_some();
    let is_known = IPV4.iter().any(of_v4) || IPV6.iter().any(of_v6);
    if is_known { !is_trusted() } else { !lists.is_empty() && is_listed() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::List;
    use std::net::IpAddr;

    fn is_doh_of(peer: &str, lists: &Lists) -> bool {
        is_doh(address(peer.parse::<IpAddr>().unwrap()), lists)
    }

    #[test]
    fn published_and_listed_addresses_answer_names() {
        let none = Lists::default();
        for peer in ["1.1.1.1", "9.9.9.10", "2606:4700:4700::1111", "2620:fe::fe", "2a09::"] {
            assert!(is_doh_of(peer, &none), "{peer}");
        }
        assert!(!is_doh_of("198.51.100.7", &none) && !is_doh_of("2001:db8::7", &none));
        let list = |name, is_trusted| {
            let text = "198.51.100.0/24\n2001:db8::7\n1.1.1.1\n";
            Lists::new(vec![List::parse(name, text, is_trusted).unwrap()])
        };
        let own = list("doh-resolvers", false);
        assert!(is_doh_of("198.51.100.7", &own) && is_doh_of("2001:db8::7", &own));
        assert!(!is_doh_of("198.51.100.7", &list("watched", false)));
        let trusted = list("offices", true);
        assert!(!is_doh_of("1.1.1.1", &trusted) && is_doh_of("1.0.0.1", &trusted));
    }
}
