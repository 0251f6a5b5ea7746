//! From what the SDK says of a call that failed to a fault in our words: what AWS answered, what answered in its stead,
//! and what was never answered.

use std::any::type_name;
use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::clock::refused_for_its_time;
use super::errors::classify;
use super::{discreet, reach};
use crate::error::{Class, Fault};

impl<E> From<SdkError<E, HttpResponse>> for Fault
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Fault {
        let operation = operation_of(type_name::<E>());
        let request_id = error.request_id().map(str::to_owned);
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let untimely = error.raw_response().is_some_and(refused_for_its_time);
        let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
            let (class, code, message) = match error.raw_response() {
                Some(answer) => without_code(answer, &error),
                None => unanswered(&error),
            };
            let class = if untimely { Class::Throttled } else { class };
            return Fault { class, code: code.to_owned(), message, operation, request_id, advice: None };
        };
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default();
        Fault {
            class: if untimely { Class::Throttled } else { classify(&operation, code, message, status) },
            code: code.to_owned(),
            message: discreet::message(code, message),
            operation,
            request_id,
            advice: None,
        }
    }
}

/// `aws_sdk_ec2::operation::create_vpc::CreateVpcError` → `ec2:CreateVpc`.
fn operation_of(error_type: &str) -> String {
    let service = error_type.strip_prefix("aws_sdk_").and_then(|rest| rest.split("::").next()).unwrap_or("aws");
    let name = error_type.rsplit("::").next().unwrap_or(error_type);
    format!("{service}:{}", name.strip_suffix("Error").unwrap_or(name))
}

/// The longest part of a strange answer that is told, in characters.
const SHOWN: usize = 200;

/// An answer that has no error code is none of AWS's: a proxy's, a gateway's, a wrong endpoint's.
fn without_code(answer: &HttpResponse, error: &dyn StdError) -> (Class, &'static str, String) {
    let status = answer.status().as_u16();
    let class = match status {
        401 | 403 | 407 => Class::Denied,
        429 => Class::Throttled,
        408 => Class::Lost,
        300..500 => Class::Invalid,
        _ => Class::Lost,
    };
    let what = match status {
        200..300 => format!("that cannot be read ({})", chain(error)),
        _ => "without an error code".to_owned(),
    };
    let body = discreet::text(&String::from_utf8_lossy(answer.body().bytes().unwrap_or_default()));
    let body: String = body.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).fold(
        String::new(),
        |mut line, word| {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
            line
        },
    );
    let shown: String = body.chars().take(SHOWN).collect();
    let body = if shown.is_empty() { String::new() } else { format!(": {shown}") };
    (class, "UnreadableAnswer", format!("an answer with HTTP status {status} {what}{body}"))
}

fn unanswered<E: StdError + 'static>(error: &SdkError<E, HttpResponse>) -> (Class, &'static str, String) {
    let message = chain(error);
    if let Some(trouble) = find::<CredentialsError>(error) {
        return without_credentials(trouble, message);
    }
    let (class, code) = match error {
        SdkError::ConstructionFailure(_) => (Class::Invalid, "NotSent"),
        SdkError::DispatchFailure(_) if reach::is_untrusted(&message) => (Class::Invalid, "UntrustedCertificate"),
        SdkError::DispatchFailure(_) => (Class::Lost, "NoConnection"),
        SdkError::TimeoutError(_) => (Class::Lost, "Timeout"),
        _ => (Class::Other, "Unknown"),
    };
    (class, code, message)
}

/// Trouble on the way to whoever gives credentials is no trouble with the credentials: it passes.
fn without_credentials(trouble: &CredentialsError, message: String) -> (Class, &'static str, String) {
    let lost = find::<ConnectorError>(trouble).is_some_and(|error| error.is_io() || error.is_timeout());
    match trouble {
        CredentialsError::ProviderTimedOut(_) => (Class::Lost, "NoConnection", message),
        CredentialsError::ProviderError(_) | CredentialsError::Unhandled(_) if lost => {
            (Class::Lost, "NoConnection", message)
        }
        CredentialsError::CredentialsNotLoaded(_) => {
            let nobody =
                "there are no credentials: not in the environment, not in the selected profile, not of this machine";
            (Class::Credentials, "NoCredentials", nobody.to_owned())
        }
        _ => (Class::Credentials, "NoCredentials", message),
    }
}

/// The first error of this type among an error and its causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What the SDK wraps every cause in, and what tells a person nothing.
const WRAPPERS: [&str; 5] = ["dispatch failure", "other", "io error", "user error", "service error"];

/// Before the whole request, with what is secret in its body, in what the SDK says when an endpoint is no URL.
const REQUEST: &str = " to request `Request {";

/// An error with all that caused it, each in its own words.
pub(super) fn chain(error: &dyn StdError) -> String {
    let mut words = vec![without_request(error.to_string())];
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(without_request(error.to_string()));
        cause = error.source();
    }
    words.retain(|word| !WRAPPERS.contains(&word.as_str()));
    words.dedup();
    discreet::text(&words.join(": "))
}

fn without_request(mut words: String) -> String {
    words.truncate(words.find(REQUEST).unwrap_or(words.len()));
    words
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
    use aws_sdk_secretsmanager::config::Credentials;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[tokio::test]
    async fn a_request_that_cannot_be_sent_is_not_told_with_its_secret() {
        let sdk = super::super::settings("us-east-1")
            .endpoint_url("localhost:5000")
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .load()
            .await;
        let client = aws_sdk_secretsmanager::Client::new(&sdk);
        let error = client.create_secret().name("database").secret_string("hush").send().await.unwrap_err();
        let fault = Fault::from(error);
        assert_eq!(fault.message, "failed to apply endpoint `localhost:5000`: endpoint must contain scheme");
    }

    /// Answers every request alike.
    #[derive(Debug, Clone)]
    struct Says(u16, &'static str);

    impl HttpClient for Says {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Says {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Ok(HttpResponse::new(self.0.try_into().unwrap(), SdkBody::from(self.1))))
        }
    }

    async fn sdk(says: impl HttpClient + 'static) -> aws_config::SdkConfig {
        super::super::settings("us-east-1")
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .endpoint_url("http://localhost")
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(says)
            .load()
            .await
    }

    #[tokio::test]
    async fn answers_that_are_not_of_aws_are_told_as_they_are() {
        for (status, body, class, message) in [
            (400, r#"{"error":"x"}"#, Class::Invalid, r#"without an error code: {"error":"x"}"#),
            (
                403,
                "<html>\n  <b>Blocked</b>\u{1b}[1m</html>",
                Class::Denied,
                "without an error code: <html> <b>Blocked</b> [1m</html>",
            ),
            (502, "", Class::Lost, "without an error code"),
            (302, "", Class::Invalid, "without an error code"),
            (407, "x-amz-security-token: FwoGZX", Class::Denied, "without an error code: x-amz-security-token: [cut]"),
        ] {
            let sdk = sdk(Says(status, body)).await;
            let read = aws_sdk_guardduty::Client::new(&sdk).list_detectors().send().await.unwrap_err();
            let write = aws_sdk_ec2::Client::new(&sdk).create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap_err();
            for fault in [Fault::from(read), Fault::from(write)] {
                assert_eq!((fault.class, fault.code.as_str()), (class, "UnreadableAnswer"), "{fault}");
                assert!(
                    fault.message.starts_with(&format!("an answer with HTTP status {status} {message}")),
                    "{fault}"
                );
                assert!(fault.hint().is_some_and(|hint| hint.contains("proxy")), "{fault}");
            }
        }
        let page = sdk(Says(200, "<html>Log in to the network</html>")).await;
        let fault = Fault::from(aws_sdk_guardduty::Client::new(&page).list_detectors().send().await.unwrap_err());
        assert_eq!(fault.class, Class::Lost);
        assert!(fault.message.ends_with(": <html>Log in to the network</html>"), "{fault}");
        let long: &str = Box::leak("é".repeat(500).into_boxed_str());
        let long = sdk(Says(400, long)).await;
        let fault = Fault::from(aws_sdk_guardduty::Client::new(&long).list_detectors().send().await.unwrap_err());
        assert_eq!(fault.message.matches('é').count(), SHOWN);
    }

    #[tokio::test]
    async fn an_answered_failure_of_aws_is_not_called_a_lost_one() {
        let body = r#"{"__type":"InternalFailure","message":"broken"}"#;
        let sdk = sdk(Says(500, body)).await;
        let fault = Fault::from(aws_sdk_kms::Client::new(&sdk).create_key().send().await.unwrap_err());
        assert_eq!((fault.class, fault.code.as_str()), (Class::Lost, "InternalFailure"));
        assert!(fault.hint().unwrap().starts_with("AWS failed at it"), "{fault}");
    }

    /// Gives no credentials, for this reason.
    #[derive(Debug)]
    struct Gives(fn() -> CredentialsError);

    impl ProvideCredentials for Gives {
        fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            aws_credential_types::provider::future::ProvideCredentials::ready(Err((self.0)()))
        }
    }

    #[tokio::test]
    async fn trouble_on_the_way_to_credentials_is_trouble_with_the_network() {
        let io = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        type Make = fn() -> CredentialsError;
        let refused: Make = || CredentialsError::provider_error("the token has expired");
        let cases: [(Make, Class, &str); 5] = [
            (refused, Class::Credentials, "NoCredentials"),
            (|| CredentialsError::not_loaded("nothing"), Class::Credentials, "NoCredentials"),
            (|| CredentialsError::invalid_configuration("a loop"), Class::Credentials, "NoCredentials"),
            (|| CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)), Class::Lost, "NoConnection"),
            (
                || {
                    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                    CredentialsError::provider_error(ConnectorError::io(refused.into()))
                },
                Class::Lost,
                "NoConnection",
            ),
        ];
        for (why, class, code) in cases {
            let sdk = sdk(Says(200, "")).await.into_builder();
            let sdk = sdk.credentials_provider(SharedCredentialsProvider::new(Gives(why))).build();
            let fault = Fault::from(aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await.unwrap_err());
            assert_eq!((fault.class, fault.code.as_str()), (class, code), "{fault}");
        }
        assert!(find::<std::io::Error>(&io()).is_some());
    }

    #[test]
    fn a_denied_role_is_told_with_the_setting_of_its_boundary() {
        let denied = |operation: &str| Fault {
            operation: operation.to_owned(),
            ..Fault::new(Class::Denied, "AccessDenied", "explicit deny")
        };
        let hint = denied("iam:CreateRole").hint().map(str::to_owned);
        assert!(hint.is_some_and(|hint| hint.contains("iam.permissions_boundary")));
        let hint = denied("iam:GetRole").hint().map(str::to_owned);
        assert_eq!(hint.as_deref(), Some("check that the credentials' policy allows this call"));
    }

    #[test]
    fn the_operation_is_read_off_the_error_type() {
        assert_eq!(operation_of("aws_sdk_ec2::operation::create_vpc::CreateVpcError"), "ec2:CreateVpc");
        // Errors keep AWS's own capitals, which inputs and types do not.
        let cluster = type_name::<aws_sdk_rds::operation::create_db_cluster::CreateDBClusterError>();
        assert_eq!(operation_of(cluster), "rds:CreateDBCluster");
    }
}
