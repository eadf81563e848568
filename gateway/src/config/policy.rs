//! What a route says of its requests whatever it does with them: what the gateway's steps ask for before the action, and whether answers
//! are compressed behind it.
//!
//! A part is a line in the list below: its field, its key, and what its value may be, and the function that reads it. A value with a form of its
//! own has a file of its own. `at_top` behind the key: it may stand at the top of a file, too. What stands only there is `of_its_file`.

use super::client_certificate;
use super::client_list::{self, RouteClients};
use super::cors::{self, RouteCors};
use super::keys::Key;
use super::overload;
use super::rate_limit;
use super::reader::{Reader, Section};
use super::require::{self, RouteRequire};
use super::route_auth::{self, RouteAuth};
use super::route_limits::RateLimits;
use super::security_headers::{self, SecurityHeaders};
use super::shape::Shape;
use super::trailing_slash::TrailingSlash;

macro_rules! at_top {
    () => {
        false
    };
    (at_top) => {
        true
    };
}

macro_rules! policy {
    ($($(#[$doc:meta])+ $part:ident: $type:ty = $key:literal $($at_top:ident)?, $words:literal, $shape:expr, $read:path;)+
     of_its_file { $($(#[$of_file_doc:meta])+ $of_file:ident: $of_file_type:ty;)+ }) => {
        /// A route's policy. By default every request passes.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct RoutePolicy {
            $($(#[$doc])+ pub $part: $type,)+
            $($(#[$of_file_doc])+ pub $of_file: $of_file_type),+
        }

        /// The key of each part.
        pub(super) const KEYS: &[Key] = &[$(
            Key { at_top: at_top!($($at_top)?), ..Key::of_every_route($key, $words) }
        ),+];

        /// The same with what their values may be.
        pub(super) const SHAPES: &[(&str, Shape)] = &[$(($key, $shape)),+];

        impl RoutePolicy {
            /// Reads the parts of a route's section.
            pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
                RoutePolicy {
                    $($part: section.get($key).map(|item| $read(reader, &item)).unwrap_or_default(),)+
                    $($of_file: Default::default()),+
                }
            }
        }
    };
}

policy! {
    /// From which addresses its clients may come; by default from all.
    clients: RouteClients = "clients" at_top, "from which addresses its clients may come", client_list::SHAPE, RouteClients::read;
    /// Who may call; by default it is not said.
    auth: RouteAuth = "auth" at_top, "who may call", route_auth::SHAPE, RouteAuth::read;
    /// What callers need beside an identity; by default nothing.
    require: RouteRequire = "require" at_top, "what callers need beside an identity", require::SHAPE, RouteRequire::read;
    /// Which pages of other origins may read its replies; by default none.
    cors: RouteCors = "cors" at_top, "which pages of other origins may read its replies", cors::SHAPE, RouteCors::read;
    /// Whether its clients have to have shown a certificate.
    client_certificate: bool = "client_certificate", "whether the client must have shown a certificate", client_certificate::SHAPE, client_certificate::read;
    /// Which headers its replies have for browsers; by default none.
    security_headers: SecurityHeaders = "security_headers" at_top, "which headers its replies have for browsers", security_headers::SHAPE, SecurityHeaders::read;
    /// How many requests it takes in a time; by default all.
    rate_limits: RateLimits = "rate_limit", "how many requests it takes in a time", rate_limit::OF_ROUTE, RateLimits::read;
    /// Whether its answers are compressed for clients that take it so. `None`: as its file says, and by default not.
    compress: Option<bool> = "compress" at_top, "whether answers are compressed", Shape::Boolean, Reader::boolean;
    /// Requests in flight over all workers; 1 to 10000000, by default no bound.
    max_in_flight: Option<usize> = "max_in_flight", "requests of the route open at once, over all workers", overload::BOUND, overload::read_bound;
    of_its_file {
        /// What becomes of paths that are its own but for a slash at their end.
        trailing_slash: TrailingSlash;
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::OF_POLICY_AT_TOP;
    use super::KEYS;

    #[test]
    fn the_list_of_those_that_may_stand_at_the_top_has_all_of_them() {
        let declared: Vec<_> = KEYS.iter().filter(|key| key.at_top).map(|key| key.name).collect();
        assert_eq!(declared, OF_POLICY_AT_TOP);
    }
}
