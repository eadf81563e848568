//! The lines by which `tests/conformance` drives a tested connector; tests/conformance/README.md describes them.

use std::collections::HashMap;
use std::io::BufRead;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;

/// Reads lines until they end, calls `echo` and `chat` as they say, and writes how the calls ended. `echo` has the text and the time;
/// it gives the length of the result, or the name of the code with which it failed. `chat` has the items and the time, and gives how many
/// came back.
pub async fn drive<F, C>(echo: impl Fn(String, Duration) -> F, chat: impl Fn(Vec<String>, Duration) -> C)
where
    F: Future<Output = Result<usize, String>> + Send + 'static,
    C: Future<Output = Result<usize, String>> + Send + 'static,
{
    let (sender, mut lines) = unbounded_channel();
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        lines.map_while(|line| sender.send(line).ok()).for_each(drop);
    });
    let mut running: HashMap<String, JoinHandle<()>> = HashMap::new();
    while let Some(line) = lines.recv().await {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["call", call, bytes, ms] => {
                let (Ok(bytes), Ok(ms)) = (bytes.parse(), ms.parse()) else { continue };
                let echo = echo("x".repeat(bytes), Duration::from_millis(ms));
                running.insert(call.to_owned(), tokio::spawn(tell(call.to_owned(), echo)));
            }
            ["stream", call, items, bytes, ms] => {
                let (Ok(items), Ok(bytes), Ok(ms)) = (items.parse(), bytes.parse(), ms.parse()) else {
                    continue;
                };
                let chat = chat(vec!["x".repeat(bytes); items], Duration::from_millis(ms));
                running.insert(call.to_owned(), tokio::spawn(tell(call.to_owned(), chat)));
            }
            ["cancel", call] => {
                let Some(task) = running.remove(call) else { continue };
                task.abort();
                // One that has ended has said so.
                if task.await.is_err() {
                    println!("failed {call} cancelled");
                }
            }
            _ => {}
        }
    }
}

/// Writes how a call has ended.
async fn tell(call: String, outcome: impl Future<Output = Result<usize, String>>) {
    match outcome.await {
        Ok(size) => println!("ok {call} {size}"),
        Err(code) => println!("failed {call} {code}"),
    }
}
