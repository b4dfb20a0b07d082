//! A second handle on a connection's socket. A blocked socket stops its session actor, timers included,
//! so only somebody outside who holds the socket can end the session.

use std::{
    any::Any,
    net::Shutdown,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::{Resource, getrlimit};
use socket2::{SockRef, Socket};

/// A second handle costs a file. Only so large a part of the files this process may open goes to them; a connection without one
/// is ended by the kernel's own timeout, which takes longer.
const FILES_PART: u64 = 4;

/// Handles there are now.
static HANDLES: AtomicU64 = AtomicU64::new(0);
static HANDLES_MAX: LazyLock<u64> = LazyLock::new(|| getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / FILES_PART);

/// Shuts a connection down from outside.
#[derive(Debug, Clone)]
pub struct SocketHandle(Arc<Counted>);

#[derive(Debug)]
struct Counted(Socket);

impl Drop for Counted {
    fn drop(&mut self) {
        HANDLES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SocketHandle {
    /// Ends the connection both ways; whoever polls it sees that.
    pub fn shutdown(&self) {
        // It may be closed already, which is what is wanted.
        let _ = self.0.0.shutdown(Shutdown::Both);
    }
}

/// Leaves each accepted connection's handle where the handshake finds it; call it from `HttpServer::on_connect`.
/// A connection that is no TCP stream is left alone: its sessions rely on their own timers.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    if HANDLES.load(Ordering::Relaxed) >= *HANDLES_MAX {
        return;
    }
    match SockRef::from(stream).try_clone() {
        Ok(handle) => {
            HANDLES.fetch_add(1, Ordering::Relaxed);
            data.insert(SocketHandle(Arc::new(Counted(handle))));
        }
        Err(error) => tracing::warn!(%error, "cannot duplicate a connection's handle; out of file descriptors?"),
    }
}
