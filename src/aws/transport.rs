//! Between the SDK and the wire: which calls the SDK may repeat, and how fast any may go.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
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

use super::clock::{Clock, signed_at};
use super::pace::Pace;

/// First pause before a read is repeated; doubled each time.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest time to open a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for one answer. The SDK has no limit of its own, and a hung call would hang the run. It counts from when
/// the request leaves: one that is held back for AWS's rate must not time out before it was ever sent.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The SDK gives up on a request of which it sees nothing leave for five seconds, which is what being held back looks
/// like. `ANSWER_TIMEOUT` guards against real stalls.
pub(super) fn stalls() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().upload_enabled(false).build()
}

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

/// An HTTPS client that holds each request back until AWS's rate for it allows it, and sets the clock by the answers.
/// Like the SDK's own, which cannot be wrapped, it goes through the proxy that the environment names.
pub(super) fn paced_client(clock: Clock) -> SharedHttpClient {
    let https = aws_smithy_http_client::Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    paced(https, Pace::default(), clock)
}

fn paced(inner: SharedHttpClient, pace: Pace, clock: Clock) -> SharedHttpClient {
    SharedHttpClient::new(Paced { inner, pace: Arc::new(pace), clock })
}

#[derive(Debug)]
struct Paced<T> {
    inner: T,
    pace: Arc<Pace>,
    clock: Clock,
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, pace: self.pace.clone(), clock: self.clock.clone() })
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers_mut().remove(OPERATION_HEADER).unwrap_or_default();
        let (inner, pace, clock) = (self.inner.clone(), self.pace.clone(), self.clock.clone());
        HttpConnectorFuture::new(async move {
            pace.turn(&operation).await;
            tracing::debug!(operation, "call");
            let signed = signed_at(&request);
            let mut answer = inner.call(request).await?;
            clock.set_by(&mut answer, signed);
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use aws_sdk_apigateway::config::Credentials;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Says yes to everything.
    #[derive(Debug)]
    struct Yes;

    impl HttpClient for Yes {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(Yes)
        }
    }

    impl HttpConnector for Yes {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"));
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    #[tokio::test]
    async fn a_call_that_is_held_back_for_longer_than_the_sdk_waits_is_still_sent() {
        let pause = Duration::from_secs(6);
        let sdk = super::super::settings("us-east-1")
            .endpoint_url("http://localhost")
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(paced(SharedHttpClient::new(Yes), Pace::every(pause), Clock::default()))
            .load()
            .await;
        let config = aws_sdk_apigateway::config::Builder::from(&sdk).interceptor(Courtesy).build();
        let client = aws_sdk_apigateway::Client::from_conf(config);
        let start = Instant::now();
        let calls = (0..2).map(|_| client.update_usage_plan().usage_plan_id("plan").send());
        for answer in futures_util::future::join_all(calls).await {
            answer.unwrap();
        }
        assert!(start.elapsed() >= pause, "the SDK gives up on what stalls for five seconds");
    }
}
