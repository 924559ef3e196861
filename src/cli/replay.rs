//! `replay`: its arguments, and what a person sees of it.

mod alert;
mod compare;
mod hindsight;
mod state;

use super::{
    FAILURE, FINDINGS, INCOMPLETE, Wrong, complain,
    logs::{Logs, Reading},
    named_by_organization, one_of, or_default,
};
use crate::{
    config::{Config, n_of},
    pipeline::Observer,
    replay,
    run::Log,
    summary::Summary,
    suppressed::Suppressed,
    terminal,
};
use alert::Alerted;
use alerts::{
    FindingsSpool, Format, Keeper, KeptFindings, LearnedFile, Learning, ProfileShelf, Run, Scope,
    Suppressions, Tally, sinks::Sink,
};
use anyhow::Result;
use baseline::{Day, Hour, form::Texts, time::DAY_MS};
use clap::Args;
use detect::{Engine, Finding, Lessons, Marked, Options, Severity};
use indicatif::ProgressBar;
use std::{
    io::{self, BufWriter, Stdout, Write},
    mem::ManuallyDrop,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    logs: Logs,
    /// With --from: read so many days before it as well, for example 30d, and only learn from them
    #[arg(long, value_name = "DAYS", value_parser = days, requires = "from")]
    warm_up: Option<i64>,
    /// Begin with what `sentrail learn` wrote into this file; days that it has learned are left out
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Judge each day by all others, those after it included: for an archive that is whole, of some weeks;
    /// reads everything twice
    #[arg(long, conflicts_with_all = ["baseline", "warm_up", "marks", "compare"])]
    hindsight: bool,
    /// Form of the findings [default: table on a terminal, else jsonl]
    #[arg(long, value_parser = one_of(Format::ALL, Format::name))]
    format: Option<Format>,
    /// Keep the findings with their evidence in this file, for `sentrail findings`; what it has of the same
    /// accounts and days, and is not found again, goes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on where the last replay with this file ended: read what it has not read, and keep findings, what
    /// was learned and the open days in it
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["until", "warm_up", "baseline", "hindsight", "out", "marks", "compare"])]
    state: Option<PathBuf>,
    /// Learn from what `sentrail findings mark` said of the findings in this file, from the day on which
    /// it was said
    #[arg(long, value_name = "FILE")]
    marks: Option<PathBuf>,
    /// Tell what another configuration, in TOML, tells otherwise; reads everything twice
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    compare: Option<PathBuf>,
    /// Tell the sinks of the configuration, too, once everything was read; each finding once with the same --state or
    /// --out
    #[arg(long, conflicts_with = "compare")]
    alert: bool,
    /// Exit with 3 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::label))]
    fail_on: Option<Severity>,
}

/// The most that is learned silently: ten years. Unit: days.
const WARM_UP_D_MAX: i64 = 3_660;

/// So many days. Unit of the result: days.
fn days(text: &str) -> Result<i64, String> {
    let days = text.strip_suffix('d').and_then(|digits| digits.parse().ok());
    days.filter(|days| (1..=WARM_UP_D_MAX).contains(days))
        .ok_or_else(|| format!("expected 1d to {WARM_UP_D_MAX}d, for example 30d"))
}

/// Writes findings as they come, under a progress bar.
pub(super) struct Watcher {
    writer: alerts::Writer<BufWriter<Stdout>>,
    inputs: alerts::Inputs,
    bar: ProgressBar,
    keeper: Option<Keeper>,
    /// Who is told what is kept.
    sinks: Vec<Sink>,
    quiet: bool,
    /// Of the days before nothing is told.
    tells_from: Day,
    /// Whether findings are kept, and so looked for when nobody reads standard output any more.
    is_kept: bool,
    /// Whoever read standard output has read enough.
    is_unread: bool,
    suppressed: Suppressed,
    worst: Option<Severity>,
}

/// What was told, when all of it was.
pub(super) struct Told {
    worst: Option<Severity>,
    suppressed: Suppressed,
    /// What became of it with sinks, if they were told.
    alerted: Option<Alerted>,
}

impl Observer for Watcher {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.quiet);
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        for finding in findings {
            let grounds = self.suppressed.judge(finding);
            if let Some(keeper) = &mut self.keeper {
                keeper.finding(finding, grounds.as_ref())?;
                if grounds.is_none() {
                    alert::queue(&keeper.outbox(), (finding, &self.inputs), &self.sinks)?;
                }
            }
            if grounds.is_some() {
                continue;
            }
            self.worst = self.worst.max(Some(finding.severity));
            if !self.is_unread {
                let written = self.bar.suspend(|| self.writer.finding(finding, &self.inputs));
                self.is_unread = is_unread(written, self.is_kept)?;
            }
        }
        self.bar.set_message(format!("{} findings", self.suppressed.n_told()));
        Ok(())
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let what = format!("{}: {}", alerts::escape(object), alerts::escape(what));
        self.bar.suspend(|| complain(&what));
    }
}

impl Watcher {
    pub(super) fn new(format: Format, inputs: alerts::Inputs, quiet: bool) -> Self {
        let out = BufWriter::new(io::stdout());
        Self {
            writer: alerts::Writer::new(format, out, terminal::style()),
            inputs,
            bar: ProgressBar::hidden(),
            keeper: None,
            sinks: Vec::new(),
            quiet,
            tells_from: Day(i32::MIN),
            is_kept: false,
            is_unread: false,
            suppressed: Suppressed::default(),
            worst: None,
        }
    }

    /// Of what these do not suppress.
    pub(super) fn but(self, suppressions: &Arc<Suppressions>) -> Self {
        Self { suppressed: Suppressed::by(Arc::clone(suppressions)), ..self }
    }

    /// Has these told, too.
    fn telling(self, sinks: Vec<Sink>) -> Self {
        Self { sinks, ..self }
    }

    /// Of findings that are kept elsewhere.
    fn going_on(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// Hands on what was told so far.
    fn flush(&mut self) -> Result<()> {
        if !self.is_unread {
            self.is_unread = is_unread(self.writer.flush(), self.is_kept)?;
        }
        Ok(())
    }

    /// Keeps what is found, too; of the days before `tells_from` nothing is.
    fn keeping(self, keeper: Option<Keeper>, tells_from: Day) -> Self {
        Self { is_kept: keeper.is_some(), keeper, tells_from, ..self }
    }

    /// Makes durable what was kept; says what that is, and answers what sinks have to be told.
    fn keep(&mut self, summary: &Summary) -> Result<Option<(String, FindingsSpool)>> {
        let Some(keeper) = self.keeper.take() else { return Ok(None) };
        let file = keeper.path().display().to_string();
        let intake = &summary.intake;
        let days = intake.times_ms.map(|(first_ms, last_ms)| (Day::of(first_ms), Day::of(last_ms)));
        let days = days.map(|(first, last)| (first.max(self.tells_from), last));
        let scope = days.map(|days| Scope { days, accounts: &intake.accounts });
        // What could not be read may be what they rest on.
        let scope = scope.filter(|_| !summary.is_incomplete());
        let (Tally { n_new, n_again, n_gone }, spool) = keeper.finish(scope)?;
        let told = format!("{n_new} new, {n_again} as before or changed, {n_gone} taken out");
        let told = format!("{} findings in {}: {told}", n_new + n_again, alerts::escape(&file));
        Ok(Some((told, spool)))
    }

    /// Ends the output and answers what was told.
    pub(super) fn finish(self) -> Result<Told> {
        self.bar.finish_and_clear();
        if !self.is_unread {
            self.writer.finish()?;
        }
        Ok(Told { worst: self.worst, suppressed: self.suppressed, alerted: None })
    }
}

/// Whether nobody reads standard output any more; an error, unless there is more to do.
fn is_unread(written: io::Result<()>, is_kept: bool) -> io::Result<bool> {
    match written {
        Err(error) if is_kept && error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        other => other.map(|()| false),
    }
}

/// The engine that the configuration asks for, and what it knows.
pub(super) fn engine(
    config: Option<&Config>,
    lessons: Lessons,
) -> Result<(Engine, alerts::Inputs)> {
    let defaults = Config::load(None)?;
    let config = config.unwrap_or(&defaults);
    let enrich = config.enrich()?;
    let inputs = config.inputs(&enrich);
    let options = Options { lessons: Arc::new(lessons), ..config.options() };
    Ok((Engine::new(options, enrich), inputs))
}

/// Says which days are missing between those that were learned before and those that were read.
fn gap_after(through: Day, summary: &Summary) -> Option<String> {
    let first = Day(through.0.saturating_add(1));
    let (first_ms, _) = summary.intake.times_ms?;
    let last = Day(Day::of(first_ms).0.saturating_sub(1));
    let is_gap = first <= last && summary.intake.n_learned == 0;
    is_gap.then(|| {
        format!(
            "the baseline has learned up to {through}, and nothing was read of {first} to {last}: what was \
             usual then is not known"
        )
    })
}

/// What marks teach under a configuration.
pub(super) fn lessons(config: &Config, marked: &[Marked]) -> Lessons {
    Lessons::of(marked, &config.options().hash_key)
}

impl Replay {
    /// Keeps the findings, if that is asked for, or as long as it takes to tell sinks.
    fn keeper(&self, config: &Config, inputs: &alerts::Inputs) -> Result<Option<Keeper>> {
        let settings = &config.options().detectors;
        let Some(path) = &self.out else {
            let run = Run { inputs: inputs.clone(), command: Vec::new() };
            return Ok(self.alert.then(|| Keeper::scratch(&run, settings)).transpose()?);
        };
        let baseline = self.baseline.iter().map(|file| ("baseline", file.display().to_string()));
        let warm_up = self.warm_up.map(|days| ("warm-up", format!("{days}d")));
        let marks = self.marks.iter().map(|file| ("marks", file.display().to_string()));
        let more = baseline.chain(warm_up).chain(marks);
        let mut command = self.logs.command("replay", more.collect());
        if self.hindsight {
            command.insert(1, "--hindsight".to_owned());
        }
        let run = Run { inputs: inputs.clone(), command };
        Ok(Some(Keeper::begin(path, &run, settings)?))
    }

    /// Who is to be told.
    fn sinks(&self, config: &Config) -> Result<Vec<Sink>> {
        if self.alert { alert::sinks(config) } else { Ok(Vec::new()) }
    }

    /// The first moment that is read.
    fn reads_from(&self) -> Option<i64> {
        let before = self.warm_up.unwrap_or(0).saturating_mul(DAY_MS);
        self.logs.from.map(|from| from.saturating_sub(before))
    }

    /// What people said of findings.
    fn marked(&self) -> Result<Vec<Marked>> {
        let Some(path) = &self.marks else { return Ok(Vec::new()) };
        let (marked, n_gone) = KeptFindings::read(path)?.marked()?;
        let file = path.display().to_string();
        let file = alerts::escape(&file);
        if n_gone > 0 {
            let marks = n_of(usize::try_from(n_gone)?, "mark");
            complain(&format!(
                "{marks} in {file} without their findings, which it does not hold: they teach nothing"
            ));
        } else if marked.is_empty() {
            complain(&format!("no finding in {file} has a mark: nothing is learned from it"));
        }
        Ok(marked)
    }

    /// Brings what was learned into the engine, and answers the first day that is told.
    fn prepare(&self, engine: &mut Engine, config: &Config) -> Result<Day> {
        let mut tells_from = Day(i32::MIN);
        if let Some(from) = self.logs.from.filter(|_| self.warm_up.is_some()) {
            engine.say_nothing_before(Hour::of(from));
            tells_from = Day::of(from);
        }
        if let Some(path) = &self.baseline {
            let Reading { account, region, .. } = &self.logs.reading;
            let asked = Learning::new(
                &config.options(),
                (account, region),
                (self.reads_from(), tells_from),
            );
            let file = LearnedFile::read(path, &asked)?;
            let (through, mut texts) = (file.learning.through, Texts::default());
            engine.begin_after(through);
            file.each(&mut |blob| engine.recall(blob, &mut texts))?;
            tells_from = tells_from.max(Day(through.0.saturating_add(1)));
        }
        Ok(tells_from)
    }

    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
        self.logs.reading.start_threads()?;
        let quiet = self.logs.quiet;
        let config = self.logs.configured(self.logs.reading.config.as_deref())?;
        if let Some(other) = &self.compare {
            return self.compare(&config, other);
        }
        let config =
            if self.alert { named_by_organization(config, &Log::of_a_command()) } else { config };
        if let Some(path) = &self.state {
            let (summary, told, kept) = self.go_on(path, &config)?;
            return self.end((&config, start), (&summary, &told), ("state", kept));
        }
        let sinks = self.sinks(&config)?;
        let (mut engine, inputs) = engine(Some(&config), lessons(&config, &self.marked()?))?;
        let tells_from = self.prepare(&mut engine, &config)?;
        let plan = self.logs.plan(&config, self.reads_from())?;
        if self.hindsight {
            engine = self.learn_all(engine, &plan)?;
        } else {
            let bytes_max = config.profiles_bytes_max();
            engine.hold(bytes_max, Box::new(ProfileShelf::new(None, bytes_max)?));
        }
        let keeper = self.keeper(&config, &inputs)?;
        // The process ends after this: giving back profile by profile costs 1 % of a long replay.
        let mut engine = ManuallyDrop::new(engine);
        let format = or_default(self.format);
        let mut watcher = Watcher::new(format, inputs, quiet)
            .but(config.suppressions())
            .telling(sinks.clone())
            .keeping(keeper, tells_from);
        let learned_through = engine.learned_through();
        let summary = replay::run(&plan, &mut engine, &mut watcher)?;
        if let Some(gap) = learned_through.and_then(|through| gap_after(through, &summary)) {
            complain(&gap);
        }
        let kept = watcher.keep(&summary)?;
        let mut told = watcher.finish()?;
        let kept = kept.map(|(kept, mut spool)| -> Result<_> {
            if self.alert {
                told.alerted = Some(alert::deliver(&mut spool, sinks, None)?);
            }
            Ok(kept)
        });
        let kept = kept.transpose()?.filter(|_| self.out.is_some());
        self.end((&config, start), (&summary, &told), ("kept", kept))
    }

    /// Says what was read, and how the program ends.
    fn end(
        &self,
        (config, start): (&Config, Instant),
        (summary, told): (&Summary, &Told),
        (head, kept): (&str, Option<String>),
    ) -> Result<u8> {
        if !self.logs.quiet {
            let seconds = start.elapsed().as_secs_f64();
            if let Some(tally) = config.tally() {
                writeln!(io::stderr(), "rules     {tally}")?;
            }
            summary.write(seconds, &mut io::stderr().lock())?;
            told.suppressed.write(&mut io::stderr().lock())?;
            if let Some(kept) = kept {
                writeln!(io::stderr(), "{head:<10}{kept}")?;
            }
            told.alerted.iter().try_for_each(|alerted| alerted.write(&mut io::stderr().lock()))?;
        }
        let is_short = told.alerted.as_ref().is_some_and(|alerted| {
            alerted.is_short(self.state.as_ref().or(self.out.as_ref()).map(PathBuf::as_path))
        });
        if summary.is_empty() && self.state.is_none() {
            complain("no records were read, so there was nothing to find");
        }
        let is_failure = self.fail_on.is_some_and(|level| told.worst >= Some(level));
        Ok(match (is_short, summary.is_incomplete(), is_failure) {
            (true, ..) => FAILURE,
            (false, true, _) => INCOMPLETE,
            (false, false, true) => FINDINGS,
            (false, false, false) => 0,
        })
    }
}
