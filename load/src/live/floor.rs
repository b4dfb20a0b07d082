//! The least that a lone delivery costs on this machine at this moment: a bare loop that sends the same bytes to as many sockets, one
//! after the other, with readers that do nothing else. Anything beyond it is the server's own cost.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use tokio::{io::AsyncReadExt, task::JoinSet};

use super::watch::cpu_seconds;

/// Between two rounds everything that was sent is read, so that each send wakes a reader, as a lone delivery does.
const PAUSE: Duration = Duration::from_millis(20);
/// Rounds measured: CPU time is counted in hundredths of a second.
const ROUNDS: usize = 200;

/// Sends a CPU second of the sending thread; on loopback that includes the receiving half in the kernel.
pub fn lone_sends_per_cpu_second(receivers: usize, bytes: usize) -> Result<f64> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = listener.local_addr()?;
    let readers = thread::spawn(move || read_all(address, receivers));
    let mut sockets = (0..receivers).map(|_| accepted(&listener)).collect::<Result<Vec<_>>>()?;
    let message = vec![b'x'; bytes];
    let before = cpu_seconds("thread-self").context("no CPU time of this thread")?;
    for _ in 0..ROUNDS {
        for socket in &mut sockets {
            socket.write_all(&message)?;
        }
        thread::sleep(PAUSE);
    }
    let taken = cpu_seconds("thread-self").context("no CPU time of this thread")? - before;
    drop(sockets);
    readers.join().map_err(|_| anyhow!("the readers failed"))??;
    Ok((ROUNDS * receivers) as f64 / taken)
}

fn accepted(listener: &TcpListener) -> Result<TcpStream> {
    let (socket, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Reads on this many connections until they end.
fn read_all(address: SocketAddr, receivers: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for _ in 0..receivers {
            let mut socket = tokio::net::TcpStream::connect(address).await?;
            tasks.spawn_local(async move {
                let mut buffer = vec![0; 4_096];
                while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            });
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    })
}
