//! For tests: what work costs at one size of its input and at twice that size. It is counted and never timed, so that the
//! verdict is the same on every machine.
//!
//! What is counted: allocations, bytes allocated in all (a buffer that grows counts each time), the most bytes held at once,
//! and steps where the code counts some itself, such as the work of a budget. Work that neither allocates nor counts its steps
//! is not seen. Whoever depends on this crate runs on an allocator that counts by thread, so it is for tests alone.

use std::fmt;

/// What work cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How often memory was asked for.
    pub allocations: u64,
    /// The bytes that were asked for, together.
    pub bytes: u64,
    /// The most bytes that were held at once.
    pub peak: u64,
    /// Steps that the code counts itself.
    pub steps: u64,
}

impl Cost {
    /// The same with steps that the code has counted.
    pub fn with_steps(self, steps: usize) -> Cost {
        Cost { steps: steps as u64, ..self }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { allocations, bytes, peak, steps } = self;
        write!(f, "{allocations} allocations of {bytes} bytes, {peak} at once; {steps} steps")
    }
}

/// What `work` costs this thread. What it gives is dropped, which is part of it.
pub fn cost<T>(work: impl FnOnce() -> T) -> Cost {
    let info = allocation_counter::measure(|| drop(std::hint::black_box(work())));
    Cost { allocations: info.count_total, bytes: info.bytes_total, peak: info.bytes_max, steps: 0 }
}

/// What is made large, how large it is at first, and what it costs at a size.
pub type Case = (&'static str, usize, fn(usize) -> Cost);

/// Checks a table of cases by [`grows_like_its_input`].
///
/// # Panics
/// Some cost more, or count nothing: all of them are told.
pub fn grow_like_their_input(cases: &[Case]) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|(what, n, cost_at)| judge(what, *n, cost_at).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that work on `2 * n` costs no more than about twice of what it costs on `n`.
///
/// About: what is n log n, and buffers that double, are let pass; the square of n is four times, and is not. `n` must be so
/// large that a few hundred bytes more or less do not matter.
///
/// # Panics
/// It costs more; or nothing is counted at all, so that the check could not fail.
pub fn grows_like_its_input(what: &str, n: usize, cost_at: impl Fn(usize) -> Cost) {
    if let Err(wrong) = judge(what, n, cost_at) {
        panic!("{wrong}");
    }
}

fn judge(what: &str, n: usize, cost_at: impl Fn(usize) -> Cost) -> Result<(), String> {
    // What is set up once must not count for the first of the two.
    cost_at(n);
    let (once, twice) = (cost_at(n), cost_at(2 * n));
    if twice.allocations + twice.steps == 0 {
        return Err(format!("{what}: nothing is counted"));
    }
    let holds = |once: u64, twice: u64, slack: u64| twice <= once * 5 / 2 + slack;
    let all_hold = holds(once.allocations, twice.allocations, 16)
        && holds(once.bytes, twice.bytes, 4096)
        && holds(once.peak, twice.peak, 4096)
        && holds(once.steps, twice.steps, 0);
    match all_hold {
        true => Ok(()),
        false => {
            Err(format!("{what}: grows faster than its input\n  at {n}: {once}\n  at {}: {twice}", 2 * n))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared(n: usize) -> Vec<Vec<u8>> {
        (0..n).map(|_| vec![0; n]).collect()
    }

    #[test]
    fn what_grows_like_its_input_passes() {
        grows_like_its_input("a list that is pushed to", 1000, |n| {
            cost(|| (0..n).map(Some).collect::<Vec<_>>())
        });
        grows_like_its_input("steps", 1000, |n| Cost::default().with_steps(n + 7));
    }

    #[test]
    #[should_panic(expected = "grows faster than its input")]
    fn memory_by_the_square_does_not() {
        grows_like_its_input("a square", 100, |n| cost(|| squared(n)));
    }

    #[test]
    #[should_panic(expected = "grows faster than its input")]
    fn memory_that_is_given_back_counts_too() {
        grows_like_its_input("a square", 100, |n| {
            cost(|| (0..n).map(|_| vec![0_u8; n].len()).sum::<usize>())
        });
    }

    #[test]
    #[should_panic(expected = "grows faster than its input")]
    fn steps_by_the_square_do_not() {
        grows_like_its_input("steps", 100, |n| Cost::default().with_steps(n * n));
    }

    #[test]
    fn every_case_of_a_table_that_does_not_hold_is_told() {
        let square: Case = ("a square", 100, |n| cost(|| squared(n)));
        let line: Case = ("a line", 1000, |n| cost(|| vec![0; n]));
        let steps: Case = ("steps", 100, |n| Cost::default().with_steps(n * n));
        let told = std::panic::catch_unwind(|| grow_like_their_input(&[square, line, steps]))
            .expect_err("two do not hold");
        let told = told.downcast_ref::<String>().expect("a text");
        assert!(
            told.contains("a square: grows") && told.contains("steps: grows") && !told.contains("a line")
        );
    }

    #[test]
    #[should_panic(expected = "nothing is counted")]
    fn what_counts_nothing_proves_nothing() {
        grows_like_its_input("a sum", 100, |n| cost(|| (0..n).sum::<usize>()));
    }
}
