//! Texts with wildcards, and the texts that modifiers make of them.

use super::{Glob, GlobPart};

/// A dash or slash in front of a word, in each of its guises.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// The most texts that `windash` makes of one: of three flags.
const WINDASH_TEXTS_MAX: usize = DASHES.len().pow(3);

impl Glob {
    /// `*` and `?` are wildcards, `\` in front of either or of `\` makes it plain; any other `\` stands
    /// for itself.
    pub(super) fn parse(text: &str) -> Self {
        let mut glob = Self(Vec::new());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => glob.push(GlobPart::Many),
                '?' => glob.push(GlobPart::One),
                '\\' => {
                    let escaped = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    glob.push_char(escaped.unwrap_or('\\'));
                }
                _ => glob.push_char(c),
            }
        }
        glob
    }

    pub(super) fn plain(text: &str) -> Self {
        let mut glob = Self(Vec::new());
        if !text.is_empty() {
            glob.0.push(GlobPart::Text(text.to_owned()));
        }
        glob
    }

    /// The text, if it has no wildcards.
    pub(super) fn as_plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [GlobPart::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// With `*` before it, after it, or both. `**` is `*`.
    pub(super) fn open(self, before: bool, after: bool) -> Self {
        let mut glob = Self(Vec::with_capacity(self.0.len() + 2));
        let star = |wanted: bool| wanted.then_some(GlobPart::Many);
        for part in star(before).into_iter().chain(self.0).chain(star(after)) {
            glob.push(part);
        }
        glob
    }

    fn push(&mut self, part: GlobPart) {
        if part != GlobPart::Many || self.0.last() != Some(&GlobPart::Many) {
            self.0.push(part);
        }
    }

    fn push_char(&mut self, c: char) {
        match self.0.last_mut() {
            Some(GlobPart::Text(text)) => text.push(c),
            _ => self.0.push(GlobPart::Text(c.into())),
        }
    }

    /// Every way to write its flags: `-`, `/` and the longer dashes in front of a word and not behind
    /// one. None if there are more than [`WINDASH_TEXTS_MAX`].
    pub(super) fn windash(&self) -> Option<Vec<Self>> {
        let mut globs = vec![Self(Vec::new())];
        for part in &self.0 {
            let GlobPart::Text(text) = part else {
                for glob in &mut globs {
                    glob.push(part.clone());
                }
                continue;
            };
            let mut before = ' ';
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let is_flag = DASHES.contains(&c)
                    && !is_word(before)
                    && chars.peek().copied().is_some_and(is_word);
                before = c;
                if !is_flag {
                    for glob in &mut globs {
                        glob.push_char(c);
                    }
                    continue;
                }
                if globs.len() * DASHES.len() > WINDASH_TEXTS_MAX {
                    return None;
                }
                let ways = DASHES.iter().flat_map(|dash| {
                    globs.iter().cloned().map(|mut glob| {
                        glob.push_char(*dash);
                        glob
                    })
                });
                globs = ways.collect();
            }
        }
        Some(globs)
    }
}

/// Base64 (RFC 4648, section 4) with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let index = (bits >> (18 - 6 * n)) & 63;
            let c = ALPHABET.get(index as usize).copied().map_or('=', char::from);
            text.push(if n > chunk.len() { '=' } else { c });
        }
    }
    text
}

/// What stands in Base64 of any text that contains the bytes, by their place in it modulo three:
/// without the characters at both ends that hold bits of its neighbours.
pub(super) fn base64_offsets(bytes: &[u8]) -> [String; 3] {
    [(0, 0), (1, 2), (2, 3)].map(|(n_before, n_cut)| {
        let mut shifted = vec![b' '; n_before];
        shifted.extend_from_slice(bytes);
        let n_cut_end = [0, 3, 2].get(shifted.len() % 3).copied().unwrap_or(0);
        let encoded = base64(&shifted);
        let end = encoded.len().saturating_sub(n_cut_end);
        encoded.get(n_cut..end).unwrap_or("").to_owned()
    })
}

/// Which byte of a UTF-16 unit comes first.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

pub(super) fn utf16(text: &str, order: Order) -> Vec<u8> {
    let bytes = |unit: u16| match order {
        Order::Little => unit.to_le_bytes(),
        Order::Big => unit.to_be_bytes(),
    };
    text.encode_utf16().flat_map(bytes).collect()
}
