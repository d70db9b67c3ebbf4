//! Alertmanager.

use std::cell::OnceCell;

use bwmon_tests::{Alertmanager, SOON, wait_until};

use nix::sys::signal::Signal;

use super::{LAPTOP, Stage};

#[test]
fn an_alertmanager_shows_the_alert_until_it_ends() {
    let alertmanager = OnceCell::new();
    let stage = Stage::new(|lan| {
        let alertmanager = alertmanager.get_or_init(|| Alertmanager::start(&lan.router));
        format!(
            "[[notify]]\ntype = \"alertmanager\"\nurl = \"{}\"\n",
            alertmanager.url()
        )
    });
    let alertmanager = alertmanager.get().expect("it was started");
    let daemon = stage.setup.start();
    let event = stage.fire(LAPTOP).event;
    let alert = wait_until("the alert", SOON, || {
        let alerts = alertmanager.alerts()?;
        match alerts.as_slice() {
            [alert] => Ok(alert.clone()),
            _ => Err(format!("{alerts:?}")),
        }
    });
    assert_eq!(alert["status"]["state"], "active");
    let labels = &alert["labels"];
    let name = labels["alertname"].as_str().unwrap_or_default();
    assert!(name.contains("volume"), "{name}");
    assert_eq!(labels["severity"], event["severity"]);
    assert_eq!(
        alert["annotations"]["description"],
        event["eventDescription"]
    );
    // Alertmanager's own end would come after five minutes, long before that of the alert.
    let ends_at = alert["endsAt"].as_str().unwrap_or_default();
    let today = alert["updatedAt"].as_str().unwrap_or_default();
    assert!(ends_at.get(..10) > today.get(..10), "{alert:#}");
    // Alertmanager knows an alert by its labels, so no name that changes meanwhile may be one.
    stage.setup.write_devices(&format!(
        r#"{{ "{LAPTOP}": {{ "name": "Notebook", "group": "new", "bandwidth_threshold": 50000 }} }}"#
    ));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_samples(3);
    stage.setup.write_devices(&format!(
        r#"{{ "{LAPTOP}": {{ "name": "Notebook", "group": "new", "bandwidth_threshold": 5000000 }} }}"#
    ));
    daemon.signal(Signal::SIGHUP);
    wait_until("the end", SOON, || match alertmanager.alerts()? {
        alerts if alerts.is_empty() => Ok(()),
        alerts => Err(format!("{alerts:?}")),
    });
}
