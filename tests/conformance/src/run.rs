//! Plays cases one after another, or several at once, and tells of each how it ended.

use crate::cases::Case;
use crate::verdict::{Step, Stop};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    pub kept: usize,
    pub broken: usize,
    pub left_out: usize,
}

impl Summary {
    /// Tells of one case, and counts it.
    fn tell<T>(&mut self, case: &Case<T>, outcome: &Step, began: Instant) {
        let took = began.elapsed().as_secs_f64();
        let name = case.name;
        let mut out = std::io::stdout().lock();
        let told = match outcome {
            Ok(()) => {
                self.kept += 1;
                writeln!(out, "kept     {name} ({took:.1} s)")
            }
            Err(Stop::LeftOut(why)) => {
                self.left_out += 1;
                writeln!(out, "left out {name}: {why}")
            }
            Err(Stop::Broken(section, what)) => {
                self.broken += 1;
                let section = section.unwrap_or(case.section);
                writeln!(
                    out,
                    "BROKEN   {name}: \"{section}\"\n         promise: {}\n         seen:    {what}",
                    case.promise
                )
            }
        };
        // Whoever reads this may have gone; the exit status still tells.
        let _ = told;
    }

    /// The closing line.
    pub fn line(&self) -> String {
        let left_out =
            if self.left_out == 0 { String::new() } else { format!(", {} left out", self.left_out) };
        format!("{} kept, {} broken{left_out}", self.kept, self.broken)
    }
}

/// Plays all cases against one tested side, one after another.
pub fn in_turn<T>(cases: &[&Case<T>], tested: &mut T, mut after: impl FnMut(&mut T) -> Step) -> Summary {
    let mut summary = Summary::default();
    for case in cases {
        let began = Instant::now();
        let played = (case.play)(tested);
        let cleared = after(tested);
        summary.tell(case, &played.and(cleared), began);
    }
    summary
}

/// Plays cases that do not disturb each other on some threads, and then the others in turn.
pub fn side_by_side<T: Send>(cases: &[&Case<T>], threads: usize, tested: impl Fn() -> T + Sync) -> Summary {
    let (alone, together): (Vec<&Case<T>>, Vec<&Case<T>>) = cases.iter().partition(|case| case.alone);
    let summary = Mutex::new(Summary::default());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = tested();
        while let Some(case) = together.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let played = (case.play)(&mut mine);
            if let Ok(mut summary) = summary.lock() {
                summary.tell(case, &played, began);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let last = in_turn(&alone, &mut tested(), |_| Ok(()));
    summary.kept += last.kept;
    summary.broken += last.broken;
    summary.left_out += last.left_out;
    summary
}
