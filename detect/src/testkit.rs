//! Logs for tests: raw records by day and time of day, read by the parser and judged by the engine.

use crate::{
    Away, Blob, Change, DETECTORS, Engine, Finding, Options, Part, Reader, RuleFile, Rules, Shelf,
    ShelfError,
    detector::Detector,
    rules::{Names, Whose},
};
use baseline::{Day, form::Texts, stable_hash};
use ingest::{
    cloudtrail,
    enrich::Enrich,
    flow::{Call, Opened, address},
    flowlog::Gap,
    testkit,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard},
};

/// The day on which tests happen: 2025-03-14.
pub(crate) const TODAY: Day = Day(20_161);

/// `hh:mm` of a day counted from [`TODAY`]. Unit: milliseconds since the Unix epoch.
pub(crate) fn at(day: i32, clock: &str) -> i64 {
    let (hours, minutes) = clock.split_once(':').unwrap();
    let minutes = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
    Day(TODAY.0 + day).start_ms() + minutes * 60_000
}

/// Reads one object that holds `records`.
pub(crate) fn read<S: AsRef<str>>(reader: &mut Reader<'_>, stamp_ms: Option<i64>, records: &[S]) {
    let text = testkit::object(records);
    reader.begin(stable_hash(&[text.as_bytes()]), stamp_ms);
    let shape = cloudtrail::read(&text, |_, record| match record.unwrap() {
        cloudtrail::Record::Event(event) => reader.record(&event),
        other => panic!("{other:?}"),
    });
    assert_eq!(shape, Ok(cloudtrail::Shape::Records));
}

/// An engine that knows nothing yet, with the default settings.
pub(crate) fn engine() -> Engine {
    Engine::new(Options::default(), Enrich::built_in())
}

/// Reads and applies one object that holds `records`.
pub(crate) fn apply<S: AsRef<str>>(engine: &mut Engine, records: &[S]) {
    let mut reader = engine.reader();
    read(&mut reader, None, records);
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
}

/// The built-in rules, and those of `text`.
pub(crate) fn rules(text: &str) -> Arc<Rules> {
    let file = RuleFile { name: "own.yml".into(), text: text.into(), whose: Whose::Own };
    let (rules, errors) = Rules::of(&[file], Names::default());
    assert_eq!(errors, []);
    Arc::new(rules)
}

/// One flow to `port` of `peer`, unanswered, that ended at `end_ms`.
pub(crate) fn flow(interface: &str, (peer, port): (IpAddr, u16), end_ms: i64) -> Call {
    let end_s = end_ms.div_euclid(1_000);
    Call {
        interface: interface.into(),
        is_inbound: false,
        own: address([10, 0, 0, 1].into()),
        peer: address(peer),
        port,
        protocol: 6,
        start_s: end_s,
        end_s,
        n_flows: 1,
        is_admitted: true,
        is_answered: false,
        n_ports_of_peer: 1,
        opened: opened(end_s, 1),
        bytes: (60, 0),
        packets: (1, 0),
        squares: 3_600,
        lasting: None,
        is_clear: None,
    }
}

/// `n` connections, opened at `end_s`.
pub(crate) fn opened(end_s: i64, n: u32) -> Opened {
    let mut opened = Opened::default();
    opened.add(end_s, n);
    opened
}

/// What was kept of an engine, as a file has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    blobs: Arc<Mutex<Blobs>>,
    away: Arc<Mutex<BTreeMap<u128, Away>>>,
}

/// Bytes by part and key.
type Blobs = BTreeMap<(Part, u128), Vec<u8>>;

impl Kept {
    /// Keeps what changed of an engine that notes it.
    pub(crate) fn keep(&mut self, engine: &mut Engine) {
        let kept = engine.changed(&mut |change| {
            match change {
                Change::Gone(part, key) => drop(self.all().remove(&(part, key))),
                Change::Put(Blob { part, key, bytes }) => {
                    self.all().insert((part, key), bytes);
                }
            }
            Ok::<_, ShelfError>(())
        });
        kept.unwrap();
        engine.kept().unwrap();
    }

    /// What is kept of a part under a key.
    pub(crate) fn blob(&self, part: Part, key: u128) -> Option<Blob> {
        let bytes = self.all().get(&(part, key)).cloned();
        bytes.map(|bytes| Blob { part, key, bytes })
    }

    /// `engine`, which has read nothing yet, going on with it.
    pub(crate) fn resumed(&self, mut engine: Engine) -> Engine {
        engine.note_changes();
        let mut texts = Texts::default();
        for part in Part::STATE {
            let of_part: Vec<_> = {
                let all = self.all();
                let range = all.range((*part, 0)..=(*part, u128::MAX));
                range.map(|((_, key), bytes)| (*key, bytes.clone())).collect()
            };
            for (key, bytes) in of_part {
                engine.resume(&Blob { part: *part, key, bytes }, &mut texts).unwrap();
            }
        }
        engine
    }

    /// Has `engine` put away what is above so many bytes of profiles.
    pub(crate) fn bound(&self, engine: &mut Engine, bytes_max: usize) {
        self.away().clear();
        engine.hold(bytes_max, Box::new(Cupboard(self.clone())));
    }

    /// Whose profiles are put away.
    pub(crate) fn who_is_away(&self) -> BTreeSet<u128> {
        self.away().keys().copied().collect()
    }

    fn all(&self) -> MutexGuard<'_, Blobs> {
        self.blobs.lock().unwrap()
    }

    fn away(&self) -> MutexGuard<'_, BTreeMap<u128, Away>> {
        self.away.lock().unwrap()
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        let others = other.all().clone();
        *self.all() == others
    }
}

/// A shelf of what is not kept, beside what is.
#[derive(Debug)]
struct Cupboard(Kept);

impl Shelf for Cupboard {
    fn put(&mut self, all: &[Away]) -> Result<(), ShelfError> {
        for one in all {
            let is_there = one.bytes.is_some() || self.look(one.id)?.is_some();
            assert!(is_there, "nothing is kept of it");
            assert!(self.0.away().insert(one.id, one.clone()).is_none(), "it lies there already");
        }
        Ok(())
    }

    fn look(&self, id: u128) -> Result<Option<Vec<u8>>, ShelfError> {
        let bytes = self.0.away().get(&id).and_then(|one| one.bytes.clone());
        Ok(bytes.or_else(|| self.0.all().get(&(Part::Entity, id)).cloned()))
    }

    fn take(&mut self, ids: &[u128]) -> Result<Vec<(u128, Vec<u8>)>, ShelfError> {
        let mut taken = Vec::new();
        for id in ids {
            taken.extend(self.look(*id)?.map(|bytes| (*id, bytes)));
            self.0.away().remove(id);
        }
        Ok(taken)
    }

    fn first_open(&self) -> Result<Option<Day>, ShelfError> {
        Ok(self.0.away().values().filter_map(|one| one.first_open).min())
    }

    fn each_open(&self, visit: &mut dyn FnMut(u128, Day)) -> Result<(), ShelfError> {
        for one in self.0.away().values() {
            one.first_open.into_iter().for_each(|day| visit(one.id, day));
        }
        Ok(())
    }

    fn open_on(&self, day: Day, n_max: usize) -> Result<Vec<u128>, ShelfError> {
        let away = self.0.away();
        let open = away.values().filter(|one| one.first_open == Some(day));
        // Fewer than are asked for, so that there are rounds.
        Ok(open.map(|one| one.id).take(n_max.min(2)).collect())
    }

    fn between(&self, ids: RangeInclusive<u128>) -> Result<Vec<u128>, ShelfError> {
        Ok(self.0.away().range(ids).map(|(id, _)| *id).collect())
    }

    fn kept(&mut self) -> Result<(), ShelfError> {
        self.0.away().values_mut().for_each(|one| one.bytes = None);
        Ok(())
    }
}

/// Records of some days, on the way to the findings of one detector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs {
    days: BTreeMap<Day, Vec<String>>,
    flows: BTreeMap<Day, Vec<Call>>,
    gaps: BTreeMap<Day, Vec<Gap>>,
    /// The flow logs that each have the flows; without any, nobody knows which.
    logged_by: Vec<&'static str>,
    /// From a day on another flow log has them instead.
    made_anew: Option<(Day, &'static str)>,
    options: Options,
}

impl Logs {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With other settings than the default.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut logs = Self::default();
        change(&mut logs.options);
        logs
    }

    /// The same records with other settings of detectors.
    pub(crate) fn with_settings(
        mut self,
        change: impl FnOnce(&mut crate::detectors::Settings),
    ) -> Self {
        change(&mut self.options.detectors);
        self
    }

    /// The same records with other options.
    pub(crate) fn with_options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// One record at `hh:mm` of a day counted from today.
    pub(crate) fn call(mut self, day: i32, clock: &str, call: testkit::Call) -> Self {
        let time_ms = at(day, clock);
        self.days.entry(Day::of(time_ms)).or_default().push(call.at_ms(time_ms).raw());
        self
    }

    /// `n` records, a second apart, from `hh:mm` on.
    pub(crate) fn calls(
        mut self,
        day: i32,
        clock: &str,
        n: u32,
        call: impl Fn(u32) -> testkit::Call,
    ) -> Self {
        for i in 0..n {
            let time_ms = at(day, clock) + i64::from(i) * 1_000;
            let raw = call(i).at_ms(time_ms).raw();
            self.days.entry(Day::of(time_ms)).or_default().push(raw);
        }
        self
    }

    /// One record a day at `hh:mm`, for `n` days that end three days before today, so that today
    /// is judged by all of them, and so are its priors.
    pub(crate) fn daily(
        mut self,
        n: i32,
        clock: &str,
        call: impl Fn(i32) -> testkit::Call,
    ) -> Self {
        for day in -2 - n..-2 {
            self = self.call(day, clock, call(day));
        }
        self
    }

    /// Ordinary work: calls that no detector watches, in `hours` hours of each of `n` days.
    pub(crate) fn habit(mut self, n: i32, hours: u32, call: impl Fn() -> testkit::Call) -> Self {
        for hour in 0..hours {
            let clock = format!("{}:30", 8 + hour);
            self = self.daily(n, &clock, |_| call().api("s3:GetBucketLocation"));
        }
        self
    }

    /// `targets`, as `peer port`, that `interface` called in vain at `hh:mm`.
    pub(crate) fn flows(
        mut self,
        day: i32,
        clock: &str,
        interface: &'static str,
        targets: impl IntoIterator<Item = String>,
    ) -> Self {
        let end_ms = at(day, clock);
        for target in targets {
            let (peer, port) = target.split_once(' ').unwrap();
            let (peer, port) = (peer.parse().unwrap(), port.parse().unwrap());
            self = self.flow(flow(interface, (peer, port), end_ms));
        }
        self
    }

    /// What an interface called.
    pub(crate) fn flow(mut self, call: Call) -> Self {
        self.flows.entry(Day::of(call.end_ms())).or_default().push(call);
        self
    }

    /// The same, with all flows in each of these flow logs.
    pub(crate) fn logged_by(mut self, flow_logs: &[&'static str]) -> Self {
        self.logged_by = flow_logs.to_vec();
        self
    }

    /// The same, with all flows from a day on in this flow log instead.
    pub(crate) fn made_anew(mut self, day: i32, log: &'static str) -> Self {
        self.made_anew = Some((Day(TODAY.0 + day), log));
        self
    }

    /// When flows of an interface were lost.
    pub(crate) fn gap(mut self, gap: Gap) -> Self {
        self.gaps.entry(Day::of(gap.end_ms())).or_default().push(gap);
        self
    }

    /// All findings, each day read and applied as its own object.
    pub(crate) fn all(self) -> Vec<Finding> {
        let mut engine = Engine::new(self.options.clone(), Enrich::built_in());
        self.judged_by(&mut engine)
    }

    /// The same of an engine that has its own options; what it tells on the way is what the close tells.
    #[track_caller]
    pub(crate) fn judged_by(self, engine: &mut Engine) -> Vec<Finding> {
        engine.note_touched();
        let told = self.read_by(engine);
        engine.finish().unwrap();
        let findings = engine.take_findings();
        // Some are only told when the day has closed.
        let closes = |one: &&Detector| one.meta.is_at_close();
        let at_close: Vec<&str> = DETECTORS.iter().filter(closes).map(|one| one.meta.id).collect();
        let is_told = |one: &&Finding| !at_close.contains(&&*one.about.id);
        let by_id = |findings: &[Finding]| -> BTreeMap<_, _> {
            findings.iter().filter(is_told).map(|one| (one.id, one.clone())).collect()
        };
        assert_eq!(by_id(&told), by_id(&findings));
        findings
    }

    /// What an engine tells of them on the way.
    pub(crate) fn read_by(&self, engine: &mut Engine) -> Vec<Finding> {
        let mut told = Vec::new();
        let days = self.days.keys().chain(self.flows.keys()).chain(self.gaps.keys()).copied();
        for day in days.collect::<BTreeSet<_>>() {
            engine.advance(day.start_ms()).unwrap();
            let mut reader = engine.reader();
            if let Some(records) = self.days.get(&day) {
                read(&mut reader, None, records);
            }
            self.read_flows(day, None, &mut reader);
            let chunk = reader.finish();
            engine.apply(&[chunk]).unwrap();
            told.extend(engine.judge_open().unwrap());
            // One log comes after the other.
            for log in self.logged_by.iter().skip(1) {
                let mut reader = engine.reader();
                self.read_flows(day, Some(log), &mut reader);
                let chunk = reader.finish();
                engine.apply(&[chunk]).unwrap();
                told.extend(engine.judge_open().unwrap());
            }
        }
        told
    }

    /// Reads the flows of a day as an object of a flow log, else of the first of all.
    fn read_flows(&self, day: Day, log: Option<&str>, reader: &mut Reader<'_>) {
        let log = log.or(self.logged_by.first().copied());
        let anew = self.made_anew.filter(|(from, _)| day >= *from).map(|(_, log)| log);
        let log = anew.or(log);
        let name = log.unwrap_or_default().as_bytes();
        reader.begin(stable_hash(&[&day.0.to_le_bytes(), name]), None);
        reader.of_flow_log(log);
        let calls = self.flows.get(&day).map(Vec::as_slice).unwrap_or_default();
        let n_flows = calls.iter().map(|one| u64::from(one.n_flows)).sum();
        reader.flows(testkit::ACCOUNT, n_flows, calls);
        let gaps = self.gaps.get(&day).map(Vec::as_slice).unwrap_or_default();
        reader.gaps(testkit::ACCOUNT, gaps);
    }

    /// The findings of one detector.
    #[track_caller]
    pub(crate) fn findings(self, detector: &str) -> Vec<Finding> {
        let speaks = self.options.rules.catalogue().find(detector).is_some();
        assert!(speaks, "nothing speaks as `{detector}`, so it would always be quiet");
        let mut findings = self.all();
        findings.retain(|finding| finding.about.id == detector);
        findings
    }

    /// The only finding of one detector.
    #[track_caller]
    pub(crate) fn finding(self, detector: &str) -> Finding {
        let mut findings = self.findings(detector);
        let n = findings.len();
        assert!(n == 1, "`{detector}` told {n} findings, one was expected: {findings:#?}");
        findings.remove(0)
    }

    /// The finding of one detector today, when other days have some too.
    #[track_caller]
    pub(crate) fn today(self, detector: &str) -> Option<Finding> {
        self.findings(detector).into_iter().find(|finding| finding.day == TODAY)
    }

    /// That the detector says nothing.
    #[track_caller]
    pub(crate) fn stays_quiet(self, detector: &str) {
        let findings = self.findings(detector);
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

/// That the summary of `finding` holds all of `words`.
#[track_caller]
pub(crate) fn says(finding: &Finding, words: &[&str]) {
    for word in words {
        assert!(finding.summary.contains(word), "no `{word}` in: {}", finding.summary);
    }
}
