//! `nlbw -c json` and `nlbw -c csv`: what each device moved in a period that the export does not name.
//!
//! Rows tell families and protocols apart; here they are added up. Received is what nlbwmon calls rx,
//! a download, and sent is tx.

use std::collections::BTreeMap;

use bwmon_common::layout::Counter;
use csv::{ReaderBuilder, StringRecord, Trim};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Entry, ImportError, MAX_AMOUNT, MAX_ENTRIES, MAX_LINE, Named, Parsed, Period, When, json,
};
use crate::core::mac::MacAddr;

#[derive(Debug, Deserialize)]
struct Export {
    columns: Vec<String>,
    data: Vec<Vec<Value>>,
}

/// Where what is of use stands in a row.
#[derive(Clone, Copy, Debug)]
struct Columns {
    mac: Option<usize>,
    ip: Option<usize>,
    rx_bytes: usize,
    rx_pkts: Option<usize>,
    tx_bytes: usize,
    tx_pkts: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sent: Counter,
    received: Counter,
}

/// Reads either.
///
/// # Errors
///
/// The first mistake.
pub fn parse(text: &str, period: Period) -> Result<Parsed, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
    let sums = match text.trim_start().starts_with('{') {
        true => read_json(text)?,
        false => read_csv(text)?,
    };
    let entries = sums.into_iter().filter(|(_, sums)| {
        let all = sums.sent.bytes.saturating_add(sums.received.bytes);
        all > 0
    });
    Ok(Parsed {
        entries: entries
            .map(|(who, Sums { sent, received })| Entry {
                who,
                when: When::Days(period),
                sent,
                received,
                active: None,
            })
            .collect(),
        notes: Vec::new(),
    })
}

fn read_json(text: &str) -> Result<BTreeMap<Named, Sums>, ImportError> {
    let Export { columns, data } = json::read(text)?;
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let columns = Columns::find(&names)?;
    let mut sums = BTreeMap::new();
    for (number, row) in (1..).zip(data) {
        // Where a row stands in the text is not known any more.
        let fail = |what: String| ImportError::new(1, 1, format!("row {number} of data: {what}"));
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            })
            .collect();
        add(&mut sums, columns, |place| {
            cells.get(place).map_or("", String::as_str)
        })
        .map_err(fail)?;
    }
    Ok(sums)
}

fn read_csv(text: &str) -> Result<BTreeMap<Named, Sums>, ImportError> {
    if let Some(number) = text.lines().position(|line| line.len() > MAX_LINE) {
        let what = format!("the line is longer than {MAX_LINE} bytes; is this an export of nlbw?");
        return Err(ImportError::new(number + 1, 1, what));
    }
    let header = text.lines().next().unwrap_or_default();
    let separator = ['\t', ',', ';', '|']
        .into_iter()
        .find(|it| header.contains(*it));
    let mut reader = ReaderBuilder::new()
        .delimiter(separator.map_or(b'\t', |separator| separator as u8))
        .trim(Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        ImportError::new(
            usize::try_from(line).unwrap_or(1),
            1,
            "this is no row of a table",
        )
    };
    let header = reader.headers().map_err(broken)?.clone();
    let columns = Columns::find(&header.iter().collect::<Vec<_>>())?;
    let mut sums = BTreeMap::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(1, csv::Position::line);
        let fail = |what| ImportError::new(usize::try_from(line).unwrap_or(1), 1, what);
        add(&mut sums, columns, |place| {
            record.get(place).unwrap_or_default()
        })
        .map_err(fail)?;
    }
    Ok(sums)
}

/// Adds a row to what its device moved.
fn add<'a>(
    sums: &mut BTreeMap<Named, Sums>,
    columns: Columns,
    cell: impl Fn(usize) -> &'a str,
) -> Result<(), String> {
    let number = |place: usize, what: &str| -> Result<u64, String> {
        let number = cell(place).trim().parse().ok();
        number
            .filter(|number| *number <= MAX_AMOUNT)
            .ok_or_else(|| format!("{what} is no whole number"))
    };
    let optional = |place: Option<usize>, what: &str| match place {
        Some(place) => number(place, what),
        None => Ok(0),
    };
    let mac = columns.mac.map(|place| {
        let mac: Result<MacAddr, _> = cell(place).trim().parse();
        mac.map_err(|_| "mac is no MAC address".to_owned())
    });
    let mac = mac.transpose()?.filter(|mac| mac.is_station());
    let address = columns.ip.and_then(|place| cell(place).trim().parse().ok());
    let who = match (mac, address) {
        // All addresses of a MAC are one.
        (Some(_), _) => Named::Device {
            mac,
            address: None,
            name: None,
        },
        (None, Some(_)) => Named::Device {
            mac: None,
            address,
            name: None,
        },
        (None, None) => return Err("neither mac nor ip tells whose it is".to_owned()),
    };
    let (rx, tx) = (
        number(columns.rx_bytes, "rx_bytes")?,
        number(columns.tx_bytes, "tx_bytes")?,
    );
    let rx_packets = optional(columns.rx_pkts, "rx_pkts")?;
    let tx_packets = optional(columns.tx_pkts, "tx_pkts")?;
    let known = sums.entry(who).or_default();
    for (sum, bytes, packets) in [
        (&mut known.received, rx, rx_packets),
        (&mut known.sent, tx, tx_packets),
    ] {
        sum.bytes = sum.bytes.saturating_add(bytes);
        sum.packets = sum.packets.saturating_add(packets);
    }
    if sums.len() > MAX_ENTRIES {
        return Err(format!("more than {MAX_ENTRIES} devices"));
    }
    Ok(())
}

impl Columns {
    fn find(names: &[&str]) -> Result<Self, ImportError> {
        let find = |name: &str| names.iter().position(|other| other.trim() == name);
        let needed = |name: &str| {
            find(name).ok_or_else(|| {
                ImportError::new(
                    1,
                    1,
                    format!("there is no column {name}; is this an export of nlbw?"),
                )
            })
        };
        let columns = Self {
            mac: find("mac"),
            ip: find("ip"),
            rx_bytes: needed("rx_bytes")?,
            rx_pkts: find("rx_pkts"),
            tx_bytes: needed("tx_bytes")?,
            tx_pkts: find("tx_pkts"),
        };
        if columns.mac.is_none() && columns.ip.is_none() {
            let what = "there is neither a column mac nor ip; export with `-g mac`";
            return Err(ImportError::new(1, 1, what));
        }
        Ok(columns)
    }
}
