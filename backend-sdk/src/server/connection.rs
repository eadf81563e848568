//! One connection of a server: its life from the handshake to the drain, and how it ends.

use super::calls::Calls;
use super::registry::Registry;
use super::slots::Slots;
use super::{Orders, Phase};
use crate::connection::{Link, Lost, PATIENT, Stream, Turn};
use crate::fresh::Fresh;
use crate::layer::Layers;
use callgate_protocol::{Inbound, ProtocolError, Role, Tokens};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// Tokens with the name by which their callers are known, if they have one.
pub(crate) type Named<T> = (Option<Arc<str>>, T);

/// Whether a peer may say for whom it calls.
pub(crate) type Speakers = Arc<dyn Fn(&crate::Peer) -> bool + Send + Sync>;

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) slots: Arc<Slots>,
    pub(crate) layers: Option<Layers>,
    /// Whether the runtime has one thread for everything.
    pub(crate) one_thread: bool,
    /// Who brings none of them along is not let in; where there are none, everybody is.
    pub(crate) tokens: Vec<Named<Arc<Fresh<Tokens>>>>,
    /// Whose word counts that says who calls; everybody's where nothing is said.
    pub(crate) speakers: Option<Speakers>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::tls::Accepting>,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(
    stream: Stream,
    address: String,
    shared: Arc<Shared>,
    mut orders: watch::Receiver<Orders>,
) {
    let secured = tokio::select! {
        biased;
        secured = secure(stream, address, &shared) => secured,
        // Nobody has been told of anything yet.
        () = draining(&mut orders) => return,
    };
    if let Some((stream, caller)) = secured {
        speak(stream, caller, shared, orders).await;
    }
}

/// Shakes hands by TLS, where that is spoken. Who comes to nothing by it is logged, unless it has only looked at the port.
#[cfg(feature = "tls")]
async fn secure(stream: Stream, address: String, shared: &Shared) -> Option<(Stream, crate::Peer)> {
    match (stream, &shared.tls) {
        (Stream::Tcp(stream), Some(tls)) => match tls.accept(stream).await {
            Ok(Some(secured)) => {
                let caller = crate::Peer::at(address).with_certificate(secured.certificate);
                Some((secured.stream, caller))
            }
            Ok(None) => {
                tracing::debug!(peer = address, "connection closed");
                None
            }
            Err(error) => {
                tracing::warn!(peer = address, error, "a caller was not let in: no TLS connection");
                None
            }
        },
        (stream, _) => Some(plain(stream, address)),
    }
}

#[cfg(not(feature = "tls"))]
async fn secure(stream: Stream, address: String, _: &Shared) -> Option<(Stream, crate::Peer)> {
    Some(plain(stream, address))
}

/// As it is: what is known of its other end is what the kernel knows.
fn plain(stream: Stream, address: String) -> (Stream, crate::Peer) {
    let caller = crate::Peer::at(address).with_user(stream.user());
    (stream, caller)
}

async fn draining(orders: &mut watch::Receiver<Orders>) {
    // An error would mean that the server is gone, and with it this task.
    let _ = orders.wait_for(|orders| orders.phase >= Phase::Draining).await;
}

/// Speaks the protocol.
async fn speak(stream: Stream, caller: crate::Peer, shared: Arc<Shared>, orders: watch::Receiver<Orders>) {
    let caller = Arc::new(caller);
    let mut tokens = Vec::with_capacity(shared.tokens.len());
    for (name, kept) in &shared.tokens {
        tokens.push((name.clone(), kept.get().await));
    }
    let hello = shared.registry.hello();
    let inbound = Inbound::of(Role::Acceptor, hello, Some(shared.slots.budget.clone()));
    let mut link = Link::new(stream, inbound, PATIENT);
    let mut calls = Calls::new(shared, caller.clone(), tokens);
    let peer = caller.address();
    let lost = match drive(&mut link, &mut calls, orders).await {
        Ok(()) => {
            tracing::debug!(peer, "connection drained");
            return link.farewell(&mut calls).await;
        }
        Err(lost) => lost,
    };
    let running = calls.open();
    // Cancels them, before anything here takes time.
    calls.lose();
    match lost {
        Lost::Protocol(ProtocolError::NoToken | ProtocolError::WrongToken) => {
            tracing::warn!(peer, identity = caller.identity(), error = %lost, "a caller was not let in");
            calls.go_away_with(0, &lost.to_string());
            link.farewell(&mut calls).await;
        }
        Lost::Protocol(_) | Lost::NoHandshake => {
            tracing::warn!(peer, running, error = %lost, "connection refused to go on");
            calls.go_away_with(link.inbound().last_call(), &lost.to_string());
            link.farewell(&mut calls).await;
        }
        Lost::Closed if running == 0 => tracing::debug!(peer, "connection closed"),
        _ => tracing::warn!(peer, running, error = %lost, "connection lost"),
    }
}

/// Ends without an error when the connection is drained.
async fn drive(link: &mut Link, calls: &mut Calls, mut orders: watch::Receiver<Orders>) -> Result<(), Lost> {
    orders.mark_changed();
    loop {
        if orders.has_changed().unwrap_or(false) {
            let Orders { phase, ready } = *orders.borrow_and_update();
            calls.set_ready(ready);
            match phase {
                Phase::Serving => {}
                Phase::Draining => calls.drain(link.inbound().last_call()),
                Phase::Stopping => {
                    calls.drain(link.inbound().last_call());
                    calls.give_up();
                    return Ok(());
                }
            }
        }
        if let Some(last_call) = calls.drained_to()
            && !link.inbound().is_assembling(last_call)
            && link.is_flushed(&*calls)
        {
            return Ok(());
        }
        let turn = tokio::select! {
            biased;
            turn = link.turn(calls) => turn?,
            changed = orders.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                orders.mark_changed();
                continue;
            }
        };
        if turn == Turn::Alarm {
            calls.expire(Instant::now());
        }
        link.events(|event, pace| calls.event(event, pace))?;
        if let Some(deadline) = calls.first_deadline() {
            link.wake_at(deadline.into());
        }
    }
}
