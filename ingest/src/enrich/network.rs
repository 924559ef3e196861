//! Networks: their names, their classes, and which of them are Amazon's.

use std::fmt;

use super::table::{Kind, Table, varint};

pub(super) static NAMES: &[u8] = include_bytes!("../../data/names.bin");

/// Number of an autonomous system: a network that speaks for itself on the internet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Asn(pub u32);

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// What kind of callers a network carries, as far as a short list can tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NetworkClass {
    /// Unknown or ordinary: homes, offices, everything that is not listed.
    Access,
    /// Amazon's own.
    Amazon,
    /// Large clouds other than Amazon's.
    Cloud,
    /// Rented servers.
    Hosting,
    /// Networks that are mostly exits of commercial VPNs.
    Vpn,
    /// Mobile carriers: one address for many people, far from them.
    Mobile,
    /// Satellite: the address is the ground station's.
    Satellite,
    /// Privacy relays and content networks: iCloud Private Relay, Cloudflare WARP.
    Relay,
    /// Universities and research.
    Education,
}

impl Asn {
    /// The organisation's name; `None` when the table has none. Inflates about 30 KiB each time.
    pub fn name(self) -> Option<Box<str>> {
        let table = Table::open(NAMES, Kind::Names)?;
        let wanted = u64::from(self.0);
        let block = table.firsts().take_while(|first| *first <= wanted).count().checked_sub(1)?;
        let (mut asn, entries, raw) = table.inflate(block)?;
        let mut heads = raw.as_slice();
        let (mut before, mut found) = (0_usize, None);
        for _ in 0..entries {
            asn = asn.checked_add(varint(&mut heads)?)?;
            let length = usize::try_from(varint(&mut heads)?).ok()?;
            if asn == wanted {
                found = Some(before..before.checked_add(length)?);
            }
            before = before.checked_add(length)?;
        }
        std::str::from_utf8(heads.get(found?)?).ok().map(Box::from)
    }

    /// The class of the network.
    pub fn class(self) -> NetworkClass {
        match CLASSES.binary_search_by_key(&self.0, |(asn, ..)| *asn) {
            Ok(at) => CLASSES.get(at).map_or(NetworkClass::Access, |(_, class, _)| *class),
            Err(_) => NetworkClass::Access,
        }
    }

    /// Whether the network is Amazon's: a caller from it is inside AWS or rents a machine there.
    pub fn is_amazon(self) -> bool {
        self.class() == NetworkClass::Amazon
    }
}

use NetworkClass::{Amazon, Cloud, Education, Hosting, Mobile, Relay, Satellite, Vpn};

/// Number, class and the word that the names table must have for it, ascending by number.
///
/// Sources: whom the number is registered to, as the regional registries publish it in whois; a
/// test compares the word with the table that is built in. What a network is used for, where the
/// name does not say it, is noted beside the line and is common knowledge among operators, not a
/// publication of the owner's.
static CLASSES: &[(u32, NetworkClass, &str)] = &[
    (3, Education, "Massachusetts Institute"),
    (32, Education, "Stanford"),
    (680, Education, "Forschungsnetz"),
    (786, Education, "Jisc"),
    (800, Satellite, "OneWeb"),
    (801, Amazon, "Amazon"),
    (1358, Satellite, "Hughes"),
    // Verizon Wireless.
    (6167, Mobile, "Verizon"),
    (6621, Satellite, "Hughes"),
    (7155, Satellite, "ViaSat"),
    (7224, Amazon, "Amazon"),
    (8070, Cloud, "Microsoft"),
    (8075, Cloud, "Microsoft"),
    (8315, Hosting, "WorldStream"),
    (8560, Hosting, "IONOS"),
    (8987, Amazon, "Amazon"),
    // M247 rents servers, mostly to VPN services.
    (9009, Vpn, "M247"),
    (9605, Mobile, "DOCOMO"),
    (11537, Education, "Internet2"),
    (12440, Satellite, "Hughes"),
    (12876, Hosting, "Scaleway"),
    (13335, Relay, "Cloudflare"),
    (14061, Cloud, "DigitalOcean"),
    // Starlink.
    (14593, Satellite, "Space Exploration"),
    (14618, Amazon, "Amazon"),
    (14789, Relay, "Cloudflare"),
    (15169, Cloud, "Google"),
    (16276, Hosting, "OVH"),
    (16491, Satellite, "ViaSat"),
    (16509, Amazon, "Amazon"),
    (16637, Mobile, "MTN"),
    (20057, Mobile, "AT&T"),
    // Vultr.
    (20473, Hosting, "Constant Company"),
    (21664, Amazon, "Amazon"),
    (21928, Mobile, "T-Mobile"),
    // Verizon Wireless.
    (22394, Mobile, "Verizon"),
    (24940, Hosting, "Hetzner"),
    // Vodafone UK's mobile customers.
    (25135, Mobile, "Vodafone"),
    (28753, Hosting, "Leaseweb"),
    (29802, Hosting, "HIVELOCITY"),
    (30058, Hosting, "FDCservers"),
    (30633, Hosting, "Leaseweb"),
    (31133, Mobile, "MegaFon"),
    (31515, Satellite, "Inmarsat"),
    (31898, Cloud, "Oracle"),
    (35540, Hosting, "OVH"),
    // An egress of iCloud Private Relay.
    (36183, Relay, "Akamai"),
    (36263, Amazon, "Amazon"),
    (36351, Cloud, "IBM Cloud"),
    (36352, Hosting, "HostPapa"),
    (37963, Cloud, "Alibaba"),
    (38895, Amazon, "Amazon"),
    // Hosts of Mullvad.
    (39351, Vpn, "31173"),
    (40021, Hosting, "Contabo"),
    (40306, Satellite, "ViaSat"),
    (40676, Hosting, "Psychz"),
    (45090, Cloud, "Tencent"),
    (45102, Cloud, "Alibaba"),
    // Airtel's mobile customers.
    (45609, Mobile, "Airtel"),
    (46536, Satellite, "ViaSat"),
    (46606, Hosting, "Unified Layer"),
    (46652, Cloud, "DigitalOcean"),
    (51167, Hosting, "Contabo"),
    (53667, Hosting, "FranTech"),
    // An egress of iCloud Private Relay.
    (54113, Relay, "Fastly"),
    (55836, Mobile, "Jio"),
    (55990, Cloud, "Huawei Cloud"),
    // Datacamp (CDN77) rents servers, mostly to VPN services.
    (60068, Vpn, "Datacamp"),
    (60781, Hosting, "LeaseWeb"),
    (62240, Hosting, "Clouvider"),
    (62371, Vpn, "Proton"),
    (62785, Amazon, "Amazon"),
    // Linode.
    (63949, Cloud, "Akamai"),
    (132_203, Cloud, "Tencent"),
    (132_892, Relay, "Cloudflare"),
    (197_540, Hosting, "netcup"),
    (199_218, Vpn, "Proton"),
    (200_350, Cloud, "Yandex"),
    (202_623, Relay, "Cloudflare"),
    (203_619, Vpn, "IVPN"),
    (208_172, Vpn, "Proton"),
    (209_103, Vpn, "Proton"),
    (209_242, Relay, "Cloudflare"),
    (212_238, Vpn, "Datacamp"),
    (213_230, Hosting, "Hetzner"),
    (216_025, Vpn, "Mullvad"),
    (395_954, Hosting, "Leaseweb"),
    (396_190, Hosting, "Leaseweb"),
    (396_982, Cloud, "Google"),
    (398_101, Hosting, "GoDaddy"),
    (400_098, Amazon, "Amazon Technologies"),
    (401_395, Amazon, "Amazon Technologies"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_ascends_and_agrees_with_the_names_table() {
        assert!(CLASSES.is_sorted_by(|(a, ..), (b, ..)| a < b));
        for (asn, _, word) in CLASSES {
            let name = Asn(*asn).name().unwrap_or_else(|| panic!("AS{asn} has no name"));
            assert!(name.contains(word), "AS{asn} is {name}, expected {word}");
        }
    }

    #[test]
    fn amazon_is_amazon_and_nobody_else_is() {
        assert!(Asn(16509).is_amazon());
        assert!(Asn(14618).is_amazon());
        assert!(!Asn(15169).is_amazon());
        assert_eq!(Asn(15169).class(), NetworkClass::Cloud);
        assert_eq!(Asn(7922).class(), NetworkClass::Access);
    }

    #[test]
    fn numbers_print_as_operators_write_them() {
        assert_eq!(Asn(16509).to_string(), "AS16509");
    }

    #[test]
    fn numbers_that_nobody_announces_have_no_name() {
        assert_eq!(Asn(0).name(), None);
        assert_eq!(Asn(u32::MAX).name(), None);
    }

    #[test]
    fn every_name_reads() {
        let table = Table::open(NAMES, Kind::Names).unwrap();
        for first in table.firsts() {
            let asn = Asn(u32::try_from(first).unwrap());
            assert!(asn.name().is_some(), "{asn}");
        }
    }
}
