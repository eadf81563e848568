//! A contract of things that people send: files as they are, and forms with files. `bin/uploads.rs` serves it, and says what has come.

use callgate_sdk::{Bytes, Message, Status, service};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Kept {
    /// How many bytes.
    pub length: u64,
    /// All of them, added up with their places.
    pub sum: u64,
    /// Of which media type, as it was said.
    pub kind: Option<String>,
    /// Under which name.
    pub name: Option<String>,
}

/// A book as a form describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Entry {
    /// What it is called.
    pub title: String,
    /// By which it is found.
    pub tags: Vec<String>,
    /// How many pages it has, if somebody has counted.
    pub pages: Option<u32>,
    /// Who has written it.
    pub author: Option<Author>,
    /// Whether it is sold.
    pub sold: bool,
    /// Its cover, if there is one.
    pub cover: Option<Kept>,
    /// Further pictures.
    pub pictures: Vec<Kept>,
}

/// Who has written a book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Author {
    /// By which name.
    pub name: String,
}

impl Kept {
    /// What there is to say of these bytes.
    pub fn of(content: &[u8]) -> Kept {
        let places = (1..).zip(content);
        let sum = places.fold(0_u64, |sum, (place, byte)| sum.wrapping_add(place * u64::from(*byte)));
        Kept { length: content.len() as u64, sum, kind: None, name: None }
    }
}

/// The same as JSON, with what is said of their type and their name.
pub fn kept(content: &[u8], kind: Option<&str>, name: Option<&str>) -> Value {
    let Kept { length, sum, .. } = Kept::of(content);
    json!({ "length": length, "sum": sum, "kind": kind, "name": name })
}

/// Who takes what people send.
#[service]
pub trait Uploads {
    /// Takes a file, and says what has come.
    async fn keep(&self, content: Bytes, kind: Option<String>, name: Option<String>) -> Result<Kept, Status>;

    /// Takes a text, and gives it back.
    async fn say(&self, text: String) -> Result<String, Status>;

    /// Takes a book.
    #[allow(clippy::too_many_arguments, reason = "as many as a form has fields")]
    async fn enter(
        &self,
        title: String,
        #[default] tags: Vec<String>,
        pages: Option<u32>,
        author: Option<Author>,
        #[default] sold: bool,
        cover: Option<Bytes>,
        cover_name: Option<String>,
        cover_kind: Option<String>,
        #[default] pictures: Vec<Bytes>,
    ) -> Result<Entry, Status>;
}
