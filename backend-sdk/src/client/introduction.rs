//! What a client says of itself at the beginning of each connection.

use crate::fresh::Fresh;
use callgate_protocol::{Hello, Limits, StreamCredit, Tokens};
use std::sync::Arc;

/// Who a client is, and by what it is let in.
#[derive(Clone, Debug)]
pub(crate) struct Introduction {
    /// How this process names itself.
    pub(crate) identity: Arc<str>,
    /// The first one is brought along.
    pub(crate) tokens: Option<Arc<Fresh<Tokens>>>,
}

impl Introduction {
    /// The HELLO of a new connection.
    pub(crate) async fn hello(&self) -> Hello {
        let mut hello = Hello::new(&*self.identity, Limits::default(), Vec::new())
            .speaking_streams(StreamCredit::default());
        if let Some(tokens) = &self.tokens {
            hello.token = tokens.get().await.first().cloned();
        }
        hello
    }
}
