//! The scoreboard: how well attacks of made-up organisations are found, and what is told besides.
//!
//! Five organisations live sixteen days, every story happens in each. `sentrail replay` reads their logs
//! as anybody's; a plain novelty counter reads the same records. What both told is held against the
//! truth and written into the tables of `docs/detection-quality.md`. No clock and no timing goes in: the
//! same commit gives the same page.
//!
//! `scoreboard --full [SEEDS]` measures larger organisations over a month, one after the other, and how
//! far that is from the goals; `make scoreboard-full`. `scoreboard --ablation`, built with the feature
//! `ablation`, leaves out one part of the model after the other; `make ablation`.

#[cfg(feature = "ablation")]
mod ablation;
mod archive;
mod board;
mod novelty;
mod page;
mod program;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    thread,
};

use archive::Archive;
use board::Board;
use program::Told;
use testdata::{
    clock::DAY_S, folder::Folder, organisation::Size, simulate, story::STORIES, truth::Truth,
    verdict::Judge,
};

/// Organisations that are measured, and for how long.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Seeds from 1 to this.
    n_seeds: u64,
    size: Size,
    /// Stories happen in the second half.
    days: i64,
}

const ORDINARY: Scale = Scale {
    n_seeds: 5,
    size: Size { accounts: 2, people: 28, machines: 10, pipelines: 4, agents: 2, vpcs: 4 },
    days: 16,
};
/// Of so many, 400 identities have a record on an average day, weekends included.
const FULL: Scale = Scale {
    n_seeds: 10,
    size: Size { accounts: 4, people: 168, machines: 60, pipelines: 24, agents: 12, vpcs: 5 },
    days: 30,
};
/// What comes before its end is for learning: no false alarm of it counts. Unit: days.
const LEARNING_DAYS: i64 = 7;
/// 2026-03-02, a Monday. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
/// Unit: milliseconds since the Unix epoch.
const LEARNED_MS: i64 = (START_S + LEARNING_DAYS * DAY_S) * 1_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => ordinary(&root),
        ["--full"] => full(&root, FULL),
        ["--full", n_seeds] => full(&root, Scale { n_seeds: n_seeds.parse()?, ..FULL }),
        #[cfg(feature = "ablation")]
        ["--ablation"] => ablation::measure(&root),
        _ => Err("expected nothing, or --full and perhaps a number of seeds".into()),
    }
}

/// What came of one seed.
struct Outcome {
    archive: Archive,
    told: Told,
    needed: Vec<Option<usize>>,
}

fn ordinary(root: &Path) -> Result<()> {
    // Each seed takes one thread: most of the time goes into replays, one after the other.
    let outcomes: Vec<_> = thread::scope(|scope| {
        let begun: Vec<_> = (1..=ORDINARY.n_seeds)
            .map(|seed| {
                scope.spawn(move || {
                    with_logs(seed, ORDINARY, |archive, judge| {
                        let program = program_of(root);
                        let told = program::replay(&program, &archive, judge)?;
                        let needed = needed(&program, &archive, judge, &told)?;
                        Ok(Outcome { archive, told, needed })
                    })
                    .map_err(|error| format!("seed {seed}: {error}"))
                })
            })
            .collect();
        let joined = begun.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|done| done.unwrap_or_else(|_| Err("a thread ended early".into()))).collect()
    });
    let mut board = Board::default();
    for outcome in outcomes {
        let Outcome { archive, told, needed } = outcome?;
        board.add(&archive, (&told, &needed), &novelty::count(&archive));
    }
    renew(root, page::SCOREBOARD, &page::tables(&board))
}

/// Seed after seed, each written to the page when it is done, so that a run that is ended early leaves
/// what it has measured. What was told and is about no attack stays in `target/`: the causes are to be
/// looked for there.
fn full(root: &Path, scale: Scale) -> Result<()> {
    let mut board = Board::default();
    for seed in 1..=scale.n_seeds {
        with_logs(seed, scale, |archive, judge| {
            let told = program::replay(&program_of(root), &archive, judge)?;
            let whole = archive.stories.iter().map(Vec::len).enumerate();
            let found: Vec<Option<usize>> =
                whole.map(|(story, n)| told.is_found(story).then_some(n)).collect();
            board.add(&archive, (&told, &found), &novelty::count(&archive));
            let other = root.join(format!("target/scoreboard-full-{seed}.jsonl"));
            fs::write(other, &told.about_no_attack)?;
            Ok(())
        })?;
        renew(root, page::FULL, &page::goals(&board, scale))?;
    }
    Ok(())
}

fn renew(root: &Path, section: &str, tables: &str) -> Result<()> {
    let path = root.join("docs/detection-quality.md");
    let page = page::renewed(&fs::read_to_string(&path)?, section, tables)?;
    Ok(fs::write(path, page)?)
}

fn program_of(root: &Path) -> PathBuf {
    root.join("target/release/sentrail")
}

/// Makes the logs of one seed in a temporary folder, which is gone when `measure` is done with it.
fn with_logs<T>(
    seed: u64,
    scale: Scale,
    measure: impl FnOnce(Archive, &Judge<'_>) -> Result<T>,
) -> Result<T> {
    let scratch = tempfile::tempdir()?;
    let truth = tell(seed, scale, scratch.path())?;
    let archive = Archive::read(&scratch.path().join("AWSLogs"), &truth)?;
    #[expect(clippy::print_stderr, reason = "it takes minutes: a person wants to know")]
    {
        eprintln!("seed {seed}: {} records", archive.rows.len());
    }
    measure(archive, &Judge::new(&truth))
}

/// Writes the logs of one organisation with every story, and answers their truth.
fn tell(seed: u64, scale: Scale, folder: &Path) -> Result<Truth> {
    let Scale { size, days, .. } = scale;
    let stories = STORIES.to_vec();
    let plan = simulate::Plan { seed, size, start_s: START_S, days, has_digests: false, stories };
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
