//! A mirror: gives back what it was given, in every type there is, late or not at all. For trying things out.

use crate::types::AllTypes;
use callgate_sdk::{Code, Context, Json, Status, service};
use std::time::Duration;

/// Gives back what it is given.
#[service]
pub trait Echo {
    /// Any JSON.
    #[idempotent]
    async fn json(&self, doc: Json) -> Result<Json, Status>;

    /// A value of every type.
    #[idempotent]
    async fn types(&self, all: AllTypes) -> Result<AllTypes, Status>;

    /// Waits that many milliseconds and returns the number.
    #[idempotent]
    async fn delay(&self, ms: u32) -> Result<u32, Status>;

    /// Fails with the code of that name, such as `not_found`.
    async fn fail(&self, cx: &Context, code: String) -> Result<(), Status>;
}

/// The implementation.
#[derive(Debug)]
pub struct Mirror;

impl Echo for Mirror {
    async fn json(&self, doc: Json) -> Result<Json, Status> {
        Ok(doc)
    }

    async fn types(&self, all: AllTypes) -> Result<AllTypes, Status> {
        Ok(all)
    }

    async fn delay(&self, ms: u32) -> Result<u32, Status> {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
        Ok(ms)
    }

    // The context is what is known of a call beside its arguments: its deadline, and metadata such as the caller's name.
    async fn fail(&self, cx: &Context, code: String) -> Result<(), Status> {
        let caller = cx.metadata("caller").unwrap_or("the caller");
        match Code::from_name(&code) {
            Some(code) => Err(Status::new(code, format!("as {caller} wished"))),
            None => Err(Status::invalid_argument(format!("there is no code `{code}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_fails_with_the_code_of_that_name() {
        for &code in Code::ALL {
            let failure = Mirror.fail(&Context::background(), code.name().to_owned()).await;
            assert_eq!(failure.map_err(|status| status.code), Err(code));
        }
        let failure = Mirror.fail(&Context::background(), "ok".to_owned()).await;
        assert_eq!(failure.map_err(|status| status.code), Err(Code::InvalidArgument));
    }
}
