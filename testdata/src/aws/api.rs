//! What AWS writes for the calls of its services: names of keys, their nesting and order, one file
//! per service. Most are templates; `shape` says how they are filled in.
//!
//! Who calls is not known here: a `Call` becomes a record with a `Caller`.

pub mod analytics;
pub mod attack;
pub mod audit;
pub mod config;
pub mod console;
pub mod database;
pub mod denied;
pub mod ec2;
pub mod findings;
pub mod iam;
pub mod keys;
pub mod lambda;
pub mod models;
pub mod network;
pub mod s3;
pub mod scene;
pub mod shape;
pub mod signin;
pub mod stacks;
pub mod sts;
pub mod systems;
pub mod trail;

pub use scene::At;
pub use shape::Shape;

/// Every template there is, but for the reads of `console`.
pub fn shapes() -> Vec<&'static Shape> {
    [
        analytics::SHAPES,
        attack::SHAPES,
        audit::SHAPES,
        config::SHAPES,
        database::SHAPES,
        ec2::SHAPES,
        findings::SHAPES,
        iam::SHAPES,
        keys::SHAPES,
        lambda::SHAPES,
        models::SHAPES,
        network::SHAPES,
        stacks::SHAPES,
        sts::SHAPES,
        systems::SHAPES,
        trail::SHAPES,
    ]
    .concat()
}
