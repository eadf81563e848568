//! Plays cases, several at once, and tells of each how it ended.

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

/// Plays cases that do not disturb each other at the same time, as many as there are tested sides, and then the others in turn.
/// `after` ends what a case has left on its side.
pub fn side_by_side<T: Send>(
    cases: &[&Case<T>],
    mut tested: Vec<T>,
    after: impl Fn(&mut T) -> Step + Sync,
) -> Summary {
    let (alone, together): (Vec<&Case<T>>, Vec<&Case<T>>) = cases.iter().partition(|case| case.alone);
    let summary = Mutex::new(Summary::default());
    let play = |case: &Case<T>, on: &mut T| {
        let began = Instant::now();
        let played = (case.play)(on);
        let outcome = played.and(after(on));
        if let Ok(mut summary) = summary.lock() {
            summary.tell(case, &outcome, began);
        }
    };
    let (play, together, next) = (&play, &together, &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for mine in &mut tested {
            scope.spawn(move || {
                while let Some(case) = together.get(next.fetch_add(1, Ordering::Relaxed)) {
                    play(case, mine);
                }
            });
        }
    });
    if let Some(one) = tested.first_mut() {
        alone.iter().for_each(|case| play(case, one));
    }
    summary.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}
