//! What the system says of this process. In: `/proc`. Out: numbers, where there is one.

use std::fs;

/// What is resident in memory. Unit: bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    resident_bytes_of(&status)
}

/// By the lines of `/proc/PID/status`, which count in KiB.
fn resident_bytes_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Files and sockets that are open. Unit: descriptors.
pub(super) fn open_fds() -> Option<u64> {
    // The folder itself is open while it is counted.
    let n = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(n).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_its_line() {
        let status = "Name:\tsentrail\nVmPeak:\t  900 kB\nVmRSS:\t   12345 kB\nThreads:\t3\n";
        assert_eq!(resident_bytes_of(status), Some(12_345 * 1_024));
        assert_eq!(resident_bytes_of("VmRSS:\t12 MB\n"), None);
        assert_eq!(resident_bytes_of("Name:\tkworker\n"), None);
    }
}
