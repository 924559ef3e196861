//! What logs tell of one identity, gathered record by record: the victim of a story that goes into
//! these logs, and the hours it keeps. All of it is bounded, however long the logs are.

mod identity;
mod moment;
mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Story, Told, Victim, VictimError, VictimKind, Who};
use crate::aws::caller::agents;
use crate::aws::flow::{Fields, Format};
use crate::organisation::part;
use crate::rng::Rng;
use moment::Habit;
use network::Interfaces;

pub use identity::Identity;
pub use moment::DAYS_MAX;
pub use network::{ADDRESSES_MAX, INTERFACES_MAX};

/// Buckets that are remembered of an identity, and as many of the rest of its account.
pub const BUCKETS_MAX: usize = 16;
/// Objects that are remembered of a bucket; a story touches fewer.
pub const OBJECTS_MAX: usize = 1_000;
/// Secrets of the account that are remembered.
pub const SECRETS_MAX: usize = 64;
/// Pairs of address and tool, trails and other accounts that are remembered, of each so many.
pub const PLACES_MAX: usize = 256;
/// Longer texts are not remembered; keys of S3 have at most 1,024 bytes. Unit: bytes.
pub const TEXT_BYTES_MAX: usize = 2_048;

/// How often things were seen: of the first so many things.
#[derive(Debug, Clone)]
struct Tally<T> {
    most: usize,
    counts: BTreeMap<T, u64>,
}

impl<T: Ord> Tally<T> {
    fn new(most: usize) -> Self {
        Self { most, counts: BTreeMap::new() }
    }

    fn count<Q>(&mut self, thing: &Q)
    where
        T: std::borrow::Borrow<Q>,
        Q: Ord + ToOwned<Owned = T> + ?Sized,
    {
        if let Some(n) = self.counts.get_mut(thing) {
            *n += 1;
        } else if self.counts.len() < self.most {
            self.counts.insert(thing.to_owned(), 1);
        }
    }

    /// From the one seen most often on; of equals the smaller first.
    fn ranked(&self) -> Vec<&T> {
        let mut ranked: Vec<_> = self.counts.iter().collect();
        ranked.sort_by(|(_, one), (_, other)| other.cmp(one));
        ranked.into_iter().map(|(thing, _)| thing).collect()
    }

    fn most(&self) -> Option<&T> {
        self.ranked().first().copied()
    }
}

impl Tally<String> {
    fn text(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX) {
            self.count(text);
        }
    }
}

/// A call, as far as stories care.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// Unit: seconds since the Unix epoch.
    pub time_s: i64,
    /// `recipientAccountId`.
    pub account: &'a str,
    /// `awsRegion`.
    pub region: &'a str,
    /// `sourceIPAddress`.
    pub address: &'a str,
    /// `userAgent`.
    pub agent: &'a str,
    /// `userIdentity`, JSON as it stands in the record.
    pub identity: &'a str,
    /// The bucket that was touched.
    pub bucket: Option<&'a str>,
    /// The object in it.
    pub object: Option<&'a str>,
    /// Name or ARN of a secret that was read.
    pub secret: Option<&'a str>,
    /// Name or ARN of a trail that was asked for or changed.
    pub trail: Option<&'a str>,
}

/// What logs tell of one identity.
#[derive(Debug, Clone)]
pub struct Known {
    account: String,
    regions: Tally<String>,
    places: Tally<(String, String)>,
    /// Of the last call with credentials.
    identity: String,
    habit: Habit,
    buckets: BTreeMap<String, Tally<String>>,
    bucket_calls: Tally<String>,
    other_buckets: Tally<String>,
    secrets: Tally<String>,
    trails: Tally<String>,
    accounts: Tally<String>,
    interfaces: Option<Interfaces>,
    /// By flow log: an interface may be in several. Those without a name are one.
    formats: BTreeMap<String, Format>,
    flow_logs: Tally<String>,
}

impl Known {
    /// Nothing is known yet of an identity in `account`; with `interface` it is a network interface.
    pub fn new(account: &str, interface: Option<&str>) -> Self {
        Self {
            account: account.to_owned(),
            regions: Tally::new(PLACES_MAX),
            places: Tally::new(PLACES_MAX),
            identity: String::new(),
            habit: Habit::default(),
            buckets: BTreeMap::new(),
            bucket_calls: Tally::new(BUCKETS_MAX),
            other_buckets: Tally::new(BUCKETS_MAX),
            secrets: Tally::new(SECRETS_MAX),
            trails: Tally::new(PLACES_MAX),
            accounts: Tally::new(PLACES_MAX),
            interfaces: interface.map(Interfaces::near),
            formats: BTreeMap::new(),
            flow_logs: Tally::new(PLACES_MAX),
        }
    }

    /// Takes a call of the identity itself.
    pub fn own(&mut self, seen: &Seen<'_>) {
        self.habit.at(seen.time_s);
        self.regions.text(Some(seen.region));
        let is_short = seen.address.len() + seen.agent.len() <= TEXT_BYTES_MAX;
        // Where a service calls in the identity's name, it names itself.
        if is_short && seen.address.parse::<IpAddr>().is_ok() {
            self.places.count(&(seen.address.to_owned(), seen.agent.to_owned()));
        }
        // A sign-in has no key; who has only signed in is told so.
        if self.identity.is_empty() || seen.identity.contains("\"accessKeyId\"") {
            seen.identity.clone_into(&mut self.identity);
        }
        self.bucket_calls.text(seen.bucket);
        if let (Some(bucket), Some(object)) = (seen.bucket, seen.object)
            && self.bucket_calls.counts.contains_key(bucket)
        {
            let objects = self.buckets.entry(bucket.to_owned());
            objects.or_insert_with(|| Tally::new(OBJECTS_MAX)).text(Some(object));
        }
        self.around(seen);
    }

    /// Takes a call of anybody: what there is in the account, and which others there are.
    pub fn around(&mut self, seen: &Seen<'_>) {
        if seen.account != self.account {
            self.accounts.text(Some(seen.account).filter(|id| is_account(id)));
            return;
        }
        let name = |text: Option<&str>, part: &str| {
            text.map(|text| text.split_once(part).map_or(text, |(_, name)| name).to_owned())
        };
        self.other_buckets.text(seen.bucket);
        self.secrets.text(name(seen.secret, ":secret:").as_deref());
        self.trails.text(name(seen.trail, ":trail/").as_deref());
    }

    /// Takes a row of a flow log of `region` that ended at `end_s`; `fields` are asked for at the
    /// first of each interface. Unit: seconds since the Unix epoch.
    pub fn row(
        &mut self,
        interface: &str,
        (region, end_s): (&str, i64),
        ends: [Option<IpAddr>; 2],
        fields: &mut dyn FnMut() -> Fields,
    ) {
        let Some(interfaces) = &mut self.interfaces else { return };
        if interfaces.own() == interface {
            self.habit.at(end_s);
            self.regions.text(Some(region));
        }
        interfaces.row(interface, ends, fields);
    }

    /// The interface's rows were in an object of this flow log, under this header line.
    pub fn flow_log(&mut self, id: Option<&str>, format: Format) {
        let id = id.filter(|id| is_name(id)).unwrap_or_default();
        self.flow_logs.text(Some(id));
        if id.is_empty() || self.flow_logs.counts.contains_key(id) {
            self.formats.insert(id.to_owned(), format);
        }
    }

    /// Tells `story` of the identity in logs from the first to the last moment of `span_s`, from
    /// `at_s` on, or else from a moment on that suits both. Unit: seconds since the Unix epoch.
    pub fn tell(
        &self,
        story: &Story,
        (span_s, at_s): ((i64, i64), Option<i64>),
        seed: u64,
    ) -> Result<(Victim, Told), VictimError> {
        let victim = self.victim(story)?;
        let of = super::deliver::fold(story.name.bytes().chain(victim.entity().bytes()));
        let mut rng = Rng::for_part(seed, &[part::STORY, of]);
        let drawn_s = self.habit.moment(story, span_s, &mut rng);
        let start_s = at_s.unwrap_or(drawn_s);
        // At another time it has other ids: logs may hold it twice.
        let rng = Rng::for_part(rng.bits(), &[start_s.unsigned_abs()]);
        let told = story.told(&victim, (span_s.0, start_s), rng);
        Ok((victim, told))
    }

    /// The victim that `story` is told of, if it is of the right kind.
    fn victim(&self, story: &Story) -> Result<Victim, VictimError> {
        let region = self.regions.most().ok_or(VictimError::Lacks("awsRegion"))?;
        let region = region_of(region)?;
        if !is_account(&self.account) {
            return Err(VictimError::Lacks("accountId of 12 digits"));
        }
        let mut interface = None;
        let (who, kinds): (Who, &[VictimKind]) = if let Some(interfaces) = &self.interfaces {
            let mut found = interfaces.interface()?;
            let flow_log = self.flow_logs.most().map_or("", String::as_str);
            if let Some(format) = self.formats.get(flow_log) {
                found.format.clone_from(format);
            }
            found.flow_log = self.flow_logs.most().map_or_else(|| "fl-0".to_owned(), Clone::clone);
            let kinds: &[VictimKind] = if found.format.tells_encryption() {
                &[VictimKind::Interface, VictimKind::EncryptedInterface]
            } else {
                &[VictimKind::Interface]
            };
            interface = Some(found);
            (Who::nobody(&self.account), kinds)
        } else {
            let identity = Identity::read(&self.identity)?;
            let kinds = identity.kinds();
            (Who::Known(identity), kinds)
        };
        if !kinds.contains(&story.victim) {
            return Err(VictimError::Unfit { story: story.name, of: story.victim, kinds });
        }
        let (address, agent) = self.places.most().cloned().unwrap_or_default();
        let buckets = self.bucket_calls.ranked().into_iter().chain(self.other_buckets.ranked());
        let mut met = BTreeSet::new();
        let buckets: Vec<String> = buckets.filter(|name| met.insert(*name)).cloned().collect();
        let objects = buckets.first().and_then(|bucket| self.buckets.get(bucket));
        let objects = objects.map(|objects| objects.counts.keys().cloned().collect());
        Ok(Victim {
            laptop: agents::WINDOWS,
            account: self.account.clone(),
            region,
            who,
            address,
            agent,
            zone: self.habit.zone(),
            buckets,
            objects: objects.unwrap_or_default(),
            secrets: self.secrets.counts.keys().cloned().collect(),
            trail: self.trails.most().map_or_else(|| "main".to_owned(), Clone::clone),
            second_account: self.accounts.most().cloned(),
            interface,
        })
    }
}

/// The name of a region, for as long as the program runs: a story is about one.
fn region_of(text: &str) -> Result<&'static str, VictimError> {
    if !text.contains('-') || !is_name(text) {
        return Err(VictimError::Region(text.to_owned()));
    }
    let known = crate::places::REGIONS.into_iter().find(|known| *known == text);
    Ok(known.unwrap_or_else(|| Box::leak(Box::from(text))))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text can be part of the name of an object.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 32 && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests;
