//! Days, as people write them.
//!
//! Why: in UTC, as a WASI guest is told no time zone, and a date is then the same on every
//! machine.
//!
//! What it must never do: ask a clock: the time is an argument.

use alloc::format;
use alloc::string::String;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01 in the Gregorian calendar.
const BEFORE_1970: u64 = 719_468;

/// The day of a time (ms since 1970, UTC), as `2026-11-25`.
///
/// Years are counted from March, so that the leap day is the last of its year: the algorithm is
/// Howard Hinnant's `civil_from_days`.
#[must_use]
pub fn day(time: u64) -> String {
    // Later than the year 9999 there is only damage.
    let days = (time / DAY).min(2_932_896) + BEFORE_1970;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", era * 400 + year + next)
}

/// Day and time, as `2026-11-25 01:07 UTC`.
#[must_use]
pub fn minute(time: u64) -> String {
    let minutes = time % DAY / 60_000;
    format!("{} {:02}:{:02} UTC", day(time), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (time, expected) in [
            (0, "1970-01-01"),
            (DAY - 1, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (951_868_800_000, "2000-03-01"),
            (1_764_028_800_000, "2025-11-25"),
            (4_107_542_400_000, "2100-03-01"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(day(time), expected);
        }
        assert_eq!(minute(1_764_028_800_000 + 3_660_000), "2025-11-25 01:01 UTC");
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut days = (0..60_000).map(|n| day(n * DAY));
        let mut before = days.next().unwrap();
        for day in days {
            let parts = |day: &str| -> (u32, u32, u32) {
                let mut parts = day.split('-').map(|part| part.parse().unwrap());
                (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
            };
            let ((y, m, d), now) = (parts(&before), parts(&day));
            let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
            let length = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let next = match (m, d == length[m as usize - 1]) {
                (12, true) => (y + 1, 1, 1),
                (_, true) => (y, m + 1, 1),
                _ => (y, m, d + 1),
            };
            assert_eq!(now, next);
            before = day;
        }
    }
}
