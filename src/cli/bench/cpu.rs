//! How busy the bench itself is: a bench that has no time left measures itself.

use std::time::Duration;

/// The CPU time that this process has used, none where the system does not tell it this way.
pub(super) fn used() -> Option<Duration> {
    of_stat(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// How many descriptors this process may have open, none where the system does not tell.
pub(super) fn descriptors_max() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time: fields 14 and 15 of the line, counted from behind the name, which may hold anything.
fn of_stat(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut times = behind_name.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * MS_PER_TICK))
}

/// The kernel tells these times in hundredths of a second, whatever its own clock (USER_HZ).
const MS_PER_TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_moves_no_field() {
        let stat = "42 (a (odd) 1 2 name) S 1 2 3 4 5 6 7 8 9 10 250 30 0 0 20 0";
        assert_eq!(of_stat(stat), Some(Duration::from_millis(2800)));
        assert_eq!(of_stat("42 (short) S 1"), None);
    }
}
