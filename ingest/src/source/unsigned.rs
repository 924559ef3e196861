//! Requests to whoever is not AWS, over the connector of the SDK. In: a URL, headers and a body. Out: what was answered, as
//! it is.

use super::calls::{Answer, CALL_S_MAX, CallError, read};
use super::session::tls;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::time::Duration;
use tokio::time::timeout;

/// Sends requests; clones share connections.
#[derive(Debug, Clone)]
pub struct Unsigned(SharedHttpConnector);

impl Default for Unsigned {
    fn default() -> Self {
        Self(SharedHttpConnector::new(Connector::builder().tls_provider(tls()).build()))
    }
}

impl Unsigned {
    /// Sends a body by `POST`, once, and reads the answer.
    ///
    /// # Errors
    ///
    /// [`CallError::NoRequest`] where the URL or a header is none, [`CallError::NoAnswer`] where there is none within
    /// 20 s.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|_| CallError::NoRequest)?;
        request.set_uri(url).map_err(|_| CallError::NoRequest)?;
        for (name, value) in headers {
            let sent = request.headers_mut().try_insert(name.clone(), value.clone());
            sent.map_err(|_| CallError::NoRequest)?;
        }
        let asked = async {
            let broken = |_| CallError::NoAnswer("the connection cannot be made, or broke");
            read(self.0.call(request).await.map_err(broken)?).await
        };
        let too_slow = |_| CallError::NoAnswer("it took more than 20 s");
        timeout(Duration::from_secs(CALL_S_MAX), asked).await.map_err(too_slow)?
    }
}
