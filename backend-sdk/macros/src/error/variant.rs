//! One variant of a typed error: an error that the method declares, or the place for all others.

use super::text::{Text, binding};
use crate::Refusals;
use callgate_protocol::Code;
use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Ident, LitStr, Token, Type, Variant};

pub(crate) enum Kind {
    /// An error of the schema.
    Declared { code: Code, text: Text },
    /// Holds any other `Status`: its type, which is to be that.
    Status(Type),
}

/// What `#[error(…)]` says of a variant.
#[derive(Default)]
struct Attrs {
    text: Option<LitStr>,
    code: Option<LitStr>,
    status: bool,
}

impl Kind {
    /// Reads a variant. What is wrong with it is noted; `None` if it then is neither.
    pub(crate) fn read(variant: &Variant, refusals: &mut Refusals) -> Option<Kind> {
        let attrs = Attrs::read(&variant.attrs, refusals)?;
        if attrs.status {
            return status(variant, &attrs, refusals);
        }
        let ident = &variant.ident;
        let Some(given) = &attrs.text else {
            let why =
                "say what people are told of it: `#[error(\"no such item: {sku}\", code = \"not_found\")]`";
            refusals.refuse(ident, why);
            return None;
        };
        let text = Text::read(given, &variant.fields, refusals);
        let Some(name) = &attrs.code else {
            let why = format!(
                "say what kind of failure it is: `#[error(\"…\", code = \"not_found\")]`; {}",
                codes()
            );
            refusals.refuse(ident, why);
            return None;
        };
        match Code::from_name(&name.value()) {
            Some(code) => Some(Kind::Declared { code, text }),
            None => {
                refusals.refuse(name, format!("there is no code `{}`; {}", name.value(), codes()));
                None
            }
        }
    }
}

fn codes() -> String {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    format!("the codes are {}", names.join(", "))
}

/// The variant that holds a `Status`.
fn status(variant: &Variant, attrs: &Attrs, refusals: &mut Refusals) -> Option<Kind> {
    if let Some(extra) = attrs.text.as_ref().or(attrs.code.as_ref()) {
        refusals
            .refuse(extra, "the status has a message and a code of its own: `#[error(status)]` stands alone");
    }
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            Some(Kind::Status(fields.unnamed[0].ty.clone()))
        }
        _ => {
            let why = "it holds a status and nothing else: `#[error(status)] Other(callgate_sdk::Status)`";
            refusals.refuse(&variant.ident, why);
            None
        }
    }
}

impl Attrs {
    fn read(attrs: &[Attribute], refusals: &mut Refusals) -> Option<Attrs> {
        let mut read = Attrs::default();
        let mut good = true;
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("error")) {
            if let Err(error) = attr.parse_args_with(|input: syn::parse::ParseStream<'_>| read.parse(input)) {
                refusals.add(error);
                good = false;
            }
        }
        good.then_some(read)
    }

    /// A text, then the rest; or the rest alone.
    fn parse(&mut self, input: syn::parse::ParseStream<'_>) -> syn::Result<()> {
        if input.peek(LitStr) {
            self.text = Some(input.parse()?);
            if input.is_empty() {
                return Ok(());
            }
            input.parse::<Token![,]>()?;
        }
        let rest = Punctuated::<Part, Token![,]>::parse_terminated(input)?;
        for part in rest {
            match part {
                Part::Status => self.status = true,
                Part::Code(code) => self.code = Some(code),
            }
        }
        Ok(())
    }
}

enum Part {
    Status,
    Code(LitStr),
}

impl syn::parse::Parse for Part {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Part> {
        let known =
            "`#[error]` knows a text, `code = \"…\"` and `status`; fields stand in the text: `{sku}`, `{0}`";
        let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), known))?;
        if name == "status" {
            Ok(Part::Status)
        } else if name == "code" {
            input.parse::<Token![=]>()?;
            Ok(Part::Code(input.parse()?))
        } else if name == "transparent" {
            let why =
                "an error has a message of its own; one that holds any other failure is `#[error(status)]`";
            Err(syn::Error::new(name.span(), why))
        } else {
            Err(syn::Error::new(name.span(), known))
        }
    }
}

/// `Name`, `Name(__0, __1)` or `Name { sku: __0 }`: matches a variant, and makes one.
pub(crate) fn pattern(variant: &Variant) -> TokenStream {
    let ident = &variant.ident;
    let bound = (0..variant.fields.len()).map(binding);
    match &variant.fields {
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!(#ident { #(#names: #bound),* })
        }
        Fields::Unnamed(_) => quote!(#ident(#(#bound),*)),
        Fields::Unit => quote!(#ident),
    }
}

/// `from(DbError, StockError)`, on the enum.
pub(crate) fn sources(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Type>> {
    let inside;
    syn::parenthesized!(inside in meta.input);
    Ok(Punctuated::<Type, Token![,]>::parse_terminated(&inside)?.into_iter().collect())
}
