//! Whose traffic it is: addresses of one MAC are one device, and what the owner registered names it.

use bwmon_tests::{DEVICE_MAC, Lan, Mac, SOON, Setup, ip, wait_until};
use serde_json::{Value, json};

const CONFIG: &str = "local_networks = [\"192.0.2.0/24\", \"2001:db8::/64\"]\n";

#[test]
fn addresses_of_one_neighbour_are_one_device() {
    let lan = Lan::new();
    lan.give_addresses();
    let other = Mac([0x02, 0, 0, 0, 0, 0x08]);
    lan.lan.neighbour(ip("192.0.2.8"), other);
    let daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    lan.upload(
        [
            ("192.0.2.7", "198.51.100.1"),
            ("2001:db8::7", "2001:db8:f::1"),
            ("192.0.2.8", "198.51.100.1"),
        ]
        .map(|(source, destination)| Lan::packet(source, destination).length(500).build()),
    );
    wait_until(
        "one device with two addresses, and another one",
        SOON,
        || {
            let device = daemon.api.device(ip("192.0.2.7"))?;
            let same = daemon.api.device(ip("2001:db8::7"))?;
            let other_device = daemon.api.device(ip("192.0.2.8"))?;
            let is_right = device == same
                && device["mac"] == DEVICE_MAC.to_string()
                && device["today"]["sent"] == 1000
                && other_device["mac"] == other.to_string()
                && other_device["today"]["sent"] == 500;
            if is_right {
                Ok(())
            } else {
                Err(format!("{device} {other_device}"))
            }
        },
    );
}

#[test]
fn a_neighbour_that_becomes_known_later_joins_its_addresses() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    lan.lan.add_address("2001:db8::1/64");
    let daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    let send = || {
        lan.upload(
            [
                ("192.0.2.7", "198.51.100.1"),
                ("2001:db8::7", "2001:db8:f::1"),
            ]
            .map(|(source, destination)| Lan::packet(source, destination).length(500).build()),
        );
    };
    send();
    wait_until("both addresses", SOON, || {
        let sent = [ip("192.0.2.7"), ip("2001:db8::7")]
            .map(|address| Ok::<_, String>(daemon.api.device(address)?["today"]["sent"].clone()));
        if sent == [Ok(json!(500)), Ok(json!(500))] {
            Ok(())
        } else {
            Err(format!("{sent:?}"))
        }
    });
    for address in ["192.0.2.7", "2001:db8::7"] {
        lan.lan.neighbour(ip(address), DEVICE_MAC);
    }
    send();
    wait_until(
        "them to be one device, which keeps what they did before",
        SOON,
        || {
            let device = daemon.api.device(ip("192.0.2.7"))?;
            let is_right = device == daemon.api.device(ip("2001:db8::7"))?
                && device["mac"] == DEVICE_MAC.to_string()
                && device["today"]["sent"] == 2000;
            if is_right {
                Ok(())
            } else {
                Err(format!("{}", daemon.api.json("/api/v1/devices")?))
            }
        },
    );
}

#[test]
fn devices_are_registered_by_address_mac_and_prefix() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    lan.lan.neighbour(ip("192.0.2.8"), DEVICE_MAC);
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(
            r#"{
                "unknown": { "bandwidth_threshold": 1 },
                "192.0.2.7": { "name": "By address", "bandwidth_threshold": 2 },
                "02:00:00:00:00:02": { "name": "By MAC", "bandwidth_threshold": 3 },
                "192.0.2.64/26": { "group": "By prefix", "bandwidth_threshold": 4 },
                "2001:db8::7": { "name": "By IPv6 address" } // As unknown otherwise.
            }"#,
        )
        .start();
    let rows = [
        ("192.0.2.7", json!("By address"), Value::Null, true, 2),
        ("192.0.2.8", json!("By MAC"), Value::Null, true, 3),
        (
            "192.0.2.70",
            json!("192.0.2.70"),
            json!("By prefix"),
            true,
            4,
        ),
        (
            "2001:db8::7",
            json!("By IPv6 address"),
            Value::Null,
            true,
            1,
        ),
        ("192.0.2.9", json!("192.0.2.9"), Value::Null, false, 1),
    ];
    lan.upload(rows.iter().map(|(address, ..)| {
        let peer = if address.contains(':') {
            "2001:db8:f::1"
        } else {
            "198.51.100.1"
        };
        Lan::packet(address, peer).length(100).build()
    }));
    for (address, name, group, registered, threshold) in rows {
        wait_until(address, SOON, || {
            let device = daemon.api.device(ip(address))?;
            let is_right = device["name"] == name
                && device["group"] == group
                && device["registered"] == registered
                && device["thresholds"]["bandwidth_threshold"] == threshold
                && device["today"]["sent"] == 100;
            if is_right {
                Ok(())
            } else {
                Err(device.to_string())
            }
        });
    }
}

#[test]
fn usage_report_is_404_until_a_device_has_traffic_and_then_its_usage() {
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(
            r#"{ "192.0.2.7": {
                "name": "Laptop", "bandwidth_threshold": 500000000, "max_active_time": 18000
            } }"#,
        )
        .start();
    let report = || {
        daemon
            .api
            .get("/usage_report")
            .map_err(|error| error.to_string())
    };
    let empty = wait_until("an answer", SOON, report);
    assert_eq!(empty.status, 404);
    let reason: Value = serde_json::from_str(&empty.body).unwrap_or_default();
    assert_eq!(reason, json!({ "error": "No log data found for today." }));

    let frames = |source: &'static str, destination: &'static str, count: usize| {
        (0..count).map(move |_| Lan::packet(source, destination).length(1000).build())
    };
    lan.upload(frames("192.0.2.7", "198.51.100.1", 2000));
    lan.download(frames("198.51.100.1", "192.0.2.7", 1000));
    wait_until("the report", SOON, || {
        let report: Value = serde_json::from_str(&report()?.body).map_err(|e| e.to_string())?;
        let row = &report[0];
        let near = |field: &str, value: f64| {
            row[field]
                .as_f64()
                .is_some_and(|number| (number - value).abs() < 1e-9)
        };
        let is_right = row["ip"] == "192.0.2.7"
            && row["device_name"] == "Laptop"
            && near("sent", 0.002)
            && near("received", 0.001)
            && near("usage", 0.003)
            && ["date", "active_time", "threshold", "max_active_time"]
                .iter()
                .all(|field| !row[field].is_null())
            && report.as_array().is_some_and(|rows| rows.len() == 1);
        if is_right {
            Ok(())
        } else {
            Err(report.to_string())
        }
    });
}
