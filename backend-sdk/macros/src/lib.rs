//! The SDK's macros. They are documented where users find them, at their re-exports in `callgate_sdk`.
//!
//! All work in two steps: read what the user wrote into a checked form, where every refusal has a place and an advice;
//! then write code from the checked form, which cannot fail. The generated code says `::callgate_sdk`, unless `krate` is told
//! of another path.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod case;
mod docs;
mod error;
mod krate;
mod message;
mod service;

use proc_macro::TokenStream;

/// Derives [`Message`](../callgate_sdk/trait.Message.html): tells the shape of a struct or an enum.
///
/// Stands beside serde's own derives and honours `rename`, `rename_all`, `rename_all_fields`, `alias`, `default`,
/// `transparent`, `skip`, `bound` and `deny_unknown_fields`. What bincode cannot carry is refused at compile time:
/// `flatten`, `tag`, `content`, `untagged`, `skip_serializing_if`, `with` and their kin. Documentation comments become part
/// of the schema. What fields ask of their values, and how enums and fields look in JSON, is said by `#[message(…)]`.
/// `#[message(crate = "…")]` on the type says where the SDK is, if it is not `::callgate_sdk`.
#[proc_macro_derive(Message, attributes(serde, message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    message::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives [`Error`](../callgate_sdk/trait.Error.html): makes an enum the error of methods. That page says all of it.
#[proc_macro_derive(Error, attributes(error, serde, message))]
pub fn derive_error(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    error::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a trait a service.
///
/// ```ignore
/// #[service]                       // or #[service(name = "acme.orders", version = "1.2")]
/// pub trait Orders {
///     /// Documentation becomes part of the schema.
///     #[idempotent]
///     async fn list(&self, cx: &Context, #[default(20)] limit: u32) -> Result<Vec<Order>, Status>;
/// }
/// ```
///
/// The trait is implemented with plain `async fn`s. Beside it there are `OrdersServer<T: Orders>`, which a `Server` is
/// given, and `OrdersClient`, which implements `Orders` by calling another process. `Arc<T>` and `Box<T>` implement `Orders`
/// as `T` does. `dyn DynOrders` implements it too: all that implements `Orders` can be an `Arc<dyn DynOrders>`.
///
/// A method takes `&self`, then `&Context` if it wants it, then owned arguments that are messages; it returns
/// `Result<_, Status>`, or has a typed error in the place of `Status`. `#[idempotent]` says that running it twice does what
/// running it once does; `#[call(id = 0x1234)]` pins its Call ID.
///
/// Before an argument `#[default]` or `#[default(20)]` says what it is where JSON leaves it out, and `#[message(rename = "…")]` how
/// it is called there.
///
/// The service's name is the trait's in snake_case, or `name = "…"`. `crate = "my_prelude::callgate_sdk"` says where the SDK is, if
/// it is not `::callgate_sdk`.
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(options.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Collects refusals, so that one run of the compiler shows all of them.
#[derive(Default)]
struct Refusals(Option<syn::Error>);

impl Refusals {
    fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn refuse(&mut self, what: impl quote::ToTokens, why: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(what, why));
    }

    fn check(self) -> syn::Result<()> {
        match self.0 {
            Some(errors) => Err(errors),
            None => Ok(()),
        }
    }
}
