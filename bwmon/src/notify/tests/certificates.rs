//! A machine without root certificates.

use std::{env, process::Command};

use super::*;

const ALONE: &str = "BWMON_TEST_WITHOUT_CERTIFICATES";

/// Where the certificates are is a matter of the environment, so this runs itself in another one.
#[tokio::test]
async fn only_https_needs_root_certificates() {
    if env::var_os(ALONE).is_some() {
        return without_certificates().await;
    }
    let run = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "notify::tests::certificates::only_https_needs_root_certificates",
        ])
        .env(ALONE, "1")
        .env("SSL_CERT_FILE", "/nonexistent/cert.pem")
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && output.contains("1 passed"),
        "{output}"
    );
}

async fn without_certificates() {
    let receiver = Receiver::new(vec![Reply::OK]);
    let channel = webhook("phone", receiver.url("/"));
    try_once(&channel, &event("one")).await.unwrap();

    let url = "https://user:T0K3N@hooks.example.org/T0K3N".to_owned();
    let channel = webhook("phone", url);
    let error = try_once(&channel, &event("one"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot verify hooks.example.org"), "{error}");
    assert!(
        error.contains("ca-certificates") && error.contains("ca-bundle"),
        "{error}"
    );
    assert!(!error.contains("T0K3N"), "{error}");
}
