//! `#[derive(Error)]`: from an enum to the error of a method.
//!
//! The enum has a variant that is on no wire and in no schema, so serde and `Message` cannot be derived for it. They are derived for an
//! enum beside it that nobody sees: the same variants without that one. What is declared becomes a value of the hidden
//! enum and back.

mod hidden;
mod model;
mod text;
mod variant;

use callgate_protocol::Code;
use model::{Declared, TypedError};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Type};
use variant::pattern;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let error = TypedError::read(input)?;
    let (hidden, display) = (hidden::definition(&error), error.display());
    let (conversions, implementation) = (error.conversions(), error.implementation());
    Ok(error.krate.named_in(quote! {
        #[allow(deprecated)]
        const _: () = {
            #hidden
            #display
            #conversions
            #implementation
        };
    }))
}

impl TypedError<'_> {
    fn display(&self) -> TokenStream {
        let ident = &self.input.ident;
        let status = self.status.0;
        let arms = self.declared.iter().map(|Declared { variant, text, .. }| {
            let (pattern, written) = (pattern(variant), text.written(&variant.fields));
            quote!(#ident::#pattern => #written,)
        });
        quote! {
            #[automatically_derived]
            impl ::core::fmt::Display for #ident {
                #[allow(unused_variables)]
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    match self {
                        #(#arms)*
                        #ident::#status(__status) => ::core::fmt::Display::fmt(__status, __f),
                    }
                }
            }

            #[automatically_derived]
            impl ::std::error::Error for #ident {
                fn source(&self) -> ::core::option::Option<&(dyn ::std::error::Error + 'static)> {
                    match self {
                        #ident::#status(__status) => ::std::error::Error::source(__status),
                        _ => ::core::option::Option::None,
                    }
                }
            }
        }
    }

    /// From a status, and to one; and from what else becomes one.
    fn conversions(&self) -> TokenStream {
        let (ident, (status, ty)) = (&self.input.ident, &self.status);
        // Another type than `Status` is the compiler's to find; its complaint stands at that type.
        let held = quote_spanned!(ty.span().resolved_at(Span::call_site())=> #ident::#status(__status));
        let sources = match &self.sources {
            None => quote!(::callgate_sdk::__from_usual_errors!(#ident);),
            Some(types) => types.iter().map(|ty| self.from(ty)).collect(),
        };
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<::callgate_sdk::Status> for #ident {
                fn from(__status: ::callgate_sdk::Status) -> Self {
                    #held
                }
            }

            #sources

            #[automatically_derived]
            impl ::core::convert::From<#ident> for ::callgate_sdk::Status {
                fn from(__error: #ident) -> Self {
                    let __message = ::std::string::ToString::to_string(&__error);
                    match __split(__error) {
                        ::core::result::Result::Ok((__code, _)) => ::callgate_sdk::Status::new(__code, __message),
                        ::core::result::Result::Err(__status) => __status,
                    }
                }
            }
        }
    }

    /// From one that becomes a status. That it does is the compiler's to see; its complaint stands at the type.
    fn from(&self, ty: &Type) -> TokenStream {
        let (ident, status) = (&self.input.ident, self.status.0);
        let at = ty.span().resolved_at(Span::call_site());
        let made = quote_spanned!(at=> <#ty as ::core::convert::Into<::callgate_sdk::Status>>::into(__error));
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#ty> for #ident {
                fn from(__error: #ty) -> Self {
                    #ident::#status(#made)
                }
            }
        }
    }

    fn implementation(&self) -> TokenStream {
        let (ident, (status, ty)) = (&self.input.ident, &self.status);
        let held =
            quote_spanned!(ty.span().resolved_at(Span::call_site())=> ::core::result::Result::Err(__status));
        let codes: Vec<TokenStream> = self.declared.iter().map(|declared| code(declared.code)).collect();
        let patterns: Vec<TokenStream> =
            self.declared.iter().map(|declared| pattern(declared.variant)).collect();
        quote! {
            /// What is declared, with its code; or else the status.
            fn __split(
                __error: #ident,
            ) -> ::core::result::Result<(::callgate_sdk::Code, __Declared), ::callgate_sdk::Status> {
                match __error {
                    #(#ident::#patterns => ::core::result::Result::Ok((#codes, __Declared::#patterns)),)*
                    #ident::#status(__status) => #held,
                }
            }

            #[automatically_derived]
            impl ::callgate_sdk::Error for #ident {
                fn describe(
                    __schema: &mut ::callgate_sdk::SchemaBuilder,
                ) -> ::core::option::Option<::callgate_sdk::message::Type> {
                    let __ty = <__Declared as ::callgate_sdk::Message>::describe(__schema);
                    ::core::option::Option::Some(
                        ::callgate_sdk::generated::with_codes(__schema, __ty, &[#(#codes),*])
                    )
                }

                fn into_failure(self) -> ::callgate_sdk::Status {
                    let __message = ::std::string::ToString::to_string(&self);
                    match __split(self) {
                        ::core::result::Result::Ok((__code, __declared)) => {
                            ::callgate_sdk::generated::declared(__code, __message, &__declared)
                        }
                        ::core::result::Result::Err(__status) => {
                            ::callgate_sdk::generated::undeclared(__status)
                        }
                    }
                }

                fn from_encoded(
                    __encoded: &[u8],
                ) -> ::core::result::Result<Self, ::std::string::String> {
                    ::core::result::Result::Ok(match ::callgate_sdk::generated::decoded(__encoded)? {
                        #(__Declared::#patterns => #ident::#patterns,)*
                    })
                }
            }
        }
    }
}

fn code(code: Code) -> TokenStream {
    let name = format_ident!("{}", format!("{code:?}"));
    quote!(::callgate_sdk::Code::#name)
}
