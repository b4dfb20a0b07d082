//! The HTTP server itself: workers, sockets and their limits. Each setting that is not the default states why.

use std::{any::Any, io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{HttpServer, dev::Server, rt::net::TcpStream, web};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::{
    app::Running,
    http::{access::Access, service::service, site::Site},
    live,
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 2_048;
/// Open connections per worker; further ones wait in the backlog.
const CONNECTIONS_PER_WORKER_MAX: usize = 16_384;
/// An idle connection is kept this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The head of a request must arrive within this time, so that a client that sends half of it holds nothing for long.
const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(10);
/// Graceful stop: requests under way get this long. A follower of the log has no end of its own and always takes all of it,
/// so it is short enough that the actors and the checkpoint still fit into ten seconds.
const SHUTDOWN_SECONDS: u64 = 3;
/// Unsent bytes the kernel holds per connection: without a limit a stalled reader hides megabytes there.
const SEND_BUFFER_BYTES: usize = 32 << 10;
/// On the loopback a segment may be as large as that whole buffer. Then a reader has seen only one segment when the buffer is full, and
/// acknowledges it 40 ms later: any larger answer would take as long. Segments of a network are smaller anyway.
#[cfg(unix)]
const SEGMENT_BYTES_MAX: u32 = 8 << 10;
/// A client whose request was refused before all of it had come may go on sending for this long: were the connection closed at once, the
/// kernel would throw away the answer that it has not read. A session that was closed waits as long for its peer to close.
const LINGER: Duration = Duration::from_secs(2);
/// A peer that reads nothing for this long is gone: the kernel ends the connection, even when the worker cannot.
const UNACKNOWLEDGED_WAIT: Duration = Duration::from_secs(15);
/// Bytes rendered before the socket must take some; it also bounds what a live session keeps after a burst.
const WRITE_BUFFER_BYTES: usize = 8_192;

/// Starts serving; the address is the one really bound. Must be called inside an actix system.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(running: Arc<Running>) -> io::Result<(Server, SocketAddr)> {
    let app = running.current();
    let listener = listen(app.config.listen)?;
    let address = listener.local_addr()?;
    let workers = app.config.workers_resolved();
    let (site, access) = (Arc::new(Site::of(&app.config)), Arc::new(Access::of(&app)));
    let server = HttpServer::new(move || {
        running.lend_this_thread();
        service(web::Data::from(Arc::clone(&running)), Arc::clone(&site), Arc::clone(&access))
    })
    .workers(workers)
    .keep_alive(KEEP_ALIVE)
    .max_connections(CONNECTIONS_PER_WORKER_MAX)
    .client_request_timeout(REQUEST_HEAD_WAIT)
    .client_disconnect_timeout(LINGER)
    // A client may end its body by closing its half, and still read the answer. Those that left answers without end are found by `live`.
    .h1_allow_half_closed(true)
    .tcp_nodelay(true)
    .h1_write_buffer_size(WRITE_BUFFER_BYTES)
    .on_connect(|connection, data| {
        bound_the_socket(connection);
        live::on_connect(connection, data);
    })
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok((server, address))
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for connections of the last run to time out.
    socket.set_reuse_address(true)?;
    // Best effort: without it large answers are only slower.
    #[cfg(unix)]
    if let Err(error) = socket.set_tcp_mss(SEGMENT_BYTES_MAX) {
        tracing::debug!(%error, "segments on the loopback stay as large as they come");
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bound_the_socket(connection: &dyn Any) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    let bounded = socket.set_send_buffer_size(SEND_BUFFER_BYTES).and_then(|()| user_timeout(&socket));
    if let Err(error) = bounded {
        tracing::debug!(%error, "a connection's socket options could not be set");
    }
}

#[cfg(target_os = "linux")]
fn user_timeout(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_WAIT))
}

#[cfg(not(target_os = "linux"))]
fn user_timeout(socket: &SockRef<'_>) -> io::Result<()> {
    let _ = UNACKNOWLEDGED_WAIT;
    socket.set_keepalive(true)
}
