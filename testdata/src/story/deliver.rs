//! Told stories on their way into logs, alone or beside an organisation's own.

use std::collections::BTreeMap;
use std::error::Error;

use super::{Packets, Told, Victim};
use crate::aws::flow::{HEADER, key};
use crate::aws::gzip;
use crate::clock::round_up;
use crate::organisation::{Organisation, Size};
use crate::post::{Post, Sink, Written};
use crate::rng::Rng;

/// An object holds what ended within this span. Unit: seconds.
const OBJECT_S: i64 = 300;
/// From the end of the span to the stamp. Unit: seconds.
const DELAY_S: i64 = 300;

/// One flow log's object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    stamp_s: i64,
    account: String,
    region: &'static str,
    log: String,
}

/// Flows of told stories, packed in objects of their own in the default format of version 2.
#[derive(Debug, Default)]
pub struct FlowPost {
    slots: BTreeMap<Slot, Vec<Packets>>,
}

impl FlowPost {
    /// Takes a flow of the victim's flow log.
    pub fn flow(&mut self, victim: &Victim, packets: Packets) {
        let log = victim.interface.as_ref().map_or("fl-0", |at| at.flow_log.as_str()).to_owned();
        let stamp_s = round_up(packets.end_s, OBJECT_S) + DELAY_S;
        let slot = Slot { stamp_s, account: victim.account.clone(), region: victim.region, log };
        self.slots.entry(slot).or_default().push(packets);
    }

    /// Packs and hands on what is stamped before `until_s`; answers what was written.
    pub fn flush(&mut self, until_s: i64, sink: &mut dyn Sink) -> Result<Written, Box<dyn Error>> {
        let mut written = Written::default();
        while let Some(entry) = self.slots.first_entry() {
            if entry.key().stamp_s >= until_s {
                break;
            }
            let (slot, flows) = entry.remove_entry();
            let mut text = format!("{HEADER}\n");
            for flow in &flows {
                flow.write(&slot.account, &mut text);
            }
            let Slot { stamp_s, account, region, log } = slot;
            let seed = log.bytes().fold(stamp_s.unsigned_abs(), |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(byte))
            });
            let suffix = Rng::new(seed).hex(8);
            let key = key(&account, region, &log, (stamp_s, &suffix));
            let bytes = gzip(text.as_bytes())?;
            sink.object(&key, &bytes)?;
            written.objects += 1;
            written.flows += flows.len() as u64;
            written.bytes += text.len() as u64;
            written.stored_bytes += bytes.len() as u64;
        }
        Ok(written)
    }
}

/// Writes what was told of `victim`, alone, into objects that go beside the user's own: in the
/// folder of `organisation_id` where their trail is an organisation's, else in the account's.
pub fn deliver(
    told: &Told,
    victim: &Victim,
    organisation_id: Option<&str>,
    sink: &mut dyn Sink,
) -> Result<Written, Box<dyn Error>> {
    let size = Size { accounts: 1, people: 1, machines: 0, pipelines: 0, agents: 0, vpcs: 0 };
    let seed = told
        .truth
        .name
        .bytes()
        .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let first_s = told.records.first().map_or(0, |(_, record)| record.time_s);
    let mut of = Organisation::new(seed, size, (first_s, 1));
    organisation_id.unwrap_or_default().clone_into(&mut of.id);
    let Some(account) = of.accounts.first().cloned() else { return Ok(Written::default()) };
    let mut ids: Vec<&String> = told.records.iter().map(|(account, _)| account).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = |id: &String| {
        let mut account = account.clone();
        account.id.clone_from(id);
        account.has_second_trail = false;
        account
    };
    of.accounts = ids.iter().map(|id| known(id)).collect();
    let mut post = Post::new(&of, false);
    for (id, record) in &told.records {
        let number = ids.iter().position(|known| *known == id).unwrap_or(0);
        post.record(number, record.clone());
    }
    let mut flows = FlowPost::default();
    for packets in &told.flows {
        flows.flow(victim, packets.clone());
    }
    let written = post.finish(sink)?;
    Ok(written.and(flows.flush(i64::MAX, sink)?))
}
