//! The layers of a server or client, one within the other, and the way through them.

use super::{Call, Outcome};
use crate::Context;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a program does around each call.
///
/// An `async fn(Call, Next) -> Outcome` is a layer. One that has state implements the trait:
///
/// ```
/// use callgate_sdk::layer::{Call, Layer, Next, Outcome};
/// use callgate_sdk::Status;
/// use std::collections::HashMap;
///
/// /// Who calls, for methods: `cx.extension::<User>()`.
/// #[derive(Clone)]
/// struct User(String);
///
/// /// Refuses calls without a token that it knows.
/// struct Authenticate {
///     tokens: HashMap<String, User>,
/// }
///
/// impl Layer for Authenticate {
///     async fn call(&self, mut call: Call, next: Next) -> Outcome {
///         let token = call.context().metadata("authorization").unwrap_or_default();
///         let Some(user) = self.tokens.get(token).cloned() else {
///             return Err(Status::unauthenticated("this token is not known").not_executed());
///         };
///         call.extensions_mut().insert(user);
///         next.run(call).await
///     }
/// }
/// ```
///
/// A call that is cancelled, or whose deadline passes, has its future dropped, the layer's too: what must be undone then is
/// undone by a value's `Drop`. When a method panics, its layers see the failure that the caller gets.
pub trait Layer: Send + Sync + 'static {
    /// Around one call.
    fn call(&self, call: Call, next: Next) -> impl Future<Output = Outcome> + Send;
}

impl<F, R> Layer for F
where
    F: Fn(Call, Next) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn call(&self, call: Call, next: Next) -> impl Future<Output = Outcome> + Send {
        self(call, next)
    }
}

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A layer of any type.
trait AnyLayer: Send + Sync {
    fn call_boxed(self: Arc<Self>, call: Call, next: Next) -> Running;
}

impl<L: Layer> AnyLayer for L {
    fn call_boxed(self: Arc<Self>, call: Call, next: Next) -> Running {
        Box::pin(async move { self.call(call, next).await })
    }
}

/// All layers of a server or client, the outermost first.
#[derive(Clone, Default)]
pub(crate) struct Stack(Vec<Arc<dyn AnyLayer>>);

impl Stack {
    pub(crate) fn add(&mut self, layer: impl Layer) {
        self.0.push(Arc::new(layer));
    }

    /// Those layers, if there are any, as calls share them.
    pub(crate) fn share(self) -> Option<Layers> {
        (!self.0.is_empty()).then(|| Layers(self.0.into()))
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stack").field(&self.0.len()).finish()
    }
}

/// Layers that calls go through; at least one.
#[derive(Clone)]
pub(crate) struct Layers(Arc<[Arc<dyn AnyLayer>]>);

impl Layers {
    /// The way from the outermost layer to the end.
    pub(crate) fn around<E, R>(&self, end: E) -> Next
    where
        E: FnOnce(Context) -> R + Send + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        Next { layers: self.clone(), passed: 0, end: Box::new(move |context| Box::pin(end(context))) }
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layers").field(&self.0.len()).finish()
    }
}

/// What is within a layer: the next layer, and at last the method, or at the client's end the way to a server.
pub struct Next {
    layers: Layers,
    passed: usize,
    end: Box<dyn FnOnce(Context) -> Running + Send>,
}

impl Next {
    /// Lets the call go on, and gives what becomes of it.
    pub async fn run(mut self, call: Call) -> Outcome {
        let Layers(layers) = &self.layers;
        match layers.get(self.passed).cloned() {
            Some(layer) => {
                self.passed += 1;
                layer.call_boxed(call, self).await
            }
            None => (self.end)(call.context).await,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layers(layers) = &self.layers;
        f.debug_struct("Next").field("layers", &(layers.len() - self.passed)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{call, reply};
    use super::*;
    use crate::Status;
    use std::sync::Mutex;

    type Notes = Arc<Mutex<Vec<String>>>;

    struct Note(&'static str, Notes);

    impl Layer for Note {
        async fn call(&self, mut call: Call, next: Next) -> Outcome {
            let Note(name, notes) = self;
            notes.lock().expect("no panic").push(format!("{name} before"));
            call.context_mut().set_metadata("last", name)?;
            let outcome = next.run(call).await;
            notes.lock().expect("no panic").push(format!("{name} after"));
            outcome
        }
    }

    async fn refuse(_: Call, _: Next) -> Outcome {
        Err(Status::unauthenticated("who are you?"))
    }

    #[tokio::test]
    async fn the_first_layer_is_the_outermost_and_the_end_sees_what_the_last_has_made_of_the_context() {
        let notes = Notes::default();
        let mut stack = Stack::default();
        stack.add(Note("first", notes.clone()));
        stack.add(Note("second", notes.clone()));
        let layers = stack.share().expect("there are two");
        let end = {
            let notes = notes.clone();
            async move |cx: Context| {
                let last = cx.metadata("last").map(str::to_owned);
                notes.lock().expect("no panic").push(format!("{last:?}"));
                Ok(reply(7))
            }
        };
        let outcome = layers.around(end).run(call()).await.expect("the end succeeds");
        assert_eq!(outcome.size(), 7);
        let expected = ["first before", "second before", "Some(\"second\")", "second after", "first after"];
        assert_eq!(*notes.lock().expect("no panic"), expected);
    }

    #[tokio::test]
    async fn a_layer_may_answer_itself() {
        let mut stack = Stack::default();
        stack.add(refuse);
        let layers = stack.share().expect("there is one");
        let end = |_: Context| async { panic!("the layer has refused it") };
        let refused = layers.around(end).run(call()).await.expect_err("is refused");
        assert_eq!(refused.message, "who are you?");
        assert!(Stack::default().share().is_none());
    }
}
