//! What the benches share: the real objects of `../shared/data`, where they are present.
