//! What people say of what was new. It enters the day on which it is said, like what that day's records
//! teach, so earlier generations stay as they were.

use crate::form::{Form, FormError, Reader, Writer};

/// What is to be remembered of a value from the day on which somebody spoke of it. Of two on one day the
/// greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lesson {
    /// It is known, as if a plain day had brought it.
    Known,
    /// It is not known, and no day teaches it any more.
    Unknown,
}

impl Form for Lesson {
    fn write(&self, to: &mut Writer) {
        (*self == Self::Unknown).write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        Ok(if bool::read(from)? { Self::Unknown } else { Self::Known })
    }
}
