//! What the gateway replies by itself, as routes without a backend say: a closed list of kinds. A kind has a file of its own, which
//! declares its key, reads it and shows it, and a line in the list below. How a reply is made of it is the front's to say.

mod explore;
mod openapi;
mod redirect;
pub(super) mod respond;
mod tools;

pub use explore::ExploreSpec;
pub use openapi::OpenApiSpec;
pub use redirect::RedirectSpec;
pub use respond::RespondSpec;
pub(super) use respond::{MAX_HEADERS, RESERVED, value};
pub use tools::ToolsSpec;
pub(super) use tools::check as check_tools;

use super::complaint::Complaint;
use super::keys::Key;
use super::path::PathTemplate;
use super::reader::{Item, Reader};
use super::shape::Shape;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Of which routes something is made: those of its own file, or of all files.
const ROUTES: [(&str, bool); 2] = [("file", false), ("all", true)];

/// One kind. `callgate routes` shows what it displays.
trait Kind: fmt::Display + Sized {
    /// Its key, which makes a route one of this kind.
    const KEY: Key;
    /// What its value may be.
    const SHAPE: Shape;

    /// Reads the key's value; `matched` is the route's path, if that could be read. `None`: it will not do, which is reported.
    fn read(reader: &mut Reader<'_>, item: &Item<'_>, matched: Option<&PathTemplate>) -> Option<Self>;

    /// The status with which it replies.
    fn status(&self) -> u16;

    /// What `/routes` shows of it.
    fn shown(&self) -> Value;
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident: $spec:ident),+ $(,)?) => {
        /// A reply of the gateway's own.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum LocalReply {
            $($(#[$doc])+ $kind(Arc<$spec>)),+
        }

        /// The key of each kind.
        pub(super) const KEYS: &[Key] = &[$(<$spec as Kind>::KEY),+];

        /// The same with what their values may be.
        pub(super) const SHAPES: &[(&str, Shape)] = &[$((<$spec as Kind>::KEY.name, <$spec as Kind>::SHAPE)),+];

        impl LocalReply {
            /// Reads the value of that one of [`KEYS`].
            pub(super) fn read(
                reader: &mut Reader<'_>,
                key: &str,
                item: &Item<'_>,
                matched: Option<&PathTemplate>,
            ) -> Option<LocalReply> {
                $(if key == <$spec as Kind>::KEY.name {
                    return <$spec as Kind>::read(reader, item, matched).map(Arc::new).map(LocalReply::$kind);
                })+
                None
            }

            /// The status with which it replies.
            pub fn status(&self) -> u16 {
                match self {
                    $(LocalReply::$kind(spec) => Kind::status(&**spec)),+
                }
            }

            /// What `/routes` shows of it: its key and what is behind.
            pub fn shown(&self) -> Value {
                match self {
                    $(LocalReply::$kind(spec) => json!({ <$spec as Kind>::KEY.name: Kind::shown(&**spec) })),+
                }
            }
        }

        impl fmt::Display for LocalReply {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(LocalReply::$kind(spec) => spec.fmt(f)),+
                }
            }
        }
    };
}

kinds! {
    /// It is always the same.
    Respond: RespondSpec,
    /// It sends the client elsewhere.
    Redirect: RedirectSpec,
    /// It is the document of what can be asked.
    OpenApi: OpenApiSpec,
    /// It is a page that shows such a document.
    Explore: ExploreSpec,
    /// Agents find tools, and call them.
    Tools: ToolsSpec,
}

/// The table of a value that may be `true` too, which is `Some(None)`. `None`: it is neither, which is reported.
fn true_or_table<'i>(
    reader: &mut Reader<'_>,
    item: &Item<'i>,
    expected: &str,
) -> Option<Option<&'i DeTable<'i>>> {
    match item.value.get_ref() {
        DeValue::Boolean(true) => Some(None),
        DeValue::Boolean(false) => {
            let complaint = Complaint::new("a route does something", "this one would do nothing");
            reader.complain(item, complaint.help("remove the route"))
        }
        _ => reader.table(item, expected).map(Some),
    }
}

/// Reads a text that says something, in so many bytes at most.
pub(super) fn text_of(most: usize) -> impl Fn(&str) -> Result<String, Complaint> {
    move |text| match text.len() {
        0 => Err(Complaint::new("a text says something", "this one is empty")),
        length if length <= most => Ok(text.to_owned()),
        _ => Err(Complaint::new("a text this long", format!("at most {most} bytes"))),
    }
}
