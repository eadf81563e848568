//! Fields, named and unnamed: of structs, and of the variants of enums.

use super::attrs::{Attrs, DefaultFrom};
use super::generics::Needs;
use super::own::Own;
use crate::case::Case;
use crate::{Refusals, docs};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Field, Fields, FieldsNamed, FieldsUnnamed, Ident, Type, parse_quote_spanned};

/// The names that are taken in one struct or enum.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    pub(crate) fn add(&mut self, name: &str, aliases: &[String], at: &Ident, refusals: &mut Refusals) {
        for name in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
            if !self.0.insert(name.to_owned()) {
                refusals
                    .refuse(at, format!("the name `{name}` is taken: each name and alias can stand once"));
            }
        }
    }
}

/// What is around named fields.
pub(crate) struct Named<'a> {
    pub(crate) rename_all: Option<Case>,
    pub(crate) container_default: Option<&'a DefaultFrom>,
}

impl Named<'_> {
    /// The shape of a variant with these fields.
    pub(crate) fn shape(&self, fields: &Fields, needs: &mut Needs, refusals: &mut Refusals) -> TokenStream {
        let shape = quote!(::callgate_sdk::generated::Shape);
        match fields {
            Fields::Unit => quote!(#shape::Unit),
            Fields::Named(fields) => {
                let fields = self.describe(fields, needs, refusals);
                quote!(#shape::Struct(#fields))
            }
            Fields::Unnamed(fields) => match unnamed(fields, needs, refusals).as_slice() {
                [ty] => {
                    let ty = describe(ty);
                    quote!(#shape::Newtype(#ty))
                }
                types => {
                    let types = types.iter().map(describe);
                    quote!(#shape::Tuple(::std::vec![#(#types),*]))
                }
            },
        }
    }

    /// A block that gives a vector of fields.
    pub(crate) fn describe(
        &self,
        fields: &FieldsNamed,
        needs: &mut Needs,
        refusals: &mut Refusals,
    ) -> TokenStream {
        let mut names = Names::default();
        let mut described = Vec::new();
        for field in &fields.named {
            let attrs = Attrs::read(&field.attrs, refusals);
            refuse_reference(&field.ty, refusals);
            let own = Own::read(&field.attrs, refusals);
            needs.field(&field.ty, &attrs);
            let Some(ident) = &field.ident else { continue };
            if attrs.skip {
                own.refuse_on_skipped(refusals);
                continue;
            }
            let name = self.name(ident, &attrs);
            names.add(&name, &attrs.aliases, ident, refusals);
            described.push(self.field(field, ident, &name, (&attrs, &own)));
        }
        let default = self.container_default.map(|from| {
            let value = match from {
                DefaultFrom::Trait => quote!(::core::default::Default::default()),
                DefaultFrom::Path(path) => quote!(#path()),
            };
            quote!(let __default: Self = #value;)
        });
        quote!({ #default ::std::vec![#(#described),*] })
    }

    fn name(&self, ident: &Ident, attrs: &Attrs) -> String {
        let plain = ident.unraw().to_string();
        attrs.rename.clone().unwrap_or_else(|| match self.rename_all {
            Some(case) => case.field(&plain),
            None => plain,
        })
    }

    fn field(&self, field: &Field, ident: &Ident, name: &str, (attrs, own): (&Attrs, &Own)) -> TokenStream {
        let ty = &field.ty;
        let default_of = match attrs.wire.is_some() {
            true => quote!(::callgate_sdk::generated::wire_default_of::<#ty>),
            false => quote!(::callgate_sdk::generated::default_of::<#ty>),
        };
        let default = match (&attrs.default, self.container_default) {
            (Some(DefaultFrom::Trait), _) => {
                quote!(#default_of(__schema, &<#ty as ::core::default::Default>::default()))
            }
            (Some(DefaultFrom::Path(path)), _) => quote!(#default_of(__schema, &#path())),
            (None, Some(_)) => quote!(#default_of(__schema, &__default.#ident)),
            (None, None) => quote!(::core::option::Option::None),
        };
        let ty = written(ty, attrs);
        let (aliases, doc, described) = (&attrs.aliases, docs::text(&field.attrs), describe(&ty));
        let constraints = own.constraints.tokens(&ty);
        let flatten = own.flatten.then(|| quote!(let __attributes = __attributes.with_flatten();));
        quote!({
            let __attributes = #constraints;
            #flatten
            let __field = ::callgate_sdk::generated::field(#name, &[#(#aliases),*], #doc, #described, #default);
            ::callgate_sdk::generated::with_attributes(__field, __attributes)
        })
    }
}

/// The types of fields without names.
pub(crate) fn unnamed(fields: &FieldsUnnamed, needs: &mut Needs, refusals: &mut Refusals) -> Vec<Type> {
    let mut types = Vec::new();
    for field in &fields.unnamed {
        let attrs = Attrs::read(&field.attrs, refusals);
        refuse_reference(&field.ty, refusals);
        Own::refuse(&field.attrs, refusals);
        needs.field(&field.ty, &attrs);
        if attrs.skip || attrs.default.is_some() {
            refusals.refuse(
                &field.ty,
                "a field without a name cannot be skipped or have a default: name the fields, or make the struct \
                 `#[serde(transparent)]`",
            );
        }
        types.push(written(&field.ty, &attrs));
    }
    types
}

/// The type as which a field goes over the wire.
pub(crate) fn written(ty: &Type, attrs: &Attrs) -> Type {
    let at = ty.span().resolved_at(Span::call_site());
    match &attrs.wire {
        Some(module) => parse_quote_spanned!(at=> #module::As<#ty>),
        None => ty.clone(),
    }
}

fn refuse_reference(ty: &Type, refusals: &mut Refusals) {
    if let Type::Reference(_) = ty {
        refusals.refuse(ty, "a message owns what it contains: use `String` for `&str`, `Vec` for a slice");
    }
}

/// The expression that describes a tuple of these types.
pub(crate) fn tuple(types: &[Type]) -> TokenStream {
    let types = types.iter().map(describe);
    quote!(::callgate_sdk::message::Type::Tuple(::std::vec![#(#types),*]))
}

/// The expression that describes a type; the compiler's complaint of one that is no message stands at the type.
pub(crate) fn describe(ty: &Type) -> TokenStream {
    let at = ty.span().resolved_at(Span::call_site());
    quote_spanned!(at=> <#ty as ::callgate_sdk::Message>::describe(__schema))
}

/// Whether a type is a `PhantomData`, which serde leaves aside in transparent structs.
pub(crate) fn is_phantom(ty: &Type) -> bool {
    match ty {
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "PhantomData"),
        _ => false,
    }
}
