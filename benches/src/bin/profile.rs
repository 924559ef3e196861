//! What each part of a replay costs a record, in nanoseconds of processor time.
//!
//! The CloudTrail objects below the given folders are read as `sentrail replay` reads them, in the order of
//! their stamps and in the same batches, but on one thread and one part after the other: so parts can be told
//! apart, and what is read lies a little colder. The stages of the engine are measured by the feature
//! `profile`, which the shipped program has not. Prints Markdown; `make profile` builds and runs it.

use std::{env, error::Error, fs, hint::black_box, mem, path::PathBuf};

use alerts::{Format, Inputs, Style, Writer};
use benches::{cost, spent_ns};
use detect::{
    Chunk, Engine, Options, Rules,
    stage::{self, Stage},
};
use ingest::{
    cloudtrail::{self, Record},
    decode::{Decoder, Inflated},
    enrich::Enrich,
    source::{self, Filter, Kind, Object, PathArg, Place},
};

/// As the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a replay reads before it applies. Unit: compressed bytes.
const BATCH_BYTES_MAX: u64 = 16 << 20;
/// A replay may cost at most so many times what inflating costs (the floor): so much is left for the rest.
const REST_OF_FLOOR: f64 = 1.5;

/// An object that was inflated.
struct Content {
    /// Hash of what was stored.
    hash: u128,
    text: String,
    stamp_ms: Option<i64>,
}

/// Unit: nanoseconds, all records together.
#[derive(Default)]
struct Spent {
    load: f64,
    hash: f64,
    inflate: f64,
    parse: f64,
    /// Parsing too.
    rows: f64,
    /// Parsing and rows too.
    rules: f64,
    /// All that the engine does with chunks, and when days close.
    engine: f64,
    write: f64,
}

struct Profile {
    spent: Spent,
    engine: Engine,
    /// Only read with, to see what rules cost.
    without_rules: Engine,
    /// What goes on from chunk to chunk, of each of them.
    emptied: [Chunk; 2],
    decoder: Decoder,
    writer: Writer<Vec<u8>>,
    inputs: Inputs,
    n_records: u64,
    n_objects: u64,
    n_bytes: u64,
}

fn main() -> Result<()> {
    // All is done on this thread, whose time is measured.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?;
    for folder in env::args_os().skip(1).map(PathBuf::from) {
        // Stages are summed over all engines of a thread.
        stage::measure(spent_ns);
        let mut profile = Profile::new();
        profile.replay(&PathArg::new(&folder))?;
        profile.tell(&folder);
    }
    Ok(())
}

impl Profile {
    fn new() -> Self {
        let engine =
            |rules| Engine::new(Options { rules, ..Options::default() }, Enrich::built_in());
        let style = Style { colour: false, width: 80 };
        let dates = Enrich::built_in().dates();
        Self {
            spent: Spent::default(),
            engine: engine(Rules::built_in()),
            without_rules: engine(Rules::none().into()),
            emptied: Default::default(),
            decoder: Decoder::default(),
            writer: Writer::new(Format::JsonLines, Vec::new(), style),
            inputs: Inputs::new(env!("CARGO_PKG_VERSION"), String::new(), dates, None),
            n_records: 0,
            n_objects: 0,
            n_bytes: 0,
        }
    }

    fn replay(&mut self, folder: &PathArg) -> Result<()> {
        let listing = source::list(std::slice::from_ref(folder), &Filter::default())?;
        let is_call =
            |object: &&Object| object.kind == Kind::CloudTrail && object.stamp_ms.is_some();
        let (mut batch, mut batch_bytes): (Vec<&Object>, u64) = (Vec::new(), 0);
        for object in listing.objects.iter().filter(is_call) {
            let open = |object: &Object| self.engine.oldest_open_at(object.stamp_ms.unwrap_or(0));
            let is_other_day = batch.first().is_some_and(|first| open(first) != open(object));
            if batch_bytes >= BATCH_BYTES_MAX || is_other_day {
                self.batch(&mem::take(&mut batch))?;
                batch_bytes = 0;
            }
            batch_bytes += object.size_bytes;
            batch.push(object);
        }
        self.batch(&batch)?;
        let mut done = Ok(());
        self.spent.engine += cost(|| done = self.engine.finish());
        done?;
        self.write()
    }

    fn batch(&mut self, batch: &[&Object]) -> Result<()> {
        let Some(now_ms) = batch.first().and_then(|first| first.stamp_ms) else {
            return Ok(());
        };
        let contents = self.inflate(batch)?;
        let mut done = Ok(());
        self.spent.engine += cost(|| done = self.engine.advance(now_ms));
        done?;
        self.without_rules.advance(now_ms)?;
        self.write()?;
        let mut n_records = 0;
        self.spent.parse += cost(|| {
            let all = contents.iter();
            n_records = all.map(|content| each(&content.text, consume)).sum();
        });
        self.n_records += n_records;
        let [with, without] = mem::take(&mut self.emptied);
        let [mut with, mut without] = [Some(with), Some(without)];
        self.spent.rows += cost(|| {
            without = without.take().map(|emptied| chunk(&self.without_rules, emptied, &contents));
        });
        self.spent.rules += cost(|| {
            with = with.take().map(|emptied| chunk(&self.engine, emptied, &contents));
        });
        let chunks: Vec<Chunk> = with.into_iter().collect();
        let mut done = Ok(());
        self.spent.engine += cost(|| done = self.engine.apply(&chunks));
        done?;
        let mut used = chunks.into_iter().chain(without).map(|chunk| chunk.emptied(usize::MAX));
        self.emptied = [used.next(), used.next()].map(Option::unwrap_or_default);
        Ok(())
    }

    fn inflate(&mut self, batch: &[&Object]) -> Result<Vec<Content>> {
        let mut contents = Vec::with_capacity(batch.len());
        for object in batch {
            let Place::File(path) = &object.place else { continue };
            let mut stored = Ok(Vec::new());
            self.spent.load += cost(|| stored = fs::read(path));
            let (stored, mut hash, mut whole) = (stored?, 0, Ok(Inflated::Whole(&[])));
            self.spent.hash += cost(|| hash = baseline::stable_hash(&[&stored]));
            self.spent.inflate += cost(|| whole = self.decoder.decode(&stored));
            let Inflated::Whole(whole) = whole? else { continue };
            self.n_objects += 1;
            self.n_bytes += whole.len() as u64;
            let text = String::from_utf8(whole.to_vec())?;
            contents.push(Content { hash, text, stamp_ms: object.stamp_ms });
        }
        Ok(contents)
    }

    fn write(&mut self) -> Result<()> {
        let findings = self.engine.take_findings();
        let mut written = Ok(());
        self.spent.write += cost(|| {
            let mut findings = findings.iter();
            written = findings.try_for_each(|one| self.writer.finding(one, &self.inputs));
        });
        Ok(written?)
    }

    #[expect(clippy::print_stdout, reason = "the table that a person asked for")]
    fn tell(&self, folder: &std::path::Path) {
        let Spent { load, hash, inflate, parse, rows, rules, engine, write } = self.spent;
        let stages = [
            ("which records were there before", Stage::Duplicates),
            ("sums by entity", Stage::Sums),
            ("profiles: hours, new values", Stage::Profiles),
            ("matches of rules, by whom they are about", Stage::Matches),
            ("closing days: what rules matched", Stage::Watches),
            ("closing days: judging hours", Stage::Judge),
            ("closing days: teaching", Stage::Teach),
            ("closing days: findings", Stage::Findings),
        ];
        let of_stages: Vec<(&str, f64)> =
            stages.into_iter().map(|(name, stage)| (name, stage::spent(stage))).collect();
        let rest = engine - of_stages.iter().map(|(_, ns)| ns).sum::<f64>();
        let parts = [
            ("reading files", load),
            ("inflating", inflate),
            ("hashing what is stored", hash),
            ("UTF-8, walking and parsing", parse),
            ("rows: keys, interning, detectors", rows - parse),
            ("rules", rules - rows),
        ];
        let parts = parts.into_iter().chain(of_stages);
        let parts: Vec<(&str, f64)> =
            parts.chain([("the engine besides", rest), ("writing findings", write)]).collect();
        let whole: f64 = parts.iter().map(|(_, ns)| ns).sum();
        let of_record = |ns: f64| ns / self.n_records.max(1) as f64;
        let name = folder.iter().next_back().unwrap_or_default().to_string_lossy().into_owned();
        println!(
            "\n{name}: {} objects, {} MB inflated, {} records.\n\n| part | ns a record | of all |\n|---|---|---|",
            self.n_objects,
            self.n_bytes / 1_000_000,
            self.n_records
        );
        for (part, ns) in parts.into_iter().chain([("all", whole)]) {
            println!("| {part} | {:.0} | {:.1} % |", of_record(ns), 100.0 * ns / whole);
        }
        let (floor, rest) = (load + inflate, whole - load - inflate);
        let budget = floor * REST_OF_FLOOR;
        for (what, ns, budget) in [
            ("all besides reading and inflating", rest, budget),
            ("of that after parsing", rest - parse, budget - parse),
        ] {
            let (ns, budget) = (of_record(ns), of_record(budget));
            println!("| {what} | {ns:.0} | budget {budget:.0} |");
        }
    }
}

/// Rows of what was read, as a worker makes them.
fn chunk(engine: &Engine, emptied: Chunk, contents: &[Content]) -> Chunk {
    let mut reader = engine.reader_after(emptied);
    for content in contents {
        reader.begin(content.hash, content.stamp_ms);
        each(&content.text, |event| reader.record(event));
    }
    reader.finish()
}

/// Takes a record for read, though nothing comes of it.
fn consume(event: &ingest::Event<'_>) {
    black_box(event);
}

/// Visits the records of an object, and answers how many there are.
fn each(text: &str, mut visit: impl FnMut(&ingest::Event<'_>)) -> u64 {
    let decoded = cloudtrail::text(text.as_bytes());
    let mut n = 0;
    let read = cloudtrail::read(&decoded.text, |_, record| {
        if let Ok(Record::Event(event)) = record {
            n += 1;
            visit(&event);
        }
    });
    black_box(read).ok();
    n
}
