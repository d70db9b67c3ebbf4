//! `bwmon devices`: who uses the line.

use std::{cmp::Reverse, collections::HashSet, net::IpAddr, process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};

use super::{
    args::{DevicesArgs, Options},
    client::Client,
    json::pretty,
    output::{Look, print},
    printable::printable,
    table::{Column, Table},
    wait,
};
use crate::core::{
    human,
    message::printable_within,
    view::{AlertView, DeviceView},
};

pub(super) const DEVICES: &str = "/api/v1/devices";
const ALERTS: &str = "/api/v1/alerts";

const NOBODY: &str = "no device has been seen, and none is registered\n";

/// Long enough for IPv4.
const ADDRESS_WIDTH: usize = 15;

const COLUMNS: [Column; 8] = [
    Column::rest("NAME"),
    Column::text("ADDRESS"),
    Column::number("RATE ↑\nMbit/s").gap(1),
    Column::number("RATE ↓\nMbit/s"),
    Column::number("TODAY ↑").gap(1),
    Column::number("TODAY ↓"),
    Column::number("ACTIVE"),
    Column::number("ALERTS"),
];

/// Room for a vendor in a terminal of 80 columns.
const VENDOR_WIDTH: usize = 16;

const LONG_COLUMNS: [Column; 5] = [
    Column::rest("NAME"),
    Column::text("NAMED BY"),
    Column::text("ADDRESS"),
    Column::text("MAC"),
    Column::text("VENDOR"),
];

/// Asks and prints.
///
/// # Errors
///
/// When there is no answer, or stdout takes none.
pub fn devices(options: &Options, args: &DevicesArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let text = if args.json {
        pretty(&wait(client.json(DEVICES, &[]))?)
    } else if args.long {
        let devices = wait(client.get(DEVICES, &[]))?;
        render_long(devices, Look::of_stdout(options.color))
    } else {
        let firing = [("state", "firing"), ("limit", "1000")];
        let (devices, alerts): (_, Vec<_>) = wait(async {
            Ok((
                client.get(DEVICES, &[]).await?,
                client.get(ALERTS, &firing).await?,
            ))
        })?;
        render(devices, &alerts, Look::of_stdout(options.color))
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn render(mut devices: Vec<DeviceView>, firing: &[AlertView], look: Look) -> String {
    if devices.is_empty() {
        return NOBODY.to_owned();
    }
    sort(&mut devices);
    let firing: HashSet<&str> = firing.iter().map(|alert| alert.id.as_str()).collect();
    let mut table = Table::new(&COLUMNS);
    for device in &devices {
        let is_firing = device.alerts.iter().any(|id| firing.contains(id.as_str()));
        let style = match is_firing {
            true => AnsiColor::Red.on_default().bold(),
            false => Style::new(),
        };
        table.row(style, row(device, is_firing));
    }
    table.render(look)
}

/// Who they are, in the same order.
fn render_long(mut devices: Vec<DeviceView>, look: Look) -> String {
    if devices.is_empty() {
        return NOBODY.to_owned();
    }
    sort(&mut devices);
    let mut table = Table::new(&LONG_COLUMNS);
    for device in &devices {
        let vendor = match &device.vendor {
            Some(vendor) => cut(vendor),
            None if device.private_mac => "(private MAC)".to_owned(),
            None => String::new(),
        };
        let cells = [
            printable(&device.name).into_owned(),
            device.name_source.as_str().to_owned(),
            address(device),
            device.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            vendor,
        ];
        table.row(Style::new(), cells);
    }
    table.render(look)
}

/// The busiest first.
fn sort(devices: &mut [DeviceView]) {
    devices.sort_by_cached_key(|device| {
        let rate = device.sent_rate.saturating_add(device.received_rate);
        let today = device.today.sent.saturating_add(device.today.received);
        (Reverse(rate), Reverse(today), device.name.clone())
    });
}

/// The beginning, of characters that take at most two columns each.
fn cut(vendor: &str) -> String {
    let vendor = printable(vendor);
    let is_narrow = vendor.is_ascii();
    let most = if is_narrow {
        VENDOR_WIDTH
    } else {
        VENDOR_WIDTH / 2
    };
    printable_within(&vendor, most)
}

/// The one that people know.
fn address(device: &DeviceView) -> String {
    let mut addresses = device.addresses.iter();
    let first = addresses.clone().next();
    let address = addresses.find(|address| address.is_ipv4()).or(first);
    address.map(short).unwrap_or_default()
}

fn row(device: &DeviceView, is_firing: bool) -> [String; 8] {
    [
        printable(&device.name).into_owned(),
        address(device),
        megabits(device.sent_rate),
        megabits(device.received_rate),
        human::bytes(device.today.sent),
        human::bytes(device.today.received),
        human::duration(Duration::from_secs(device.today.active_seconds)),
        alerts(device.alerts.len(), is_firing),
    ]
}

/// Of a long IPv6 address the end: the beginning is the same for a whole network.
fn short(address: &IpAddr) -> String {
    let text = address.to_string();
    match text.len().checked_sub(ADDRESS_WIDTH) {
        None | Some(0) => text,
        Some(surplus) => format!("…{}", &text[surplus + 1..]),
    }
}

/// All in one unit and with one decimal place, so that they compare at a glance.
fn megabits(bytes_per_sec: u64) -> String {
    format!("{:.1}", bytes_per_sec as f64 * 8.0 / 1e6)
}

/// How many are open, marked if one of them fires.
fn alerts(open: usize, is_firing: bool) -> String {
    match (open, is_firing) {
        (0, _) => String::new(),
        (open, false) => open.to_string(),
        (open, true) => format!("! {open}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};
    use crate::{
        core::{names::NameSource, view::TodayView},
        http::fixture,
    };

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn household() -> (Vec<DeviceView>, Vec<AlertView>) {
        let snapshot = fixture::household();
        let devices = snapshot
            .devices
            .iter()
            .map(|device| (**device).clone())
            .collect();
        (
            devices,
            snapshot.firing().map(|alert| (**alert).clone()).collect(),
        )
    }

    #[test]
    fn the_busiest_comes_first_and_who_is_unusual_is_marked() {
        let (devices, firing) = household();
        insta::assert_snapshot!(render(devices, &firing, LOOK), @r#"
        NAME     ADDRESS      RATE ↑ RATE ↓  TODAY ↑ TODAY ↓     ACTIVE  ALERTS
                              Mbit/s Mbit/s
        Laptop   192.168.1.5    12.3  940.0   512 MB  4.5 GB  5 h 1 min     ! 2
        fd00::7  fd00::7         0.0    0.0     1 kB    2 kB      1 min
        Printer  192.168.1.9     0.0    0.0      0 B     0 B        0 s
        "#);
    }

    #[test]
    fn only_a_firing_alert_colours_its_line() {
        let (devices, firing) = household();
        let look = Look {
            paint: Paint::Colours,
            ..LOOK
        };
        let red = AnsiColor::Red.on_default().bold().to_string();
        let coloured: Vec<_> = render(devices.clone(), &firing, look)
            .lines()
            .enumerate()
            .filter_map(|(index, line)| line.starts_with(&red).then_some(index))
            .collect();
        assert_eq!(coloured, [2], "after two lines of titles");
        assert!(!render(devices, &[], look).contains(&red));
    }

    #[test]
    fn the_widest_day_fits_80_columns() {
        let mut device = fixture::device("x", &["192.168.100.200"]);
        device.name = "Grandmother's living room television".to_owned();
        device.sent_rate = 124_990_000;
        device.received_rate = 1_249_900_000;
        device.today = TodayView {
            sent: 999_000_000_000,
            received: 1_230_000_000_000,
            active_seconds: 86_340,
            ..Default::default()
        };
        device.alerts = vec!["a1".to_owned(); 12];
        let mut evil = fixture::device("fd00::1:2:3:4:5:6", &["fd00::1:2:3:4:5:6"]);
        evil.name = "\x1b[31m居間のテレビと録画機".to_owned();
        let text = render(vec![device, evil], &[], LOOK);
        insta::assert_snapshot!(text, @r#"
        NAME        ADDRESS          RATE ↑ RATE ↓  TODAY ↑ TODAY ↓       ACTIVE  ALERTS
                                     Mbit/s Mbit/s
        Grandmoth…  192.168.100.200   999.9 9999.2   999 GB 1.23 TB  23 h 59 min      12
        �[31m居間…  …:0:1:2:3:4:5:6     0.0    0.0      0 B     0 B          0 s
        "#);
    }

    #[test]
    fn who_they_are_fits_80_columns_too() {
        let mut laptop = fixture::device("3c:22:fb:00:11:22", &["192.168.100.200"]);
        laptop.name = "laptop-of-the-longest-name-in-the-house".to_owned();
        laptop.name_source = NameSource::Registered;
        laptop.vendor = Some("HUAWEI TECHNOLOGIES CO.,LTD".to_owned());
        let mut phone = fixture::device("02:00:00:00:00:07", &["fd00::1:2:3:4:5:6"]);
        phone.name = "\x1b[2Jphone".to_owned();
        phone.name_source = NameSource::Dhcp;
        phone.private_mac = true;
        let nobody = fixture::device("192.168.1.9", &["192.168.1.9"]);
        let text = render_long(vec![laptop, phone, nobody], LOOK);
        insta::assert_snapshot!(text, @r"
        NAME            NAMED BY    ADDRESS          MAC                VENDOR
        �[2Jphone       dhcp        …:0:1:2:3:4:5:6  02:00:00:00:00:07  (private MAC)
        192.168.1.9     address     192.168.1.9
        laptop-of-the…  registered  192.168.100.200  3c:22:fb:00:11:22  HUAWEI TECHNOLO…
        ");
        assert_eq!(render_long(Vec::new(), LOOK), NOBODY);
    }

    #[test]
    fn equals_are_in_the_order_of_their_names() {
        let devices = vec![fixture::device("b", &[]), fixture::device("a", &[])];
        let text = render(devices, &[], LOOK);
        assert!(text.lines().nth(2).unwrap().starts_with("a "), "{text}");
    }

    #[test]
    fn no_devices_are_said_so() {
        let text = render(Vec::new(), &[], LOOK);
        assert_eq!(text, "no device has been seen, and none is registered\n");
    }
}
