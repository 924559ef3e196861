//! The worker's side: records of whole objects in, compact rows out. What a record says of its
//! caller, API and address is worked out once for each that the chunk holds.

pub(crate) mod calls;
mod flows;

pub use flows::FlowRows;

use crate::{
    chunk::{
        Address, Api, Chunk, ChunkObject, Extra, FlowMatch, Match, NONE, Row, RowFact, RowId, Who,
    },
    engine::Context,
    impact::impact,
    interests::Interests,
    record::{Acting, Count, Counts, Record},
    rules::{
        index::Left,
        sieve::{Candidates, Numbers},
    },
};
use baseline::{Credential, Day, Dimension, Mfa, Principal, Slot, Track, class, kept, time::SLOTS};
use ingest::{
    Event, Identity, Text,
    agent::family,
    enrich::caller,
    event::{ErrorClass, Outcome},
    target::{Target, Targets, assumed_role},
};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Reads the records of some objects. One per worker and chunk; it holds no state of the engine.
#[derive(Debug)]
pub struct Reader<'e> {
    context: &'e Context,
    oldest_open: Day,
    learned_through: Day,
    stamp_ms: Option<i64>,
    /// The flow log that the object at hand is of, if it is known.
    log: Option<Arc<str>>,
    chunk: Chunk,
    /// Keys of look-ups that take several fields.
    scratch: Vec<u8>,
    counts: Counts,
}

impl<'e> Reader<'e> {
    pub(crate) fn new(
        context: &'e Context,
        (oldest_open, learned_through): (Day, Day),
        chunk: Chunk,
    ) -> Self {
        let (scratch, counts) = (Vec::new(), Counts::default());
        let (stamp_ms, log) = (None, None);
        Self { context, oldest_open, learned_through, stamp_ms, log, chunk, scratch, counts }
    }

    /// Begins an object of this content hash, written at `stamp_ms`, if it tells.
    pub fn begin(&mut self, content: u128, stamp_ms: Option<i64>) {
        self.begin_part(Some(content), stamp_ms);
    }

    /// Says which flow log the object that began last is of, by its id: what several logs tell of one interface is kept
    /// apart, and told once.
    pub fn of_flow_log(&mut self, log: Option<&str>) {
        self.log = log.map(Arc::from);
    }

    /// Goes on with an object that began in an earlier chunk.
    pub fn go_on(&mut self, stamp_ms: Option<i64>) {
        self.begin_part(None, stamp_ms);
    }

    fn begin_part(&mut self, content: Option<u128>, stamp_ms: Option<i64>) {
        self.stamp_ms = stamp_ms;
        self.log = None;
        let rows_from = self.chunk.rows.len();
        self.chunk.objects.push(ChunkObject {
            content,
            rows_from,
            corrections_from: self.chunk.n_corrections,
            learned_from: self.chunk.n_learned,
            flows: Vec::new(),
            flow_matches: Vec::new(),
            facts: Vec::new(),
            last_own: None,
            n_flows: 0,
            n_learned_flows: 0,
            n_late_flows: 0,
            flow_times_ms: None,
        });
    }

    /// When the newest record that counts of the object that began last happened. Unit: milliseconds since the
    /// Unix epoch.
    pub fn newest_ms(&self) -> Option<i64> {
        let object = self.chunk.objects.last()?;
        let rows = self.chunk.rows.get(object.rows_from..).unwrap_or_default();
        let of_flows = object.flow_times_ms.map(|(_, last_ms)| last_ms);
        rows.iter().map(|row| row.time_ms).max().max(of_flows)
    }

    /// Reads rows of flow logs, of the object that began last, as far as rules ask for them.
    pub fn flow_rows(&mut self, rows: &FlowRows<'_>) {
        for one in flows::matches(rows, self.context) {
            self.flow_match(one);
        }
    }

    /// What rules match of rows, to be counted later in an object that holds them.
    pub fn flow_matches(&self, rows: &FlowRows<'_>) -> Vec<FlowMatch> {
        flows::matches(rows, self.context)
    }

    /// Counts what a rule matched, in the object that began last.
    pub fn flow_match(&mut self, mut one: FlowMatch) {
        (one.end_ms, one.slot, _) = self.counted_at(one.end_ms);
        one.id = one.entity.id_in(self.log.as_deref());
        if self.is_learned(one.slot) {
            return;
        }
        if let Some(object) = self.chunk.objects.last_mut() {
            object.flow_matches.push(one);
        }
    }

    /// When something that happened at `time_ms` counts: at the stamp, if it says to be later; its
    /// slot; and whether it is late. What is late counts at its time of day on the oldest open day: in
    /// a single slot, what was spread over a day would look like a burst.
    fn counted_at(&self, time_ms: i64) -> (i64, Slot, bool) {
        let time_ms = self.stamp_ms.map_or(time_ms, |stamp| stamp.min(time_ms));
        let (slot, oldest) = (Slot::of(time_ms), self.oldest_open.first_slot());
        let is_late = Day::of(time_ms) < self.oldest_open;
        let of_day = slot.0.rem_euclid(24 * SLOTS);
        let slot = if is_late { Slot(oldest.0.saturating_add(of_day)) } else { slot };
        (time_ms, slot, is_late)
    }

    /// Whether what counts in `slot` belongs to a day that was learned before.
    fn is_learned(&self, slot: Slot) -> bool {
        slot.hour().day() <= self.learned_through
    }

    /// Takes back all that was read since [`Self::begin`]: the object turned out to be damaged.
    pub fn abandon(&mut self) {
        let Some(object) = self.chunk.objects.pop() else { return };
        self.chunk.rows.truncate(object.rows_from);
        self.chunk.n_corrections = object.corrections_from;
        self.chunk.n_learned = object.learned_from;
        self.chunk.extras.retain(|extra| (extra.row as usize) < object.rows_from);
        self.chunk.matches.retain(|one| (one.row as usize) < object.rows_from);
        self.chunk.facts.retain(|one| (one.row as usize) < object.rows_from);
    }

    /// Records that were read and count, if they were not read before. Unit: records.
    pub fn n_records(&self) -> usize {
        self.chunk.rows.len()
    }

    /// All that was read.
    pub fn finish(self) -> Chunk {
        self.chunk
    }

    /// Reads one record of the object that began last.
    pub fn record(&mut self, event: &Event<'_>) {
        if is_correction(event) {
            self.chunk.n_corrections += 1;
            return;
        }
        let (_, slot, is_late) = self.counted_at(event.time_ms);
        if self.is_learned(slot) {
            self.chunk.n_learned += 1;
            return;
        }
        let principal = self.principal(event);
        let api = self.api(event);
        let address = self.address(event);
        let region = event.region.unwrap_or(Text(""));
        let key = &self.context.options.hash_key;
        let region = self.chunk.regions.number(region.0.as_bytes(), || key.value(&region.get()));

        let (agent, target, error) =
            (self.agent(event), self.target(event, api), self.error(event));
        let id = self.id(event);
        let fingerprint = self.fingerprint(event, &id);
        let is_stranger = event.name.is("ConsoleLogin") && event.outcome() == Outcome::Failure;
        let time_ms = event.time_ms;
        self.chunk.rows.push(Row {
            time_ms,
            fingerprint,
            id,
            principal,
            api,
            address,
            region,
            agent,
            target,
            error,
            slot,
            is_late,
            is_stranger,
        });
        self.contribute(event);
    }

    /// What detectors and rules count of the record that became the last row.
    fn contribute(&mut self, event: &Event<'_>) {
        let Self { context, chunk, counts, .. } = self;
        let Some(&Row { principal, api, address, agent, error, .. }) = chunk.rows.last() else {
            return;
        };
        let row = u32::try_from(chunk.rows.len() - 1).unwrap_or(u32::MAX);
        let numbers = Numbers { caller: principal, address, agent, error };
        let (Some(who), Some(api), Some(address)) =
            (chunk.principals.get(principal), chunk.apis.get(api), chunk.addresses.get(address))
        else {
            return;
        };
        let candidates = Candidates { api: &api.rules, numbers };
        let (caller, origin) = (address.caller, address.origin);
        let (principal, account) = (&who.principal, &*who.principal.entity.account);
        let acting = who.acting;
        let (api_text, own) = (&*api.text, &*context.options.own);
        let record =
            Record { event, api: api_text, principal, acting, caller, origin, account, own };
        let left = chunk.sieve.left(context.options.rules.set(), candidates, &record);
        let mut interested = api.interested | who.interested;
        let class = chunk.errors.get(error).map(|class| &*class.text);
        if class == Some(ErrorClass::Denied.name()) {
            interested |= context.interests.denied;
        }
        if interested == 0 && left.is_empty() {
            return;
        }
        match_rules(&record, left, context, (row, &mut chunk.matches, counts));
        for detector in Interests::of(interested) {
            (detector.contribute)(&record, counts);
        }
        let mut seen = 0_u128;
        let mut sums = [0_u64; Dimension::ALL.len()];
        for Count { dimension, amount, .. } in &counts.all {
            if let Some(sum) = sums.get_mut(*dimension as usize) {
                *sum = sum.saturating_add(*amount);
            }
        }
        for count in counts.all.drain(..) {
            let value = count.value.map(|value| context.options.hash_key.value(&value));
            let (dimension, amount) = (count.dimension, count.amount);
            let bit = 1_u128 << dimension as u32;
            let is_first = seen & bit == 0;
            seen |= bit;
            let of_record = sums.get(dimension as usize).map_or(amount, |sum| *sum);
            chunk.extras.push(Extra { row, dimension, value, amount, of_record, is_first });
        }
        for (topic, words, amount) in counts.facts.drain(..) {
            let value = context.options.hash_key.value(&words);
            chunk.facts.push(RowFact { row, topic, value, amount });
        }
    }

    fn principal(&mut self, event: &Event<'_>) -> u32 {
        let recipient = event.recipient_account.map_or("", |account| account.0);
        let raw = event.identity.map_or("", |raw| raw.0);
        self.scratch.clear();
        self.scratch.extend_from_slice(recipient.as_bytes());
        self.scratch.push(0);
        self.scratch.extend_from_slice(raw.as_bytes());
        let context = self.context;
        self.chunk.principals.number(&self.scratch, || {
            let identity = event.identity.map(Identity::of).unwrap_or_default();
            let account = event.account().filter(|account| !account.is_empty());
            let account = account.map_or_else(|| "unknown".into(), Text::get);
            let mut principal = Principal::of(&identity, &account);
            context.options.kinds.pin(&mut principal.entity);
            let interested = context.interests.of_principal(&principal);
            let acting = Acting::of(&identity);
            let credential =
                [Credential::of(&identity).name(), Mfa::of(&identity).name()].join(" ");
            let credential = context.options.hash_key.value(&credential);
            let id = principal.entity.id();
            let instance = principal.instance().map(kept);
            Who { principal, id, credential, acting, instance, interested }
        })
    }

    fn agent(&mut self, event: &Event<'_>) -> u32 {
        let Some(text) = event.user_agent else { return NONE };
        let key = &self.context.options.hash_key;
        self.chunk.agents.number(text.0.as_bytes(), || key.value(&family(&text.get())))
    }

    fn target(&mut self, event: &Event<'_>, api: u32) -> u32 {
        let Some(targets) = self.chunk.apis.get(api).map(|api| api.targets) else { return NONE };
        self.scratch.clear();
        if let Some(Target { kind, name }) = targets.target(event) {
            self.scratch.extend_from_slice(kind.as_bytes());
            self.scratch.push(b':');
            self.scratch.extend_from_slice(name.as_bytes());
        } else if let Some(role) = assumed_role(event) {
            self.scratch.extend_from_slice(role.as_bytes());
        } else {
            return NONE;
        }
        let key = &self.context.options.hash_key;
        let text = &self.scratch;
        self.chunk.targets.number(text, || key.value(&String::from_utf8_lossy(text)))
    }

    fn error(&mut self, event: &Event<'_>) -> u32 {
        let Some(code) = event.error_code.filter(|code| !code.is_empty()) else { return NONE };
        let key = &self.context.options.hash_key;
        self.chunk
            .errors
            .number(code.0.as_bytes(), || key.value(ErrorClass::of(&code.get()).name()))
    }

    fn api(&mut self, event: &Event<'_>) -> u32 {
        self.scratch.clear();
        self.scratch.extend_from_slice(event.source.0.as_bytes());
        self.scratch.push(event.read_only.map_or(2, u8::from));
        self.scratch.extend_from_slice(event.name.0.as_bytes());
        let context = self.context;
        self.chunk.apis.number(&self.scratch, || {
            let (source, name) = (event.source.get(), event.name.get());
            let service = source.split('.').next().unwrap_or_default();
            let name = class::unversioned(&name);
            let text = kept(&format!("{service}:{name}"));
            let impact = impact(service, name, event.read_only);
            Api {
                value: context.options.hash_key.value(&text),
                service: context.options.hash_key.value(service),
                track: Track { impact, is_s3: service == "s3" },
                targets: Targets::of(service),
                interested: context.interests.of_api(&text),
                rules: context.options.rules.set().of_api(event, &text),
                text,
            }
        })
    }

    fn address(&mut self, event: &Event<'_>) -> u32 {
        let context = self.context;
        let text = event.source_ip.unwrap_or(Text(""));
        self.chunk.addresses.number(text.0.as_bytes(), || {
            let logged = text.get();
            let caller = caller(&logged);
            let public = caller.public();
            let origin = public.map(|address| context.enrich.origin(address)).unwrap_or_default();
            let key = &context.options.hash_key;
            Address {
                text: kept(&logged),
                caller,
                rank: public.map_or(0, |address| key.hash(&address.to_string())),
                origin,
                country: origin.country.map(|country| key.value(country.as_str())),
                network: origin.network.map(|network| key.value(&network.to_string())),
            }
        })
    }

    fn id(&mut self, event: &Event<'_>) -> RowId {
        let Some(id) = event.id else { return RowId::None };
        match baseline::evidence::uuid(id.0.as_bytes()) {
            Some(uuid) => RowId::Uuid(uuid),
            None => RowId::Text(self.chunk.ids.number(id.0.as_bytes(), || kept(&id.get()))),
        }
    }

    /// The id alone where AWS gave it; what was written by others, or long ago, is told apart by
    /// everything that names the call.
    fn fingerprint(&mut self, event: &Event<'_>, id: &RowId) -> u64 {
        if let RowId::Uuid(uuid) = id {
            return xxh3_64(&uuid.to_le_bytes());
        }
        self.scratch.clear();
        let fields = [event.id, event.recipient_account, event.request_id, event.region];
        let names = [Some(event.source), Some(event.name), event.source_ip, event.error_code];
        for field in fields.into_iter().chain(names) {
            self.scratch.extend_from_slice(field.map_or("", |field| field.0).as_bytes());
            self.scratch.push(0xff);
        }
        for raw in [event.identity, event.request] {
            self.scratch.extend_from_slice(raw.map_or("", |raw| raw.0).as_bytes());
            self.scratch.push(0xff);
        }
        self.scratch.extend_from_slice(&event.time_ms.to_le_bytes());
        xxh3_64(&self.scratch)
    }
}

/// What rules match of a record: the watches take it, and some of it is learned.
fn match_rules(
    record: &Record<'_>,
    left: &Left,
    context: &Context,
    (row, matches, counts): (u32, &mut Vec<Match>, &mut Counts),
) {
    let (rules, key) = (&context.options.rules, &context.options.hash_key);
    let (set, watches) = (rules.set(), rules.watches());
    set.matches(left, record, &mut |rule| {
        watches.found(rule, (set, key), record.into(), &mut |found| {
            matches.push(Match { row, found });
        });
        if let Some(id) = watches.learned(rule, set) {
            counts.value(Dimension::Matches, id);
        }
    });
}

/// A record that corrects another is evidence of it, never a call of its own.
fn is_correction(event: &Event<'_>) -> bool {
    event.addendum.is_some_and(|addendum| {
        let reason = addendum.get("reason").and_then(ingest::Raw::text);
        reason.is_some_and(|reason| reason.0 == "UPDATED_DATA")
            && addendum.get("originalEventID").is_some()
    })
}
