//! The values that say what was counted of calls: a peer, a service of it, a pair of subnets. In: a call. Out: its value,
//! made once in a chunk.

use super::{TCP, UDP};
use crate::intern::Interner;
use baseline::{HashKey, Value};
use ingest::flow::{Call, ip};

/// How services inside were called, in front of their values.
pub(crate) const CLEAR: &str = "clear ";
pub(crate) const ENCRYPTED: &str = "encrypted ";

/// Of the addresses of one subnet so many bits are equal, as far as logs tell: AWS's subnets of IPv6 are /64, those of
/// IPv4 of any size.
const SUBNET_BITS_IPV6: u32 = 64;
const SUBNET_BITS_IPV4: u32 = 24;

/// Before an IPv4 address in IPv6. Unit: bits.
const MAPPED_BITS: u32 = 96;

/// What the value of a count is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    /// The peer.
    Peer,
    /// `peer port`.
    Service,
    /// `protocol port peer`.
    Flood,
    /// `protocol port`.
    Port,
    /// `dns peer`, `dot peer` or `doh peer`, by the port.
    Resolver,
    /// `clear peer port`.
    Clear,
    /// `encrypted peer port`.
    Encrypted,
}

/// The value that names a service of a call.
pub(super) fn service(
    services: &mut Interner<Value>,
    (call, named, peer): (&Call, Named, &mut dyn FnMut() -> Value),
    key: &HashKey,
) -> Value {
    let Call { port, protocol, .. } = *call;
    let [high, low] = port.to_be_bytes();
    let mut text = [0; 20];
    let [address @ .., a, b, c, d] = &mut text;
    address.copy_from_slice(&call.peer.to_be_bytes());
    (*a, *b, *c, *d) = (high, low, protocol, named as u8);
    let mut new = || {
        let peer = peer();
        let of = &peer.text;
        let text = match named {
            Named::Peer => return peer,
            Named::Service => format!("{of} {port}"),
            Named::Clear => format!("{CLEAR}{of} {port}"),
            Named::Encrypted => format!("{ENCRYPTED}{of} {port}"),
            Named::Resolver if port == 853 => format!("dot {of}"),
            Named::Resolver if port == 443 => format!("doh {of}"),
            Named::Resolver => format!("dns {of}"),
            Named::Port => format!("{} {port}", name(protocol)),
            Named::Flood => format!("{} {port} {of}", name(protocol)),
        };
        key.value(&text)
    };
    let number = services.number(&text, &mut new);
    services.get(number).map_or_else(new, Value::clone)
}

/// The subnets of a call that leaves its own and is answered inside.
pub(super) fn segments(call: &Call, is_public: bool) -> Option<[u128; 2]> {
    let is_apt = !call.is_inbound && call.is_answered && !is_public && call.port != 0;
    let pair = [subnet(call.own), subnet(call.peer)];
    let [own, other] = pair;
    (is_apt && own != other).then_some(pair)
}

/// The first address of the subnet of an address.
fn subnet(address: u128) -> u128 {
    let bits = if is_mapped(address) { MAPPED_BITS + SUBNET_BITS_IPV4 } else { SUBNET_BITS_IPV6 };
    address & (u128::MAX << (u128::BITS - bits))
}

/// The value of a pair of subnets.
pub(super) fn segments_value(
    services: &mut Interner<Value>,
    pair: [u128; 2],
    key: &HashKey,
) -> Value {
    let [own, other] = pair;
    let text: Vec<u8> = [own, other].iter().flat_map(|one| one.to_be_bytes()).collect();
    let named = |subnet| {
        let bits = if is_mapped(subnet) { SUBNET_BITS_IPV4 } else { SUBNET_BITS_IPV6 };
        format!("{}/{bits}", ip(subnet))
    };
    let new = || key.value(&format!("{} {}", named(own), named(other)));
    let number = services.number(&text, new);
    services.get(number).map_or_else(new, Value::clone)
}

/// Whether it is an IPv4 address in IPv6.
pub(super) fn is_mapped(address: u128) -> bool {
    address >> 32 == 0xffff
}

/// What a protocol is called.
fn name(protocol: u8) -> String {
    match protocol {
        TCP => "tcp".to_owned(),
        UDP => "udp".to_owned(),
        other => format!("protocol-{other}"),
    }
}
