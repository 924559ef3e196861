//! The keys of a record and of what records come wrapped in, which members of a record are read of them,
//! and the prediction of which comes next.

/// Hands the list of keys to the macro `$with`: of each its variant of [`Field`], its name and, where a
/// member of [`Event`](crate::Event) is read of it, the member and the method of
/// [`Walker`](super::walk::Walker) that reads it.
macro_rules! with_fields {
    ($with:ident) => {
        $with! {
            EventVersion "eventVersion",
            UserIdentity "userIdentity" => identity raw,
            EventTime "eventTime",
            EventSource "eventSource",
            EventName "eventName",
            AwsRegion "awsRegion" => region text_of,
            SourceIpAddress "sourceIPAddress" => source_ip text_of,
            UserAgent "userAgent" => user_agent text_of,
            ErrorCode "errorCode" => error_code text_of,
            ErrorMessage "errorMessage" => error_message text_of,
            RequestParameters "requestParameters" => request raw,
            ResponseElements "responseElements" => response raw,
            AdditionalEventData "additionalEventData" => additional raw,
            RequestId "requestID" => request_id text_of,
            EventId "eventID" => id text_of,
            ReadOnly "readOnly" => read_only bool,
            Resources "resources" => resources raw,
            EventType "eventType" => event_type text_of,
            ApiVersion "apiVersion",
            ManagementEvent "managementEvent",
            RecipientAccountId "recipientAccountId" => recipient_account text_of,
            SharedEventId "sharedEventID" => shared_event_id text_of,
            SharedEventIdLower "sharedEventId",
            ServiceEventDetails "serviceEventDetails" => service_details raw,
            VpcEndpointId "vpcEndpointId" => vpc_endpoint text_of,
            VpcEndpointAccountId "vpcEndpointAccountId",
            EventCategory "eventCategory" => category text_of,
            Addendum "addendum" => addendum raw,
            SessionCredentialFromConsole "sessionCredentialFromConsole" => from_console bool,
            EdgeDeviceDetails "edgeDeviceDetails",
            TlsDetails "tlsDetails" => tls raw,
            InsightDetails "insightDetails",
            AccountId "accountId",
            EventIdLower "eventId",
            TimeWindow "timeWindow",
            Summary "summary",
            Records "Records",
            Events "Events",
            CloudTrailEvent "CloudTrailEvent",
            Detail "detail",
            DetailType "detail-type",
            MessageType "messageType",
            LogEvents "logEvents",
            Message "message",
            DigestStartTime "digestStartTime",
            DigestEndTime "digestEndTime",
            DigestS3Object "digestS3Object",
        }
    };
}
pub(super) use with_fields;

/// Declares [`Field`], its names and the look-up by name.
macro_rules! fields {
    ($($variant:ident $name:literal $(=> $member:ident $read:ident)?,)+) => {
        /// A key of a record or of its wrapper.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Field {
            $($variant,)+
            /// Any other key.
            Other,
        }

        const NAMED: [Field; Field::Other as usize] = [$(Field::$variant,)+];
        const PATTERNS: [Pattern; Field::Other as usize] = [$(Pattern::of($name),)+];

        impl Field {
            /// The field called `name`, escapes undone.
            pub(super) fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    _ => Self::Other,
                }
            }
        }
    };
}

with_fields!(fields);

/// What follows a key where those between are absent, as they are in most records.
const SKIPS: [(Field, Field); 6] = [
    (Field::UserAgent, Field::RequestParameters),
    (Field::ResponseElements, Field::RequestId),
    (Field::ReadOnly, Field::EventType),
    (Field::EventType, Field::ManagementEvent),
    (Field::RecipientAccountId, Field::EventCategory),
    (Field::EventCategory, Field::TlsDetails),
];

/// Number of fields, [`Field::Other`] included.
pub(super) const FIELDS: usize = Field::Other as usize + 1;

/// Bytes compared at once: the longest key with its quotes and colon.
const PATTERN_BYTES: usize = 32;

/// `"name":`, padded with zeros, and which of its bytes count.
struct Pattern {
    bytes: [u8; PATTERN_BYTES],
    mask: [u8; PATTERN_BYTES],
    length: usize,
}

impl Pattern {
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, where it would not build")]
    const fn of(name: &str) -> Self {
        let name = name.as_bytes();
        let length = name.len() + 3;
        let mut bytes = [0; PATTERN_BYTES];
        let mut mask = [0; PATTERN_BYTES];
        let mut at = 0;
        while at < length {
            mask[at] = 0xff;
            bytes[at] = match at {
                0 => b'"',
                _ if at == length - 1 => b':',
                _ if at == length - 2 => b'"',
                _ => name[at - 1],
            };
            at += 1;
        }
        Self { bytes, mask, length }
    }

    #[inline]
    fn begins(&self, text: &[u8; PATTERN_BYTES]) -> bool {
        let mut differences = 0;
        let words = text.as_chunks::<8>().0.iter();
        let wanted = self.bytes.as_chunks::<8>().0.iter().zip(self.mask.as_chunks::<8>().0);
        for (word, (bytes, mask)) in words.zip(wanted) {
            differences |= (u64::from_le_bytes(*word) ^ u64::from_le_bytes(*bytes))
                & u64::from_le_bytes(*mask);
        }
        differences == 0
    }
}

/// What followed each key the last two times. The records of a file come in nearly the same key
/// order, so nearly every key is known after one compare.
pub(super) struct Prediction {
    next: [[Field; 2]; FIELDS],
}

impl Prediction {
    /// The order of the list above, which is the order in which AWS writes, with the usual skips.
    pub(super) fn new() -> Self {
        let mut next = [[Field::EventVersion; 2]; FIELDS];
        for (slot, after) in next.iter_mut().zip(NAMED.iter().skip(1)) {
            *slot = [*after; 2];
        }
        let mut prediction = Self { next };
        for (previous, field) in SKIPS {
            prediction.learn(previous, field);
        }
        prediction
    }

    /// The key at the start of `text`, which begins with its quote, where it is one of the two
    /// that followed `previous`: the field and the offset of the value after the colon.
    #[inline]
    pub(super) fn guess(&mut self, previous: Field, text: &[u8]) -> Option<(Field, usize)> {
        let text = text.first_chunk()?;
        let candidates = self.next.get_mut(previous as usize)?;
        let [first, second] = *candidates;
        if let Some(pattern) = PATTERNS.get(first as usize)
            && pattern.begins(text)
        {
            return Some((first, pattern.length));
        }
        let pattern = PATTERNS.get(second as usize)?;
        pattern.begins(text).then(|| {
            *candidates = [second, first];
            (second, pattern.length)
        })
    }

    /// Remembers that `field` followed `previous`.
    #[inline]
    pub(super) fn learn(&mut self, previous: Field, field: Field) {
        if field == Field::Other {
            return;
        }
        if let Some(candidates) = self.next.get_mut(previous as usize) {
            *candidates = [field, candidates[0]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_guessed_after_they_were_learned() {
        let mut prediction = Prediction::new();
        let text = format!("{:32}", r#""eventID":"x""#);
        assert_eq!(prediction.guess(Field::EventTime, text.as_bytes()), None);
        prediction.learn(Field::EventTime, Field::EventId);
        assert_eq!(prediction.guess(Field::EventTime, text.as_bytes()), Some((Field::EventId, 10)));
        prediction.learn(Field::EventTime, Field::EventName);
        assert_eq!(prediction.guess(Field::EventTime, text.as_bytes()), Some((Field::EventId, 10)));
        assert_eq!(prediction.guess(Field::EventTime, &text.as_bytes()[..31]), None);
    }

    #[test]
    fn a_key_that_only_begins_alike_is_no_match() {
        let mut prediction = Prediction::new();
        prediction.learn(Field::EventTime, Field::EventId);
        for text in [r#""eventIDs":1"#, r#""eventID" :1"#, r#""eventId":1"#] {
            let text = format!("{text:32}");
            assert_eq!(prediction.guess(Field::EventTime, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_name_finds_its_field() {
        for (field, pattern) in NAMED.iter().zip(&PATTERNS) {
            let name = std::str::from_utf8(&pattern.bytes[1..pattern.length - 2]).unwrap();
            assert_eq!(Field::named(name), *field);
        }
        assert_eq!(Field::named("eventname"), Field::Other);
    }
}
