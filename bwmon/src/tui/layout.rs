//! What is where on a screen of some size. It depends on nothing else, so that nothing jumps when
//! values change; and it is known to those who draw and to those who are clicked at.

use super::units::{RATE_WIDTH, SIZE_WIDTH};

/// A column of the table of devices, by which it can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Alerts.
    Mark,
    Name,
    Address,
    Vendor,
    Received,
    Sent,
    /// The last minute, of both directions.
    Minute,
    Today,
    /// Today against the threshold.
    Limit,
}

/// Where a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) column: Column,
    pub(super) x: u16,
    pub(super) width: u16,
}

/// Where what is, from top to bottom; `None`: there is no room for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) title: Option<u16>,
    pub(super) totals: Option<u16>,
    /// What is wrong; free when nothing is.
    pub(super) notice: Option<u16>,
    /// The charts of the last minute.
    pub(super) charts: Option<Block>,
    pub(super) heading: Option<u16>,
    /// The devices, or the page of one.
    pub(super) body: Block,
    pub(super) footer: Option<u16>,
}

/// Some lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) y: u16,
    pub(super) height: u16,
}

/// Free columns at the left.
pub(super) const MARGIN: u16 = 1;
/// Between two columns.
const GAP: u16 = 2;
const MARK_WIDTH: u16 = 2;
const NAME_WIDTH: u16 = 10;
/// `>999 %`.
pub(super) const PERCENT_WIDTH: u16 = 6;
/// An IPv4 address, or a good part of another.
const ADDRESS_WIDTH: u16 = 17;
const VENDOR_WIDTH: u16 = 20;
const CHART_HEIGHT: u16 = 5;

/// What a screen of `height` lines shows of the table of devices.
pub(super) fn lines(height: u16) -> Lines {
    let mut next = 0;
    let mut take = |is_there: bool, lines: u16| {
        is_there.then(|| {
            let y = next;
            next += lines;
            Block { y, height: lines }
        })
    };
    let title = take(height >= 4, 1);
    let totals = take(height >= 6, 1);
    let notice = take(height >= 10, 1);
    let charts = take(height >= 30, CHART_HEIGHT);
    // Air between charts and table.
    take(charts.is_some(), 1);
    let heading = take(height >= 3, 1);
    let footer = height >= 8;
    let line = |block: Option<Block>| block.map(|block| block.y);
    Lines {
        title: line(title),
        totals: line(totals),
        notice: line(notice),
        charts,
        heading: line(heading),
        body: Block {
            y: next,
            height: height.saturating_sub(next + u16::from(footer)),
        },
        footer: footer.then(|| height - 1),
    }
}

/// The columns of the table on a screen of `width`, from left to right.
pub(super) fn columns(width: u16) -> Vec<Slot> {
    let widths = widths(width.saturating_sub(2 * MARGIN));
    let mut x = MARGIN.min(width);
    let mut slots = Vec::with_capacity(widths.len());
    for (column, width) in widths {
        slots.push(Slot { column, x, width });
        // The mark is right before the name.
        x += width + if column == Column::Mark { 0 } else { GAP };
    }
    slots
}

/// The most important ones that fit, each as wide as others leave it.
fn widths(width: u16) -> Vec<(Column, u16)> {
    use Column::*;
    let Some(mut free) = width.checked_sub(MARK_WIDTH + NAME_WIDTH) else {
        return match width {
            0 => Vec::new(),
            width => vec![(Name, width)],
        };
    };
    let mut widths = vec![
        (Mark, MARK_WIDTH),
        (Name, NAME_WIDTH),
        (Address, 0),
        (Vendor, 0),
        (Received, 0),
        (Sent, 0),
        (Minute, 0),
        (Today, 0),
        (Limit, 0),
    ];
    // In the order of what they are worth: how much wider they get, and from which width on they
    // are of any use.
    let steps = [
        (Received, RATE_WIDTH, RATE_WIDTH),
        (Sent, RATE_WIDTH, RATE_WIDTH),
        (Today, SIZE_WIDTH, SIZE_WIDTH),
        (Limit, PERCENT_WIDTH, PERCENT_WIDTH),
        (Minute, 10, 10),
        (Limit, 5, 5),
        (Name, 10, 1),
        (Minute, 10, 1),
        (Limit, 4, 1),
        (Name, 6, 1),
        (Minute, 10, 1),
        (Address, ADDRESS_WIDTH, ADDRESS_WIDTH),
        (Vendor, VENDOR_WIDTH, VENDOR_WIDTH),
        (Minute, 30, 1),
        (Name, 14, 1),
    ];
    let mut is_narrow = false;
    for (column, wish, least) in steps {
        let Some((_, width)) = widths.iter_mut().find(|(other, _)| *other == column) else {
            continue;
        };
        let is_there = *width > 0;
        let gap = if is_there { 0 } else { GAP };
        // What is worth less does not take the place of what does not fit, so that they leave in
        // order; and only what is there gets wider.
        is_narrow |= least > 1 && free < gap + least;
        if is_narrow && least > 1 || free < gap + least || !is_there && least == 1 {
            continue;
        }
        let more = wish.min(free - gap);
        *width += more;
        free -= gap + more;
    }
    widths.retain(|(_, width)| *width > 0);
    widths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(width: u16) -> String {
        let slots = columns(width);
        let texts = slots
            .iter()
            .map(|slot| format!("{:?} {}", slot.column, slot.width));
        texts.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn columns_leave_in_the_order_of_their_worth() {
        let all: Vec<_> = [200, 120, 80, 70, 60, 50, 40, 20, 10, 3, 0]
            .map(|width| format!("{width}: {}\n", at(width)))
            .into();
        insta::assert_snapshot!(all.concat(), @"
        200: Mark 2, Name 40, Address 17, Vendor 20, Received 11, Sent 11, Minute 60, Today 7, Limit 15
        120: Mark 2, Name 26, Received 11, Sent 11, Minute 36, Today 7, Limit 15
        80: Mark 2, Name 16, Received 11, Sent 11, Minute 10, Today 7, Limit 11
        70: Mark 2, Name 11, Received 11, Sent 11, Minute 10, Today 7, Limit 6
        60: Mark 2, Name 13, Received 11, Sent 11, Today 7, Limit 6
        50: Mark 2, Name 11, Received 11, Sent 11, Today 7
        40: Mark 2, Name 10, Received 11, Sent 11
        20: Mark 2, Name 16
        10: Name 8
        3: Name 1
        0:
        ");
    }

    #[test]
    fn lines_leave_in_the_order_of_their_worth() {
        for (height, expected) in [
            (0, 0),
            (1, 1),
            (3, 2),
            (4, 2),
            (8, 4),
            (12, 7),
            (24, 19),
            (40, 29),
        ] {
            assert_eq!(lines(height).body.height, expected, "{height}");
        }
    }

    proptest! {
        #[test]
        fn everything_is_on_the_screen_and_beside_each_other(width in any::<u16>(), height in any::<u16>()) {
            let mut end = 0;
            for slot in columns(width) {
                prop_assert!(slot.x >= end && slot.width > 0);
                end = slot.x + slot.width;
            }
            prop_assert!(end <= width);
            let lines = lines(height);
            let heads = [lines.title, lines.totals, lines.notice, lines.heading];
            let mut heads: Vec<_> = heads.into_iter().flatten().collect();
            heads.dedup();
            prop_assert!(heads.is_sorted());
            prop_assert!(heads.iter().all(|y| *y < lines.body.y));
            prop_assert!(lines.body.y + lines.body.height <= height);
            prop_assert!(height == 0 || lines.body.height > 0);
        }
    }
}
