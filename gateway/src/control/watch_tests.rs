//! The watcher against real folders. Each case waits for the signal after which the new content is read; with hints the
//! slow look is an hour away, so that only they can have brought it.

use super::*;
use crate::config::testing::Folder;
use std::os::unix::fs::symlink;

const HINTS: Timing = Timing { poll: Duration::from_secs(3600), ..TIMING };
/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("the signal did not come") })
}

fn watch(path: PathBuf) -> Watcher {
    Watcher::start_with(&[path], HINTS, true, Arc::default()).unwrap()
}

/// Waits for signals until a file reads so (`None`: cannot be read).
async fn until(watcher: &mut Watcher, path: &Path, content: Option<&str>) {
    loop {
        watcher.changed().await;
        if fs::read_to_string(path).ok().as_deref() == content {
            return;
        }
    }
}

#[track_caller]
fn signalled(watcher: &mut Watcher, path: &Path, content: Option<&str>) {
    block_on(until(watcher, path, content));
}

#[test]
fn a_file_written_in_place_is_signalled() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "old");
    let mut watcher = watch(file.clone());
    fs::write(&file, "new").unwrap();
    signalled(&mut watcher, &file, Some("new"));
}

#[test]
fn an_editors_rename_over_the_file_is_signalled_again_and_again() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "0");
    let mut watcher = watch(file.clone());
    for text in ["1", "2", "3"] {
        fs::rename(folder.write(".a.toml.swp", text), &file).unwrap();
        signalled(&mut watcher, &file, Some(text));
    }
}

#[test]
fn a_config_maps_symlink_swap_is_signalled_again_and_again() {
    let folder = Folder::new();
    folder.write("..0/a.toml", "0");
    symlink("..0", folder.path("..data")).unwrap();
    symlink("..data/a.toml", folder.path("a.toml")).unwrap();
    for watched in ["", "a.toml"] {
        let mut watcher = watch(folder.path(watched));
        for version in ["1", "2", "3"] {
            let version = format!("{watched}{version}");
            folder.write(&format!("..{version}/a.toml"), &version);
            symlink(format!("..{version}"), folder.path("..data_tmp")).unwrap();
            let old = fs::read_link(folder.path("..data")).unwrap();
            fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
            fs::remove_dir_all(folder.path("").join(old)).unwrap();
            signalled(&mut watcher, &folder.path("a.toml"), Some(&version));
        }
    }
}

#[test]
fn a_change_behind_a_symlink_to_elsewhere_is_signalled() {
    let (here, there) = (Folder::new(), Folder::new());
    let target = there.write("real.toml", "old");
    symlink(&target, here.path("a.toml")).unwrap();
    let mut watcher = watch(here.path(""));
    fs::rename(there.write("tmp", "new"), &target).unwrap();
    signalled(&mut watcher, &here.path("a.toml"), Some("new"));
}

#[test]
fn a_file_removed_and_brought_back_is_signalled_twice() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "old");
    let mut watcher = watch(file.clone());
    fs::remove_file(&file).unwrap();
    signalled(&mut watcher, &file, None);
    folder.write("a.toml", "new");
    signalled(&mut watcher, &file, Some("new"));
}

#[test]
fn a_file_that_is_added_to_a_folder_is_signalled() {
    let folder = Folder::new();
    let mut watcher = watch(folder.path(""));
    let file = folder.write("new.toml", "new");
    signalled(&mut watcher, &file, Some("new"));
}

#[test]
fn a_folder_that_appears_later_and_is_replaced_is_followed() {
    let folder = Folder::new();
    let file = folder.path("deep/routes/a.toml");
    let mut watcher = watch(folder.path("deep/routes"));
    folder.write("deep/routes/a.toml", "first");
    signalled(&mut watcher, &file, Some("first"));
    fs::remove_dir_all(folder.path("deep")).unwrap();
    signalled(&mut watcher, &file, None);
    folder.write("deep/routes/a.toml", "second");
    signalled(&mut watcher, &file, Some("second"));
    folder.write("deep/routes/a.toml", "third");
    signalled(&mut watcher, &file, Some("third"));
}

#[test]
fn without_hints_the_slow_look_finds_the_change() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "old");
    let timing = Timing { poll: Duration::from_millis(20), ..TIMING };
    let mut watcher =
        Watcher::start_with(std::slice::from_ref(&file), timing, false, Arc::default()).unwrap();
    fs::write(&file, "new").unwrap();
    signalled(&mut watcher, &file, Some("new"));
}

#[test]
fn a_hundred_writes_a_second_make_few_signals_and_the_last_write_is_seen() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "start");
    let mut watcher = watch(file.clone());
    let started = Instant::now();
    let writer = thread::spawn({
        let file = file.clone();
        move || {
            for count in 0..200 {
                fs::write(&file, count.to_string()).unwrap();
                thread::sleep(Duration::from_millis(10));
            }
            fs::write(&file, "the end").unwrap();
        }
    });
    let signals = block_on(async {
        let mut signals = 1;
        watcher.changed().await;
        while fs::read_to_string(&file).unwrap() != "the end" {
            watcher.changed().await;
            signals += 1;
        }
        signals
    });
    writer.join().unwrap();
    let most = started.elapsed().as_millis() / TIMING.quiet.as_millis() + 1;
    assert!(signals <= most, "{signals} signals, at most {most}");
}

#[test]
fn a_file_that_only_passes_by_is_not_signalled() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "old");
    let mut watcher = watch(file.clone());
    folder.write("other.log", "noise");
    fs::write(&file, "new").unwrap();
    signalled(&mut watcher, &file, Some("new"));
    folder.write("other.log", "more noise");
    let longest = TIMING.longest * 2;
    let silent = block_on(async { tokio::time::timeout(longest, watcher.changed()).await.is_err() });
    assert!(silent);
}

#[test]
fn a_file_that_went_away_and_came_back_as_it_was_is_signalled() {
    let folder = Folder::new();
    let file = folder.write("a.toml", "same");
    let mut watcher = watch(file.clone());
    fs::rename(&file, folder.path("aside")).unwrap();
    fs::rename(folder.path("aside"), &file).unwrap();
    signalled(&mut watcher, &file, Some("same"));
}

#[test]
fn other_files_may_be_followed_and_are_signalled_at_once_and_when_they_change() {
    let folder = Folder::new();
    let mut watcher = Watcher::start_with(&[], HINTS, true, Arc::default()).unwrap();
    let first = folder.write("a/key.pem", "old");
    watcher.follow(vec![first.clone()]);
    signalled(&mut watcher, &first, Some("old"));
    fs::write(&first, "new").unwrap();
    signalled(&mut watcher, &first, Some("new"));
    let second = folder.write("b/key.pem", "old");
    watcher.follow(vec![second.clone(), folder.path("c/missing.pem")]);
    signalled(&mut watcher, &second, Some("old"));
    fs::rename(folder.write("b/new", "renamed"), &second).unwrap();
    signalled(&mut watcher, &second, Some("renamed"));
    let missing = folder.write("c/missing.pem", "here");
    signalled(&mut watcher, &missing, Some("here"));
}

#[test]
fn dropping_the_watcher_ends_its_thread() {
    let folder = Folder::new();
    let mut watcher = watch(folder.path(""));
    let thread = watcher.thread.take().unwrap();
    drop(watcher);
    thread.join().unwrap();
}

#[test]
fn symlinks_in_a_circle_end() {
    let folder = Folder::new();
    symlink("b", folder.path("a")).unwrap();
    symlink("a", folder.path("b")).unwrap();
    let mut folders = BTreeSet::new();
    folders_of(&folder.path("a/x.toml"), &mut folders);
    assert_eq!(folders, BTreeSet::from([folder.path("")]));
}
