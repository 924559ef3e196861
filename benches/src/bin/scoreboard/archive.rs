//! The logs of one organisation: rows for the novelty counter, and stories that can be cut short.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use baseline::{Principal, stable_hash};
use ingest::{
    Event, Identity, Text,
    cloudtrail::{self, Record},
    decode::gunzip,
    enrich::{Caller, Enrich, caller},
    time::parse_ms,
};
use libdeflater::{CompressionLvl, Compressor};
use testdata::truth::Truth;

use crate::Result;

/// Unit: bytes.
const CONTENT_BYTES_MAX: usize = 1 << 30;

/// One record, as a novelty counter sees it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Unit: milliseconds since the Unix epoch.
    pub(crate) time_ms: i64,
    pub(crate) id: u128,
    pub(crate) entity: u128,
    pub(crate) api: u128,
    /// ASN of the address, /16 or /32 of one that nobody announces; `None` for what is no address.
    pub(crate) network: Option<u128>,
    /// The story it belongs to.
    pub(crate) story: Option<usize>,
}

/// An object with records of stories, as it was written.
struct Object {
    path: PathBuf,
    text: String,
}

/// A flow that the truth names.
struct NamedFlow<'a> {
    /// The name of the row in which it begins. The truth names no other, and a long flow has one in each
    /// window.
    row: &'a str,
    /// When its step happens. An ordinary flow between the same ports within that time is taken for it:
    /// where a NAT gateway stands for the other side, that happens to very few. Unit: milliseconds
    /// since the Unix epoch.
    times_ms: RangeInclusive<i64>,
    story: usize,
}

/// What the truth names, each with the story it belongs to.
struct Names<'a> {
    /// By `eventID`.
    records: BTreeMap<&'a str, usize>,
    /// By what all rows of a flow share.
    flows: BTreeMap<&'a str, Vec<NamedFlow<'a>>>,
}

impl<'a> Names<'a> {
    fn of(truth: &'a Truth) -> Result<Self> {
        let mut names = Self { records: BTreeMap::new(), flows: BTreeMap::new() };
        for (story, told) in truth.stories.iter().enumerate() {
            for step in &told.steps {
                let time_ms = |iso: &str| parse_ms(iso).ok_or("a step with a time that is none");
                let (first_ms, last_ms) = (time_ms(&step.first)?, time_ms(&step.last)?);
                names.records.extend(step.event_ids.iter().map(|id| (id.as_str(), story)));
                for row in &step.flows {
                    let flow = NamedFlow { row, times_ms: first_ms..=last_ms, story };
                    names.flows.entry(flow_of(row)).or_default().push(flow);
                }
            }
        }
        Ok(names)
    }

    fn story_of_record(&self, id: &str) -> Option<usize> {
        self.records.get(id).copied()
    }

    fn story_of_flow(&self, key: &str, start_ms: i64) -> Option<usize> {
        let mut named = self.flows.get(flow_of(key))?.iter();
        named.find(|flow| flow.times_ms.contains(&start_ms)).map(|flow| flow.story)
    }

    fn all(&self) -> impl Iterator<Item = &'a str> {
        let rows = self.flows.values().flatten().map(|flow| flow.row);
        self.records.keys().copied().chain(rows)
    }
}

pub(crate) struct Archive {
    pub(crate) root: PathBuf,
    /// In the order of their times, every record once.
    pub(crate) rows: Vec<Row>,
    /// By story, the times of its records or flows, in their order. Unit: milliseconds since the Unix
    /// epoch.
    pub(crate) stories: Vec<Vec<i64>>,
    /// By id of a record, or what names a row of a flow: the story, and the place in it.
    places: BTreeMap<String, (usize, usize)>,
    objects: Vec<Object>,
}

impl Archive {
    /// Reads every object below `root`.
    pub(crate) fn read(root: &Path, truth: &Truth) -> Result<Self> {
        let names = Names::of(truth)?;
        let enrich = Enrich::built_in();
        let mut rows = BTreeMap::new();
        let mut objects = Vec::new();
        let mut items: BTreeSet<(usize, i64, String)> = BTreeSet::new();
        for path in files(root)? {
            let text = String::from_utf8(gunzip(&fs::read(&path)?, CONTENT_BYTES_MAX)?)?;
            let before = items.len();
            let mut touched = false;
            let mut item = |name: &str, story: Option<usize>, time_ms| {
                if let Some(story) = story {
                    touched = true;
                    items.insert((story, time_ms, name.to_owned()));
                }
                story
            };
            if is_flow_log(&path) {
                for (key, start_ms) in text.lines().filter_map(flow_keys(&text)) {
                    item(&key, names.story_of_flow(&key, start_ms), start_ms);
                }
            } else {
                cloudtrail::read(&text, |_, record| {
                    if let Ok(Record::Event(event)) = record {
                        let id = event.id.map_or_else(Default::default, Text::get);
                        let story = item(&id, names.story_of_record(&id), event.time_ms);
                        let row = row(&event, &enrich, story);
                        rows.insert(row.id, row);
                    }
                })?;
            }
            if touched || items.len() > before {
                objects.push(Object { path, text });
            }
        }
        let mut stories = vec![Vec::new(); truth.stories.len()];
        let mut places = BTreeMap::new();
        for (story, time_ms, name) in items {
            let times: &mut Vec<i64> = stories.get_mut(story).ok_or("a story without a number")?;
            places.insert(name, (story, times.len()));
            times.push(time_ms);
        }
        if let Some(name) = names.all().find(|name| !places.contains_key(*name)) {
            return Err(format!("{name} of a story is not in the logs").into());
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_unstable();
        Ok(Self { root: root.to_owned(), rows, stories, places, objects })
    }

    /// Leaves in the logs the first `kept` records or flows of each story, and nothing else of it.
    pub(crate) fn keep(&self, kept: &[usize]) -> Result<()> {
        let stays = |name: &str| {
            let place = self.places.get(name);
            place.is_none_or(|&(story, place)| kept.get(story).is_none_or(|&n| place < n))
        };
        let mut compressor = Compressor::new(CompressionLvl::fastest());
        for Object { path, text } in &self.objects {
            let left = if is_flow_log(path) { flows(text, stays) } else { records(text, stays)? };
            let mut bytes = vec![0; compressor.gzip_compress_bound(left.len())];
            let n = compressor.gzip_compress(left.as_bytes(), &mut bytes)?;
            bytes.truncate(n);
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

fn records(text: &str, stays: impl Fn(&str) -> bool) -> Result<String> {
    let mut left = Vec::new();
    cloudtrail::read(text, |_, record| {
        if let Ok(Record::Event(event)) = record
            && event.id.is_none_or(|id| stays(&id.get()))
        {
            left.push(event.raw.0.to_owned());
        }
    })?;
    Ok(format!("{{\"Records\":[{}]}}", left.join(",")))
}

fn flows(text: &str, stays: impl Fn(&str) -> bool) -> String {
    let key = flow_keys(text);
    let left = text.lines().filter(|line| key(line).is_none_or(|(key, _)| stays(&key)));
    left.flat_map(|line| [line, "\n"]).collect()
}

/// What names the row of a line, as the truth does, and when it begins, in milliseconds since the Unix
/// epoch; by the header of `text`.
fn flow_keys(text: &str) -> impl Fn(&str) -> Option<(String, i64)> {
    const FIELDS: [&str; 7] =
        ["interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start"];
    let header: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').collect();
    let at = FIELDS.map(|field| header.iter().position(|name| *name == field));
    move |line| {
        let values: Vec<&str> = line.split(' ').collect();
        let named: Option<Vec<&str>> = at.iter().map(|at| values.get((*at)?).copied()).collect();
        let named = named?;
        let start_s: i64 = named.last()?.parse().ok()?;
        Some((named.join(" "), start_s * 1_000))
    }
}

/// The name of a row without its start, which all rows of its flow share.
fn flow_of(key: &str) -> &str {
    key.rsplit_once(' ').map_or(key, |(flow, _)| flow)
}

fn is_flow_log(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".log.gz")
}

fn row(event: &Event<'_>, enrich: &Enrich, story: Option<usize>) -> Row {
    let hash = |text: &str| stable_hash(&[text.as_bytes()]);
    let identity = event.identity.map(Identity::of).unwrap_or_default();
    let account = event.account().map_or_else(Default::default, Text::get);
    let api = format!("{}:{}", event.source, event.name);
    let network = match caller(&event.source_ip.map_or_else(Default::default, Text::get)) {
        Caller::Public(address) | Caller::Private(address) => {
            let asn = enrich.origin(address).network.map(|asn| asn.to_string());
            let octets: String = address.to_string().split_inclusive(['.', ':']).take(2).collect();
            Some(hash(&asn.unwrap_or(octets)))
        }
        _ => None,
    };
    Row {
        time_ms: event.time_ms,
        id: hash(&event.id.map_or_else(Default::default, Text::get)),
        entity: Principal::of(&identity, &account).entity.id(),
        api: hash(&api),
        network,
        story,
    }
}

/// The gzip objects below `folder`, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "gz") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use testdata::{clock::DAY_S, organisation::Size, simulate, story::named};

    use super::*;

    const SIZE: Size =
        Size { accounts: 1, people: 1, machines: 0, pipelines: 0, agents: 0, vpcs: 1 };

    fn simulated(seed: u64, stories: &[&str]) -> (Vec<String>, Truth) {
        let stories = stories.iter().map(|name| named(name).unwrap()).collect();
        let (start_s, days) = (20_000 * DAY_S, 3);
        let plan = simulate::Plan { seed, size: SIZE, start_s, days, has_digests: false, stories };
        let mut archive = testdata::Archive::new();
        let truth = simulate::run(&plan, &mut archive, &mut |_| ()).unwrap().truth;
        let logs = archive.iter().filter(|(key, _)| is_flow_log(Path::new(key)));
        let text = |(_, bytes): (_, &Vec<u8>)| {
            String::from_utf8(gunzip(bytes, CONTENT_BYTES_MAX).unwrap()).unwrap()
        };
        (logs.map(text).collect(), truth)
    }

    /// What the rows of flows say; whose window had none depends on what is taken out.
    fn rows(texts: &[String]) -> BTreeSet<&str> {
        texts.iter().flat_map(|text| text.lines()).filter(|line| !line.contains("NODATA")).collect()
    }

    #[test]
    fn no_row_of_a_story_is_left() {
        for seed in 1..=2 {
            let (with, truth) = simulated(seed, &["port-scan", "beacon", "vulnerability-scan"]);
            let (without, _) = simulated(seed, &[]);
            let names = Names::of(&truth).unwrap();
            let stays = |key: &str| {
                let start_s: i64 = key.rsplit(' ').next().unwrap().parse().unwrap();
                names.story_of_flow(key, start_s * 1_000).is_none()
            };
            let left: Vec<String> = with.iter().map(|text| flows(text, stays)).collect();
            let (with, left, without) = (rows(&with), rows(&left), rows(&without));
            assert!(left.is_subset(&without), "seed {seed}");
            let n_lost = without.len() - left.len();
            assert!(n_lost * 1_000 < without.len(), "{n_lost} ordinary rows of seed {seed}");
            let n_taken = with.len() - left.len();
            assert!(n_taken > names.all().collect::<BTreeSet<_>>().len(), "no long flow in {seed}");
        }
    }
}
