//! The entity tag of a result: `etag` of a route.

use super::super::complaint::Complaint;
use super::super::field;
use super::super::keys;
use super::super::reader::{Reader, Section};
use super::Fields;
use crate::config::shape::Shape;
use crate::method::Method;
use toml::de::DeValue;

/// What `etag` may be.
pub(in crate::config) const SHAPE: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Text]);

/// What an entity tag is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EtagSpec {
    /// A hash of the body.
    Hash,
    /// The field of the result with this number among those that the route picks.
    Field(usize),
}

/// Reads `etag` of a route for requests of that method, if that could be read.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    method: Option<Method>,
    fields: &mut Fields,
) -> Option<EtagSpec> {
    let item = section.get(keys::ETAG.name)?;
    match item.value.get_ref() {
        DeValue::Boolean(false) => None,
        DeValue::Boolean(true) if method.is_none_or(|method| method == Method::Get) => Some(EtagSpec::Hash),
        DeValue::Boolean(true) => {
            let label = "the answer to another method is not what a GET answers";
            let complaint = Complaint::new("`etag = true` is for GET routes", label);
            let help = "name a field of the result that changes with it, as in etag = \"version\"";
            reader.complain(&item, complaint.help(help))
        }
        _ => {
            let place = item.span();
            let number =
                reader.text(&item, "true, or a field's name such as \"version\"", |text| match field::error(
                    text,
                ) {
                    Some(reason) => Err(Complaint::new("`etag` is true, or a field of the result", reason)),
                    None => fields.number(text, &[], place),
                });
            number.map(EtagSpec::Field)
        }
    }
}
