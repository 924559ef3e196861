//! What is not in use, at rest: as the bytes of its form, a fraction of what it takes in use. In: things that have a
//! form. Out: their bytes, and back. They never leave this process, so that nothing seals them.

use super::{Form, Reader, Writer};
use crate::{numbered::Names, value::HashKey};

/// Makes bytes of things, and back.
#[derive(Debug)]
pub struct Resting {
    to: Writer,
    key: HashKey,
}

impl Resting {
    /// For things whose values have hashes of this key.
    pub fn new(key: HashKey) -> Self {
        Self { to: Writer::among(Names::default()), key }
    }

    /// Lays a thing to rest.
    pub fn laid<T: Form>(&mut self, thing: &T) -> Box<[u8]> {
        thing.write(&mut self.to);
        self.to.take()
    }

    /// What was laid to rest here.
    #[expect(
        clippy::expect_used,
        reason = "bytes that never left this process are what was written"
    )]
    pub fn woken<T: Form>(&self, bytes: &[u8]) -> T {
        let names = self.to.names().expect("the names that it was made with");
        T::read(&mut Reader::among(names, bytes, &self.key)).expect("the form of what was laid")
    }

    /// The key of the hashes of its values.
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// Values that several things hold, and that are kept beside them. Unit: values.
    pub(crate) fn n_names(&self) -> usize {
        self.to.names().map_or(0, Names::len)
    }
}
