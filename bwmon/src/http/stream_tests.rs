//! The stream, as one sees it who reads the body.

use futures_util::StreamExt;

use super::*;
use crate::{
    core::{event::RuleKind, view::AlertState},
    http::fixture::{World, alert, device, household},
};

/// Reads events out of a body, piece by piece.
struct Reader {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Reader {
    /// The name and the data of the next event; `None` at the end.
    async fn event(&mut self) -> Option<(String, serde_json::Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let Some((name, data)) = event.split_once('\n') else {
                    continue;
                };
                let name = name.strip_prefix("event: ").unwrap().to_owned();
                let data = data.strip_prefix("data: ").unwrap();
                return Some((name, serde_json::from_str(data).unwrap()));
            }
            let piece = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.event().await.unwrap().0);
        }
        names
    }
}

async fn open(app: &Arc<App>) -> Result<Reader, u16> {
    match stream(State(Arc::clone(app))).await {
        Ok(response) => {
            assert_eq!(
                response.headers()[header::CONTENT_TYPE],
                "text/event-stream"
            );
            Ok(Reader {
                body: response.into_body().into_data_stream(),
                text: String::new(),
            })
        }
        Err(problem) => Err(problem.into_response().status().as_u16()),
    }
}

#[tokio::test]
async fn the_first_event_is_of_what_is_there_and_the_next_of_what_changed() {
    let world = World::new(household());
    let mut reader = open(&Arc::new(world.app())).await.unwrap();
    let (name, first) = reader.event().await.unwrap();
    assert_eq!(name, "snapshot");
    assert_eq!(first["full"], true);
    let whole: LiveSnapshot = serde_json::from_value(first.clone()).unwrap();
    assert_eq!(serde_json::to_value(&whole).unwrap(), first);
    assert_eq!(whole.devices.len(), 3);

    let mut next = household();
    next.devices = Arc::clone(&world.snapshot.borrow().devices);
    let mut devices = next.devices.to_vec();
    devices[1] = Arc::new(device("192.168.1.9", &["192.168.1.10"]));
    next.devices = devices.into();
    world.snapshot.send_replace(Arc::new(next));
    let (_, second) = reader.event().await.unwrap();
    assert_eq!(second["full"], false);
    assert_eq!(second["devices"].as_array().unwrap().len(), 1);
    assert_eq!(second["devices"][0]["addresses"][0], "192.168.1.10");
}

#[tokio::test]
async fn an_alert_comes_before_the_sample_that_brought_it() {
    let world = World::new(Snapshot::default());
    let mut reader = open(&Arc::new(world.app())).await.unwrap();
    assert_eq!(reader.names(1).await, ["snapshot"]);
    let fires = alert("a1", AlertState::Firing, RuleKind::Volume);
    let next = Snapshot {
        alerts: [fires].map(Arc::new).into(),
        ..Snapshot::default()
    };
    world.snapshot.send_replace(Arc::new(next));
    let (name, told) = reader.event().await.unwrap();
    assert_eq!((&*name, &told["id"]), ("alert", &"a1".into()));
    let (name, then) = reader.event().await.unwrap();
    assert_eq!(
        (&*name, &then["alerts"][0]["id"]),
        ("snapshot", &"a1".into())
    );
}

#[tokio::test]
async fn a_stream_ends_with_bwmon_and_with_another_token() {
    let ends: [fn(&World); 3] = [
        |world| world.shutdown.cancel(),
        |world| {
            drop(
                world
                    .token
                    .send_replace(Some(Secret::new("s3cret".to_owned()))),
            )
        },
        |world| {
            // The same one, read again, is no other one.
            world.token.send_replace(None);
            world.shutdown.cancel();
        },
    ];
    for end in ends {
        let world = World::new(household());
        let mut reader = open(&Arc::new(world.app())).await.unwrap();
        assert_eq!(reader.names(1).await, ["snapshot"]);
        end(&world);
        assert!(reader.event().await.is_none());
    }
    let world = World::new(household());
    let mut reader = open(&Arc::new(world.app())).await.unwrap();
    world.token.send_replace(None);
    world.snapshot.send_replace(Arc::new(household()));
    assert_eq!(reader.names(1).await, ["snapshot"], "it goes on");
}

#[tokio::test]
async fn there_is_a_most_and_who_leaves_makes_room() {
    let world = World::new(household());
    let app = Arc::new(world.app());
    let mut readers = Vec::new();
    for _ in 0..MOST {
        readers.push(open(&app).await.ok().unwrap());
    }
    assert_eq!(open(&app).await.err(), Some(503));
    readers.pop();
    assert!(open(&app).await.is_ok());
}

#[tokio::test]
async fn a_thousand_devices_are_sent_in_pieces() {
    let devices = (0..1000).map(|n| Arc::new(device(&format!("{n:04}"), &["192.168.1.5"])));
    let snapshot = LiveSnapshot {
        devices: devices.collect(),
        ..LiveSnapshot::default()
    };
    let pieces: Vec<Bytes> = snapshot_event(snapshot.clone())
        .map(Result::unwrap)
        .collect();
    assert!(pieces.iter().all(|piece| piece.len() < 64 * 1024));
    let text = String::from_utf8(pieces.concat()).unwrap();
    let whole = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(text, format!("event: snapshot\ndata: {whole}\n\n"));
}

#[tokio::test]
async fn silence_is_broken_by_a_comment() {
    let world = World::new(Snapshot::default());
    let mut app = world.app();
    app.streams.keep_alive = Duration::from_millis(1);
    let mut reader = open(&Arc::new(app)).await.unwrap();
    assert_eq!(reader.names(1).await, ["snapshot"]);
    let piece = reader.body.next().await.unwrap().unwrap();
    assert_eq!(&*piece, b":\n\n");
}
