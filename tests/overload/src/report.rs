//! What was measured, as tables; and whether it is what is promised.

use crate::tally::Tally;
use std::fmt::Write;

/// One point of a sweep.
pub(crate) struct Point {
    /// Offered, as a multiple of what the backend can do.
    pub(crate) factor: f64,
    /// What came of it.
    pub(crate) tally: Tally,
    /// The most memory that the gateway had, in MiB.
    pub(crate) memory: f64,
    /// Processor time of the gateway a request, in microseconds.
    pub(crate) cpu_us: f64,
}

/// A sweep.
pub(crate) struct Sweep {
    /// Its short name.
    pub(crate) name: &'static str,
    /// What the backend's table says.
    pub(crate) lines: &'static str,
    pub(crate) points: Vec<Point>,
}

impl Sweep {
    /// The most that was answered well a second.
    pub(crate) fn peak(&self) -> f64 {
        self.points.iter().map(|point| point.tally.goodput()).fold(0.0, f64::max)
    }

    fn at(&self, factor: f64) -> Option<&Point> {
        self.points.iter().find(|point| (point.factor - factor).abs() < 0.01)
    }
}

/// The sweeps as a table in Markdown.
pub(crate) fn table(sweeps: &[Sweep]) -> String {
    let mut text = String::from(
        "| table | offered | in time | of its peak | turned away | late | p50 | p99 | 503 after (p50) | memory | CPU a request |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for sweep in sweeps {
        for Point { factor, tally, memory, cpu_us } in &sweep.points {
            let ((shed, late), good) = (tally.lost(), tally.goodput());
            let (p50, p99, refused) =
                (tally.percentile(0.5), tally.percentile(0.99), tally.shed_percentile(0.5));
            let share = good / sweep.peak() * 100.0;
            let name =
                if sweep.lines.is_empty() { "the defaults".to_owned() } else { format!("`{}`", sweep.lines) };
            let _ = writeln!(
                text,
                "| {name} | {factor:.1}× | {good:.0}/s | {share:.0} % | {shed:.0}/s | {late:.0}/s | {p50:.0} ms | {p99:.0} ms \
                 | {refused:.1} ms | {memory:.0} MiB | {cpu_us:.0} µs |"
            );
        }
    }
    text
}

/// Three flows at once, by priority.
pub(crate) fn mixed(flows: &[(&str, f64, &Tally)]) -> String {
    let mut text =
        String::from("| priority | offered | answered well | p50 | p99 |\n|---|---|---|---|---|\n");
    for (name, factor, tally) in flows {
        let (p50, p99) = (tally.percentile(0.5), tally.percentile(0.99));
        let part = tally.success() * 100.0;
        let _ = writeln!(text, "| {name} | {factor:.1}× | {part:.1} % | {p50:.0} ms | {p99:.0} ms |");
    }
    text
}

/// What is promised of a sweep with control, and whether it holds.
pub(crate) fn promises(sweep: &Sweep) -> Vec<(String, bool)> {
    let mut promises = Vec::new();
    let peak = sweep.peak();
    for point in sweep.points.iter().filter(|point| point.factor > 1.0) {
        let share = point.tally.goodput() / peak * 100.0;
        promises.push((
            format!("{} at {:.1}×: {share:.0} % of the peak, 90 promised", sweep.name, point.factor),
            share >= 90.0,
        ));
    }
    if let (Some(calm), Some(last)) = (sweep.at(0.5), sweep.points.last()) {
        for part in [0.5, 0.99] {
            let (before, after) = (calm.tally.percentile(part), last.tally.percentile(part));
            // Kept just busy, the backend has a queue half as long as a call, or a little more; and a call may wait for 10 ms
            // in the gateway's while that is never empty.
            let most = if part < 0.9 { before * 2.0 + 10.0 } else { before * 3.0 + 10.0 };
            let what = format!(
                "{} at {:.1}×: p{:.0} {after:.0} ms, {before:.0} at 0.5×, {most:.0} promised",
                sweep.name,
                last.factor,
                part * 100.0
            );
            promises.push((what, after <= most));
        }
        let (before, after) = (calm.memory, last.memory);
        let what = format!("{}: {after:.0} MiB of memory, {before:.0} at 0.5×, 32 more promised", sweep.name);
        promises.push((what, after <= before + 32.0));
    }
    promises
}
