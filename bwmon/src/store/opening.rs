//! How a run begins: the database is opened and read, or what is in its place is moved aside.
//!
//! Where nothing can be written at the moment, what is there is read all the same.

use std::{fs::File, path::Path};

use jiff::{Timestamp, civil::Date};

use super::{
    directory::{Aside, DATABASE, Directory, lock_unwritable},
    error::StoreError,
    load,
    records::Loaded,
    schema,
    write::Writer,
};

/// A database that can be written.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) writer: Writer,
    pub(super) directory: Directory,
}

/// Opens the database for writing, and reads it.
pub(super) fn open(path: &Path, day: Date) -> Result<(Opened, Loaded), StoreError> {
    let directory = Directory::open(path)?;
    let try_open = || {
        let database = directory.database();
        let connection = schema::open(&database)?;
        let loaded = load::load(&connection, day)
            .map_err(|source| StoreError::new(database.clone(), "read", source))?;
        Ok((Writer::new(connection, database), loaded))
    };
    let (writer, loaded) = match try_open() {
        Err(error) => {
            let warning = move_aside(&directory, error)?;
            let (writer, mut loaded) = try_open()?;
            loaded.warnings.push(warning);
            (writer, loaded)
        }
        Ok(opened) => opened,
    };
    Ok((Opened { writer, directory }, loaded))
}

/// Reads what is there, and leaves it as it is. With the lock, where there is something to lock.
pub(super) fn read(path: &Path, day: Date) -> Result<(Option<File>, Loaded), StoreError> {
    let lock = lock_unwritable(path)?;
    let database = path.join(DATABASE);
    let try_read = || {
        if !database.exists() {
            return Ok(Loaded::default());
        }
        let Some(connection) = schema::open_unwritable(&database)? else {
            return Ok(Loaded {
                warnings: vec![format!(
                    "the database {} is of an earlier version, which is brought up to date and read only once it can be written",
                    database.display()
                )],
                ..Loaded::default()
            });
        };
        load::load(&connection, day)
            .map_err(|source| StoreError::new(database.clone(), "read", source))
    };
    let loaded = try_read().or_else(|error| {
        let (_, what) = useless(&error).ok_or(error)?;
        Ok(Loaded {
            warnings: vec![format!(
                "the database {} {what}; it is to be moved aside, and history begins anew",
                database.display()
            )],
            ..Loaded::default()
        })
    })?;
    Ok((lock, loaded))
}

/// Moves aside what can't be used, and says so. Any other error is returned.
pub(super) fn move_aside(directory: &Directory, error: StoreError) -> Result<String, StoreError> {
    let Some((why, what)) = useless(&error) else {
        return Err(error);
    };
    let aside = directory.move_aside(why, Timestamp::now())?;
    let database = directory.database();
    let back = match why {
        Aside::Newer => "; to go on with it, stop bwmon, move it back, and start the newer one",
        Aside::Corrupt | Aside::Foreign => "",
    };
    Ok(format!(
        "the database {} {what}; it was moved to {}, and history begins anew{back}",
        database.display(),
        aside.display(),
    ))
}

/// Why a database is of no use here.
fn useless(error: &StoreError) -> Option<(Aside, String)> {
    match error {
        StoreError::Corrupt { what, .. } => Some((Aside::Corrupt, format!("was damaged ({what})"))),
        StoreError::Foreign { what, .. } => {
            Some((Aside::Foreign, format!("was another program's ({what})")))
        }
        StoreError::TooNew { found, known, .. } => Some((
            Aside::Newer,
            format!("was of a newer bwmon (version {found}, this one knows up to {known})"),
        )),
        _ => None,
    }
}
