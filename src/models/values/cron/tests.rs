use std::time::{Duration, Instant as Clock};

use chrono::DateTime;
use chrono_tz::Tz;
use rstest::rstest;

use super::{Cron, Zone};
use crate::db::types::Instant;

fn instant(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
}

/// Returns the first `count` occurrences after an instant, all in UTC.
fn after(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let (cron, zone) = (Cron::stored(cron).unwrap(), Zone::parse(zone).unwrap());
    let next = |it: &Instant| cron.next_after(zone, *it);
    std::iter::successors(next(&instant(from)), next)
        .take(count)
        .map(|it| it.to_string())
        .collect()
}

/// Counts the occurrences after one instant and before another.
fn count(cron: &str, zone: &str, from: &str, until: &str) -> usize {
    let (cron, zone) = (Cron::stored(cron).unwrap(), Zone::parse(zone).unwrap());
    let next = |it: &Instant| cron.next_after(zone, *it);
    let until = instant(until);
    std::iter::successors(next(&instant(from)), next)
        .take_while(|it| *it < until)
        .count()
}

#[rstest]
#[case("0 0 * * *")]
#[case("*/15 0 * * *")]
#[case("0,15,30,45 * * * *")]
#[case("5-50/15 * * * *")]
#[case("*/15,30 * * * *")]
#[case("0 0 29 2 *")]
#[case("0 0 30,31 * *")]
#[case("0 0 30 2 MON")]
#[case("30 08 1 jan-DEC Mon,wEd,5")]
#[case("0 0 * * SAT-SUN")]
#[case("0 0 * * 1-7/2")]
#[case("0 0 * * 7")]
#[case("0 0 */2 */3 *")]
#[case("\t0  0\t* *   *\n")]
fn takes_patterns_of_crontab(#[case] text: &str) {
    let cron = Cron::parse(text, 15).unwrap_or_else(|invalid| panic!("{text:?} {invalid}"));
    let words: Vec<_> = text.split_whitespace().collect();
    assert_eq!(cron.as_str(), words.join(" "));
    assert_eq!(Cron::stored(cron.as_str()).unwrap().as_str(), cron.as_str());
}

#[rstest]
#[case::no_fields("")]
#[case::white_space(" \t ")]
#[case::four_fields("0 0 * *")]
#[case::seconds("0 0 0 * * *")]
#[case::seconds_and_year("0 0 0 * * * 2030")]
#[case::nickname("@daily")]
#[case::nickname_as_a_field("@daily 0 * * *")]
#[case::reboot("@reboot")]
#[case::last_day("0 0 L * *")]
#[case::nearest_weekday("0 0 15W * *")]
#[case::last_weekday("0 0 LW * *")]
#[case::nth_weekday("0 0 * * 1#2")]
#[case::last_friday("0 0 * * 5L")]
#[case::no_matter("0 0 ? * 1")]
#[case::no_matter_which_weekday("0 0 1 * ?")]
#[case::and("0 0 1 * +1")]
#[case::random("0~30 0 * * *")]
#[case::hash("H 0 * * *")]
#[case::minute_60("60 * * * *")]
#[case::hour_24("0 24 * * *")]
#[case::day_0("0 0 0 * *")]
#[case::day_32("0 0 32 * *")]
#[case::month_0("0 0 1 0 *")]
#[case::month_13("0 0 1 13 *")]
#[case::weekday_8("0 0 * * 8")]
#[case::backwards("5-1 0 * * *")]
#[case::backwards_by_name("0 0 * * FRI-MON")]
#[case::step_of_0("*/0 0 * * *")]
#[case::no_step("*/ 0 * * *")]
#[case::step_of_nothing("/5 0 * * *")]
#[case::step_of_one_value("5/15 0 * * *")]
#[case::two_steps("*/5/5 0 * * *")]
#[case::three_ends("1-2-3 0 * * *")]
#[case::no_end("1- 0 * * *")]
#[case::no_beginning("-1 0 * * *")]
#[case::nothing_between_commas("1,,2 0 * * *")]
#[case::nothing_after_a_comma("1, 0 * * *")]
#[case::sign("+5 0 * * *")]
#[case::two_stars("** 0 * * *")]
#[case::star_in_a_range("*-5 0 * * *")]
#[case::huge("99999999999999999999 0 * * *")]
#[case::over_16_bits("65536 0 * * *")]
#[case::huge_step("*/99999999999 0 * * *")]
#[case::name_in_another_field("0 0 JAN * *")]
#[case::weekday_for_a_month("0 0 1 MON *")]
#[case::names_run_together("0 0 1 JANFEB *")]
#[case::name_with_digits("0 0 * * 1MON")]
#[case::full_name("0 0 * * MONDAY")]
#[case::other_digits("٣ 0 * * *")]
#[case::wide_digits("１ 0 * * *")]
#[case::other_spaces("0\u{a0}0 * * *")]
#[case::lines("0 0\n* * *")]
#[case::nul("0 0 * * \0")]
#[case::letter_that_grows("0 0 * * ß")]
fn refuses_what_crontab_does_not_know(#[case] text: &str) {
    assert!(Cron::parse(text, 1).is_err(), "{text:?}");
    assert!(Cron::stored(text).is_err(), "{text:?}");
}

#[rstest]
#[case("0 0 30 2 *")]
#[case("0 0 31 2,4,6,9,11 *")]
#[case("0 0 30-31 FEB *")]
fn refuses_what_never_runs(#[case] text: &str) {
    let message = Cron::parse(text, 15).unwrap_err().0;
    assert_eq!(message, "must not ask for a day that never occurs");
    let zone = Zone(Tz::UTC);
    assert_eq!(
        Cron::stored(text)
            .unwrap()
            .next_after(zone, instant("2026-01-01T00:00:00Z")),
        None
    );
}

#[rstest]
#[case("* * * * *", 1)]
#[case("*/14 * * * *", 4)]
#[case("0,59 * * * *", 1)]
#[case("0,50 * * * *", 10)]
#[case("0,46 * * * *", 14)]
#[case("0,45 * * * *", 15)]
#[case("0,59 */2 * * *", 59)]
#[case("0,59 1,2 * * *", 1)]
#[case("0 0,23 * * *", 60)]
#[case("0,59 0,23 * * *", 1)]
#[case("0,59 0,23 * * 1", 59)]
#[case("0,59 0,23 * * 1,2", 1)]
#[case("0,59 0,23 1 * *", 59)]
#[case("0,59 0,23 1,31 * *", 1)]
#[case("59 0,23 28 2 *", 60 * 23)]
#[case("0,59 0,23 29 2 *", 59)]
#[case("0,59 0,23 28,1 2,3 *", 1)]
#[case("0,59 0,23 31,1 1,12 *", 1)]
#[case("0 0 * * *", 60 * 24)]
#[case("0 0 * * 1", 60 * 24 * 7)]
#[case("0 0 1 * *", 60 * 24 * 28)]
#[case("0 0 1 1 *", 60 * 24 * 365)]
#[case("0 0 1 * 1", 60 * 24)]
fn the_least_interval_is_that_of_the_whole_pattern(#[case] text: &str, #[case] shortest: u32) {
    assert!(Cron::parse(text, shortest).is_ok());
    let message = Cron::parse(text, shortest + 1).unwrap_err().0;
    assert!(message.contains("between two runs"), "{message}");
}

#[rstest]
#[case("0 0 29 2 *")]
#[case("0 0 29 2 */7")]
fn years_between_two_runs_are_never_too_few(#[case] text: &str) {
    assert!(Cron::parse(text, 525_600).is_ok());
}

#[test]
fn clocks_that_are_changed_do_not_count_against_the_interval() {
    assert!(Cron::parse("50 1,3 * * *", 120).is_ok());
    assert_eq!(
        after("30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    );
}

#[test]
fn either_day_will_do_where_both_are_restricted() {
    assert_eq!(
        after("0 0 13 * FRI", "UTC", "2026-02-01T00:00:00Z", 6),
        [
            "2026-02-06T00:00:00Z",
            "2026-02-13T00:00:00Z",
            "2026-02-20T00:00:00Z",
            "2026-02-27T00:00:00Z",
            "2026-03-06T00:00:00Z",
            "2026-03-13T00:00:00Z",
        ]
    );
    assert_eq!(
        after("0 0 15 * 1", "UTC", "2026-04-14T00:00:00Z", 2),
        ["2026-04-15T00:00:00Z", "2026-04-20T00:00:00Z"]
    );
}

#[test]
fn both_days_must_match_where_one_has_a_star() {
    // Mondays on odd days of the month.
    assert_eq!(
        after("0 0 */2 * MON", "UTC", "2026-06-01T00:00:00Z", 3),
        [
            "2026-06-15T00:00:00Z",
            "2026-06-29T00:00:00Z",
            "2026-07-13T00:00:00Z",
        ]
    );
    assert_eq!(
        after("0 0 1 * */7", "UTC", "2026-01-02T00:00:00Z", 2),
        ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]
    );
}

#[rstest]
fn sunday_has_two_numbers_and_a_name(
    #[values("0", "7", "SUN", "sun", "SUN-SUN", "0-SUN", "*/7")] sunday: &str,
) {
    let cron = format!("0 12 * * {sunday}");
    assert_eq!(
        after(&cron, "UTC", "2026-11-20T00:00:00Z", 2),
        ["2026-11-22T12:00:00Z", "2026-11-29T12:00:00Z"]
    );
}

#[test]
fn the_next_is_strictly_after_even_within_a_second() {
    let at = |from| after("0 0 * * *", "UTC", from, 1).remove(0);
    assert_eq!(at("2026-01-01T23:59:59.999999Z"), "2026-01-02T00:00:00Z");
    assert_eq!(at("2026-01-02T00:00:00Z"), "2026-01-03T00:00:00Z");
    assert_eq!(at("2026-01-02T00:00:00.000001Z"), "2026-01-03T00:00:00Z");
}

#[test]
fn a_leap_day_is_found_over_a_turn_of_the_century() {
    assert_eq!(
        after("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 2),
        ["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"]
    );
}

#[rstest]
// Berlin: from 02:00 to 03:00 on 29 March, at 01:00Z.
#[case::exactly("0 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"])]
#[case::within("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])]
#[case::several_come_once("*/15 2 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"])]
#[case::with_others("0 1,2,3,4 * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", &["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"])]
#[case::a_range_is_fixed("30 1-4 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"])]
#[case::the_day_counts("30 2 29 3 *", "Europe/Berlin", "2026-03-01T00:00:00Z", &["2026-03-29T01:00:00Z", "2027-03-29T00:30:00Z"])]
// New York: from 02:00 to 03:00 on 8 March, at 07:00Z.
#[case::new_york("30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", &["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"])]
// Lord Howe: from 02:00 to 02:30 on 4 October, at 15:30Z the day before.
#[case::lord_howe("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"])]
#[case::lord_howe_after("45 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:45:00Z", "2026-10-04T15:45:00Z"])]
// Cairo: from 00:00 to 01:00 on 24 April, at 22:00Z the day before.
#[case::midnight("0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", &["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"])]
fn a_fixed_time_that_is_skipped_comes_once_when_the_gap_ends(
    #[case] cron: &str,
    #[case] zone: &str,
    #[case] from: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(after(cron, zone, from, expected.len()), expected);
}

#[rstest]
// Berlin: from 03:00 back to 02:00 on 25 October, at 01:00Z.
#[case::berlin("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])]
#[case::from_between("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", &["2026-10-26T01:30:00Z"])]
#[case::from_the_repetition("45 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", &["2026-10-26T01:45:00Z"])]
#[case::several("*/30 2,3 * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", &["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z", "2026-10-26T01:00:00Z"])]
// New York: from 02:00 back to 01:00 on 1 November, at 06:00Z.
#[case::new_york("0 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", &["2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z"])]
// Lord Howe: from 02:00 back to 01:30 on 5 April, at 15:00Z the day before.
#[case::lord_howe("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"])]
fn a_fixed_time_that_is_repeated_comes_the_first_time_only(
    #[case] cron: &str,
    #[case] zone: &str,
    #[case] from: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(after(cron, zone, from, expected.len()), expected);
}

#[rstest]
#[case::every_hour_over_a_gap("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", &["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"])]
#[case::every_second_hour_over_a_gap("0 */2 * * *", "Europe/Berlin", "2026-03-28T22:30:00Z", &["2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z"])]
#[case::all_hours_over_a_gap("30 0-23 * * *", "America/New_York", "2026-03-08T06:00:00Z", &["2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"])]
#[case::a_step_over_a_gap("30 2-20/2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &["2026-03-29T02:30:00Z", "2026-03-29T04:30:00Z"])]
#[case::every_hour_over_a_repetition("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", &["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"])]
#[case::quarters_over_a_repetition("*/30 * * * *", "America/New_York", "2026-11-01T05:15:00Z", &["2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z", "2026-11-01T07:00:00Z"])]
#[case::every_second_hour_over_a_repetition("15 */2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", &["2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z", "2026-10-25T03:15:00Z"])]
#[case::half_an_hour_is_repeated("*/15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:30:00Z", &["2026-04-04T14:45:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:15:00Z", "2026-04-04T15:30:00Z"])]
#[case::half_an_hour_is_skipped("10,40 * * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", &["2026-10-03T15:10:00Z", "2026-10-03T15:40:00Z", "2026-10-03T16:10:00Z"])]
#[case::from_the_repetition("*/15 * * * *", "Europe/Berlin", "2026-10-25T01:20:00Z", &["2026-10-25T01:30:00Z"])]
fn every_hour_and_steps_follow_the_clock(
    #[case] cron: &str,
    #[case] zone: &str,
    #[case] from: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(after(cron, zone, from, expected.len()), expected);
}

#[rstest]
fn a_fixed_time_comes_every_day_of_the_year(
    #[values(
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "Asia/Kathmandu"
    )]
    zone: &str,
    #[values("0 0", "15 1", "30 2", "45 2", "0 3", "59 23")] time: &str,
) {
    // From noon to noon, so that no day is cut off in any zone.
    let (from, until) = ("2026-01-01T12:00:00Z", "2027-01-01T12:00:00Z");
    assert_eq!(count(&format!("{time} * * *"), zone, from, until), 365);
}

#[rstest]
fn every_hour_of_the_year_comes_once(
    #[values("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")] zone: &str,
) {
    let (from, until) = ("2026-01-01T12:01:00Z", "2027-01-01T12:01:00Z");
    assert_eq!(count("0 * * * *", zone, from, until), 365 * 24);
    assert_eq!(count("*/15 * * * *", zone, from, until), 365 * 24 * 4);
}

#[test]
fn zones_are_names_of_iana_in_any_case() {
    let name = |text| Zone::parse(text).map(Zone::as_str);
    assert_eq!(name("Europe/Berlin"), Ok("Europe/Berlin"));
    assert_eq!(name(" america/NEW_YORK "), Ok("America/New_York"));
    assert_eq!(name("UTC"), Ok("UTC"));
    assert_eq!(name("utc"), Ok("UTC"));
    assert_eq!(name("EST5EDT"), Ok("EST5EDT"));
    assert_eq!(name("Asia/Calcutta"), Ok("Asia/Calcutta"));
    for zone in chrono_tz::TZ_VARIANTS {
        assert_eq!(name(zone.name()), Ok(zone.name()));
    }
    for text in [
        "",
        "+02:00",
        "UTC+2",
        "Z",
        "CEST",
        "Europe",
        "Europe/",
        "Berlin",
        "Europe/Berlin\0",
        "Europe/Zürich",
        "local",
        "../etc/passwd",
    ] {
        assert!(Zone::parse(text).is_err(), "{text:?}");
    }
    assert!(Zone::parse(&"Europe/".repeat(10_000)).is_err());
}

#[test]
fn the_longest_pattern_that_makes_sense_is_taken() {
    let list = |from: u32, to: u32| -> String {
        let all: Vec<_> = (from..=to).map(|it| it.to_string()).collect();
        all.join(",")
    };
    let all = [
        list(0, 59),
        list(0, 23),
        list(1, 31),
        list(1, 12),
        list(0, 7),
    ]
    .join(" ");
    assert!(Cron::parse(&all, 1).is_ok());
    assert!(Cron::parse(&format!("{} 0 * * *", vec!["5"; 5_000].join(",")), 1).is_err());
    assert!(Cron::parse(&"0 ".repeat(5_000), 1).is_err());
    assert!(Cron::parse(&"*".repeat(10_240), 1).is_err());
}

/// Generates numbers that look random but are the same on each run.
fn xorshift(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize
}

#[test]
fn no_text_makes_it_panic_or_hang() {
    let pieces = [
        "0", "5", "59", "60", "31", "7", "*", "*/", "/", "-", ",", " ", " ", " ", "\t", "JAN",
        "sun", "MON-", "L", "W", "#", "?", "@", "+", "é", "\u{0}", "٣", "99999", "1-5", "*/15",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15;
    let begin = Clock::now();
    for _ in 0..3_000 {
        let length = 1 + xorshift(&mut state) % 14;
        let text: String = (0..length)
            .map(|_| pieces[xorshift(&mut state) % pieces.len()])
            .collect();
        if let Ok(cron) = Cron::parse(&text, 1) {
            let next = cron.next_after(Zone(Tz::UTC), instant("2026-01-01T00:00:00Z"));
            assert!(next.is_some(), "{text:?}");
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn occurrences_of_any_pattern_rise_and_none_takes_long() {
    let minutes = ["*", "0", "*/7", "59", "10-20", "0,30"];
    let hours = ["*", "2", "*/5", "0,23", "1-3", "0-23"];
    let days = ["*", "31", "*/2", "1-7", "29"];
    let months = ["*", "2", "*/5", "MAR,OCT"];
    let weekdays = ["*", "SUN", "*/3", "MON-FRI"];
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ];
    let from = [
        "2026-03-28T20:00:00Z",
        "2026-10-24T22:30:00Z",
        "2099-12-31T23:59:59Z",
        "2011-12-29T12:00:00Z",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D;
    let mut slowest = Duration::ZERO;
    for _ in 0..500 {
        let mut any = |of: &[&'static str]| of[xorshift(&mut state) % of.len()];
        let fields = [
            any(&minutes),
            any(&hours),
            any(&days),
            any(&months),
            any(&weekdays),
        ];
        let (zone, mut at) = (Zone::parse(any(&zones)).unwrap(), instant(any(&from)));
        let cron = Cron::stored(&fields.join(" ")).unwrap();
        for _ in 0..20 {
            let begin = Clock::now();
            let Some(next) = cron.next_after(zone, at) else {
                assert!(fields[2] == "31" && fields[3] == "2", "{cron:?}");
                break;
            };
            slowest = slowest.max(begin.elapsed());
            assert!(next > at, "{cron:?} after {at} gives {next}");
            at = next;
        }
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[rstest]
fn the_ends_of_time_are_no_trouble(#[values(Instant::MIN, Instant::MAX)] at: Instant) {
    for zone in ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"] {
        for cron in ["* * * * *", "0 0 29 2 1", "0 2 * * *"] {
            let next = Cron::stored(cron)
                .unwrap()
                .next_after(Zone::parse(zone).unwrap(), at);
            assert_eq!(next.is_some(), at == Instant::MIN);
        }
    }
}
