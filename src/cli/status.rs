//! `status`: how a daemon on this machine is doing, once or as it goes on. In: what it answers over HTTP.
//! Out: a page for people, or JSON.

mod page;
mod samples;

use super::{FAILURE, asked};
use crate::terminal;
use alerts::escape;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use page::Page;
use samples::Samples;
use std::{
    io::{self, Write},
    net::SocketAddr,
    thread::sleep,
    time::{Duration, Instant},
};

/// Between two looks, over which rates are told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Clears the screen and goes to its first place (ECMA-48, ED and CUP).
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Where it listens, as `run --listen` was told
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: SocketAddr,
    /// Go on, and draw it anew each second, also after a restart of the daemon
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// What it answered at one moment.
struct Look {
    at: Instant,
    samples: Samples,
    /// Why it is not ready, if it is not.
    unready: Option<String>,
    /// What went wrong since it began, as `/status` has it.
    troubles: serde_json::Value,
}

impl Look {
    fn of(at: SocketAddr) -> Result<Self> {
        let ready = asked::get(at, "/readyz")?;
        let metrics = asked::get(at, "/metrics")?;
        if !metrics.is_ok {
            bail!("{at} is no daemon: {}", metrics.text.lines().next().unwrap_or_default());
        }
        let status = asked::get(at, "/status")?;
        if !status.is_ok {
            bail!("{}", status.text);
        }
        let told: serde_json::Value =
            serde_json::from_str(&status.text).context("/status is no JSON")?;
        Ok(Self {
            at: Instant::now(),
            samples: Samples::read(&metrics.text),
            unready: (!ready.is_ok).then_some(ready.text),
            troubles: told.get("troubles").cloned().unwrap_or_default(),
        })
    }
}

impl Status {
    pub(super) fn run(&self) -> Result<u8> {
        let mut out = io::stdout().lock();
        let mut before = Look::of(self.at)?;
        loop {
            sleep(LOOK_EVERY);
            let now = match Look::of(self.at) {
                // It may be on its way back.
                Err(error) if self.watch => {
                    self.draw(
                        &format!("away       {}\n", escape(&format!("{error:#}"))),
                        &mut out,
                    )?;
                    continue;
                }
                now => now?,
            };
            let page = Page::of(&before, &now);
            let text = if self.json { format!("{}\n", page.json()) } else { page.text()? };
            self.draw(&text, &mut out)?;
            if !self.watch {
                return Ok(if now.unready.is_some() { FAILURE } else { 0 });
            }
            before = now;
        }
    }

    /// Writes what is shown now, on a terminal in the place of what was shown before.
    fn draw(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.watch && terminal::is_for_a_person() {
            write!(out, "{CLEAR}")?;
        }
        write!(out, "{text}")?;
        out.flush()
    }
}
