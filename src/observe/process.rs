//! What the system says of this process. Not here: what is too much. Where there is no /proc, nothing is said.

use std::fs;

/// What is used and what may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) memory_bytes: Option<u64>,
    pub(super) fds: Option<u64>,
    pub(super) fds_max: Option<u64>,
}

impl Process {
    pub(super) fn now() -> Process {
        let fds = fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as u64);
        Process {
            memory_bytes: resident_bytes(),
            fds: fds.map(|open| open.saturating_sub(1)), // but for the one that the list is read by
            fds_max: fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(fds_max),
        }
    }
}

/// The memory of this process that is not swapped out; none where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn fds_max(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_it_is_written() {
        assert_eq!(resident("Name:\tctigate\nVmRSS:\t   12345 kB\n"), Some(12_345 * 1024));
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n";
        assert_eq!(fds_max(limits), Some(1024));
        assert_eq!(fds_max("Max open files unlimited unlimited files"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let now = Process::now();
        assert!(now.memory_bytes > Some(0) && now.fds > Some(0) && now.fds_max >= now.fds, "{now:?}");
    }
}
