//! A bound on how many calls of a method run at once.

use super::by_method::ByMethod;
use super::{Call, Layer, MethodName, Next, Outcome};
use crate::Status;
use crate::service::Method;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Lets so many calls of each method run at once, and refuses further ones.
///
/// A refused call is `unavailable` and has not run, so that its caller may go to another server. Unless
/// [`queue`](Self::queue) says otherwise it is refused at once. At the client's end the bound is on calls that are under way.
///
/// ```
/// use callgate_sdk::layer::ConcurrencyLimit;
/// use std::time::Duration;
///
/// let limit = ConcurrencyLimit::new(64)              // calls of each method
///     .method("orders.report", 2)                    // but of this one
///     .queue(16, Duration::from_millis(200));        // so many more may wait, so long
/// let server = callgate_sdk::Server::new().layer(limit);
/// ```
#[derive(Debug)]
pub struct ConcurrencyLimit {
    calls: usize,
    of_methods: HashMap<String, usize>,
    waiting: usize,
    patience: Duration,
    /// By the address of the method.
    gates: ByMethod<usize, Gate>,
}

/// The calls of one method.
#[derive(Debug)]
struct Gate {
    most: usize,
    running: Semaphore,
    waiting: AtomicUsize,
}

impl ConcurrencyLimit {
    /// So many calls of each method; at least one.
    pub fn new(calls: usize) -> ConcurrencyLimit {
        ConcurrencyLimit {
            calls,
            of_methods: HashMap::new(),
            waiting: 0,
            patience: Duration::ZERO,
            gates: ByMethod::default(),
        }
    }

    /// So many calls of this method, `service.method`, whatever the others have.
    pub fn method(mut self, name: impl Into<String>, calls: usize) -> ConcurrencyLimit {
        self.of_methods.insert(name.into(), calls);
        self
    }

    /// Lets up to `calls` further calls of each method wait for their turn, each for `patience` and within its deadline. They are
    /// let in in their order.
    pub fn queue(mut self, calls: usize, patience: Duration) -> ConcurrencyLimit {
        (self.waiting, self.patience) = (calls, patience);
        self
    }

    fn gate(&self, method: &'static Method) -> Arc<Gate> {
        self.gates.get(std::ptr::from_ref(method).addr(), || self.make(method))
    }

    fn make(&self, method: &'static Method) -> Gate {
        let named = self.of_methods.get(&MethodName::of(method).to_string());
        let most = named.copied().unwrap_or(self.calls).clamp(1, Semaphore::MAX_PERMITS);
        Gate { most, running: Semaphore::new(most), waiting: AtomicUsize::new(0) }
    }

    /// A place for a call, at once or after a while.
    async fn place<'a>(&self, gate: &'a Gate) -> Option<SemaphorePermit<'a>> {
        if let Ok(place) = gate.running.try_acquire() {
            return Some(place);
        }
        let waits = Waits(&gate.waiting);
        if waits.0.fetch_add(1, Ordering::Relaxed) >= self.waiting {
            return None;
        }
        timeout(self.patience, gate.running.acquire()).await.ok()?.ok()
    }
}

impl Layer for ConcurrencyLimit {
    async fn call(&self, call: Call, next: Next) -> Outcome {
        let gate = self.gate(call.target());
        let Some(_place) = self.place(&gate).await else {
            let message = format!("{} is running {} times, as often as it may", call.name(), gate.most);
            return Err(Status::unavailable(message).not_executed());
        };
        next.run(call).await
    }
}

/// A call that waits, until this is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CANCEL, QUOTE, of, reply};
    use super::super::{Layers, Side, Stack};
    use super::*;
    use crate::{Code, Context};
    use tokio::task::JoinHandle;

    fn layers(limit: ConcurrencyLimit) -> Layers {
        let mut stack = Stack::default();
        stack.add(limit);
        stack.share().expect("there is one")
    }

    /// A call that ends when the gate is opened for it. Gives what becomes of it when it has gone as far as it comes by itself.
    async fn begin(layers: &Layers, method: &'static Method, gate: &Arc<Semaphore>) -> JoinHandle<Outcome> {
        let gate = gate.clone();
        let end = async move |_: Context| {
            gate.acquire().await.expect("is never closed").forget();
            Ok(reply(0))
        };
        let next = layers.around(end);
        let call = tokio::spawn(next.run(of(method, Side::Server, Context::background())));
        tokio::task::yield_now().await;
        call
    }

    async fn code(call: JoinHandle<Outcome>) -> Result<(), (Code, bool)> {
        let outcome = call.await.expect("no panic");
        outcome.map(drop).map_err(|status| (status.code, status.not_executed))
    }

    const REFUSED: Result<(), (Code, bool)> = Err((Code::Unavailable, true));

    #[tokio::test]
    async fn each_method_has_so_many_calls_running_and_no_more() {
        let layers = layers(ConcurrencyLimit::new(2).method("orders.cancel", 1));
        let gate = Arc::new(Semaphore::new(0));
        let mut running = Vec::new();
        for method in [&QUOTE, &QUOTE, &CANCEL] {
            running.push(begin(&layers, method, &gate).await);
        }
        let refused = begin(&layers, &QUOTE, &gate).await.await.expect("no panic").expect_err("is full");
        assert_eq!((refused.code, refused.not_executed), (Code::Unavailable, true));
        assert_eq!(refused.message, "orders.quote is running 2 times, as often as it may");
        assert_eq!(code(begin(&layers, &CANCEL, &gate).await).await, REFUSED);
        // One that is dropped gives its place back, as one that ends does.
        running.swap_remove(0).abort();
        tokio::task::yield_now().await;
        running.push(begin(&layers, &QUOTE, &gate).await);
        gate.add_permits(3);
        for call in running {
            assert_eq!(code(call).await, Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_calls_wait_for_their_turn_and_not_for_ever() {
        let layers = layers(ConcurrencyLimit::new(1).queue(2, Duration::from_millis(200)));
        let gate = Arc::new(Semaphore::new(0));
        let first = begin(&layers, &QUOTE, &gate).await;
        let second = begin(&layers, &QUOTE, &gate).await;
        let third = begin(&layers, &QUOTE, &gate).await;
        assert_eq!(code(begin(&layers, &QUOTE, &gate).await).await, REFUSED, "two wait already");
        gate.add_permits(1);
        assert_eq!(code(first).await, Ok(()));
        assert_eq!(code(third).await, REFUSED, "its patience is over");
        gate.add_permits(1);
        assert_eq!(code(second).await, Ok(()), "it had its turn");
        let fourth = begin(&layers, &QUOTE, &gate).await;
        gate.add_permits(1);
        assert_eq!(code(fourth).await, Ok(()));
    }
}
