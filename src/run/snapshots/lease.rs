//! Who may write: one at a time, by a lease that lies beside the snapshots. In: the clock of this machine. Out: whether
//! it is ours, and until when; whoever waits for it takes over when it has ended.

use super::vault::{Found, Vault};
use crate::{
    clock,
    run::{Front, Level, Log},
};
use anyhow::{Context as _, Result, anyhow};
use ingest::{
    source::{
        s3::{On, Unwritten},
        session::Gate,
    },
    time::format_ms,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

/// How long a lease may be. Unit: seconds.
pub(crate) const LEASE_S: std::ops::RangeInclusive<u64> = 3..=3_600;
/// How long it is if nothing else is said. Unit: seconds.
pub(crate) const LEASE_S_DEFAULT: u64 = 20;
/// It is renewed after this part of it.
const RENEWALS: u32 = 3;
/// Whoever waits does so for this part of it longer: clocks of machines do not go at quite the same pace.
const SPARE: u64 = 10;
/// How often whoever waits looks at it at most.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How often it is seen after whether the wait is to end.
const STOPPED_EVERY: Duration = Duration::from_millis(50);
/// How long it may take to give it back: the end has its own bound.
const RELEASE_MAX: Duration = Duration::from_secs(2);
/// A lease is shorter. Unit: bytes.
const BYTES_MAX: usize = 4_096;
/// Its name.
const NAME: &str = "lease";
/// What nobody counts to by leases and renewals, with room to count on.
const NUMBER_MAX: u64 = 1 << 62;
/// Its form.
const FORM: u32 = 1;

/// Until when something may be written, by a clock that goes on while the process does not. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Deadline(Arc<AtomicU64>);

impl Deadline {
    /// There is none yet.
    pub(crate) fn none() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// Whether it is still to come.
    pub(crate) fn is_ahead(&self) -> bool {
        clock::since_boot_ms() < self.0.load(Ordering::Acquire)
    }

    /// What is sent goes through this, up to then.
    pub(crate) fn gate(&self) -> Gate {
        let own = self.clone();
        Gate::new(move || own.is_ahead())
    }

    fn set(&self, at_ms: u64) {
        self.0.store(at_ms, Ordering::Release);
    }
}

/// As it lies in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    form: u32,
    /// Greater than that of all before, and no less than the time. Unit: seconds since 1970, or more.
    fence: u64,
    /// Machine, process, and a number that no other process has.
    holder: String,
    /// How long it holds from when it was written.
    seconds: u64,
    /// For people: nobody goes by another machine's clock.
    until: String,
    /// So that it is another one with each renewal.
    renewed: u64,
    /// It was given back.
    is_released: bool,
}

impl Lease {
    fn read(bytes: &[u8], at: &str) -> Result<Self> {
        let expected = "expected what a sentrail wrote: remove it if none runs";
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|_| anyhow!("{at} is no lease ({expected})"))?;
        if value.get("form").and_then(serde_json::Value::as_u64) != Some(FORM.into()) {
            return Err(anyhow!(
                "{at} is of another form (expected {FORM}); use the sentrail that wrote it"
            ));
        }
        let lease: Self =
            serde_json::from_value(value).map_err(|_| anyhow!("{at} is no lease ({expected})"))?;
        if [lease.fence, lease.renewed].iter().any(|number| *number >= NUMBER_MAX) {
            return Err(anyhow!("{at} counts to more than anybody did ({expected})"));
        }
        Ok(lease)
    }

    fn bytes(&self) -> Vec<u8> {
        // Numbers and texts always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The same, written anew.
    fn renewed(&self) -> Self {
        let until_ms = clock::now_ms().saturating_add_unsigned(self.seconds.saturating_mul(1_000));
        Self { renewed: self.renewed + 1, until: format_ms(until_ms), ..self.clone() }
    }

    fn ms(&self) -> u64 {
        self.seconds.saturating_mul(1_000)
    }
}

/// Who we are.
fn own_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let number = RandomState::new().build_hasher().finish();
    format!("{host}/{}/{number:016x}", std::process::id())
}

/// Waits until the lease is ours; `None` if it is to end before.
pub(crate) fn wait(
    vault: &Vault,
    (deadline, seconds): (&Deadline, u64),
    front: &Front,
    log: &Arc<Log>,
) -> Result<Option<Held>> {
    let holder = own_name();
    // What lay there last, and since when by our clock.
    let mut seen: Option<(Vec<u8>, u64)> = None;
    let mut is_told = false;
    front.metrics.standby(true);
    while !front.is_stopping() {
        front.metrics.alive();
        match look(vault, &holder, seconds, &mut seen) {
            Ok(Look::Ours(lease, etag, sent_ms)) => {
                deadline.set(sent_ms.saturating_add(lease.ms()));
                let fields = [("fence", json!(lease.fence))];
                log.say(Level::Info, "lease-held", &vault.url(NAME), &fields);
                return Ok(Some(Held::keep(vault, deadline, (lease, etag), log)));
            }
            Ok(Look::Theirs(lease)) => {
                if !std::mem::replace(&mut is_told, true) {
                    let what = format!("{} has the lease: waits for its end", lease.holder);
                    log.say(Level::Info, "standby", &what, &[("fence", json!(lease.fence))]);
                }
            }
            // The next look tells who was quicker.
            Ok(Look::Again) => {}
            // Who has never seen it does not know whether it may begin.
            Err(error) if seen.is_none() => return Err(error),
            Err(error) => log.say(Level::Warn, "lease-unseen", &format!("{error:#}"), &[]),
        }
        let n_pauses = LOOKED_EVERY.as_millis() / STOPPED_EVERY.as_millis();
        for _ in 0..n_pauses {
            if !front.is_stopping() {
                std::thread::sleep(STOPPED_EVERY);
            }
        }
    }
    Ok(None)
}

/// What a look at the lease came to.
enum Look {
    /// It is ours, of this entity tag, from then on. Unit: milliseconds since the machine started.
    Ours(Lease, Box<str>, u64),
    Theirs(Lease),
    /// It is another one meanwhile.
    Again,
}

fn look(
    vault: &Vault,
    holder: &str,
    seconds: u64,
    seen: &mut Option<(Vec<u8>, u64)>,
) -> Result<Look> {
    let found = vault.wait(vault.get(NAME, BYTES_MAX)).context("cannot read the lease")?;
    let now_ms = clock::since_boot_ms();
    let mut before = None;
    if let Some((bytes, etag)) = found {
        let lease = Lease::read(&bytes, &vault.url(NAME))?;
        let since_ms = match seen {
            Some((same, since_ms)) if *same == bytes => *since_ms,
            _ => {
                *seen = Some((bytes, now_ms));
                now_ms
            }
        };
        let waits_ms = lease.ms().saturating_add(lease.ms() / SPARE);
        let has_ended = now_ms.saturating_sub(since_ms) >= waits_ms;
        // Of our own only the answer was lost.
        if !(lease.is_released || has_ended || lease.holder == holder) {
            return Ok(Look::Theirs(lease));
        }
        before = Some((lease.fence, etag));
    }
    let newest = vault.snapshots().context("cannot list the snapshots")?.pop();
    let (last, etag) = before.unzip();
    // Not before the time: of what lay in an emptied folder, or in another one, a state is older.
    let time_s = u64::try_from(clock::now_ms() / 1_000).unwrap_or(0);
    let last = last.max(newest.map(|id| id.fence)).unwrap_or(0);
    let fence = time_s.max(last.saturating_add(1));
    let lease = Lease {
        form: FORM,
        fence,
        holder: holder.to_owned(),
        seconds,
        until: String::new(),
        renewed: 0,
        is_released: false,
    };
    let lease = lease.renewed();
    let on = etag.as_deref().map_or(On::Nothing, On::Version);
    let sent_ms = clock::since_boot_ms();
    match vault.wait(vault.put(on, NAME, lease.bytes())) {
        Ok(etag) => Ok(Look::Ours(lease, etag, sent_ms)),
        Err(Unwritten::Taken(_)) => Ok(Look::Again),
        Err(Unwritten::Failed(error)) => Err(error.into()),
    }
}

/// A lease that is ours as long as it is renewed. It is given back when this goes, whatever ends it: whoever waits need
/// not wait any longer, and nothing is written any more.
pub(crate) struct Held {
    vault: Vault,
    deadline: Deadline,
    /// Of all that is written under it.
    pub(crate) fence: u64,
    own: Arc<Mutex<Own>>,
    log: Arc<Log>,
}

/// What was written of it last.
struct Own {
    lease: Lease,
    etag: Box<str>,
}

/// Why it was not renewed.
enum Lapse {
    /// It is somebody else's.
    Lost(String),
    /// It may be the next time.
    Failed(String),
}

impl Own {
    /// Writes it anew, if it is still ours.
    async fn write(
        &mut self,
        next: Lease,
        (vault, deadline): (&Vault, &Deadline),
    ) -> Result<(), Lapse> {
        let sent_ms = clock::since_boot_ms();
        let failed = |error: &dyn std::fmt::Display| Lapse::Failed(error.to_string());
        match vault.put(On::Version(&self.etag), NAME, next.bytes()).await {
            Ok(etag) => {
                deadline.set(sent_ms.saturating_add(next.ms()));
                *self = Self { lease: next, etag };
                Ok(())
            }
            Err(Unwritten::Failed(error)) => Err(failed(&error)),
            Err(Unwritten::Taken(_)) => {
                let found = vault.get(NAME, BYTES_MAX).await.map_err(|error| failed(&error))?;
                self.adopt(found, &vault.url(NAME))
            }
        }
    }

    /// What lies there may be what we wrote, and only its answer was lost: of when it was written nothing is known.
    fn adopt(&mut self, found: Option<Found>, at: &str) -> Result<(), Lapse> {
        let gone = || Lapse::Lost(format!("{at} is gone"));
        let (bytes, etag) = found.ok_or_else(gone)?;
        let lease = Lease::read(&bytes, at).map_err(|error| Lapse::Lost(error.to_string()))?;
        if (&lease.holder, lease.fence) != (&self.lease.holder, self.lease.fence) {
            return Err(Lapse::Lost(format!("{} has taken it", lease.holder)));
        }
        *self = Self { lease, etag };
        Err(Lapse::Failed("the answer to the last renewal was lost".to_owned()))
    }
}

impl Held {
    /// Renews it from now on.
    fn keep(
        vault: &Vault,
        deadline: &Deadline,
        (lease, etag): (Lease, Box<str>),
        log: &Arc<Log>,
    ) -> Self {
        let (fence, length) = (lease.fence, Duration::from_secs(lease.seconds));
        let own = Arc::new(Mutex::new(Own { lease, etag }));
        let log = Arc::clone(log);
        let renewing =
            renew(vault.clone(), deadline.clone(), Arc::clone(&own), length, Arc::clone(&log));
        vault.runtime().spawn(renewing);
        Self { vault: vault.clone(), deadline: deadline.clone(), fence, own, log }
    }

    /// An error once it has ended.
    pub(crate) fn check(&self) -> Result<()> {
        if self.deadline.is_ahead() {
            return Ok(());
        }
        let at = self.vault.url(NAME);
        Err(anyhow!(
            "the lease {at} has ended: another sentrail may go on, so nothing is written any more"
        ))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Self { vault, deadline, own, log, .. } = self;
        let released = async {
            let mut own = own.lock().await;
            let mut released = Err(Lapse::Failed("it has ended".to_owned()));
            for _ in 0..2 {
                if deadline.is_ahead() && released.is_err() {
                    let next = Lease { is_released: true, ..own.lease.renewed() };
                    released = own.write(next, (vault, deadline)).await;
                }
            }
            own.lease.is_released = true;
            released
        };
        let slow = |_| Err(Lapse::Failed("no answer".to_owned()));
        let released = vault.wait(async { timeout(RELEASE_MAX, released).await });
        let released = released.unwrap_or_else(slow);
        deadline.set(0);
        if let Err(Lapse::Lost(why) | Lapse::Failed(why)) = released {
            let what = format!("the lease is not given back, and ends by itself: {why}");
            log.say(Level::Warn, "lease-unreleased", &what, &[]);
        }
    }
}

/// Writes it anew, again and again, until it was given back or is lost.
async fn renew(
    vault: Vault,
    deadline: Deadline,
    own: Arc<Mutex<Own>>,
    length: Duration,
    log: Arc<Log>,
) {
    let mut pause = length / RENEWALS;
    loop {
        sleep(pause).await;
        let mut own = own.lock().await;
        if own.lease.is_released || !deadline.is_ahead() {
            return;
        }
        let next = own.lease.renewed();
        // Within a third there is time for another attempt.
        let written = timeout(length / RENEWALS, own.write(next, (&vault, &deadline))).await;
        let slow = |_| Err(Lapse::Failed("no answer".to_owned()));
        pause = length / RENEWALS;
        match written.unwrap_or_else(slow) {
            Ok(()) => {}
            Err(Lapse::Lost(why)) => {
                deadline.set(0);
                log.say(Level::Error, "lease-lost", &why, &[]);
                return;
            }
            Err(Lapse::Failed(why)) => {
                pause = length / (RENEWALS * RENEWALS);
                log.say(Level::Warn, "lease-unrenewed", &why, &[]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
