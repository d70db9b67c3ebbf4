//! MQTT.

use std::cell::OnceCell;

use bwmon_tests::{Authority, Broker, Published};

use super::{LAPTOP, Stage, TOLD};

#[test]
fn a_broker_gets_events_with_and_without_tls_and_after_the_login_only() {
    let authority = Authority::new();
    let broker = OnceCell::new();
    let stage = Stage::new(|lan| {
        let broker = broker.get_or_init(|| {
            let mut broker = Broker::start(&lan.router, &authority.for_loopback());
            broker.subscribe("home/#");
            broker
        });
        let ca = format!("ca_file = \"{}\"", authority.certificate().display());
        let channel = |name: &str, url: String, password: &str, ca: &str| {
            format!(
                "[[notify]]\ntype = \"mqtt\"\nname = \"{name}\"\nurl = \"{url}\"\n\
                 topic = \"home/{name}\"\nusername = \"{}\"\npassword = \"{password}\"\n{ca}\n",
                Broker::USER
            )
        };
        [
            channel("plain", broker.url(), Broker::PASSWORD, ""),
            channel("tls", broker.tls_url(), Broker::PASSWORD, &ca),
            channel("guesser", broker.tls_url(), "tide-guessed", &ca),
            channel("trusting", broker.tls_url(), Broker::PASSWORD, ""),
        ]
        .concat()
    })
    .loud();
    let broker = broker.get().expect("it was started");
    let daemon = stage.setup.start();
    let events = [stage.fire(LAPTOP), stage.resolve(&daemon)];
    for topic in ["home/plain", "home/tls"] {
        for event in &events {
            let id = event.text("id");
            let published = broker.wait_for(&format!("{id} at {topic}"), TOLD, |each| {
                each.topic == topic && each.payload["id"] == id
            });
            assert_eq!(published.payload, event.event);
            assert_eq!(published.qos, 1);
        }
    }
    daemon.wait_for_log(&["channel guesser"]);
    daemon.wait_for_log(&["channel trusting", "certificate"]);
    let published = broker.published();
    let mut topics: Vec<_> = published.iter().map(|each| each.topic.as_str()).collect();
    topics.sort_unstable();
    assert_eq!(topics, ["home/plain", "home/plain", "home/tls", "home/tls"]);
    for topic in ["home/plain", "home/tls"] {
        let states = published.iter().filter(|each| each.topic == topic);
        let states: Vec<_> = states
            .map(|Published { payload, .. }| &payload["state"])
            .collect();
        assert_eq!(states, ["firing", "resolved"]);
    }
    let log = daemon.log();
    let shown = log.lines().find(|line| line.contains("tide-"));
    assert_eq!(shown, None, "the log shows a password");
}
