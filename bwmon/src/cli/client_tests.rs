//! The client against a server of this crate, on real sockets.

use std::{net::TcpListener, path::Path, sync::Arc};

use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::{
    config::Listen,
    core::view::DeviceView,
    http::{
        self,
        fixture::{self, World},
    },
};

/// Serves a household until it is dropped.
struct Server {
    endpoint: Endpoint,
    world: World,
    _shutdown: DropGuard,
}

impl Server {
    fn start(listen: &Listen) -> Self {
        let bound = http::bind(listen).unwrap();
        let endpoint = bound.to_string().parse().unwrap();
        let world = World::new(fixture::household());
        let shutdown = CancellationToken::new();
        tokio::spawn(http::serve(world.deps(bound), shutdown.clone()));
        Self {
            endpoint,
            world,
            _shutdown: shutdown.drop_guard(),
        }
    }

    fn on_loopback() -> Self {
        Self::start(&Listen::Tcp("127.0.0.1:0".parse().unwrap()))
    }

    fn client(&self, token: Option<&str>) -> Client {
        let token = token.map(|token| Secret::new(token.to_owned()));
        Client::new(self.endpoint.clone(), token).unwrap()
    }
}

async fn check_error(client: &Client, path: &str, expected: &str) {
    let error = client.get::<Value>(path, &[]).await.unwrap_err();
    assert_eq!(format!("{:#}", anyhow::Error::from(error)), expected);
}

#[tokio::test]
async fn what_the_server_shows_is_what_the_client_reads() {
    let server = Server::on_loopback();
    let devices: Vec<DeviceView> = server
        .client(None)
        .get("/api/v1/devices", &[])
        .await
        .unwrap();
    assert_eq!(json!(devices), json!(fixture::household().devices));
}

#[tokio::test]
async fn a_query_reaches_the_server() {
    let server = Server::on_loopback();
    let query = [("device", "fd00::7"), ("limit", "1")];
    assert_eq!(
        server
            .client(None)
            .json("/api/v1/alerts", &query)
            .await
            .unwrap(),
        "[]"
    );
}

#[tokio::test]
async fn a_unix_socket_needs_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&Listen::Unix(directory.path().join("bwmon.sock")));
    server
        .world
        .token
        .send_replace(Some(Secret::new("s3cret".to_owned())));
    server
        .client(None)
        .json("/api/v1/status", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_opens_and_its_lack_is_explained() {
    let server = Server::on_loopback();
    server
        .world
        .token
        .send_replace(Some(Secret::new("s3cret".to_owned())));
    server
        .client(Some("s3cret"))
        .json("/api/v1/status", &[])
        .await
        .unwrap();

    let endpoint = &server.endpoint;
    let expected = format!(
        "bwmon at {endpoint} wants its token: this is not the token (the token comes from \
         http.token_file of the configuration; --config PATH chooses it, or --token-file PATH the \
         token)"
    );
    check_error(&server.client(Some("guess")), "/api/v1/status", &expected).await;
}

#[tokio::test]
async fn an_error_of_the_server_is_passed_on() {
    let server = Server::on_loopback();
    let expected = format!(
        "bwmon at {} answers 404 Not Found: there is nothing at /none",
        server.endpoint
    );
    check_error(&server.client(None), "/none", &expected).await;
}

#[tokio::test]
async fn an_answer_of_something_else_is_told_apart() {
    let server = Server::on_loopback();
    let error = server.client(None).json("/healthz", &[]).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_daemon_that_does_not_run_is_said_so() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = Client::new(Endpoint::Http(format!("http://{free}")), None).unwrap();
    let expected = format!(
        "cannot reach bwmon at http://{free}: connection refused; is `bwmon run` running? \
         (--api URL to ask another)"
    );
    check_error(&client, "/api/v1/status", &expected).await;

    let client = Client::new(Endpoint::Unix(Path::new("/none/bwmon.sock").into()), None).unwrap();
    let expected = "cannot reach bwmon at unix:/none/bwmon.sock: there is no such socket; is \
                    `bwmon run` running? (--api URL to ask another)";
    check_error(&client, "/api/v1/status", expected).await;
}

#[tokio::test]
async fn a_path_of_the_endpoint_comes_first() {
    let server = Server::on_loopback();
    let Endpoint::Http(base) = &server.endpoint else {
        panic!("{} is not TCP", server.endpoint)
    };
    let below = Endpoint::Http(format!("{base}/api"));
    let client = Client::new(below, None).unwrap();
    client.json("/v1/status", &[]).await.unwrap();
}

#[tokio::test]
async fn the_snapshot_of_the_moment_is_shown() {
    let server = Server::on_loopback();
    let client = server.client(None);
    server.world.snapshot.send_replace(Arc::default());
    assert_eq!(client.json("/api/v1/devices", &[]).await.unwrap(), "[]");
}
