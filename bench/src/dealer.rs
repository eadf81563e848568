//! Threads that share nothing: one listening socket, and connections dealt in turn to single-threaded runtimes, so that
//! every thread has as many as the others, as with the gateways that are compared.

use std::net::{SocketAddr, TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The connections of one thread.
pub type Connections = UnboundedReceiver<TcpStream>;

/// Listens on `address` until the process is killed. `work` runs on each of `threads` threads, within a runtime of its
/// own.
///
/// # Errors
/// The address cannot be had, or a thread cannot be started.
pub fn deal<F>(address: SocketAddr, threads: usize, work: F) -> std::io::Result<()>
where
    F: AsyncFn(Connections) + Copy + Send + 'static,
{
    let listener = TcpListener::bind(address)?;
    let mut workers = Vec::new();
    for _ in 0..threads.max(1) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, connections) = unbounded_channel();
        workers.push(sender);
        std::thread::spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, work(connections));
        });
    }
    for worker in workers.iter().cycle() {
        let (stream, _) = listener.accept()?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        if worker.send(stream).is_err() {
            return Err(std::io::Error::other("a thread has ended"));
        }
    }
    Ok(())
}
