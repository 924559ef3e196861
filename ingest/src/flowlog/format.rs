//! Which field stands where in a line.

use std::borrow::Cow;

use thiserror::Error;

use crate::flow::{Field, Layout};

/// Most columns a format may name. AWS documents fewer than 80 fields.
const COLUMNS_MAX: usize = 256;

/// The order of the fields in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowFormat {
    positions: Vec<Option<Field>>,
    unknown: Vec<String>,
}

/// Why a format was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A name that AWS does not document.
    #[error("unknown flow log field `{name}`{}", hint(*.near))]
    UnknownField {
        /// What was written.
        name: String,
        /// The documented field that looks most alike.
        near: Option<Field>,
    },
    /// A field twice.
    #[error("flow log field `{0}` is named twice; expected it once")]
    Repeated(Field),
    /// Nothing.
    #[error(
        "empty flow log format; expected field names such as `version account-id interface-id`"
    )]
    Empty,
}

fn hint(near: Option<Field>) -> String {
    near.map_or_else(String::new, |field| {
        format!("; did you mean `{}`?", field.name().replace('_', "-"))
    })
}

impl Default for FlowFormat {
    /// AWS's default format, version 2.
    fn default() -> Self {
        Self::of(Field::ALL.into_iter().take(14))
    }
}

impl FlowFormat {
    /// A format of these fields, in this order.
    pub(crate) fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        Self { positions: fields.into_iter().map(Some).collect(), unknown: Vec::new() }
    }

    /// AWS's default format of Transit Gateway Flow Logs, version 6.
    pub(crate) fn transit_gateway() -> Self {
        use Field as F;
        let gateway = Field::ALL.into_iter().skip(F::TgwId as usize).take(13);
        Self::of(
            [F::Version, F::ResourceType, F::AccountId]
                .into_iter()
                .chain(gateway)
                .chain([F::SrcAddr, F::DstAddr, F::SrcPort, F::DstPort, F::Protocol])
                .chain([F::Packets, F::Bytes, F::Start, F::End, F::LogStatus, F::Type])
                .chain([F::PacketsLostNoRoute, F::PacketsLostBlackhole])
                .chain([F::PacketsLostMtuExceeded, F::PacketsLostTtlExpired, F::TcpFlags])
                .chain([F::Region, F::FlowDirection, F::PktSrcAwsService, F::PktDstAwsService]),
        )
    }

    /// The format a person wrote: names separated by spaces or commas, `${name}` as in AWS's own
    /// settings allowed. Stricter than a header line: a typing error should not lose a column.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let mut positions = Vec::new();
        for name in text.split(|c: char| c.is_whitespace() || c == ',') {
            let name = name.trim_start_matches("${").trim_end_matches('}');
            if name.is_empty() {
                continue;
            }
            let Some(field) = Field::of(name.as_bytes()) else {
                return Err(FormatError::UnknownField { name: name.to_owned(), near: near(name) });
            };
            if positions.contains(&Some(field)) {
                return Err(FormatError::Repeated(field));
            }
            positions.push(Some(field));
        }
        if positions.is_empty() {
            return Err(FormatError::Empty);
        }
        Ok(Self { positions, unknown: Vec::new() })
    }

    /// The format of a header line: only names, at least one of them known. Fields that are unknown
    /// or repeated keep their place and are left out of the batch.
    pub(crate) fn of_header(tokens: &[&[u8]]) -> Option<Self> {
        let name = |token: &&[u8]| {
            token.first().is_some_and(u8::is_ascii_alphabetic)
                && token.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if tokens.is_empty() || tokens.len() > COLUMNS_MAX || !tokens.iter().all(name) {
            return None;
        }
        let names: Vec<Cow<'_, str>> =
            tokens.iter().map(|token| String::from_utf8_lossy(token)).collect();
        let format =
            Self::of_columns(names.iter().map(|name| (Field::of(name.as_bytes()), name.as_ref())));
        // Half of the names: words in a record (`eth0 running ok`) do not make a header.
        let known = format.positions.len() - format.unknown.len();
        (known >= format.unknown.len()).then_some(format)
    }

    /// A format of named columns with the fields that they stand for, the first of each.
    pub(crate) fn of_columns<'n>(columns: impl Iterator<Item = (Option<Field>, &'n str)>) -> Self {
        let mut format = Self { positions: Vec::new(), unknown: Vec::new() };
        for (field, name) in columns {
            let field = field.filter(|field| !format.positions.contains(&Some(*field)));
            if field.is_none() {
                format.unknown.push(name.to_owned());
            }
            format.positions.push(field);
        }
        format
    }

    /// The field at each place of a line; `None` where it is not known.
    pub(crate) fn positions(&self) -> &[Option<Field>] {
        &self.positions
    }

    /// The names in a header line that are not documented fields, or repeat one.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The names at each place of a line, as AWS writes them in a header; of unknown ones as they
    /// are.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let mut unknown = self.unknown.iter();
        self.positions.iter().map(move |field| match field {
            Some(field) => field.name().replace('_', "-"),
            None => unknown.next().cloned().unwrap_or_default(),
        })
    }

    /// The columns of the batches.
    pub fn layout(&self) -> Layout {
        Layout::of(self.positions.iter().flatten().copied())
    }
}

/// The field whose name is at most two edits away.
fn near(name: &str) -> Option<Field> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    if name.len() > 40 {
        return None;
    }
    Field::ALL
        .into_iter()
        .map(|field| (edits(&name, field.name()), field))
        .filter(|(edits, field)| *edits <= 2.min(field.name().len() / 3))
        .min()
        .map(|(_, field)| field)
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            left = (left + 1).min(*slot + 1).min(diagonal + usize::from(x != y));
            diagonal = std::mem::replace(slot, left);
        }
    }
    row.last().copied().unwrap_or(0)
}
