//! The message of an error: a format string with the names of fields in braces, as in thiserror.

use crate::Refusals;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use syn::ext::IdentExt;
use syn::{Fields, Ident, LitStr};

/// The message of one variant.
pub(crate) struct Text {
    /// The format string. Its numbers are names: `{_0}` for `{0}`.
    format: LitStr,
    /// The fields that occur in it, by their places.
    used: BTreeSet<usize>,
}

impl Text {
    pub(crate) fn read(given: &LitStr, fields: &Fields, refusals: &mut Refusals) -> Text {
        let mut text = Text { format: given.clone(), used: BTreeSet::new() };
        match text.rewritten(&given.value(), fields) {
            Ok(format) => text.format = LitStr::new(&format, given.span()),
            Err(why) => refusals.refuse(given, why),
        }
        text
    }

    /// The expression that writes it to `f`, where the fields are bound by [`binding`].
    pub(crate) fn written(&self, fields: &Fields) -> TokenStream {
        let format = &self.format;
        let arguments = self.used.iter().map(|&place| {
            let (name, bound) = (format_name(fields, place), binding(place));
            quote!(#name = #bound)
        });
        quote!(::core::write!(__f, #format #(, #arguments)*))
    }

    fn rewritten(&mut self, given: &str, fields: &Fields) -> Result<String, String> {
        let (mut out, mut rest) = (String::new(), given);
        while let Some(at) = rest.find(['{', '}']) {
            let brace = &rest[at..];
            out.push_str(&rest[..at]);
            // A brace that stands twice is a brace.
            if let Some(twice) = ["{{", "}}"].into_iter().find(|twice| brace.starts_with(twice)) {
                out.push_str(twice);
                rest = &brace[2..];
                continue;
            }
            let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let (inside, after) = inside.ok_or("a brace stands alone; one that is text stands twice")?;
            let (name, spec) = inside.split_at(inside.find(':').unwrap_or(inside.len()));
            let place = place(name.trim(), fields)?;
            self.used.insert(place);
            out.push_str(&format!("{{{}{spec}}}", format_name(fields, place)));
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The field that a format string names.
fn place(name: &str, fields: &Fields) -> Result<usize, String> {
    if name.is_empty() {
        return Err("say which field stands here: `{sku}`, or `{0}` for one without a name".to_owned());
    }
    let known = |ident: &Ident| ident.unraw() == name;
    let found = match fields {
        Fields::Named(fields) => {
            fields.named.iter().position(|field| field.ident.as_ref().is_some_and(known))
        }
        Fields::Unnamed(fields) => name.parse().ok().filter(|place| *place < fields.unnamed.len()),
        Fields::Unit => None,
    };
    found.ok_or_else(|| {
        format!("the variant has no field `{name}`: its own fields can stand in braces, and no expressions")
    })
}

/// What a field is called in the format string.
fn format_name(fields: &Fields, place: usize) -> Ident {
    let named = fields.iter().nth(place).and_then(|field| field.ident.as_ref());
    named.map_or_else(|| format_ident!("_{place}"), Ident::unraw)
}

/// What a field is bound to.
pub(crate) fn binding(place: usize) -> Ident {
    format_ident!("__{place}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn written(text: &str, variant: syn::Variant) -> Result<String, String> {
        let given = LitStr::new(text, proc_macro2::Span::call_site());
        let mut refusals = Refusals::default();
        let text = Text::read(&given, &variant.fields, &mut refusals);
        refusals.check().map_err(|error| error.to_string())?;
        Ok(text.written(&variant.fields).to_string())
    }

    fn expected(tokens: TokenStream) -> Result<String, String> {
        Ok(tokens.to_string())
    }

    #[test]
    fn fields_stand_in_braces() {
        let named: syn::Variant = parse_quote!(A { sku: String, left: u32, r#type: u8 });
        let tokens = quote!(::core::write!(__f, "{left:>3} of {sku:?}", sku = __0, left = __1));
        assert_eq!(written("{left:>3} of {sku:?}", named.clone()), expected(tokens));
        let tokens = quote!(::core::write!(__f, "{{x}} {type}", type = __2));
        assert_eq!(written("{{x}} {type}", named), expected(tokens));
        let unnamed: syn::Variant = parse_quote!(A(String, u32));
        let tokens = quote!(::core::write!(__f, "{_1} {_1:x}", _1 = __1));
        assert_eq!(written("{1} {1:x}", unnamed), expected(tokens));
        let unit: syn::Variant = parse_quote!(A);
        assert_eq!(written("gone", unit), expected(quote!(::core::write!(__f, "gone"))));
    }

    #[test]
    fn what_stands_in_braces_and_is_no_field_is_refused() {
        for (text, why) in [
            ("{}", "say which field"),
            ("{sku.len()}", "no field `sku.len()`"),
            ("{2}", "no field `2`"),
            ("{name}", "no field `name`"),
            ("{0", "stands twice"),
            ("0}", "stands twice"),
        ] {
            let error = written(text, parse_quote!(A(String))).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
