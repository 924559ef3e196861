//! The scoreboard: how well attacks of made-up organisations are found, and what is told besides.
//!
//! Five organisations live sixteen days, every story happens in each. `sentrail replay` reads their logs
//! as anybody's; a plain novelty counter reads the same records. What both told is held against the
//! truth and written into the tables of `docs/detection-quality.md`. No clock and no timing goes in: the
//! same commit gives the same page.

mod archive;
mod board;
mod novelty;
mod page;
mod program;

use std::{error::Error, fs, path::Path, thread};

use archive::Archive;
use board::Board;
use program::Told;
use testdata::{
    clock::DAY_S, folder::Folder, organisation::Size, simulate, story::STORIES, truth::Truth,
    verdict::Judge,
};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const SIZE: Size = Size { accounts: 2, people: 28, machines: 10, pipelines: 4, agents: 2, vpcs: 2 };
/// Stories happen in the second half.
const DAYS: i64 = 16;
/// What comes before its end is for learning: no false alarm of it counts. Unit: days.
const LEARNING_DAYS: i64 = 7;
/// 2026-03-02, a Monday. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
/// Unit: milliseconds since the Unix epoch.
const LEARNED_MS: i64 = (START_S + LEARNING_DAYS * DAY_S) * 1_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What came of one seed.
struct Outcome {
    archive: Archive,
    told: Told,
    needed: Vec<Option<usize>>,
}

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Each seed takes one thread: most of the time goes into replays, one after the other.
    let outcomes = thread::scope(|scope| {
        let begun = SEEDS.map(|seed| {
            let root = &root;
            scope.spawn(move || one(seed, root).map_err(|error| format!("seed {seed}: {error}")))
        });
        begun.map(|thread| thread.join().unwrap_or_else(|_| Err("a thread ended early".into())))
    });
    let mut board = Board::default();
    for outcome in outcomes {
        let Outcome { archive, told, needed } = outcome?;
        board.add(&archive, (&told, &needed), &novelty::count(&archive));
    }
    let path = root.join("docs/detection-quality.md");
    let page = page::renewed(&fs::read_to_string(&path)?, &page::tables(&board))?;
    Ok(fs::write(path, page)?)
}

fn one(seed: u64, root: &Path) -> Result<Outcome> {
    let program = root.join("target/release/sentrail");
    let scratch = root.join(format!("target/scoreboard-{seed}"));
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    let truth = tell(seed, &scratch)?;
    let judge = Judge::new(&truth);
    let archive = Archive::read(&scratch.join("AWSLogs"), &truth)?;
    let told = program::replay(&program, &archive, &judge)?;
    let needed = needed(&program, &archive, &judge, &told)?;
    fs::remove_dir_all(&scratch)?;
    #[expect(clippy::print_stderr, reason = "it takes minutes: a person wants to know")]
    {
        eprintln!("seed {seed}: {} records", archive.rows.len());
    }
    Ok(Outcome { archive, told, needed })
}

/// Writes the logs of one organisation with every story, and answers their truth.
fn tell(seed: u64, folder: &Path) -> Result<Truth> {
    let plan = simulate::Plan {
        seed,
        size: SIZE,
        start_s: START_S,
        days: DAYS,
        has_digests: false,
        stories: STORIES.to_vec(),
    };
    let truth = simulate::run(&plan, &mut Folder::create(folder)?, &mut |_| ())?.truth;
    let told: Vec<&str> = truth.stories.iter().map(|story| &*story.name).collect();
    if told != STORIES.map(|story| story.name) {
        return Err(format!("seed {seed}: not every story found somebody: {told:?}").into());
    }
    Ok(truth)
}

/// By story, how many of its records have to be there for it to be found: the smallest beginning of
/// the attack on which a replay still speaks, the rest of it held back. All stories are halved in the
/// same replays: they happen to different victims.
fn needed(
    program: &Path,
    archive: &Archive,
    judge: &Judge<'_>,
    told: &Told,
) -> Result<Vec<Option<usize>>> {
    let whole: Vec<usize> = archive.stories.iter().map(Vec::len).collect();
    let mut spans: Vec<(usize, usize)> = whole.iter().map(|&n| (0, n)).collect();
    let is_open = |number: usize, (silent, spoken): (usize, usize)| {
        let is_attack = STORIES.get(number).is_some_and(|story| !story.is_harmless);
        is_attack && told.is_found(number) && spoken - silent > 1
    };
    while spans.iter().enumerate().any(|(number, &span)| is_open(number, span)) {
        let middle = |(number, &(silent, spoken)): (usize, &(usize, usize))| {
            if is_open(number, (silent, spoken)) { silent.midpoint(spoken) } else { spoken }
        };
        let kept: Vec<usize> = spans.iter().enumerate().map(middle).collect();
        archive.keep(&kept)?;
        let told = program::replay(program, archive, judge)?;
        for (number, (span, n)) in spans.iter_mut().zip(kept).enumerate() {
            if is_open(number, *span) {
                *if told.is_found(number) { &mut span.1 } else { &mut span.0 } = n;
            }
        }
    }
    let found = |(number, (_, spoken))| told.is_found(number).then_some(spoken);
    Ok(spans.into_iter().enumerate().map(found).collect())
}
