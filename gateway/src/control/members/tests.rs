//! What a change of members touches, and what it costs.

use crate::backends::{Backend, LocalBackend, Pool};
use crate::config::{DiscoveryName, Source, Tables};
use crate::control::fit::{Known, tests::offer};
use crate::control::{Fits, Kind};
use crate::discovery::{List, Listed, Lists};
use crate::routes::Table;
use crate::transport::callgate::Catalog;
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::LocalSet;

/// A list has 250 instances: fewer than are used of one name.
const EACH: usize = 250;

/// Lists of so many instances together, the last of which is that one.
fn lists(members: usize, last: u8) -> Lists {
    let ip = |at: usize| match at + 1 == members {
        true => IpAddr::from([127, 2, 1, last]),
        false => IpAddr::from([127, 1, (at / 200) as u8, (at % 200) as u8]),
    };
    let all: Vec<Listed> = (0..members).map(|at| ip(at).into()).collect();
    let named = |(at, listed): (usize, &[Listed])| {
        (DiscoveryName::Host(format!("shop-{at}")), Arc::new(List::of(listed.to_vec())))
    };
    all.chunks(EACH).enumerate().map(named).collect()
}

/// Routes to a backend that has its members by these lists, and another backend.
fn table(routes: usize, lists: &Lists, balance: &str) -> Table {
    let mut text = format!("[backends.shop]\nbalance = {balance}\nendpoints = [");
    (0..lists.len()).for_each(|at| write!(text, "\"dns:shop-{at}:7101\",").expect("a string takes all"));
    text += "]\n[backends.stock]\nendpoints = [\"127.0.0.1:9\"]\n";
    for at in 0..routes {
        let backend = if at % 10 == 0 { "stock" } else { "shop" };
        write!(text, "[[routes]]\nmatch = \"GET /r{at}\"\ncall = \"a.b\"\nbackend = \"{backend}\"\n")
            .expect("a string takes all");
    }
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(&Table::empty(), tables, lists, 1)
}

fn backend<'t>(table: &'t Table, name: &str) -> &'t Arc<Backend> {
    table.backends.iter().find(|backend| backend.spec.name == name).expect("it is there")
}

/// A worker's side of the table.
fn pool(table: &Table) -> Pool {
    let (supervisor, budget) = (Arc::default(), callgate_protocol::Budget::new(0));
    let pool =
        Pool::new(0, Arc::new(Catalog::default()), supervisor, budget, Rc::default(), Arc::default(), None);
    pool.sync(table.generation, &table.backends, &table.route_ids);
    pool
}

/// Has one backend follow these lists and the worker follow the backend, as control and a worker do.
fn follow(backend: &Backend, lists: &Lists, pool: &Pool) {
    assert!(backend.follow(lists, 1), "a member is another one");
    pool.follow_members(backend.id);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_one_member_touches_no_route_no_other_backend_and_no_other_member() {
    let in_local = async {
        let first = lists(40, 1);
        let table = table(20, &first, "\"random\"");
        let (shop, stock) = (backend(&table, "shop"), backend(&table, "stock"));
        let pool = pool(&table);
        let local = |backend| pool.backend(backend).expect("the table has it");
        let (before, other): (Rc<LocalBackend>, Rc<LocalBackend>) = (local(shop), local(stock));
        let members = shop.members_now();
        follow(shop, &lists(40, 2), &pool);
        assert!(Rc::ptr_eq(&other, &local(stock)));
        assert!(!Rc::ptr_eq(&before, &local(shop)));
        let after = shop.members_now();
        let same = members.iter().zip(after.iter()).filter(|(a, b)| Arc::ptr_eq(&a.endpoint, &b.endpoint));
        assert_eq!((same.count(), after.len()), (39, 40));
        let calls_shop = |route: &&Arc<crate::routes::Route>| {
            route.action.call().is_some_and(|call| Arc::ptr_eq(&call.backend, shop))
        };
        assert_eq!(
            table.routes.iter().filter(calls_shop).count(),
            18,
            "what routes have is the backend itself"
        );
        assert!(Rc::ptr_eq(&before.calls, &local(shop).calls), "what its calls have come to is kept");
        let unchanged = local(shop);
        pool.follow_all_members();
        assert!(Rc::ptr_eq(&unchanged, &local(shop)));
    };
    LocalSet::new().run_until(in_local).await;
}

/// The CPU time that this thread has had.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().expect("not negative"),
        time.tv_nsec.try_into().expect("not negative"),
    )
}

/// Prints what a change of one member costs, in CPU time of the thread: the new members, one worker that follows them, and the looks
/// whether routes fit what is offered, before and after the member is connected. The first change of each is not counted. For figures, of optimised code:
/// `cargo test --release -p callgate --lib one_member_among -- --ignored --nocapture`
#[tokio::test(start_paused = true)]
#[ignore = "it measures, and asserts of optimised code only"]
#[expect(clippy::print_stdout, reason = "it prints figures")]
async fn one_member_among_a_thousand_costs_less_than_a_millisecond() {
    const ROUNDS: u32 = 100;
    let in_local = async {
        for balance in ["\"peak_ewma\"", "{ hash = \"client\" }"] {
            let [first, second] = [1, 2].map(|last| lists(1000, last));
            let table = table(10_000, &first, balance);
            let (shop, pool) = (backend(&table, "shop"), pool(&table));
            let offered = offer(&["b"]);
            let connect_all = || {
                shop.endpoints().iter().for_each(|endpoint| endpoint.offer.store(Some(offered.clone())));
            };
            let (mut known, fits, shop_only) =
                (Known::default(), Fits::default(), ["shop".to_owned()].into());
            connect_all();
            known.look(&table, &shop_only, &fits);
            assert_eq!(
                fits.found().count(Kind::Method),
                9000,
                "each route is unfit: the most that there is to keep"
            );
            follow(shop, &second, &pool);
            let (mut members, mut worker, mut looks) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
            for round in 0..ROUNDS {
                let lists = if round % 2 == 0 { &first } else { &second };
                let began = cpu();
                assert!(shop.follow(lists, 1));
                let followed = cpu();
                pool.follow_members(shop.id);
                members += followed - began;
                worker += cpu() - followed;
                let began = cpu();
                known.look(&table, &shop_only, &fits);
                looks += cpu() - began;
                connect_all();
                let began = cpu();
                known.look(&table, &shop_only, &fits);
                looks += cpu() - began;
            }
            let [members, worker, looks] = [members, worker, looks].map(|time| time / ROUNDS);
            println!("{balance}: members {members:?}, a worker {worker:?}, two looks {looks:?}");
            let (all, bound) = (members + worker + looks, Duration::from_millis(1));
            assert!(cfg!(debug_assertions) || all < bound, "{all:?}");
        }
    };
    LocalSet::new().run_until(in_local).await;
}
