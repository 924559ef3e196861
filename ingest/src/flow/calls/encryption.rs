//! What `encryption-status` says of flows, as bits that are joined over the flows of a call: 1 for clear text, 2 for
//! encrypted, by the network or by TLS.

use crate::flow::{Field, FlowBatch, Texts};

const CLEAR: u8 = 1;
const ENCRYPTED: u8 = 2;

/// The column, where the format has it.
pub(super) struct Encryption<'a> {
    texts: Texts<'a>,
    /// Of each of its words.
    bits: Vec<u8>,
}

impl<'a> Encryption<'a> {
    pub(super) fn of(batch: &'a FlowBatch) -> Option<Self> {
        let texts = batch.texts(Field::EncryptionStatus)?;
        Some(Self { texts, bits: texts.words().map(of_word).collect() })
    }

    #[inline]
    pub(super) fn of_row(&self, i: usize) -> u8 {
        self.texts.key(i).and_then(|key| self.bits.get(key)).copied().unwrap_or(0)
    }
}

fn of_word(word: &str) -> u8 {
    match word {
        "0" => CLEAR,
        "1" | "2" | "3" => ENCRYPTED,
        _ => 0,
    }
}

/// Whether any was in clear text, as far as it is told.
pub(super) fn is_clear(bits: u8) -> Option<bool> {
    (bits != 0).then_some(bits & CLEAR != 0)
}
