//! A flood of addresses that nobody has: whoever was there before keeps counting exactly, nothing is
//! lost, and the daemon does not grow.

use bwmon_tests::{
    Counted, Daemon, Lan, SOON, Setup, Traffic, balance, ip, wait_for_balance, wait_until,
};

const MAX_ADDRESSES: usize = 256;
const SPOOFED: usize = 20_000;
const LENGTH: usize = 120;
/// The daemon may keep what it learnt of 256 addresses, and hold an answer in memory.
const MOST_GROWTH_KIB: u64 = 4096;

#[test]
fn spoofed_sources_push_out_nobody() {
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(&format!(
            "local_networks = [\"2001:db8::/64\"]\nmax_addresses = {MAX_ADDRESSES}\n"
        ))
        .start();
    let earlier = ["2001:db8::7", "2001:db8::8", "2001:db8::9"];
    let device_frames = || {
        earlier
            .into_iter()
            .enumerate()
            .flat_map(|(index, source)| (0..10 + index).map(move |n| frame(source, LENGTH + n)))
    };
    let before_flood = lan.upload(device_frames());
    wait_until("the devices", SOON, || {
        let sum = devices_sum(&daemon, &earlier)?;
        if sum == before_flood {
            Ok(())
        } else {
            Err(format!("{sum:?}"))
        }
    });
    let memory = daemon.resident_kib();

    let flood = lan.upload((0..SPOOFED).map(|n| frame(&format!("2001:db8::bad:{n:x}"), LENGTH)));
    let after_flood = lan.upload(device_frames());

    let sent = before_flood + flood + after_flood;
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    assert_eq!(
        devices_sum(&daemon, &earlier),
        Ok(before_flood + after_flood)
    );
    let with_slot = MAX_ADDRESSES - earlier.len();
    let overflow = daemon
        .api
        .interface("lan0")
        .map(|interface| interface.overflow_bytes);
    assert_eq!(overflow, Ok(((SPOOFED - with_slot) * LENGTH) as u64));
    let addresses = daemon.api.addresses().map(|addresses| addresses.len());
    assert_eq!(addresses, Ok(MAX_ADDRESSES));
    assert_eq!(balance(&daemon.api), Ok(()));
    let grown = daemon.resident_kib().saturating_sub(memory);
    assert!(grown <= MOST_GROWTH_KIB, "the daemon grew by {grown} KiB");
}

fn frame(source: &str, length: usize) -> Vec<u8> {
    Lan::packet(source, "2001:db8:ffff::1")
        .length(length)
        .build()
}

fn devices_sum(daemon: &Daemon, devices: &[&str]) -> Result<Counted, String> {
    let addresses = daemon.api.addresses()?;
    let counts = devices
        .iter()
        .filter_map(|device| addresses.get(&ip(device)));
    Ok(counts.fold(Counted::default(), |sum, counts| sum + counts.sent))
}
