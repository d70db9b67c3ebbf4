//! Each route, asked without a socket.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, Request, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    config::Secret,
    core::view::{AlertState, Snapshot},
    http::{
        Heartbeat,
        fixture::{self, World},
    },
};

#[path = "commands_tests.rs"]
mod commands;
#[path = "past_tests.rs"]
mod past;
#[path = "registered_tests.rs"]
mod registered;

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn ids(&self) -> Vec<String> {
        let array = self.json();
        let ids = array.as_array().unwrap().iter();
        ids.map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn ask(world: &World, request: Request<Body>) -> Answer {
    let response = router(world.app()).unwrap().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let event_stream = HeaderValue::from_static("text/event-stream");
    let bytes = if parts.headers.get(header::CONTENT_TYPE) == Some(&event_stream) {
        // It never ends.
        Bytes::new()
    } else {
        to_bytes(body, usize::MAX).await.unwrap()
    };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn get(world: &World, path: &str) -> Answer {
    let request = Request::get(path).header(header::HOST, "localhost:4000");
    ask(world, request.body(Body::empty()).unwrap()).await
}

fn check_problem(answer: &Answer, status: u16, title: &str, detail: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let expected =
        json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
    assert_eq!(answer.json(), expected);
}

fn household() -> World {
    World::new(fixture::household())
}

#[tokio::test]
async fn every_response_tells_browsers_neither_to_guess_nor_to_store() {
    let world = household();
    for path in [
        "/healthz",
        "/usage_report",
        "/api/v1/devices",
        "/nowhere",
        "/api/v1/alerts?limit=0",
    ] {
        let answer = get(&world, path).await;
        assert_eq!(
            answer.headers[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert!(
            !answer
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            "{path}"
        );
    }
}

#[tokio::test]
async fn health_follows_the_heartbeat() {
    let world = household();
    let answer = get(&world, "/healthz").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));

    let stale = Heartbeat {
        at: Instant::now(),
        interval: Duration::ZERO,
    };
    world.heartbeat.send_replace(Some(stale));
    assert_eq!(get(&world, "/healthz").await.status, 503);

    world.heartbeat.send_replace(None);
    let answer = get(&world, "/healthz").await;
    check_problem(
        &answer,
        503,
        "Service Unavailable",
        "no sample has been taken yet",
    );
}

#[tokio::test]
async fn the_usage_report_has_the_devices_with_traffic_today() {
    let answer = get(&household(), "/usage_report").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!([
            {
                "date": "2026-03-08", "ip": "192.168.1.5", "device_name": "Laptop",
                "sent": 0.512, "received": 4.5, "usage": 5.012,
                "active_time": 18_060, "threshold": null, "max_active_time": null,
            },
            {
                "date": "2026-03-08", "ip": "fd00::7", "device_name": "fd00::7",
                "sent": 0.000001, "received": 0.000002, "usage": 0.000003,
                "active_time": 60, "threshold": null, "max_active_time": null,
            },
        ])
    );
}

#[tokio::test]
async fn without_traffic_the_usage_report_is_not_found_as_documented() {
    let answer = get(&World::new(Snapshot::default()), "/usage_report").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.text, r#"{"error":"No log data found for today."}"#);
}

#[tokio::test]
async fn the_status_joins_process_loop_and_configuration() {
    let world = household();
    let status = get(&world, "/api/v1/status").await.json();
    let keys: Vec<_> = status
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "can_change",
            "configuration",
            "counts_every_address",
            "day",
            "host",
            "local_networks",
            "mutes",
            "poll",
            "sampled_at",
            "started_at",
            "store",
            "uptime_seconds",
            "version",
            "warnings",
        ]
    );
    assert_eq!(status["poll"]["samples"], 18_060);
    assert_eq!(status["configuration"], json!({ "poll_interval": 1.0 }));

    world
        .configuration
        .send_replace(Arc::new(json!({ "poll_interval": 2.0 })));
    let status = get(&world, "/api/v1/status").await.json();
    assert_eq!(
        status["configuration"],
        json!({ "poll_interval": 2.0 }),
        "after a reload"
    );
}

#[tokio::test]
async fn a_status_can_be_read_back() {
    let answer = get(&household(), "/api/v1/status").await;
    let report: StatusReport = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(serde_json::to_value(report).unwrap(), answer.json());
}

#[tokio::test]
async fn lists_are_arrays_of_views() {
    let snapshot = fixture::household();
    let world = World::new(snapshot.clone());
    let empty = World::new(Snapshot::default());
    for (path, expected) in [
        ("/api/v1/interfaces", json!(snapshot.interfaces)),
        ("/api/v1/addresses", json!(snapshot.addresses)),
        ("/api/v1/devices", json!(snapshot.devices)),
        ("/api/v1/alerts", json!(snapshot.alerts)),
        ("/api/v1/mutes", json!(snapshot.mutes)),
    ] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/json",
            "{path}"
        );
        assert_eq!(answer.json(), expected, "{path}");
        assert_eq!(get(&empty, path).await.text, "[]", "{path}");
    }
}

#[tokio::test]
async fn a_device_is_found_by_its_id_or_an_address() {
    let world = household();
    for (text, expected) in [
        ("02:00:00:00:00:05", "02:00:00:00:00:05"),
        ("02%3A00:00:00:00:05", "02:00:00:00:00:05"),
        ("192.168.1.5", "02:00:00:00:00:05"),
        ("fd00:0::5", "02:00:00:00:00:05"),
        ("FD00::7", "fd00::7"),
        ("192.168.1.9", "192.168.1.9"),
    ] {
        let answer = get(&world, &format!("/api/v1/devices/{text}")).await;
        assert_eq!(answer.status, 200, "{text}");
        assert_eq!(answer.json()["id"], expected, "{text}");
    }
    let answer = get(&world, "/api/v1/devices/192.168.1.77").await;
    check_problem(
        &answer,
        404,
        "Not Found",
        r#"there is no device "192.168.1.77""#,
    );
    assert_eq!(get(&world, "/api/v1/devices/%ff").await.status, 400);
}

#[tokio::test]
async fn an_alert_is_found_by_its_id() {
    let world = household();
    assert_eq!(
        get(&world, "/api/v1/alerts/a2").await.json()["state"],
        "pending"
    );
    let answer = get(&world, "/api/v1/alerts/a9").await;
    check_problem(&answer, 404, "Not Found", r#"there is no alert "a9""#);
}

#[tokio::test]
async fn alerts_are_filtered_newest_first() {
    let world = household();
    for (query, expected) in [
        ("", &["a3", "a2", "a1"][..]),
        ("?state=firing", &["a1"]),
        ("?state=pending", &["a2"]),
        ("?state=resolved", &["a3"]),
        ("?limit=2", &["a3", "a2"]),
        ("?limit=1000", &["a3", "a2", "a1"]),
        ("?device=02:00:00:00:00:05", &["a3", "a2", "a1"]),
        ("?device=192.168.1.5&limit=1", &["a3"]),
        ("?device=fd00::7", &[]),
        ("?device=laptop", &[]),
    ] {
        let answer = get(&world, &format!("/api/v1/alerts{query}")).await;
        assert_eq!(answer.ids(), expected, "{query}");
    }
}

#[tokio::test]
async fn bad_values_in_a_query_are_named() {
    let world = household();
    for (query, named) in [
        (
            "limit=0",
            "limit: must be a whole number from 1 to 1000, not \"0\"",
        ),
        (
            "limit=1001",
            "limit: must be a whole number from 1 to 1000, not \"1001\"",
        ),
        ("limit=-1", "not \"-1\""),
        ("limit=many", "not \"many\""),
        ("limit=", "not \"\""),
        (
            "state=open",
            "unknown variant `open`, expected one of `pending`, `firing`, `resolved`",
        ),
        ("limit=1&limit=2", "duplicate field `limit`"),
    ] {
        let answer = get(&world, &format!("/api/v1/alerts?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{query}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named), "{query}: {detail}");
    }
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_problems() {
    let world = household();
    for path in [
        "/api/v1",
        "/api/v1/devices/",
        "/api/v2/status",
        "/usage_report/",
    ] {
        let answer = get(&world, path).await;
        check_problem(
            &answer,
            404,
            "Not Found",
            &format!("there is nothing at {path}"),
        );
    }
    world
        .token
        .send_replace(Some(Secret::new("s3cret".to_owned())));
    let request = Request::post("/usage_report").header(header::AUTHORIZATION, "Bearer s3cret");
    let answer = ask(&world, request.body(Body::empty()).unwrap()).await;
    check_problem(
        &answer,
        405,
        "Method Not Allowed",
        "/usage_report does not take POST",
    );
    assert_eq!(answer.headers[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_new_token_is_in_force_at_once() {
    let world = household();
    assert_eq!(get(&world, "/api/v1/status").await.status, 200);
    world
        .token
        .send_replace(Some(Secret::new("s3cret".to_owned())));
    for path in ["/api/v1/status", "/usage_report", "/nowhere"] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer", "{path}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{path}"
        );
    }
    assert_eq!(get(&world, "/healthz").await.status, 200);
    let request = Request::get("/api/v1/status").header(header::AUTHORIZATION, "Bearer s3cret");
    assert_eq!(
        ask(&world, request.body(Body::empty()).unwrap())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_web_page_that_pretends_to_be_us_is_told_why_not() {
    let request = Request::get("/usage_report").header(header::HOST, "evil.example:4000");
    let answer = ask(&household(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 403);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("Host header") && detail.contains("localhost"),
        "{detail}"
    );
}

#[path = "lists_tests.rs"]
mod lists;

#[path = "openapi_tests.rs"]
mod openapi;
