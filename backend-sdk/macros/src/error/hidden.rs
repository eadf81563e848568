//! The enum that goes over the wire: the variants that are declared, with serde's traits and `Message`. Nobody sees it.

use super::model::TypedError;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Fields, LitStr, Variant};

/// The enum.
pub(crate) fn definition(error: &TypedError<'_>) -> TokenStream {
    let sdk = error.krate.text();
    let serde = format!("{sdk}::generated::serde");
    let krate = error.krate.renamed().map(|path| quote!(#[message(crate = #path)]));
    let name = error.input.ident.unraw().to_string();
    let attrs = passed_on(&error.input.attrs);
    // A name that the user gives comes later, and serde takes no second one.
    let renamed = (!names_itself(&error.input.attrs)).then(|| quote!(#[serde(rename = #name)]));
    let variants = error.declared.iter().map(|declared| described(declared.variant));
    quote! {
        #[derive(
            ::callgate_sdk::generated::serde::Serialize,
            ::callgate_sdk::generated::serde::Deserialize,
            ::callgate_sdk::Message,
        )]
        #[serde(crate = #serde)]
        #renamed
        #krate
        #(#attrs)*
        enum __Declared {
            #(#variants,)*
        }
    }
}

/// The attributes that the hidden enum has too.
fn passed_on(attrs: &[Attribute]) -> Vec<&Attribute> {
    let is_known = |attr: &&Attribute| {
        ["doc", "serde", "message", "deprecated"].iter().any(|name| attr.path().is_ident(name))
    };
    attrs.iter().filter(is_known).collect()
}

/// Whether serde's `rename` is among them.
fn names_itself(attrs: &[Attribute]) -> bool {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // What is wrong in it is told by the macros that read it.
        let _ = attr.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("rename");
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<LitStr>()?;
            }
            Ok(())
        });
    }
    found
}

fn described(variant: &Variant) -> TokenStream {
    let (attrs, ident) = (passed_on(&variant.attrs), &variant.ident);
    let fields = variant.fields.iter().map(|field| {
        let (attrs, ty) = (passed_on(&field.attrs), &field.ty);
        let name = field.ident.as_ref().map(|ident| quote!(#ident:));
        quote!(#(#attrs)* #name #ty)
    });
    let content = match &variant.fields {
        Fields::Named(_) => quote!({ #(#fields),* }),
        Fields::Unnamed(_) => quote!((#(#fields),*)),
        Fields::Unit => TokenStream::new(),
    };
    quote!(#(#attrs)* #ident #content)
}
