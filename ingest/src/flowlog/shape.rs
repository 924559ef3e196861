//! What a format makes of a line: its columns, and where in the line they stand.

use std::sync::Arc;

use super::FlowFormat;
use super::columns::Column;
use crate::flow::{Field, Kind, Layout};

/// A format made ready for reading.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) format: FlowFormat,
    /// The header line that the format came from; objects of one flow log repeat it.
    pub(super) header: Vec<u8>,
    pub(super) layout: Arc<Layout>,
    /// One per position of the format.
    pub(super) columns: Vec<Column>,
    /// The positions of the columns of a batch, in its order.
    pub(super) order: Vec<usize>,
    /// Positions of what is noted of an object whether its rows are wanted or not.
    pub(super) status_at: Option<usize>,
    pub(super) account_at: Option<usize>,
    /// A header line could pass for a record: no field is a number or an address.
    pub(super) words_only: bool,
}

impl Shape {
    /// Of these fields; of all without.
    pub(super) fn new(format: FlowFormat, fields: Option<&[Field]>) -> Self {
        let is_wanted = |field: &Field| fields.is_none_or(|all| all.contains(field));
        let wanted: Vec<Option<Field>> =
            format.positions().iter().map(|field| field.filter(is_wanted)).collect();
        let position = |field| format.positions().iter().position(|own| *own == Some(field));
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.retain(|place| wanted.get(*place).is_some_and(Option::is_some));
        order.sort_by_key(|place| wanted.get(*place));
        let kinds = || wanted.iter().map(|field| field.map(Field::kind));
        Self {
            layout: Arc::new(Layout::of(wanted.iter().flatten().copied())),
            columns: kinds().map(Column::new).collect(),
            status_at: position(Field::LogStatus),
            account_at: position(Field::AccountId),
            words_only: kinds().all(|kind| kind.is_none_or(|kind| kind == Kind::Text)),
            header: Vec::new(),
            order,
            format,
        }
    }

    /// Does the header line, not empty, stand at `pos`? One that comes again needs no reading.
    #[inline]
    pub(super) fn begins(&self, text: &[u8], pos: usize) -> bool {
        let end = pos + self.header.len();
        !self.header.is_empty()
            && text.get(end) == Some(&b'\n')
            && text.get(pos..end) == Some(&self.header)
    }
}
