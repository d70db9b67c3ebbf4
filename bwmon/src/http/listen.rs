//! Binding the listener, early in the start, so that a mistake shows before anything is attached.

use std::{
    fmt, fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use super::{HttpError, guard::Reach};
use crate::config::Listen;

/// Owner and group may connect.
const SOCKET_MODE: u32 = 0o660;

/// A listener that has its address.
#[derive(Debug)]
pub enum Bound {
    /// A TCP socket.
    Tcp {
        /// Not blocking.
        listener: TcpListener,
        /// Where it really listens: the port is known even if port 0 was asked for.
        address: SocketAddr,
    },
    /// A Unix socket.
    Unix {
        /// Not blocking.
        listener: UnixListener,
        /// Removed when this is dropped.
        file: SocketFile,
    },
}

/// Takes the address.
///
/// # Errors
///
/// When it is taken, is none of this machine, or is not allowed.
pub fn bind(listen: &Listen) -> Result<Bound, HttpError> {
    match listen {
        Listen::Tcp(address) => bind_tcp(*address),
        Listen::Unix(path) => bind_unix(path),
    }
}

fn bind_tcp(address: SocketAddr) -> Result<Bound, HttpError> {
    let failed = |source| HttpError::Bind {
        listen: format!("http://{address}"),
        source,
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound::Tcp { listener, address })
}

fn bind_unix(path: &Path) -> Result<Bound, HttpError> {
    remove_stale(path)?;
    let failed = |source| HttpError::Bind {
        listen: format!("unix:{}", path.display()),
        source,
    };
    let listener = UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile::of(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(Bound::Unix { listener, file })
}

/// Removes the socket that a killed process left behind, and nothing else.
fn remove_stale(path: &Path) -> Result<(), HttpError> {
    let failed = |source| HttpError::StaleSocket {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(failed(err)),
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(_) => {
            return Err(HttpError::NotASocket {
                path: path.to_owned(),
            });
        }
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(HttpError::SocketInUse {
            path: path.to_owned(),
        }),
        Err(err) if err.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(err) => Err(failed(err)),
    }
}

impl Bound {
    /// Who can reach it.
    pub(super) fn reach(&self) -> Reach {
        match self {
            Self::Unix { .. } => Reach::Unix,
            Self::Tcp { address, .. } if address.ip().to_canonical().is_loopback() => {
                Reach::Loopback(address.ip().to_canonical())
            }
            Self::Tcp { .. } => Reach::Network,
        }
    }
}

/// As a reader would have to write it.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, .. } => write!(f, "http://{address}"),
            Self::Unix { file, .. } => write!(f, "unix:{}", file.path.display()),
        }
    }
}

/// The file of a Unix socket, which goes when its owner goes.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            inode: inode(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // By now the path may belong to a successor.
        if inode(&self.path).is_ok_and(|inode| inode == self.inode)
            && let Err(err) = fs::remove_file(&self.path)
        {
            log::warn!("cannot remove the socket {}: {err}", self.path.display());
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_an_error_that_names_it_and_the_way_out() {
        let first = bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let Bound::Tcp { address, .. } = first else {
            panic!("{first} is not TCP")
        };
        let error = bind(&Listen::Tcp(address)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on http://{address} (http.listen or --listen chooses another address)"
            )
        );
    }

    #[test]
    fn a_socket_lets_owner_and_group_in_and_goes_with_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.sock");
        let bound = bind(&Listen::Unix(path.clone())).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            SOCKET_MODE
        );
        assert_eq!(bound.to_string(), format!("unix:{}", path.display()));
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_nobody_answers_on_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        bind(&Listen::Unix(path)).unwrap();
    }

    #[test]
    fn a_socket_that_somebody_answers_on_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.sock");
        let _first = bind(&Listen::Unix(path.clone())).unwrap();
        let error = bind(&Listen::Unix(path.clone())).unwrap_err();
        assert!(matches!(error, HttpError::SocketInUse { .. }), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        fs::write(&path, "mine").unwrap();
        let error = bind(&Listen::Unix(path.clone())).unwrap_err();
        assert!(matches!(error, HttpError::NotASocket { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn the_socket_of_a_successor_survives_its_predecessor() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.sock");
        let first = bind(&Listen::Unix(path.clone())).unwrap();
        // Renamed away rather than removed, so that the inode can't be given out again.
        fs::rename(&path, directory.path().join("old.sock")).unwrap();
        let _second = bind(&Listen::Unix(path.clone())).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
