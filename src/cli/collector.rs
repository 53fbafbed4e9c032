//! The variables of OpenTelemetry → spans of calls, sent in batches to a collector by OTLP over HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::selection::environment;
use crate::build_info;
use crate::error::ConfigError;
use crate::traces;
use crate::upstream::{Tls, Unencrypted, http_client, parse_address};

/// The whole address, for traces alone.
const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// The address below which the collector takes traces, metrics and logs.
const OF_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Where it takes traces.
const PATH: &str = "/v1/traces";
const SERVICE: &str = "OTEL_SERVICE_NAME";
/// How long a collector may take for a batch, and for the last one when the process ends.
const WITHIN: Duration = Duration::from_secs(5);

/// A collector that traces are sent to.
pub(super) struct Collector(SdkTracerProvider);

impl Collector {
    /// Connects the collector that the environment names, if it names one. Headers, sampling and the names of the service are
    /// read from OpenTelemetry's own variables.
    ///
    /// # Errors
    /// A variable's value is wrong.
    pub(super) fn of_environment() -> Result<Option<Self>, ConfigError> {
        let given = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let (variable, text) = match (given(OF_TRACES), given(OF_ALL)) {
            (Some(whole), _) => (OF_TRACES, whole),
            (None, Some(base)) => (OF_ALL, format!("{}{PATH}", base.trim().trim_end_matches('/'))),
            (None, None) => return Ok(None),
        };
        let wrong = |error: String| {
            ConfigError::new(format!("`{variable}`: {error}\nhint: it is such as `http://127.0.0.1:4318`"))
        };
        let address =
            parse_address(&text, &[], Unencrypted::OnPrivateNetwork).map_err(|error| wrong(error.to_string()))?;
        let http = http_client(&address, &Tls::default(), WITHIN, None, &[])?;
        let client = Client { http, runtime: Handle::current(), fails: AtomicBool::new(false) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(address.as_str().trim_end_matches('/'))
            .with_timeout(WITHIN)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", build_info::VERSION));
        if given(SERVICE).is_none() {
            resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
        }
        Ok(Some(Self(
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build(),
        )))
    }

    /// What collects the spans of [`traces`], and nothing else.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // So that a span is begun when something happens within it, and has the name of its tool by then.
            .with_context_activation(false)
            .with_filter(filter_fn(|line| line.is_span() && line.target() == traces::TARGET))
    }

    /// Sends what is left.
    pub(super) async fn end(self) {
        // It waits for requests that this thread sends.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(WITHIN)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces did not reach the collector");
        }
    }
}

/// Sends requests in the runtime of the program, for a thread that has none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether the last request failed: only a change is worth a line.
    fails: AtomicBool,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        let answer = self.runtime.spawn(async move { http.execute(request).await }).await?;
        let answer = answer.map_err(reqwest::Error::without_url);
        let why = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        if self.fails.swap(why.is_some(), Ordering::Relaxed) != why.is_some() {
            match why {
                Some(why) => tracing::warn!("the collector takes no traces: {why}"),
                None => tracing::info!("the collector takes traces again"),
            }
        }
        let answer = answer?;
        // What it has to say beyond the status is of no use here.
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}
