//! The routes that change something, with a loop that answers as told.

use axum::http::request::Builder;

use super::*;
use crate::{
    core::{
        alerts::MuteError,
        event::RuleKind,
        ledger::{Command, CommandError, Done, MuteEnd, NewMute},
    },
    http::{Refused, Reply, Request as Asked},
};

/// A household whose loop waits to be asked, and that wants a token.
struct Loop {
    world: World,
    asked: tokio::sync::mpsc::Receiver<Asked>,
}

impl Loop {
    fn new() -> Self {
        let mut world = household();
        let token = Secret::new("s3cret".to_owned());
        world.token.send_replace(Some(token));
        let (requests, asked) = tokio::sync::mpsc::channel(1);
        world.requests = requests;
        Self { world, asked }
    }

    /// Asks, has the loop answer, and returns both what the client and what the loop heard.
    async fn exchange(&mut self, request: Request<Body>, reply: Reply) -> (Answer, Command) {
        let Self { world, asked } = self;
        let engine = async {
            let asked = asked.recv().await.unwrap();
            asked.reply.send(reply).unwrap();
            asked.command
        };
        tokio::join!(ask(world, request), engine)
    }

    /// Asks what is refused before the loop hears of it.
    async fn refused(&mut self, request: Request<Body>) -> Answer {
        let answer = ask(&self.world, request).await;
        assert!(self.asked.try_recv().is_err(), "{}", answer.text);
        answer
    }
}

fn builder(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:4000")
        .header(header::AUTHORIZATION, "Bearer s3cret")
}

fn bare(method: &str, path: &str) -> Request<Body> {
    builder(method, path).body(Body::empty()).unwrap()
}

fn json_request(path: &str, body: &str) -> Request<Body> {
    builder("POST", path)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn acknowledged() -> Reply {
    let mut alert = fixture::alert("a1", AlertState::Firing, RuleKind::Volume);
    alert.acknowledged_by = Some("Ann".to_owned());
    Ok(Done::Alert(Arc::new(alert)))
}

const ACK: &str = "/api/v1/alerts/a1/ack";
const MUTES: &str = "/api/v1/mutes";

#[tokio::test]
async fn an_alert_is_acknowledged_with_or_without_a_name_and_not_after_all() {
    let mut bwmon = Loop::new();
    let acknowledge = |by: Option<&str>| Command::Acknowledge {
        id: "a1".to_owned(),
        by: by.map(str::to_owned),
    };
    let undo = Command::Unacknowledge {
        id: "a1".to_owned(),
    };
    for (request, expected) in [
        (bare("POST", ACK), acknowledge(None)),
        (json_request(ACK, ""), acknowledge(None)),
        (json_request(ACK, "null"), acknowledge(None)),
        (json_request(ACK, "{}"), acknowledge(None)),
        (json_request(ACK, r#"{"by": null}"#), acknowledge(None)),
        (
            json_request(ACK, r#"{"by": "Ann"}"#),
            acknowledge(Some("Ann")),
        ),
        (bare("DELETE", ACK), undo),
    ] {
        let (answer, command) = bwmon.exchange(request, acknowledged()).await;
        assert_eq!(command, expected);
        assert_eq!(answer.status, 200, "{command:?}: {}", answer.text);
        assert_eq!(answer.json()["acknowledged_by"], "Ann", "{command:?}");
    }
}

#[tokio::test]
async fn a_mute_is_made_as_asked_for_and_can_be_found_where_it_is_said_to_be() {
    let mut bwmon = Loop::new();
    let everything = NewMute {
        subject: None,
        rule: None,
        end: MuteEnd::Never,
        reason: None,
    };
    for (body, expected) in [
        ("{}", everything.clone()),
        (
            r#"{"device": null, "rule": null, "seconds": null, "until": null}"#,
            everything.clone(),
        ),
        (
            r#"{"device": "192.168.1.5", "rule": "surge", "seconds": 7200, "reason": "film"}"#,
            NewMute {
                subject: Some("192.168.1.5".to_owned()),
                rule: Some(RuleKind::Surge),
                end: MuteEnd::After(7200),
                reason: Some("film".to_owned()),
            },
        ),
        (
            r#"{"until": "2026-03-08T16:00:00+01:00"}"#,
            NewMute {
                end: MuteEnd::At("2026-03-08T15:00:00Z".parse().unwrap()),
                ..everything
            },
        ),
    ] {
        let mute = Arc::new(fixture::mute("m1"));
        let request = json_request(MUTES, body);
        let (answer, command) = bwmon.exchange(request, Ok(Done::Muted(mute))).await;
        assert_eq!(command, Command::Mute(expected), "{body}");
        assert_eq!(answer.status, 201, "{body}: {}", answer.text);
        assert_eq!(answer.json(), json!(fixture::mute("m1")), "{body}");
        let location = answer.headers[header::LOCATION].to_str().unwrap();
        let found = ask(&bwmon.world, bare("GET", location)).await;
        assert_eq!(found.json(), answer.json(), "{body}");
    }
    let answer = ask(&bwmon.world, bare("GET", "/api/v1/mutes/m9")).await;
    check_problem(&answer, 404, "Not Found", r#"there is no mute "m9""#);
}

#[tokio::test]
async fn a_mute_is_taken_back() {
    let mut bwmon = Loop::new();
    let request = bare("DELETE", "/api/v1/mutes/m1");
    let (answer, command) = bwmon.exchange(request, Ok(Done::Unmuted)).await;
    let id = "m1".to_owned();
    assert_eq!(command, Command::Unmute { id });
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
}

#[tokio::test]
async fn what_the_loop_refuses_has_a_status_of_its_own() {
    let mut bwmon = Loop::new();
    let text = String::new;
    for (refused, status) in [
        (Refused::Command(CommandError::NoAlert(text())), 404),
        (Refused::Command(CommandError::NoSubject(text())), 404),
        (Refused::Command(MuteError::Unknown(text()).into()), 404),
        (Refused::Command(CommandError::Over(text())), 409),
        (Refused::Command(CommandError::Pending(text())), 409),
        (Refused::Command(MuteError::Full.into()), 409),
        (Refused::Command(CommandError::TooLong(0)), 422),
        (
            Refused::Command(MuteError::Past(jiff::Timestamp::UNIX_EPOCH).into()),
            422,
        ),
        (Refused::NotWritten("the disk is full".to_owned()), 500),
        (Refused::Busy, 503),
    ] {
        let detail = refused.to_string();
        let (answer, _) = bwmon.exchange(bare("POST", ACK), Err(refused)).await;
        assert_eq!(answer.status, status, "{detail}");
        assert_eq!(answer.json()["detail"], detail);
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_used_is_refused_with_what_is_allowed() {
    let mut bwmon = Loop::new();
    let long = format!(r#"{{"by": "{}"}}"#, "é".repeat(201));
    let large = format!(r#"{{"by": "{}"}}"#, "x".repeat(MAX_BODY));
    for (request, status, named) in [
        (json_request(ACK, "{"), 400, "write a JSON object"),
        (json_request(ACK, r#"{"by": 1}"#), 422, "expected a string"),
        (
            json_request(ACK, r#"{"name": "Ann"}"#),
            422,
            "expected `by`",
        ),
        (json_request(ACK, "[1]"), 422, "expected a JSON object"),
        (json_request(ACK, "[null]"), 422, "expected a JSON object"),
        (
            json_request(MUTES, " [null, null]"),
            422,
            "expected a JSON object",
        ),
        (json_request(MUTES, "0"), 422, "expected a JSON object"),
        (json_request(MUTES, "[0"), 400, "write a JSON object"),
        (json_request(MUTES, "null"), 400, "a JSON body is needed"),
        (
            json_request(ACK, &long),
            422,
            "201 characters, of which 200",
        ),
        (json_request(ACK, &large), 413, "at most 65536 bytes"),
        (bare("POST", MUTES), 400, "a JSON body is needed"),
        (
            json_request(MUTES, r#"{"rule": "speed"}"#),
            422,
            "expected one of `volume`, `rate`, `surge`",
        ),
        (
            json_request(MUTES, r#"{"seconds": -1}"#),
            422,
            "a whole number that is not negative, not -1",
        ),
        (
            json_request(MUTES, r#"{"until": "soon"}"#),
            422,
            "such as 2026-03-08T16:00:00+01:00, not \"soon\"",
        ),
        (
            json_request(MUTES, r#"{"seconds": 1, "until": "2026-03-08T16:00:00Z"}"#),
            422,
            "not both",
        ),
        (
            json_request(MUTES, r#"{"for": 1}"#),
            422,
            "expected one of `device`",
        ),
    ] {
        let answer = bwmon.refused(request).await;
        assert_eq!(answer.status, status, "{named}: {}", answer.text);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named), "{named}: {detail}");
    }
}

#[tokio::test]
async fn only_json_is_taken_which_no_form_of_another_site_can_be() {
    let mut bwmon = Loop::new();
    for kind in [
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some(""),
        None,
    ] {
        let mut request = builder("POST", ACK);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = bwmon.refused(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.status, 415, "{kind:?}");
    }
}

#[tokio::test]
async fn a_loop_that_is_busy_or_has_ended_is_said_so() {
    let mut bwmon = Loop::new();
    let (first, second) = tokio::join!(
        tokio::time::timeout(
            Duration::from_millis(200),
            ask(&bwmon.world, bare("POST", ACK))
        ),
        ask(&bwmon.world, bare("DELETE", ACK)),
    );
    assert!(first.is_err(), "there was one place, and nobody answers");
    check_problem(
        &second,
        503,
        "Service Unavailable",
        "bwmon is busy; nothing was changed, ask again",
    );
    bwmon.asked.close();
    assert!(bwmon.asked.recv().await.is_some());
    let answer = ask(&bwmon.world, bare("POST", ACK)).await;
    check_problem(
        &answer,
        503,
        "Service Unavailable",
        "bwmon is ending; nothing was changed",
    );
}

#[tokio::test]
async fn without_a_token_nothing_is_changed_over_tcp() {
    let mut bwmon = Loop::new();
    bwmon.world.token.send_replace(None);
    for (method, path) in [
        ("POST", ACK),
        ("DELETE", ACK),
        ("POST", MUTES),
        ("DELETE", "/api/v1/mutes/m1"),
    ] {
        let answer = bwmon.refused(bare(method, path)).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("http.token_file"), "{detail}");
    }
    assert_eq!(ask(&bwmon.world, bare("GET", MUTES)).await.status, 200);
}
