//! `#[derive(Message)]`: from a type and serde's attributes to the code that describes what serde and bincode write.

mod attrs;
mod fields;
mod generics;

use crate::krate::Krate;
use crate::{Refusals, docs};
use attrs::Attrs;
use fields::Named;
pub(crate) use fields::describe;
use generics::{Needs, header};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Fields, Type, WherePredicate, parse_quote};

/// The implementation of `Message`, and of `MapKey` where that applies.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut derive =
        Derive { input, attrs: Attrs::default(), needs: Needs::default(), refusals: Refusals::default() };
    derive.attrs = Attrs::read(&input.attrs, &mut derive.refusals);
    let krate = krate(&input.attrs, &mut derive.refusals);
    if let Some(lifetime) = input.generics.lifetimes().next() {
        derive
            .refusals
            .refuse(lifetime, "a message owns what it contains: use `String` for `&str`, `Vec` for a slice");
    }
    let described = match &input.data {
        Data::Struct(data) => derive.structure(data),
        Data::Enum(data) => derive.enumeration(data),
        Data::Union(data) => {
            derive.refusals.refuse(
                data.union_token,
                "a union cannot be a message, for nobody knows which field counts: use an enum",
            );
            Described::default()
        }
    };
    let Derive { attrs, needs, refusals, .. } = derive;
    refusals.check()?;

    let predicates = needs.predicates(input, &attrs);
    let implementation = header(input, quote!(::callgate_sdk::Message), &predicates);
    let body = described.body;
    let map_key = described.key.map(|key| {
        let predicates: Vec<WherePredicate> = predicates.into_iter().chain(key).collect();
        let implementation = header(input, quote!(::callgate_sdk::MapKey), &predicates);
        quote!(#[automatically_derived] #implementation {})
    });
    Ok(krate.named_in(quote! {
        #[automatically_derived]
        #implementation {
            fn describe(__schema: &mut ::callgate_sdk::SchemaBuilder) -> ::callgate_sdk::message::Type {
                #body
            }
        }
        #map_key
    }))
}

/// What `#[message(crate = "…")]` says.
fn krate(attrs: &[Attribute], refusals: &mut Refusals) -> Krate {
    let mut krate = Krate::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("message")) {
        let read = attr.parse_nested_meta(|meta| match Krate::is_named_by(&meta) {
            true => Krate::read(&meta).map(|read| krate = read),
            false => Err(meta.error("`#[message]` on a type knows `crate = \"…\"`")),
        });
        read.unwrap_or_else(|error| refusals.add(error));
    }
    krate
}

struct Derive<'a> {
    input: &'a DeriveInput,
    attrs: Attrs,
    needs: Needs,
    refusals: Refusals,
}

#[derive(Default)]
struct Described {
    /// The body of `describe`.
    body: TokenStream,
    /// The type is a map's key if this holds.
    key: Option<Vec<WherePredicate>>,
}

impl Derive<'_> {
    fn structure(&mut self, data: &DataStruct) -> Described {
        if self.attrs.transparent {
            return self.transparent(data);
        }
        match &data.fields {
            Fields::Named(fields) => {
                let named = Named {
                    rename_all: self.attrs.rename_all,
                    container_default: self.attrs.default.as_ref(),
                };
                let fields = named.describe(fields, &mut self.needs, &mut self.refusals);
                Described { body: self.definition(quote!(structure), fields), key: None }
            }
            Fields::Unnamed(fields) => {
                let types = fields::unnamed(fields, &mut self.needs, &mut self.refusals);
                match types.as_slice() {
                    [ty] => newtype(ty),
                    types => unnamed(fields::tuple(types)),
                }
            }
            Fields::Unit => Described { body: quote!(::callgate_sdk::message::Type::Unit), key: None },
        }
    }

    /// serde writes a transparent struct as its only field that is neither skipped nor a `PhantomData`; that there is
    /// exactly one is for serde to see to.
    fn transparent(&mut self, data: &DataStruct) -> Described {
        let mut content = None;
        for field in &data.fields {
            let mut attrs = Attrs::read(&field.attrs, &mut self.refusals);
            attrs.skip |= fields::is_phantom(&field.ty);
            if !attrs.skip {
                content = Some(&field.ty);
            }
            // serde fills the others by `Default`, except that it knows `PhantomData`.
            self.needs.field(&field.ty, &attrs);
        }
        match content {
            Some(ty) => newtype(ty),
            None => Described::default(),
        }
    }

    fn enumeration(&mut self, data: &DataEnum) -> Described {
        let mut variants = Vec::new();
        let mut names = fields::Names::default();
        for variant in &data.variants {
            let attrs = Attrs::read(&variant.attrs, &mut self.refusals);
            if attrs.skip {
                self.refusals.refuse(
                    &variant.ident,
                    "a variant cannot be skipped, for its number is taken: remove `skip`, or the variant",
                );
            }
            self.needs.bounds.extend(attrs.bounds.iter().cloned());
            let named = Named {
                rename_all: attrs.rename_all.or(self.attrs.rename_all_fields),
                container_default: None,
            };
            let shape = named.shape(&variant.fields, &mut self.needs, &mut self.refusals);
            let plain = variant.ident.unraw().to_string();
            let name = attrs.rename.unwrap_or_else(|| match self.attrs.rename_all {
                Some(case) => case.variant(&plain),
                None => plain,
            });
            names.add(&name, &attrs.aliases, &variant.ident, &mut self.refusals);
            let (aliases, doc) = (&attrs.aliases, docs::text(&variant.attrs));
            variants.push(quote!(::callgate_sdk::generated::variant(#name, &[#(#aliases),*], #doc, #shape)));
        }
        let units = data.variants.iter().all(|v| matches!(v.fields, Fields::Unit));
        Described {
            body: self.definition(quote!(enumeration), quote!(::std::vec![#(#variants),*])),
            key: units.then(Vec::new),
        }
    }

    /// A call of the builder's `method`, with the content in a closure.
    fn definition(&self, method: TokenStream, content: TokenStream) -> TokenStream {
        let plain = self.input.ident.unraw().to_string();
        let name = self.attrs.rename.as_ref().unwrap_or(&plain);
        let doc = docs::text(&self.input.attrs);
        let parameters = self.needs.parameters(self.input);
        quote! {
            let __arguments = [#(<#parameters as ::callgate_sdk::Message>::describe(__schema)),*];
            __schema.#method::<Self>(#name, &__arguments, #doc, |__schema| #content)
        }
    }
}

fn newtype(ty: &Type) -> Described {
    Described {
        // With a lifetime that is not used a bound that does not hold is no error; the newtype is no key then.
        key: Some(vec![parse_quote!(for<'__key> #ty: ::callgate_sdk::MapKey)]),
        ..unnamed(describe(ty))
    }
}

fn unnamed(content: TokenStream) -> Described {
    Described { body: quote!(__schema.unnamed::<Self>(|__schema| #content)), key: None }
}
