//! Who calls: a layer that finds it out before a method runs.

use callgate_sdk::layer::{Call, Layer, Next, Outcome};
use callgate_sdk::{Context, Status};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// A user of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What the user may spend at once.
    pub limit: Decimal,
}

impl User {
    /// The user who makes a call, as [`Users`] has found.
    pub fn of(cx: &Context) -> Result<&User, Status> {
        cx.extensions().get().ok_or_else(|| Status::internal("the server has no layer that knows its users"))
    }
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
        call.context_mut().extensions_mut().insert(user.clone());
        next.run(call).await
    }
}
