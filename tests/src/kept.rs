//! What is in the daemon's database, read without the daemon.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OpenFlags};

use crate::{conservation::Traffic, inject::Sent, setup::Setup};

/// A database at one moment.
#[derive(Debug)]
pub struct Kept {
    connection: Connection,
}

/// Makes the daemon write down what it knows, as each request does that changes something. Says
/// whether it could.
pub fn keep_now(setup: &Setup) -> bool {
    let asked = setup.command(["alerts", "mute", "--rule", "silent", "--for", "1h"]);
    asked.status.success()
}

impl Kept {
    /// Of a daemon that runs or has ended.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn open(directory: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(directory.join("bwmon.db"), flags);
        let connection = connection.expect("open the database");
        connection
            .execute_batch("BEGIN")
            .expect("read the database");
        Self { connection }
    }

    /// What history says that each subject moved, by subject; the same, whichever tier is asked.
    ///
    /// # Panics
    /// When the tiers don't agree.
    #[track_caller]
    pub fn history(&self) -> BTreeMap<String, Traffic> {
        let rolled: Option<i64> = self
            .connection
            .query_row("SELECT rolled FROM state", [], |row| row.get(0))
            .expect("the database has a state");
        let rolled = rolled.unwrap_or(i64::MIN);
        let minutes = self.tier("minute", i64::MIN);
        for tier in ["quarter", "hour", "day"] {
            let mut sums = self.tier(tier, i64::MIN);
            for (subject, moved) in self.tier("minute", rolled) {
                let sum = sums.entry(subject).or_default();
                sum.sent += moved.sent;
                sum.received += moved.received;
            }
            assert_eq!(sums, minutes, "{tier}");
        }
        minutes
    }

    /// What the days of all devices say that each used, by the id of the device.
    ///
    /// # Panics
    /// When there are no such tables.
    #[track_caller]
    pub fn usage(&self) -> BTreeMap<String, (u64, u64)> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT id, sum(sent), sum(received) FROM usage
                 JOIN device ON device.key = usage.device GROUP BY id",
            )
            .expect("the database has usage");
        let rows = statement.query_map([], |row| {
            let bytes = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
            Ok((row.get(0)?, (bytes.0 as u64, bytes.1 as u64)))
        });
        let rows: Result<_, _> = rows.expect("read usage").collect();
        rows.expect("usage is numbers")
    }

    fn tier(&self, tier: &str, from: i64) -> BTreeMap<String, Traffic> {
        let query = format!(
            "SELECT subject, sum(sent), sum(sent_packets), sum(received), sum(received_packets)
             FROM history_{tier} JOIN series ON key = series WHERE at >= ?1 GROUP BY subject"
        );
        let mut statement = self
            .connection
            .prepare(&query)
            .expect("the database has history");
        let rows = statement.query_map([from], |row| {
            let number = |place| row.get::<_, i64>(place).map(|number| number as u64);
            let counted = |bytes, packets| -> rusqlite::Result<Sent> {
                Ok(Sent {
                    bytes: number(bytes)?,
                    packets: number(packets)?,
                })
            };
            let traffic = Traffic {
                sent: counted(1, 2)?,
                received: counted(3, 4)?,
            };
            Ok((row.get(0)?, traffic))
        });
        let rows: Result<_, _> = rows.expect("read history").collect();
        rows.expect("history is numbers")
    }
}
