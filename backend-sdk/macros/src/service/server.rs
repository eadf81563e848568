//! The server stub: the table of methods, and how to run one by its index.

use super::argument::Argument;
use super::method::Method;
use super::model::Service;
use super::streams::CallerStream;
use crate::case;
use crate::message::describe;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

/// The stub's type, and its implementations.
pub(crate) fn stub(service: &Service) -> (TokenStream, TokenStream) {
    let Service { vis, ident, name, version, .. } = service;
    let server = format_ident!("{ident}Server");
    let sdk = service.krate.text();
    let doc = format!("Serves an implementation of [`{ident}`], for a [`Server`]({sdk}::Server).");
    let new_doc = format!("Serves `service` as `{name}`.");
    // Beside the arguments' names, which may be any.
    let [number, context, payload, items] =
        ["number", "context", "payload", "items"].map(|name| Ident::new(name, Span::mixed_site()));
    let arms = service.methods.iter().enumerate();
    let arms = arms.map(|(i, method)| arm(service, i, method, [&context, &payload, &items]));
    let definition = quote! {
        #[doc = #doc]
        #[derive(Debug)]
        #vis struct #server<T> {
            service: T,
        }
    };
    let implementations = quote! {
        #[automatically_derived]
        impl<__T: #ident> #server<__T> {
            #[doc = #new_doc]
            #vis fn new(service: __T) -> Self {
                Self { service }
            }
        }

        #[automatically_derived]
        impl<__T: #ident> ::callgate_sdk::generated::Dispatch for #server<__T> {
            fn name(&self) -> &'static str {
                #name
            }

            fn version(&self) -> &'static str {
                #version
            }

            fn methods(&self) -> &'static [::callgate_sdk::service::Method] {
                &__METHODS
            }

            fn call(
                self: ::callgate_sdk::generated::Arc<Self>,
                #number: usize,
                #context: ::callgate_sdk::Context,
                #payload: &[u8],
                #items: ::core::option::Option<::callgate_sdk::generated::Items>,
            ) -> ::core::result::Result<::callgate_sdk::service::Answer, ::callgate_sdk::Status> {
                match #number {
                    #(#arms)*
                    _ => ::core::result::Result::Err(::callgate_sdk::generated::no_such_method(#name, #number)),
                }
            }
        }
    };
    (definition, implementations)
}

/// Runs one method.
fn arm(service: &Service, index: usize, method: &Method, beside: [&Ident; 3]) -> TokenStream {
    let [context, payload, items] = beside;
    let (contract, ident, names, all) = (&service.ident, &method.ident, method.names(), method.all_names());
    let context = method.context.iter().map(|_| quote!(&#context,));
    let handler = quote!(<__T as #contract>::#ident(&self.service, #(#context)* #all).await);
    // An error that can be none is the compiler's to find; its complaint stands at the result.
    let mut answer = if method.service_stream.is_some() {
        let items = quote!(::core::clone::Clone::clone(&#items));
        quote_spanned! {method.result_span()=>
            {
                let __items = #items;
                ::callgate_sdk::generated::streamed(async move {
                    ::callgate_sdk::generated::put_all(__items, #handler).await
                })
            }
        }
    } else {
        quote_spanned!(method.result_span()=> ::callgate_sdk::generated::answer(async move { #handler }))
    };
    let mut streams = TokenStream::new();
    if method.caller_stream.is_some() || method.service_stream.is_some() {
        streams.extend(quote!(let #items = ::callgate_sdk::generated::streams(#items)?;));
    }
    if let Some(CallerStream { ident, item, .. }) = &method.caller_stream {
        streams.extend(quote! {
            let #ident = ::callgate_sdk::generated::caller_items::<#item>(&__METHODS[#index], &#items);
        });
        answer = quote!(::callgate_sdk::generated::reading(::core::clone::Clone::clone(&#items), #answer));
    }
    quote! {
        #index => {
            let (#names) = ::callgate_sdk::generated::arguments(&__METHODS[#index], #payload)?;
            #streams
            ::core::result::Result::Ok(#answer)
        }
    }
}

/// The table that both stubs use.
pub(crate) fn methods(service: &Service) -> TokenStream {
    let count = service.methods.len();
    let methods = service.methods.iter().map(|method| entry(service, method));
    quote!(static __METHODS: [::callgate_sdk::service::Method; #count] = [#(#methods),*];)
}

fn entry(service: &Service, method: &Method) -> TokenStream {
    let Method { name, doc, idempotent, .. } = method;
    let service_name = &service.name;
    let call_id = match method.pinned {
        Some(id) => {
            let number = id.get();
            quote!(::callgate_sdk::generated::pinned(#number))
        }
        None => quote!(::callgate_sdk::generated::CallId::of(#service_name, #name)),
    };
    let request = format!("{}Request", case::pascal(name));
    let told_alone = match method.arguments.as_slice() {
        [Argument { name, is_told: true, .. }] => quote!(::core::option::Option::Some(#name)),
        _ => quote!(::core::option::Option::None),
    };
    let arguments = method.arguments.iter().map(argument);
    let reply = describe(&method.reply);
    let result = method.plain_result();
    let request_items = match &method.caller_stream {
        Some(CallerStream { item, .. }) => {
            let item = describe(item);
            quote!(::core::option::Option::Some(#item))
        }
        None => quote!(::core::option::Option::None),
    };
    let (caller, service) = (method.caller_stream.is_some(), method.service_stream.is_some());
    let error = quote_spanned! {method.result_span()=>
        <<#result as ::callgate_sdk::generated::Outcome>::Error as ::callgate_sdk::Error>::describe(__schema)
    };
    quote! {
        ::callgate_sdk::service::Method {
            service: #service_name,
            name: #name,
            call_id: #call_id,
            idempotent: #idempotent,
            streams: ::callgate_sdk::generated::Directions { caller: #caller, service: #service },
            describe: || ::callgate_sdk::generated::method_schema(#doc, #request, #told_alone, |__schema| {
                ::callgate_sdk::generated::Described {
                    arguments: ::std::vec![#(#arguments),*],
                    request_items: #request_items,
                    response: #reply,
                    error: #error,
                }
            }),
            cache: ::callgate_sdk::generated::OnceLock::new(),
        }
    }
}

/// The expression that gives an argument's field.
fn argument(argument: &Argument) -> TokenStream {
    let Argument { name, doc, ty, constraints, .. } = argument;
    let default = match &argument.default {
        Some(value) => {
            // A value of another type is the compiler's to find; its complaint stands at the value.
            let value = quote_spanned!(value.span().resolved_at(Span::call_site())=> &(#value));
            quote!(::callgate_sdk::generated::default_of::<#ty>(__schema, #value))
        }
        None => quote!(::core::option::Option::None),
    };
    let (attributes, ty) = (constraints.tokens(ty), describe(ty));
    quote!({
        let __attributes = #attributes;
        let __field = ::callgate_sdk::generated::field(#name, &[], #doc, #ty, #default);
        ::callgate_sdk::generated::with_attributes(__field, __attributes)
    })
}
