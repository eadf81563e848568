//! No request without a valid identity reaches an instance of a protected route: over random tables, which follow one another in one
//! worker as they do when they are reloaded, and random requests. An oracle of its own judges it, which knows neither trees nor steps.

mod oracle;
mod requests;
mod tables;

use super::*;
use crate::auth::{KnownPeer, Peer};
use crate::config::{Settings, Source, Tables, testing::Folder};
use crate::discovery::Lists;
use crate::worker::{Shared, Worker};
use oracle::{careless, careless_winners, known, passes, winner};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use requests::{Asked, asked};
use std::collections::BTreeSet;
use std::sync::Arc;
use tables::{Random, random};
use tokio::task::LocalSet;
use tokio::time::Instant;

/// Tables, and requests by each of them.
const TABLES: usize = 250;
const REQUESTS: usize = 60;

/// What has come of all requests.
#[derive(Debug, Default)]
struct Seen {
    /// Tables that the gateway took, and why it did not take others.
    tables: usize,
    mistakes: BTreeSet<String>,
    /// Requests that met a route which calls, of a caller who is known, and of anybody.
    known: usize,
    anybody: usize,
    /// Requests that would have met one, had they shown who they are.
    denied: usize,
    /// Paths that two readers take for two routes.
    ambiguous: usize,
}

struct Rig {
    worker: Rc<Worker>,
    /// As of four connections, by the users of their processes.
    peers: Vec<(Option<u32>, KnownPeer)>,
    folder: Folder,
    count: Seen,
}

#[test]
fn no_request_without_a_valid_identity_reaches_an_instance_of_a_protected_route() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let count = LocalSet::new().block_on(&runtime, async {
        let mut rig = Rig::new();
        // The same cases each time.
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        for _ in 0..TABLES {
            let table = random().new_tree(&mut runner).expect("a table").current();
            if !rig.takes(&table) {
                continue;
            }
            for _ in 0..REQUESTS {
                let asked = asked(&table).new_tree(&mut runner).expect("a request").current();
                rig.judges(&table, &asked);
            }
        }
        rig.count
    });
    // It has seen all of it, and not only what is simple to refuse.
    assert!(count.tables > TABLES / 2, "{count:?}");
    for seen in [count.known, count.anybody, count.denied, count.ambiguous] {
        assert!(seen > 100, "{count:?}");
    }
}

impl Rig {
    fn new() -> Rig {
        let settings = Source::new("gateway.toml", "[server]\nworkers = 1\n".to_owned());
        let settings = Settings::parse(settings, None).expect("sound settings");
        let shared = Arc::new(Shared::new(settings, Arc::default(), None));
        let mut worker = Worker::new(0, shared);
        worker.pool.play_instances();
        let users = [None, Some(1001), Some(1002), Some(65534)];
        let peers = users.into_iter().map(|user| (user, KnownPeer::default())).collect();
        Rig { worker: Rc::new(worker), peers, folder: requests::files(), count: Seen::default() }
    }

    /// Whether the table is one: then it is in force.
    fn takes(&mut self, random: &Random) -> bool {
        let sources = random.texts(&self.folder).into_iter();
        let sources = sources.map(|(name, text)| Source::new(name, text)).collect();
        let tables = match Tables::parse(sources) {
            Ok(tables) => tables,
            Err(mistakes) => {
                self.count.mistakes.insert(mistakes.summary());
                return false;
            }
        };
        let shared = &self.worker.shared;
        let next = Table::next(&shared.table.load(), tables, &Lists::default(), 1);
        shared.table.store(Arc::new(next));
        self.count.tables += 1;
        true
    }

    /// Asks the gateway and the oracle.
    fn judges(&mut self, random: &Random, asked: &Asked) {
        let (user, peer) = &self.peers[asked.peer];
        let request = asked.request();
        let worker = &self.worker;
        let arrival = Arrival {
            worker: 0,
            client: None,
            peer: Peer { certificate: None, user: *user, known: peer },
            verified: &worker.verified,
            fields: request.fields(),
            now: Instant::now(),
        };
        let (mut passed, mut room) = (Passed::default(), Room::default());
        let mut tally = Tally::begin(worker.clone(), Instant::now());
        let table = worker.table();
        let found = look_up(&table, &request, &arrival, &mut passed, &mut tally, &mut room);
        let met = match &found {
            Ok(Lookup::Met(met)) => Some(number(&met.route)),
            Ok(_) => None,
            Err(failure) => {
                self.count.ambiguous += usize::from(matches!(failure, Failure::AmbiguousPath));
                None
            }
        };
        let said = |authenticator| known(asked, *user, authenticator);
        let lets_in = |route: usize| passes(&random.routes[route], said);
        let (method, path) = (asked.method(), asked.normal());
        let context = || format!("{asked:#?}, {user:?}, {path}, {:#?}", random.routes);

        // Whoever is asked first, and then whoever a rewrite leads to.
        let first = winner(&random.routes, method, &path);
        let to = first.as_ref().and_then(|(at, caught)| random.leads_to(*at, caught));
        let last = to.and_then(|path| winner(&random.routes, method, &path));
        let chain = [first, last].map(|found| found.map(|(at, _)| at));
        if let Some(met) = met {
            assert!(lets_in(met), "route {met} is reached: {}", context());
            for at in chain.into_iter().flatten() {
                assert!(lets_in(at), "route {met} is reached past {at}: {}", context());
            }
            // Somebody who reads the path in another way would have asked no more.
            let winners = careless_winners(&random.routes, method, &careless(&path));
            if !winners.contains(&chain[0].unwrap_or(met)) {
                for at in winners {
                    assert!(lets_in(at), "route {met} is reached, and it looks like {at}: {}", context());
                }
            }
            match passed.identified() {
                Some(_) => self.count.known += 1,
                None => self.count.anybody += 1,
            }
        }
        // Where nothing is strange about the path, the gateway and the oracle agree.
        let is_lost =
            chain[0].is_some_and(|at| random.rewrites(at)) != chain[1].is_some_and(|at| !random.rewrites(at));
        let is_ambiguous = matches!(found, Err(Failure::AmbiguousPath)) && random.has_capitals();
        if let (true, Some(last)) =
            (asked.is_plain && !is_lost && !is_ambiguous, chain.into_iter().flatten().last())
        {
            let expected = chain.into_iter().flatten().all(lets_in).then_some(last);
            let refused = matches!(found, Err(Failure::Unauthenticated(_) | Failure::Forbidden(_)));
            assert!(met == expected && (met.is_some() || refused), "{met:?}, {expected:?}: {}", context());
            self.count.denied += usize::from(expected.is_none());
        }
    }
}

/// Which of the random routes it is, by its method's name.
fn number(route: &RouteRef) -> usize {
    let call = route.action.call().expect("it calls").spec.call.to_string();
    call.trim_start_matches("s.m").parse().expect("a number")
}
