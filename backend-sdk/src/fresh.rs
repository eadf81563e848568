//! What is made of files and made anew when they have changed: certificates, CAs, tokens.
//!
//! There is no task that watches. Whoever needs the thing for a connection has the files read again, at most once a second and in a
//! thread beside the runtime. They are small, and a handshake costs more. Where they are not read soon (a file system that hangs), nobody
//! waits for long: what was made last is used, and the thread goes on. What they hold is compared, so it does not matter how they are
//! replaced: by a write, a rename or a symlink that is swapped. If they do not fit together (one of two is written already),
//! or one is missing, what was made last stays, and the next connection has them read again.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The files are read again after this time at the earliest.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Nobody waits longer for files that are read.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// How often they are read at first, until what they hold has not changed from one time to the next.
const LOOKS: usize = 4;

/// More than any of them is long, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

type Make<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<Arc<T>, String> + Send + Sync>;

/// Something that is made of files.
pub(crate) struct Fresh<T> {
    /// What it is, for people.
    what: &'static str,
    files: Vec<PathBuf>,
    make: Make<T>,
    look_again: Duration,
    hasher: RandomState,
    made: Mutex<Made<T>>,
    /// Somebody reads the files at the moment.
    looking: AtomicBool,
}

struct Made<T> {
    value: Arc<T>,
    /// What the files held, hashed with a secret.
    of: u64,
    looked: Instant,
    /// Why what they hold now is not used.
    problem: Option<String>,
}

/// What people are told.
enum News {
    Changed,
    /// What the files hold now is not used: why.
    Problem(String),
}

impl<T: Send + Sync + 'static> Fresh<T> {
    /// Makes it for the first time. The error names the file.
    pub(crate) fn new(
        what: &'static str,
        files: Vec<PathBuf>,
        make: impl Fn(&[Vec<u8>]) -> Result<Arc<T>, String> + Send + Sync + 'static,
    ) -> Result<Arc<Fresh<T>>, String> {
        let contents = settled(|| read_all(&files))?;
        let value = make(&contents)?;
        let hasher = RandomState::new();
        let made = Made { value, of: hasher.hash_one(&contents), looked: Instant::now(), problem: None };
        let (made, looking, look_again) = (Mutex::new(made), AtomicBool::new(false), LOOK_AGAIN);
        Ok(Arc::new(Fresh { what, files, make: Box::new(make), look_again, hasher, made, looking }))
    }

    /// What the files say by now.
    pub(crate) async fn get(self: &Arc<Self>) -> Arc<T> {
        if self.is_due() && !self.looking.swap(true, Ordering::AcqRel) {
            let this = self.clone();
            // The first error is that it takes too long. The second comes only where the runtime ends.
            let _ = timeout(READ_WITHIN, spawn_blocking(move || this.look())).await;
        }
        self.lock().value.clone()
    }

    fn is_due(&self) -> bool {
        !self.files.is_empty() && self.lock().looked.elapsed() >= self.look_again
    }

    fn look(&self) {
        let looking = Looking(&self.looking);
        let next = read_all(&self.files).and_then(|contents| {
            let of = self.hasher.hash_one(&contents);
            if of == self.lock().of {
                return Ok(None);
            }
            Ok(Some(((self.make)(&contents)?, of)))
        });
        let news = self.take_in(next);
        drop(looking);
        match news {
            None => {}
            Some(News::Changed) => {
                tracing::info!("{} changed, and new connections use the new one", self.what);
            }
            Some(News::Problem(error)) => {
                tracing::warn!(error, "{} cannot be read again; the last good one stays in force", self.what);
            }
        }
    }

    /// Takes up what came of reading the files. Says what people are to be told, which is not done under the lock.
    fn take_in(&self, next: Result<Option<(Arc<T>, u64)>, String>) -> Option<News> {
        let mut made = self.lock();
        made.looked = Instant::now();
        match next {
            Ok(next) => {
                made.problem = None;
                (made.value, made.of) = next?;
                Some(News::Changed)
            }
            Err(error) if made.problem.as_ref() == Some(&error) => None,
            Err(error) => {
                made.problem = Some(error.clone());
                Some(News::Problem(error))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Made<T>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The look is over, however it ends.
struct Looking<'a>(&'a AtomicBool);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What two looks in a row agree on: a swap may fall between a certificate and its key, and nothing is in force yet that could stay so.
fn settled<T: PartialEq>(mut look: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let mut seen = look()?;
    for _ in 1..LOOKS {
        let again = look()?;
        if again == seen {
            break;
        }
        seen = again;
    }
    Ok(seen)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, String> {
    let read = |path: &PathBuf| read(path).map_err(|error| format!("{}: {error}", path.display()));
    files.iter().map(read).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("larger than {MAX_FILE} bytes")));
    }
    Ok(content)
}

impl<T> fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("what", &self.what).field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(files: &[Vec<u8>]) -> Result<Arc<u32>, String> {
        let text = std::str::from_utf8(&files[0]).map_err(|error| error.to_string())?;
        text.parse().map(Arc::new).map_err(|error| format!("no number: {error}"))
    }

    /// One that looks each time, and its file.
    fn fresh(name: &str, content: &str) -> (Arc<Fresh<u32>>, PathBuf) {
        let path = std::env::temp_dir().join(format!("callgate-fresh-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a folder for what is kept for a while");
        let fresh = Fresh::new("a number", vec![path.clone()], number).expect("a number");
        let mut fresh = Arc::into_inner(fresh).expect("ours alone");
        fresh.look_again = Duration::ZERO;
        (Arc::new(fresh), path)
    }

    #[tokio::test]
    async fn what_changes_is_made_anew_and_what_is_wrong_leaves_the_last_good_one() {
        let (fresh, path) = fresh("changes", "1");
        for (content, expected) in [("1", 1), ("2", 2), ("x", 2), ("", 2), ("3", 3)] {
            std::fs::write(&path, content).expect("written");
            assert_eq!(*fresh.get().await, expected, "{content}");
            assert_eq!(fresh.lock().problem.is_some(), content.parse::<u32>().is_err());
        }
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(*fresh.get().await, 3);
        assert!(fresh.lock().problem.as_ref().is_some_and(|why| why.contains("fresh")));
        assert!(!fresh.looking.load(Ordering::Acquire));
    }

    #[tokio::test]
    async fn what_did_not_change_is_the_same_and_is_not_looked_at_twice_within_its_time() {
        let (fresh, path) = fresh("same", "1");
        let first = fresh.get().await;
        assert!(Arc::ptr_eq(&first, &fresh.get().await));
        let mut patient = Arc::into_inner(fresh).expect("ours alone");
        patient.look_again = Duration::from_secs(3600);
        let patient = Arc::new(patient);
        std::fs::write(&path, "2").expect("written");
        assert_eq!(*patient.get().await, 1);
        std::fs::remove_file(&path).expect("removed");
    }

    #[tokio::test]
    async fn nobody_waits_long_for_files_that_are_not_read() {
        let (fresh, path) = fresh("stuck", "1");
        let (go_on, stuck) = std::sync::mpsc::channel::<()>();
        let mut fresh = Arc::into_inner(fresh).expect("ours alone");
        let stuck = Mutex::new(stuck);
        fresh.make = Box::new(move |files| {
            let _ = stuck.lock().expect("no panic").recv();
            number(files)
        });
        let fresh = Arc::new(fresh);
        std::fs::write(&path, "2").expect("written");
        for _ in 0..2 {
            let got = tokio::time::timeout(Duration::from_secs(5), fresh.get()).await;
            assert_eq!(*got.expect("it waits for a second at most"), 1);
        }
        drop(go_on);
        while fresh.looking.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert_eq!(*fresh.lock().value, 2);
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn what_is_just_being_replaced_is_looked_at_again_but_not_for_ever() {
        for (seen, expected) in [([1, 1, 9, 9], 1), ([1, 2, 2, 9], 2), ([1, 2, 3, 4], 4)] {
            let mut next = seen.into_iter();
            let look = || next.next().ok_or_else(|| "one look more".to_owned());
            assert_eq!(settled(look), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_made_at_first_is_an_error_that_names_the_file() {
        let missing = Fresh::new("a number", vec!["/nowhere/at/all".into()], number);
        assert!(missing.err().is_some_and(|why| why.starts_with("/nowhere/at/all: ")));
    }
}
