//! The program against the small Python peer: whole, it keeps every promise; with one promise broken, the program says
//! which, by its section.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance");
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");

/// Most of the time of a broken peer is spent waiting for what does not come, so several are played at once.
const AT_ONCE: usize = 4;

/// What is not there after so many seconds is not coming: the peer is on this machine.
const PATIENCE: &str = "3";

/// The peer as an acceptor, ended when it is dropped.
struct Acceptor {
    process: Child,
    address: String,
}

impl Acceptor {
    fn start(arguments: &[&str]) -> Acceptor {
        let mut command = Command::new("python3");
        command
            .args([PEER, "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().expect("python3 can be started");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let port = line.trim().rsplit(' ').next().expect("a line has words");
        Acceptor { address: format!("127.0.0.1:{port}"), process }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the program says of the peer on that side.
fn verdict(side: &str, peer: &[&str], options: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(options).stdin(Stdio::null()).stderr(Stdio::null());
    let output = if side == "acceptor" {
        let peer = Acceptor::start(peer);
        command.args(["--connect", &peer.address]).output()
    } else {
        command
            .args(["--listen", "127.0.0.1:0", "--", "python3", PEER, "--connect", "{}"])
            .args(peer)
            .output()
    };
    String::from_utf8(output.expect("the program can be started").stdout).expect("it writes UTF-8")
}

fn keeps_every_promise(side: &str) {
    let said = verdict(side, &[], &[]);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.ends_with(" kept, 0 broken"), "{said}");
}

#[test]
fn an_acceptor_written_from_the_page_alone_keeps_every_promise() {
    keeps_every_promise("acceptor");
}

#[test]
fn a_connector_written_from_the_page_alone_keeps_every_promise() {
    keeps_every_promise("connector");
}

/// A line of `--breaks`, if it is of that side: name, case, section.
fn breaks(side: &str) -> Vec<[String; 3]> {
    let listed = Command::new("python3").args([PEER, "--breaks"]).output().expect("python3 can be started");
    let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let lines = listed.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let of_side = lines.filter(|words| words[1] == side);
    of_side.map(|words| [words[0].clone(), words[2].clone(), words[3].clone()]).collect()
}

fn every_break_is_found(side: &str, least: usize) {
    let breaks = breaks(side);
    assert!(breaks.len() >= least, "{} of {least}", breaks.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut missed = Vec::new();
        while let Some([name, case, section]) = breaks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let said = verdict(side, &["--break", name], &["--patience", PATIENCE, "--only", case]);
            if !said.contains(&format!("BROKEN   {case}: \"{section}\"\n")) {
                missed.push(format!("{name} should break \"{section}\":\n{said}"));
            }
        }
        missed
    };
    let missed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_promise_that_an_acceptor_breaks_is_named_with_its_section() {
    every_break_is_found("acceptor", 40);
}

#[test]
fn every_promise_that_a_connector_breaks_is_named_with_its_section() {
    every_break_is_found("connector", 20);
}
