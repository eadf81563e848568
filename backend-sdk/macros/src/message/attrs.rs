//! serde's attributes: those that the schema honours, and an advice for each that it cannot.
//!
//! serde's own derive sees the same attributes and complains of what is misspelt or misplaced; that is not repeated here.

use crate::Refusals;
use crate::case::Case;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, LitStr, Path, Token, WherePredicate, parenthesized, token};

/// What serde's attributes say of a container, a field or a variant.
#[derive(Default)]
pub(crate) struct Attrs {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) aliases: Vec<String>,
    pub(crate) default: Option<DefaultFrom>,
    pub(crate) bounds: Vec<WherePredicate>,
    pub(crate) transparent: bool,
    pub(crate) skip: bool,
    /// The field goes over the wire as another type: the module that knows which one, `callgate_sdk::wire` by whatever path.
    pub(crate) wire: Option<Path>,
}

/// Where a missing field's value comes from.
#[derive(Clone)]
pub(crate) enum DefaultFrom {
    /// `Default::default()`.
    Trait,
    /// A function of that path.
    Path(ExprPath),
}

/// What is refused, and what to do instead.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["flatten"],
        "serde writes the wire, which carries no field names, so it cannot flatten: write `#[message(flatten)]`, which \
         flattens in JSON",
    ),
    (
        &["tag"],
        "serde writes the wire, which carries a variant's number and no tag: write `#[message(tag = \"…\")]`, by which JSON \
         has one",
    ),
    (
        &["content"],
        "serde writes the wire, which has no names: write `#[message(tag = \"…\", content = \"…\")]`, by which JSON has them",
    ),
    (
        &["untagged"],
        "the wire carries a variant's number, so none can be guessed: remove it, or take a `callgate_sdk::Json` \
         and look into it",
    ),
    (
        &["skip_serializing_if"],
        "every field is always written: remove it; an `Option` that is `None` is `null` in JSON",
    ),
    (
        &["skip_serializing", "skip_deserializing"],
        "a field is written and read, or neither: use `skip`, or two types",
    ),
    (
        &["with", "serialize_with", "deserialize_with"],
        "the schema cannot know what a function writes: use a type whose own shape is the right one, or implement \
         `callgate_sdk::Wire` for this one and write `with = \"callgate_sdk::wire\"`",
    ),
    (
        &["from", "try_from", "into"],
        "the schema cannot follow a conversion: convert in the method, or implement `Message` by hand and describe \
         the other type",
    ),
    (
        &["remote", "getter"],
        "a message is of this crate: copy the fields into a type of your own and convert",
    ),
    (&["other"], "a number without a variant is an error: remove it, or take a `String`"),
    (&["borrow"], "a message owns what it contains: use `String` or `Vec`"),
    (&["field_identifier", "variant_identifier"], "an identifier is no message; it has nothing to describe"),
];

impl Attrs {
    /// Reads the `#[serde(…)]` among `attrs`.
    pub(crate) fn read(attrs: &[Attribute], refusals: &mut Refusals) -> Attrs {
        let mut read = Attrs::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            // Skipping one way is refused, both ways is `skip`.
            let mut one_way = Vec::new();
            let result = attr.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match name.as_str() {
                    "skip_serializing" | "skip_deserializing" => one_way.push((name, meta.path)),
                    _ => read.meta(&name, meta, refusals)?,
                }
                Ok(())
            });
            match one_way.as_slice() {
                [(a, _), (b, _)] if a != b => read.skip = true,
                _ => one_way.iter().for_each(|(name, path)| refusals.refuse(path, advice(name))),
            }
            if let Err(error) = result {
                refusals.add(error);
            }
        }
        read
    }

    fn meta(&mut self, name: &str, meta: ParseNestedMeta<'_>, refusals: &mut Refusals) -> syn::Result<()> {
        match name {
            "rename" => self.rename = Some(same_both_ways(&meta)?.value()),
            "rename_all" => self.rename_all = Case::of(&same_both_ways(&meta)?),
            "rename_all_fields" => self.rename_all_fields = Case::of(&same_both_ways(&meta)?),
            "alias" => self.aliases.push(meta.value()?.parse::<LitStr>()?.value()),
            "default" => {
                self.default = Some(match meta.input.peek(Token![=]) {
                    true => DefaultFrom::Path(meta.value()?.parse::<LitStr>()?.parse()?),
                    false => DefaultFrom::Trait,
                })
            }
            "bound" => self.bounds.extend(bounds(&meta)?),
            "transparent" => self.transparent = true,
            "skip" => self.skip = true,
            "with" => {
                let module: Path = meta.value()?.parse::<LitStr>()?.parse()?;
                match module.segments.last() {
                    // Whether it is the SDK's shows when the type in it is asked for, which other modules lack.
                    Some(last) if last.ident == "wire" => self.wire = Some(module),
                    _ => refusals.refuse(&meta.path, advice(name)),
                }
            }
            // These change neither what is written nor what JSON looks like.
            "deny_unknown_fields" | "crate" | "expecting" => ignore_value(&meta)?,
            _ => {
                refusals.refuse(&meta.path, advice(name));
                ignore_value(&meta)?;
            }
        }
        Ok(())
    }
}

fn advice(name: &str) -> String {
    match REFUSED.iter().find(|(refused, _)| refused.contains(&name)) {
        Some((_, advice)) => format!("`{name}` cannot be in a message: {advice}"),
        None => {
            format!("`{name}` cannot be in a message: what it changes is not known to `#[derive(Message)]`")
        }
    }
}

/// `= "name"`, or `(serialize = "name", deserialize = "name")` with twice the same.
fn same_both_ways(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse();
    }
    let mut names = Vec::<LitStr>::new();
    meta.parse_nested_meta(|way| {
        names.push(way.value()?.parse()?);
        Ok(())
    })?;
    match names.as_slice() {
        [a, b] if a.value() == b.value() => Ok(a.clone()),
        _ => Err(meta.error(
            "a name is the same for writing and reading: write `= \"…\"`; `alias` adds names for reading",
        )),
    }
}

/// `= "T: Bound"`, or the same for `serialize` and `deserialize`; a message does both.
fn bounds(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<WherePredicate>> {
    let mut texts = Vec::<LitStr>::new();
    if meta.input.peek(Token![=]) {
        texts.push(meta.value()?.parse()?);
    } else {
        meta.parse_nested_meta(|way| {
            texts.push(way.value()?.parse()?);
            Ok(())
        })?;
    }
    let mut bounds = Vec::new();
    for text in texts {
        let list = text.parse_with(Punctuated::<WherePredicate, Token![,]>::parse_terminated)?;
        bounds.extend(list);
    }
    Ok(bounds)
}

fn ignore_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let inside;
        parenthesized!(inside in meta.input);
        inside.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}
