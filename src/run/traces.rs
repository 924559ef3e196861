//! Traces of objects on their way, and of what sinks are sent, for OpenTelemetry. In: the environment's `OTEL_...`, and when
//! each step began and ended. Out: spans, by OTLP over HTTP.

use super::log::{Level, Log};
use crate::{clock, pipeline::Whole, steps::Steps};
use anyhow::{Context as _, Result, bail};
use hyper::{
    Request, Response,
    body::Bytes,
    header::{HeaderName, HeaderValue},
};
use ingest::{source::unsigned::Unsigned, time::Stretch};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
        TracerProvider as _,
    },
};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider, Span},
};
use serde_json::json;
use std::{
    env, fmt,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Handle;

/// Where traces go; without any there are none. `OTEL_EXPORTER_OTLP_ENDPOINT` gets `/v1/traces` behind it.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// How they are sent, where it is said; the first that is there counts.
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// The protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";
/// How long the end waits for the last of them.
const ENDING_MAX: Duration = Duration::from_secs(2);

/// Makes spans, if anybody asked for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traces(Option<On>);

#[derive(Debug, Clone)]
struct On {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// An object that was read and applied.
#[derive(Debug)]
pub(super) struct Way {
    key: Box<str>,
    stored_bytes: u64,
    n_records: u64,
    steps: Steps,
}

impl Way {
    pub(super) fn of(whole: &Whole<'_>) -> Self {
        let Whole { object, n_records, steps, .. } = whole;
        let (key, stored_bytes) = (object.key().into(), object.size_bytes);
        Self { key, stored_bytes, n_records: *n_records, steps: *steps }
    }
}

/// A variable that is there and not empty.
#[expect(clippy::disallowed_methods, reason = "OpenTelemetry's own; the library reads the others")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Traces {
    /// As the environment says; nothing is sent where it names no endpoint, or says that nothing is to be.
    ///
    /// # Errors
    ///
    /// Where it asks for a protocol or an exporter that is not built in, or the endpoint is no URL.
    pub(crate) fn of_environment(runtime: &Handle, log: &Arc<Log>) -> Result<Self> {
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let exporter = variable("OTEL_TRACES_EXPORTER");
        if is_disabled || exporter.as_deref() == Some("none") {
            return Ok(Self::default());
        }
        if ENDPOINTS.into_iter().find_map(variable).is_none() {
            return Ok(Self::default());
        }
        if let Some(other) = exporter.filter(|exporter| exporter != "otlp") {
            bail!("OTEL_TRACES_EXPORTER: {other:?} (expected \"otlp\" or \"none\")");
        }
        let protocol = PROTOCOLS.into_iter().find_map(|name| Some((name, variable(name)?)));
        if let Some((name, other)) = protocol.filter(|(_, protocol)| protocol != PROTOCOL) {
            bail!("{name}: {other:?} (expected {PROTOCOL:?})");
        }
        let client = Client {
            requests: Unsigned::default(),
            runtime: runtime.clone(),
            log: Arc::clone(log),
        };
        let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
        let exporter =
            exporter.context("traces cannot be sent (expected OTEL_... as specified)")?;
        let mut resource = Resource::builder();
        if variable("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("sentrail");
        }
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = resource.with_attribute(version).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("sentrail");
        log.say(Level::Info, "traces", "sends traces to the endpoint that OTEL_... names", &[]);
        Ok(Self(Some(On { provider, tracer })))
    }

    pub(super) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells the way of an object, from the first step to the answer to its queue.
    pub(super) fn object(&self, way: &Way, committed: Stretch, answered: Stretch) {
        let Some(On { tracer, .. }) = &self.0 else { return };
        let Way { key, stored_bytes, n_records, steps } = way;
        let last = [("commit", committed), ("delete", answered)];
        let steps: Vec<(&str, Stretch)> = steps.named().chain(last).collect();
        let Some((_, first)) = steps.first() else { return };
        let at = by_the_clock();
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let root = tracer
            .span_builder("object")
            .with_kind(SpanKind::Consumer)
            .with_start_time(at(first.from))
            .with_attributes([
                KeyValue::new("aws.s3.key", key.to_string()),
                KeyValue::new("sentrail.stored_bytes", number(*stored_bytes)),
                KeyValue::new("sentrail.records", number(*n_records)),
            ]);
        let mut root = tracer.build_with_context(root, &Context::new());
        if root.is_recording() {
            let within = Context::new().with_remote_span_context(root.span_context().clone());
            for (name, Stretch { from, to }) in steps {
                let step = tracer.span_builder(name).with_start_time(at(from));
                tracer.build_with_context(step, &within).end_with_timestamp(at(to));
            }
        }
        root.end_with_timestamp(at(answered.to));
    }

    /// A message is about to be sent to a sink.
    pub(super) fn sending(&self, sink: &str) -> Sending {
        let span = self.0.as_ref().map(|On { tracer, .. }| {
            let send = tracer
                .span_builder("send")
                .with_kind(SpanKind::Client)
                .with_attributes([KeyValue::new("sentrail.sink", sink.to_owned())]);
            tracer.build_with_context(send, &Context::new())
        });
        Sending(span)
    }

    /// Sends what was not sent yet.
    pub(super) fn end(self) {
        if let Some(On { provider, .. }) = self.0 {
            // What cannot be sent was told by whoever tried.
            drop(provider.shutdown_with_timeout(ENDING_MAX));
        }
    }
}

/// What the clock showed at moments before now.
fn by_the_clock() -> impl Fn(Instant) -> SystemTime {
    let now = Instant::now();
    let now_ms = Duration::from_millis(u64::try_from(clock::now_ms()).unwrap_or_default());
    move |moment| SystemTime::UNIX_EPOCH + now_ms.saturating_sub(now.duration_since(moment))
}

/// A message on its way to a sink.
#[derive(Debug)]
pub(super) struct Sending(Option<Span>);

impl Sending {
    /// What its receiver may go on with: the header `traceparent` of W3C's Trace Context, level 1.
    pub(super) fn traceparent(&self) -> Option<String> {
        let span: &SpanContext = self.0.as_ref()?.span_context();
        let (trace, flags) = (span.trace_id(), span.trace_flags().to_u8());
        Some(format!("00-{trace}-{}-{flags:02x}", span.span_id()))
    }

    /// It was sent, or could not be for this reason.
    pub(super) fn end(self, why_not: Option<&str>) {
        if let Some(mut span) = self.0 {
            if let Some(why) = why_not {
                span.set_status(Status::error(why.to_owned()));
            }
            span.end();
        }
    }
}

/// Sends for the library, which waits on a thread of its own.
struct Client {
    requests: Unsigned,
    runtime: Handle,
    log: Arc<Log>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

type Answered<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'own, 'answer>(&'own self, request: Request<Bytes>) -> Answered<'answer>
    where
        'own: 'answer,
        Self: 'answer,
    {
        let (head, body) = request.into_parts();
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers: Vec<_> = head.headers.iter().filter_map(text).collect();
        let (requests, url) = (self.requests.clone(), head.uri.to_string());
        let sent =
            self.runtime.spawn(async move { requests.post(&url, &headers, body.into()).await });
        Box::pin(async move {
            let answer = match sent.await.map_err(HttpError::from)? {
                Ok(answer) if (200..300).contains(&answer.status) => answer,
                Ok(answer) => {
                    self.not_sent(&format!("status {}", answer.status));
                    answer
                }
                Err(error) => {
                    self.not_sent(&error.to_string());
                    return Err(error.into());
                }
            };
            Ok(Response::builder().status(answer.status).body(answer.body.into())?)
        })
    }
}

impl Client {
    fn not_sent(&self, why: &str) {
        let fields = [("reason", json!(why))];
        self.log.say(Level::Warn, "traces-unsent", &format!("traces are not sent: {why}"), &fields);
    }
}
