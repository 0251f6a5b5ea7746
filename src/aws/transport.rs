//! Between the SDK and the wire: which calls the SDK may repeat, and how fast any may go.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::TlsContext;
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
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::clock::{Clock, signed_at};
use super::pace::Pace;
use super::reach::{Reach, host_of, is_direct};
use crate::error::reads;

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

/// Whether calls may still change something: asked right before each of those leaves. Until it is given, they may.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<OnceLock<Box<dyn Fn() -> bool + Send + Sync>>>);

impl Gate {
    /// From now on `open` decides.
    pub(super) fn guard(&self, open: impl Fn() -> bool + Send + Sync + 'static) {
        // The first one that was given goes on deciding.
        let _ = self.0.set(Box::new(open));
    }

    /// Refuses an operation that would change something where that is no longer ours to do. What fetches credentials has
    /// no name here, and changes nothing.
    fn pass(&self, operation: &str) -> Result<(), ConnectorError> {
        let changes = operation.rsplit_once(':').is_some_and(|(_, name)| !reads(name));
        match self.0.get() {
            Some(open) if changes && !open() => Err(ConnectorError::other(NotSent.into(), None)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("guarded", &self.0.get().is_some()).finish()
    }
}

/// Why a call did not leave.
#[derive(Debug, thiserror::Error)]
#[error("not sent: this run no longer holds its lock for certain")]
struct NotSent;

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
/// Like the SDK's own, which cannot be wrapped, it goes through the proxy that the environment names, but for what is never
/// behind one.
pub(super) fn paced_client(clock: Clock, gate: Gate, reach: Reach, trust: TlsContext) -> SharedHttpClient {
    let direct = https(ProxyConfig::disabled(), trust.clone());
    SharedHttpClient::new(Paced {
        far: https(ProxyConfig::from_env(), trust),
        direct,
        pace: Arc::new(Pace::default()),
        clock,
        gate,
        reach,
    })
}

fn https(proxy: ProxyConfig, trust: TlsContext) -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .tls_context(trust.clone())
            .proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

#[derive(Debug)]
struct Paced<T> {
    /// Through the proxy, where there is one.
    far: T,
    /// Past it.
    direct: T,
    pace: Arc<Pace>,
    clock: Clock,
    gate: Gate,
    reach: Reach,
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Paced {
            far: self.far.http_connector(settings, components),
            direct: self.direct.http_connector(settings, components),
            pace: self.pace.clone(),
            clock: self.clock.clone(),
            gate: self.gate.clone(),
            reach: self.reach.clone(),
        })
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers_mut().remove(OPERATION_HEADER).unwrap_or_default();
        let host = host_of(request.uri()).to_owned();
        let inner = if is_direct(&host) { self.direct.clone() } else { self.far.clone() };
        let (pace, clock, reach) = (self.pace.clone(), self.clock.clone(), self.reach.clone());
        let gate = self.gate.clone();
        HttpConnectorFuture::new(async move {
            pace.turn(&operation).await;
            // Being held back may have taken longer than the lock lasts.
            gate.pass(&operation)?;
            tracing::debug!(operation, "call");
            let signed = signed_at(&request);
            let mut answer = reach.watch(&host, inner.call(request)).await?;
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

    /// A client that everything is said yes to.
    fn paced(pace: Pace, gate: Gate) -> SharedHttpClient {
        SharedHttpClient::new(Paced {
            far: SharedHttpClient::new(Yes),
            direct: SharedHttpClient::new(Yes),
            pace: Arc::new(pace),
            clock: Clock::default(),
            gate,
            reach: Reach::new(Arc::new(|_| {})),
        })
    }

    #[tokio::test]
    async fn a_call_that_is_held_back_for_longer_than_the_sdk_waits_is_still_sent() {
        let pause = Duration::from_secs(6);
        let sdk = super::super::settings("us-east-1")
            .endpoint_url("http://localhost")
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(paced(Pace::every(pause), Gate::default()))
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

    async fn client(gate: Gate) -> aws_sdk_apigateway::Client {
        let sdk = super::super::settings("us-east-1")
            .endpoint_url("http://localhost")
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(paced(Pace::default(), gate))
            .load()
            .await;
        let config = aws_sdk_apigateway::config::Builder::from(&sdk).interceptor(Courtesy).build();
        aws_sdk_apigateway::Client::from_conf(config)
    }

    #[tokio::test]
    async fn what_changes_something_does_not_leave_once_that_is_no_longer_ours_to_do() {
        let (gate, open) = (Gate::default(), Arc::new(std::sync::atomic::AtomicBool::new(true)));
        let client = client(gate.clone()).await;
        client.delete_api_key().api_key("k").send().await.unwrap();
        let asked = open.clone();
        gate.guard(move || asked.load(std::sync::atomic::Ordering::Relaxed));
        client.delete_api_key().api_key("k").send().await.unwrap();
        open.store(false, std::sync::atomic::Ordering::Relaxed);
        let fault = crate::error::Fault::from(client.delete_api_key().api_key("k").send().await.unwrap_err());
        assert_eq!(fault.class, crate::error::Class::Lost, "the engine looks again, and finds that it is to end");
        assert!(fault.message.contains("no longer holds its lock"), "{fault}");
        client.get_api_key().api_key("k").send().await.unwrap();
    }
}
