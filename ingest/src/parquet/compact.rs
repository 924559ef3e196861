//! Thrift's compact protocol, as far as Parquet's headers need it. In: bytes that anybody may have
//! written. Out: numbers, or nothing where a value does not fit into what is left. It allocates
//! nothing and goes [`DEPTH_MAX`] values deep at most.

/// How deep values may stand in one another; those of Parquet reach 6.
const DEPTH_MAX: u32 = 16;

/// What a value is, as its header says.
pub(super) mod kind {
    pub(crate) const TRUE: u8 = 1;
    pub(crate) const FALSE: u8 = 2;
    pub(crate) const BYTE: u8 = 3;
    pub(crate) const I16: u8 = 4;
    pub(crate) const I32: u8 = 5;
    pub(crate) const I64: u8 = 6;
    pub(crate) const DOUBLE: u8 = 7;
    pub(crate) const BINARY: u8 = 8;
    pub(crate) const LIST: u8 = 9;
    pub(crate) const SET: u8 = 10;
    pub(crate) const MAP: u8 = 11;
    pub(crate) const STRUCT: u8 = 12;
}

/// A place in bytes that are read front to back.
#[derive(Debug, Clone)]
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Compact<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    /// How much has been read. Unit: bytes.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.pos)?;
        self.pos += 1;
        Some(byte)
    }

    fn advance(&mut self, n: usize) -> Option<()> {
        let end = self.pos.checked_add(n)?;
        self.bytes.get(self.pos..end)?;
        self.pos = end;
        Some(())
    }

    /// A number without a sign, seven bits a byte.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of 16, 32 or 64 bits.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number that counts something: not negative, of 32 bits.
    pub(super) fn count(&mut self) -> Option<u32> {
        u32::try_from(self.signed()?).ok().filter(|count| i32::try_from(*count).is_ok())
    }

    /// How many elements a list has, and of what kind they are. No element takes less than a byte.
    pub(super) fn list(&mut self) -> Option<(usize, u8)> {
        let head = self.byte()?;
        let n = match head >> 4 {
            15 => usize::try_from(self.number()?).ok()?,
            n => usize::from(n),
        };
        (n <= self.bytes.len().checked_sub(self.pos)?).then_some((n, head & 0xf))
    }

    /// Hands the id and kind of each field of a struct to `read`, which reads its value, or leaves
    /// it where it is by `Some(false)`.
    pub(super) fn fields(
        &mut self,
        read: &mut dyn FnMut(&mut Self, i64, u8) -> Option<bool>,
    ) -> Option<()> {
        self.fields_at(0, read)
    }

    fn fields_at(
        &mut self,
        depth: u32,
        read: &mut dyn FnMut(&mut Self, i64, u8) -> Option<bool>,
    ) -> Option<()> {
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.signed()?,
                more => id.checked_add(i64::from(more))?,
            };
            let kind = head & 0xf;
            if !read(self, id, kind)? {
                self.skip(kind, depth + 1)?;
            }
        }
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            kind::TRUE | kind::FALSE => Some(()),
            kind::BYTE => self.advance(1),
            kind::I16 | kind::I32 | kind::I64 => self.number().map(drop),
            kind::DOUBLE => self.advance(8),
            kind::BINARY => {
                let n = self.number()?;
                self.advance(usize::try_from(n).ok()?)
            }
            kind::LIST | kind::SET => {
                let (n, kind) = self.list()?;
                (0..n).try_for_each(|_| self.skip_element(kind, depth + 1))
            }
            kind::MAP => {
                let n = self.number()?;
                if n == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..n).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth + 1)?;
                    self.skip_element(kinds & 0xf, depth + 1)
                })
            }
            kind::STRUCT => self.fields_at(depth, &mut |_, _, _| Some(false)),
            _ => None,
        }
    }

    /// Truth values take a byte in a list, and none in a struct.
    fn skip_element(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            kind::TRUE | kind::FALSE => self.advance(1),
            kind => self.skip(kind, depth),
        }
    }
}
