//! The SDK's macros. They are documented where users find them, at their re-exports in `callgate_sdk`.
//!
//! Both work in two steps: read what the user wrote into a checked form, where every refusal has a place and an advice;
//! then write code from the checked form, which cannot fail. The generated code says `::callgate_sdk` and nothing else.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod case;
mod docs;
mod message;
mod service;

use proc_macro::TokenStream;

/// Derives [`Message`](../callgate_sdk/trait.Message.html): tells the shape of a struct or an enum.
///
/// Stands beside serde's own derives and honours `rename`, `rename_all`, `rename_all_fields`, `alias`, `default`,
/// `transparent`, `skip`, `bound` and `deny_unknown_fields`. What bincode cannot carry is refused at compile time:
/// `flatten`, `tag`, `content`, `untagged`, `skip_serializing_if`, `with` and their kin. Documentation comments become part
/// of the schema.
#[proc_macro_derive(Message, attributes(serde, message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    message::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a trait a service.
///
/// ```ignore
/// #[service]                       // or #[service(name = "orders", version = "1.2")]
/// pub trait Orders {
///     /// Documentation becomes part of the schema.
///     #[idempotent]
///     async fn get(&self, cx: &Context, order_id: String) -> Result<Order, Status>;
/// }
/// ```
///
/// The trait is implemented with plain `async fn`s. Beside it there are `OrdersServer<T: Orders>`, which a `Server` is
/// given, and `OrdersClient`, which implements `Orders` by calling another process.
///
/// A method takes `&self`, then `&Context` if it wants it, then owned arguments that are messages; it returns
/// `Result<_, Status>`. `#[idempotent]` says that running it twice does what running it once does; `#[call(id = 0x1234)]`
/// pins its Call ID.
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
