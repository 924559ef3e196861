//! Writes logs as AWS would: golden fixtures with an attack in them. It knows no other room.
