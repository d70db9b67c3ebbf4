//! The harness itself: what the other tests take for granted about it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use bwmon_tests::{
    Answer, Capture, Counted, Direction, Flow, ForeignProgram, Frame, Hook, Lan, LinkCounters,
    Namespace, Program, Programs, Receiver, SOON, Segments, replay, transfer, wait_until,
};

fn frame() -> Frame {
    Lan::packet("192.0.2.7", "192.0.2.1")
}

#[test]
fn both_ends_of_a_veth_count_what_was_sent_and_nothing_else() {
    let lan = Lan::new();
    let up = lan.upload((0..1000).map(|n| frame().length(60 + n).build()));
    let down = lan.download((0..10).map(|_| frame().length(1514).build()));
    assert_eq!(
        up,
        Counted {
            packets: 1000,
            bytes: (60..1060).sum()
        }
    );
    let (lan, device) = (lan.lan.counters(), lan.device.counters());
    assert_eq!((lan.rx, lan.tx), (up, down));
    assert_eq!((device.rx, device.tx), (down, up));
}

#[test]
fn every_capture_comes_through_whole() {
    let Some(captures) = Capture::all() else {
        return;
    };
    let lan = Lan::new();
    for capture in captures {
        let before = lan.lan.counters();
        replay(&lan.device, &capture.path);
        wait_until(&capture.name(), SOON, || {
            let arrived = (lan.lan.counters() - before).rx;
            if arrived == capture.total {
                Ok(())
            } else {
                Err(format!("{arrived:?}"))
            }
        });
    }
}

#[test]
fn segments_of_tcp_are_the_frames_of_a_link_without_offloads() {
    let lan = Lan::new();
    lan.give_addresses();
    for link in [&lan.lan, &lan.device] {
        link.offloads(&["tso", "gso", "gro"], "off");
    }
    for is_v6 in [false, true] {
        let server = lan.router_address(is_v6);
        for direction in [Direction::Upload, Direction::Download] {
            let (sender, link) = match direction {
                Direction::Upload => (&lan.devices, &lan.device),
                Direction::Download => (&lan.router, &lan.lan),
            };
            let (segments, counters) = (Segments::read(sender, is_v6), link.counters());
            transfer(&lan.devices, &lan.router, server, direction, 20);
            let expected = (link.counters() - counters).tx;
            let worked_out = Segments::read(sender, is_v6).wire_since(segments, is_v6);
            assert!(expected.packets > 10_000, "{expected:?}");
            assert_eq!(
                worked_out.packets, expected.packets,
                "{direction:?} IPv6: {is_v6}"
            );
            let difference = worked_out.bytes.abs_diff(expected.bytes);
            assert!(
                difference < expected.bytes / 10_000,
                "{worked_out:?} {expected:?}"
            );
        }
    }
}

#[test]
fn a_foreign_program_is_on_the_hook_until_dropped() {
    let lan = Lan::new();
    for hook in [Hook::Xdp, Hook::TcxIngress, Hook::TcxEgress] {
        let foreign = ForeignProgram::attach(&lan.lan, hook, "somebody_elses");
        let Programs {
            xdp,
            tcx_ingress,
            tcx_egress,
            clsact,
        } = lan.lan.programs();
        let (here, others) = match hook {
            Hook::Xdp => (xdp, [tcx_ingress, tcx_egress]),
            Hook::TcxIngress => (tcx_ingress, [xdp, tcx_egress]),
            Hook::TcxEgress => (tcx_egress, [xdp, tcx_ingress]),
        };
        assert_eq!(
            here,
            [Program {
                id: foreign.id,
                name: "somebody_elses".to_owned()
            }]
        );
        assert!(others.iter().all(Vec::is_empty) && clsact.is_empty());
        drop(foreign);
        assert_eq!(lan.lan.programs(), Programs::default());
    }
}

#[test]
fn a_receiver_takes_fails_hangs_closes_and_refuses() {
    let namespace = Arc::new(Namespace::new("receiver"));
    let mut receiver = Receiver::start(&namespace);
    let address = receiver.url().replace("http://", "").replace("/events", "");
    let body = r#"{"state": "firing", "rule": "rate"}"#;
    let request = format!(
        "POST /events HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let post = || -> std::io::Result<String> {
        let mut stream = namespace.enter(|| TcpStream::connect(&address))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = post().expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    receiver.set(Answer::Fail);
    let answer = post().expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    receiver.set(Answer::Close);
    assert_eq!(post().ok().as_deref(), Some(""));
    receiver.set(Answer::Hang);
    std::thread::scope(|scope| {
        let hanging = scope.spawn(post);
        wait_until("the request to hang", SOON, || {
            if receiver.attempts() == 4 {
                Ok(())
            } else {
                Err(receiver.attempts())
            }
        });
        assert!(!hanging.is_finished(), "the receiver answered");
        receiver.set(Answer::Accept);
        assert_eq!(hanging.join().expect("no panic").ok().as_deref(), Some(""));
    });
    receiver.close();
    assert!(post().is_err(), "the receiver does not refuse");
    receiver.open();
    assert!(post().is_ok(), "the receiver still refuses");
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.is("rate", "firing"))
    );
}

#[test]
fn a_namespace_is_gone_after_a_panic() {
    let name = std::panic::catch_unwind(|| {
        let namespace = Namespace::new("panic");
        std::panic::panic_any(namespace.name().to_owned());
    });
    let name = name.expect_err("it panics");
    let name = name.downcast_ref::<String>().expect("it says the name");
    assert!(!std::path::Path::new("/run/netns").join(name).exists());
}

/// The correction that the other tests make.
#[test]
fn a_veth_leaves_the_ethernet_header_out_of_the_bytes_that_native_xdp_received() {
    let lan = Lan::new();
    let _program = ForeignProgram::attach(&lan.lan, Hook::Xdp, "passes");
    let before = lan.lan.counters();
    let up = lan.upload((0..1000).map(|n| frame().length(60 + n).build()));
    let down = lan.download((0..100).map(|n| frame().length(60 + n).build()));
    let LinkCounters { rx, tx, .. } = lan.lan.counters() - before;
    assert_eq!(
        Counted {
            bytes: rx.bytes + 14 * rx.packets,
            ..rx
        },
        up
    );
    assert_eq!(tx, down);
}

#[test]
fn a_flow_keeps_its_pace_and_loses_nothing() {
    let lan = Lan::new();
    let _program = ForeignProgram::attach(&lan.lan, Hook::Xdp, "passes");
    let before = lan.lan.counters();
    let start = Instant::now();
    let flow = Flow::start(&lan.device, frame().length(400).build(), 2000);
    wait_until("a thousand frames", SOON, || match flow.sent().packets {
        1000.. => Ok(()),
        packets => Err(packets),
    });
    let took = start.elapsed();
    assert!(
        took >= Duration::from_millis(450),
        "{took:?} for half a second's frames"
    );
    let sent = flow.stop();
    wait_until("the last frame", SOON, || {
        let arrived = (lan.lan.counters() - before).rx.packets;
        if arrived == sent.packets {
            Ok(())
        } else {
            Err(arrived)
        }
    });
}
