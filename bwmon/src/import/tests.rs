use jiff::civil::date;
use proptest::prelude::*;

use super::{
    subjects::{Book, Faces},
    *,
};
use crate::store::KnownDevice;

fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/Berlin").unwrap()
}

/// Each entry as a line: who, when, sent, received, active.
fn shown(parsed: &Parsed) -> Vec<String> {
    let when = |when| match when {
        When::Bucket(tier, start) => {
            let start = crate::store::time_of(start).to_zoned(zone());
            format!("{tier:?} {}", start.strftime("%m-%d %H:%M"))
        }
        When::Days(Period { from, to }) => format!("{from}..{to}"),
    };
    let who = |who: &Named| match who {
        Named::Interface(name) => name.clone(),
        Named::Device { mac, address, name } => [
            mac.map(|mac| mac.to_string()),
            address.map(|address| address.to_string()),
            name.clone(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "),
    };
    let line = |entry: &Entry| {
        let active = entry
            .active
            .map_or(String::new(), |it| format!(" {} s", it.as_secs()));
        let (sent, received) = (entry.sent.bytes, entry.received.bytes);
        format!(
            "{}: {} {sent} {received}{active}",
            who(&entry.who),
            when(entry.when)
        )
    };
    parsed.entries.iter().map(line).collect()
}

fn log(text: &str, expected: &[&str]) {
    assert_eq!(shown(&usage_log::parse(text, &zone()).unwrap()), expected);
}

fn mistake<T>(result: Result<T, ImportError>, expected: &str) {
    match result {
        Ok(_) => panic!("no mistake: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn a_usage_log_is_read() {
    log(
        "# Device Usage Log for 2026-03-08\n\
         {\"date\": \"2026-03-08\", \"ip\": \"192.123.4.5\", \"device_name\": \"Laptop\", \"sent\": 0.012, \
         \"received\": 0.5, \"usage\": 0.512, \"active_time\": 3720}\n",
        &["192.123.4.5 Laptop: Day 03-08 00:00 12000000 500000000 3720 s"],
    );
}

#[test]
fn what_such_scripts_wrote_is_read_too() {
    log(
        "\u{feff}\n  // made by hand\n# Device usage log for 2026/03/08\n\
         [\n\
         {\"ip\": \"10.0.0.5\", \"device_name\": \"Unknown\", \"sent\": \"1.5\", \"received\": 2e0},\n\
         {\"ip\": \"10.0.0.5\", \"sent\": 1, \"received\": 3, \"active_time\": \"61.7\"},\r\n\
         ]\n\n\
         # Device Usage Log for 2026-03-09\n# nothing more\n\
         {\"ip\": \"10.0.0.5\", \"usage\": 1, \"more\": [1, {}]}\n\
         {\"date\": \"2026-03-10 23:59:01\", \"device_name\": \"TV\", \"sent\": 1, \"usage\": 3}\n",
        &[
            "10.0.0.5: Day 03-08 00:00 1500000000 3000000000 61 s",
            "10.0.0.5: Day 03-09 00:00 0 1000000000",
            "TV: Day 03-10 00:00 1000000000 2000000000",
        ],
    );
}

#[test]
fn a_mistake_in_a_log_has_its_place() {
    let parse = |text: &str| usage_log::parse(text, &zone());
    mistake(
        parse("{\"ip\": \"10.0.0.5\", \"sent\": 1, \"received\": 1}"),
        "line 1, column 1: no date; it is to be in the line, or in a line \"# Device Usage Log for \
         DATE\" above",
    );
    mistake(
        parse("# Device Usage Log for today"),
        "line 1, column 1: after \"Device Usage Log for\" a day is to follow, as 2026-03-08",
    );
    const DAY: &str = "# Device Usage Log for 2026-03-08\n";
    let on_day = |line: &str| parse(&format!("{DAY}{line}"));
    mistake(
        on_day("  {\"ip\": \"10.0.0.5\", \"sent\": \"much\", \"received\": 1}"),
        "line 2, column 35: this is no number; write one from 0 up",
    );
    mistake(
        on_day("{\"ip\": \"10.0.0.5\""),
        "line 2, column 17: EOF while parsing an object",
    );
    mistake(
        on_day("{\"ip\": \"10.0.0.5\", \"sent\": -1, \"received\": 1}"),
        "line 2, column 29: this is no number; write one from 0 up",
    );
    mistake(
        on_day("{\"sent\": 1, \"received\": 1}"),
        "line 2, column 1: neither an ip nor a device_name is in the line",
    );
}

const VNSTAT_1: &str = r#"{"vnstatversion":"1.18","jsonversion":"1","interfaces":[{"id":"eth0","nick":"eth0",
"created":{"date":{"year":2026,"month":1,"day":10}},
"updated":{"date":{"year":2026,"month":3,"day":9},"time":{"hour":1,"minutes":35}},
"traffic":{"total":{"rx":99,"tx":9},
"days":[{"id":0,"date":{"year":2026,"month":3,"day":9},"rx":3,"tx":1},{"id":1,"date":{"year":2026,"month":3,"day":8},"rx":20,"tx":0}],
"months":[{"id":0,"date":{"year":2026,"month":3},"rx":33,"tx":1},{"id":1,"date":{"year":2026,"month":1},"rx":22,"tx":44}],
"tops":[{"id":0,"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minutes":0},"rx":1,"tx":1}],
"hours":[{"id":0,"date":{"year":2026,"month":3,"day":9},"rx":1,"tx":1},{"id":1,"date":{"year":2026,"month":3,"day":9},"rx":2,"tx":0},
{"id":23,"date":{"year":2026,"month":3,"day":8},"rx":5,"tx":0}]}}]}"#;

#[test]
fn version_1_of_vnstat_counts_in_kib() {
    let parsed = vnstat::parse(VNSTAT_1, &zone()).unwrap();
    let expected = [
        "eth0: Day 03-08 00:00 20480 0",
        "eth0: Hour 03-09 00:00 1024 1024",
        "eth0: Hour 03-09 01:00 2048 0",
        "eth0: 2026-03-01..2026-03-07 10240 0",
        "eth0: 2026-01-10..2026-01-31 22528 45056",
    ];
    assert_eq!(shown(&parsed), expected);
    assert_eq!(parsed.notes.len(), 1);
}

const VNSTAT_2: &str = r#"{"vnstatversion":"2.10","jsonversion":"2","interfaces":[{"name":"br-lan","alias":"",
"created":{"date":{"year":2026,"month":3,"day":7},"timestamp":1},"updated":{"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minute":20},"timestamp":2},
"traffic":{"total":{"rx":60,"tx":6},
"fiveminute":[{"id":1,"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minute":5},"rx":10,"tx":1},
{"id":2,"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minute":10},"rx":10,"tx":1},
{"id":3,"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minute":15},"rx":10,"tx":1}],
"hour":[{"id":1,"date":{"year":2026,"month":3,"day":8},"time":{"hour":0,"minute":0},"rx":30,"tx":3}],
"day":[{"id":1,"date":{"year":2026,"month":3,"day":7},"rx":30,"tx":3},{"id":2,"date":{"year":2026,"month":3,"day":8},"rx":30,"tx":3}],
"month":[{"id":1,"date":{"year":2026,"month":3},"rx":60,"tx":6}],
"year":[{"id":1,"date":{"year":2026},"rx":60,"tx":6}],"top":[]}}]}"#;

#[test]
fn version_2_of_vnstat_is_taken_as_finely_as_it_adds_up() {
    let parsed = vnstat::parse(VNSTAT_2, &zone()).unwrap();
    let expected = [
        "br-lan: Day 03-07 00:00 30 3",
        "br-lan: Quarter 03-08 00:00 20 2",
        "br-lan: Quarter 03-08 00:15 10 1",
    ];
    assert_eq!(shown(&parsed), expected);
    assert_eq!(parsed.notes, [""; 0]);
}

#[test]
fn a_mistake_in_an_export_of_vnstat_has_its_place() {
    let parse = |from: &str, to: &str| vnstat::parse(&VNSTAT_2.replacen(from, to, 1), &zone());
    mistake(
        parse("\"jsonversion\":\"2\"", "\"jsonversion\":\"7\""),
        "line 1, column 1: version 7 of vnStat's JSON is not known, only 1 and 2 are",
    );
    mistake(
        parse("\"rx\":10,\"tx\":1", "\"rx\":-10,\"tx\":1"),
        "line 4, column 98: invalid value: integer `-10`, expected u64",
    );
    mistake(
        parse(
            "\"month\":3,\"day\":8},\"time\":{\"hour\":0,\"minute\":5",
            "\"month\":13,\"day\":8},\"time\":{\"hour\":0,\"minute\":5",
        ),
        "line 1, column 1: br-lan: there is no time 2026-13-8 or within it",
    );
    mistake(
        parse("br-lan", "../br"),
        "line 1, column 1: \"../br\" is no name of an interface",
    );
}

fn march() -> Period {
    Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap()
}

const NLBW_CSV: &str = "\"family\"\t\"proto\"\t\"port\"\t\"mac\"\t\"ip\"\t\"conns\"\t\"rx_bytes\"\t\"rx_pkts\"\t\"tx_bytes\"\t\"tx_pkts\"\t\"layer7\"\n\
    4\t\"TCP\"\t443\t\"02:1b:c3:00:4f:9e\"\t\"192.168.1.5\"\t11\t500\t5\t100\t1\t\"HTTPS\"\n\
    6\t\"UDP\"\t53\t\"02:1b:c3:00:4f:9e\"\t\"fd00::5\"\t1\t20\t2\t10\t1\t\n\
    4\t\"TCP\"\t80\t\"00:00:00:00:00:00\"\t\"10.9.0.2\"\t1\t7\t1\t8\t1\t\"HTTP\"\n";

#[test]
fn rows_of_nlbwmon_add_up_by_device() {
    let expected = [
        "10.9.0.2: 2026-03-01..2026-03-31 8 7",
        "02:1b:c3:00:4f:9e: 2026-03-01..2026-03-31 110 520",
    ];
    assert_eq!(shown(&nlbwmon::parse(NLBW_CSV, march()).unwrap()), expected);
    let commas = NLBW_CSV.replace('\t', ",");
    assert_eq!(shown(&nlbwmon::parse(&commas, march()).unwrap()), expected);
    let json = r#"{"columns":["family","proto","port","mac","ip","conns","rx_bytes","rx_pkts","tx_bytes","tx_pkts","layer7"],
        "data":[[4,"TCP",443,"02:1b:c3:00:4f:9e","192.168.1.5",11,500,5,100,1,"HTTPS"],
        [6,"UDP",53,"02:1b:c3:00:4f:9e","fd00::5",1,20,2,10,1,null],
        [4,"TCP",80,"00:00:00:00:00:00","10.9.0.2",1,7,1,8,1,"HTTP"]]}"#;
    let parsed = nlbwmon::parse(json, march()).unwrap();
    assert_eq!(shown(&parsed), expected);
    assert_eq!(parsed.entries[1].received.packets, 7);
}

#[test]
fn a_mistake_in_an_export_of_nlbwmon_has_its_place() {
    let parse = |from: &str, to: &str| nlbwmon::parse(&NLBW_CSV.replacen(from, to, 1), march());
    mistake(
        parse("rx_bytes", "down"),
        "line 1, column 1: there is no column rx_bytes; is this an export of nlbw?",
    );
    mistake(
        parse("\t20\t", "\t2 kB\t"),
        "line 3, column 1: rx_bytes is no whole number",
    );
    mistake(
        parse("02:1b:c3:00:4f:9e\"\t\"fd00", "02:1b\"\t\"fd00"),
        "line 3, column 1: mac is no MAC address",
    );
}

#[test]
fn who_wrote_a_file_is_seen_by_its_start() {
    let check = |text: &str, expected| assert_eq!(detect(text), expected, "{text}");
    check(
        "\n# Device Usage Log for 2026-03-08\n",
        Some(Format::UsageLog),
    );
    check("{\"ip\": \"10.0.0.5\"}", Some(Format::UsageLog));
    check(VNSTAT_1, Some(Format::Vnstat));
    check(VNSTAT_2, Some(Format::Vnstat));
    check(NLBW_CSV, Some(Format::Nlbwmon));
    check("{\"columns\":[\"mac\"]", Some(Format::Nlbwmon));
    check("hello", None);
    check("", None);
}

#[test]
fn the_name_of_a_file_may_tell_its_period() {
    let check = |name: &str, expected: Option<(Date, Date)>| {
        let period = Period::in_name(name).map(|period| (period.from, period.to));
        assert_eq!(period, expected, "{name}");
    };
    let (from, to) = (date(2026, 3, 1), date(2026, 3, 31));
    check("nlbw-2026-03-01.json", Some((from, to)));
    check("20260301.csv", Some((from, to)));
    check("10_20260301-20260310.csv", Some((from, date(2026, 3, 10))));
    check("a2026-03-01_2026-03-02", Some((from, date(2026, 3, 2))));
    check("2026-03-02-2026-03-01", None);
    check("nlbw.json", None);
    check("20261301", None);
}

fn known(id: &str, addresses: &[&str]) -> KnownDevice {
    KnownDevice {
        id: id.to_owned(),
        mac: id.parse().ok(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        first_seen: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_device_is_found_by_mac_name_and_address_in_this_order() {
    const LAPTOP: &str = "02:1b:c3:00:4f:9e";
    let devices = [
        known(LAPTOP, &["10.0.0.5"]),
        known("10.0.0.6", &["10.0.0.6"]),
    ];
    let registered = [crate::core::policy::Registration {
        selector: crate::core::policy::Selector::Address("10.0.0.5".parse().unwrap()),
        name: Some("Laptop".to_owned()),
        group: None,
        limits: Default::default(),
        muted: false,
    }];
    let given = [
        ("old tv".to_owned(), "10.0.0.6".to_owned()),
        ("eth0".to_owned(), "br-lan".to_owned()),
    ];
    let book = Book {
        devices: &devices,
        registered: &registered,
        given: &given,
        faces: Faces::Lan,
    };
    let check = |mac: &str, address: &str, name: &str, expected: &str| {
        let who = Named::Device {
            mac: mac.parse().ok(),
            address: address.parse().ok(),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        };
        assert_eq!(book.id(&who), expected);
    };
    check("", "10.0.0.5", "", LAPTOP);
    check("", "10.0.0.77", "laptop", LAPTOP);
    check(
        "02:00:00:00:00:01",
        "10.0.0.5",
        "Laptop",
        "02:00:00:00:00:01",
    );
    check("02:00:00:00:00:01", "10.0.0.6", "", "10.0.0.6");
    check("", "10.0.0.78", "phone", "10.0.0.78");
    check("", "", "old tv", "10.0.0.6");
    check("", "", "interface:br-lan", "name:interface:br-lan");
    assert_eq!(
        book.id(&Named::Interface("eth0".to_owned())),
        "interface:br-lan"
    );
    assert_eq!(
        book.id(&Named::Interface("eth1".to_owned())),
        "interface:eth1"
    );
}

#[test]
fn what_came_in_from_the_internet_was_received() {
    let parsed = vnstat::parse(VNSTAT_2, &zone()).unwrap();
    let first = |faces| {
        let book = Book {
            devices: &[],
            registered: &[],
            given: &[],
            faces,
        };
        let buckets = book.buckets(&parsed.entries, &zone());
        (buckets[0].sent.bytes, buckets[0].received.bytes)
    };
    assert_eq!(first(Faces::Lan), (30, 3));
    assert_eq!(first(Faces::Wan), (3, 30));
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in ".{0,400}") {
        usage_log::parse(&text, &zone()).ok();
        vnstat::parse(&text, &zone()).ok();
        nlbwmon::parse(&text, march()).ok();
        detect(&text);
        Period::in_name(&text);
    }

    #[test]
    fn no_change_of_a_file_is_too_much(
        which in 0_usize..4, at in any::<prop::sample::Index>(), cut in 0_usize..40, put in ".{0,12}",
    ) {
        const LOG: &str = "# Device Usage Log for 2026-03-08\n{\"ip\": \"10.0.0.5\", \"sent\": 1, \"received\": 2}\n";
        let text = [VNSTAT_1, VNSTAT_2, NLBW_CSV, LOG][which];
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        let text = format!("{}{put}{}", &text[..at], &text[end..]);
        for parsed in [
            usage_log::parse(&text, &zone()),
            vnstat::parse(&text, &zone()),
            nlbwmon::parse(&text, march()),
        ].into_iter().flatten() {
            let book = Book { devices: &[], registered: &[], given: &[], faces: Faces::Wan };
            let buckets = book.buckets(&parsed.entries, &zone());
            let sum = |sides: &mut dyn Iterator<Item = u128>| sides.sum::<u128>();
            let before = sum(&mut parsed.entries.iter().map(|it| u128::from(it.sent.bytes) + u128::from(it.received.bytes)));
            let after = sum(&mut buckets.iter().map(|it| u128::from(it.sent.bytes) + u128::from(it.received.bytes)));
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn shares_are_even_and_add_up(bytes: u64, packets: u64, shares in 1_usize..400) {
        let shares: Vec<Counter> = spread(Counter { bytes, packets }, shares).collect();
        prop_assert_eq!(shares.iter().map(|share| u128::from(share.bytes)).sum::<u128>(), u128::from(bytes));
        let (least, most) = (shares.iter().map(|it| it.packets).min(), shares.iter().map(|it| it.packets).max());
        prop_assert!(most.unwrap() - least.unwrap() <= 1);
    }
}
