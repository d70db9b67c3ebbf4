-- What was imported from other programs: a row for each file and subject.
CREATE TABLE import (
    key     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,                    -- when
    source  TEXT NOT NULL,                       -- the format, and which part of the file
    file    TEXT NOT NULL,
    hash    TEXT NOT NULL,                       -- of the file: SHA-256
    series  INTEGER NOT NULL,
    first   INTEGER NOT NULL,                    -- the period, in minutes from the epoch
    until   INTEGER NOT NULL
) STRICT;
CREATE INDEX import_hash ON import (hash);

-- It stays apart from what bwmon counted, each amount once, in the tier that is true to it: so tiers
-- agree with each other, whatever is imported, and nothing of it is ever counted twice.
CREATE TABLE history_import (
    at               INTEGER NOT NULL,
    series           INTEGER NOT NULL,
    tier             INTEGER NOT NULL,           -- 0 minute, 1 quarter, 2 hour, 3 day
    until            INTEGER NOT NULL,
    sent             INTEGER NOT NULL,
    received         INTEGER NOT NULL,
    sent_packets     INTEGER NOT NULL,
    received_packets INTEGER NOT NULL,
    active_seconds   INTEGER,                    -- NULL where the file does not say
    is_spread        INTEGER NOT NULL,           -- 1: a share of a longer period
    import           INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_import_series ON history_import (series, until);
