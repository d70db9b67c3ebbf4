//! Who else may do what bwmon may.

use std::io;

/// Keeps this thread's capabilities, and those of threads that it starts from now on, from programs
/// that they start: the service manager hands them over as ambient ones, which outlive `execve`.
///
/// # Errors
///
/// Where the kernel does not know ambient capabilities; then there are none.
pub fn keep_capabilities_from_programs() -> io::Result<()> {
    // SAFETY: this `prctl` takes numbers only.
    let result = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL,
            0,
            0,
            0,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
