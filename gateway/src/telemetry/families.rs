//! How metrics are put together: families, and their figures with labels.

use super::counter::{BUCKETS, Distribution, Histogram};
use prometheus::proto::{Bucket, Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

pub(super) const COUNTER: MetricType = MetricType::COUNTER;
pub(super) const GAUGE: MetricType = MetricType::GAUGE;
pub(super) const HISTOGRAM: MetricType = MetricType::HISTOGRAM;

pub(super) fn family(name: &str, help: &str, kind: MetricType) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family
}

fn metric(labels: &[(&str, &str)]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

pub(super) fn counter(family: &mut MetricFamily, labels: &[(&str, &str)], value: f64) {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = metric(labels);
    metric.set_counter(counter);
    family.mut_metric().push(metric);
}

pub(super) fn gauge(family: &mut MetricFamily, labels: &[(&str, &str)], value: f64) {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = metric(labels);
    metric.set_gauge(gauge);
    family.mut_metric().push(metric);
}

/// The sum of all workers' distributions; `None` while nothing was observed.
pub(super) fn histogram<'a>(
    labels: &[(&str, &str)],
    parts: impl Iterator<Item = &'a Histogram>,
) -> Option<Metric> {
    let mut sum = Distribution::default();
    parts.for_each(|part| sum.add(part));
    let Distribution { buckets, count, nanoseconds } = sum;
    if count == 0 {
        return None;
    }
    let mut cumulative = 0;
    let buckets = BUCKETS.iter().zip(buckets).map(|(bound, n)| {
        cumulative += n;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    let mut histogram = prometheus::proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(nanoseconds as f64 / 1e9);
    let mut metric = metric(labels);
    metric.set_histogram(histogram);
    Some(metric)
}
