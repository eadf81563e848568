//! Methods that stream: the last argument of one whose caller does, and the result of one that does itself.

use super::method::ok_and_error;
use crate::Refusals;
use syn::{
    AngleBracketedGenericArguments, AssocType, GenericArgument, Ident, PathArguments, PathSegment, Type,
    TypeImplTrait, TypeParamBound, parse_quote,
};

/// What a caller streams.
pub(crate) struct CallerStream {
    pub(crate) ident: Ident,
    /// `Streaming<T>`.
    pub(crate) ty: Type,
    /// The type of its items.
    pub(crate) item: Type,
}

/// What a service streams.
pub(crate) struct ServiceStream {
    /// The method's result with the items' type in the place of the stream.
    pub(crate) plain: Type,
    /// `Result<T, E>`.
    pub(crate) item_result: Type,
    /// The type of its items.
    pub(crate) item: Type,
}

/// The items' type of an argument `Streaming<T>`; none when it is another type.
pub(super) fn streaming(ty: &Type) -> Option<Result<&Type, &'static str>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Streaming")?;
    Some(match types(last).as_slice() {
        [GenericArgument::Type(item)] => Ok(item),
        _ => Err("what a caller streams is `Streaming<T>`, of one type of items"),
    })
}

/// Takes the stream out of a method's result, and says of it that it can be sent. `None` when there is none.
pub(super) fn service(result: &mut Type, refusals: &mut Refusals) -> Option<ServiceStream> {
    let mut plain = result.clone();
    let Some(Type::ImplTrait(stream)) = reply_mut(result) else { return None };
    let why = "a method that streams returns `Result<impl Stream<Item = Result<T, Status>>, Status>`, or with a typed error in the \
               place of both `Status`";
    let Some(item_result) = items(stream) else {
        refusals.refuse(stream, why);
        return None;
    };
    let Some((item, _)) = ok_and_error(&item_result) else {
        refusals.refuse(item_result, why);
        return None;
    };
    let item = item.clone();
    stream.bounds.push(parse_quote!(::core::marker::Send));
    *reply_mut(&mut plain)? = item.clone();
    Some(ServiceStream { plain, item_result, item })
}

/// The same result with that type in the place of the stream.
pub(super) fn with_reply(result: &Type, reply: Type) -> Type {
    let mut result = result.clone();
    if let Some(place) = reply_mut(&mut result) {
        *place = reply;
    }
    result
}

/// The type in a `Result`.
fn reply_mut(result: &mut Type) -> Option<&mut Type> {
    let Type::Path(path) = result else { return None };
    let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else {
        return None;
    };
    arguments.args.iter_mut().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// What `Item` is in `impl Stream<Item = …>`.
fn items(stream: &TypeImplTrait) -> Option<Type> {
    stream.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Stream")?;
        types(last).into_iter().find_map(|argument| match argument {
            GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Item" => Some(ty.clone()),
            _ => None,
        })
    })
}

fn types(segment: &PathSegment) -> Vec<&GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) => args.iter().collect(),
        _ => Vec::new(),
    }
}
