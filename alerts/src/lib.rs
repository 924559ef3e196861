//! Delivers findings. Text from logs is hostile: it is escaped here, at the door out.
