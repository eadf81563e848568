//! A gateway that has no room left: for connections, for file descriptors, on its admin port. Nobody waits without a word,
//! and whoever looks sees why.

use callgate_tests::{Gateway, Raw, Setup, eventually, header};
use nix::sys::signal::Signal;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const SLOW: &str = "GET /v1/delay/60000 HTTP/1.1\r\nhost: x\r\n\r\n";
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// Waits until a metric has that value.
async fn counts(gateway: &Gateway, metric: &str, value: f64) {
    eventually(&format!("{metric} {value}"), || async {
        (gateway.metric(metric, &[]).await == value).then_some(())
    })
    .await;
}

/// Connects so many clients, one after the other, that say nothing.
async fn silent(gateway: &Gateway, count: usize) -> Vec<Raw> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Raw::connect(gateway.addr).await);
    }
    clients
}

#[tokio::test]
async fn a_newcomer_takes_the_place_of_the_connection_that_has_been_idle_longest() {
    let setup = Setup::new().server("max_connections = 20");
    let (_backend, gateway) = setup.shop().await;
    // Some have had an answer, others have said nothing yet.
    let mut idle = silent(&gateway, 1).await;
    for _ in 1..10 {
        let last = idle.last_mut().expect("there is one");
        last.write(ADD).await;
        assert_eq!(last.status().await, 200);
        idle.extend(silent(&gateway, 1).await);
    }
    idle.extend(silent(&gateway, 10).await);
    counts(&gateway, "callgate_connections_open", 20.0).await;
    let mut newcomer = Raw::connect(gateway.addr).await;
    newcomer.write(ADD).await;
    assert_eq!(newcomer.status().await, 200);
    // Each worker has its own oldest one.
    let (mut first, mut second) = (idle.remove(0), idle.remove(0));
    let ended = tokio::select! { ended = first.ended() => ended, ended = second.ended() => ended };
    assert!(ended);
    assert_eq!(gateway.metric("callgate_connections_evicted_total", &[]).await, 1.0);
    assert_eq!(gateway.metric("callgate_connections_refused_total", &[]).await, 0.0);
    // The others are there.
    let last = idle.last_mut().expect("there are 18");
    last.write(ADD).await;
    assert_eq!(last.status().await, 200);
}

#[tokio::test]
async fn a_connection_with_a_request_under_way_does_not_make_room() {
    let setup = Setup::new().server("max_connections = 8");
    let (_backend, gateway) = setup.shop().await;
    let mut idle = silent(&gateway, 8).await;
    counts(&gateway, "callgate_connections_open", 8.0).await;
    // Both are there before the gateway can look at either.
    gateway.signal(Signal::SIGSTOP);
    for oldest in &mut idle[..4] {
        oldest.write(ADD).await;
    }
    let mut newcomer = Raw::connect(gateway.addr).await;
    newcomer.write(ADD).await;
    gateway.signal(Signal::SIGCONT);
    for oldest in &mut idle[..4] {
        assert_eq!(oldest.status().await, 200);
    }
    assert_eq!(newcomer.status().await, 200);
}

#[tokio::test]
async fn a_newcomer_is_refused_in_words_when_all_are_busy() {
    let setup = Setup::new().server("max_connections = 4");
    let (_backend, gateway) = setup.shop().await;
    let mut busy = silent(&gateway, 4).await;
    for client in &mut busy {
        client.write(SLOW).await;
    }
    counts(&gateway, "callgate_calls_in_flight", 4.0).await;
    for request in [ADD, ""] {
        let mut newcomer = Raw::connect(gateway.addr).await;
        newcomer.write(request).await;
        let (head, body) = newcomer.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert_eq!(header(&head, "retry-after"), Some("1"));
        assert_eq!(header(&head, "connection"), Some("close"));
        assert!(body.contains("unavailable") && body.contains(header(&head, "x-request-id").expect("an id")));
        assert!(newcomer.ended_without_reset().await);
    }
    assert_eq!(gateway.metric("callgate_connections_refused_total", &[]).await, 2.0);
    assert_eq!(gateway.metric("callgate_failures_total", &["reason=\"too_many_connections\""]).await, 2.0);
    assert!(gateway.log().contains("newcomers are refused"), "{}", gateway.log());
    busy.pop();
    eventually("room", || async {
        let answer = gateway.client.try_send("GET", "/v1/calc/add?a=1&b=2", &[], "").await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn answers_are_their_connections_last_from_nine_tenths_on() {
    let setup = Setup::new().server("max_connections = 10");
    let (_backend, gateway) = setup.shop().await;
    let mut clients = silent(&gateway, 8).await;
    let mut last = clients.pop().expect("there are 8");
    last.write(ADD).await;
    let (head, _) = last.answer().await.expect("an answer");
    assert_eq!(header(&head, "connection"), None);
    let mut ninth = Raw::connect(gateway.addr).await;
    ninth.write(ADD).await;
    let (head, _) = ninth.answer().await.expect("an answer");
    assert_eq!(header(&head, "connection"), Some("close"));
    assert!(ninth.ended_without_reset().await);
    assert_eq!(gateway.metric("callgate_closing_answers_total", &[]).await, 1.0);
}

/// The soft and the hard limit of a process's descriptors.
fn limits(pid: u32) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process runs");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line of files");
    let mut words = line.split_whitespace().skip(3).map(str::to_owned);
    (words.next().expect("a soft limit"), words.next().expect("a hard limit"))
}

#[tokio::test]
async fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let setup = Setup::new().ulimit("-S -n 200");
    let (_backend, gateway) = setup.shop().await;
    let (soft, hard) = limits(gateway.pid());
    assert_eq!(soft, hard);
    assert_ne!(soft, "200");
}

#[tokio::test]
async fn a_bound_that_does_not_fit_the_descriptors_is_lowered_and_told() {
    let setup = Setup::new().ulimit("-n 120");
    let (_backend, gateway) = setup.shop().await;
    let told = gateway.logged(
        "the limit of file descriptors is too low for max_connections: fewer connections are taken",
        "bound",
    );
    assert_eq!(told, [30]);
    assert_eq!(gateway.metric("callgate_max_connections", &[]).await, 30.0);
    let _idle = silent(&gateway, 200).await;
    let mut newcomer = Raw::connect(gateway.addr).await;
    newcomer.write(ADD).await;
    assert_eq!(newcomer.status().await, 200);
    let mut operator = Raw::connect(gateway.admin_addr).await;
    operator.write(HEALTH).await;
    assert_eq!(operator.status().await, 200);
    assert!(!gateway.log().contains("cannot accept"), "{}", gateway.log());
}

/// Lowers the limit of descriptors of a process to the highest that it has. Gives the limit before, and how many are free
/// below that.
fn take_descriptors(pid: u32) -> (Rlimit, usize) {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs");
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let numbers: Vec<u64> = numbers.collect();
    let most = numbers.iter().max().expect("there are some") + 1;
    let pid = Pid::from_raw(pid as i32).expect("a process has a number");
    // The hard limit is inherited, and stays, so that it can be taken back.
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let before = prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(most), maximum });
    (before.expect("it can be lowered"), most as usize - numbers.len())
}

#[tokio::test]
async fn without_a_descriptor_left_the_admin_port_answers_and_newcomers_are_told() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let mut busy = silent(&gateway, 1).await.remove(0);
    busy.write(SLOW).await;
    counts(&gateway, "callgate_calls_in_flight", 1.0).await;
    let (before, free) = take_descriptors(gateway.pid());
    // All are taken; some of the clients take the place of others.
    let mut clients = silent(&gateway, free + 20).await;
    for client in &mut clients {
        client.write(SLOW).await;
    }
    eventually("a refusal", || async { gateway.log().contains("cannot accept connections").then_some(()) })
        .await;
    for _ in 0..10 {
        let mut operator = Raw::connect(gateway.admin_addr).await;
        operator.write(HEALTH).await;
        assert_eq!(operator.status().await, 200);
    }
    // One or the other may get a descriptor that an operator has just given back, and then waits for its call.
    let mut newcomers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut newcomer = Raw::connect(gateway.addr).await;
        newcomer.write(SLOW).await;
        newcomers.spawn(async move { newcomer.status().await });
    }
    // Nor is one refused that is idle yet when another one comes: it makes room.
    let refused = async {
        while newcomers.join_next().await.expect("one of them is refused").expect("no panic") != 503 {}
    };
    refused.await;
    let complaints = gateway.log().matches("cannot accept").count();
    assert!(complaints < 10, "{complaints} lines");
    let pid = Pid::from_raw(gateway.pid() as i32).expect("a process has a number");
    prlimit(Some(pid), Resource::Nofile, before).expect("it can be raised");
    eventually("service", || async {
        let answer = gateway.client.try_send("GET", "/v1/calc/add?a=1&b=2", &[], "").await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn silent_connections_to_the_admin_port_make_room() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(Raw::connect(gateway.admin_addr).await);
    }
    let mut operator = Raw::connect(gateway.admin_addr).await;
    operator.write(HEALTH).await;
    assert_eq!(operator.status().await, 200);
    // Not because all of them have had their time.
    for other in &mut silent[1..] {
        other.write(HEALTH).await;
        assert_eq!(other.status().await, 200);
    }
}

#[tokio::test]
async fn pages_that_take_long_keep_neither_health_nor_requests_waiting() {
    const PAGES: usize = 12;
    let setup = Setup::new();
    let routes = (0..10_000)
        .map(|n| format!("[[routes]]\nmatch = 'GET /many/{n}'\ncall = 'calc.add'\nbackend = 'shop'\n"));
    setup.write_routes("many.toml", &routes.collect::<String>());
    let (_backend, gateway) = setup.shop().await;
    let mut pages = tokio::task::JoinSet::new();
    let addr = gateway.admin_addr;
    for _ in 0..PAGES {
        let mut operator = Raw::connect(addr).await;
        operator.write("GET /routes HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await;
        pages.spawn(async move { operator.status().await });
    }
    // As often as there are pages: none of them may wait for one.
    for _ in 0..PAGES {
        for (addr, request) in [(addr, HEALTH), (gateway.addr, ADD)] {
            let mut client = Raw::connect(addr).await;
            client.write(request).await;
            assert_eq!(client.status().await, 200);
        }
    }
    let made = std::iter::from_fn(|| pages.try_join_next()).count();
    assert!(made < PAGES, "they have waited for all pages");
    while let Some(status) = pages.join_next().await {
        assert_eq!(status.expect("no panic"), 200);
    }
}
