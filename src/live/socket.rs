//! A second handle on a connection's socket. A blocked socket stops its session actor, timers included,
//! so only an outside holder of the socket can end the session.

use std::{
    any::Any,
    mem::MaybeUninit,
    net::Shutdown,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::{Resource, getrlimit};
use socket2::{SockRef, Socket};

/// A second handle costs a file. Only this part of the files this process may open is used for them; a connection without one
/// is ended by the kernel's own timeout, which takes longer.
const FILES_PART: u64 = 4;

/// Current handles.
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
    /// Whether the peer has closed its half. A client of an answer without end has nothing more to send, so it is gone then.
    #[must_use]
    pub fn is_left(&self) -> bool {
        matches!(self.0.0.peek(&mut [MaybeUninit::uninit()]), Ok(0))
    }

    /// Ends the connection both ways; its poller sees that.
    pub fn shutdown(&self) {
        // It may be closed already, which is fine.
        let _ = self.0.0.shutdown(Shutdown::Both);
    }
}

/// Stores each accepted connection's handle for the handshake; call it from `HttpServer::on_connect`.
/// A connection that is not a TCP stream is left alone: its sessions rely on their own timers.
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
