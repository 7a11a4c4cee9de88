//! Instants and their business days, across clock changes, leap days and years.

use super::*;

fn ms(utc: &str) -> i64 {
    utc.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The last millisecond before `cutover` is `before`, `cutover` itself is `after`, and asking an hour or a millisecond
/// earlier for the next cutover gives that instant.
#[track_caller]
fn changes(zone: &str, hour: &str, cutover: &str, before: &str, after: &str) {
    let (calendar, at) = (Calendar::new(zone, hour).unwrap(), ms(cutover));
    let days = (calendar.day_at(at - 1).to_string(), calendar.day_at(at).to_string());
    assert_eq!(days, (before.into(), after.into()), "{zone} {hour} at {cutover}");
    for earlier in [1, 3_600_000] {
        assert_eq!(calendar.next_cutover_after(at - earlier), at, "{zone} {hour} before {cutover}");
    }
    assert!(calendar.next_cutover_after(at) > at);
}

#[test]
fn the_day_is_named_after_the_date_most_of_it_falls_on() {
    changes("Asia/Shanghai", "00:00", "2026-03-10T16:00:00Z", "2026-03-10", "2026-03-11");
    changes("Asia/Shanghai", "23:00", "2026-03-10T15:00:00Z", "2026-03-10", "2026-03-11");
    changes("Asia/Shanghai", "03:00", "2026-03-10T19:00:00Z", "2026-03-10", "2026-03-11");
    changes("UTC", "11:59", "2026-03-10T11:59:00Z", "2026-03-09", "2026-03-10");
    changes("UTC", "12:00", "2026-03-10T12:00:00Z", "2026-03-10", "2026-03-11");
}

#[test]
fn leap_days_and_years_end_as_any_day() {
    changes("Asia/Shanghai", "23:00", "2024-02-28T15:00:00Z", "2024-02-28", "2024-02-29");
    changes("Asia/Shanghai", "23:00", "2024-02-29T15:00:00Z", "2024-02-29", "2024-03-01");
    changes("Asia/Shanghai", "23:00", "2025-02-28T15:00:00Z", "2025-02-28", "2025-03-01");
    changes("Asia/Shanghai", "23:00", "2026-12-31T15:00:00Z", "2026-12-31", "2027-01-01");
    changes("UTC", "00:00", "2028-01-01T00:00:00Z", "2027-12-31", "2028-01-01");
}

#[test]
fn a_cutover_in_a_gap_happens_at_its_end() {
    // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00Z.
    for hour in ["02:00", "02:30", "02:59", "03:00"] {
        changes("Europe/Berlin", hour, "2026-03-29T01:00:00Z", "2026-03-28", "2026-03-29");
    }
    changes("Europe/Berlin", "01:59", "2026-03-29T00:59:00Z", "2026-03-28", "2026-03-29");
    changes("Europe/Berlin", "03:01", "2026-03-29T01:01:00Z", "2026-03-28", "2026-03-29");
    // São Paulo, 2018-11-04: midnight itself is skipped, at 03:00Z.
    changes("America/Sao_Paulo", "00:00", "2018-11-04T03:00:00Z", "2018-11-03", "2018-11-04");
}

#[test]
fn a_cutover_that_happens_twice_counts_the_first_time() {
    // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00Z, so 02:30 is at 00:30Z and again at 01:30Z.
    changes("Europe/Berlin", "02:30", "2026-10-25T00:30:00Z", "2026-10-24", "2026-10-25");
    let calendar = Calendar::new("Europe/Berlin", "02:30").unwrap();
    assert_eq!(calendar.day_at(ms("2026-10-25T01:15:00Z")).to_string(), "2026-10-25");
    assert_eq!(calendar.next_cutover_after(ms("2026-10-25T00:30:00Z")), ms("2026-10-26T01:30:00Z"));
    // Havana, 2026-11-01: 01:00 becomes 00:00, so midnight happens twice.
    changes("America/Havana", "00:00", "2026-11-01T04:00:00Z", "2026-10-31", "2026-11-01");
    let calendar = Calendar::new("America/Havana", "00:00").unwrap();
    assert_eq!(calendar.day_at(ms("2026-11-01T05:00:00Z")).to_string(), "2026-11-01");
}

#[test]
fn a_date_that_a_zone_skips_has_no_day() {
    // Samoa crossed the date line: 2011-12-29 was followed by 2011-12-31.
    changes("Pacific/Apia", "00:00", "2011-12-30T10:00:00Z", "2011-12-29", "2011-12-31");
    changes("Pacific/Apia", "23:00", "2011-12-30T10:00:00Z", "2011-12-30", "2011-12-31");
}

#[test]
fn days_never_run_backwards_and_change_only_at_cutovers() {
    for zone in
        ["Europe/Berlin", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"]
    {
        for hour in ["00:00", "00:30", "02:15", "03:00", "12:00", "23:00", "23:59"] {
            let calendar = Calendar::new(zone, hour).unwrap();
            let (mut at, end) = (ms("2011-01-01T00:00:00Z"), ms("2012-12-31T00:00:00Z"));
            let mut day = calendar.day_at(at);
            while at < end {
                let next = calendar.next_cutover_after(at);
                assert!(next > at && next - at <= 50 * 3_600_000, "{zone} {hour} at {at}");
                assert_eq!(calendar.day_at(next - 1), day, "{zone} {hour} before {next}");
                let after = calendar.day_at(next);
                let skipped = zone == "Pacific/Apia" && after.0 == day.0 + 2;
                assert!(after == day.next() || skipped, "{zone} {hour}: {day} then {after}");
                (at, day) = (next, after);
            }
        }
    }
}

/// A cutover that is told means the nearest one, before it or after it; far from any it means none.
#[test]
fn a_cutover_that_is_told_begins_the_nearest_day() {
    let told = |zone: &str, hour: &str, utc: &str| {
        let day = Calendar::new(zone, hour).unwrap().day_told_at(ms(utc), 2 * 3_600_000);
        day.map(|day| day.to_string())
    };
    let shanghai = |utc: &str| told("Asia/Shanghai", "23:00", utc);
    assert_eq!(shanghai("2026-03-10T12:59:59.999Z"), None);
    assert_eq!(shanghai("2026-03-10T13:00:00Z").as_deref(), Some("2026-03-11"));
    assert_eq!(shanghai("2026-03-10T14:59:59.999Z").as_deref(), Some("2026-03-11"));
    assert_eq!(shanghai("2026-03-10T15:00:00Z").as_deref(), Some("2026-03-11"));
    assert_eq!(shanghai("2026-03-10T17:00:00Z").as_deref(), Some("2026-03-11"));
    assert_eq!(shanghai("2026-03-10T17:00:00.001Z"), None);
    // Berlin, the nights in which 02:30 does not come, and comes twice.
    let berlin = |utc: &str| told("Europe/Berlin", "02:30", utc);
    assert_eq!(berlin("2026-03-28T23:00:00Z").as_deref(), Some("2026-03-29"));
    assert_eq!(berlin("2026-03-29T01:30:00Z").as_deref(), Some("2026-03-29"));
    assert_eq!(berlin("2026-10-25T01:30:00Z").as_deref(), Some("2026-10-25"));
    assert_eq!(told("Pacific/Apia", "00:00", "2011-12-30T09:00:00Z").as_deref(), Some("2011-12-31"));
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let calendar = Calendar::new("Asia/Shanghai", "23:00").unwrap();
    for wall_ms in [i64::MIN, -1, 0, i64::MAX] {
        let _ = (calendar.day_at(wall_ms), calendar.next_cutover_after(wall_ms));
        let _ = calendar.day_told_at(wall_ms, i64::MAX);
    }
    assert_eq!(calendar.day_at(0), BusinessDay::NEVER);
    assert_eq!(calendar.next_cutover_after(i64::MAX), i64::MAX);
}

#[test]
fn a_calendar_that_cannot_be_says_why() {
    let why = |zone, hour| Calendar::new(zone, hour).unwrap_err().to_string();
    assert_eq!(
        why("Asia/Beijing", "23:00"),
        "zone \"Asia/Beijing\" is unknown, expected a name such as \"Asia/Shanghai\""
    );
    for hour in ["24:00", "23:60", "2300", "3:00", "23:0", "+1:00", "aa:00", ""] {
        assert_eq!(
            why("UTC", hour),
            format!("cutover {hour:?} is no time of day, expected hh:mm from 00:00 to 23:59")
        );
    }
}
