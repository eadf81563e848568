//! Opening a connection, within its time: connect, TLS, what both sides say, and what an instance then offers.

mod opening;

use super::catalog::Catalog;
use super::connect::connect;
use super::farewell::say_why;
use super::in_flight::Machine;
use super::offer::{Offer, UnusableMethod};
use super::security::{Security, TlsInstance};
use super::unreached::NotConnected;
use crate::config::EndpointAddr;
use crate::presence::Presence;
use crate::stream::AsyncStream;
use callgate_protocol::{Budget, Inbound};
use opening::{Failed, Opening};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What a connection's task reads and writes.
pub struct Channel {
    pub(super) stream: AsyncStream,
    pub(super) inbound: Inbound,
    /// Bytes that were read and not yet taken.
    pub(super) unread: Vec<u8>,
}

/// A connection that is ready for calls.
pub(crate) struct Established {
    pub(crate) channel: Channel,
    pub(super) machine: Machine,
    pub(crate) offer: Offer,
    /// Whether the peer wants calls.
    pub(crate) ready: bool,
    /// Who it is, if TLS is spoken with it.
    pub(crate) tls: Option<TlsInstance>,
}

/// Where an instance is, and how it is connected to.
#[derive(Clone, Copy)]
pub(crate) struct Instance<'a> {
    pub(crate) addr: &'a EndpointAddr,
    /// The name that it was found by, if a source lists it.
    pub(crate) name: Option<&'a str>,
    pub(crate) security: &'a Security,
}

/// How long things may take when a connection is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// Connecting and the handshake together. Where that fails, finding out who is there takes up to 0.2 s more.
    pub(crate) connect: Duration,
    /// Bytes that the peer's system does not acknowledge for so long end the connection.
    pub(crate) unacknowledged: Duration,
}

/// Opens a connection, within its time, in which a worker's own absence does not count. Long replies take room of `answers` while
/// they arrive. Errors are for people.
pub(crate) async fn establish(
    instance: Instance<'_>,
    limits: TimeLimits,
    presence: Option<&Presence>,
    catalog: &Arc<Catalog>,
    answers: Option<&Arc<Budget>>,
) -> Result<Established, NotConnected> {
    let Instance { addr, name, security } = instance;
    let (mut opened, mut connected, mut tls) = (None, false, None);
    let opening = async {
        // Asked for before: where files cannot be used, nobody is connected to.
        let (tls_to, token) = (security.tls(addr, name).map_err(Failed::NoTls)?, security.token()?);
        let stream = connect(addr, limits.unacknowledged).await;
        let mut stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        connected = true;
        if let Some(tls_to) = tls_to {
            let (inside, instance) = tls_to.shake_hands(stream).await.map_err(Failed::NoTls)?;
            (stream, tls) = (inside, Some(instance));
        }
        let opening = opened.insert(Opening::new(stream, token, answers.cloned()));
        let done = opening.run(catalog).await;
        if let Err(Failed::Broken(why)) = &done {
            say_why(&mut opening.stream, &mut opening.machine, why).await;
        }
        done
    };
    let done = match presence {
        Some(presence) => presence.timeout(limits.connect, opening).await,
        None => timeout(limits.connect, opening).await.ok(),
    };
    let within = limits.connect;
    let Opening { stream, inbound, machine, unread, hello, schemas, ready, .. } = match (done, opened) {
        (Some(Ok(())), Some(opened)) => opened,
        (Some(Err(failed)), Some(opened)) => return Err(failed.at(opened).await),
        (None, Some(opened)) => return Err(opened.late(within).await),
        (Some(Err(Failed::NoTls(why))), None) => return Err(NotConnected::tls(why)),
        (Some(Err(Failed::Told(why))), None) => return Err(why.into()),
        (_, None) if connected => {
            let why = format!("connected, but the TLS handshake did not end within {within:?}");
            return Err(NotConnected::tls(why));
        }
        (_, None) => return Err(format!("no connection within {within:?}").into()),
    };
    let hello = hello.ok_or_else(|| "the handshake ended without HELLO".to_owned())?;
    let offer = Offer::new(hello, |fingerprint| {
        schemas
            .get(&fingerprint)
            .cloned()
            .unwrap_or_else(|| Err("the instance has sent no schema of it".into()))
    })?;
    // The others can be called.
    for UnusableMethod { name, why } in
        offer.unusable().iter().filter(|one| catalog.is_news(&one.name, &one.why))
    {
        tracing::warn!(endpoint = %addr, method = name, error = &**why, "the instance offers a method that cannot be called");
    }
    Ok(Established { channel: Channel { stream, inbound, unread }, machine, offer, ready, tls })
}

/// Asks what an instance offers, within that time, on the calling thread. Errors are for people.
pub fn ask(
    addr: &EndpointAddr,
    name: Option<&str>,
    security: &Security,
    within: Duration,
) -> Result<Offer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot connect: {error}"))?;
    let limits = TimeLimits { connect: within, unacknowledged: within };
    let established =
        runtime.block_on(establish(Instance { addr, name, security }, limits, None, &Arc::default(), None));
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    established.map(|established| established.offer).map_err(|not| not.text)
}

#[cfg(test)]
mod tests;
