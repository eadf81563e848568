//! A service that is shared, or chosen at run time: `Arc<T>` and `Box<T>` implement the trait as `T` does, and the companion
//! `DynOrders` of `Orders` is a trait that can be an object.
//!
//! A trait with `async fn`s cannot be an object, because each implementation's futures have a type of their own. The
//! companion's methods box them. They have names that nobody writes: everybody calls those of `Orders`, which `dyn
//! DynOrders` implements too.

use super::method::Method;
use super::model::Service;
use super::streams::{CallerStream, ServiceStream};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Ident, Type};

/// The companion, and all implementations.
pub(crate) fn companion(service: &Service) -> (TokenStream, TokenStream) {
    let Service { vis, ident, methods, .. } = service;
    let dynamic = format_ident!("Dyn{}", ident.unraw());
    let doc = format!(
        "[`{ident}`] as an object: all that implements `{ident}` can be an `Arc<dyn {dynamic}>` or a `Box<dyn {dynamic}>`, \
         which implement `{ident}` themselves. Each call allocates once more."
    );
    let signatures = methods.iter().map(boxed_signature);
    let definition = quote! {
        #[doc = #doc]
        #[allow(dead_code, non_snake_case, clippy::too_many_arguments)]
        #vis trait #dynamic: ::core::marker::Send + ::core::marker::Sync + 'static {
            #(#[doc(hidden)] #signatures;)*
        }
    };
    let of_all = methods.iter().map(|method| {
        let signature = boxed_signature(method);
        let call = call(method, quote!(<__T as #ident>), &method.ident, quote!(self));
        match &method.service_stream {
            None => quote!(#signature { ::std::boxed::Box::pin(#call) }),
            Some(stream) => {
                let boxed = boxed_stream(stream, quote!('__call));
                quote!(#signature {
                    ::std::boxed::Box::pin(async move {
                        let stream: #boxed = ::std::boxed::Box::pin(#call.await?);
                        ::core::result::Result::Ok(stream)
                    })
                })
            }
        }
    });
    let of_object = methods.iter().map(|method| {
        let call = call(method, quote!(<Self as #dynamic>), &boxed_name(method), quote!(self));
        match method.service_stream {
            None => passing_on(method, &call),
            Some(_) => carrying_out(method, &call),
        }
    });
    let of_pointer = methods.iter().map(|method| {
        let call = call(method, quote!(<__T as #ident>), &method.ident, quote!(&**self));
        passing_on(method, &call)
    });
    let of_pointer = quote!(#(#of_pointer)*);
    let implementations = quote! {
        #[automatically_derived]
        impl<__T: #ident> #dynamic for __T {
            #(#of_all)*
        }

        #[automatically_derived]
        impl #ident for dyn #dynamic {
            #(#of_object)*
        }

        #[automatically_derived]
        impl<__T: #ident + ?::core::marker::Sized> #ident for ::std::sync::Arc<__T> {
            #of_pointer
        }

        #[automatically_derived]
        impl<__T: #ident + ?::core::marker::Sized> #ident for ::std::boxed::Box<__T> {
            #of_pointer
        }
    };
    (definition, implementations)
}

fn boxed_name(method: &Method) -> Ident {
    format_ident!("__boxed_{}", method.ident.unraw(), span = method.ident.span())
}

/// The companion's method, whose future lives as long as what it borrows.
fn boxed_signature(method: &Method) -> TokenStream {
    let name = boxed_name(method);
    let result = match &method.service_stream {
        None => method.result.clone(),
        Some(stream) => method.result_with(Type::Verbatim(boxed_stream(stream, quote!('__call)))),
    };
    let context = method.context.iter().map(|(ident, ty)| match ty {
        Type::Reference(reference) => {
            let ty = &reference.elem;
            quote!(#ident: &'__call #ty,)
        }
        ty => quote!(#ident: #ty,),
    });
    let arguments = method.arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, &argument.ty);
        quote!(#ident: #ty,)
    });
    let stream = method.caller_stream.iter().map(|CallerStream { ident, ty, .. }| quote!(#ident: #ty,));
    quote! {
        fn #name<'__call>(&'__call self, #(#context)* #(#arguments)* #(#stream)*)
            -> ::callgate_sdk::generated::Boxed<'__call, #result>
    }
}

/// Calls `name` of `me` with what the method itself was called with.
fn call(method: &Method, of: TokenStream, name: &Ident, me: TokenStream) -> TokenStream {
    let context = method.context.iter().map(|(ident, _)| quote!(#ident,));
    let names = method.all_names();
    quote!(#of::#name(#me, #(#context)* #names))
}

fn boxed_stream(stream: &ServiceStream, lifetime: TokenStream) -> TokenStream {
    let item = &stream.item_result;
    quote!(::callgate_sdk::generated::BoxedStream<#lifetime, #item>)
}

/// The trait's method by `call`, whose stream borrows both the object and the context: the future that holds them carries it out.
fn carrying_out(method: &Method, call: &TokenStream) -> TokenStream {
    let (ident, result, parameters) = (&method.ident, &method.result, method.parameters());
    quote! {
        async fn #ident(#parameters) -> #result {
            ::callgate_sdk::generated::carried(move |__carrier| async move {
                __carrier.all(#call.await?).await;
                ::core::result::Result::Ok(())
            })
            .await
        }
    }
}

/// The trait's method by `call`.
fn passing_on(method: &Method, call: &TokenStream) -> TokenStream {
    let (ident, result, parameters) = (&method.ident, &method.result, method.parameters());
    quote!(async fn #ident(#parameters) -> #result { #call.await })
}
