//! The routes that change the file of the registered devices, with a loop that reads it as told.

use std::{fs, path::PathBuf};

use tokio::sync::mpsc;

use super::*;
use crate::http::Reload;

const LAPTOP: &str = "/api/v1/devices/02:00:00:00:00:05";

/// A household with a file, and a loop that waits to be told of it.
struct Home {
    world: World,
    told: mpsc::Receiver<Reload>,
    directory: tempfile::TempDir,
}

impl Home {
    fn new(text: &str) -> Self {
        let mut world = household();
        world
            .token
            .send_replace(Some(Secret::new("s3cret".to_owned())));
        let (reload, told) = mpsc::channel(1);
        world.reload = reload;
        let directory = tempfile::tempdir().unwrap();
        let home = Self {
            world,
            told,
            directory,
        };
        fs::write(home.file(), text).unwrap();
        home.world.devices_file.send_replace(home.file());
        home
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("registered_devices.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Asks, and has the loop say this of the file.
    async fn exchange(&mut self, request: Request<Body>, said: Result<(), &str>) -> Answer {
        let Self { world, told, .. } = self;
        let engine = async {
            let reply = told.recv().await.unwrap();
            reply.send(said.map_err(str::to_owned)).unwrap();
        };
        tokio::join!(ask(world, request), engine).0
    }

    /// Asks what is refused without a change.
    async fn refused(&mut self, request: Request<Body>) -> Answer {
        let before = self.text();
        let answer = ask(&self.world, request).await;
        assert_eq!(self.text(), before, "{}", answer.text);
        assert!(self.told.try_recv().is_err(), "{}", answer.text);
        answer
    }
}

fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:4000")
        .header(header::AUTHORIZATION, "Bearer s3cret")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn a_device_is_changed_in_its_own_entry_and_shown() {
    let mut home = Home::new("{\n  \"192.168.1.5\": { \"name\": \"Old\" } # mine\n}\n");
    let patch = request("PATCH", LAPTOP, r#"{"name": "Laptop", "mute": true}"#);
    let answer = home.exchange(patch, Ok(())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["id"], "02:00:00:00:00:05");
    let expected = "{\n  \"192.168.1.5\": { \"name\": \"Laptop\", \"mute\": true } # mine\n}\n";
    assert_eq!(home.text(), expected);

    let path = format!("{LAPTOP}/registration");
    let answer = ask(&home.world, request("GET", &path, "")).await;
    assert_eq!(answer.json()["key"], "192.168.1.5");
    let expected = json!({ "name": "Laptop", "mute": true });
    assert_eq!(answer.json()["entry"], expected);

    let answer = home.exchange(request("DELETE", &path, ""), Ok(())).await;
    assert_eq!(answer.status, 204);
    assert_eq!(home.text(), "{\n  # mine\n}\n");
    let answer = ask(&home.world, request("GET", &path, "")).await;
    let detail = "\"02:00:00:00:00:05\" has no entry of its own";
    check_problem(&answer, 404, "Not Found", detail);
    let answer = home.refused(request("DELETE", &path, "")).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
}

#[tokio::test]
async fn what_is_no_device_can_have_an_entry() {
    let mut home = Home::new("{}");
    for (path, key, status) in [
        ("/api/v1/devices/unknown", "unknown", 204),
        ("/api/v1/devices/10.0.0.0%2F8", "10.0.0.0/8", 204),
        // Never seen, but for the loop of this test it is not there afterwards, either.
        ("/api/v1/devices/10.1.2.3", "10.1.2.3", 204),
        (
            "/api/v1/devices/02-00-00-00-00-05",
            "02:00:00:00:00:05",
            200,
        ),
        ("/api/v1/devices/fd00::7", "fd00::7", 200),
    ] {
        let patch = request("PATCH", path, r#"{"quota": "5 GB"}"#);
        let answer = home.exchange(patch, Ok(())).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let entry = format!("\"{key}\": {{ \"quota\": \"5 GB\" }}");
        assert!(home.text().contains(&entry), "{}", home.text());
    }
}

#[tokio::test]
async fn what_can_not_be_done_is_said_and_changes_nothing() {
    let mut home = Home::new("{}");
    for (path, body, status, detail) in [
        ("/api/v1/devices/tv", "{}", 404, "there is no device \"tv\""),
        (
            "/api/v1/devices/group:kids",
            "{}",
            404,
            "there is no device",
        ),
        (LAPTOP, "", 400, "a JSON body is needed"),
        (LAPTOP, "{", 400, "the body can't be used"),
        (LAPTOP, "[]", 422, "the body can't be used"),
        (LAPTOP, r#"{"nam": 1}"#, 422, "did you mean \"name\"?"),
        (LAPTOP, r#"{"quota": "many"}"#, 422, "quota: \"many\""),
    ] {
        let answer = home.refused(request("PATCH", path, body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let said = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.contains(detail), "{said}");
    }
    let mut plain = request("PATCH", LAPTOP, "{}");
    plain.headers_mut().remove(header::AUTHORIZATION);
    assert_eq!(home.refused(plain).await.status, 401);
}

#[tokio::test]
async fn a_file_that_can_not_be_changed_is_a_conflict() {
    let mut home = Home::new("{ \"::1\": 5 }");
    let set = || request("PATCH", LAPTOP, r#"{"name": "Laptop"}"#);
    let answer = home.refused(set()).await;
    assert_eq!(answer.status, 409);
    let said = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("registered_devices.json:1:10: "), "{said}");
    assert!(said.contains("mend that first"), "{said}");

    fs::write(home.file(), "{}").unwrap();
    let answer = home.exchange(set(), Err("bwmon.toml:1:1: no")).await;
    let detail = format!(
        "this is written to {}, but not in force: bwmon.toml:1:1: no",
        home.file().display()
    );
    check_problem(&answer, 409, "Conflict", &detail);
}
