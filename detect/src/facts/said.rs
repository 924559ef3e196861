//! What is kept of one fact on one day. In: when it was said, and of how much. Out: the hours, sums and records.

use baseline::{
    Day, Evidence, Form, FormError, Hour,
    evidence::Records,
    form::{Reader, Writer},
};
use std::collections::BTreeMap;

/// When something was said on a day, and by which records.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    /// Hours of the day, by bits.
    hours: u32,
    pub(super) records: Records,
    /// How much was said of in these hours, by hour of the day, where that is more than nothing.
    amounts: BTreeMap<u8, u64>,
}

impl Form for Said {
    fn write(&self, to: &mut Writer) {
        let Self { hours, records, amounts } = self;
        hours.write(to);
        records.write(to);
        amounts.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (hours, records) = (Form::read(from)?, Form::read(from)?);
        // Form 3 knew none.
        let amounts = if from.is_before(4) { BTreeMap::new() } else { Form::read(from)? };
        Ok(Self { hours, records, amounts })
    }
}

impl Said {
    /// Notes that it was said in an hour, of so much; whether that changes anything.
    pub(super) fn add(&mut self, hour: Hour, amount: u64) -> bool {
        let (of_day, before) = (hour.0.rem_euclid(24), self.hours);
        self.hours |= 1 << of_day;
        if let (Ok(of_day), 1..) = (u8::try_from(of_day), amount) {
            let sum = self.amounts.entry(of_day).or_default();
            *sum = sum.saturating_add(amount);
        }
        amount > 0 || self.hours != before
    }

    /// Of how much it was said in an hour of its day. Unit: that of the topic.
    pub(crate) fn amount(&self, hour: Hour) -> u64 {
        let of_day = u8::try_from(hour.0.rem_euclid(24)).unwrap_or(0);
        self.amounts.get(&of_day).copied().unwrap_or(0)
    }

    /// The hours of its day in which it was said.
    pub(crate) fn hours(&self, day: Day) -> impl Iterator<Item = Hour> + use<> {
        let (first, bits) = (day.first_slot().hour().0, self.hours);
        (0..24).filter(move |hour| bits >> hour & 1 == 1).map(move |hour| Hour(first + hour))
    }

    /// The first records that say it, in order of time.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Evidence> {
        self.records.iter()
    }
}
