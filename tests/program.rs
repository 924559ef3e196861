//! The program through its command line. One binary, so that helpers are compiled once.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod arithmetic;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod buses;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod hindsight;
#[cfg(test)]
mod identifiers;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod into;
#[cfg(test)]
mod joins;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod learn;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod own;
#[cfg(test)]
mod parquet;
#[cfg(test)]
mod poison;
#[cfg(test)]
#[path = "support/proxy.rs"]
mod proxy;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod release;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod run;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod security_hub;
#[cfg(test)]
#[path = "support/servers.rs"]
mod servers;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod state;
#[cfg(test)]
mod support;
#[cfg(test)]
mod suppression;
#[cfg(test)]
mod traces;
