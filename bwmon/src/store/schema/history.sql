ALTER TABLE state ADD COLUMN rolled INTEGER;       -- minutes before this are in the coarser tiers
ALTER TABLE state ADD COLUMN trusted_at INTEGER;   -- the latest time that was believed
ALTER TABLE state ADD COLUMN trusted_ran INTEGER NOT NULL DEFAULT 0;  -- `ran` of that moment

-- Whom history is about. Its id may come several times: devices that turned out to be one.
CREATE TABLE series (
    key     INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    name    TEXT,
    grp     TEXT
) STRICT;
CREATE INDEX series_subject ON series (subject);

-- What each moved from a minute on (counted from the epoch): bytes, then packets; the local parts
-- are contained in the totals. Then the highest rates, in bytes per second.
CREATE TABLE history_minute (
    at                     INTEGER NOT NULL,
    series                 INTEGER NOT NULL,
    sent                   INTEGER NOT NULL,
    received               INTEGER NOT NULL,
    sent_local             INTEGER NOT NULL,
    received_local         INTEGER NOT NULL,
    sent_packets           INTEGER NOT NULL,
    received_packets       INTEGER NOT NULL,
    sent_local_packets     INTEGER NOT NULL,
    received_local_packets INTEGER NOT NULL,
    peak_sent              INTEGER NOT NULL,
    peak_received          INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_quarter (
    at                     INTEGER NOT NULL,
    series                 INTEGER NOT NULL,
    sent                   INTEGER NOT NULL,
    received               INTEGER NOT NULL,
    sent_local             INTEGER NOT NULL,
    received_local         INTEGER NOT NULL,
    sent_packets           INTEGER NOT NULL,
    received_packets       INTEGER NOT NULL,
    sent_local_packets     INTEGER NOT NULL,
    received_local_packets INTEGER NOT NULL,
    peak_sent              INTEGER NOT NULL,
    peak_received          INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_hour (
    at                     INTEGER NOT NULL,
    series                 INTEGER NOT NULL,
    sent                   INTEGER NOT NULL,
    received               INTEGER NOT NULL,
    sent_local             INTEGER NOT NULL,
    received_local         INTEGER NOT NULL,
    sent_packets           INTEGER NOT NULL,
    received_packets       INTEGER NOT NULL,
    sent_local_packets     INTEGER NOT NULL,
    received_local_packets INTEGER NOT NULL,
    peak_sent              INTEGER NOT NULL,
    peak_received          INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_day (
    at                     INTEGER NOT NULL,
    series                 INTEGER NOT NULL,
    sent                   INTEGER NOT NULL,
    received               INTEGER NOT NULL,
    sent_local             INTEGER NOT NULL,
    received_local         INTEGER NOT NULL,
    sent_packets           INTEGER NOT NULL,
    received_packets       INTEGER NOT NULL,
    sent_local_packets     INTEGER NOT NULL,
    received_local_packets INTEGER NOT NULL,
    peak_sent              INTEGER NOT NULL,
    peak_received          INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;

-- The days that were kept so far. Their midnights are those of the machine's time zone, and nobody
-- knows their packets any more.
INSERT INTO series (subject) SELECT id FROM device ORDER BY key;
INSERT INTO history_day
SELECT CAST(strftime('%s', usage.day, 'utc') AS INTEGER) / 60, series.key,
       usage.sent, usage.received, usage.sent_local, usage.received_local, 0, 0, 0, 0, 0, 0
FROM usage
JOIN device ON device.key = usage.device
JOIN series ON series.subject = device.id
WHERE usage.sent + usage.received > 0;
-- The latest day goes on, hour by hour.
INSERT INTO history_quarter SELECT * FROM history_day WHERE at = (SELECT max(at) FROM history_day);
INSERT INTO history_hour SELECT * FROM history_day WHERE at = (SELECT max(at) FROM history_day);
