//! Documentation comments as text.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of an item's documentation comments, without the space that stands before each line.
pub(crate) fn text(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs.iter().filter_map(line).collect();
    let indent = |line: &&String| !line.trim().is_empty();
    let space = lines.iter().filter(indent).all(|line| line.starts_with(' '));
    let lines = lines.iter().map(|line| match space {
        true => line.strip_prefix(' ').unwrap_or(line).trim_end(),
        false => line.trim_end(),
    });
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

fn line(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
