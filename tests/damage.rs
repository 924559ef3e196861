//! The state of the daemon, damaged: `damage.py` does it, and `make soak` does it longer.

use crate::kills::of_days;

#[test]
fn no_damage_of_the_state_is_taken_for_something_else() {
    let told = of_days("damage.py", &["--cuts=20", "--flips=20", "--rows=12"]);
    assert!(
        told.starts_with("20 cuts, 20 flipped bits and 12 rows taken out of a state"),
        "{told}"
    );
}
