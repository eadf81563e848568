//! How many calls there may be at once, and which of them are dispensable: the bounds of a backend, of its instances and of a
//! route, the adaptive limit, the queue, and a route's priority.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape, words};
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

const ADAPTIVE_KEYS: &[Entry] = &[
    Entry::new("when", Shape::Words(&words(&WHENS)), "when calls are limited by how long they take"),
    Entry::new("min", BOUND, "the limit is never less, all workers together"),
    Entry::new("max", BOUND, "nor more"),
];
const QUEUE_KEYS: &[Entry] = &[
    Entry::new("size", Shape::Integer(1..=65_536), "how many calls may wait in each worker"),
    Entry::new("timeout", Shape::Duration(TIMEOUTS), "how long each, within its deadline"),
];
/// What a bound of calls in flight may be.
pub(super) const BOUND: Shape = Shape::Integer(1..=10_000_000);
const PRIORITIES: [(&str, Priority); 3] = [
    (Priority::Critical.name(), Priority::Critical),
    (Priority::Default.name(), Priority::Default),
    (Priority::Sheddable.name(), Priority::Sheddable),
];
/// What `priority` may be.
pub(super) const PRIORITY: Shape = Shape::Words(&words(&PRIORITIES));
/// The keys of a backend that say how many calls it gets at once.
pub(super) const MAX_IN_FLIGHT: Entry =
    Entry::new("max_in_flight", BOUND, "calls in flight over all workers");
pub(super) const MAX_PER_INSTANCE: Entry =
    Entry::new("max_in_flight_per_instance", BOUND, "the same for each instance");
pub(super) const ADAPTIVE: Entry = Entry::new(
    "adaptive",
    Shape::OneOf(&[Shape::Boolean, Shape::Words(&words(&WHENS)), Shape::Table(ADAPTIVE_KEYS)]),
    "a limit that follows from how long calls take",
);
pub(super) const QUEUE: Entry = Entry::new(
    "queue",
    Shape::OneOf(&[Shape::Only(false), Shape::Table(QUEUE_KEYS)]),
    "where calls wait that find no room",
);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

/// How much a route's calls matter when not all can be served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Priority {
    /// Shed first: gets four fifths of what there is, and never waits.
    Sheddable,
    /// What a route is that says nothing.
    #[default]
    Default,
    /// Shed last: goes before all others, and a twentieth is kept free for it.
    Critical,
}

impl Priority {
    /// The word for it in tables and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Priority::Sheddable => "sheddable",
            Priority::Default => "default",
            Priority::Critical => "critical",
        }
    }
}

/// How many calls a backend gets at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OverloadSpec {
    /// Calls in flight over all workers; 1 to 10000000, by default no bound.
    pub max_in_flight: Option<usize>,
    /// The same for each of its instances.
    pub max_per_instance: Option<usize>,
    /// The limit that follows from how long calls take.
    pub adaptive: AdaptiveSpec,
    /// Where calls wait that find no room.
    pub queue: QueueSpec,
}

/// When calls are limited by how long they take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Never.
    Never,
    /// Once a tenth of the calls is late, or refused by every instance that was asked, until all is well again.
    Failing,
    /// Always.
    Always,
}

impl When {
    /// The word for it in tables.
    pub fn name(self) -> &'static str {
        match self {
            When::Never => "never",
            When::Failing => "failing",
            When::Always => "always",
        }
    }
}

/// The adaptive limit. Its figures are those of all workers together; each has its part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdaptiveSpec {
    /// When it is in force; by default when calls fail.
    pub when: When,
    /// It is never less than that many calls; by default 10.
    pub min: usize,
    /// Nor more; by default 10000.
    pub max: usize,
}

impl Default for AdaptiveSpec {
    fn default() -> AdaptiveSpec {
        AdaptiveSpec { when: When::Failing, min: 10, max: 10_000 }
    }
}

/// A queue of each worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueSpec {
    /// How many calls may wait; up to 65536, by default 100. 0: none.
    pub size: usize,
    /// How long each; 1 ms to 1 min, by default 100 ms.
    pub timeout: Duration,
}

impl Default for QueueSpec {
    fn default() -> QueueSpec {
        QueueSpec { size: 100, timeout: Duration::from_millis(100) }
    }
}

/// Reads a route's `priority`.
pub(super) fn read_priority(reader: &mut Reader<'_>, section: &Section<'_>) -> Priority {
    section.get(keys::PRIORITY.name).and_then(|item| reader.choice(&item, &PRIORITIES)).unwrap_or_default()
}

/// Reads a route's `max_in_flight`.
pub(super) fn read_bound(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<usize> {
    bound(reader, Some(item.clone()))
}

impl OverloadSpec {
    /// Reads a backend's keys.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> OverloadSpec {
        OverloadSpec {
            max_in_flight: bound(reader, section.get("max_in_flight")),
            max_per_instance: bound(reader, section.get("max_in_flight_per_instance")),
            adaptive: section.get("adaptive").map(|item| adaptive(reader, &item)).unwrap_or_default(),
            queue: section.get("queue").map(|item| queue(reader, &item)).unwrap_or_default(),
        }
    }
}

fn bound(reader: &mut Reader<'_>, item: Option<Item<'_>>) -> Option<usize> {
    let number = item.and_then(|item| reader.integer(&item))?;
    usize::try_from(number).ok()
}

const WHENS: [(&str, When); 3] =
    [("failing", When::Failing), ("always", When::Always), ("never", When::Never)];

fn adaptive(reader: &mut Reader<'_>, item: &Item<'_>) -> AdaptiveSpec {
    let mut spec = AdaptiveSpec::default();
    match item.value.get_ref() {
        DeValue::Boolean(on) => spec.when = if *on { When::Always } else { When::Never },
        DeValue::String(_) => spec.when = reader.choice(item, &WHENS).unwrap_or(spec.when),
        DeValue::Table(table) => {
            let section = reader.section("an adaptive limit", table, ADAPTIVE_KEYS);
            if let Some(when) = section.get("when").and_then(|item| reader.choice(&item, &WHENS)) {
                spec.when = when;
            }
            for (key, figure) in [("min", &mut spec.min), ("max", &mut spec.max)] {
                *figure = bound(reader, section.get(key)).unwrap_or(*figure);
            }
            if spec.min > spec.max {
                let complaint = Complaint::new(
                    "the limit's `min` is above its `max`",
                    format!("from {} to {}", spec.min, spec.max),
                );
                reader.complain::<()>(item, complaint);
            }
        }
        _ => {
            let expected = "true, false, \"failing\" or a table such as { when = \"always\", min = 10 }";
            reader.wrong_type::<()>(item.key, item.value, expected);
        }
    }
    spec
}

fn queue(reader: &mut Reader<'_>, item: &Item<'_>) -> QueueSpec {
    let mut spec = QueueSpec::default();
    if let DeValue::Boolean(false) = item.value.get_ref() {
        return QueueSpec { size: 0, ..spec };
    }
    let Some(table) = reader.table(item, "false, or a table such as { size = 100, timeout = \"100ms\" }")
    else {
        return spec;
    };
    let section = reader.section("a queue", table, QUEUE_KEYS);
    spec.size = bound(reader, section.get("size")).unwrap_or(spec.size);
    if let Some(timeout) = section.get("timeout").and_then(|item| reader.duration(&item)) {
        spec.timeout = timeout;
    }
    spec
}
