//! How generated code names the SDK.
//!
//! What the macros write says `::callgate_sdk`. A program may have the SDK under another name: it renames the dependency,
//! or gets it from a crate that re-exports it. It then says `crate = "my_prelude::callgate_sdk"`, as for serde. That path takes
//! the place of `::callgate_sdk` in all that a macro has written, so that those who write it need not think of it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{LitStr, Path};

/// The name of this workspace's own crate.
const OWN: &str = "callgate_sdk";

/// Where the SDK is.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    /// Whether an attribute's part is `crate = "…"`.
    pub(crate) fn is_named_by(meta: &ParseNestedMeta<'_>) -> bool {
        meta.path.is_ident("crate")
    }

    /// Reads that part.
    pub(crate) fn read(meta: &ParseNestedMeta<'_>) -> syn::Result<Krate> {
        let text: LitStr = meta.value()?.parse()?;
        let path = text.parse_with(Path::parse_mod_style).map_err(|_| {
            syn::Error::new(
                text.span(),
                "`crate` is a path to the SDK: `crate = \"my_prelude::callgate_sdk\"`",
            )
        })?;
        Ok(Krate(Some(path)))
    }

    /// The path as text, for attributes of other macros and for links in documentation.
    pub(crate) fn text(&self) -> String {
        match &self.0 {
            Some(path) => path.to_token_stream().to_string().replace(' ', ""),
            None => format!("::{OWN}"),
        }
    }

    /// The path, where it is not the usual one.
    pub(crate) fn renamed(&self) -> Option<String> {
        self.0.as_ref().map(|_| self.text())
    }

    /// What a macro has written, with the SDK's own path in it.
    pub(crate) fn named_in(&self, code: TokenStream) -> TokenStream {
        match &self.0 {
            Some(path) => exchanged(code, path),
            None => code,
        }
    }
}

/// The same code with `path` in place of each `::callgate_sdk`.
fn exchanged(code: TokenStream, path: &Path) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for token in code {
        match token {
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), exchanged(group.stream(), path));
                inside.set_span(group.span());
                out.push(TokenTree::Group(inside));
            }
            TokenTree::Ident(ident) if ident == OWN && follows_root(&out) => {
                out.truncate(out.len() - 2);
                out.extend(path_at(path, &ident));
            }
            token => out.push(token),
        }
    }
    out.into_iter().collect()
}

/// Whether the last two tokens are `::`, and begin a path.
fn follows_root(tokens: &[TokenTree]) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    match tokens {
        [.., before, first, second] => is_colon(first) && is_colon(second) && !is_segment(before),
        [first, second] => is_colon(first) && is_colon(second),
        _ => false,
    }
}

/// Whether a path could go on behind it: a name, and no keyword such as `as`.
fn is_segment(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => {
            let text = ident.to_string();
            ["crate", "self", "super", "Self"].contains(&&*text) || syn::parse_str::<Ident>(&text).is_ok()
        }
        _ => false,
    }
}

/// The path at the place of what it stands for, which is where the compiler's complaints are to stand.
fn path_at(path: &Path, place: &Ident) -> Vec<TokenTree> {
    let at = |mut token: TokenTree| {
        let span = token.span().located_at(place.span());
        token.set_span(span);
        token
    };
    path.to_token_stream().into_iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn named(path: &str, code: TokenStream) -> String {
        Krate(Some(syn::parse_str(path).expect("a path"))).named_in(code).to_string()
    }

    #[test]
    fn the_path_takes_the_place_of_the_usual_name_everywhere() {
        let code = quote!(
            fn f(a: &::callgate_sdk::Context) -> <T as ::callgate_sdk::Message>::X {
                ::callgate_sdk::g()
            }
        );
        let expected = quote!(
            fn f(a: &own::sdk::Context) -> <T as own::sdk::Message>::X {
                own::sdk::g()
            }
        );
        assert_eq!(named("own::sdk", code.clone()), expected.to_string());
        assert_eq!(Krate::default().named_in(code.clone()).to_string(), code.to_string());
        let expected = quote!(impl crate::sdk::X for Y {});
        assert_eq!(named("crate::sdk", quote!(impl ::callgate_sdk::X for Y {})), expected.to_string());
    }

    #[test]
    fn nothing_that_is_written_needs_the_usual_name_where_there_is_another() {
        let service = crate::service::expand(
            quote!(crate = "own::sdk"),
            quote!(
                trait Orders {
                    async fn get(&self, cx: &sdk::Context, #[default] id: u8) -> Result<u8, OrderError>;
                }
            ),
        );
        let error = syn::parse_quote! {
            #[error(crate = "own::sdk")]
            enum OrderError {
                #[error("gone", code = "not_found")]
                Gone { id: u8 },
                #[error(status)]
                Other(sdk::Status),
            }
        };
        let message = syn::parse_quote! {
            #[message(crate = "own::sdk")]
            struct Order<T> {
                #[serde(default)]
                id: T,
            }
        };
        for written in [service, crate::error::expand(&error), crate::message::expand(&message)] {
            let written = written.expect("it is sound").to_string();
            assert!(written.contains("own :: sdk"), "{written}");
            assert!(!written.contains(OWN), "{written}");
        }
    }

    #[test]
    fn what_is_called_like_the_crate_and_is_another_thing_stays() {
        for code in
            [quote!(let callgate_sdk = 1;), quote!(other::callgate_sdk::X), quote!(a: callgate_sdk::X)]
        {
            assert_eq!(named("own", code.clone()), code.to_string());
        }
    }
}
