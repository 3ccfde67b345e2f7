//! All series of one name, made at start: one for every combination of its closed sets of label values.
//!
//! Each series is registered by itself with constant labels. The vendor's vectors hash label values by plain
//! concatenation, so that ("ab", "c") and ("a", "bc") are one series; constant labels are hashed with a
//! separator. What is held here is the series themselves: counting is an index and an atomic addition.

use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Registry};

/// The series of one name, by the index of each label's value in its set.
#[derive(Debug)]
pub(super) struct Family<M, const N: usize> {
    series: Vec<M>,
    widths: [usize; N],
}

impl<M, const N: usize> Family<M, N> {
    /// The series at these indices. An index beyond its set is a mistake of ours.
    pub(super) fn at(&self, indices: [usize; N]) -> &M {
        let place = indices.iter().zip(self.widths).fold(0, |place, (index, width)| {
            debug_assert!(*index < width, "an index lies in its set");
            place * width + index
        });
        &self.series[place]
    }
}

/// Makes and registers the series of one name.
pub(super) struct Maker<'a> {
    pub(super) registry: &'a Registry,
    /// What the doc comment of the field says.
    pub(super) help: &'static str,
}

/// One label with its values.
pub(super) type Label<'a> = (&'static str, Vec<&'a str>);

impl Maker<'_> {
    pub(super) fn gauge(&self, name: &str) -> IntGauge {
        self.series(name, vec![], &IntGauge::with_opts)
    }

    pub(super) fn counter(&self, name: &str) -> IntCounter {
        self.series(name, vec![], &IntCounter::with_opts)
    }

    pub(super) fn real_gauge(&self, name: &str) -> Gauge {
        self.series(name, vec![], &Gauge::with_opts)
    }

    pub(super) fn counters<const N: usize>(
        &self,
        name: &str,
        labels: [Label<'_>; N],
    ) -> Family<IntCounter, N> {
        self.family(name, labels, &IntCounter::with_opts)
    }

    pub(super) fn gauges<const N: usize>(&self, name: &str, labels: [Label<'_>; N]) -> Family<IntGauge, N> {
        self.family(name, labels, &IntGauge::with_opts)
    }

    pub(super) fn histograms<const N: usize>(
        &self,
        name: &str,
        buckets: &[f64],
        labels: [Label<'_>; N],
    ) -> Family<Histogram, N> {
        let make = |opts| Histogram::with_opts(HistogramOpts::from(opts).buckets(buckets.to_vec()));
        self.family(name, labels, &make)
    }

    fn family<M: Collector + Clone + 'static, const N: usize>(
        &self,
        name: &str,
        labels: [Label<'_>; N],
        make: &dyn Fn(Opts) -> prometheus::Result<M>,
    ) -> Family<M, N> {
        let combined = combinations(&labels);
        let series = combined.into_iter().map(|values| self.series(name, values, make)).collect();
        Family { series, widths: labels.map(|(_, values)| values.len()) }
    }

    fn series<M: Collector + Clone + 'static>(
        &self,
        name: &str,
        labels: Vec<(&str, &str)>,
        make: &dyn Fn(Opts) -> prometheus::Result<M>,
    ) -> M {
        let opts = labels
            .into_iter()
            .fold(Opts::new(name, self.help), |opts, (label, value)| opts.const_label(label, value));
        let series = make(opts).expect("names and buckets are constants of ours");
        self.registry.register(Box::new(series.clone())).expect("every combination exists once");
        series
    }
}

/// Every combination of the labels' values, the last label's values next to each other.
fn combinations<'a>(labels: &[Label<'a>]) -> Vec<Vec<(&'static str, &'a str)>> {
    labels.iter().fold(vec![vec![]], |shorter, (label, values)| {
        let with = |prefix: &Vec<_>, value| prefix.iter().copied().chain([(*label, value)]).collect();
        shorter.iter().flat_map(|prefix| values.iter().map(move |value| with(prefix, *value))).collect()
    })
}
