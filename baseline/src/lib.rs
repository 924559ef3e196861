//! What each entity usually does, as frozen generations, in bits. In: aggregates of records. Out:
//! spans, and how surprising they are. It never weighs or decides, reads no clock, does no I/O.

pub mod aggregate;
pub mod bits;
pub mod class;
pub mod credential;
pub mod dimension;
pub mod distinct;
pub mod evidence;
mod few;
pub mod form;
pub mod generation;
pub mod held;
pub mod hour;
pub mod identity;
pub mod impact;
pub mod lesson;
pub mod memory;
pub mod novel;
pub mod pace;
pub mod place;
pub mod profile;
pub mod surprise;
pub mod time;
pub mod value;

pub use aggregate::{Aggregate, Entry, First};
pub use bits::{Bits, Part};
pub use credential::{Credential, Mfa};
pub use dimension::Dimension;
pub use distinct::Distinct;
pub use evidence::{Call, EventId, Evidence};
pub use form::{Form, FormError};
pub use generation::{Generation, N_PRIORS};
pub use held::{Held, HeldDimension, HeldRate, HeldValue};
pub use hour::{Hours, Span, Window};
pub use identity::{Entity, Kind, Principal};
pub use impact::{Impact, Track};
pub use lesson::Lesson;
pub use memory::Weight;
pub use novel::FirstRecord;
pub use pace::Drift;
pub use place::Stay;
pub use profile::{ClosedDay, History, Profile};
pub use surprise::Term;
pub use time::{Day, Hour, Lateness, Slot};
pub use value::{HashKey, Value, kept, stable_hash};
