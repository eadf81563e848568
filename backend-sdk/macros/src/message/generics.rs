//! Which bounds an implementation needs: those that make serde's own implementations apply, and `Message` for what is
//! described.

use super::attrs::{Attrs, DefaultFrom};
use super::fields::is_phantom;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{DeriveInput, Ident, Type, WherePredicate, parse_quote};

/// What the fields of a type ask of its parameters.
#[derive(Default)]
pub(crate) struct Needs {
    /// Types that are described.
    pub(crate) described: Vec<Type>,
    /// Types that serde makes by `Default`.
    pub(crate) defaulted: Vec<Type>,
    /// What `#[serde(bound = …)]` says.
    pub(crate) bounds: Vec<WherePredicate>,
}

impl Needs {
    /// Notes a field.
    pub(crate) fn field(&mut self, ty: &Type, attrs: &Attrs) {
        if !attrs.skip {
            self.described.push(ty.clone());
        }
        match &attrs.default {
            Some(DefaultFrom::Trait) => self.defaulted.push(ty.clone()),
            None if attrs.skip => self.defaulted.push(ty.clone()),
            _ => {}
        }
        self.bounds.extend(attrs.bounds.iter().cloned());
    }

    /// The parameters that the described types name; they must be messages themselves.
    pub(crate) fn parameters(&self, input: &DeriveInput) -> Vec<Ident> {
        let parameters = input.generics.type_params();
        let described = parameters.filter(|p| self.described.iter().any(|ty| names(ty, &p.ident)));
        described.map(|p| p.ident.clone()).collect()
    }

    /// All predicates that the implementation needs beside those that the type has.
    pub(crate) fn predicates(&self, input: &DeriveInput, container: &Attrs) -> Vec<WherePredicate> {
        let mut predicates = container.bounds.clone();
        predicates.extend(self.bounds.iter().cloned());
        let described = self.parameters(input);
        for parameter in input.generics.type_params() {
            let ident = &parameter.ident;
            predicates.push(match described.contains(ident) {
                true => parse_quote!(#ident: ::callgate_sdk::Message),
                false => parse_quote!(#ident: ::core::marker::Send + 'static),
            });
            if self.defaulted.iter().any(|ty| names(ty, ident)) {
                predicates.push(parse_quote!(#ident: ::core::default::Default));
            }
        }
        if matches!(container.default, Some(DefaultFrom::Trait)) && !input.generics.params.is_empty() {
            predicates.push(parse_quote!(Self: ::core::default::Default));
        }
        predicates
    }
}

/// Whether a type names a parameter, other than as what a `PhantomData` is of.
fn names(ty: &Type, parameter: &Ident) -> bool {
    !is_phantom(ty) && contains(ty.to_token_stream(), parameter)
}

fn contains(tokens: TokenStream, ident: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == *ident,
        TokenTree::Group(group) => contains(group.stream(), ident),
        _ => false,
    })
}

/// `impl<…> path for Type<…> where …`, with `predicates` added to the type's own.
pub(crate) fn header(input: &DeriveInput, path: TokenStream, predicates: &[WherePredicate]) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates.iter().cloned());
    }
    let (_, type_generics, _) = input.generics.split_for_impl();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote!(impl #impl_generics #path for #ident #type_generics #where_clause)
}
