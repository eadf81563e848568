//! How much of a listener each client may take: connections at once, and new ones in a time. A client is an address, and of IPv6 a /64.
//!
//! What is kept is bounded, however many addresses there are: one entry for each client that has a connection open, and of new ones
//! so many buckets and no more (`limit`). It is looked at when a connection comes and when it goes, and never by a request.

use crate::config::{ListenerClients, RateLimitSpec};
use crate::limit::{self, Buckets};
use crate::telemetry::ConnectionRefusal;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The bounds of a listener's clients, and what each of them has.
#[derive(Debug)]
pub struct PerClient {
    /// The most connections of one of them.
    most: Option<usize>,
    open: Mutex<HashMap<IpAddr, usize>>,
    new: Option<Buckets>,
}

impl PerClient {
    /// Those that the settings ask for, if there are any.
    pub fn of(clients: &ListenerClients) -> Option<Arc<PerClient>> {
        let ListenerClients { max_connections: most, new_connections: new, .. } = clients;
        let buckets = |spec: &RateLimitSpec| Buckets::new(spec.clone(), Instant::now());
        let bounds = PerClient { most: *most, open: Mutex::default(), new: new.as_ref().map(buckets) };
        (most.is_some() || new.is_some()).then(|| Arc::new(bounds))
    }

    /// A connection's place among those of its client.
    ///
    /// # Errors
    /// Why there is none.
    pub fn take(self: &Arc<Self>, client: IpAddr, now: Instant) -> Result<ClientPlace, ConnectionRefusal> {
        let client = limit::block(client);
        {
            let mut open = self.open();
            let taken = open.get(&client).copied().unwrap_or_default();
            if self.most.is_some_and(|most| taken >= most) {
                return Err(ConnectionRefusal::Connections);
            }
            open.insert(client, taken + 1);
        }
        let place = ClientPlace { bounds: self.clone(), client };
        let has_token = self.new.as_ref().is_none_or(|buckets| buckets.take(&client, now).admitted);
        if has_token { Ok(place) } else { Err(ConnectionRefusal::NewConnections) }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among those of its client, given back when it is dropped.
#[derive(Debug)]
pub struct ClientPlace {
    bounds: Arc<PerClient>,
    client: IpAddr,
}

impl Drop for ClientPlace {
    fn drop(&mut self) {
        let mut open = self.bounds.open();
        match open.get_mut(&self.client) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => drop(open.remove(&self.client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};
    use std::time::Duration;

    fn bounds(keys: &str) -> Arc<PerClient> {
        let text = format!("[[listeners]]\naddress = '127.0.0.1:0'\n{keys}\n");
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        PerClient::of(&settings.listeners[0].clients).expect("there are bounds")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test]
    async fn a_client_has_so_many_connections_and_another_one_has_its_own() {
        let (bounds, now) = (bounds("max_connections_per_client = 2"), Instant::now());
        let take = |client: &str| bounds.take(address(client), now).map_err(ConnectionRefusal::name);
        let first = take("192.0.2.1").expect("the first");
        let _second = take("::ffff:192.0.2.1").expect("the second");
        let refused = Err("max_connections_per_client");
        assert_eq!(take("192.0.2.1").map(drop), refused);
        // Of IPv6 a /64 is one client.
        let _six = ["2001:db8::1", "2001:db8::2:1"].map(|client| take(client).expect("its own"));
        assert_eq!(take("2001:db8::3").map(drop), refused);
        assert!(take("2001:db8:0:1::1").is_ok() && take("192.0.2.2").is_ok());
        drop(first);
        assert!(take("192.0.2.1").is_ok());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_clients_that_have_gone() {
        let (bounds, now) = (bounds("max_connections_per_client = 1"), Instant::now());
        for n in 0..=255 {
            let place = bounds.take([192, 0, 2, n].into(), now);
            assert!(bounds.take([192, 0, 2, n].into(), now).is_err());
            assert_eq!(bounds.open().len(), 1);
            drop(place);
        }
        assert!(bounds.open().is_empty());
    }

    #[tokio::test]
    async fn a_client_makes_so_many_new_connections_in_a_time() {
        let bounds = bounds("new_connections_per_client = { rate = '1/s', burst = 2 }");
        let now = Instant::now();
        let take = |at: Instant| bounds.take(address("192.0.2.1"), at).map(drop);
        assert!(take(now).is_ok() && take(now).is_ok());
        assert_eq!(take(now), Err(ConnectionRefusal::NewConnections));
        assert!(bounds.take(address("192.0.2.2"), now).is_ok());
        assert!(take(now + Duration::from_secs(1)).is_ok());
        assert!(bounds.open().is_empty(), "who is refused has no place");
    }
}
