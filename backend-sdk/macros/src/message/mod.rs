//! `#[derive(Message)]`: from a type and serde's attributes to the code that describes what serde and bincode write.

mod attrs;
pub(crate) mod constraints;
mod fields;
mod generics;
mod own;

use crate::{Refusals, docs};
use attrs::Attrs;
pub(crate) use constraints::{Constraints, KNOWN};
use fields::Named;
pub(crate) use fields::describe;
use generics::{Needs, header};
use own::{Container, Own};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Data, DataEnum, DataStruct, DeriveInput, Fields, Ident, Type, Variant, WherePredicate, parse_quote,
};

/// The implementation of `Message`, and of `MapKey` where that applies.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut derive = Derive {
        input,
        attrs: Attrs::default(),
        own: Container::default(),
        needs: Needs::default(),
        refusals: Refusals::default(),
    };
    derive.attrs = Attrs::read(&input.attrs, &mut derive.refusals);
    derive.own = Container::read(&input.attrs, matches!(input.data, Data::Enum(_)), &mut derive.refusals);
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
    let Derive { attrs, own, needs, refusals, .. } = derive;
    refusals.check()?;

    let predicates = needs.predicates(input, &attrs);
    let implementation = header(input, quote!(::callgate_sdk::Message), &predicates);
    let body = described.body;
    let also = |path: TokenStream, more: Vec<WherePredicate>, content: TokenStream| {
        let predicates: Vec<WherePredicate> = predicates.iter().cloned().chain(more).collect();
        let implementation = header(input, path, &predicates);
        quote!(#[automatically_derived] #[allow(deprecated)] #implementation { #content })
    };
    let map_key = described.key.map(|key| also(quote!(::callgate_sdk::MapKey), key, quote!()));
    let content = described.content.map(|ty| as_its_content(&ty, also));
    let attributes = content.as_ref().map(|(attributes, _)| attributes);
    let traits = content.as_ref().map(|(_, traits)| traits);
    Ok(own.krate.named_in(quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        #implementation {
            fn describe(__schema: &mut ::callgate_sdk::SchemaBuilder) -> ::callgate_sdk::message::Type {
                #body
            }
            #attributes
        }
        #map_key
        #traits
    }))
}

/// What a type has because its only content has it: the attributes, and what constraints may speak of. With a lifetime that is
/// not used a bound that does not hold is no error; the newtype lacks that trait then.
fn as_its_content(
    ty: &Type,
    also: impl Fn(TokenStream, Vec<WherePredicate>, TokenStream) -> TokenStream,
) -> (TokenStream, TokenStream) {
    let attributes = quote! {
        fn attributes(__schema: &mut ::callgate_sdk::SchemaBuilder) -> ::callgate_sdk::message::Attributes {
            __schema.attributes_within::<Self>(|__schema| <#ty as ::callgate_sdk::Message>::attributes(__schema))
        }
    };
    let path = |name: &str| {
        let name = Ident::new(name, Span::call_site());
        quote!(::callgate_sdk::generated::#name)
    };
    let traits = [
        ("Ordered", quote!(type Bound = <#ty as ::callgate_sdk::generated::Ordered>::Bound;)),
        ("HasLength", quote!()),
        ("HasCharacters", quote!()),
        ("HasItems", quote!()),
    ];
    let traits = traits.map(|(name, content)| {
        let path = path(name);
        also(path.clone(), vec![parse_quote!(for<'__key> #ty: #path)], content)
    });
    (attributes, quote!(#(#traits)*))
}

struct Derive<'a> {
    input: &'a DeriveInput,
    attrs: Attrs,
    own: Container,
    needs: Needs,
    refusals: Refusals,
}

#[derive(Default)]
struct Described {
    /// The body of `describe`.
    body: TokenStream,
    /// The type is a map's key if this holds.
    key: Option<Vec<WherePredicate>>,
    /// The only content of a type that has no definition of its own.
    content: Option<Type>,
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
                Described { body: self.definition(quote!(structure), fields), ..Described::default() }
            }
            Fields::Unnamed(fields) => {
                let types = fields::unnamed(fields, &mut self.needs, &mut self.refusals);
                match types.as_slice() {
                    [ty] => newtype(ty),
                    types => unnamed(fields::tuple(types)),
                }
            }
            Fields::Unit => {
                Described { body: quote!(::callgate_sdk::message::Type::Unit), ..Described::default() }
            }
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
                content = Some(fields::written(&field.ty, &attrs));
            }
            Own::refuse(&field.attrs, &mut self.refusals);
            // serde fills the others by `Default`, except that it knows `PhantomData`.
            self.needs.field(&field.ty, &attrs);
        }
        match content {
            Some(ty) => newtype(&ty),
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
            let own = Container::of_variant(&variant.attrs, &mut self.refusals);
            self.refuse_beside_tag(variant);
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
            let attributes = own.tokens();
            variants.push(quote!({
                let __variant = ::callgate_sdk::generated::variant(#name, &[#(#aliases),*], #doc, #shape);
                ::callgate_sdk::generated::variant_with_attributes(__variant, #attributes)
            }));
        }
        let units = data.variants.iter().all(|v| matches!(v.fields, Fields::Unit));
        Described {
            body: self.definition(quote!(enumeration), quote!(::std::vec![#(#variants),*])),
            key: (units && self.own.tag.is_none()).then(Vec::new),
            content: None,
        }
    }

    /// Refuses a variant that cannot have a tag beside its content.
    fn refuse_beside_tag(&mut self, variant: &Variant) {
        if self.own.tag.is_some()
            && self.own.content.is_none()
            && matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() != 1)
        {
            self.refusals.refuse(
                &variant.ident,
                "the tag stands among the members of the variant's content, and a tuple has none: name its fields, or \
                 add `content = \"…\"` to the tag",
            );
        }
    }

    /// A call of the builder's `method`, with the content in a closure.
    fn definition(&self, method: TokenStream, content: TokenStream) -> TokenStream {
        let plain = self.input.ident.unraw().to_string();
        let name = self.attrs.rename.as_ref().unwrap_or(&plain);
        let doc = docs::text(&self.input.attrs);
        let parameters = self.needs.parameters(self.input);
        let attributes = self.own.tokens();
        quote! {
            let __arguments = [#(<#parameters as ::callgate_sdk::Message>::describe(__schema)),*];
            let __type = __schema.#method::<Self>(#name, &__arguments, #doc, |__schema| #content);
            __schema.attribute(&__type, #attributes);
            __type
        }
    }
}

fn newtype(ty: &Type) -> Described {
    Described {
        // With a lifetime that is not used a bound that does not hold is no error; the newtype is no key then.
        key: Some(vec![parse_quote!(for<'__key> #ty: ::callgate_sdk::MapKey)]),
        content: Some(ty.clone()),
        ..unnamed(describe(ty))
    }
}

fn unnamed(content: TokenStream) -> Described {
    Described { body: quote!(__schema.unnamed::<Self>(|__schema| #content)), ..Described::default() }
}
