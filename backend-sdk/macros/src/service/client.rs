//! The client stub: implements the trait by calling another process.

use super::method::Method;
use super::model::Service;
use super::streams::{CallerStream, ServiceStream};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::parse_quote;

/// The stub's type, and its implementations.
pub(crate) fn stub(service: &Service) -> (TokenStream, TokenStream) {
    let Service { vis, ident, name, .. } = service;
    let stub = format_ident!("{ident}Client");
    let sdk = service.krate.text();
    let doc =
        format!("Calls `{name}` in another process: implements [`{ident}`] by a [`Client`]({sdk}::Client).");
    let methods = service.methods.iter().enumerate().map(|(i, m)| remote(i, m));
    let definition = quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #vis struct #stub {
            client: ::callgate_sdk::Client,
        }
    };
    let implementations = quote! {
        #[automatically_derived]
        impl #stub {
            /// Calls by way of `client`.
            #vis fn new(client: ::callgate_sdk::Client) -> Self {
                Self { client }
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<::callgate_sdk::Client> for #stub {
            fn from(client: ::callgate_sdk::Client) -> Self {
                Self::new(client)
            }
        }

        #[automatically_derived]
        impl #ident for #stub {
            #(#methods)*
        }
    };
    (definition, implementations)
}

/// One method, which passes its context on if it has one.
fn remote(index: usize, method: &Method) -> TokenStream {
    let Method { ident, context, .. } = method;
    let (parameters, names) = (method.parameters(), method.names());
    let context = match context {
        Some((context, _)) => quote!(::core::option::Option::Some(#context)),
        None => quote!(::core::option::Option::None),
    };
    let arguments = quote!(&self.client, &__METHODS[#index], #context, &(#names));
    let items = method.caller_stream.as_ref().map(
        |CallerStream { ident, .. }| quote!(::callgate_sdk::generated::outgoing(&__METHODS[#index], #ident)),
    );
    let remote = match (&method.service_stream, items) {
        (None, None) => quote!(::callgate_sdk::generated::remote(#arguments)),
        (None, Some(items)) => quote!(::callgate_sdk::generated::remote_reading(#arguments, #items)),
        (Some(_), None) => {
            quote!(::callgate_sdk::generated::remote_streamed(#arguments, ::core::option::Option::None))
        }
        (Some(_), Some(items)) => {
            quote!(::callgate_sdk::generated::remote_streamed(#arguments, ::core::option::Option::Some(#items)))
        }
    };
    let remote = quote_spanned!(method.result_span()=> #remote.await);
    let result = match &method.service_stream {
        None => method.result.clone(),
        Some(ServiceStream { item, item_result, .. }) => method.result_with(parse_quote! {
            ::callgate_sdk::Streaming<#item, <#item_result as ::callgate_sdk::generated::Outcome>::Error>
        }),
    };
    // Users of the stub itself are given more than the trait promises.
    let refines = method.service_stream.as_ref().map(|_| quote!(#[allow(refining_impl_trait)]));
    quote!(#refines async fn #ident(#parameters) -> #result { #remote })
}
