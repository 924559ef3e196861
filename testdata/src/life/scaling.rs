//! Auto Scaling: looks how the instances of its groups are, starts more for the day, and replaces
//! those that are weeks old.

use super::credentials::{Fetcher, fetch};
use super::instance::{BUSY_S, Instance, n_running};
use super::{Life, Stage, Start};
use crate::aws::api::ec2::{self, Launch};
use crate::aws::api::{At, network};
use crate::aws::caller::{Caller, Session};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::organisation::{Kind, Machine, Organisation, part};
use crate::rng::Rng;

const SERVICE: &str = "autoscaling.amazonaws.com";
/// Auto Scaling looks at its groups as often. Unit: seconds.
const WATCH_S: i64 = 15 * MINUTE_S;
/// It fetches credentials as often. Unit: seconds.
const KEY_LIFE_S: i64 = HOUR_S;
/// Instances are there so long before they are needed, and after. Unit: seconds.
const SPARE_S: i64 = 8 * MINUTE_S;
/// Load balancers send nothing to instances that go so soon. Unit: seconds.
const DRAIN_S: i64 = 5 * MINUTE_S;

/// What Auto Scaling does on `day`, group by group.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let midnight_s = organisation.midnight(day);
    let groups = organisation.machines.iter().enumerate().filter(|(_, machine)| {
        machine.kind == Kind::Fleet && machine.is_scaled() && day >= machine.deployed_day
    });
    groups
        .map(|(number, machine)| {
            let rng = organisation.rng(part::SCALING, number, day);
            let site = Site::new(organisation.seed, number, machine);
            let (changes, key) = (Vec::new(), None);
            let mut group = Group { machine: number, day, site, rng, changes, key };
            group.plan(organisation, machine);
            // Groups are not looked at in the same second.
            let phase_s = i64::try_from(number).unwrap_or(0) * 131 % WATCH_S;
            Start { at_s: midnight_s + phase_s, life: Box::new(group) }
        })
        .collect()
}

/// An instance that comes or goes.
#[derive(Debug, Clone, Copy)]
struct Change {
    at_s: i64,
    /// The day whose instance it is.
    day: i64,
    slot: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Launch,
    Register,
    Deregister,
    Terminate,
}

/// Where instances of a group are started.
struct Site {
    target_group: String,
    image: String,
    vpc: String,
    subnet: String,
    security_group: String,
}

impl Site {
    fn new(seed: u64, number: usize, machine: &Machine) -> Self {
        let mut rng = Rng::for_part(seed, &[part::SCALING, number as u64]);
        let mut id = |prefix: &str| [prefix, "-0", &rng.hex(16)].concat();
        let [image, vpc] = [id("ami"), id("vpc")];
        let [subnet, security_group] = [id("subnet"), id("sg")];
        let target_group = [machine.name.as_str(), "/", &rng.hex(16)].concat();
        Self { target_group, image, vpc, subnet, security_group }
    }

    fn launch<'a>(
        &'a self,
        machine: &'a Machine,
        instance: &'a str,
        address: &'a str,
    ) -> Launch<'a> {
        Launch {
            image: &self.image,
            kind: "m7g.large",
            vpc: &self.vpc,
            subnet: &self.subnet,
            address,
            group: &self.security_group,
            profile: &machine.role.name,
            instance,
        }
    }
}

/// One group on one day.
struct Group {
    machine: usize,
    day: i64,
    site: Site,
    rng: Rng,
    /// The next one last.
    changes: Vec<Change>,
    /// A key, and since when.
    key: Option<(String, i64)>,
}

impl Life for Group {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let machine = organisation.machines.get(self.machine)?;
        let caller = self.caller(now_s, machine, stage)?;
        let next_s = now_s + WATCH_S;
        self.watch(now_s, machine, &caller, stage);
        while let Some(change) = self.changes.pop_if(|change| change.at_s < next_s) {
            let change = Change { at_s: change.at_s.max(now_s), ..change };
            self.change(change, machine, &caller, stage);
        }
        (next_s < organisation.midnight(self.day + 1)).then_some(next_s)
    }
}

impl Group {
    fn plan(&mut self, organisation: &Organisation, machine: &Machine) {
        let midnight_s = organisation.midnight(self.day);
        let usual = machine.n_instances as usize;
        for slot in usual..usual * 2 {
            let first_s = midnight_s + BUSY_S.0 - SPARE_S + self.rng.between(0, 3 * MINUTE_S);
            self.launch(first_s, self.day, slot);
            let last_s = midnight_s + BUSY_S.1 + SPARE_S + self.rng.between(0, 5 * MINUTE_S);
            self.terminate(last_s, self.day, slot);
        }
        let id = |day, slot| {
            Instance::new(organisation, (self.machine, day), slot).map(|instance| instance.id())
        };
        let others = |day, slot| id(day, slot) != id(day - 1, slot);
        let replaced = |day| (0..usual).filter(move |&slot| others(day, slot)).collect::<Vec<_>>();
        let (today, tomorrow) = (replaced(self.day), replaced(self.day + 1));
        if machine.deployed_day == self.day {
            for slot in 0..usual {
                self.launch(midnight_s, self.day, slot);
            }
        } else {
            for slot in today {
                self.terminate(midnight_s + SPARE_S, self.day - 1, slot);
            }
        }
        for slot in tomorrow {
            self.launch(midnight_s + DAY_S - 2 * SPARE_S, self.day + 1, slot);
        }
        self.changes.sort_by_key(|change| std::cmp::Reverse(change.at_s));
    }

    fn launch(&mut self, at_s: i64, day: i64, slot: usize) {
        let ready_s = at_s + self.rng.between(40, 110);
        self.changes.push(Change { at_s, day, slot, what: What::Launch });
        self.changes.push(Change { at_s: ready_s, day, slot, what: What::Register });
    }

    fn terminate(&mut self, at_s: i64, day: i64, slot: usize) {
        self.changes.push(Change { at_s, day, slot, what: What::Deregister });
        self.changes.push(Change { at_s: at_s + DRAIN_S, day, slot, what: What::Terminate });
    }

    /// Auto Scaling in its own role, with credentials that are still good.
    fn caller(&mut self, now_s: i64, machine: &Machine, stage: &mut Stage<'_>) -> Option<Caller> {
        let account = stage.organisation.accounts.get(machine.account)?;
        let path = "aws-service-role/autoscaling.amazonaws.com/";
        let role = account.role(path, "AWSServiceRoleForAutoScaling");
        let name = "AutoScaling";
        let kept = self.key.take().filter(|(_, since_s)| now_s - since_s < KEY_LIFE_S);
        let (key, since_s) = kept.unwrap_or_else(|| {
            let at = (now_s, &mut self.rng);
            (fetch(stage, machine.account, Fetcher::Itself(SERVICE), (&role, name), at), now_s)
        });
        let caller = Caller::for_others(&role, Session { name, key: &key, since_s }, SERVICE);
        self.key = Some((key, since_s));
        Some(caller)
    }

    /// How those are that run now.
    fn watch(&mut self, now_s: i64, machine: &Machine, caller: &Caller, stage: &mut Stage<'_>) {
        let organisation = stage.organisation;
        let Some(account) = organisation.accounts.get(machine.account) else { return };
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        let running = (0..n_running(machine, now_s))
            .filter_map(|slot| Instance::new(organisation, (self.machine, self.day), slot))
            .map(|instance| instance.id());
        let call = ec2::describe_status_of(at, running);
        stage.call(machine.account, caller, call, &mut self.rng);
        let call = network::describe_target_health(at, &self.site.target_group, &mut self.rng);
        stage.call(machine.account, caller, call, &mut self.rng);
    }

    fn change(
        &mut self,
        change: Change,
        machine: &Machine,
        caller: &Caller,
        stage: &mut Stage<'_>,
    ) {
        let organisation = stage.organisation;
        let Change { at_s, day, slot, what } = change;
        let Some(account) = organisation.accounts.get(machine.account) else { return };
        let Some(instance) = Instance::new(organisation, (self.machine, day), slot) else { return };
        let at = At { time_s: at_s, region: account.home, account: &account.id };
        let (id, rng) = (instance.id(), &mut self.rng);
        let call = match what {
            What::Launch => {
                let address = format!("10.0.{}.{}", rng.below(250), 4 + rng.below(250));
                ec2::run_instances(at, self.site.launch(machine, &id, &address), rng)
            }
            What::Register => network::register_targets(at, &self.site.target_group, id, rng),
            What::Deregister => network::deregister_targets(at, &self.site.target_group, id, rng),
            What::Terminate => ec2::terminate_instances(at, id, rng),
        };
        stage.call(machine.account, caller, call, rng);
    }
}
