//! Thousands of sockets need as many open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files wanted: a server that this process starts inherits the limit.
const OPEN_FILES: u64 = 65_536;

/// Allows this process, and servers it starts, thousands of sockets: as many as wanted if allowed, else as many as allowed.
pub fn raise() {
    let allowed = getrlimit(Resource::Nofile).maximum;
    let wanted = allowed.map(|allowed| allowed.max(OPEN_FILES));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum: wanted });
    if raised.is_err() {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed });
    }
}
