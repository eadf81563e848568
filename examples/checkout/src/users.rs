//! Who calls: a layer that finds it out before a method runs.

use callgate_sdk::Status;
use callgate_sdk::layer::{Call, Layer, Next, Outcome};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// A user of the shop. Methods find theirs by `cx.extension::<User>()`.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What the user may spend at once.
    pub limit: Decimal,
}

/// A layer that lets the calls of known users pass. They come with a token in `authorization`, which a route of the gateway's
/// table lists under `metadata`.
#[derive(Debug, Default)]
pub struct Users {
    by_token: HashMap<String, User>,
}

impl Users {
    /// Adds a user, who has that token.
    pub fn with(mut self, token: impl Into<String>, user: User) -> Users {
        self.by_token.insert(token.into(), user);
        self
    }
}

impl Layer for Users {
    async fn call(&self, mut call: Call, next: Next) -> Outcome {
        let token = call.context().metadata("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(user) = token.and_then(|token| self.by_token.get(token)) else {
            return Err(Status::unauthenticated("who are you? Send `Authorization: Bearer TOKEN`"));
        };
        call.extensions_mut().insert(user.clone());
        next.run(call).await
    }
}
