//! A library: things that are made, found, changed and removed, with pages, versions and errors of its own, a list as CSV, and covers. It
//! knows nothing of HTTP; `routes/library.toml` says what of it becomes status, `Location`, `ETag` and `Link`.

use callgate_sdk::{Bytes, Message, Presence, Status, service};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The shelf has so many places.
const PLACES: usize = 1000;

/// Keeps books.
#[service(version = "1.0")]
pub trait Library {
    /// Puts a new book on the shelf.
    async fn add(
        &self,
        #[message(length(min = 1, max = 200))] title: String,
        #[message(length(min = 1, max = 100))] author: String,
        year: Option<u16>,
        #[default]
        #[message(items(max = 10))]
        tags: Vec<String>,
    ) -> Result<Book, LibraryError>;

    /// A book.
    #[idempotent]
    async fn get(&self, id: u32) -> Result<Book, LibraryError>;

    /// The books behind `after`, in the order in which they came; those with a tag, if one is named.
    #[idempotent]
    async fn list(
        &self,
        #[default] after: u32,
        #[message(min = 1, max = 100)] limit: u32,
        tag: Option<String>,
    ) -> Result<Page, Status>;

    /// Changes what is said of a book; with `if_version` only if nobody has changed it since.
    async fn change(&self, id: u32, changes: Changes, if_version: Option<u32>) -> Result<Book, LibraryError>;

    /// Takes a book away.
    #[idempotent]
    async fn remove(&self, id: u32) -> Result<(), LibraryError>;

    /// All books as CSV (RFC 4180), the first line being their fields' names.
    #[idempotent]
    async fn export(&self) -> Result<String, Status>;

    /// Gives a book another cover.
    #[idempotent]
    async fn dress(
        &self,
        id: u32,
        #[message(length(min = 1, max = 65536))] cover: Bytes,
        /// What the picture is, such as `image/png`.
        #[message(pattern = "^image/[a-z]+$")]
        kind: String,
    ) -> Result<(), LibraryError>;

    /// A book's cover.
    #[idempotent]
    async fn cover(&self, id: u32) -> Result<Cover, LibraryError>;
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Cover {
    /// What it is, such as `image/png`.
    pub kind: String,
    /// The picture itself.
    pub picture: Bytes,
}

/// A book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Book {
    /// Its number on the shelf.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// Who has written it.
    pub author: String,
    /// When it was published, if that is known.
    pub year: Option<u16>,
    /// What it is about.
    pub tags: Vec<String>,
    /// How often it was changed: 1 for a new one.
    pub version: u32,
}

/// Some books, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Page {
    /// The books.
    pub books: Vec<Book>,
    /// The number of the last one, if others follow.
    pub next: Option<u32>,
}

/// What a change says: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Message)]
pub struct Changes {
    /// Another title.
    #[message(length(min = 1, max = 200))]
    pub title: Option<String>,
    /// Another author.
    #[message(length(min = 1, max = 100))]
    pub author: Option<String>,
    /// Another year, or `null`: nobody knows it.
    pub year: Presence<u16>,
    /// Other tags.
    #[message(items(max = 10))]
    pub tags: Option<Vec<String>>,
}

/// Why the library cannot do it.
#[derive(Clone, Debug, PartialEq, callgate_sdk::Error)]
#[serde(rename_all = "snake_case")]
pub enum LibraryError {
    /// There is no such book.
    #[error("there is no book {id}", code = "not_found")]
    NoSuchBook {
        /// The number that was asked for.
        id: u32,
    },
    /// It has no cover.
    #[error("book {id} has no cover", code = "not_found")]
    NoCover {
        /// The number of the book.
        id: u32,
    },
    /// Somebody was faster.
    #[error("the book has been changed: it is version {version} now", code = "failed_precondition")]
    Changed {
        /// The version that it has.
        version: u32,
    },
    /// The shelf is full.
    #[error("there is no place left for a book", code = "resource_exhausted")]
    NoPlace,
    /// Whatever else fails, as that nobody can be reached.
    #[error(status)]
    Other(Status),
}

/// The implementation: a shelf in memory.
#[derive(Debug)]
pub struct Shelf(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    by_id: BTreeMap<u32, Book>,
    covers: BTreeMap<u32, Cover>,
    last: u32,
}

impl Shelf {
    /// A shelf with three books.
    pub fn with_demo_books() -> Shelf {
        let mut books = Books::default();
        books.put("Dune", "Frank Herbert", Some(1965), &["desert", "classic"]);
        books.put("The Left Hand of Darkness", "Ursula K. Le Guin", Some(1969), &["winter", "classic"]);
        books.put("Roadside Picnic", "Arkady and Boris Strugatsky", Some(1972), &["zone"]);
        Shelf(Mutex::new(books))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A book is changed in one step, so that what a panic leaves is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn put(&mut self, title: &str, author: &str, year: Option<u16>, tags: &[&str]) -> Book {
        self.last += 1;
        let book = Book {
            id: self.last,
            title: title.to_owned(),
            author: author.to_owned(),
            year,
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            version: 1,
        };
        self.by_id.insert(book.id, book.clone());
        book
    }
}

impl Library for Shelf {
    async fn add(
        &self,
        title: String,
        author: String,
        year: Option<u16>,
        tags: Vec<String>,
    ) -> Result<Book, LibraryError> {
        let mut books = self.books();
        if books.by_id.len() >= PLACES {
            return Err(LibraryError::NoPlace);
        }
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        Ok(books.put(&title, &author, year, &tags))
    }

    async fn get(&self, id: u32) -> Result<Book, LibraryError> {
        self.books().by_id.get(&id).cloned().ok_or(LibraryError::NoSuchBook { id })
    }

    async fn list(&self, after: u32, limit: u32, tag: Option<String>) -> Result<Page, Status> {
        let books = self.books();
        let behind = books.by_id.range(after.saturating_add(1)..).map(|(_, book)| book);
        let mut found = behind.filter(|book| tag.as_ref().is_none_or(|tag| book.tags.contains(tag)));
        let page: Vec<Book> = found.by_ref().take(limit as usize).cloned().collect();
        let next = found.next().and(page.last()).map(|last| last.id);
        Ok(Page { books: page, next })
    }

    async fn change(&self, id: u32, changes: Changes, if_version: Option<u32>) -> Result<Book, LibraryError> {
        let mut books = self.books();
        let book = books.by_id.get_mut(&id).ok_or(LibraryError::NoSuchBook { id })?;
        if if_version.is_some_and(|version| version != book.version) {
            return Err(LibraryError::Changed { version: book.version });
        }
        let Changes { title, author, year, tags } = changes;
        let year = match year {
            Presence::Absent => book.year,
            Presence::Null => None,
            Presence::Value(year) => Some(year),
        };
        *book = Book {
            id,
            title: title.unwrap_or_else(|| book.title.clone()),
            author: author.unwrap_or_else(|| book.author.clone()),
            year,
            tags: tags.unwrap_or_else(|| book.tags.clone()),
            version: book.version + 1,
        };
        Ok(book.clone())
    }

    async fn remove(&self, id: u32) -> Result<(), LibraryError> {
        let mut books = self.books();
        books.covers.remove(&id);
        books.by_id.remove(&id).map(drop).ok_or(LibraryError::NoSuchBook { id })
    }

    async fn export(&self) -> Result<String, Status> {
        let mut csv = "id,title,author,year\r\n".to_owned();
        for Book { id, title, author, year, .. } in self.books().by_id.values() {
            let year = year.map(|year| year.to_string()).unwrap_or_default();
            csv += &format!("{id},{},{},{year}\r\n", quoted(title), quoted(author));
        }
        Ok(csv)
    }

    async fn dress(&self, id: u32, cover: Bytes, kind: String) -> Result<(), LibraryError> {
        let mut books = self.books();
        if !books.by_id.contains_key(&id) {
            return Err(LibraryError::NoSuchBook { id });
        }
        books.covers.insert(id, Cover { kind, picture: cover });
        Ok(())
    }

    async fn cover(&self, id: u32) -> Result<Cover, LibraryError> {
        self.books().covers.get(&id).cloned().ok_or(LibraryError::NoCover { id })
    }
}

/// A text as a field of CSV, whatever is in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_counts_once_and_leaves_what_it_does_not_name() {
        let shelf = Shelf::with_demo_books();
        let changes = Changes { year: Presence::Null, ..Changes::default() };
        let changed = shelf.change(1, changes.clone(), Some(1)).await.expect("the version that it has");
        assert_eq!((changed.title.as_str(), changed.year, changed.version), ("Dune", None, 2));
        assert_eq!(shelf.change(1, changes, Some(1)).await, Err(LibraryError::Changed { version: 2 }));
    }

    #[tokio::test]
    async fn pages_have_every_book_once() {
        let shelf = Shelf::with_demo_books();
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = shelf.list(after, 2, None).await.expect("a page");
            seen.extend(page.books.iter().map(|book| book.id));
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3]);
        let classics = shelf.list(0, 2, Some("classic".into())).await.expect("a page");
        assert_eq!((classics.books.len(), classics.next), (2, None));
    }

    #[tokio::test]
    async fn a_list_is_csv_whatever_titles_are() {
        let shelf = Shelf::with_demo_books();
        shelf.add("Say \"x\", y".into(), "z".into(), None, Vec::new()).await.expect("a place");
        let csv = shelf.export().await.expect("a list");
        assert!(csv.starts_with("id,title,author,year\r\n1,\"Dune\",\"Frank Herbert\",1965\r\n"), "{csv}");
        assert!(csv.ends_with("4,\"Say \"\"x\"\", y\",\"z\",\r\n"), "{csv}");
    }

    #[tokio::test]
    async fn a_cover_goes_with_its_book() {
        let shelf = Shelf::with_demo_books();
        let dress = |id| shelf.dress(id, b"png".to_vec().into(), "image/png".into());
        assert_eq!(shelf.cover(1).await, Err(LibraryError::NoCover { id: 1 }));
        assert_eq!(dress(7).await, Err(LibraryError::NoSuchBook { id: 7 }));
        dress(1).await.expect("there is such a book");
        assert_eq!(shelf.cover(1).await.map(|cover| cover.kind), Ok("image/png".to_owned()));
        shelf.remove(1).await.expect("it is there");
        assert_eq!(shelf.cover(1).await, Err(LibraryError::NoCover { id: 1 }));
    }

    #[tokio::test]
    async fn a_full_shelf_takes_no_book_and_one_that_was_removed_makes_place() {
        let shelf = Shelf::with_demo_books();
        let add = || shelf.add("x".into(), "y".into(), None, Vec::new());
        for _ in 3..PLACES {
            add().await.expect("a place");
        }
        assert_eq!(add().await, Err(LibraryError::NoPlace));
        shelf.remove(2).await.expect("it is there");
        assert_eq!(shelf.remove(2).await, Err(LibraryError::NoSuchBook { id: 2 }));
        assert_eq!(add().await.map(|book| book.id), Ok(PLACES as u32 + 1), "no number is given twice");
    }
}
