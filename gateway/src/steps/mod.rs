//! The steps that a request passes before its route's action, whatever that is: a short list, in one order for all routes.
//!
//! ```text
//! clients      from which addresses they may come
//! client_certificate  whether its client has shown one
//! rate_limits  how many requests a route takes in a time; bearer, the token of `Authorization`
//! authenticate  who calls
//! caller_limits  how many requests it takes of a caller
//! require      what callers need beside an identity
//! in_flight    how many of its requests may be open at once
//! ```
//! A route holds those steps that its policy asks for; one without any holds nothing. A step has a file of its own, and a line
//! in the list below, whose order is that in which requests meet them. Before a body is read all of them are through.

mod authenticate;
mod caller_limits;
mod client_certificate;
mod clients;
mod in_flight;
mod rate_limits;
mod require;

pub use in_flight::{InFlight, Places};

use crate::auth::{Authenticator, Authenticators, Identified, Peer, Pending, Verdict, Verified};
use crate::config::{Matcher, RouteClients, RoutePolicy, RouteRequire};
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::limit::{Limits, SharedBuckets};
use authenticate::Authenticate;
use caller_limits::CallerLimits;
use callgate_http1::Fields;
use client_certificate::ClientCertificate;
use rate_limits::RateFields;
use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::Instant;

/// One step of a route.
trait Step: Sized {
    /// What a person is told of it; `None` where a policy does not ask for it.
    fn shown(policy: &RoutePolicy) -> Option<String>;

    /// The step of a route of the next table, if its policy asks for it. What it counts goes on where the route had it before.
    fn next(policy: &RoutePolicy, before: Option<&Self>, making: &mut Making<'_>) -> Option<Self>;

    /// Lets a request pass, or says why not.
    fn check(&self, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure>;
}

/// What steps of the next table are made with.
pub struct Making<'a> {
    /// What the route takes.
    pub matcher: &'a Matcher,
    /// The buckets of limits that several routes share.
    pub shared: &'a mut SharedBuckets,
    /// The authenticators of the table.
    pub authenticators: &'a Authenticators,
    /// How many workers there are.
    pub workers: usize,
}

/// What steps look at: a request whose body has not been read.
#[derive(Clone, Copy)]
pub struct Arrival<'r> {
    /// The worker that it has come to.
    pub worker: usize,
    /// The address of its client; `None` where that is not known: of a Unix socket, and where nobody is there any more.
    pub client: Option<IpAddr>,
    /// The other end of its connection.
    pub peer: Peer<'r>,
    /// What the worker has verified lately.
    pub verified: &'r Verified,
    /// Its header fields.
    pub fields: Fields<'r>,
    /// When it came.
    pub now: Instant,
}

/// What a request has passed: its places, which it leaves when this is dropped, and what its reply says of its limits.
#[derive(Default)]
pub struct Passed {
    places: Cell<Places>,
    /// On the heap, as the next: most routes have no limits.
    told: Option<Box<RateFields>>,
    identified: Option<Identified>,
    /// What others are asked, or were, to verify.
    verifying: Option<Box<Verifying>>,
    /// How many steps of limits it has met since it was looked up, and in how many of these it was counted before: by another table.
    met: u8,
    counted: u8,
    /// Nothing is taken or counted, and this is told what the steps say.
    dry_run: Option<Rc<DryRun>>,
}

/// What others than the gateway verify of a request.
#[derive(Default)]
struct Verifying {
    /// What is yet to be verified before it can pass, and by whom.
    waits: Option<(Arc<Authenticator>, Pending)>,
    /// What was verified meanwhile, for the authenticators of these ids.
    heard: Vec<(u64, Verdict)>,
    /// How the service that was asked last says that the caller could show who it is.
    challenge: Option<Box<str>>,
}

impl Passed {
    /// What a request of a dry run has passed: nothing yet.
    pub fn dry_run(told: Rc<DryRun>) -> Passed {
        Passed { dry_run: Some(told), ..Passed::default() }
    }

    /// What is told what becomes of it, if nothing is to be taken or counted.
    #[inline]
    pub fn told(&self) -> Option<&DryRun> {
        self.dry_run.as_deref()
    }

    /// The request is looked up again, by another table: it gives its places up, and is not counted by limits a second time.
    pub fn leave(&mut self) {
        self.places.take();
        self.met = 0;
        self.identified = None;
    }

    /// Whether limits count it that it meets: once, whatever becomes of the table afterwards.
    fn counts(&mut self) -> bool {
        // A rewrite and its target have four together.
        self.met = self.met.saturating_add(1);
        let counts = self.met > self.counted;
        self.counted = self.counted.max(self.met);
        counts
    }

    /// Who calls, where the route asks and the caller shows it.
    pub fn identified(&self) -> Option<&Identified> {
        self.identified.as_ref()
    }

    /// Whether something is yet to be verified, after which it is to be looked up again.
    #[inline]
    pub fn waits(&self) -> bool {
        self.verifying.as_ref().is_some_and(|verifying| verifying.waits.is_some())
    }

    /// What that is, and by whom; whoever takes it has it verified.
    pub fn take_pending(&mut self) -> Option<(Arc<Authenticator>, Pending)> {
        self.verifying.as_mut()?.waits.take()
    }

    /// It was verified for that authenticator.
    pub fn hears(&mut self, authenticator: &Authenticator, verdict: Verdict) {
        self.verifying.get_or_insert_default().heard.push((authenticator.id, verdict));
    }

    /// The service that was asked says that the caller could show so who it is.
    pub fn is_challenged(&mut self, challenge: Option<Box<str>>) {
        if challenge.is_some() {
            self.verifying.get_or_insert_default().challenge = challenge;
        }
    }

    /// Whether it has waited for something to be verified.
    #[inline]
    pub fn has_waited(&self) -> bool {
        !self.heard().is_empty()
    }

    /// What was verified for it, for the authenticators of these ids.
    fn heard(&self) -> &[(u64, Verdict)] {
        self.verifying.as_ref().map_or(&[], |verifying| &verifying.heard)
    }

    /// Its places, for somebody who leaves them later.
    pub fn take_places(&self) -> Places {
        self.places.take()
    }

    /// What the limits said that have counted it, as the reply says it; and those that only count and would have refused it.
    pub fn limits(&self) -> (Option<&str>, Option<&str>) {
        self.told.as_ref().map_or((None, None), |told| told.verdicts())
    }

    /// The header fields in which the reply says how the limits stand: names and values.
    pub fn reply_fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.told.iter().flat_map(|told| told.iter())
    }
}

/// The steps of a route; nothing as a rule.
#[derive(Default)]
pub struct Steps(Option<Box<List>>);

macro_rules! steps {
    ($($name:ident: $step:ty),+ $(,)?) => {
        /// All steps that there are, in the order in which a request meets them.
        #[derive(Default)]
        struct List {
            $($name: Option<$step>),+
        }

        impl Steps {
            /// What the steps of a policy are, in order, for a person.
            pub fn shown(policy: &RoutePolicy) -> Vec<String> {
                [$(<$step as Step>::shown(policy)),+].into_iter().flatten().collect()
            }

            /// The steps of a route with that policy in the next table, where `before` are those that it has.
            pub fn next(policy: &RoutePolicy, before: Option<&Steps>, making: &mut Making<'_>) -> Steps {
                let before = before.and_then(|before| before.0.as_deref());
                let list = List {
                    $($name: Step::next(policy, before.and_then(|list| list.$name.as_ref()), making)),+
                };
                let has_any = [$(list.$name.is_some()),+].contains(&true);
                Steps(has_any.then(|| Box::new(list)))
            }

            /// Lets a request pass, or says why not; or has it [wait](Passed::waits).
            #[inline]
            pub fn check(&self, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
                let Some(list) = &self.0 else { return Ok(()) };
                $(if let Some(step) = &list.$name {
                    let checked = step.check(arrival, passed);
                    if let Some(told) = passed.dry_run.as_ref().filter(|_| !passed.waits()) {
                        let checked = checked.as_ref().map(|()| ());
                        told.note_result(stringify!($name), checked, "");
                    }
                    checked?;
                    if passed.waits() {
                        return Ok(());
                    }
                })+
                Ok(())
            }
        }
    };
}

steps! {
    clients: RouteClients,
    client_certificate: ClientCertificate,
    rate_limits: Limits,
    authenticate: Authenticate,
    caller_limits: CallerLimits,
    require: RouteRequire,
    in_flight: InFlight,
}

impl Steps {
    /// The rate limits, if there are any: those of everybody, and those of callers.
    pub fn rate_limits(&self) -> impl Iterator<Item = &Limits> {
        let list = self.0.as_deref();
        let of_callers = list.and_then(|list| list.caller_limits.as_ref()).map(|limits| &limits.0);
        list.and_then(|list| list.rate_limits.as_ref()).into_iter().chain(of_callers)
    }

    /// The bound of requests in flight, if there is one.
    pub fn in_flight(&self) -> Option<&InFlight> {
        self.0.as_ref()?.in_flight.as_ref()
    }
}

#[cfg(test)]
mod tests;
