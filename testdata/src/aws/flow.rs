//! VPC Flow Logs in the default format of version 2, in text objects with a header line.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::net::Ipv4Addr;

use libdeflater::CompressionError;

use super::gzip;
use crate::Archive;
use crate::clock::{folder, round_up, stamp};
use crate::rng::Rng;

/// The first line of an object.
pub const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol \
                      packets bytes start end action log-status";

/// Names and values of fields that tell of an interface, whatever flows through it.
pub type Fields = BTreeMap<String, String>;

/// Which fields a flow log writes, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Lower case, with hyphens.
    fields: Vec<String>,
}

impl Format {
    /// A format of these fields; hyphens, underscores and case do not matter.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let name = |field: &str| field.to_ascii_lowercase().replace('_', "-");
        Self { fields: fields.into_iter().map(name).collect() }
    }

    /// The header line.
    pub fn header(&self) -> String {
        self.fields.join(" ")
    }

    /// Appends the row of `flow`. Of the interface, which has the address `own`, it says `about`;
    /// what nobody knows is `-`.
    pub fn write<I: Clone + Display>(
        &self,
        flow: &Flow<I>,
        account: &str,
        (own, about): (Option<Ipv4Addr>, Option<&Fields>),
        out: &mut String,
    ) {
        for (n, field) in self.fields.iter().enumerate() {
            out.push_str(if n > 0 { " " } else { "" });
            let known = about.and_then(|about| about.get(field)).map(String::as_str);
            let value = flow.value(field, account, own);
            out.push_str(value.as_deref().or(known).unwrap_or("-"));
        }
        out.push('\n');
    }
}

/// One way of one connection within one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow<I = &'static str> {
    /// `interface-id`.
    pub interface: I,
    /// `srcaddr` and `srcport`.
    pub from: (Ipv4Addr, u16),
    /// `dstaddr` and `dstport`.
    pub to: (Ipv4Addr, u16),
    /// 6 TCP, 17 UDP.
    pub protocol: u8,
    /// `packets`.
    pub packets: i64,
    /// `bytes`.
    pub bytes: i64,
    /// `start`. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// `end`. Unit: seconds since the Unix epoch.
    pub end_s: i64,
    /// `ACCEPT`, else `REJECT`.
    pub accepted: bool,
}

impl<I: Clone + Display> Flow<I> {
    /// The answer to this flow in the same window.
    #[must_use]
    pub fn answer(&self, packets: i64, bytes: i64) -> Self {
        Self { from: self.to, to: self.from, packets, bytes, ..self.clone() }
    }

    /// What names the flow: interface, both ends, protocol and start.
    pub fn key(&self) -> String {
        let Self { interface, from, to, protocol, start_s, .. } = self;
        format!("{interface} {} {} {} {} {protocol} {start_s}", from.0, to.0, from.1, to.1)
    }

    /// What a row says of it in `field`, at the interface of `account` that has the address `own`.
    fn value(&self, field: &str, account: &str, own: Option<Ipv4Addr>) -> Option<String> {
        let text = match field {
            "account-id" => account.to_owned(),
            "interface-id" => self.interface.to_string(),
            "srcaddr" | "pkt-srcaddr" => self.from.0.to_string(),
            "dstaddr" | "pkt-dstaddr" => self.to.0.to_string(),
            "srcport" => self.from.1.to_string(),
            "dstport" => self.to.1.to_string(),
            "protocol" => self.protocol.to_string(),
            "packets" => self.packets.to_string(),
            "bytes" => self.bytes.to_string(),
            "start" => self.start_s.to_string(),
            "end" => self.end_s.to_string(),
            "action" => (if self.accepted { "ACCEPT" } else { "REJECT" }).to_owned(),
            "log-status" => "OK".to_owned(),
            "type" => "IPv4".to_owned(),
            "tcp-flags" => self.flags()?.to_string(),
            "flow-direction" => (if own? == self.from.0 { "egress" } else { "ingress" }).to_owned(),
            _ => return None,
        };
        Some(text)
    }

    /// TCP flags of the window, OR-ed: who calls sends SYN from a port above the other's, who
    /// answers SYN and ACK; more than two packets end with FIN.
    fn flags(&self) -> Option<u8> {
        const TCP: u8 = 6;
        let opening = if self.from.1 > self.to.1 { 0x02 } else { 0x12 };
        (self.protocol == TCP).then_some(if self.packets > 2 { opening | 0x01 } else { opening })
    }

    /// The row of it in the default format of version 2, appended to `out`.
    pub fn write(&self, account: &str, out: &mut String) {
        let Self { interface, from, to, protocol, packets, bytes, start_s, end_s, accepted } = self;
        let action = if *accepted { "ACCEPT" } else { "REJECT" };
        // Writing to a String cannot fail.
        let _ok = writeln!(
            out,
            "2 {account} {interface} {} {} {} {} {protocol} {packets} {bytes} {start_s} {end_s} \
             {action} OK",
            from.0, to.0, from.1, to.1
        )
        .is_ok();
    }
}

/// Which flow log writes, and how often it delivers.
#[derive(Debug, Clone, Copy)]
pub struct FlowLog<'a> {
    /// Account of the interfaces.
    pub account: &'a str,
    /// Region of the interfaces.
    pub region: &'a str,
    /// `fl-...`
    pub id: &'a str,
    /// An object holds what ended within this span. Unit: seconds.
    pub object_s: i64,
    /// From the end of the span to the stamp. Unit: seconds.
    pub delay_s: i64,
}

/// Puts `flows` into objects.
pub fn deliver(
    flows: &[Flow],
    log: FlowLog<'_>,
    rng: &mut Rng,
) -> Result<Archive, CompressionError> {
    let mut slots: BTreeMap<i64, Vec<&Flow>> = BTreeMap::new();
    for flow in flows {
        slots.entry(round_up(flow.end_s, log.object_s)).or_default().push(flow);
    }
    let mut archive = Archive::new();
    for (slot_s, mut flows) in slots {
        flows.sort_by_key(|flow| (flow.end_s, flow.key()));
        let mut text = format!("{HEADER}\n");
        for flow in flows {
            flow.write(log.account, &mut text);
        }
        let (FlowLog { account, region, id, .. }, stamp_s) = (log, slot_s + log.delay_s);
        let key = key(account, region, id, (stamp_s, &rng.hex(8)));
        archive.insert(key, gzip(text.as_bytes())?);
    }
    Ok(archive)
}

/// The key of an object of flow logs.
pub fn key(account: &str, region: &str, log: &str, (stamp_s, suffix): (i64, &str)) -> String {
    format!(
        "AWSLogs/{account}/vpcflowlogs/{region}/{}/{account}_vpcflowlogs_{region}_{log}_{}_{suffix}.log.gz",
        folder(stamp_s),
        stamp(stamp_s),
    )
}
