//! Calls → metrics that Prometheus reads: calls and errors by kind, waits, and vendors' response
//! times. No label holds text of a caller.

mod history;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::build_info;
use crate::error::Outcome;
use history::History;
pub(crate) use history::HourCount;

/// Histogram buckets for vendors' response times, in seconds: from a fast answer to the longest
/// that a call may take.
const LATENCIES: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    waits: Family<VendorLabel, Counter>,
    waited: Family<VendorLabel, Counter<f64, std::sync::atomic::AtomicU64>>,
    latency: Family<VendorLabel, Histogram>,
    in_flight: Gauge,
    /// The last day, for people.
    history: History,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    vendor: String,
    tool: String,
    /// How the caller showed who it is; names would be without bound.
    caller: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    vendor: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VendorLabel {
    vendor: String,
}

/// A call in flight; counts until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("toolwright");
        let (calls, errors, waits, waited) =
            (Family::default(), Family::default(), Family::default(), Family::default());
        let latency = Family::<VendorLabel, Histogram>::new_with_constructor(|| Histogram::new(LATENCIES));
        let in_flight = Gauge::default();
        registry.register("calls", "Calls that ended, by tool and outcome", Family::clone(&calls));
        registry.register("errors", "Calls that ended in an error, by kind", Family::clone(&errors));
        registry.register("waits", "Times that a call waited for a vendor's limits", Family::clone(&waits));
        let text = "Time spent waiting for vendors' limits";
        registry.register_with_unit("wait", text, Unit::Seconds, Family::clone(&waited));
        let text = "Time from a request to the last byte of its answer, for each attempt";
        registry.register_with_unit("upstream", text, Unit::Seconds, Family::clone(&latency));
        let build = Info::new(vec![
            ("version", build_info::VERSION.to_owned()),
            ("commit", build_info::COMMIT.to_owned()),
            ("target", build_info::target()),
        ]);
        registry.register("build", "The program", build);
        registry.register("calls_in_flight", "Calls in flight", in_flight.clone());
        Self { registry, calls, errors, waits, waited, latency, in_flight, history: History::default() }
    }
}

impl Metrics {
    /// Counts a call as in flight.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts the end of a call. `vendor` and `tool` are empty for an unknown tool; `caller` is a kind of callers,
    /// `error` the kind of a failure.
    pub(crate) fn end(
        &self,
        vendor: &str,
        tool: &str,
        caller: &'static str,
        outcome: Outcome,
        error: Option<&'static str>,
    ) {
        let labels = CallLabels { vendor: vendor.to_owned(), tool: tool.to_owned(), caller, outcome: outcome.as_str() };
        self.calls.get_or_create(&labels).inc();
        self.history.add(SystemTime::now(), error.is_some());
        if let Some(kind) = error {
            self.errors.get_or_create(&ErrorLabels { vendor: vendor.to_owned(), kind }).inc();
        }
    }

    /// Returns how many calls ended in each hour of the last day, the oldest first.
    pub(crate) fn hours(&self) -> Vec<HourCount> {
        self.history.hours(SystemTime::now())
    }

    /// Returns the metrics of one vendor, by its id.
    pub(crate) fn of<'a>(&'a self, vendor: &'a str) -> VendorMetrics<'a> {
        VendorMetrics { metrics: self, vendor }
    }

    /// Returns all metrics in the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// A counter with its labels, for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counted {
    /// Its labels: name → value.
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    pub count: f64,
}

impl Metrics {
    /// Returns the counters of one name, such as `calls`, in order of their labels.
    pub(crate) fn counted(&self, name: &str) -> Vec<Counted> {
        let beginning = format!("toolwright_{name}_total{{");
        let read = |line: &str| {
            let (labels, count) = line.strip_prefix(&beginning)?.rsplit_once("} ")?;
            // No value has a quote or a comma: they are words of ours and ids of vendors.
            let labels = labels.split(',').filter_map(|label| {
                let (name, value) = label.split_once('=')?;
                Some((name.to_owned(), value.trim_matches('"').to_owned()))
            });
            Some(Counted { labels: labels.collect(), count: count.parse().ok()? })
        };
        let mut found: Vec<Counted> = self.text().lines().filter_map(read).collect();
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        found
    }
}

/// The metrics of one vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VendorMetrics<'a> {
    metrics: &'a Metrics,
    vendor: &'a str,
}

impl VendorMetrics<'_> {
    /// Counts a wait for the vendor's limits.
    pub(crate) fn waited(self, span: Duration) {
        let label = VendorLabel { vendor: self.vendor.to_owned() };
        self.metrics.waits.get_or_create(&label).inc();
        self.metrics.waited.get_or_create(&label).inc_by(span.as_secs_f64());
    }

    /// Records how long the vendor took, whether it answered or not.
    pub(crate) fn took(self, span: Duration) {
        self.metrics.latency.get_or_create(&VendorLabel { vendor: self.vendor.to_owned() }).observe(span.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn counted_calls_are_in_the_text() {
        let metrics = Metrics::default();
        let in_flight = metrics.begin();
        metrics.end("acme", "acme_list_things", "local", Outcome::Answered, None);
        metrics.end("acme", "acme_list_things", "local", Outcome::Rejected, Some("rejected"));
        metrics.of("acme").waited(Duration::from_millis(1_500));
        metrics.of("acme").took(Duration::from_millis(30));
        let text = metrics.text();
        for line in [
            r#"toolwright_calls_total{vendor="acme",tool="acme_list_things",caller="local",outcome="answered"} 1"#,
            r#"toolwright_errors_total{vendor="acme",kind="rejected"} 1"#,
            r#"toolwright_waits_total{vendor="acme"} 1"#,
            r#"toolwright_wait_seconds_total{vendor="acme"} 1.5"#,
            r#"toolwright_upstream_seconds_bucket{le="0.025",vendor="acme"} 0"#,
            r#"toolwright_upstream_seconds_bucket{le="0.05",vendor="acme"} 1"#,
            "toolwright_calls_in_flight 1",
            &format!(
                "toolwright_build_info{{version=\"{}\",commit=\"{}\",target=\"{}\"}} 1",
                build_info::VERSION,
                build_info::COMMIT,
                build_info::target()
            ),
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let calls = metrics.counted("calls");
        assert_eq!(
            calls.iter().map(|one| one.labels["outcome"].as_str()).collect::<Vec<_>>(),
            ["answered", "rejected"]
        );
        assert!(calls.iter().all(|one| (one.count - 1.0).abs() < f64::EPSILON && one.labels["vendor"] == "acme"));
        assert_eq!(metrics.counted("none"), []);
        drop(in_flight);
        assert!(metrics.text().contains("toolwright_calls_in_flight 0"));
    }

    /// What the rules, the dashboard and the page of figures ask for is there, by name, label and kind.
    #[test]
    fn what_monitoring_asks_for_is_there() {
        let metrics = Metrics::default();
        metrics.end("acme", "acme_list_things", "local", Outcome::Rejected, Some("rejected"));
        metrics.of("acme").waited(Duration::from_secs(1));
        metrics.of("acme").took(Duration::from_secs(1));
        let exposed = metrics.text();
        let found = |pattern: &str, text: &str| -> BTreeSet<String> {
            let pattern = regex::Regex::new(pattern).expect("a pattern");
            pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
        };
        let names = found(r"(?m)^(toolwright_[a-z_]+)", &exposed);
        // Prometheus adds the last two.
        let labels: BTreeSet<String> =
            found(r#"[{,]([a-z]+)=""#, &exposed).into_iter().chain(["job", "instance"].map(str::to_owned)).collect();
        let read = |path: &str| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let figures = read("docs/operating.md");
        for file in ["deploy/monitoring/alerts.yml", "deploy/monitoring/dashboard.json"] {
            let text = read(file);
            let asked = found(r"\b(toolwright_[a-z_]+)", &text);
            assert!(!asked.is_empty() && asked.is_subset(&names), "{file}: {:?}", asked.difference(&names));
            let groups = found(r"\bby \(([a-z, ]+)\)", &text);
            let by = groups.iter().flat_map(|group| group.split(", ")).map(str::to_owned);
            let asked: BTreeSet<String> = found(r#"[{,] ?([a-z]+)=~?\\?""#, &text)
                .into_iter()
                .chain(found(r"\$labels\.([a-z]+)", &text))
                .chain(by)
                .collect();
            assert!(asked.is_subset(&labels), "{file}: {:?}", asked.difference(&labels));
            // The page lists every kind.
            for kind in found(r#"kind=~?\\?"([a-z_|]+)"#, &text).iter().flat_map(|kinds| kinds.split('|')) {
                assert!(figures.contains(&format!("`{kind}`")), "{file} asks for the kind `{kind}`");
            }
        }
        let documented = found(r"`(toolwright_[a-z_]+)`", &figures);
        let exposed = found(r"(?m)^(toolwright_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{| )", &exposed);
        assert_eq!(documented, exposed);
    }
}
