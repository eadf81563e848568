//! What the macro's own attributes say: `#[service(…)]`, `#[idempotent]`, `#[call(…)]`.

use crate::Refusals;
use crate::krate::Krate;
use callgate_protocol::CallId;
use callgate_protocol::limits::MAX_OFFER_NAME;
use callgate_protocol::name::is_service_name;
use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, LitInt, LitStr, Meta};

/// What a name consists of, in words for who has written another one.
pub(super) const WORD: &str = "a letter or `_`, then letters, digits, `_` and `-`, all ASCII";

#[derive(Default)]
pub(crate) struct ServiceOptions {
    pub(crate) name: Option<String>,
    pub(crate) version: String,
    pub(crate) krate: Krate,
}

impl ServiceOptions {
    pub(crate) fn read(tokens: TokenStream, refusals: &mut Refusals) -> ServiceOptions {
        let mut options = ServiceOptions::default();
        let parser = syn::meta::parser(|meta| options.meta(meta));
        if let Err(error) = parser.parse2(tokens) {
            refusals.add(error);
        }
        options
    }

    fn meta(&mut self, meta: ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("name") {
            let name: LitStr = meta.value()?.parse()?;
            if !is_service_name(&name.value()) {
                let why = format!(
                    "a service's name is {WORD}, at most {MAX_OFFER_NAME}; or several such words with `.` between"
                );
                return Err(syn::Error::new(name.span(), why));
            }
            self.name = Some(name.value());
        } else if meta.path.is_ident("version") {
            self.version = meta.value()?.parse::<LitStr>()?.value();
        } else if Krate::is_named_by(&meta) {
            self.krate = Krate::read(&meta)?;
        } else {
            return Err(
                meta.error("`#[service]` knows `name = \"…\"`, `version = \"…\"` and `crate = \"…\"`")
            );
        }
        Ok(())
    }
}

pub(crate) struct MethodOptions {
    /// What is left for the trait's method.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) idempotent: bool,
    pub(crate) pinned: Option<CallId>,
}

impl MethodOptions {
    pub(crate) fn read(attrs: Vec<Attribute>, refusals: &mut Refusals) -> MethodOptions {
        let mut options = MethodOptions { attrs: Vec::new(), idempotent: false, pinned: None };
        for attr in attrs {
            if attr.path().is_ident("idempotent") {
                options.idempotent = true;
                if !matches!(attr.meta, Meta::Path(_)) {
                    refusals.refuse(attr, "`#[idempotent]` stands alone");
                }
            } else if attr.path().is_ident("call") {
                match call_id(&attr) {
                    Ok(id) => options.pinned = Some(id),
                    Err(error) => refusals.add(error),
                }
            } else if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                refusals.refuse(attr, "a service is the same everywhere: put `cfg` on the whole trait");
            } else {
                options.attrs.push(attr);
            }
        }
        options
    }
}

/// `#[call(id = 0x1234)]`.
fn call_id(attr: &Attribute) -> syn::Result<CallId> {
    let mut id = None;
    attr.parse_nested_meta(|meta| {
        if !meta.path.is_ident("id") {
            return Err(meta.error("`#[call]` knows `id = …`"));
        }
        let number: LitInt = meta.value()?.parse()?;
        let why = "a Call ID is a number from 1 to 0xffff_ffff";
        let value = number.base10_parse().ok().and_then(CallId::pinned);
        id = Some(value.ok_or_else(|| syn::Error::new(number.span(), why))?);
        Ok(())
    })?;
    id.ok_or_else(|| syn::Error::new_spanned(attr, "`#[call]` needs `id = …`"))
}
