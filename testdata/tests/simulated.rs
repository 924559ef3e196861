//! What the simulated logs are like. One binary, so that helpers are compiled once.

#[cfg(test)]
#[path = "simulated/facts.rs"]
mod facts;
#[cfg(test)]
#[path = "simulated/flows.rs"]
mod flows;
#[cfg(test)]
#[path = "simulated/people.rs"]
mod people;
#[cfg(test)]
#[path = "simulated/stories.rs"]
mod stories;
#[cfg(test)]
#[path = "simulated/work.rs"]
mod work;
