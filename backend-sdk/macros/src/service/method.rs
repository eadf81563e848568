//! One method of a service: read from the trait's function, checked, and written again as a function.

use super::argument::{Argument, Input};
use super::options::{MethodOptions, WORD};
use super::streams::{self, CallerStream, ServiceStream};
use crate::{Refusals, docs};
use callgate_protocol::CallId;
use callgate_protocol::limits::MAX_OFFER_NAME;
use callgate_protocol::name::is_method_name;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, PathArguments, ReturnType, Signature, TraitItemFn, Type,
    parse_quote,
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
    /// What the caller streams, which is the last argument.
    pub(crate) caller_stream: Option<CallerStream>,
    /// What the service streams.
    pub(crate) service_stream: Option<ServiceStream>,
    /// `Result<reply, error>`, or an alias of it.
    pub(crate) result: Type,
    pub(crate) reply: Type,
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
        let (mut result, reply) = reply(&signature, refusals);
        let service_stream = streams::service(&mut result, refusals);
        let reply = service_stream.as_ref().map_or(reply, |stream| stream.item.clone());
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
            caller_stream: None,
            service_stream,
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
            if let FnArg::Typed(input) = input
                && let Some(input) = Input::read(input, refusals)
            {
                method.input(input, refusals);
            }
        }
        if !is_method_name(&method.name) {
            let why = format!(
                "a method's name is {WORD}, at most {MAX_OFFER_NAME}: routes and other languages write it"
            );
            refusals.refuse(&method.ident, why);
        }
        if method.arguments.len() > MAX_ARGUMENTS {
            refusals.refuse(
                &method.ident,
                format!("a method has {MAX_ARGUMENTS} arguments at most: take a struct"),
            );
        }
        method
    }

    fn input(&mut self, input: Input, refusals: &mut Refusals) {
        match input {
            Input::Context(ident, ty) => {
                let first = self.context.is_none() && self.arguments.is_empty();
                let exclusive = matches!(&*ty, Type::Reference(reference) if reference.mutability.is_some());
                if !first || exclusive {
                    refusals.refuse(&ty, "the context is the first argument, as `&Context`");
                }
                self.context = Some((ident, *ty));
            }
            Input::Stream(stream) => {
                if self.caller_stream.is_some() {
                    refusals.refuse(&stream.ty, "a caller has one stream: make an enum of what it may send");
                }
                self.caller_stream = Some(*stream);
            }
            Input::Argument(argument) => {
                if let Some(stream) = &self.caller_stream {
                    refusals.refuse(&stream.ty, "what the caller streams is the last argument");
                }
                let (ident, name) = (&argument.ident, &argument.name);
                if self.arguments.iter().any(|other| other.ident == *ident || other.name == *name) {
                    refusals.refuse(ident, format!("there is an argument `{name}` already"));
                }
                self.arguments.push(*argument);
            }
        }
    }

    /// Where the result's type stands, for what the compiler may have to say of it.
    pub(crate) fn result_span(&self) -> Span {
        self.result.span().resolved_at(Span::call_site())
    }

    /// The method's result with the items' type in the place of a stream.
    pub(crate) fn plain_result(&self) -> &Type {
        self.service_stream.as_ref().map_or(&self.result, |stream| &stream.plain)
    }

    /// The result with another type in the place of the stream.
    pub(crate) fn result_with(&self, stream: Type) -> Type {
        streams::with_reply(&self.result, stream)
    }

    /// What stands between the parentheses: of the trait's method, and of an implementation's.
    pub(crate) fn parameters(&self) -> TokenStream {
        let context = self.context.iter().map(|(ident, ty)| quote!(#ident: #ty,));
        let arguments = self.arguments.iter().map(|Argument { ident, ty, .. }| quote!(#ident: #ty,));
        let stream = self.caller_stream.iter().map(|CallerStream { ident, ty, .. }| quote!(#ident: #ty,));
        quote!(&self, #(#context)* #(#arguments)* #(#stream)*)
    }

    /// The names of the arguments, each with a comma behind it: a tuple's inside, whatever its length.
    pub(crate) fn names(&self) -> TokenStream {
        let names = self.arguments.iter().map(|argument| &argument.ident);
        quote!(#(#names,)*)
    }

    /// The same with the stream, as a method is called.
    pub(crate) fn all_names(&self) -> TokenStream {
        let (names, stream) = (self.names(), self.caller_stream.iter().map(|stream| &stream.ident));
        quote!(#names #(#stream,)*)
    }
}

fn is_shared_self(me: &syn::Receiver) -> bool {
    matches!(&me.reference, Some((_, None))) && me.mutability.is_none()
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
    let why = "a method returns `Result<_, Status>`, or with a typed error in place of `Status`, for any call can fail";
    match &signature.output {
        ReturnType::Type(_, ty) => match ok_and_error(ty) {
            Some((reply, error)) => {
                if error.is_some_and(says_nothing) {
                    let why = "callers cannot tell such errors apart: return `Status`, which `?` makes of most errors, or an enum \
                               with `#[derive(Debug, callgate_sdk::Error)]`";
                    refusals.refuse(error, why);
                }
                return ((**ty).clone(), reply.clone());
            }
            None => refusals.refuse(ty, why),
        },
        ReturnType::Default => refusals.refuse(&signature.ident, why),
    }
    (parse_quote!(()), parse_quote!(()))
}

/// What is in a `Result`; in an alias of it that has one parameter the error is not seen. Whether it can be one is for the
/// compiler to see.
pub(super) fn ok_and_error(ty: &Type) -> Option<(&Type, Option<&Type>)> {
    let Type::Path(ty) = ty else { return None };
    let result = ty.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &result.arguments else {
        return None;
    };
    match arguments.args.iter().collect::<Vec<_>>().as_slice() {
        [GenericArgument::Type(reply)] => Some((reply, None)),
        [GenericArgument::Type(reply), GenericArgument::Type(error)] => Some((reply, Some(error))),
        _ => None,
    }
}

/// The types that others take for errors and that have no code.
fn says_nothing(error: &Type) -> bool {
    match error {
        Type::Reference(_) | Type::Tuple(_) => true,
        Type::Path(ty) => {
            ty.path.segments.last().is_some_and(|last| last.ident == "String" || last.ident == "Box")
        }
        _ => false,
    }
}
