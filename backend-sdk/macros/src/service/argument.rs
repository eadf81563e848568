//! One argument of a method: its name in JSON, its documentation, and what a call has that leaves it out.

use super::streams::{CallerStream, streaming};
use crate::message::{Constraints, KNOWN};
use crate::{Refusals, docs};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, LitStr, Meta, Pat, PatType, Type};

pub(crate) struct Argument {
    pub(crate) ident: Ident,
    /// The name in JSON.
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) ty: Type,
    /// The value of one that is left out.
    pub(crate) default: Option<TokenStream>,
    /// What its values must be, and what else is said of it.
    pub(crate) constraints: Constraints,
    /// Attributes say something of it.
    pub(crate) is_told: bool,
}

/// What stands between the parentheses of a method, behind `&self`.
pub(super) enum Input {
    /// The name and the type, a reference.
    Context(Ident, Box<Type>),
    Argument(Box<Argument>),
    Stream(Box<CallerStream>),
}

impl Input {
    /// Reads one. What is wrong with it is noted; `None` if it then has no name.
    pub(super) fn read(input: PatType, refusals: &mut Refusals) -> Option<Input> {
        let ident = match *input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none() => {
                pat.ident
            }
            other => {
                let why = "an argument is a plain name, which JSON uses: take it apart in the implementation";
                refusals.refuse(other, why);
                return None;
            }
        };
        let ty = *input.ty;
        match &ty {
            Type::Reference(reference) if is_context(&reference.elem) => {
                for attr in input.attrs.iter().filter(|attr| !attr.path().is_ident("doc")) {
                    refusals.refuse(attr, "the context is no argument of the call, and has no attributes");
                }
                return Some(Input::Context(ident, Box::new(ty)));
            }
            Type::Reference(_) => {
                let why = "an argument is owned, for it comes from the wire: `String` for `&str`, `Vec` for a slice";
                refusals.refuse(&ty, why);
            }
            Type::ImplTrait(_) => {
                refusals.refuse(&ty, "an argument has one type, which both sides know: name it")
            }
            _ => {}
        }
        if let Some(item) = streaming(&ty) {
            for attr in input.attrs.iter().filter(|attr| !attr.path().is_ident("doc")) {
                refusals.refuse(attr, "what the caller streams is no field, and has no attributes");
            }
            let item = match item {
                Ok(item) => item.clone(),
                Err(why) => {
                    refusals.refuse(&ty, why);
                    return None;
                }
            };
            return Some(Input::Stream(Box::new(CallerStream { ident, ty, item })));
        }
        let attrs = Attrs::read(&input.attrs, &ty, refusals);
        let Attrs { rename, default, constraints, is_told } = attrs;
        let name = rename.unwrap_or_else(|| ident.unraw().to_string());
        let doc = docs::text(&input.attrs);
        let argument = Argument { ident, name, doc, ty, default, constraints, is_told };
        Some(Input::Argument(Box::new(argument)))
    }
}

#[derive(Default)]
struct Attrs {
    rename: Option<String>,
    default: Option<TokenStream>,
    constraints: Constraints,
    is_told: bool,
}

impl Attrs {
    fn read(attrs: &[Attribute], ty: &Type, refusals: &mut Refusals) -> Attrs {
        let mut read = Attrs::default();
        for attr in attrs {
            let path = attr.path();
            read.is_told |= !path.is_ident("doc");
            let result = if path.is_ident("doc") || path.is_ident("message") {
                Ok(())
            } else if path.is_ident("default") {
                default(attr, ty).map(|value| read.default = Some(value))
            } else if path.is_ident("serde") {
                let instead =
                    "write `#[default]` for `default`, and `#[message(rename = \"…\")]` for `rename`";
                Err(syn::Error::new_spanned(attr, format!("serde does not see arguments: {instead}")))
            } else {
                let known = "documentation, `#[default]` and `#[message(…)]`";
                Err(syn::Error::new_spanned(
                    attr,
                    format!("an argument has {known}, and no other attributes"),
                ))
            };
            result.unwrap_or_else(|error| refusals.add(error));
        }
        read.constraints = Constraints::read(attrs, refusals, |meta| {
            if !meta.path.is_ident("rename") {
                return Err(meta.error(format!("it is not known here; known are `rename`, {KNOWN}")));
            }
            read.rename = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(true)
        });
        read
    }
}

/// `#[default]`, or `#[default(value)]`.
fn default(attr: &Attribute, ty: &Type) -> syn::Result<TokenStream> {
    match &attr.meta {
        Meta::Path(_) => Ok(quote!(<#ty as ::core::default::Default>::default())),
        Meta::List(list) => {
            let value: Expr = list.parse_args()?;
            Ok(quote!(#value))
        }
        Meta::NameValue(_) => {
            let why = "a default is `#[default]`, or `#[default(20)]` for one that is not the type's own";
            Err(syn::Error::new_spanned(attr, why))
        }
    }
}

fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Context"),
        _ => false,
    }
}
