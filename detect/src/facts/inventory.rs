//! Which address belongs to which interface, and which interface to which instance, as CloudTrail's answers
//! and flow logs say.

use super::{Fact, OfAccount, Topic};
use crate::record::{Counts, Record};
use baseline::{Day, Hour};
use ingest::{Raw, event::Outcome};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

/// Days before its own that a fact of the inventory holds. Unit: days.
const DAYS_BACK: i32 = Topic::Holds.days_kept() - 2;

/// Addresses that are read of one interface. Unit: addresses.
const ADDRESSES_MAX: usize = 64;

pub(crate) fn is_interface(word: &str) -> bool {
    word.starts_with("eni-")
}

pub(crate) fn is_instance(word: &str) -> bool {
    ["i-", "mi-"].iter().any(|prefix| word.starts_with(prefix))
}

/// One word of a fact; nothing where it would not be one.
pub(crate) fn word(raw: Option<Raw<'_>>) -> Option<String> {
    let text = raw?.text()?.get();
    let is_word = !text.is_empty() && !text.contains(char::is_whitespace);
    is_word.then(|| text.into_owned())
}

/// What a record says of the inventory.
pub(crate) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let (request, response) = (record.event.request, record.event.response);
    match record.api {
        "ec2:RunInstances" => {
            let items = response.and_then(|raw| raw.path(&["instancesSet", "items"]));
            for one in items.into_iter().flat_map(Raw::each) {
                instance(one, counts);
            }
        }
        "ec2:CreateNetworkInterface" => {
            interface(response.and_then(|raw| raw.get("networkInterface")), None, counts);
        }
        "ec2:AttachNetworkInterface" => {
            let [of, to] = request
                .map(|raw| raw.members(["networkInterfaceId", "instanceId"]))
                .unwrap_or_default();
            attached(word(of).as_deref(), word(to).as_deref(), counts);
        }
        "ec2:AllocateAddress" => {
            let [address, id] =
                response.map(|raw| raw.members(["publicIp", "allocationId"])).unwrap_or_default();
            if let Some(id) = word(id) {
                holds(address, &id, counts);
            }
        }
        "ec2:AssociateAddress" => associated(request, counts),
        "ec2:CreateNatGateway" => {
            let [request, response] = [
                (request, ["CreateNatGatewayRequest", "AllocationId"].as_slice()),
                (response, &["CreateNatGatewayResponse", "natGateway", "natGatewayId"]),
            ]
            .map(|(raw, path)| raw.and_then(|raw| raw.path(path)));
            attached(word(request).as_deref(), word(response).as_deref(), counts);
        }
        "ssm:UpdateInstanceInformation" => {
            let [of, at] =
                request.map(|raw| raw.members(["instanceId", "iPAddress"])).unwrap_or_default();
            if let Some(of) = word(of) {
                holds(at, &of, counts);
            }
        }
        _ => {}
    }
}

/// An elastic address and whom it was given to.
fn associated(request: Option<Raw<'_>>, counts: &mut Counts) {
    let names = ["publicIp", "allocationId", "networkInterfaceId", "instanceId"];
    let [address, id, interface, instance] =
        request.map(|raw| raw.members(names)).unwrap_or_default();
    let Some(holder) = word(interface).or_else(|| word(instance)) else { return };
    holds(address, &holder, counts);
    attached(word(id).as_deref(), Some(&holder), counts);
}

fn instance(raw: Raw<'_>, counts: &mut Counts) {
    let [id, address, interfaces] =
        raw.members(["instanceId", "privateIpAddress", "networkInterfaceSet"]);
    let Some(id) = word(id) else { return };
    holds(address, &id, counts);
    let items = interfaces.and_then(|raw| raw.get("items"));
    for one in items.into_iter().flat_map(Raw::each) {
        interface(Some(one), Some(&id), counts);
    }
}

fn interface(raw: Option<Raw<'_>>, instance: Option<&str>, counts: &mut Counts) {
    let Some(raw) = raw else { return };
    let [id, address, addresses, six] = raw.members([
        "networkInterfaceId",
        "privateIpAddress",
        "privateIpAddressesSet",
        "ipv6AddressesSet",
    ]);
    let Some(id) = word(id) else { return };
    attached(Some(&id), instance, counts);
    // AWS writes `item` in some answers and `items` in others.
    let several = [(addresses, "privateIpAddress"), (six, "ipv6Address")];
    let several = several.into_iter().flat_map(|(set, name)| {
        let items = set.into_iter().flat_map(|set| set.members(["item", "items"])).flatten();
        items.flat_map(Raw::each).map(move |one| one.get(name))
    });
    for address in std::iter::once(address).chain(several).take(ADDRESSES_MAX) {
        holds(address, &id, counts);
    }
}

fn attached(interface: Option<&str>, instance: Option<&str>, counts: &mut Counts) {
    if let (Some(interface), Some(instance)) = (interface, instance) {
        counts.fact(Topic::Attached, format!("{interface} {instance}"));
    }
}

fn holds(address: Option<Raw<'_>>, holder: &str, counts: &mut Counts) {
    let address = word(address).and_then(|text| text.parse::<IpAddr>().ok());
    if let Some(address) = address {
        counts.fact(Topic::Holds, format!("{} {holder}", address.to_canonical()));
    }
}

/// Interfaces of an account that new facts of it may say something else of, each with the hour from which on.
/// What is not named here is judged when its day closes.
pub(super) fn concerned<'k>(known: &'k OfAccount, facts: &[&'k Fact]) -> BTreeMap<&'k str, Hour> {
    let (mut words, mut concerned) = (BTreeSet::new(), BTreeMap::new());
    let mut from: Option<Hour> = None;
    for fact in facts {
        let (text, hour) = (&*fact.value.text, fact.slot.hour());
        let day = hour.day();
        let (of, hour) = match fact.topic {
            // Whoever came from there is not known yet: there are few of these.
            Topic::LetIn => {
                for interface in interfaces(known, day) {
                    let from = concerned.entry(interface).or_insert(hour);
                    *from = hour.min(*from);
                }
                continue;
            }
            Topic::Session => (text.split(' ').take(1), hour),
            Topic::Read => (text.split(' ').take(2), hour),
            Topic::Holds | Topic::Attached if holds_for_session(known, day) => {
                (text.split(' ').take(2), day.first_slot().hour())
            }
            _ => continue,
        };
        words.extend(of);
        from = Some(from.map_or(hour, |from| hour.min(from)));
    }
    let Some(from) = from else { return concerned };
    // An instance, its address, and the interface that has it.
    for _ in 0..2 {
        let all = [Topic::Holds, Topic::Attached].into_iter();
        let all =
            all.flat_map(|topic| known.until(last_day_of(from.day()), (topic, 2 * DAYS_BACK)));
        let pairs = all.filter_map(|(_, text, _)| text.split_once(' '));
        let near = pairs.filter(|(one, other)| words.contains(one) || words.contains(other));
        let near: Vec<&str> = near.flat_map(|(one, other)| [one, other]).collect();
        words.extend(near);
    }
    for interface in words.into_iter().filter(|word| is_interface(word)) {
        let hour = concerned.entry(interface).or_insert(from);
        *hour = from.min(*hour);
    }
    concerned
}

/// The last day on which what was said on `day` holds.
fn last_day_of(day: Day) -> Day {
    Day(day.0.saturating_add(DAYS_BACK))
}

/// Whether there are sessions that what is said on `day` may tell the host of.
fn holds_for_session(known: &OfAccount, day: Day) -> bool {
    known.until(last_day_of(day), (Topic::Session, DAYS_BACK + 1)).next().is_some()
}

/// The interfaces that are known on `day`, or on the day after.
fn interfaces(known: &OfAccount, day: Day) -> BTreeSet<&str> {
    let of = |topic| known.until(Day(day.0.saturating_add(1)), (topic, 1));
    let words =
        of(Topic::Holds).chain(of(Topic::Attached)).flat_map(|(_, text, _)| text.split(' '));
    words.filter(|word| is_interface(word)).collect()
}

/// Which words stand beside which.
type Pairs = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What is known of an account until a day, of the last two days and of those before.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Holders by address.
    holders: [Pairs; 2],
    /// Addresses by holder.
    held: Pairs,
    /// Whom something belongs to.
    owners: [Pairs; 2],
    /// What belongs to somebody.
    owned: Pairs,
}

impl Inventory {
    /// What is known on `day`: nothing where facts may have been left out, as who seems to be the only one that has
    /// an address may be one of two.
    pub(super) fn of(known: &OfAccount, day: Day) -> Self {
        if [Topic::Holds, Topic::Attached].into_iter().any(|of| known.is_full(day, (of, DAYS_BACK)))
        {
            return Self::default();
        }
        let pairs = |topic, back| {
            let (mut there, mut back_again) = (Pairs::new(), Pairs::new());
            for (_, text, _) in known.until(day, (topic, back)) {
                let Some((one, other)) = text.split_once(' ') else { continue };
                let (one, other): (Arc<str>, Arc<str>) = (one.into(), other.into());
                there.entry(Arc::clone(&one)).or_default().insert(Arc::clone(&other));
                back_again.entry(other).or_default().insert(one);
            }
            (there, back_again)
        };
        let of = |topic| {
            let (all, back_again) = pairs(topic, DAYS_BACK);
            ([pairs(topic, 1).0, all], back_again)
        };
        let ((holders, held), (owners, owned)) = (of(Topic::Holds), of(Topic::Attached));
        Self { holders, held, owners, owned }
    }

    /// The only interface that has an address: networks of one account may have the same.
    pub(crate) fn interface_at(&self, address: &str) -> Option<&str> {
        only(latest(&self.holders, address, is_interface))
    }

    /// The only instance that has an address, by itself, by its interface, or by what the address belongs to.
    pub(crate) fn instance_at(&self, address: &str) -> Option<&str> {
        let is_other = |holder: &str| !is_interface(holder) && !is_instance(holder);
        let others = latest(&self.holders, address, is_other);
        let mut all: BTreeSet<&str> = latest(&self.holders, address, is_instance).collect();
        let mut interfaces: BTreeSet<&str> = latest(&self.holders, address, is_interface).collect();
        for owner in others.flat_map(|other| latest(&self.owners, other, |_| true)) {
            let of_kind = if is_interface(owner) { &mut interfaces } else { &mut all };
            of_kind.insert(owner);
        }
        if interfaces.len() > 1 {
            return None;
        }
        all.extend(interfaces.into_iter().flat_map(|interface| self.instances_of(interface)));
        // What belongs to a gateway is no instance's.
        only(all.into_iter()).filter(|holder| is_instance(holder))
    }

    /// The instances that an interface belongs to, as far as nobody says otherwise.
    fn instances_of(&self, interface: &str) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> = latest(&self.owners, interface, is_instance).collect();
        // The agent on an instance tells the address, flow logs tell whose that is.
        for address in self.held.get(interface).into_iter().flatten() {
            let instance = only(latest(&self.holders, address, is_instance));
            all.extend(instance.filter(|_| self.interface_at(address) == Some(interface)));
        }
        all
    }

    /// All addresses that an instance is known to have had.
    pub(crate) fn addresses_of(&self, instance: &str) -> BTreeSet<&str> {
        let of = |holder: &str| self.held.get(holder).into_iter().flatten().map(|one| &**one);
        let mut all: BTreeSet<&str> = of(instance).collect();
        let by_address = all.iter().filter_map(|address| self.interface_at(address));
        let interfaces = self.owned.get(instance).into_iter().flatten().map(|one| &**one);
        let interfaces: BTreeSet<&str> = interfaces.chain(by_address).collect();
        all.extend(interfaces.into_iter().flat_map(of));
        all
    }

    /// Whether `target`, an instance, an interface or an address, is an interface.
    pub(crate) fn is_at(&self, target: &str, interface: &str) -> bool {
        target == interface
            || is_instance(target) && self.instances_of(interface).contains(target)
            || self.interface_at(target) == Some(interface)
    }
}

/// What of a kind stands beside a word: what was said lately, else what was said before.
fn latest<'k>(
    [recent, all]: &'k [Pairs; 2],
    word: &str,
    is_of_kind: impl Fn(&str) -> bool,
) -> impl Iterator<Item = &'k str> {
    let of = |pairs: &'k Pairs| -> Vec<&'k str> {
        let words = pairs.get(word).into_iter().flatten().map(|one| &**one);
        words.filter(|word| is_of_kind(word)).collect()
    };
    let recent = of(recent);
    let words = if recent.is_empty() { of(all) } else { recent };
    words.into_iter()
}

/// The only one of some words.
fn only<'k>(words: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let words: BTreeSet<&'k str> = words.collect();
    words.first().copied().filter(|_| words.len() == 1)
}
