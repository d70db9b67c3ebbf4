//! Interfaces come, go and change; others use the same hooks; the daemon dies. It counts whenever it
//! can, takes nothing away from anybody, and leaves nothing behind.

use nix::sys::signal::Signal;

use bwmon_tests::{
    Counted, Daemon, ForeignProgram, Hook, Lan, Link, Namespace, Program, Programs, SOON, Setup,
    ip, wait_until,
};

const CONFIG: &str = "local_networks = [\"192.0.2.0/24\"]\n";
const DEVICE: &str = "192.0.2.7";
const PEER: &str = "198.51.100.1";

#[test]
fn an_interface_missing_at_start_is_counted_once_it_is_there() {
    let lan = Lan::new();
    lan.lan.delete();
    let mut daemon = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .start_unattached();
    daemon.wait_for_samples(2);
    lan.rejoin();
    wait_attached(&mut daemon, "lan0");
    assert_counts_on(&daemon, &lan);
}

#[test]
fn an_interface_that_was_down_counts_on() {
    let lan = Lan::new();
    let mut daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    assert_counts_on(&daemon, &lan);
    lan.lan.set("down");
    daemon.wait_for_samples(2);
    lan.lan.set("up");
    lan.lan.wait_up();
    lan.device.wait_up();
    wait_attached(&mut daemon, "lan0");
    assert_counts_on(&daemon, &lan);
}

#[test]
fn a_renamed_interface_that_still_matches_counts_on_without_a_gap() {
    let mut lan = Lan::new();
    let mut daemon = Setup::new(&lan.router, &["lan*"]).config(CONFIG).start();
    assert_counts_on(&daemon, &lan);
    lan.lan.set("name lan9");
    lan.lan.name = "lan9".to_owned();
    // At once: whoever attaches anew after a while misses this.
    assert_counts_on(&daemon, &lan);
    wait_attached(&mut daemon, "lan9");
    assert!(
        daemon.api.interface("lan0").is_err(),
        "the old name is still there"
    );
    assert_counts_on(&daemon, &lan);
}

#[test]
fn an_interface_that_has_its_name_back_is_counted_again() {
    let lan = Lan::new();
    let mut daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    assert_counts_on(&daemon, &lan);
    lan.lan.set("name other");
    daemon.wait_for_samples(2);
    lan.router.ip("link set dev other name lan0");
    wait_attached(&mut daemon, "lan0");
    assert_counts_on(&daemon, &lan);
}

#[test]
fn an_interface_deleted_and_made_again_is_counted_again() {
    let lan = Lan::new();
    let mut daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    for _ in 0..2 {
        assert_counts_on(&daemon, &lan);
        lan.lan.delete();
        wait_detached(&daemon);
        lan.rejoin();
        wait_attached(&mut daemon, "lan0");
    }
    assert_counts_on(&daemon, &lan);
}

#[test]
fn an_interface_moved_to_another_namespace_and_back_is_counted_again() {
    let lan = Lan::new();
    let elsewhere = Namespace::new("elsewhere");
    let mut daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    assert_counts_on(&daemon, &lan);
    lan.lan.set(&format!("netns {}", elsewhere.name()));
    wait_detached(&daemon);
    elsewhere.ip(&format!("link set dev lan0 netns {}", lan.router.name()));
    lan.lan.set("arp off");
    lan.lan.set("up");
    lan.lan.wait_up();
    lan.device.wait_up();
    wait_attached(&mut daemon, "lan0");
    assert_counts_on(&daemon, &lan);
}

#[test]
fn an_interface_replaced_between_two_samples_is_counted_again() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let mut daemon = setup
        .config(&format!("poll_interval = \"2s\"\n{CONFIG}"))
        .start();
    lan.lan.delete();
    lan.rejoin();
    wait_until("our program on the new interface", SOON, || {
        let programs = lan.lan.programs();
        if programs.xdp.is_empty() || programs.tcx_egress.is_empty() {
            Err(format!("{programs:?}"))
        } else {
            Ok(())
        }
    });
    wait_attached(&mut daemon, "lan0");
    assert_counts_on(&daemon, &lan);
}

#[test]
fn a_foreign_xdp_program_stays_and_the_daemon_falls_back_and_says_by_whom() {
    let lan = Lan::new();
    let foreign = ForeignProgram::attach(&lan.lan, Hook::Xdp, "somebody_elses");
    let daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    let interface = wait_until("the interface", SOON, || daemon.api.interface("lan0"));
    assert_eq!(interface.ingress_mode.as_deref(), Some("tc"));
    daemon.wait_for_log(&["lan0", "somebody_elses", &foreign.id.to_string()]);
    assert_counts_on(&daemon, &lan);
    daemon.terminate();
    let programs = lan.lan.programs();
    assert_eq!(
        programs
            .xdp
            .iter()
            .map(|program| program.id)
            .collect::<Vec<_>>(),
        [foreign.id]
    );
    assert_eq!(programs.names_without(foreign.id), [""; 0]);
}

#[test]
fn foreign_tcx_programs_stay_beside_ours() {
    let lan = Lan::new();
    let ingress = ForeignProgram::attach(&lan.lan, Hook::TcxIngress, "foreign_in");
    let egress = ForeignProgram::attach(&lan.lan, Hook::TcxEgress, "foreign_out");
    let setup = Setup::new(&lan.router, &["lan0"]);
    let daemon = setup
        .config(&format!("xdp_mode = \"tc\"\n{CONFIG}"))
        .start();
    assert_counts_on(&daemon, &lan);
    let ids = |programs: &[Program]| {
        programs
            .iter()
            .map(|program| program.id)
            .collect::<Vec<_>>()
    };
    let programs = lan.lan.programs();
    assert_eq!(
        (programs.tcx_ingress.len(), programs.tcx_egress.len()),
        (2, 2)
    );
    assert!(ids(&programs.tcx_ingress).contains(&ingress.id));
    assert!(ids(&programs.tcx_egress).contains(&egress.id));
    daemon.terminate();
    let programs = lan.lan.programs();
    assert_eq!(ids(&programs.tcx_ingress), [ingress.id]);
    assert_eq!(ids(&programs.tcx_egress), [egress.id]);
}

#[test]
fn a_killed_daemon_leaves_no_program_behind() {
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
    let programs = lan.lan.programs();
    assert!(
        !programs.xdp.is_empty() && !programs.tcx_egress.is_empty(),
        "{programs:?}"
    );
    daemon.kill();
    wait_until("the programs to go", SOON, || nothing_on(&lan.lan));
}

#[test]
fn sigterm_and_sigint_detach_and_exit_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let lan = Lan::new();
        let mut daemon = Setup::new(&lan.router, &["lan0"]).config(CONFIG).start();
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0), "{signal}");
        assert_eq!(nothing_on(&lan.lan), Ok(()), "{signal}");
    }
}

#[test]
fn clsact_filters_of_a_killed_daemon_are_replaced_by_the_next_one() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(&format!(
        "xdp_mode = \"tc\"\ntc_mode = \"clsact\"\n{CONFIG}"
    ));
    setup.start().kill();
    let daemon = setup.start();
    assert_eq!(lan.lan.programs().clsact.len(), 2, "one program each way");
    assert_counts_on(&daemon, &lan);
    daemon.terminate();
    assert_eq!(nothing_on(&lan.lan), Ok(()));
}

fn nothing_on(link: &Link) -> Result<(), String> {
    let programs = link.programs();
    if programs == Programs::default() {
        Ok(())
    } else {
        Err(format!("{programs:?}"))
    }
}

fn wait_attached(daemon: &mut Daemon, name: &str) {
    let api = daemon.api.clone();
    daemon.wait_for("the daemon to attach", || {
        let interface = api.interface(name)?;
        let is_attached = interface.ingress_mode.is_some() && interface.egress_mode.is_some();
        if is_attached {
            Ok(())
        } else {
            Err(format!("{interface:?}"))
        }
    });
}

fn wait_detached(daemon: &Daemon) {
    wait_until("the daemon to notice", SOON, || {
        let interfaces = daemon.api.interfaces()?;
        match interfaces
            .iter()
            .any(|interface| interface.ingress_mode.is_some())
        {
            true => Err(format!("{interfaces:?}")),
            false => Ok(()),
        }
    });
}

/// Traffic in both directions adds to the device's counts exactly what it is.
#[track_caller]
fn assert_counts_on(daemon: &Daemon, lan: &Lan) {
    let before = wait_until("counts", SOON, || daemon.api.address(ip(DEVICE)));
    let sent = lan.upload((0..20).map(|n| Lan::packet(DEVICE, PEER).length(100 + n).build()));
    let received = lan.download((0..10).map(|n| Lan::packet(PEER, DEVICE).length(400 + n).build()));
    wait_until("the device's counts", SOON, || {
        let now = daemon.api.address(ip(DEVICE))?;
        let grown: (Counted, Counted) = (now.sent - before.sent, now.received - before.received);
        if grown == (sent, received) {
            Ok(())
        } else {
            Err(format!("{grown:?}"))
        }
    });
}
