//! The logs of one organisation: rows for the novelty counter, and stories that can be cut short.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use baseline::{Principal, stable_hash};
use ingest::{
    Event, Identity, Text,
    cloudtrail::{self, Record},
    decode::gunzip,
    enrich::{Caller, Enrich, caller},
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

pub(crate) struct Archive {
    pub(crate) root: PathBuf,
    /// In the order of their times, every record once.
    pub(crate) rows: Vec<Row>,
    /// By story, the times of its records or flows, in their order. Unit: milliseconds since the Unix
    /// epoch.
    pub(crate) stories: Vec<Vec<i64>>,
    /// By id of a record, or key of a flow: the story, and the place in it.
    places: BTreeMap<String, (usize, usize)>,
    objects: Vec<Object>,
}

impl Archive {
    /// Reads every object below `root`.
    pub(crate) fn read(root: &Path, truth: &Truth) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        for (number, story) in truth.stories.iter().enumerate() {
            for step in &story.steps {
                let names = step.event_ids.iter().chain(&step.flows);
                by_name.extend(names.map(|name| (name.clone(), number)));
            }
        }
        let enrich = Enrich::built_in();
        let mut rows = BTreeMap::new();
        let mut objects = Vec::new();
        let mut items: BTreeSet<(usize, i64, String)> = BTreeSet::new();
        for path in files(root)? {
            let text = String::from_utf8(gunzip(&fs::read(&path)?, CONTENT_BYTES_MAX)?)?;
            let before = items.len();
            let mut touched = false;
            let mut item = |name: &str, time_ms| {
                let story = by_name.get(name).copied();
                if let Some(story) = story {
                    touched = true;
                    items.insert((story, time_ms, name.to_owned()));
                }
                story
            };
            if is_flow_log(&path) {
                for (key, start_s) in text.lines().filter_map(flow_keys(&text)) {
                    item(&key, start_s * 1_000);
                }
            } else {
                cloudtrail::read(&text, |_, record| {
                    if let Ok(Record::Event(event)) = record {
                        let id = event.id.map_or_else(Default::default, Text::get);
                        let row = row(&event, &enrich, item(&id, event.time_ms));
                        rows.insert(row.id, row);
                    }
                })?;
            }
            if touched || items.len() > before {
                objects.push(Object { path, text });
            }
        }
        if items.len() != by_name.len() {
            let (n, of) = (items.len(), by_name.len());
            return Err(format!("{n} of {of} records and flows of stories are in the logs").into());
        }
        let mut stories = vec![Vec::new(); truth.stories.len()];
        let mut places = BTreeMap::new();
        for (story, time_ms, name) in items {
            let times: &mut Vec<i64> = stories.get_mut(story).ok_or("a story without a number")?;
            places.insert(name, (story, times.len()));
            times.push(time_ms);
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

/// What names the flow of a line, as the truth does, and when it began; by the header of `text`.
fn flow_keys(text: &str) -> impl Fn(&str) -> Option<(String, i64)> {
    const FIELDS: [&str; 7] =
        ["interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start"];
    let header: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').collect();
    let at = FIELDS.map(|field| header.iter().position(|name| *name == field));
    move |line| {
        let values: Vec<&str> = line.split(' ').collect();
        let named: Option<Vec<&str>> = at.iter().map(|at| values.get((*at)?).copied()).collect();
        let named = named?;
        Some((named.join(" "), named.last()?.parse().ok()?))
    }
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
