//! Pages, tags, tables and parameters, route by route.

use super::*;
use crate::core::{
    event::RuleKind,
    view::{AddressView, Versions},
};

async fn get_with(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).header(header::HOST, "localhost:4000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(world, request.body(Body::empty()).unwrap()).await
}

/// A household of many.
fn street() -> World {
    let address = |last: u8| Arc::new(fixture::address(&format!("192.168.1.{last}")));
    let device = |last: u8| Arc::new(fixture::device(&format!("02:00:00:00:00:{last:02x}"), &[]));
    let alert = |number: u32| {
        let state = match number % 2 {
            0 => AlertState::Firing,
            _ => AlertState::Resolved,
        };
        let alert = fixture::alert(&format!("a{number}"), state, RuleKind::Volume);
        Arc::new(alert)
    };
    World::new(Snapshot {
        addresses: (1..=20).map(address).collect(),
        devices: (1..=20).map(device).collect(),
        alerts: (0..250).map(alert).collect(),
        ..fixture::household()
    })
}

/// Follows the links from page to page, and returns what is on each.
async fn pages(world: &World, first: &str, key: &str) -> Vec<Vec<String>> {
    let mut path = first.to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = get(world, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let json = answer.json();
        let items = json.as_array().unwrap().iter();
        pages.push(
            items
                .map(|item| item[key].as_str().unwrap().to_owned())
                .collect(),
        );
        let Some(link) = answer.headers.get(header::LINK) else {
            return pages;
        };
        let link = link.to_str().unwrap();
        let next = link
            .strip_suffix(">; rel=\"next\"")
            .and_then(|link| link.strip_prefix('<'));
        next.unwrap().clone_into(&mut path);
    }
}

#[tokio::test]
async fn pages_of_a_list_are_the_list() {
    let world = street();
    for (path, key) in [("/api/v1/addresses", "address"), ("/api/v1/devices", "id")] {
        let whole = pages(&world, path, key).await;
        assert_eq!(whole.len(), 1, "{path} is whole when nobody asks for pages");
        for limit in [1, 7, 19, 20, 1000] {
            let pages = pages(&world, &format!("{path}?limit={limit}"), key).await;
            assert_eq!(pages.len(), 20_usize.div_ceil(limit), "{path} {limit}");
            assert_eq!(pages.concat(), whole[0], "{path} {limit}");
        }
    }
    let whole = pages(&world, "/api/v1/alerts?limit=1000", "id").await;
    assert_eq!(whole[0].len(), 250);
    assert_eq!(
        pages(&world, "/api/v1/alerts", "id").await.concat(),
        whole[0]
    );
    let firing = pages(&world, "/api/v1/alerts?state=firing&limit=40", "id").await;
    let lengths: Vec<_> = firing.iter().map(Vec::len).collect();
    assert_eq!(lengths, [40, 40, 40, 5]);
}

#[tokio::test]
async fn a_page_says_how_many_there_are_in_all() {
    let world = street();
    for (path, total) in [
        ("/api/v1/addresses", "20"),
        ("/api/v1/addresses?limit=3&after=192.168.1.18", "20"),
        ("/api/v1/devices?limit=3&format=csv", "20"),
        ("/api/v1/alerts?limit=3", "250"),
        ("/api/v1/alerts?state=firing&after=a100", "125"),
        ("/api/v1/alerts?device=192.168.1.77", "0"),
    ] {
        let answer = get(&world, path).await;
        assert_eq!(answer.headers["x-total-count"], total, "{path}");
    }
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended() {
    let world = street();
    for (query, expected) in [
        ("addresses?limit=2&after=192.168.1.18", "192.168.1.19"),
        ("addresses?limit=2&after=192.168.0.255", "192.168.1.1"),
        (
            "devices?limit=2&after=02:00:00:00:00:0A",
            "02:00:00:00:00:0b",
        ),
        (
            "devices?limit=2&after=02:00:00:00:00:0a:",
            "02:00:00:00:00:0b",
        ),
    ] {
        let answer = get(&world, &format!("/api/v1/{query}")).await;
        let first = &answer.json()[0];
        let shown = first["address"].as_str().or(first["id"].as_str());
        assert_eq!(shown, Some(expected), "{query}");
    }
    let answer = get(&world, "/api/v1/addresses?limit=2&after=192.168.1.18").await;
    assert!(
        !answer.headers.contains_key(header::LINK),
        "that was the last page"
    );
    let answer = get(&world, "/api/v1/alerts?after=a9999").await;
    check_problem(
        &answer,
        404,
        "Not Found",
        "there is no alert \"a9999\" to go on after: ask again without `after`",
    );
}

#[tokio::test]
async fn what_a_route_does_not_know_is_refused() {
    let world = household();
    for (path, detail) in [
        (
            "/api/v1/alerts?sate=firing",
            "but state, device, limit, after",
        ),
        ("/api/v1/devices?_=1", "there is no parameter \"_\" here"),
        (
            "/api/v1/devices/fd00::7?format=csv",
            "nothing may stand behind",
        ),
        ("/api/v1/status?", ""),
        (
            "/api/v1/status?a%0db",
            "there is no parameter \"a\\rb\" here",
        ),
        ("/api/v1/devices?format=xml", "expected `json` or `csv`"),
        (
            "/api/v1/addresses?after=laptop",
            "must be an IPv4 or IPv6 address, not \"laptop\"",
        ),
        ("/usage_report?format=xml", "expected `json` or `csv`"),
        ("/usage_report?_=1234", ""),
        ("/healthz?_=1234", ""),
    ] {
        let answer = get(&world, path).await;
        let expected = if detail.is_empty() { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{path}: {}", answer.text);
        assert!(
            answer
                .text
                .contains(&detail.replace('\\', "\\\\").replace('"', "\\\"")),
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let world = household();
    for (path, changes) in [
        (
            "/usage_report",
            Versions {
                devices: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/interfaces",
            Versions {
                interfaces: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/addresses",
            Versions {
                addresses: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/devices",
            Versions {
                devices: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/devices?format=csv",
            Versions {
                devices: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/alerts",
            Versions {
                alerts: 1,
                ..Default::default()
            },
        ),
        (
            "/api/v1/mutes",
            Versions {
                mutes: 1,
                ..Default::default()
            },
        ),
    ] {
        let first = get(&world, path).await;
        let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
        let had = [("if-none-match", tag.as_str())];
        let again = get_with(&world, path, &had).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.headers[header::ETAG], tag, "{path}");
        assert_eq!(again.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert!(
            !again.headers.contains_key(header::CONTENT_LENGTH),
            "{path}"
        );
        assert_eq!(
            again.headers.get(header::VARY),
            first.headers.get(header::VARY),
            "{path}"
        );

        let before = Arc::clone(&world.snapshot.borrow());
        let mut snapshot = Snapshot::clone(&before);
        snapshot.versions = changes;
        world.snapshot.send_replace(Arc::new(snapshot));
        let changed = get_with(&world, path, &had).await;
        assert_eq!(changed.status, 200, "{path}");
        assert_ne!(changed.headers[header::ETAG], tag, "{path}");
        world.snapshot.send_replace(before);
    }
    let new_day = household();
    let tag = get(&new_day, "/usage_report").await.headers[header::ETAG].clone();
    let had = [("if-none-match", tag.to_str().unwrap())];
    new_day.snapshot.send_modify(|snapshot| {
        let mut next = Snapshot::clone(snapshot);
        next.status.day = "2026-03-09".to_owned();
        *snapshot = Arc::new(next);
    });
    assert_eq!(get_with(&new_day, "/usage_report", &had).await.status, 200);
}

#[tokio::test]
async fn one_thing_is_known_by_what_it_says() {
    let world = household();
    for path in [
        "/api/v1/devices/192.168.1.5",
        "/api/v1/alerts/a1",
        "/api/v1/mutes/m1",
        "/api/openapi.json",
    ] {
        let tag = get(&world, path).await.headers[header::ETAG].clone();
        let had = [("if-none-match", tag.to_str().unwrap())];
        assert_eq!(get_with(&world, path, &had).await.status, 304, "{path}");
    }
    let tag = get(&world, "/api/v1/status").await.headers[header::ETAG].clone();
    let had = [("if-none-match", tag.to_str().unwrap())];
    world
        .configuration
        .send_replace(Arc::new(json!({ "poll_interval": 2.0 })));
    assert_eq!(get_with(&world, "/api/v1/status", &had).await.status, 200);
}

#[tokio::test]
async fn json_and_csv_have_tags_of_their_own() {
    let world = household();
    for path in ["/usage_report", "/api/v1/addresses", "/api/v1/devices"] {
        let json = get(&world, path).await;
        let csv = get_with(&world, path, &[("accept", "text/csv")]).await;
        assert_ne!(
            json.headers[header::ETAG],
            csv.headers[header::ETAG],
            "{path}"
        );
        for answer in [json, csv] {
            assert_eq!(answer.headers[header::VARY], "accept", "{path}");
        }
    }
}

#[tokio::test]
async fn a_head_has_the_headers_and_no_body() {
    let world = household();
    for path in [
        "/api/v1/devices?limit=1",
        "/api/v1/status",
        "/api/openapi.json",
    ] {
        let request = Request::head(path).header(header::HOST, "localhost:4000");
        let answer = ask(&world, request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
        let whole = get(&world, path).await;
        for name in [header::ETAG, header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            assert_eq!(
                answer.headers.get(&name),
                whole.headers.get(&name),
                "{path} {name}"
            );
        }
    }
}

#[tokio::test]
async fn lists_are_tables_for_who_wants_them() {
    let world = household();
    let mut snapshot = fixture::household();
    let mut bad = fixture::device("=evil", &[]);
    "=HYPERLINK(\"http://evil.example\",\"Free\")".clone_into(&mut bad.name);
    snapshot.devices = [Arc::new(bad)].into();
    let evil = World::new(snapshot);
    for accept in [vec![("accept", "text/csv")], vec![]] {
        let query = if accept.is_empty() { "?format=csv" } else { "" };
        let answer = get_with(&world, &format!("/usage_report{query}"), &accept).await;
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "text/csv; charset=utf-8; header=present"
        );
        insta::allow_duplicates!(insta::assert_snapshot!(answer.text.replace('\r', "␍"), @r#"
    date,ip,device_name,sent,received,usage,active_time,threshold,max_active_time␍
    2026-03-08,192.168.1.5,Laptop,0.512,4.5,5.012,18060,,␍
    2026-03-08,fd00::7,fd00::7,0.000001,0.000002,0.000003,60,,␍
    "#));
    }
    let text = get(&world, "/api/v1/addresses?format=csv").await.text;
    insta::assert_snapshot!(text.replace('\r', "␍"), @r#"
    address,mac,device,sent_bytes,sent_packets,received_bytes,received_packets,sent_local_bytes,sent_local_packets,received_local_bytes,received_local_packets,sent_rate,received_rate,first_seen,last_seen␍
    192.168.1.5,02:00:00:00:00:05,02:00:00:00:00:05,512000000,400000,4500000000,3000000,0,0,0,0,1537500,117500000,2026-03-01T08:00:00+01:00,2026-03-08T14:03:11+01:00␍
    "#);
    let text = get(&world, "/api/v1/devices?format=csv&limit=1").await.text;
    insta::assert_snapshot!(text.replace('\r', "␍"), @r#"
    id,name,mac,vendor,addresses,registered,group,sent_rate,received_rate,today_sent,today_received,today_sent_local,today_received_local,today_active_seconds,cycle_from,cycle_until,cycle_sent,cycle_received,cycle_sent_local,cycle_received_local,cycle_quota,thresholds_bandwidth_threshold,thresholds_max_active_time,thresholds_rate_threshold,thresholds_quota,thresholds_silent_after,thresholds_surge,alerts,first_seen,last_seen,name_source,private_mac,muted,cycle_direction,cycle_scope,since_start_sent,since_start_received,since_start_sent_local,since_start_received_local,sent_local_rate,received_local_rate␍
    02:00:00:00:00:05,Laptop,02:00:00:00:00:05,,192.168.1.5 fd00::5,false,,1537500,117500000,512000000,4500000000,0,0,18060,,,,,,,,,,,,,false,a1 a2,2026-03-01T08:00:00+01:00,2026-03-08T14:03:11+01:00,address,false,false,,,0,0,0,0,0,0␍
    "#);
    let text = get(&evil, "/api/v1/devices?format=csv").await.text;
    let row = text.lines().nth(1).unwrap();
    let start = "'=evil,\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"Free\"\")\",";
    assert!(row.starts_with(start), "{row}");
}

#[tokio::test]
async fn a_table_that_nobody_can_hold_is_sent_whole() {
    let addresses = (0..65_536_u32).map(|number| {
        Arc::new(AddressView {
            address: std::net::Ipv4Addr::from(number).into(),
            ..fixture::address("192.168.1.5")
        })
    });
    let world = World::new(Snapshot {
        addresses: addresses.collect(),
        ..Default::default()
    });
    assert_eq!(
        get(&world, "/api/v1/addresses")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        65_536
    );
    let text = get(&world, "/api/v1/addresses?format=csv").await.text;
    assert_eq!(text.lines().count(), 65_537);
}
