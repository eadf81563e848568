//! Our own attributes, `#[message(…)]`: how an enum or a field looks in JSON, and where the SDK is. What fields ask of their
//! values is [`constraints`](super::constraints)'.

use super::constraints::{Constraints, KNOWN};
use crate::Refusals;
use crate::krate::Krate;
use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

/// What is said of a struct, an enum or a variant.
#[derive(Default)]
pub(crate) struct Container {
    /// JSON has the variant's name in a member of this name.
    pub(crate) tag: Option<LitStr>,
    /// And the variant's content in this one.
    pub(crate) content: Option<LitStr>,
    pub(crate) deprecated: Option<String>,
    /// Where the SDK is.
    pub(crate) krate: Krate,
}

/// What is said of a field.
pub(crate) struct Own {
    pub(crate) constraints: Constraints,
    /// JSON has the members of its value in place of it.
    pub(crate) flatten: bool,
}

impl Container {
    /// Reads those of an enum or a struct.
    pub(crate) fn read(attrs: &[Attribute], is_enum: bool, refusals: &mut Refusals) -> Container {
        let mut read = Container { deprecated: note(attrs), ..Container::default() };
        read.each(attrs, refusals, |read, meta| {
            match name(meta).as_str() {
                "tag" | "content" if !is_enum => {
                    text(meta)?;
                    return Err(meta.error("it is for enums: a struct has no variants that a tag could tell apart"));
                }
                "tag" => read.tag = Some(text(meta)?),
                "content" => read.content = Some(text(meta)?),
                "crate" => read.krate = Krate::read(meta)?,
                _ => {
                    return Err(meta.error(
                        "`#[message(…)]` on a type knows `tag`, `content`, `crate` and `deprecated`; constraints stand on its \
                         fields",
                    ));
                }
            }
            Ok(())
        });
        match (&read.tag, &read.content) {
            (None, Some(content)) => {
                refusals.refuse(
                    content,
                    "`content` stands beside `tag`: `#[message(tag = \"type\", content = \"data\")]`",
                );
            }
            (Some(tag), Some(content)) if tag.value() == content.value() => {
                refusals.refuse(content, "tag and content are two members, so they have two names");
            }
            _ => {}
        }
        read
    }

    /// Reads those of a variant.
    pub(crate) fn of_variant(attrs: &[Attribute], refusals: &mut Refusals) -> Container {
        let mut read = Container { deprecated: note(attrs), ..Container::default() };
        read.each(attrs, refusals, |_, meta| {
            Err(meta.error(
                "a variant may be `deprecated = \"…\"`; constraints stand on its fields, which have names",
            ))
        });
        read
    }

    /// An expression of the type `Attributes`.
    pub(crate) fn tokens(&self) -> TokenStream {
        let mut tokens = quote!(::callgate_sdk::message::Attributes::new());
        if let Some(why) = &self.deprecated {
            tokens.extend(quote!(.with_deprecated(#why)));
        }
        if let Some(tag) = &self.tag {
            tokens.extend(quote!(.with_tag(#tag)));
        }
        if let Some(content) = &self.content {
            tokens.extend(quote!(.with_content(#content)));
        }
        tokens
    }

    fn each(
        &mut self,
        attrs: &[Attribute],
        refusals: &mut Refusals,
        mut other: impl FnMut(&mut Container, &ParseNestedMeta<'_>) -> syn::Result<()>,
    ) {
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("message")) {
            let result = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("deprecated") {
                    self.deprecated = Some(text(&meta)?.value());
                    return Ok(());
                }
                other(self, &meta)
            });
            if let Err(error) = result {
                refusals.add(error);
            }
        }
    }
}

impl Own {
    /// Reads those of a field with a name.
    pub(crate) fn read(attrs: &[Attribute], refusals: &mut Refusals) -> Own {
        let mut flatten = false;
        let constraints = Constraints::read(attrs, refusals, |meta| {
            if meta.path.is_ident("flatten") {
                lone(meta)?;
                flatten = true;
                return Ok(true);
            }
            Err(meta.error(format!("`#[message(…)]` on a field knows {KNOWN} and `flatten`")))
        });
        if let (true, Some(at)) = (flatten, &constraints.not_flat) {
            refusals.refuse(
                at,
                "a flattened field is no member in JSON, so it has no entries to count and no value to hide: put it on the \
                 fields of the struct, or do not flatten",
            );
        }
        Own { constraints, flatten }
    }

    /// Refuses those of a field that is in no message.
    pub(crate) fn refuse_on_skipped(&self, refusals: &mut Refusals) {
        if let Some(at) = &self.constraints.at {
            refusals.refuse(at, "the field is skipped, so there is nothing to say of it");
        }
    }

    /// Refuses those of a field without a name.
    pub(crate) fn refuse(attrs: &[Attribute], refusals: &mut Refusals) {
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("message")) {
            refusals.refuse(
                attr,
                "constraints, examples and such are of fields that have a name, for JSON points at them by it: name the \
                 field, or put them where the type is used",
            );
        }
    }
}

/// `name = "text"`.
pub(super) fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

/// A name that has nothing behind it.
pub(super) fn lone(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    match meta.input.is_empty() || meta.input.peek(syn::Token![,]) {
        true => Ok(()),
        false => Err(meta.error("it has no value: it stands alone")),
    }
}

/// What Rust's own `#[deprecated]` says.
pub(super) fn note(attrs: &[Attribute]) -> Option<String> {
    let attr = attrs.iter().find(|attr| attr.path().is_ident("deprecated"))?;
    let mut note = String::new();
    match &attr.meta {
        Meta::NameValue(meta) => {
            if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value {
                note = text.value();
            }
        }
        Meta::Path(_) => {}
        // What is wrong in it is the compiler's to tell.
        Meta::List(_) => drop(attr.parse_nested_meta(|meta| {
            let text: LitStr = meta.value()?.parse()?;
            if meta.path.is_ident("note") {
                note = text.value();
            }
            Ok(())
        })),
    }
    Some(note)
}

fn name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}
