//! Generated code satisfies a crate that allows nothing.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, rust_2018_idioms)]
#![no_implicit_prelude]

mod shop {
    //! Names that generated code might take for its own.
    use ::callgate_sdk::{Context, Message, Status, service};
    use ::serde::{Deserialize, Serialize};
    use ::std::{result::Result, string::String};

    /// Not the standard library's.
    #[derive(::std::fmt::Debug, Serialize, Deserialize, Message)]
    pub struct Vec {
        /// A field.
        pub schema: Option,
    }

    /// Not the standard library's.
    #[derive(::std::fmt::Debug, Serialize, Deserialize, Message)]
    pub enum Option {
        /// Not the standard library's.
        Some(T),
        /// Not the standard library's.
        None,
    }

    /// Not a type parameter.
    #[derive(::std::fmt::Debug, Serialize, Deserialize, Message)]
    pub struct T;

    /// Not the standard library's.
    #[service]
    pub trait Send {
        /// Arguments with awkward names.
        async fn call(&self, context: &Context, payload: T, method: Option, service: String) -> Result<Vec, Status>;
        /// Awkward too.
        async fn methods(&self, client: T, r#fn: u8) -> Result<T, Status>;
    }
}

mod failing {
    //! Typed errors with names that generated code might take for its own.
    use ::callgate_sdk::{Context, Status, service};
    use ::std::{result::Result, string::String};

    /// Not the SDK's.
    #[derive(::std::fmt::Debug, ::callgate_sdk::Error)]
    pub enum Error {
        /// Has no content.
        #[error("nothing", code = "aborted")]
        Nothing,
        /// Awkward.
        #[error("{f} {_0} {__f} {type}", code = "not_found")]
        Ok {
            /// A field.
            f: u8,
            /// A field.
            _0: u8,
            /// A field.
            __f: String,
            /// A field.
            r#type: String,
        },
        /// Awkward too.
        #[error("{1}", code = "internal")]
        #[deprecated]
        Err(u8, u8),
        /// All others.
        #[error(status)]
        None(Status),
    }

    /// Fails.
    #[service]
    pub trait Failing {
        /// Fails.
        async fn fail(&self, cx: &Context, #[default] error: String, #[default(7)] code: u8) -> Result<u8, Error>;
    }
}

/// A message under a `cfg_attr`, made by a macro.
macro_rules! message {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        /// Made by a macro.
        #[derive(::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize, ::callgate_sdk::Message)]
        #[cfg_attr(all(), serde(rename_all = "camelCase"))]
        pub struct $name {
            $(
                /// A field.
                pub $field: $ty,
            )*
        }
    };
}

message!(Made { first: ::std::vec::Vec<u8>, second: ::std::option::Option<shop::T> });

fn main() {
    let _ = shop::SendServer::<shop::SendClient>::new;
    let _ = failing::FailingServer::<::std::sync::Arc<dyn failing::DynFailing>>::new;
}
