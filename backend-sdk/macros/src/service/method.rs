//! One method of a service: read from the trait's function, checked, and written again as a function.

use super::options::MethodOptions;
use crate::{Refusals, docs};
use callgate_protocol::CallId;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PatType, PathArguments, ReturnType, Signature,
    TraitItemFn, Type, parse_quote,
};

/// serde knows tuples up to this length, and a call's arguments are one.
const MAX_ARGUMENTS: usize = 16;

pub(crate) struct Method {
    /// The attributes that are not the macro's own.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) idempotent: bool,
    /// A number that was pinned.
    pub(crate) pinned: Option<CallId>,
    /// The name and the type of the argument that takes the context.
    pub(crate) context: Option<(Ident, Type)>,
    pub(crate) arguments: Vec<Argument>,
    /// `Result<reply, Status>`.
    pub(crate) result: Type,
    pub(crate) reply: Type,
}

pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) doc: String,
    pub(crate) ty: Type,
}

impl Method {
    /// Reads a function of the trait. What is wrong with it is noted, and the method taken as well as can be.
    pub(super) fn read(function: TraitItemFn, refusals: &mut Refusals) -> Method {
        let MethodOptions { attrs, idempotent, pinned } = MethodOptions::read(function.attrs, refusals);
        if let Some(body) = &function.default {
            refusals.refuse(body, "a method is implemented elsewhere: write `;` instead of a body");
        }
        let signature = function.sig;
        check_qualifiers(&signature, refusals);
        let (result, reply) = reply(&signature, refusals);
        let ident = signature.ident;
        let mut method = Method {
            doc: docs::text(&attrs),
            attrs,
            name: ident.unraw().to_string(),
            ident,
            idempotent,
            pinned,
            context: None,
            arguments: Vec::new(),
            result,
            reply,
        };
        let no_self = "a method takes `&self` first: a service is shared by all calls";
        match signature.inputs.first() {
            Some(FnArg::Receiver(me)) if is_shared_self(me) => {}
            Some(first) => refusals.refuse(first, no_self),
            None => refusals.refuse(&method.ident, no_self),
        }
        for input in signature.inputs {
            if let FnArg::Typed(input) = input {
                method.argument(input, refusals);
            }
        }
        if method.arguments.len() > MAX_ARGUMENTS {
            refusals.refuse(
                &method.ident,
                format!("a method has {MAX_ARGUMENTS} arguments at most: take a struct"),
            );
        }
        method
    }

    fn argument(&mut self, input: PatType, refusals: &mut Refusals) {
        let ident = match *input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none() => {
                pat.ident
            }
            other => {
                return refusals.refuse(
                    other,
                    "an argument is a plain name, which JSON uses: take it apart in the implementation",
                );
            }
        };
        for attr in input.attrs.iter().filter(|attr| !attr.path().is_ident("doc")) {
            refusals
                .refuse(attr, "an argument has documentation and no other attributes: take a struct instead");
        }
        match &*input.ty {
            ty @ Type::Reference(reference) if is_context(&reference.elem) => {
                let first = self.context.is_none() && self.arguments.is_empty();
                if !first || reference.mutability.is_some() {
                    refusals.refuse(ty, "the context is the first argument, as `&Context`");
                }
                self.context = Some((ident, ty.clone()));
                return;
            }
            ty @ Type::Reference(_) => {
                refusals.refuse(ty, "an argument is owned, for it comes from the wire: `String` for `&str`, `Vec` for a slice");
            }
            ty @ Type::ImplTrait(_) => {
                refusals.refuse(ty, "an argument has one type, which both sides know: name it");
            }
            _ => {}
        }
        if self.arguments.iter().any(|other| other.ident == ident) {
            refusals.refuse(&ident, format!("there is an argument `{ident}` already"));
        }
        self.arguments.push(Argument { ident, doc: docs::text(&input.attrs), ty: *input.ty });
    }

    /// Where the result's type stands, for what the compiler may have to say of it.
    pub(crate) fn result_span(&self) -> Span {
        self.result.span().resolved_at(Span::call_site())
    }

    /// What stands between the parentheses: of the trait's method, and of an implementation's.
    pub(crate) fn parameters(&self) -> TokenStream {
        let context = self.context.iter().map(|(ident, ty)| quote!(#ident: #ty,));
        let arguments = self.arguments.iter().map(|Argument { ident, ty, .. }| quote!(#ident: #ty,));
        quote!(&self, #(#context)* #(#arguments)*)
    }

    /// The names of the arguments, each with a comma behind it: a tuple's inside, whatever its length.
    pub(crate) fn names(&self) -> TokenStream {
        let names = self.arguments.iter().map(|argument| &argument.ident);
        quote!(#(#names,)*)
    }
}

fn is_shared_self(me: &syn::Receiver) -> bool {
    matches!(&me.reference, Some((_, None))) && me.mutability.is_none()
}

fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Context"),
        _ => false,
    }
}

fn check_qualifiers(signature: &Signature, refusals: &mut Refusals) {
    if signature.asyncness.is_none() {
        refusals.refuse(signature.fn_token, "a method is an `async fn`");
    }
    if !signature.generics.params.is_empty() {
        refusals.refuse(
            &signature.generics.params,
            "a method has no parameters of type or lifetime: its types go over the wire",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        refusals.refuse(clause, "a method has no `where`: its types go over the wire");
    }
    if let Some(token) = &signature.unsafety {
        refusals.refuse(token, "a method is called from afar and cannot be unsafe");
    }
    if let Some(token) = &signature.constness {
        refusals.refuse(token, "a method cannot be const");
    }
    if let Some(abi) = &signature.abi {
        refusals.refuse(abi, "a method has no ABI");
    }
    if let Some(variadic) = &signature.variadic {
        refusals.refuse(variadic, "a method has no variable arguments: take a `Vec`");
    }
}

/// The whole result type and the reply in it. A refused one stands for both.
fn reply(signature: &Signature, refusals: &mut Refusals) -> (Type, Type) {
    let why = "a method returns `Result<_, Status>`, for any call can fail";
    match &signature.output {
        ReturnType::Type(_, ty) => match ok_of_result(ty) {
            Some(reply) => return ((**ty).clone(), reply.clone()),
            None => refusals.refuse(ty, why),
        },
        ReturnType::Default => refusals.refuse(&signature.ident, why),
    }
    (parse_quote!(()), parse_quote!(()))
}

fn ok_of_result(ty: &Type) -> Option<&Type> {
    let Type::Path(ty) = ty else { return None };
    let result = ty.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &result.arguments else {
        return None;
    };
    let arguments: Vec<_> = arguments.args.iter().collect();
    match arguments.as_slice() {
        // An alias, as many crates have one. Whether its error is a `Status` is for the compiler to see.
        [GenericArgument::Type(reply)] => Some(reply),
        [GenericArgument::Type(reply), GenericArgument::Type(Type::Path(error))] => {
            let status = error.path.segments.last().is_some_and(|last| last.ident == "Status");
            status.then_some(reply)
        }
        _ => None,
    }
}
