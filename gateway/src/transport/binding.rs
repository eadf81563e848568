//! What a link needs to know of a route: which one it is, and how its requests and replies are bound to a method.

use crate::config::CallRef;
use callgate_transcode::{RequestBinding, ResponseBinding};

/// A route, as links know it.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'r> {
    /// Which route this is: one that has changed is another.
    pub id: u64,
    /// Its place in what links keep by route. A route that takes another's place has another id.
    pub slot: usize,
    /// The method that it calls.
    pub call: &'r CallRef,
    /// How a request becomes the method's argument.
    pub request: &'r RequestBinding,
    /// How the method's result becomes a reply.
    pub response: &'r ResponseBinding,
}
