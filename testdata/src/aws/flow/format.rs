//! Rows of flow logs as text: which fields, in which order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Flow, Gap};
use crate::places;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is AWS's field of that name")]
pub enum Field {
    Version,
    AccountId,
    InterfaceId,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    Action,
    LogStatus,
    VpcId,
    SubnetId,
    InstanceId,
    TcpFlags,
    Type,
    PktSrcAddr,
    PktDstAddr,
    Region,
    AzId,
    SublocationType,
    SublocationId,
    PktSrcAwsService,
    PktDstAwsService,
    FlowDirection,
    TrafficPath,
    RejectReason,
    EncryptionStatus,
    /// One that rows of somebody else's have.
    Other(String),
}

use Field::{
    AccountId, Action, AzId, Bytes, DstAddr, DstPort, EncryptionStatus, End, FlowDirection,
    InstanceId, InterfaceId, LogStatus, Other, Packets, PktDstAddr, PktDstAwsService, PktSrcAddr,
    PktSrcAwsService, Protocol, Region, RejectReason, SrcAddr, SrcPort, Start, SublocationId,
    SublocationType, SubnetId, TcpFlags, TrafficPath, Type, Version, VpcId,
};

impl Field {
    /// AWS's name.
    pub fn name(&self) -> &str {
        match self {
            Version => "version",
            AccountId => "account-id",
            InterfaceId => "interface-id",
            SrcAddr => "srcaddr",
            DstAddr => "dstaddr",
            SrcPort => "srcport",
            DstPort => "dstport",
            Protocol => "protocol",
            Packets => "packets",
            Bytes => "bytes",
            Start => "start",
            End => "end",
            Action => "action",
            LogStatus => "log-status",
            VpcId => "vpc-id",
            SubnetId => "subnet-id",
            InstanceId => "instance-id",
            TcpFlags => "tcp-flags",
            Type => "type",
            PktSrcAddr => "pkt-srcaddr",
            PktDstAddr => "pkt-dstaddr",
            Region => "region",
            AzId => "az-id",
            SublocationType => "sublocation-type",
            SublocationId => "sublocation-id",
            PktSrcAwsService => "pkt-src-aws-service",
            PktDstAwsService => "pkt-dst-aws-service",
            FlowDirection => "flow-direction",
            TrafficPath => "traffic-path",
            RejectReason => "reject-reason",
            EncryptionStatus => "encryption-status",
            Other(name) => name,
        }
    }

    /// The field of that name; hyphens, underscores and case do not matter.
    fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let known = FIELDS_10.iter().find(|field| field.name() == name);
        known.cloned().unwrap_or(Other(name))
    }
}

/// Names of fields and their values in rows of an interface, whatever flows through it.
pub type Fields = BTreeMap<String, String>;

/// The fields of a flow log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The highest version among the fields.
    version: &'static str,
    fields: Cow<'static, [Field]>,
}

/// AWS's default.
pub const VERSION_2: Format = Format { version: "2", fields: Cow::Borrowed(FIELDS_2) };
const FIELDS_2: &[Field] = &[
    Version,
    AccountId,
    InterfaceId,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    Action,
    LogStatus,
];
/// A custom format that many use: everything about a flow up to version 5.
pub const VERSION_5: Format = Format { version: "5", fields: Cow::Borrowed(FIELDS_5) };
const FIELDS_5: &[Field] = &[
    Version,
    AccountId,
    VpcId,
    SubnetId,
    InstanceId,
    InterfaceId,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    TcpFlags,
    Type,
    Packets,
    Bytes,
    Start,
    End,
    PktSrcAddr,
    PktDstAddr,
    Region,
    AzId,
    FlowDirection,
    TrafficPath,
    Action,
    LogStatus,
];
/// A custom format in an order of its own, which begins with the time.
pub const VERSION_10: Format = Format { version: "10", fields: Cow::Borrowed(FIELDS_10) };
const FIELDS_10: &[Field] = &[
    Start,
    End,
    InterfaceId,
    InstanceId,
    SrcAddr,
    SrcPort,
    DstAddr,
    DstPort,
    PktSrcAddr,
    PktDstAddr,
    PktSrcAwsService,
    PktDstAwsService,
    Protocol,
    TcpFlags,
    Packets,
    Bytes,
    Action,
    RejectReason,
    LogStatus,
    FlowDirection,
    TrafficPath,
    Type,
    VpcId,
    SubnetId,
    AzId,
    SublocationType,
    SublocationId,
    Region,
    EncryptionStatus,
    AccountId,
    Version,
];

/// What does not change from row to row of an interface.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// Account id.
    pub account: &'a str,
    /// `eni-...`
    pub interface: &'a str,
    /// `vpc-...`
    pub vpc: &'a str,
    /// `subnet-...`
    pub subnet: &'a str,
    /// `i-...`, or `-` where AWS runs what is behind the interface.
    pub instance: &'a str,
    /// Region of the interface.
    pub region: &'a str,
    /// `use1-az4`
    pub zone: &'a str,
    /// The addresses of the interface: what comes from them leaves.
    pub own: (Option<Ipv4Addr>, Option<Ipv6Addr>),
    /// The VPC's first addresses: 65,536 and a /56.
    pub within: (Option<Ipv4Addr>, Option<Ipv6Addr>),
    /// `traffic-path` of what leaves the VPC by IPv4: 1 through a NAT gateway in it, 2 or 8 through
    /// the internet gateway. IPv6 knows no other way than a gateway.
    pub outward: &'a str,
    /// What else is known of it, and goes before what is said above.
    pub about: Option<&'a Fields>,
}

impl Format {
    /// The format of somebody's own flow log, which has these fields.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let fields = names.into_iter().map(Field::named).collect();
        Self { version: "-", fields: Cow::Owned(fields) }
    }

    /// Whether it tells what was encrypted.
    pub fn tells_encryption(&self) -> bool {
        self.fields.contains(&EncryptionStatus)
    }

    /// The first line of an object.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(Field::name).collect();
        names.join(" ") + "\n"
    }

    /// Appends the row of a flow.
    pub fn flow<I>(&self, flow: &Flow<I>, place: &Place<'_>, out: &mut Vec<u8>) {
        let row = Row { flow, place, leaves: place.is_own(flow.from.0) };
        for field in self.fields.iter() {
            match (place.about.and_then(|about| about.get(field.name())), field) {
                (Some(known), _) => text(known, out),
                (None, Version) => text(self.version, out),
                (None, _) => row.write(field, out),
            }
            out.push(b' ');
        }
        end_line(out);
    }

    /// Appends the row of a window without flows: the interface and the time are known, no more.
    pub fn gap(&self, gap: Gap, place: &Place<'_>, out: &mut Vec<u8>) {
        for field in self.fields.iter() {
            match field {
                Version => text(self.version, out),
                AccountId => text(place.account, out),
                InterfaceId => text(place.interface, out),
                VpcId => text(place.vpc, out),
                SubnetId => text(place.subnet, out),
                InstanceId => text(place.instance, out),
                Region => text(place.region, out),
                AzId => text(place.zone, out),
                Start => number(gap.start_s, out),
                End => number(gap.end_s, out),
                LogStatus => text(if gap.is_skipped { "SKIPDATA" } else { "NODATA" }, out),
                _ => out.push(b'-'),
            }
            out.push(b' ');
        }
        end_line(out);
    }
}

struct Row<'a, I> {
    flow: &'a Flow<I>,
    place: &'a Place<'a>,
    leaves: bool,
}

impl<I> Row<'_, I> {
    fn write(&self, field: &Field, out: &mut Vec<u8>) {
        let Self { flow, place, .. } = self;
        match field {
            AccountId => text(place.account, out),
            InterfaceId => text(place.interface, out),
            SrcAddr => address(flow.from.0, out),
            DstAddr => address(flow.to.0, out),
            SrcPort => number(flow.from.1, out),
            DstPort => number(flow.to.1, out),
            Protocol => number(flow.protocol, out),
            Packets => number(flow.packets, out),
            Bytes => number(flow.bytes, out),
            Start => number(flow.start_s, out),
            End => number(flow.end_s, out),
            Action => text(if flow.accepted { "ACCEPT" } else { "REJECT" }, out),
            LogStatus => text("OK", out),
            VpcId => text(place.vpc, out),
            SubnetId => text(place.subnet, out),
            InstanceId => text(place.instance, out),
            TcpFlags => number(flow.tcp_flags, out),
            Type => text(if flow.from.0.is_ipv4() { "IPv4" } else { "IPv6" }, out),
            PktSrcAddr => address(self.named_from(), out),
            PktDstAddr => address(self.named_to(), out),
            Region => text(place.region, out),
            AzId => text(place.zone, out),
            PktSrcAwsService => text(places::aws_service(self.named_from()), out),
            PktDstAwsService => text(places::aws_service(self.named_to()), out),
            FlowDirection => text(if self.leaves { "egress" } else { "ingress" }, out),
            TrafficPath => text(self.path(), out),
            EncryptionStatus => text(self.encryption(), out),
            // Nothing here is in an outpost, nor refused by anything but security groups.
            Version | SublocationType | SublocationId | RejectReason | Other(_) => out.push(b'-'),
        }
    }

    /// Where the packets themselves come from.
    fn named_from(&self) -> IpAddr {
        self.flow.beyond.filter(|_| self.leaves).unwrap_or(self.flow.from.0)
    }

    /// Where the packets themselves go.
    fn named_to(&self) -> IpAddr {
        self.flow.beyond.filter(|_| !self.leaves).unwrap_or(self.flow.to.0)
    }

    /// 0 is clear text, 1 what Nitro instances encrypt between them, 2 what AWS takes for TLS, 3 both.
    fn encryption(&self) -> &str {
        let Self { flow, place, .. } = self;
        let is_tls = flow.from.1 == 443 || flow.to.1 == 443;
        // Of somebody's own network nobody said where it ends.
        let is_unknown = place.within == (None, None);
        let is_near = |address: IpAddr| match address {
            IpAddr::V4(it) if is_unknown => it.is_private(),
            _ => place.is_within(address),
        };
        let is_within = is_near(flow.from.0) && is_near(flow.to.0);
        match (flow.is_clear, is_within, is_tls) {
            (true, ..) | (_, false, false) => "0",
            (_, true, false) => "1",
            (_, false, true) => "2",
            (_, true, true) => "3",
        }
    }

    /// 1 is within the VPC, 8 the internet gateway of a Nitro instance; of what leaves only.
    fn path(&self) -> &str {
        let to = self.flow.to.0;
        match (self.leaves, self.place.is_within(to)) {
            (false, _) => "-",
            (true, true) => "1",
            (true, false) if to.is_ipv6() => "8",
            (true, false) => self.place.outward,
        }
    }
}

impl<'a> Place<'a> {
    /// Of an interface of somebody's own nothing is known but its address and what its rows say.
    pub fn heard_of(
        account: &'a str,
        interface: &'a str,
        address: Ipv4Addr,
        about: &'a Fields,
    ) -> Self {
        Self {
            account,
            interface,
            vpc: "-",
            subnet: "-",
            instance: "-",
            region: "-",
            zone: "-",
            own: (Some(address), None),
            within: (None, None),
            outward: "-",
            about: Some(about),
        }
    }

    fn is_own(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.own.0 == Some(address),
            IpAddr::V6(address) => self.own.1 == Some(address),
        }
    }

    fn is_within(&self, address: IpAddr) -> bool {
        match (address, self.within) {
            (IpAddr::V4(it), (Some(first), _)) => u32::from(it) >> 16 == u32::from(first) >> 16,
            (IpAddr::V6(it), (_, Some(first))) => u128::from(it) >> 72 == u128::from(first) >> 72,
            _ => false,
        }
    }
}

fn end_line(out: &mut [u8]) {
    if let Some(last) = out.last_mut() {
        *last = b'\n';
    }
}

fn text(it: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(it.as_bytes());
}

fn number(it: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(it).as_bytes());
}

fn address(it: IpAddr, out: &mut Vec<u8>) {
    match it {
        IpAddr::V4(it) => {
            let [first, rest @ ..] = it.octets();
            number(first, out);
            for octet in rest {
                out.push(b'.');
                number(octet, out);
            }
        }
        IpAddr::V6(it) => {
            // Writing to a Vec cannot fail.
            let _ok = write!(out, "{it}").is_ok();
        }
    }
}
