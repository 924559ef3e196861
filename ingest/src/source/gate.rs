//! Whether anything may still be sent. In: who says so. Out: that answer, asked right before each request; a request
//! that is refused leaves the process in no form, retries of the SDK's included.

use std::{fmt, sync::Arc};

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What is sent goes through it; the default is always open. Clones are one gate.
#[derive(Clone, Default)]
pub struct Gate(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Gate {
    /// One that is open as long as `is_open` says so. It is asked by tasks, and must not wait.
    pub fn new(is_open: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_open)))
    }

    /// Whether something may be sent now.
    pub fn is_open(&self) -> bool {
        self.0.as_ref().is_none_or(|is_open| is_open())
    }

    /// A connector behind it.
    pub(super) fn before(&self, inner: Connector) -> SharedHttpConnector {
        SharedHttpConnector::new(Gated {
            gate: self.clone(),
            inner: SharedHttpConnector::new(inner),
        })
    }

    /// A client whose connectors are behind it.
    pub(super) fn before_all(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Gated { gate: self.clone(), inner })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// The same gate, not one that happens to be open, too.
impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

impl Eq for Gate {}

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("nothing may be sent any more")]
struct Closed;

#[derive(Debug)]
struct Gated<T> {
    gate: Gate,
    inner: T,
}

impl HttpConnector for Gated<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.gate.is_open() {
            self.inner.call(request)
        } else {
            // An error of no kind that the SDK would try again.
            HttpConnectorFuture::ready(Err(ConnectorError::other(Box::new(Closed), None)))
        }
    }
}

impl HttpClient for Gated<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Gated { gate: self.gate.clone(), inner })
    }
}
