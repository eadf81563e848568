//! What a storm came to: figures for people, and the promises.

use crate::journal::Journal;
use crate::plan::Kind;
use crate::tally::{Call, Ended, Outcome, Record, Tally};
use crate::verdict::Verdict;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Of failed calls that were told the same, this many are shown.
const SHOWN: usize = 3;

/// An idempotent call waits for no longer when instances do nothing worse than to be silent, unless the retry budget is used up.
const LONGEST_WAIT: Duration = Duration::from_millis(600);

/// Everything that a storm leaves behind.
pub(crate) struct Storm<'a> {
    pub(crate) tally: &'a Tally,
    pub(crate) journal: &'a Journal,
    /// How often each id has run.
    pub(crate) runs: &'a HashMap<u64, u32>,
    /// What the client's connections were like.
    pub(crate) connections: &'a str,
    /// The kinds of faults that there were.
    pub(crate) kinds: &'a [Kind],
    /// How often the retry budget was used up.
    pub(crate) over_budget: u64,
}

/// How long idempotent calls took, from when they were due.
#[derive(Debug, Default, PartialEq, Eq)]
struct Waits {
    longest: Duration,
    /// How many took longer than [`LONGEST_WAIT`].
    too_long: u64,
}

/// The ids of calls that must not run twice, by what is wrong with them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ids {
    twice: Vec<u64>,
    /// Answered with 200, and not run.
    lost: Vec<u64>,
    /// No answer at all.
    unanswered: Vec<u64>,
    /// Answered with an error, and not run: safe, but the client noticed.
    failed_unrun: u64,
}

impl Storm<'_> {
    /// Prints the figures and judges.
    pub(crate) fn judge(&self) -> Verdict {
        let records = self.tally.records();
        let ids = ids(&records, self.runs);
        for (name, call) in [("idempotent", Call::Lookup), ("not idempotent", Call::Count)] {
            println!("{name}: {}", outcomes(&self.tally.by_outcome(call)));
            println!("  {}", times(records.iter().filter(|record| record.call == call)));
        }
        let waits = waits(&records);
        println!(
            "the slowest idempotent call took {:.0} ms; the retry budget was used up {} times",
            waits.longest.as_secs_f64() * 1000.0,
            self.over_budget
        );
        println!("  failed without having run: {} (safe; the client noticed)", ids.failed_unrun);
        let faults = self.journal.counts();
        let by_kind: Vec<String> = faults.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        let (all, at_once) = (faults.values().sum::<usize>(), self.journal.most_at_once());
        println!("faults: {all}, up to {at_once} at once ({})", by_kind.join(", "));
        println!("the client's connections: {}", self.connections);
        self.show_failed();
        self.show_slow(&records);

        let mut verdict = Verdict::default();
        let failed = self.tally.failures(Call::Lookup);
        let calls = self.tally.calls(Call::Lookup);
        verdict.promise(failed == 0, format!("no idempotent call failed: {failed} of {calls}"));
        verdict.promise(ids.twice.is_empty(), format!("no other call ran twice: {}", some(&ids.twice)));
        let lost = some(&ids.lost);
        verdict.promise(ids.lost.is_empty(), format!("none was answered without having run: {lost}"));
        let unanswered = some(&ids.unanswered);
        verdict.promise(ids.unanswered.is_empty(), format!("none went without an answer: {unanswered}"));
        let wrong = self.tally.by_outcome(Call::Count).get("wrong answer").copied().unwrap_or_default();
        verdict.promise(wrong == 0, format!("none was answered with something else: {wrong}"));
        if self.kinds == [Kind::Stop] {
            let held = waits.too_long <= self.over_budget;
            let (most, n) = (LONGEST_WAIT.as_secs_f64(), waits.too_long);
            let what =
                format!("no idempotent call within the budget took longer than {most} s: {n} of {calls} did");
            verdict.promise(held, what);
        }
        verdict
    }

    /// Failed calls by what they were told: which faults went on beside them, and a few in full.
    fn show_failed(&self) {
        let failed = self.tally.failed();
        let mut groups: BTreeMap<String, Vec<&Ended>> = BTreeMap::new();
        for ended in failed.iter().filter(|ended| is_bad(ended)) {
            groups.entry(told(&ended.outcome)).or_default().push(ended);
        }
        for (told, group) in &groups {
            let mut beside: BTreeMap<Kind, usize> = BTreeMap::new();
            for kind in group.iter().flat_map(|ended| self.kinds_beside(ended)) {
                *beside.entry(kind).or_default() += 1;
            }
            let beside: Vec<String> = beside.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
            println!("failed: {} × {told}", group.len());
            println!("  beside (several may apply): {}", beside.join(", "));
            for ended in group.iter().take(SHOWN) {
                let (at, took) = (ended.at.as_secs_f64(), ended.took.as_secs_f64());
                let faults = self.journal.during(ended.at, ended.at + ended.took);
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let faults = faults.join(", ");
                println!(
                    "  {:?} {} at {at:.2} s, after {took:.2} s; beside {faults}",
                    ended.call, ended.number
                );
            }
        }
    }

    /// The slowest of the idempotent calls that were too slow, and which faults went on beside them.
    fn show_slow(&self, records: &[Record]) {
        let mut slow: Vec<&Record> = records.iter().filter(|record| is_slow(record)).collect();
        slow.sort_by_key(|record| std::cmp::Reverse(record.took));
        for Record { number, at, took, .. } in slow.into_iter().take(SHOWN) {
            let (from, length) = (at.as_secs_f64(), took.as_secs_f64());
            let faults: Vec<String> =
                self.journal.during(*at, *at + *took).iter().map(ToString::to_string).collect();
            println!("slow: {number} at {from:.2} s, after {length:.2} s; beside {}", faults.join(", "));
        }
    }

    fn kinds_beside(&self, ended: &Ended) -> Vec<Kind> {
        let during = self.journal.during(ended.at, ended.at + ended.took);
        let mut kinds: Vec<Kind> = during.iter().map(|entry| entry.kind()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}

/// What the client was told, without what differs from one call to the next.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Good => String::new(),
        Outcome::Wrong(body) => format!("wrong answer: {body}"),
        Outcome::NoAnswer(why) => format!("no answer: {why}"),
        Outcome::Error(status, body) => {
            let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            format!("{status} {}", problem["detail"].as_str().unwrap_or(body))
        }
    }
}

/// Whether a call's end breaks a promise by itself: a call that is not idempotent may fail with an error.
fn is_bad(ended: &Ended) -> bool {
    ended.call == Call::Lookup || !matches!(ended.outcome, Outcome::Error(..))
}

fn ids(records: &[Record], runs: &HashMap<u64, u32>) -> Ids {
    let mut ids = Ids::default();
    for record in records.iter().filter(|record| record.call == Call::Count) {
        match runs.get(&record.number).copied().unwrap_or_default() {
            0 if record.good => ids.lost.push(record.number),
            0 if record.answered => ids.failed_unrun += 1,
            0 | 1 => {}
            _ => ids.twice.push(record.number),
        }
        if !record.answered {
            ids.unanswered.push(record.number);
        }
    }
    ids
}

fn waits(records: &[Record]) -> Waits {
    let took = records.iter().filter(|record| record.call == Call::Lookup).map(|record| record.took);
    let too_long = records.iter().filter(|record| is_slow(record)).count() as u64;
    Waits { longest: took.max().unwrap_or_default(), too_long }
}

fn is_slow(record: &Record) -> bool {
    record.call == Call::Lookup && record.took > LONGEST_WAIT
}

/// How many calls ended how.
pub(crate) fn outcomes(by_outcome: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = by_outcome.iter().map(|(label, n)| format!("{n} {label}")).collect();
    format!("{} calls: {}", by_outcome.values().sum::<u64>(), parts.join(", "))
}

/// How long calls took, from when they were due.
pub(crate) fn times<'r>(records: impl Iterator<Item = &'r Record>) -> String {
    let mut times: Vec<Duration> = records.map(|record| record.took).collect();
    times.sort();
    let at = |share: f64| {
        let place = (times.len().saturating_sub(1)) as f64 * share;
        times.get(place as usize).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    format!(
        "took, in ms: half {:.1}, 99 % {:.1}, 99.9 % {:.1}, all {:.1}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}

fn some(ids: &[u64]) -> String {
    match ids.len() {
        0 => "0".to_owned(),
        n => format!("{n}, such as {:?}", &ids[..n.min(10)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_idempotent_calls_are_to_be_quick() {
        let record = |call, ms| Record {
            number: 0,
            call,
            at: Duration::ZERO,
            took: Duration::from_millis(ms),
            good: true,
            answered: true,
        };
        let records = [
            record(Call::Lookup, 1),
            record(Call::Count, 5000),
            record(Call::Lookup, 600),
            record(Call::Lookup, 601),
        ];
        assert_eq!(waits(&records), Waits { longest: Duration::from_millis(601), too_long: 1 });
        assert_eq!(waits(&[]), Waits::default());
    }

    #[test]
    fn ids_are_told_apart_by_their_answers_and_runs() {
        let record = |number, good, answered| Record {
            number,
            call: Call::Count,
            at: Duration::ZERO,
            took: Duration::ZERO,
            good,
            answered,
        };
        let records = [
            record(1, true, true),
            record(2, true, true),
            record(3, true, true),
            record(4, false, true),
            record(5, false, true),
            record(6, false, false),
            record(7, false, true),
        ];
        let runs = HashMap::from([(1, 1), (2, 2), (4, 1), (6, 1), (7, 2)]);
        let expected = Ids { twice: vec![2, 7], lost: vec![3], unanswered: vec![6], failed_unrun: 1 };
        assert_eq!(ids(&records, &runs), expected);
    }
}
