//! A configuration that changes while the daemon runs. Its files are looked at every few seconds, and when a signal asks.
//! In: files. Out: into the inbox, another configuration with the sinks and tables that it asks for, whole; or why there
//! is none.

use super::{Event, sinks::renewal::Renew};
use crate::config::{Config, Seen, named};
use alerts::sinks::Sink;
use ingest::enrich::Enrich;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc, task::spawn_blocking, time::timeout};

/// How often it is looked whether files are what they were. What changed counts when it stayed so for one look.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOK_EVERY_MAX: Duration = Duration::from_secs(30);
/// A look takes at most this share of the time: many files are looked at more seldom.
const LOOK_SHARE: u32 = 20;

/// The configuration in force, for all threads.
#[derive(Clone)]
pub(crate) struct InForce(Arc<RwLock<Arc<Config>>>);

impl InForce {
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    pub(super) fn get(&self) -> Arc<Config> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// What a sink is now, with the secrets that are there now.
    pub(super) fn renew(&self) -> Renew {
        let own = self.clone();
        Arc::new(move |name: &str| {
            let sink = own.get().sink(name).map_err(|error| error.to_string())?;
            sink.map(|sink| sink.to).ok_or_else(|| "is not there".to_owned())
        })
    }
}

/// A configuration that can take the place of the one in force.
pub(super) struct Next {
    pub(super) config: Config,
    pub(super) sinks: Vec<Sink>,
    pub(super) enrich: Enrich,
    /// What of its files waits for a restart, in lines.
    pub(super) waiting: Vec<String>,
}

/// The text of a file may hold a secret.
impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next({})", self.config.hash())
    }
}

/// What is there now, or why it cannot be used.
pub(super) type Offer = Result<Box<Next>, String>;

/// The files of a configuration as they were seen last.
pub(crate) struct Reload {
    path: Option<PathBuf>,
    named: Vec<PathBuf>,
    /// When they were read last.
    read: Seen,
    /// At the last look.
    looked: Option<Seen>,
}

impl Reload {
    /// To be said before the configuration at `path` is read, so that no change between is missed.
    pub(crate) fn of(path: Option<&Path>) -> Self {
        let path = path.map(Path::to_owned);
        let mut reload = Self { path, named: Vec::new(), read: Seen::default(), looked: None };
        reload.see();
        reload
    }

    /// Notes what is about to be read. Of a file that cannot be understood it is known what it named before.
    fn see(&mut self) {
        let Some(path) = &self.path else { return };
        match named(path) {
            Ok(all) => self.named = all,
            Err(_) if self.named.is_empty() => self.named = vec![path.clone()],
            Err(_) => {}
        }
        self.read = Seen::of(&self.named);
    }

    /// Looks, and reads what has changed and stayed so, or what is there if somebody asks for it.
    fn look(&mut self, started: &Config, is_asked: bool) -> Option<Offer> {
        let seen = Seen::of(&self.named);
        let is_settled = self.looked.as_ref() == Some(&seen);
        let is_news = seen != self.read;
        self.looked = Some(seen);
        (is_asked || is_news && is_settled).then(|| {
            self.see();
            next(self.path.as_deref(), started)
        })
    }

    /// Looks after it as long as somebody may ask, and puts what is offered into `inbox`.
    pub(super) fn watch(
        self,
        started: Arc<Config>,
        runtime: &Handle,
        (mut asked, inbox): (mpsc::Receiver<()>, mpsc::Sender<Event>),
    ) {
        let mut own = self;
        let mut pause = LOOK_EVERY;
        runtime.spawn(async move {
            loop {
                let is_asked = match timeout(pause, asked.recv()).await {
                    Ok(Some(())) => true,
                    Ok(None) => return,
                    Err(_) => false,
                };
                let begun = Instant::now();
                let started = Arc::clone(&started);
                // It reads files, and waits for AWS.
                let looked = spawn_blocking(move || {
                    let offer = own.look(&started, is_asked);
                    (own, offer)
                });
                let Ok((after, offer)) = looked.await else { return };
                own = after;
                pause = (begun.elapsed() * LOOK_SHARE).clamp(LOOK_EVERY, LOOK_EVERY_MAX);
                if let Some(offer) = offer
                    && inbox.send(Event::Offered(offer)).await.is_err()
                {
                    return;
                }
            }
        });
    }
}

/// Reads all that can go wrong.
fn next(path: Option<&Path>, started: &Config) -> Offer {
    let config = Config::load(path).map_err(|error| error.to_string())?;
    let config = config.behind(started.access().gate).going_on(started);
    let (config, waiting) = config.map_err(|error| error.to_string())?;
    let sinks = config.sinks().map_err(|error| error.to_string())?;
    let enrich = config.enrich();
    let enrich = enrich
        .map_err(|error| format!("{}: city-database: {error}", config.origin("city-database")))?;
    Ok(Box::new(Next { config, sinks, enrich, waiting }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::Folder;

    #[test]
    fn what_changed_is_read_when_it_stayed_so_for_a_look() {
        let folder = Folder::new("reload");
        let config = folder.file("alerts-per-day = 3\n");
        let mut reload = Reload::of(Some(&config));
        let started = Config::load(Some(&config)).unwrap();
        let read = |reload: &mut Reload, is_asked| {
            let offer = reload.look(&started, is_asked)?;
            Some(offer.map(|next| next.config.options().alerts_per_day.get()))
        };
        assert_eq!(read(&mut reload, false), None);
        folder.file("alerts-per-day = 44\n");
        assert_eq!(read(&mut reload, false), None);
        folder.file("alerts-per-day = 555\n");
        assert_eq!(read(&mut reload, false), None);
        assert_eq!(read(&mut reload, false), Some(Ok(555)));
        assert_eq!(read(&mut reload, false), None);
        assert_eq!(read(&mut reload, true), Some(Ok(555)));
        // A file that it names can be mended though the configuration did not load.
        folder.file("alerts-per-day = 6\nsuppressions = \"quiet.toml\"\n");
        assert_eq!(read(&mut reload, false), None);
        let refused = read(&mut reload, false).unwrap().unwrap_err();
        assert!(refused.contains("quiet.toml (expected the file that `suppressions` names)"));
        std::fs::write(config.with_file_name("quiet.toml"), "").unwrap();
        assert_eq!(read(&mut reload, false), None);
        assert_eq!(read(&mut reload, false), Some(Ok(6)));
    }

    #[test]
    fn where_there_is_no_file_nothing_is_looked_at() {
        let started = Config::load(None).unwrap();
        let mut reload = Reload::of(None);
        assert!(reload.look(&started, false).is_none());
        assert!(reload.look(&started, false).is_none());
        assert!(reload.look(&started, true).unwrap().is_ok());
    }
}
