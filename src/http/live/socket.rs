//! A second handle on a connection's socket. A blocked socket stops its session actor, timers included,
//! so only somebody outside who holds the socket can end the session.

use std::{any::Any, net::Shutdown, sync::Arc, time::Duration};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use socket2::{SockRef, Socket};

/// What the kernel may hold for one slow reader beside the outbox.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// How long sent bytes may stay unacknowledged, or the peer's window shut, before the kernel gives the connection up.
const USER_TIMEOUT: Duration = Duration::from_secs(15);

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

/// Prepares each accepted connection; hand it to `HttpServer::on_connect`. A connection that is no TCP stream is left alone.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    // Both are precautions: a kernel that refuses them still serves.
    let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
    if let Ok(handle) = socket.try_clone() {
        data.insert(SocketHandle(Arc::new(handle)));
    }
}
