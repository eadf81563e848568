//! Files: bytes with a name and a type, kept in memory. The method takes and gives them as a field; that they are the body of a request or
//! of an answer as they are, `routes/files.toml` says.

use callgate_sdk::{Bytes, Message, Status, service};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All files together have so many bytes, names and types included.
const ROOM: usize = 16 * 1024 * 1024;

/// What a file takes beside its bytes, so that empty ones are bounded, too.
const EACH: usize = 256;

/// Keeps files.
#[service(version = "1.0")]
pub trait Files {
    /// Keeps a file under that name, in the place of one that is there; `resource_exhausted` if there is no room.
    #[idempotent]
    async fn put(
        &self,
        #[message(length(min = 1, max = 200))] name: String,
        content: Bytes,
        /// What it is, such as `image/png`.
        #[message(length(max = 200))]
        kind: Option<String>,
    ) -> Result<Kept, Status>;

    /// A file; `not_found` if there is none of that name.
    #[idempotent]
    async fn get(&self, name: String) -> Result<File, Status>;
}

/// A file that is kept now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Kept {
    /// What it is called.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// There was none of that name before.
    pub created: bool,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct File {
    /// What it is, if whoever has put it has said so.
    pub kind: Option<String>,
    /// What is in it.
    pub content: Bytes,
    /// Another number for each that was put.
    pub version: u64,
}

/// The implementation.
#[derive(Debug, Default)]
pub struct Drawer(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    files: HashMap<String, File>,
    /// What all of them take.
    taken: usize,
    put: u64,
}

impl Drawer {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a file takes.
fn size(name: &str, kind: Option<&str>, content: &[u8]) -> usize {
    EACH + name.len() + kind.map_or(0, str::len) + content.len()
}

impl Files for Drawer {
    async fn put(&self, name: String, content: Bytes, kind: Option<String>) -> Result<Kept, Status> {
        let mut all = self.content();
        let before = all.files.get(&name).map(|file| size(&name, file.kind.as_deref(), &file.content));
        let taken = all.taken - before.unwrap_or(0) + size(&name, kind.as_deref(), &content);
        if taken > ROOM {
            return Err(Status::resource_exhausted("there is no room for the file"));
        }
        (all.taken, all.put) = (taken, all.put + 1);
        let kept = Kept { name: name.clone(), bytes: content.len() as u64, created: before.is_none() };
        let file = File { kind, content, version: all.put };
        all.files.insert(name, file);
        Ok(kept)
    }

    async fn get(&self, name: String) -> Result<File, Status> {
        let file = self.content().files.get(&name).cloned();
        file.ok_or_else(|| Status::not_found(format!("there is no file `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_sdk::Code;

    async fn put(drawer: &Drawer, name: &str, bytes: usize) -> Result<bool, Code> {
        let kept = drawer.put(name.to_owned(), vec![7; bytes].into(), Some("a/b".to_owned())).await;
        kept.map(|kept| kept.created).map_err(|status| status.code)
    }

    #[tokio::test]
    async fn a_file_is_kept_as_it_was_put_last() {
        let drawer = Drawer::default();
        assert_eq!(drawer.get("a".to_owned()).await.map_err(|status| status.code), Err(Code::NotFound));
        assert_eq!(put(&drawer, "a", 1).await, Ok(true));
        assert_eq!(put(&drawer, "a", 2).await, Ok(false));
        let file = drawer.get("a".to_owned()).await.expect("it is there");
        let expected = File { kind: Some("a/b".to_owned()), content: vec![7; 2].into(), version: 2 };
        assert_eq!(file, expected);
    }

    #[tokio::test]
    async fn there_is_room_for_so_much_and_what_is_replaced_gives_its_room_back() {
        let drawer = Drawer::default();
        let most = ROOM - EACH - "a".len() - "a/b".len();
        assert_eq!(put(&drawer, "a", most).await, Ok(true));
        assert_eq!(put(&drawer, "b", 0).await, Err(Code::ResourceExhausted));
        assert_eq!(put(&drawer, "a", most + 1).await, Err(Code::ResourceExhausted));
        assert_eq!(put(&drawer, "a", 0).await, Ok(false));
        assert_eq!(put(&drawer, "b", 1000).await, Ok(true));
        assert_eq!(drawer.content().taken, 2 * (EACH + 4) + 1000);
    }
}
