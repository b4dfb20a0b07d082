//! `aisled-load floor`: the least that a durable command over HTTP costs on this machine at this moment. A bare handler hands the request's
//! body to one actor, which writes it to a file with one `fdatasync` a group. Anything beyond it is the server's own cost.

mod file;
mod writer;

use std::{any::Any, net::SocketAddr, path::PathBuf, time::Duration};

use actix::{Actor, Addr, Arbiter, System};
use actix_web::{App, HttpResponse, HttpServer, dev::Server, rt::net::TcpStream, web};
use aisled::config::Config;
use anyhow::{Context, Result};
use bytes::Bytes;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::sync::oneshot;

pub use self::file::FloorFile;
use self::writer::{FloorWriter, Frame};

#[derive(clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The file to make and write, on the disk that is to be measured.
    #[arg(long)]
    file: PathBuf,
}

/// Serves until it is ended.
pub fn run(options: &Options) -> Result<()> {
    let file = FloorFile::create(&options.file).with_context(|| format!("cannot make {}", options.file.display()))?;
    System::new().block_on(async {
        let arbiter = Arbiter::new();
        let writer = FloorWriter::start_in_arbiter(&arbiter.handle(), |_| FloorWriter::new(file));
        let (server, address) = start(options.listen, writer)?;
        println!("listening on http://{address}");
        Ok(server.await?)
    })
}

/// Workers, sockets and limits as in `src/serve/server.rs`: only what happens with a request differs.
fn start(listen: SocketAddr, writer: Addr<FloorWriter>) -> Result<(Server, SocketAddr)> {
    let listener = bind(listen)?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || App::new().app_data(web::Data::new(writer.clone())).default_service(web::to(take)))
        .workers(Config::default().workers_resolved())
        .keep_alive(Duration::from_secs(75))
        .max_connections(16_384)
        .client_request_timeout(Duration::from_secs(10))
        .client_disconnect_timeout(Duration::ZERO)
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .h1_write_buffer_size(8_192)
        .on_connect(|connection, _| bound_the_socket(connection))
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok((server, address))
}

/// Answers with the frame's number once it is durable.
async fn take(body: Bytes, writer: web::Data<Addr<FloorWriter>>) -> HttpResponse {
    let (durable, answer) = oneshot::channel();
    if writer.try_send(Frame { bytes: body, durable }).is_err() {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match answer.await {
        Ok(number) => HttpResponse::Ok().content_type("application/json").body(format!(r#"{{"position":"{number}"}}"#)),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_mss(8 << 10)?;
    socket.bind(&address.into())?;
    socket.listen(2_048)?;
    Ok(socket.into())
}

fn bound_the_socket(connection: &dyn Any) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    // Best effort, as there. What ends dead connections is left out.
    let _ = socket.set_send_buffer_size(32 << 10);
}
