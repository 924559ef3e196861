//! What people say of what was new. It enters the day on which it is said, like what that day's records
//! teach, so earlier generations stay as they were.

use crate::{
    dimension::Dimension,
    form::{Form, FormError, Reader, Writer},
    generation::Generation,
    hour::Span,
    novel::Novel,
    value::Value,
};
use std::collections::BTreeSet;

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

impl Generation<'_> {
    /// The values of the hour that the entity does not know: of those dimensions of which only such are
    /// kept, if one of `dimensions` is of them, and of the others among `dimensions`.
    pub fn unknown_values(
        &self,
        span: &Span<'_>,
        dimensions: &BTreeSet<Dimension>,
    ) -> BTreeSet<(Dimension, Value)> {
        let is_of_novelty = |one: &Dimension| one.counts_news() || one.is_calls();
        let asks_for_novelty = dimensions.iter().any(is_of_novelty);
        let mut news = BTreeSet::new();
        for &dimension in Dimension::ALL {
            if dimension.counts_news() && asks_for_novelty {
                let is_new = |novel: &Novel| novel.is_new && !self.knows(dimension, &novel.value);
                let novel = span.novel(dimension).into_iter();
                let novel = novel.flat_map(|novel| novel.windows(span.hour, is_new)).flatten();
                news.extend(novel.map(|novel| (dimension, novel.value.clone())));
            } else if dimensions.contains(&dimension) && dimension.learns_values() {
                let values = span.values(dimension, |value| !self.knows(dimension, value));
                news.extend(values.iter().map(|(value, _)| (dimension, value.clone())));
            }
        }
        news
    }
}
