//! What facts are about. In: a record that says one. Out: for how long it is remembered, and whether that record is
//! kept beside it.

use baseline::{
    Evidence, Form, FormError, Hour,
    evidence::Records,
    form::{Reader, Writer},
};

/// Records that a fact keeps of a day, the first and the last of each hour by time and id. Unit: records.
const RECORDS_MAX: usize = 2 * 24;

/// What a fact is about, and which words it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// `address holder`: an interface or an instance has it.
    Holds,
    /// `interface instance`.
    Attached,
    /// `protocol from to group address kind identity`: somebody opened these ports to the address that he called from.
    LetIn,
    /// `target kind identity`: somebody began a session or ran a command on an instance, an interface or an
    /// address.
    Session,
    /// `instance address identity`: credentials of an instance called from an address.
    Used,
    /// `api identity`: a log was stopped.
    Stopped,
    /// `region`: records of it came.
    Heard,
    /// `address instance kind identity`: so much was read of S3 by large objects, with credentials of that instance or,
    /// where there is a `-`, of none. Unit: KiB.
    Read,
}

impl Topic {
    const ALL: [Self; 8] = [
        Self::Holds,
        Self::Attached,
        Self::LetIn,
        Self::Session,
        Self::Used,
        Self::Stopped,
        Self::Heard,
        Self::Read,
    ];

    /// Closed days for which it is remembered. Flow logs say anew each day who holds what.
    /// Unit: days.
    pub(super) const fn days_kept(self) -> i32 {
        match self {
            Self::Holds | Self::Attached | Self::Used => 7,
            Self::LetIn | Self::Session => 14,
            Self::Stopped | Self::Heard | Self::Read => 2,
        }
    }

    /// Keeps a record that says it, if it is told of; whether that changes anything.
    pub(super) fn keep(self, record: &Evidence, records: &mut Records) -> bool {
        match self {
            Self::Holds | Self::Attached | Self::Heard => false,
            Self::LetIn | Self::Session | Self::Stopped | Self::Read => keep_ends(record, records),
            // Of many that are alike chunks hand over the first.
            Self::Used => {
                let is_first = records.iter().next().is_none_or(|first| record < first);
                if is_first {
                    records.keep_first(record.clone());
                }
                is_first
            }
        }
    }

    /// Its number in forms.
    const fn number(self) -> u8 {
        match self {
            Self::Holds => 1,
            Self::Attached => 2,
            Self::LetIn => 3,
            Self::Session => 4,
            Self::Used => 5,
            Self::Stopped => 6,
            Self::Heard => 7,
            Self::Read => 8,
        }
    }
}

impl Form for Topic {
    fn write(&self, to: &mut Writer) {
        self.number().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let number = u8::read(from)?;
        Self::ALL.into_iter().find(|one| one.number() == number).ok_or(FormError::Unknown)
    }
}

/// Keeps a record if it is the first or the last of its hour; whether that changes anything. Of many in the
/// morning the evening has room.
fn keep_ends(record: &Evidence, records: &mut Records) -> bool {
    let hour_of_day = |one: &Evidence| Hour::of(one.time_ms).0.rem_euclid(24);
    let is_of_hour = |one: &&Evidence| hour_of_day(one) == hour_of_day(record);
    let first = records.iter().find(is_of_hour);
    let last = records.iter().filter(is_of_hour).last();
    if first.is_some_and(|first| first <= record) && last.is_some_and(|last| record <= last) {
        return false;
    }
    let ends =
        [first.map_or(record, |one| one.min(record)), last.map_or(record, |one| one.max(record))];
    let mut kept = Records::default();
    let others = records.iter().filter(|one| !is_of_hour(one));
    for one in others.chain(ends) {
        kept.add(one.clone(), RECORDS_MAX);
    }
    *records = kept;
    true
}
