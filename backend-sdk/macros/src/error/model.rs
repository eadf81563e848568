//! A typed error as the second half sees it: what it declares, what holds the rest, and what `?` makes one of, all checked.

use super::text::Text;
use super::variant::{Kind, sources};
use crate::Refusals;
use crate::krate::Krate;
use callgate_protocol::Code;
use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Attribute, Data, DeriveInput, Ident, LitStr, Type, Variant};

pub(crate) struct TypedError<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) declared: Vec<Declared<'a>>,
    /// The variant that holds any other status, and the type in it.
    pub(crate) status: (&'a Ident, Type),
    /// What `?` makes one of, where that was said.
    pub(crate) sources: Option<Vec<Type>>,
    pub(crate) krate: Krate,
}

/// A variant of the schema.
pub(crate) struct Declared<'a> {
    pub(crate) variant: &'a Variant,
    pub(crate) code: Code,
    pub(crate) text: Text,
}

impl<'a> TypedError<'a> {
    /// Reads an enum. Everything that is wrong with it is in the error.
    pub(crate) fn read(input: &'a DeriveInput) -> syn::Result<TypedError<'a>> {
        let mut refusals = Refusals::default();
        if !input.generics.params.is_empty() {
            let why = "an error has no parameters: its type goes over the wire";
            refusals.refuse(&input.generics.params, why);
        }
        let Data::Enum(data) = &input.data else {
            let why = "an error is an enum: each variant is one error, and one variant holds all others";
            return Err(syn::Error::new_spanned(&input.ident, why));
        };
        let (sources, krate) = container(&input.attrs, &mut refusals);
        let (mut declared, mut statuses) = (Vec::new(), Vec::new());
        for variant in &data.variants {
            match Kind::read(variant, &mut refusals) {
                Some(Kind::Declared { code, text }) => declared.push(Declared { variant, code, text }),
                Some(Kind::Status(ty)) => statuses.push((&variant.ident, ty)),
                None => {}
            }
        }
        for (second, _) in statuses.iter().skip(1) {
            refusals.refuse(second, "one variant holds any other status: a second one has nothing to hold");
        }
        refusals.check()?;
        let Some(status) = statuses.into_iter().next() else {
            let why = "a call can fail in ways that no method declares: add `#[error(status)] Other(callgate_sdk::Status)`";
            return Err(syn::Error::new_spanned(&input.ident, why));
        };
        if declared.is_empty() {
            let why = "it declares no error: add variants, or return `Status` itself";
            return Err(syn::Error::new_spanned(&input.ident, why));
        }
        Ok(TypedError { input, declared, status, sources, krate })
    }
}

/// `#[error(from(…), crate = "…")]` on the enum.
fn container(attrs: &[Attribute], refusals: &mut Refusals) -> (Option<Vec<Type>>, Krate) {
    let (mut types, mut krate) = (None, Krate::default());
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("error")) {
        let known = "`#[error]` on the enum knows `from(…)` and `crate = \"…\"`; messages and codes stand on its variants";
        if begins_with_text(attr) {
            refusals.refuse(attr, known);
            continue;
        }
        let read = attr.parse_nested_meta(|meta| {
            if Krate::is_named_by(&meta) {
                krate = Krate::read(&meta)?;
            } else if meta.path.is_ident("from") {
                types = Some(sources(&meta)?);
            } else {
                return Err(meta.error(known));
            }
            Ok(())
        });
        read.unwrap_or_else(|error| refusals.add(error));
    }
    (types, krate)
}

fn begins_with_text(attr: &Attribute) -> bool {
    let text = |input: ParseStream<'_>| {
        let text = input.peek(LitStr);
        input.parse::<TokenStream>()?;
        Ok(text)
    };
    attr.parse_args_with(text).unwrap_or(false)
}
