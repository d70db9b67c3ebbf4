//! Why what is counted on an interface may not be all that its owner looks for.

use super::{human, view::InterfaceView};

/// Below this, some packets were not seen; above it, the two counters were just not read at once.
const WHOLE: f64 = 0.999;
/// Fewer packets than this say nothing.
const ENOUGH_PACKETS: u64 = 1000;
/// Fewer bytes than this are of no use as a hint.
const ENOUGH_BYTES: u64 = 1_000_000;

/// One sentence for the owner: what is missing, the likely reason, and what to do. `None` where
/// nothing is.
pub fn hint(view: &InterfaceView) -> Option<String> {
    if !view.attached {
        return None;
    }
    table_full(view)
        .or_else(|| unseen(view))
        .or_else(|| elsewhere(view))
}

fn table_full(view: &InterfaceView) -> Option<String> {
    (view.overflow_bytes > 0).then(|| {
        format!(
            "the table is full: {} were of addresses that found no slot in it; raise max_addresses",
            human::bytes(view.overflow_bytes)
        )
    })
}

fn unseen(view: &InterfaceView) -> Option<String> {
    let passed = view.interface_packets.total();
    if passed < ENOUGH_PACKETS || view.coverage >= WHOLE {
        return None;
    }
    let missed = |counted: u64, passed: u64| passed.saturating_sub(counted);
    let sent = missed(view.counted_packets.sent, view.interface_packets.sent);
    let received = missed(
        view.counted_packets.received,
        view.interface_packets.received,
    );
    let direction = match (sent, received) {
        (sent, received) if sent > received.saturating_mul(4) => ", most of them sent by devices",
        (sent, received) if received > sent.saturating_mul(4) => {
            ", most of them received by devices"
        }
        _ => "",
    };
    Some(format!(
        "{} of {passed} packets passed without being counted{direction}: flow offload forwards them \
         in hardware or before bwmon (switch it off for this interface, or watch the one that they \
         leave by), or another XDP program takes them first",
        passed.saturating_sub(view.counted_packets.total()),
    ))
}

/// Most of it is of addresses that are not ours: the wrong side is watched, or a network is missing.
fn elsewhere(view: &InterfaceView) -> Option<String> {
    let all = view.counted_bytes.total();
    (view.outside_bytes >= ENOUGH_BYTES && view.outside_bytes > all / 2).then(|| {
        format!(
            "{} of {} are of addresses in no local network: watch the interface of the devices \
             instead of the one towards the internet, or name their networks in local_networks",
            human::bytes(view.outside_bytes),
            human::bytes(all)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::view::Directions;

    fn view() -> InterfaceView {
        let packets = Directions {
            sent: 400_000,
            received: 600_000,
        };
        let bytes = Directions {
            sent: 40_000_000,
            received: 900_000_000,
        };
        InterfaceView {
            attached: true,
            coverage: 1.0,
            counted_packets: packets,
            interface_packets: packets,
            counted_bytes: bytes,
            interface_bytes: bytes,
            ..InterfaceView::default()
        }
    }

    #[test]
    fn what_is_whole_or_not_attached_needs_no_hint() {
        assert_eq!(hint(&view()), None);
        let mut nearly = view();
        nearly.counted_packets.sent -= 900;
        nearly.coverage = 0.9991;
        assert_eq!(hint(&nearly), None);
        let mut young = view();
        young.interface_packets = Directions {
            sent: 9,
            received: 990,
        };
        young.coverage = 0.5;
        assert_eq!(hint(&young), None);
        let mut gone = view();
        gone.attached = false;
        gone.coverage = 0.0;
        assert_eq!(hint(&gone), None);
    }

    #[test]
    fn packets_that_were_not_seen_have_a_direction_and_likely_reasons() {
        let mut offloaded = view();
        offloaded.counted_packets.received = 100_000;
        offloaded.coverage = 0.5;
        insta::assert_snapshot!(
            hint(&offloaded).unwrap_or_default(),
            @"500000 of 1000000 packets passed without being counted, most of them received by devices: flow offload forwards them in hardware or before bwmon (switch it off for this interface, or watch the one that they leave by), or another XDP program takes them first"
        );
        offloaded.counted_packets.sent = 50_000;
        let text = hint(&offloaded).unwrap_or_default();
        assert!(!text.contains("most of them"), "{text}");
    }

    #[test]
    fn a_full_table_and_the_wrong_side_are_told() {
        let mut full = view();
        full.overflow_bytes = 12_000_000;
        insta::assert_snapshot!(
            hint(&full).unwrap_or_default(),
            @"the table is full: 12 MB were of addresses that found no slot in it; raise max_addresses"
        );
        let mut wrong = view();
        wrong.outside_bytes = 900_000_000;
        insta::assert_snapshot!(
            hint(&wrong).unwrap_or_default(),
            @"900 MB of 940 MB are of addresses in no local network: watch the interface of the devices instead of the one towards the internet, or name their networks in local_networks"
        );
    }
}
