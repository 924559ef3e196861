//! Instances, tasks and execution environments: which of them run at a moment, and from where they
//! call. What scales them, what they do, and what happens to them all ask here.

use crate::aws::caller::agents::{CONTAINER, FUNCTION, SDKS};
use crate::aws::caller::forms::Holder;
use crate::aws::caller::{Caller, Endpoint, Session};
use crate::clock::{DAY_S, HOUR_S};
use crate::organisation::{Account, Kind, Machine, Organisation, part};
use crate::places;
use crate::rng::Rng;

/// Instances that are always there are replaced after this. Unit: days.
const LIFE_DAYS: i64 = 17;
/// When the people are awake that machines work for, UTC. Unit: seconds after midnight.
pub(super) const BUSY_S: (i64, i64) = (7 * HOUR_S, 20 * HOUR_S);

/// One of several, and what lasts of it: its id and its address.
pub(crate) struct Instance<'a> {
    machine: &'a Machine,
    account: &'a Account,
    account_number: usize,
    id: u64,
    rng: Rng,
}

/// How many of `machine` run at `now_s`.
pub(super) fn n_running(machine: &Machine, now_s: i64) -> usize {
    let usual = machine.n_instances as usize;
    if is_busy(now_s) && machine.is_scaled() { usual * 2 } else { usual }
}

/// Whether the people are awake that machines work for.
pub(super) fn is_busy(now_s: i64) -> bool {
    (BUSY_S.0..BUSY_S.1).contains(&now_s.rem_euclid(DAY_S))
}

impl<'a> Instance<'a> {
    /// The one in `slot` on `day`. Those above the usual number come and go each day; the others
    /// stay for some weeks.
    pub(crate) fn new(
        of: &'a Organisation,
        (number, day): (usize, i64),
        slot: usize,
    ) -> Option<Self> {
        let machine = of.machines.get(number)?;
        let account = of.accounts.get(machine.account)?;
        let life = if slot < machine.n_instances as usize { LIFE_DAYS } else { 1 };
        // Not all are replaced on one day.
        let phase = i64::try_from(number + slot).unwrap_or(0) % life;
        let age = u64::try_from((day + phase) / life).unwrap_or(0);
        let part = [part::MACHINE, number as u64, slot as u64, u64::MAX, age];
        let mut rng = Rng::for_part(of.seed, &part);
        let id = rng.bits();
        Some(Self { machine, account, account_number: machine.account, id, rng })
    }

    /// `i-...`, where it is an instance of EC2.
    pub(super) fn id(&self) -> String {
        format!("i-0{:016x}", self.id)
    }

    /// The role session name.
    pub(crate) fn session_name(&self) -> String {
        match self.machine.kind {
            Kind::Fleet => self.id(),
            Kind::Function => self.machine.name.clone(),
            Kind::Service => format!("{:016x}{:016x}", self.id, self.id.rotate_left(17)),
        }
    }

    /// What `inScopeOf` says of its credentials.
    pub(crate) fn holder(&self) -> Holder {
        match self.machine.kind {
            Kind::Fleet => Holder::Instance,
            Kind::Function => Holder::Function(self.machine.name.clone()),
            Kind::Service => Holder::Task(self.account.name.clone()),
        }
    }

    /// The instance with credentials that were fetched at `since_s`.
    pub(super) fn caller(&self, key: &str, since_s: i64) -> Caller {
        let name = self.session_name();
        let session = Session { name: &name, key, since_s };
        let role = &self.machine.role;
        let identity = role.held_by(session, self.account.home, &self.holder());
        let (address, endpoint) = self.place();
        let caller = Caller::new(identity, &address, self.agent());
        endpoint.into_iter().fold(caller, Caller::through)
    }

    /// A service at work with the same credentials.
    pub(super) fn through(&self, service: &'static str, key: &str, since_s: i64) -> Caller {
        let name = self.session_name();
        let session = Session { name: &name, key, since_s };
        Caller::for_others(&self.machine.role, session, service)
    }

    /// Where it calls from.
    pub(crate) fn place(&self) -> (String, Option<Endpoint>) {
        let mut rng = self.rng.clone();
        let network = places::of_region(self.account.home);
        match self.machine.role.principal.bytes().last().map(|byte| byte % 3) {
            // Through the VPC's endpoint for S3 and its kind: a private address.
            Some(0) => {
                let address = format!("10.0.{}.{}", rng.below(250), 4 + rng.below(250));
                let id = format!("vpce-{}", rng.hex(17));
                (address, Some(Endpoint { id, account: self.account.id.clone() }))
            }
            // Behind the NAT gateway of the account: one address for all.
            Some(1) if self.machine.kind != Kind::Function => {
                let mut shared = Rng::for_part(self.account_number as u64, &[part::ACCOUNT]);
                (network.address(&mut shared).to_string(), None)
            }
            _ => (network.address(&mut rng).to_string(), None),
        }
    }

    /// What it calls with.
    pub(crate) fn agent(&self) -> &'static str {
        match self.machine.kind {
            Kind::Function => FUNCTION,
            Kind::Service => CONTAINER,
            Kind::Fleet => {
                let pick = self.machine.name.len() % SDKS.len();
                SDKS.get(pick).copied().unwrap_or(FUNCTION)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organisation::Size;

    #[test]
    fn most_are_the_same_from_day_to_day_and_the_others_are_not() {
        let size = Size { accounts: 1, people: 1, machines: 40, pipelines: 0, agents: 0, vpcs: 0 };
        let of = Organisation::new(3, size, (0, 30));
        let id = |number, day, slot| Instance::new(&of, (number, day), slot).unwrap().id();
        let stay = (0..40).filter(|&number| id(number, 3, 0) == id(number, 4, 0)).count();
        assert!((30..40).contains(&stay), "{stay}");
        let above = of.machines[0].n_instances as usize;
        assert_ne!(id(0, 3, above), id(0, 4, above));
    }

    #[test]
    fn an_instance_calls_from_one_place() {
        let size = Size { accounts: 2, people: 1, machines: 9, pipelines: 0, agents: 0, vpcs: 0 };
        let of = Organisation::new(3, size, (0, 30));
        for number in 0..9 {
            let instance = Instance::new(&of, (number, 3), 0).unwrap();
            assert_eq!(instance.place(), instance.place());
            assert_eq!(*instance.caller("ASIAEXAMPLE", 0).address, *instance.place().0);
        }
    }
}
