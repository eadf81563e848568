//! `Date` (RFC 9110, 6.6.1), of a clock that is the owner's.

const DAY: u64 = 86_400;
/// The last second of the year 9999: the form has four digits.
const LAST: u64 = 253_402_300_799;

const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
/// From March, so that the leap day is a year's last.
const MONTHS: [&[u8; 3]; 12] =
    [b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec", b"Jan", b"Feb"];

/// The IMF-fixdate of so many seconds after 1970, as `Sun, 06 Nov 1994 08:49:37 GMT`. Beyond the year 9999 it stays at its end.
pub fn http_date(unix_seconds: u64) -> [u8; 29] {
    let unix_seconds = unix_seconds.min(LAST);
    let (days, second) = (unix_seconds / DAY, unix_seconds % DAY);
    let (year, month, day) = civil(days);
    let mut date = *b"---, -- --- ---- --:--:-- GMT";
    date[..3].copy_from_slice(WEEKDAYS[(days % 7) as usize]);
    date[5..7].copy_from_slice(&two_digits(day));
    date[8..11].copy_from_slice(MONTHS[month]);
    date[12..14].copy_from_slice(&two_digits(year / 100));
    date[14..16].copy_from_slice(&two_digits(year));
    date[17..19].copy_from_slice(&two_digits(second / 3_600));
    date[20..22].copy_from_slice(&two_digits(second / 60 % 60));
    date[23..25].copy_from_slice(&two_digits(second % 60));
    date
}

/// Year, month (March is 0) and day of the month (from 1), of days after 1970.
fn civil(days: u64) -> (u64, usize, u64) {
    // Eras of 400 years begin with March. 719,468 days lie between the beginning of the first and 1970.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March, months have 31, 30, 31, 30, 31 days and again: 153 days in five of them.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    (400 * era + year + u64::from(month >= 10), month as usize, day)
}

/// The last two.
fn two_digits(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_an_imf_fixdate() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
            (1_798_761_600, "Fri, 01 Jan 2027 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(std::str::from_utf8(&http_date(seconds)), Ok(date));
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = civil(0);
        for day in 1..=400 * 366 {
            let next = civil(day);
            let same_month = next == (before.0, before.1, before.2 + 1);
            let next_month = next.2 == 1 && next.1 == (before.1 + 1) % 12 && before.2 >= 28;
            // January is the eleventh month from March.
            let year = before.0 + u64::from(next_month && next.1 == 10);
            assert!((same_month || next_month) && next.0 == year, "{before:?} {next:?}");
            before = next;
        }
    }
}
