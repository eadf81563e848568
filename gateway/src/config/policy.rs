//! What a route says of its requests whatever it does with them: what the gateway's steps ask for before the action, and whether answers
//! are compressed behind it.
//!
//! A part is a line in the list below: its field, its key, and the function that reads the key's value. A value with a form of its
//! own has a file of its own. `at_top` behind the key: it may stand at the top of a file, too.

use super::client_certificate;
use super::client_list::RouteClients;
use super::keys::Key;
use super::overload;
use super::reader::{Reader, Section};
use super::route_limits::RateLimits;

macro_rules! at_top {
    () => {
        false
    };
    (at_top) => {
        true
    };
}

macro_rules! policy {
    ($($(#[$doc:meta])+ $part:ident: $type:ty = $key:literal $($at_top:ident)?, $words:literal, $read:path;)+) => {
        /// A route's policy. By default every request passes.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct RoutePolicy {
            $($(#[$doc])+ pub $part: $type),+
        }

        /// The key of each part.
        pub(super) const KEYS: &[Key] = &[$(
            Key { at_top: at_top!($($at_top)?), ..Key::of_every_route($key, $words) }
        ),+];

        impl RoutePolicy {
            /// Reads the parts of a route's section.
            pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
                RoutePolicy {
                    $($part: section.get($key).map(|item| $read(reader, &item)).unwrap_or_default()),+
                }
            }
        }
    };
}

policy! {
    /// From which addresses its clients may come; by default from all.
    clients: RouteClients = "clients" at_top, "from which addresses its clients may come", RouteClients::read;
    /// Whether its clients have to have shown a certificate.
    client_certificate: bool = "client_certificate", "whether the client must have shown a certificate", client_certificate::read;
    /// How many requests it takes in a time; by default all.
    rate_limits: RateLimits = "rate_limit", "how many requests it takes in a time", RateLimits::read;
    /// Whether its answers are compressed for clients that take it so. `None`: as its file says, and by default not.
    compress: Option<bool> = "compress" at_top, "whether answers are compressed", Reader::boolean;
    /// Requests in flight over all workers; 1 to 10000000, by default no bound.
    max_in_flight: Option<usize> = "max_in_flight", "requests of the route open at once, over all workers", overload::read_bound;
}
