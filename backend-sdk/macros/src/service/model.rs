//! A service as the macro's second half sees it: its name, its version, its methods and their numbers, all checked.

use super::method::Method;
use super::options::ServiceOptions;
use crate::krate::Krate;
use crate::{Refusals, case};
use callgate_protocol::CallId;
use callgate_protocol::name::is_service_name;
use proc_macro2::TokenStream;
use std::collections::{HashMap, HashSet};
use syn::ext::IdentExt;
use syn::{Attribute, Ident, ItemTrait, TraitItem, Visibility};

pub(crate) struct Service {
    /// All attributes of the trait, which it keeps.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    /// The name in routes and on the wire.
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where the SDK is.
    pub(crate) krate: Krate,
    pub(crate) methods: Vec<Method>,
}

impl Service {
    /// Reads a trait. Everything that is wrong with it is in the error.
    pub(crate) fn read(options: TokenStream, item: ItemTrait) -> syn::Result<Service> {
        let mut refusals = Refusals::default();
        let options = ServiceOptions::read(options, &mut refusals);
        if !item.generics.params.is_empty() {
            refusals.refuse(
                &item.generics.params,
                "a service has no type parameters: the types of its methods go over the wire",
            );
        }
        if !item.supertraits.is_empty() {
            refusals.refuse(
                &item.supertraits,
                "a service has no supertraits; `Send + Sync + 'static` is there already",
            );
        }
        let mut methods = Vec::new();
        for member in item.items {
            match member {
                TraitItem::Fn(function) => methods.push(Method::read(function, &mut refusals)),
                other => refusals.refuse(other, "a service consists of methods only"),
            }
        }
        let service = Service {
            name: options.name.unwrap_or_else(|| case::service(&item.ident.unraw().to_string())),
            version: options.version,
            krate: options.krate,
            attrs: item.attrs,
            vis: item.vis,
            ident: item.ident,
            methods,
        };
        service.check_names(&mut refusals);
        refusals.check()?;
        if service.methods.is_empty() {
            return Err(syn::Error::new_spanned(&service.ident, "a service has at least one method"));
        }
        Ok(service)
    }

    /// Names and Call IDs are unique. A name that stands twice has one Call ID too; the name is the better complaint.
    fn check_names(&self, refusals: &mut Refusals) {
        if !is_service_name(&self.name) {
            let why = "the trait's name makes no name for a service: say `#[service(name = \"…\")]`";
            refusals.refuse(&self.ident, why);
        }
        let (mut names, mut ids) = (HashSet::new(), HashMap::new());
        for method in &self.methods {
            let (name, id) = (&method.name, self.call_id(method));
            if !names.insert(name) {
                refusals.refuse(&method.ident, format!("there is a method `{name}` already"));
            } else if let Some(other) = ids.insert(id, name) {
                refusals.refuse(
                    &method.ident,
                    format!(
                        "`{other}` and `{name}` share the Call ID {id}: pin another with `#[call(id = …)]`"
                    ),
                );
            }
        }
    }

    /// A method's number on the wire.
    pub(crate) fn call_id(&self, method: &Method) -> CallId {
        method.pinned.unwrap_or(CallId::of(&self.name, &method.name))
    }
}
