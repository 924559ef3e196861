//! From the spans of a walked record to the record.

use crate::cloudtrail::fields::{Field, with_fields};
use crate::cloudtrail::walk::Walker;
use crate::cloudtrail::{Aggregated, Insight, Record};
use crate::event::{Event, Raw, Text};
use crate::time;

/// Why a whole object is no record: the key at fault, and what it should hold.
pub(super) struct Missing(pub(super) &'static str);

/// The record in the object that `walker` has just walked.
#[inline]
pub(super) fn record<'a>(walker: &Walker<'a>, raw: Raw<'a>) -> Result<Record<'a>, Missing> {
    if let Some(kind) = walker.string(Field::EventType)
        && kind.0 == "AwsApiCall"
    {
        return event(walker, raw).map(Record::Event);
    }
    if walker.has(Field::InsightDetails) {
        return insight(walker).map(Record::Insight);
    }
    if walker.has(Field::TimeWindow) && walker.has(Field::Summary) {
        return aggregated(walker).map(Record::Aggregated);
    }
    event(walker, raw).map(Record::Event)
}

#[inline]
fn event<'a>(walker: &Walker<'a>, raw: Raw<'a>) -> Result<Event<'a>, Missing> {
    let filled = |field| walker.string(field).filter(|text| !text.is_empty());
    let time_ms = time_of(walker.string(Field::EventTime))?;
    let source = filled(Field::EventSource).ok_or(Missing("a string under \"eventSource\""))?;
    let name = filled(Field::EventName).ok_or(Missing("a string under \"eventName\""))?;
    Ok(event_of(walker, (raw, time_ms), (source, name)))
}

/// Declares [`event_of`] from the list of keys.
macro_rules! event_of {
    ($($variant:ident $key:literal $(=> $member:ident $read:ident)?,)+) => {
        /// The event of what every one has, and of the members that the list names.
        #[inline]
        fn event_of<'a>(
            walker: &Walker<'a>,
            (raw, time_ms): (Raw<'a>, i64),
            (source, name): (Text<'a>, Text<'a>),
        ) -> Event<'a> {
            Event {
                raw,
                time_ms,
                source,
                name,
                $($($member: walker.$read(Field::$variant),)?)+
            }
        }
    };
}

with_fields!(event_of);

fn insight<'a>(walker: &Walker<'a>) -> Result<Insight<'a>, Missing> {
    let details = walker.raw(Field::InsightDetails);
    let details = details.ok_or(Missing("an object under \"insightDetails\""))?;
    let text = |key| details.get(key).and_then(Raw::text);
    let lower = walker.text_of(Field::SharedEventIdLower);
    Ok(Insight {
        time_ms: time_of(walker.string(Field::EventTime))?,
        id: walker.text_of(Field::EventId),
        event_type: walker.text_of(Field::EventType),
        region: walker.text_of(Field::AwsRegion),
        recipient_account: walker.text_of(Field::RecipientAccountId),
        shared_event_id: walker.text_of(Field::SharedEventId).or(lower),
        state: text("state").ok_or(Missing("a string under \"insightDetails.state\""))?,
        source: text("eventSource"),
        name: text("eventName"),
        error_code: text("errorCode"),
        kind: text("insightType"),
        context: details.get("insightContext"),
    })
}

fn aggregated<'a>(walker: &Walker<'a>) -> Result<Aggregated<'a>, Missing> {
    let window = |key| walker.raw(Field::TimeWindow)?.get(key)?.text();
    let summary = walker.raw(Field::Summary);
    Ok(Aggregated {
        start_ms: time_of(window("windowStart"))?,
        end_ms: time_of(window("windowEnd"))?,
        id: walker.text_of(Field::EventIdLower).or(walker.text_of(Field::EventId)),
        account: walker.text_of(Field::AccountId).or(walker.text_of(Field::RecipientAccountId)),
        region: walker.text_of(Field::AwsRegion),
        source: walker.text_of(Field::EventSource),
        summary: summary.ok_or(Missing("an object under \"summary\""))?,
    })
}

#[inline]
fn time_of(text: Option<Text<'_>>) -> Result<i64, Missing> {
    const WANTED: Missing = Missing("an ISO 8601 time from 1970 to 9999 as the record's time");
    let text = text.ok_or(WANTED)?;
    time::parse_ms(text.0).or_else(|| time::parse_ms(&text.get())).ok_or(WANTED)
}
