//! What can be changed: who takes care of an alert, and what nobody wants to hear of.
//!
//! A handler hands a request to the loop and waits for its answer, for a bounded time. Who may ask
//! is the guard's affair.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Path, Request as HttpRequest, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::error::Category;
use tokio::{
    sync::{mpsc::error::TrySendError, oneshot},
    time::timeout,
};
use utoipa::{IntoResponses, ToSchema};

use super::{
    App,
    guard::MAX_BODY,
    problem::Problem,
    shapes::{NewMute as NewMuteShape, whole},
};
use crate::core::{
    alerts::{MuteError, TEXT_CHARS},
    event::RuleKind,
    ledger::{Command, CommandError, Done, MuteEnd, NewMute},
    view::{AlertView, MuteView},
};

/// How long the loop and its disk may take. The client of the command line waits a little longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// How long a client may take to send a body.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Something for the loop to do.
#[derive(Debug)]
pub struct Request {
    /// What.
    pub command: Command,
    /// Where to say what came of it. Nobody may listen any more.
    pub reply: oneshot::Sender<Reply>,
}

/// What came of a request. What was done is durable.
pub type Reply = Result<Done, Refused>;

/// Why a request was not done, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It can't be.
    #[error(transparent)]
    Command(CommandError),
    /// It is in force, but a crash would undo it.
    #[error(
        "this is in force, but could not be written yet, and is lost if bwmon ends before it is: {0}"
    )]
    NotWritten(String),
    /// Too many wait already.
    #[error("too many requests wait for the disk; nothing was changed, ask again later")]
    Busy,
}

/// Who takes care. All of it may be left out, the body too.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "by": "Ann" }))]
struct AckBody {
    /// Any text, of which what can be shown is kept.
    #[schema(max_length = 200)]
    by: Option<String>,
}

/// What to mute. What is `null` or not there is not restricted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "device": "192.168.1.5", "rule": "surge", "seconds": 7200 }))]
pub(super) struct MuteBody {
    /// The id or an address of a device, or `group:NAME` or `interface:NAME` for what is told of it
    /// as a whole; `null`: all of them.
    device: Option<String>,
    /// Which rule; `null`: all of them.
    rule: Option<RuleKind>,
    /// For how long, up to ten years. Not together with `until`.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 315_360_000)]
    seconds: Option<u64>,
    /// Until when: RFC 3339, later than now. With neither, until it is deleted.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Why: any text, of which what can be shown is kept.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// What may become of anything that is to be changed.
#[derive(IntoResponses)]
pub(super) enum Changing {
    /// It ended badly: it is in force but could not be written yet, or the log has the reason;
    /// `detail` says which.
    #[response(status = 500)]
    #[expect(dead_code, reason = "it is only described")]
    NotWritten,
    /// bwmon is busy or ends, or the disk is slow; `detail` says whether anything was changed.
    #[response(status = 503)]
    #[expect(dead_code, reason = "it is only described")]
    Unavailable,
}

/// Somebody takes care of an alert that fires: there are no more reminders of it.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/ack", tag = "alerts", params(("id" = String, Path, description = "Its id.")),
    request_body = Option<AckBody>,
    responses(
        (status = 200, body = AlertView, description = "It is written; the alert as it is now."),
        (status = 404, description = "There is no such alert."),
        (status = 409, description = "It does not fire."),
        (status = 422, description = "The body says nothing that can be done; `detail` says what can."),
        Changing,
    ),
)]
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: HttpRequest,
) -> Result<Done, Problem> {
    let Path(id) = id?;
    let AckBody { by } = body(request).await?.unwrap_or_default();
    check_length("by", by.as_deref())?;
    ask(&app, Command::Acknowledge { id, by }).await
}

/// Nobody takes care of it after all.
#[utoipa::path(
    delete, path = "/api/v1/alerts/{id}/ack", tag = "alerts",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = AlertView, description = "It is written; the alert as it is now."),
        (status = 404, description = "There is no such alert."),
        (status = 409, description = "It does not fire."),
        Changing,
    ),
)]
pub(super) async fn unacknowledge(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Done, Problem> {
    let Path(id) = id?;
    ask(&app, Command::Unacknowledge { id }).await
}

/// Nobody is told of something for a while, or until further notice.
#[utoipa::path(
    post, path = "/api/v1/mutes", tag = "alerts", request_body = NewMuteShape,
    responses(
        (status = 201, body = MuteView, description = "It is written; the mute.",
            headers(("Location" = String, description = "Where it is."))),
        (status = 404, description = "There is no such device, group or interface."),
        (status = 409, description = "There are 1,000 mutes already."),
        (status = 422, description = "The body says nothing that can be done; `detail` says what can."),
        Changing,
    ),
)]
pub(super) async fn mute(
    State(app): State<Arc<App>>,
    request: HttpRequest,
) -> Result<Done, Problem> {
    let Some(body) = body::<MuteBody>(request).await? else {
        return Err(Problem::bad_request(
            "a JSON body is needed that says what to mute, such as {\"device\": \"192.168.1.5\", \
             \"seconds\": 7200}",
        ));
    };
    ask(&app, Command::Mute(body.check()?)).await
}

/// A mute ends.
#[utoipa::path(
    delete, path = "/api/v1/mutes/{id}", tag = "alerts", params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is over, and that is written."),
        (status = 404, description = "There is no such mute, or it was over."),
        Changing,
    ),
)]
pub(super) async fn unmute(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Done, Problem> {
    let Path(id) = id?;
    ask(&app, Command::Unmute { id }).await
}

impl MuteBody {
    fn check(self) -> Result<NewMute, Problem> {
        check_length("reason", self.reason.as_deref())?;
        let end = match (self.seconds, self.until) {
            (None, None) => MuteEnd::Never,
            (Some(seconds), None) => MuteEnd::After(seconds),
            (None, Some(until)) => match until.parse() {
                Ok(until) => MuteEnd::At(until),
                Err(_) => {
                    return Err(invalid(format!(
                        "until must be a time such as 2026-03-08T16:00:00+01:00, not {until:?}"
                    )));
                }
            },
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "either seconds or until says when it ends, not both",
                ));
            }
        };
        Ok(NewMute {
            subject: self.device,
            rule: self.rule,
            end,
            reason: self.reason,
        })
    }
}

/// Hands a command to the loop, and waits for what comes of it.
async fn ask(app: &App, command: Command) -> Result<Done, Problem> {
    let (reply, answer) = oneshot::channel();
    app.requests
        .try_send(Request { command, reply })
        .map_err(|error| match error {
            TrySendError::Full(_) => unavailable("bwmon is busy; nothing was changed, ask again"),
            TrySendError::Closed(_) => unavailable("bwmon is ending; nothing was changed"),
        })?;
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(reply)) => reply.map_err(Problem::from),
        Ok(Err(_)) => Err(unavailable("bwmon is ending; nothing was changed")),
        Err(_) => Err(unavailable(format!(
            "it is not known to be written after {} s; look whether it is in force before you ask \
             again",
            ANSWER_WITHIN.as_secs()
        ))),
    }
}

/// The body as JSON; `None` where there is none.
///
/// A page of another site can have a browser post a form, or plain text, without asking first, but
/// not JSON.
pub(super) async fn body<T: DeserializeOwned>(request: HttpRequest) -> Result<Option<T>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(is_json);
    if kind.is_some() && !is_json {
        return Err(not_json());
    }
    let bytes = match timeout(BODY_WITHIN, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(Problem::too_large(MAX_BODY));
        }
        Ok(Err(rejection)) => return Err(Problem::bad_request(rejection.body_text())),
        Err(_) => {
            let detail = format!("the body did not come within {} s", BODY_WITHIN.as_secs());
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail));
        }
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json {
        return Err(not_json());
    }
    // Serde would fill a struct from an array as well, and `[null, null]` would mute everything.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return match serde_json::from_slice::<IgnoredAny>(&bytes) {
            Ok(_) if bytes.trim_ascii() == b"null" => Ok(None),
            Ok(_) => Err(invalid("the body can't be used: expected a JSON object")),
            Err(error) => Err(unusable(&error)),
        };
    }
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| unusable(&error))
}

fn unusable(error: &serde_json::Error) -> Problem {
    let detail = format!("the body can't be used: {error}");
    match error.classify() {
        Category::Data => invalid(detail),
        _ => Problem::bad_request(format!("{detail}; write a JSON object")),
    }
}

fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    let essence = kind.split_once(';').map_or(kind, |(essence, _)| essence);
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn check_length(name: &str, text: Option<&str>) -> Result<(), Problem> {
    match text.map(|text| text.chars().count()) {
        Some(count) if count > TEXT_CHARS => Err(invalid(format!(
            "{name} has {count} characters, of which {TEXT_CHARS} are allowed"
        ))),
        _ => Ok(()),
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        match self {
            Self::Alert(alert) => Json(alert).into_response(),
            Self::Muted(mute) => {
                let location = format!("/api/v1/mutes/{}", mute.id);
                (
                    StatusCode::CREATED,
                    [(header::LOCATION, location)],
                    Json(mute),
                )
                    .into_response()
            }
            Self::Unmuted => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match &refused {
            Refused::Command(error) => match error {
                CommandError::NoAlert(_)
                | CommandError::NoSubject(_)
                | CommandError::Mute(MuteError::Unknown(_)) => StatusCode::NOT_FOUND,
                CommandError::Over(_)
                | CommandError::Pending(_)
                | CommandError::Mute(MuteError::Full) => StatusCode::CONFLICT,
                CommandError::TooLong(_)
                | CommandError::Mute(MuteError::Past(_) | MuteError::LongId(_)) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
            },
            Refused::NotWritten(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Refused::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refused.to_string())
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "a body is JSON: send the header `Content-Type: application/json`",
    )
}

pub(super) fn unavailable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}
