//! Where an identity was: an address, with the first and the last record from it.

use crate::{
    evidence::Evidence,
    few, form,
    form::{Form, FormError, Reader, Writer},
    value::Value,
};
use std::{iter, net::IpAddr, sync::Arc};

/// From where, and with which credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Keyed hash of the address, so that nobody can choose addresses that push others out.
    pub rank: u64,
    /// From where.
    pub address: IpAddr,
    /// Its country, where the tables know one.
    pub country: Option<Value>,
    /// Its network, where the tables know one.
    pub network: Option<Value>,
    /// `accessKeyId`, where there is one.
    pub access_key: Option<Arc<str>>,
}

/// The records that one credential sent from one public address within five minutes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stay {
    /// From where.
    pub place: Place,
    /// The first record.
    pub first: Evidence,
    /// The last one.
    pub last: Evidence,
    /// How many. Unit: records.
    pub n_records: u64,
}

/// The stays of one slot, ordered by a hash of the address: once out, always out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stays(Vec<Stay>);

impl Stays {
    /// Stays kept per slot. Unit: pairs of address and credential.
    pub(crate) const MAX: usize = 32;

    /// Adds a stay; stays of the same address and credential become one. `near` are others whose records
    /// may tell the same.
    pub(crate) fn add<'s>(&mut self, stay: &Stay, near: impl Iterator<Item = &'s Stay> + Clone) {
        let same = |other: &&mut Stay| {
            let (ours, theirs) = (&other.place, &stay.place);
            ours.address == theirs.address && ours.access_key == theirs.access_key
        };
        if let Some(known) = self.0.iter_mut().find(same) {
            known.n_records = known.n_records.saturating_add(stay.n_records);
            if stay.first < known.first {
                known.first.clone_from(&stay.first);
            }
            if stay.last > known.last {
                known.last.clone_from(&stay.last);
            }
            return;
        }
        let at = self.0.partition_point(|other| other.place.order() < stay.place.order());
        let mut stay = stay.clone();
        let near = near.flat_map(|stay| [&stay.first, &stay.last]);
        stay.first = stay.first.shared(near.clone());
        stay.last = stay.last.shared(iter::once(&stay.first).chain(near));
        few::insert(&mut self.0, at, stay);
        self.0.truncate(Self::MAX);
    }

    /// In the order of the hashes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stay> + Clone {
        self.0.iter()
    }
}

impl Place {
    fn order(&self) -> (u64, IpAddr, Option<&str>) {
        (self.rank, self.address, self.access_key.as_deref())
    }
}

form! {
    Place { rank, address, country, network, access_key }
    Stays { 0 }
}

/// Most stays are where the one before was.
impl Form for Stay {
    fn write(&self, to: &mut Writer) {
        let Self { place, first, last, n_records } = self;
        let is_same = to.is_same_place(place);
        is_same.write(to);
        if !is_same {
            place.write(to);
        }
        first.write(to);
        last.write(to);
        n_records.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let is_same = !from.is_form_1() && bool::read(from)?;
        let place = if is_same { from.same_place()? } else { Place::read(from)? };
        if !is_same {
            from.note_place(&place);
        }
        let (first, last, n_records) = Form::read(from)?;
        Ok(Self { place, first, last, n_records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Call, EventId};

    fn stay(n: u8, time_ms: i64) -> Stay {
        let (address, access_key, region, actor) = (None, None, None, None);
        let call = Call { api: "s3:GetObject".into(), address, access_key, region, actor };
        let id = EventId::new(&format!("e-{time_ms}"));
        let record = Evidence { time_ms, id, call: call.into(), amount: 1 };
        let address = IpAddr::from([81, 2, 69, n]);
        let rank = crate::value::HashKey::DEFAULT.hash(&address.to_string());
        let place = Place { rank, address, country: None, network: None, access_key: None };
        Stay { place, first: record.clone(), last: record, n_records: 1 }
    }

    #[test]
    fn any_order_gives_the_same_stays_up_to_the_bound() {
        let (mut up, mut down) = (Stays::default(), Stays::default());
        for n in 0..100 {
            up.add(&stay(n, i64::from(n)), iter::empty());
            down.add(&stay(99 - n, i64::from(99 - n)), iter::empty());
        }
        assert_eq!(up, down);
        assert_eq!(up.iter().count(), Stays::MAX);
    }

    #[test]
    fn two_credentials_from_one_address_are_two_stays() {
        let mut stays = Stays::default();
        for (time_ms, key) in [(1, "AKIA1"), (2, "AKIA2"), (3, "AKIA1")] {
            let mut stay = stay(1, time_ms);
            stay.place.access_key = Some(key.into());
            stays.add(&stay, iter::empty());
        }
        let kept = stays.iter().map(|stay| (stay.place.access_key.as_deref(), stay.n_records));
        assert_eq!(kept.collect::<Vec<_>>(), [(Some("AKIA1"), 2), (Some("AKIA2"), 1)]);
    }

    #[test]
    fn a_stay_spans_its_first_and_last_record() {
        let mut stays = Stays::default();
        for time_ms in [5, 1, 9] {
            stays.add(&stay(1, time_ms), iter::empty());
        }
        let only = stays.iter().next().unwrap();
        assert_eq!((only.first.time_ms, only.last.time_ms, only.n_records), (1, 9, 3));
    }
}
