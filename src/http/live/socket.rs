//! A second handle on a connection's socket. A blocked socket stops its session actor, timers included,
//! so only somebody outside who holds the socket can end the session.

use std::{any::Any, net::Shutdown, sync::Arc};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use socket2::{SockRef, Socket};

/// Shuts a connection down from outside.
#[derive(Debug, Clone)]
pub struct SocketHandle(Arc<Socket>);

impl SocketHandle {
    /// Ends the connection both ways; whoever polls it sees that.
    pub fn shutdown(&self) {
        // It may be closed already, which is what is wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Leaves each accepted connection's handle where the handshake finds it; call it from `HttpServer::on_connect`.
/// A connection that is no TCP stream is left alone: its sessions rely on their own timers.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    match SockRef::from(stream).try_clone() {
        Ok(handle) => drop(data.insert(SocketHandle(Arc::new(handle)))),
        Err(error) => tracing::warn!(%error, "a connection gets no second handle; out of file descriptors?"),
    }
}
