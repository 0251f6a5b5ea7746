//! Between the SDK and the wire: which calls the SDK may repeat, and how fast any may go.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::pace::Pace;

/// First pause before a read is repeated; doubled each time.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest time to open a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for one answer. The SDK has no limit of its own, and a hung call would hang the run.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Carries the operation's name from the SDK to the connector; taken off before the request leaves.
const OPERATION_HEADER: &str = "x-tapctl-operation";

/// Whether an operation only reads, told by AWS's naming.
fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List", "BatchGet", "Head"].iter().any(|verb| operation.starts_with(verb))
}

/// Lets the SDK repeat reads only. A write whose answer was lost may have taken effect: repeating it blindly would make
/// a second object, so the engine looks first.
#[derive(Debug)]
pub(super) struct Courtesy;

impl Intercept for Courtesy {
    fn name(&self) -> &'static str {
        "Courtesy"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<Metadata>().is_some_and(|operation| !reads(operation.name())) {
            cfg.interceptor_state().store_put(RetryConfig::disabled());
        }
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = cfg.load::<Metadata>() {
            let name = format!("{}:{}", operation.service(), operation.name());
            context.request_mut().headers_mut().insert(OPERATION_HEADER, name);
        }
        Ok(())
    }
}

/// An HTTPS client that holds each request back until AWS's rate for it allows it.
pub(super) fn paced_client() -> SharedHttpClient {
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build_https();
    SharedHttpClient::new(Paced { inner: https, pace: Arc::default() })
}

#[derive(Debug)]
struct Paced<T> {
    inner: T,
    pace: Arc<Pace>,
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, pace: self.pace.clone() })
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers_mut().remove(OPERATION_HEADER).unwrap_or_default();
        let (inner, pace) = (self.inner.clone(), self.pace.clone());
        HttpConnectorFuture::new(async move {
            pace.turn(&operation).await;
            tracing::debug!(operation, "call");
            inner.call(request).await
        })
    }
}
