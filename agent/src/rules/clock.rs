//! Time in words.

const NS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// `HH:MM:SS.nnnnnnnnn` in UTC.
pub(crate) fn time_of_day(unix_ns: u64) -> String {
    let seconds = unix_ns / NS_PER_SECOND % SECONDS_PER_DAY;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{:09}", unix_ns % NS_PER_SECOND)
}

/// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`.
pub(crate) fn iso8601(unix_ns: u64) -> String {
    let (year, month, day) = date(unix_ns / NS_PER_SECOND / SECONDS_PER_DAY);
    format!("{year:04}-{month:02}-{day:02}T{}+0000", time_of_day(unix_ns))
}

/// Year, month and day of a day since 1970-01-01. Years begin in March, so that the leap day is their last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_utc_to_the_nanosecond() {
        for (unix_ns, expected) in [
            (0, "1970-01-01T00:00:00.000000000+0000"),
            (951_782_400_000_000_007, "2000-02-29T00:00:00.000000007+0000"),
            (1_779_790_272_123_456_789, "2026-05-26T10:11:12.123456789+0000"),
        ] {
            assert_eq!(iso8601(unix_ns), expected);
        }
    }
}
