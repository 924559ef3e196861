//! Judges spans of hours against frozen generations. In: events. Out: findings, in bits.
