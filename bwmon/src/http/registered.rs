//! What the owner says of single devices: entries of the registered devices, changed in their file.
//!
//! The file is written on a thread of its own, and the loop then reads it as after SIGHUP. The answer
//! comes once it is in force.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot, watch},
    task::{JoinError, spawn_blocking},
    time::timeout,
};

use utoipa::ToSchema;

use super::{
    App,
    commands::{self, Changing},
    conditional::json_unless_had,
    devices::find_device,
    problem::Problem,
    shapes::EntryPatch,
};
use crate::{
    config::{Change, EditError, Whom, WriteError, change_file, read_entry},
    core::{
        mac::MacAddr,
        view::{DeviceView, Snapshot},
    },
};

/// How long it may take until a change is in force. The client of the command line waits a little
/// longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Changes that wait for each other.
const MOST_WAITING: usize = 16;

/// Where to say what came of reading the configuration anew. Nobody may listen any more.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// Where the registered devices are.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Their file. A reload may change which one it is.
    pub file: watch::Receiver<PathBuf>,
    /// Has the loop read it anew.
    pub reload: mpsc::Sender<Reload>,
}

/// `GET /api/v1/devices/{id}/registration`: the entry of a device, or whatever a key is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// As it is spelt in the file.
    pub key: String,
    /// The file.
    #[schema(value_type = String)]
    pub file: PathBuf,
    /// What the file says, all of its fields and no others.
    pub entry: Map<String, Value>,
}

/// Changes that are under way.
#[derive(Debug)]
pub(super) struct Editing {
    registered: Registered,
    /// One at a time.
    turn: Mutex<()>,
    /// So many wait for it.
    places: Arc<Semaphore>,
}

/// The owner says something else of a device, or of several. What can't be said is refused as a
/// whole.
#[utoipa::path(
    patch, path = "/api/v1/devices/{id}", tag = "devices", operation_id = "change_device",
    params(("id" = String, Path, description = "The id of a device, a MAC or an address, also of one that was never seen; a prefix; or `unknown`.")),
    request_body = EntryPatch,
    responses(
        (status = 200, body = DeviceView, description = "It is written and in force; the device."),
        (status = 204, description = "It is written and in force, and about no device that is shown."),
        (status = 404, description = "This is no device, and can't be a key."),
        (status = 409, description = "The file can't be changed, or was and is not in force; `detail` says why."),
        (status = 422, description = "The entry would not be allowed; `detail` says what is."),
        Changing,
    ),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let Some(fields) = commands::body::<Map<String, Value>>(request).await? else {
        return Err(Problem::bad_request(
            "a JSON body is needed that says what to change, such as {\"name\": \"Laptop\", \
             \"mute\": null}",
        ));
    };
    let (id, whom) = whom(&app.snapshot(), &id)?;
    let is_device = whom.is_device();
    app.editing.change(whom, Change::Merge(fields)).await?;
    let snapshot = app.snapshot();
    let device = find(&snapshot, &id).filter(|_| is_device);
    Ok(match device {
        Some(device) => Json(Arc::clone(device)).into_response(),
        // Of many devices, or of what no device is shown for.
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The entry of a device, of a prefix, or `unknown`, as the file has it now.
#[utoipa::path(
    get, path = "/api/v1/devices/{id}/registration", tag = "devices", operation_id = "registration",
    params(("id" = String, Path, description = "As of the device.")),
    responses(
        (status = 200, body = Registration, description = "The entry."),
        (status = 304),
        (status = 404, description = "There is no such device, or it has no entry of its own."),
        (status = 409, description = "The file can't be read; `detail` says why."),
        (status = 500, description = "It ended badly, for which the log has the reason."),
    ),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (_, whom) = whom(&app.snapshot(), &id)?;
    let file = app.editing.registered.file.borrow().clone();
    let read = spawn_blocking(move || (read_entry(&file, &whom), file));
    let (entry, file) = read.await.map_err(|error| broken(&error))?;
    let entry = entry.map_err(|error| problem(&error))?;
    match entry.map(|entry| (entry.key, entry.value)) {
        Some((key, Value::Object(entry))) => {
            json_unless_had(&headers, &Registration { key, file, entry })
        }
        _ => Err(Problem::not_found(format!(
            "{id:?} has no entry of its own"
        ))),
    }
}

/// The entry is removed from the file.
#[utoipa::path(
    delete, path = "/api/v1/devices/{id}/registration", tag = "devices",
    operation_id = "forget_registration",
    params(("id" = String, Path, description = "As of the device.")),
    responses(
        (status = 204, description = "It is gone, and that is in force."),
        (status = 404, description = "There is no such device, or it has no entry of its own."),
        (status = 409, description = "The file can't be changed, or was and is not in force; `detail` says why."),
        (status = 422, description = "The file would not be allowed without it; `detail` says why."),
        Changing,
    ),
)]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id?;
    let (_, whom) = whom(&app.snapshot(), &id)?;
    app.editing.change(whom, Change::Remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Editing {
    pub(super) fn new(registered: Registered) -> Self {
        Self {
            registered,
            turn: Mutex::new(()),
            places: Arc::new(Semaphore::new(MOST_WAITING)),
        }
    }

    /// Changes the file and has it read. What has begun is brought to its end, also when nobody waits
    /// for it any more: what is in the file has to be in force.
    async fn change(self: &Arc<Self>, whom: Whom, change: Change) -> Result<(), Problem> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(commands::unavailable(
                "too many changes wait for the file; nothing was changed, ask again later",
            ));
        };
        let editing = Arc::clone(self);
        let work = tokio::spawn(async move {
            let done = editing.change_in_turn(whom, change).await;
            drop(place);
            done
        });
        match timeout(ANSWER_WITHIN, work).await {
            Ok(done) => done.map_err(|error| broken(&error))?,
            Err(_) => Err(commands::unavailable(format!(
                "it is not known to be in force after {} s; look before you ask again",
                ANSWER_WITHIN.as_secs()
            ))),
        }
    }

    async fn change_in_turn(&self, whom: Whom, change: Change) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        let file = self.registered.file.borrow().clone();
        log::info!("asked for: {change:?} of {whom:?}");
        let done = spawn_blocking(move || change_file(&file, &whom, &change)).await;
        let changed = done
            .map_err(|error| broken(&error))?
            .map_err(|error| problem(&error))?;
        let (reply, reloaded) = oneshot::channel();
        let file = changed.file.display();
        let not_in_force = |why: &str| {
            let detail = format!("this is written to {file}, but not in force: {why}");
            Problem::new(StatusCode::CONFLICT, detail)
        };
        if self.registered.reload.send(reply).await.is_err() {
            return Err(not_in_force("bwmon is ending"));
        }
        match reloaded.await {
            Ok(reloaded) => reloaded.map_err(|errors| not_in_force(&errors)),
            Err(_) => Err(not_in_force("bwmon is ending")),
        }
    }
}

/// Whom a path is about, and the id that a device has: one that is known, else what can be a key.
fn whom(snapshot: &Snapshot, text: &str) -> Result<(String, Whom), Problem> {
    let none = |_| {
        Problem::not_found(format!(
            "there is no device {text:?}: name one by its id, its MAC or an address, several by a \
             prefix, and all others as \"unknown\""
        ))
    };
    match find(snapshot, text) {
        Some(device) => {
            let whom = Whom::device(&device.id, device.mac, &device.addresses);
            Ok((device.id.clone(), whom.map_err(none)?))
        }
        None => Ok((text.to_owned(), Whom::key(text).map_err(none)?)),
    }
}

/// The device with this id or address, however a MAC is written.
fn find<'a>(snapshot: &'a Snapshot, text: &str) -> Option<&'a Arc<DeviceView>> {
    find_device(snapshot, text).or_else(|| {
        let mac: MacAddr = text.parse().ok()?;
        find_device(snapshot, &mac.to_string())
    })
}

fn problem(error: &WriteError) -> Problem {
    let status = match error {
        WriteError::Edit(EditError::NotAllowed(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        WriteError::Edit(EditError::NoEntry(_)) => StatusCode::NOT_FOUND,
        WriteError::Edit(EditError::Mistake(_) | EditError::Unclear(_))
        | WriteError::Unreadable { .. }
        | WriteError::NotWritable { .. }
        | WriteError::Owner { .. }
        | WriteError::NotAFile { .. }
        | WriteError::Changing { .. } => StatusCode::CONFLICT,
    };
    Problem::new(status, error.to_string())
}

fn broken(error: &JoinError) -> Problem {
    log::error!("a change of the registered devices ended badly: {error}");
    let detail = "this ended badly; look at the log, and whether it is in force";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}
