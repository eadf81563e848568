//! `#[message(min = 1, max = 100)]` and its kin: what a field's value must be beside its type, and what else people should know
//! of it. They are read from the attributes of anything that has a type: a field, an argument. What is written is an
//! expression of the type `Attributes`.
//!
//! A constraint that does not suit the type is the compiler's to find: the functions that are called here ask the type for a
//! trait, whose absence says what suits it.

use super::own::{lone, note, text};
use crate::Refusals;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Path, Type, UnOp};

/// What the reader says of a name that it does not know.
pub(crate) const KNOWN: &str =
    "`min`, `max`, `length(…)`, `items(…)`, `pattern`, `example`, `unit`, `secret`, `deprecated`";

/// The constraints of one field or argument.
#[derive(Default)]
pub(crate) struct Constraints {
    min: Option<Expr>,
    max: Option<Expr>,
    length: Option<Count>,
    items: Option<Count>,
    pattern: Option<Expr>,
    example: Option<Expr>,
    unit: Option<LitStr>,
    secret: Option<()>,
    deprecated: Option<String>,
    /// Where the first of them stands.
    pub(crate) at: Option<Path>,
    /// Where the first of those stands that a flattened field cannot have.
    pub(crate) not_flat: Option<Path>,
}

/// From how many to how many.
#[derive(Default)]
struct Count {
    min: Option<Expr>,
    max: Option<Expr>,
}

impl Constraints {
    /// Reads all `#[message(…)]` among `attrs`, and Rust's own `#[deprecated]`. Of a name that is no constraint `other` is asked:
    /// it takes it, or says that it does not know it either.
    pub(crate) fn read(
        attrs: &[Attribute],
        refusals: &mut Refusals,
        mut other: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<bool>,
    ) -> Constraints {
        let mut read = Constraints { deprecated: note(attrs), ..Constraints::default() };
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("message")) {
            let result = attr.parse_nested_meta(|meta| match read.meta(&meta)? || other(&meta)? {
                true => Ok(()),
                false => Err(meta.error(format!("`#[message(…)]` knows {KNOWN}"))),
            });
            if let Err(error) = result {
                refusals.add(error);
            }
        }
        read.check(refusals);
        read
    }

    /// Takes one constraint; false if it is none.
    fn meta(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "min" => once(&mut self.min, meta, |meta| meta.value()?.parse())?,
            "max" => once(&mut self.max, meta, |meta| meta.value()?.parse())?,
            "length" => once(&mut self.length, meta, Count::read)?,
            "items" => once(&mut self.items, meta, Count::read)?,
            "pattern" => once(&mut self.pattern, meta, |meta| meta.value()?.parse())?,
            "example" => once(&mut self.example, meta, |meta| meta.value()?.parse())?,
            "unit" => once(&mut self.unit, meta, text)?,
            "secret" => once(&mut self.secret, meta, lone)?,
            "deprecated" => {
                self.deprecated = None;
                once(&mut self.deprecated, meta, |meta| Ok(text(meta)?.value()))?;
            }
            _ => return Ok(false),
        }
        self.at.get_or_insert_with(|| meta.path.clone());
        if matches!(name.as_str(), "items" | "secret") {
            self.not_flat.get_or_insert_with(|| meta.path.clone());
        }
        Ok(true)
    }

    /// Refuses what no value could satisfy, where the numbers are there to be seen. The rest is seen when the server starts.
    fn check(&self, refusals: &mut Refusals) {
        let spans = self.length.iter().chain(&self.items);
        let bounds = spans.map(|span| (&span.min, &span.max)).chain([(&self.min, &self.max)]);
        for (min, max) in bounds {
            if let (Some(min), Some(max)) = (min, max)
                && let (Some(least), Some(most)) = (integer(min), integer(max))
                && least > most
            {
                refusals.refuse(max, format!("no value is at least {least} and at most {most}"));
            }
        }
    }

    /// An expression of the type `Attributes`, for a value of the type `ty`. It stands where `__schema` is the builder.
    pub(crate) fn tokens(&self, ty: &Type) -> TokenStream {
        let call = |function: TokenStream, arguments: TokenStream| quote!(let __attributes = ::callgate_sdk::generated::#function::<#ty>(__schema, __attributes, #arguments););
        let value = |name: &str, value: &Expr| {
            let function = match value {
                Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => format!("{name}_text"),
                _ => name.to_owned(),
            };
            call(syn::Ident::new(&function, Span::call_site()).into_token_stream(), quote!(#value))
        };
        let mut lines = TokenStream::new();
        lines.extend(self.min.as_ref().map(|min| value("minimum", min)));
        lines.extend(self.max.as_ref().map(|max| value("maximum", max)));
        lines.extend(self.length.as_ref().map(|span| call(quote!(length), span.tokens())));
        lines.extend(self.items.as_ref().map(|span| call(quote!(items), span.tokens())));
        lines.extend(self.pattern.as_ref().map(|pattern| call(quote!(pattern), quote!(#pattern))));
        lines.extend(self.example.as_ref().map(|example| value("example", example)));
        let plain = [
            self.unit.as_ref().map(|unit| quote!(let __attributes = __attributes.with_unit(#unit);)),
            self.secret.map(|()| quote!(let __attributes = __attributes.with_secret();)),
            self.deprecated
                .as_ref()
                .map(|why| quote!(let __attributes = __attributes.with_deprecated(#why);)),
        ];
        lines.extend(plain.into_iter().flatten());
        // As the type is described, so that the compiler complains of a type that is no message once.
        let at = ty.span().resolved_at(Span::call_site());
        let own = quote_spanned!(at=> <#ty as ::callgate_sdk::Message>::attributes(__schema));
        quote!({
            let __attributes = #own;
            #lines
            __attributes
        })
    }
}

impl Count {
    /// `(min = 1, max = 64)`, or `(equal = 3)`.
    fn read(meta: &ParseNestedMeta<'_>) -> syn::Result<Count> {
        let form = "write `(min = …)`, `(max = …)`, both, or `(equal = …)`";
        let (mut span, mut equal) = (Count::default(), None);
        if !meta.input.peek(syn::token::Paren) {
            return Err(meta.error(form));
        }
        meta.parse_nested_meta(|inner| {
            let place = match inner.path.get_ident().map(ToString::to_string).as_deref() {
                Some("min") => &mut span.min,
                Some("max") => &mut span.max,
                Some("equal") => &mut equal,
                _ => return Err(inner.error(form)),
            };
            once(place, &inner, |inner| inner.value()?.parse())
        })?;
        match (equal, &span) {
            (None, Count { min: None, max: None }) => Err(meta.error(form)),
            (None, _) => Ok(span),
            (Some(equal), Count { min: None, max: None }) => {
                Ok(Count { min: Some(equal.clone()), max: Some(equal) })
            }
            (Some(_), _) => Err(meta.error(form)),
        }
    }

    fn tokens(&self) -> TokenStream {
        let min = match &self.min {
            Some(min) => quote!(#min),
            None => quote!(0),
        };
        match &self.max {
            Some(max) => quote!(#min, ::core::option::Option::Some(#max)),
            None => quote!(#min, ::core::option::Option::None),
        }
    }
}

/// Takes what stands behind a name that may be there once.
fn once<T>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if place.is_some() {
        return Err(meta.error("it stands here twice: one of them would count for nothing"));
    }
    *place = Some(read(meta)?);
    Ok(())
}

/// The number that an expression is, if it is written as one.
fn integer(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => integer(&unary.expr).map(|number| -number),
        _ => None,
    }
}
