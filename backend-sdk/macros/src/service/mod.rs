//! `#[service]`: from a trait to a service that can be offered and called.

mod argument;
mod client;
mod dynamic;
mod method;
mod model;
mod options;
mod server;
mod streams;

use model::Service;
use proc_macro2::TokenStream;
use quote::quote;

/// The trait as implementors see it, both stubs, and what makes objects of it.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let service = Service::read(options, syn::parse2(item)?)?;
    let contract = contract(&service);
    let (server, server_impls) = server::stub(&service);
    let (client, client_impls) = client::stub(&service);
    let (companion, companion_impls) = dynamic::companion(&service);
    let methods = server::methods(&service);
    let written = quote! {
        #server
        #client
        #companion
        #[allow(deprecated)]
        const _: () = {
            #methods
            #server_impls
            #client_impls
            #companion_impls
        };
    };
    let written = service.krate.named_in(written);
    Ok(quote!(#contract #written))
}

/// The trait, its methods' futures known to be `Send`.
fn contract(service: &Service) -> TokenStream {
    let Service { attrs, vis, ident, .. } = service;
    let methods = service.methods.iter().map(|method| {
        let (attrs, ident, result) = (&method.attrs, &method.ident, &method.result);
        let parameters = method.parameters();
        quote! {
            #(#attrs)*
            fn #ident(#parameters) -> impl ::core::future::Future<Output = #result> + ::core::marker::Send;
        }
    });
    quote! {
        #(#attrs)*
        #vis trait #ident: ::core::marker::Send + ::core::marker::Sync + 'static {
            #(#methods)*
        }
    }
}
