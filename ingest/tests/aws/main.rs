//! S3 and SQS as a server over sockets has them, and as a network that fails has them.

#[cfg(test)]
mod access;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod listings;
#[cfg(test)]
#[path = "../../../tests/support/proxy.rs"]
#[expect(dead_code, reason = "tests of the program use the rest of it")]
mod proxy;
#[cfg(test)]
mod queues;
#[cfg(test)]
#[path = "../../../tests/support/servers.rs"]
#[expect(dead_code, reason = "tests of the program use the rest of it")]
mod servers;
