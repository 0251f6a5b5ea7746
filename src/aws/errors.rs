//! One table from AWS's wire codes to what they mean. The engine acts on the class, never on a code.
//!
//! EC2 models no errors, and one code often means different things in different services, so the table goes from the
//! particular (service and message) to the general (the shape of the code).

use std::any::type_name;
use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::clock::refused_for_its_time;
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

/// A row for what the shape of the code does not tell: service prefix of the operation, code, a part of the message.
type Row = (&'static str, &'static str, &'static str, Class);

/// Read from the top; empty means any.
const ROWS: &[Row] = &[
    // A fresh dependency that the consumer cannot see yet (the messages are what those services answer then).
    ("kms:CreateAlias", "NotFoundException", "", Class::NotYet),
    ("kms:UpdateAlias", "NotFoundException", "", Class::NotYet),
    ("iam:PutRolePolicy", "NoSuchEntity", "role with name", Class::NotYet),
    ("iam:AttachRolePolicy", "NoSuchEntity", "role with name", Class::NotYet),
    ("iam:CreateServiceLinkedRole", "InvalidInput", "has been taken", Class::Exists),
    ("iam", "EntityTemporarilyUnmodifiable", "", Class::Busy),
    ("efs:CreateMountTarget", "SecurityGroupNotFound", "", Class::NotYet),
    ("efs:CreateMountTarget", "SubnetNotFound", "", Class::NotYet),
    ("efs:CreateMountTarget", "FileSystemNotFound", "", Class::NotYet),
    ("efs:CreateAccessPoint", "FileSystemNotFound", "", Class::NotYet),
    ("efs:PutFileSystemPolicy", "FileSystemNotFound", "", Class::NotYet),
    ("efs", "IncorrectMountTargetState", "", Class::Busy),
    ("efs", "InsufficientThroughputCapacity", "", Class::Busy),
    ("efs", "NoFreeAddressesInSubnet", "", Class::Quota),
    ("ec2:CreateRoute", "InvalidParameterValue", "belong to different networks", Class::NotYet),
    ("ec2:CreateTags", "InvalidID", "", Class::NotYet),
    ("ec2:CreateVpcEndpoint", "InvalidParameter", "enableDnsSupport", Class::NotYet),
    ("ec2:ReleaseAddress", "AuthFailure", "permission to access the specified resource", Class::Busy),
    ("rds", "InvalidParameterCombination", "deletion protection", Class::Invalid),
    ("rds", "InvalidVPCNetworkStateFault", "", Class::Invalid),
    ("elasticache", "InvalidVPCNetworkStateFault", "", Class::Invalid),
    ("rds", "DBInstanceNotReady", "", Class::Busy),
    ("rds", "InvalidParameterValue", "service linked role", Class::NotYet),
    ("rds", "InvalidSubnet", "", Class::NotYet),
    ("rds:CreateDBCluster", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBCluster", "DBClusterParameterGroupNotFound", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBClusterNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBParameterGroupNotFound", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyNotFoundFault", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyTargetGroupNotFoundFault", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyTargetAlreadyRegisteredFault", "", Class::Exists),
    ("rds", "InsufficientDBInstanceCapacity", "", Class::Quota),
    ("rds", "InsufficientDBClusterCapacityFault", "", Class::Quota),
    ("elasticache", "InvalidSubnet", "", Class::NotYet),
    ("elasticache:CreateReplicationGroup", "CacheSubnetGroupNotFoundFault", "", Class::NotYet),
    ("elasticache", "ServiceLinkedRoleNotFoundFault", "", Class::NotYet),
    ("elasticache", "InvalidKMSKeyFault", "", Class::NotYet),
    ("elasticache", "NodeQuotaForCustomerExceeded", "", Class::Quota),
    ("elasticache", "ClusterQuotaForCustomerExceeded", "", Class::Quota),
    ("elasticache", "NodeQuotaForClusterExceeded", "", Class::Quota),
    ("elasticache", "InsufficientCacheClusterCapacity", "", Class::Quota),
    ("elasticache", "APICallRateForCustomerExceeded", "", Class::Throttled),
    ("secretsmanager", "EncryptionFailure", "", Class::NotYet),
    ("apigateway", "BadRequestException", "API Stage not found", Class::NotYet),
    ("apigateway:CreateDeployment", "BadRequestException", "doesn't contain any methods", Class::NotYet),
    ("apigateway:CreateDeployment", "BadRequestException", "No integration defined", Class::NotYet),
    ("ec2:CreateFlowLogs", "InvalidParameter", "Unable to assume given IAM role", Class::NotYet),
    ("apigateway", "BadRequestException", "role ARN does not have required permissions", Class::NotYet),
    ("apigateway", "BadRequestException", "could not successfully write to CloudWatch Logs", Class::NotYet),
    ("rds", "InvalidParameterValue", "IAM role ARN value is invalid", Class::NotYet),
    ("ecs", "ClientException", "Role is not valid", Class::NotYet),
    ("ecs", "InvalidParameterException", "verify that the ECS service role", Class::NotYet),
    ("ecs", "InvalidParameterException", "Unable to assume the service linked role", Class::NotYet),
    ("ecs", "InvalidParameterException", "does not have an associated load balancer", Class::NotYet),
    ("ecs:CreateService", "ClusterNotFoundException", "", Class::NotYet),
    ("ecs", "InvalidParameterException", "InvalidGroup.NotFound", Class::NotYet),
    ("ecs", "InvalidParameterException", "InvalidSubnetID.NotFound", Class::NotYet),
    ("ecs", "ClientException", "Unable to describe task definition", Class::Absent),
    ("ecs", "ClientException", "task definition does not exist", Class::Absent),
    ("ecs", "ServiceNotActiveException", "", Class::Absent),
    ("elasticloadbalancingv2:CreateLoadBalancer", "SubnetNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateLoadBalancer", "InvalidSecurityGroup", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateTargetGroup", "ValidationError", "VPC", Class::NotYet),
    ("elasticloadbalancingv2:CreateListener", "TargetGroupNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateListener", "LoadBalancerNotFound", "", Class::NotYet),
    ("applicationautoscaling:PutScalingPolicy", "ObjectNotFoundException", "", Class::NotYet),
    ("ecs", "InvalidParameterException", "still Draining", Class::Busy),
    ("ecs", "InvalidParameterException", "not idempotent", Class::Exists),
    ("ecs", "InvalidParameterException", "while deployments are active", Class::Busy),
    ("ecs", "InvalidParameterException", "dependent object", Class::Busy),
    ("applicationautoscaling", "ValidationException", "ECS service doesn't exist", Class::NotYet),
    ("applicationautoscaling", "FailedResourceAccessException", "", Class::NotYet),
    ("", "MalformedPolicyDocument", "Invalid principal", Class::NotYet),
    ("", "MalformedPolicyDocumentException", "invalid principal", Class::NotYet),
    ("secretsmanager", "MalformedPolicyDocumentException", "", Class::NotYet),
    ("efs", "InvalidPolicyException", "principal", Class::NotYet),
    ("cloudwatchlogs", "AccessDeniedException", "KMS key does not exist or is not allowed", Class::NotYet),
    ("rds", "KMSKeyNotAccessibleFault", "", Class::NotYet),
    ("kinesis", "KMSNotFoundException", "", Class::NotYet),
    ("kinesis", "KMSAccessDeniedException", "", Class::NotYet),
    ("kinesis", "KMSInvalidStateException", "", Class::NotYet),
    ("elasticloadbalancingv2", "CertificateNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2", "UnsupportedCertificate", "", Class::NotYet),
    // Names that come free later, and objects that are settling.
    ("secretsmanager:CreateSecret", "InvalidRequestException", "scheduled for deletion", Class::Exists),
    ("secretsmanager", "InvalidRequestException", "scheduled for deletion", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "was deleted", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "marked for deletion", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "marked deleted", Class::Absent),
    ("apigateway", "ConflictException", "concurrent modification", Class::Busy),
    ("apigateway:CreateStage", "ConflictException", "already exists", Class::Exists),
    ("apigateway:CreateUsagePlanKey", "ConflictException", "", Class::Exists),
    ("apigateway", "UnauthorizedException", "", Class::Denied),
    ("apigateway", "BadRequestException", "Active stages pointing to this deployment", Class::Busy),
    ("apigateway", "BadRequestException", "CloudWatch Logs role ARN must be set", Class::NotYet),
    ("apigateway", "BadRequestException", "VPC link", Class::NotYet),
    ("rds", "InvalidParameterCombination", "Cannot delete", Class::Busy),
    ("kinesis:CreateStream", "ResourceInUseException", "", Class::Exists),
    ("kinesis", "LimitExceededException", "Rate exceeded", Class::Throttled),
    ("kinesis", "LimitExceededException", "simultaneously", Class::Busy),
    ("efs", "FileSystemAlreadyExists", "", Class::Exists),
    ("efs", "MountTargetConflict", "", Class::Exists),
    ("efs", "TooManyRequests", "", Class::Quota),
    ("efs", "PolicyNotFound", "", Class::Absent),
    ("kms", "KMSInvalidStateException", "pending deletion", Class::Absent),
    // Just enabled, it may still be disabled to the next call.
    ("kms", "DisabledException", "", Class::Busy),
    ("ec2", "Resource.AlreadyAssociated", "", Class::Exists),
    ("ec2", "RouteAlreadyExists", "", Class::Exists),
    ("ec2", "FlowLogAlreadyExists", "", Class::Exists),
    ("ec2", "NatGatewayNotFound", "", Class::Absent),
    ("ec2", "Gateway.NotAttached", "", Class::Absent),
    ("ec2", "AuthFailure", "does not belong to you", Class::Busy),
    ("cognitoidentityprovider:CreateUserPoolDomain", "InvalidParameterException", "already", Class::Exists),
    ("cognitoidentityprovider:DeleteUserPool", "InvalidParameterException", "domain configured", Class::Busy),
    ("guardduty:CreateDetector", "BadRequestException", "already exists", Class::Exists),
    ("guardduty", "BadRequestException", "not owned by the current account", Class::Absent),
    ("wafv2", "WAFUnavailableEntityException", "", Class::NotYet),
    ("wafv2:AssociateWebACL", "WAFNonexistentItemException", "", Class::NotYet),
    ("wafv2", "WAFNonexistentItemException", "", Class::Absent),
    ("wafv2", "WAFAssociatedItemException", "", Class::Busy),
    ("wafv2", "WAFLimitsExceededException", "", Class::Quota),
    ("elasticloadbalancingv2", "OperationNotPermitted", "", Class::Invalid),
    // The audit: bucket, trail, topic, alarms.
    ("s3", "NoSuchBucket", "", Class::Absent),
    ("s3", "NoSuchBucketPolicy", "", Class::Absent),
    ("s3", "BucketAlreadyOwnedByYou", "", Class::Exists),
    ("s3", "BucketNotEmpty", "", Class::Busy),
    ("s3:PutBucketPolicy", "MalformedPolicy", "invalid principal", Class::NotYet),
    ("cloudtrail", "InsufficientS3BucketPolicyException", "", Class::NotYet),
    ("cloudtrail", "InsufficientEncryptionPolicyException", "", Class::NotYet),
    ("cloudtrail", "S3BucketDoesNotExistException", "", Class::NotYet),
    ("cloudtrail", "KmsKeyNotFoundException", "", Class::NotYet),
    ("cloudtrail", "InvalidCloudWatchLogsLogGroupArnException", "", Class::NotYet),
    ("cloudtrail", "InvalidCloudWatchLogsRoleArnException", "", Class::NotYet),
    ("cloudtrail", "CloudWatchLogsDeliveryUnavailableException", "", Class::NotYet),
    ("cloudtrail", "MaximumNumberOfTrailsExceededException", "", Class::Quota),
    ("sns:CreateTopic", "InvalidParameter", "already exists with different", Class::Exists),
    ("sns", "StaleTag", "", Class::Busy),
    ("sns", "AuthorizationError", "", Class::Denied),
    ("", "TooManyRequestsException", "", Class::Throttled),
    ("", "PriorRequestNotComplete", "", Class::Throttled),
    ("", "IncorrectState", "", Class::Busy),
    ("", "IncorrectFileSystemLifeCycleState", "", Class::Busy),
    ("", "OperationAborted", "", Class::Busy),
    ("", "OperationAbortedException", "", Class::Busy),
    ("", "ConflictException", "", Class::Busy),
    ("", "DeleteConflict", "", Class::Busy),
    ("", "DependencyViolation", "", Class::Busy),
    ("", "DependencyTimeout", "", Class::Busy),
    ("", "OptInRequired", "", Class::Denied),
    ("", "PendingVerification", "", Class::Denied),
    ("", "UnauthorizedOperation", "", Class::Denied),
    ("", "AuthFailure", "validate the provided access credentials", Class::Credentials),
    ("", "AuthFailure", "", Class::Denied),
    // Alone it refuses what all others take: session tokens got without MFA. Renewed ones fare no better.
    ("iam", "InvalidClientTokenId", "", Class::Denied),
    ("", "InvalidClientTokenId", "", Class::Credentials),
    ("", "InvalidAccessKeyId", "", Class::Credentials),
    ("", "UnrecognizedClientException", "", Class::Credentials),
    ("", "SignatureDoesNotMatch", "", Class::Credentials),
    ("", "InvalidSignatureException", "", Class::Credentials),
    ("", "MissingAuthenticationToken", "", Class::Credentials),
    ("", "TokenRefreshRequired", "", Class::Credentials),
    ("", "RequestExpired", "", Class::Credentials),
    ("", "RequestTimeout", "", Class::Lost),
    ("", "RequestTimeoutException", "", Class::Lost),
    ("", "NoSuchEntity", "", Class::Absent),
];

/// What a service error means. `operation` is `service:Operation`; `status` the HTTP status, 0 if unknown.
pub fn classify(operation: &str, code: &str, message: &str, status: u16) -> Class {
    let message_lower = message.to_lowercase();
    let row = ROWS.iter().find(|(service, row_code, part, _)| {
        operation.starts_with(service) && code == *row_code && message_lower.contains(&part.to_lowercase())
    });
    row.map_or_else(|| by_shape(code, status), |(.., class)| *class)
}

fn by_shape(code: &str, status: u16) -> Class {
    let has = |part: &str| code.contains(part);
    let starts = |part: &str| code.starts_with(part);
    if has("Throttl") || has("RequestLimitExceeded") || has("SlowDown") || code == "RequestThrottled" {
        return Class::Throttled;
    }
    if has("ExpiredToken") {
        return Class::Credentials;
    }
    if has("AccessDenied") || has("NotAuthorized") || code == "Forbidden" {
        return Class::Denied;
    }
    if has("LimitExceeded") || has("QuotaExceeded") || starts("TooMany") || has("InsufficientAddressCapacity") {
        return Class::Quota;
    }
    if has("AlreadyExists") || has("Duplicate") || code == "ResourceExistsException" {
        return Class::Exists;
    }
    if has("InUse") || has("Concurrent") || has("InProgress") || starts("ClusterContains") || has("OptimisticLock") {
        return Class::Busy;
    }
    if (starts("Invalid") || starts("KMSInvalid")) && has("State") {
        return Class::Busy;
    }
    if has("NotFound") {
        return Class::Absent;
    }
    match status {
        500.. => Class::Lost,
        400..500 => Class::Invalid,
        _ => Class::Other,
    }
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
    fn the_operation_is_read_off_the_error_type() {
        assert_eq!(operation_of("aws_sdk_ec2::operation::create_vpc::CreateVpcError"), "ec2:CreateVpc");
        // Errors keep AWS's own capitals, which inputs and types do not.
        let cluster = type_name::<aws_sdk_rds::operation::create_db_cluster::CreateDBClusterError>();
        assert_eq!(operation_of(cluster), "rds:CreateDBCluster");
    }

    #[test]
    fn codes_mean_what_aws_means() {
        for (operation, code, message, class) in [
            ("ec2:DescribeVpcs", "InvalidVpcID.NotFound", "", Class::Absent),
            ("ec2:DeleteSubnet", "DependencyViolation", "has dependencies", Class::Busy),
            ("ec2:CreateVpc", "VpcLimitExceeded", "", Class::Quota),
            ("ec2:CreateVpc", "RequestLimitExceeded", "", Class::Throttled),
            ("ec2:CreateSecurityGroup", "InvalidGroup.Duplicate", "", Class::Exists),
            ("ec2:DeleteSecurityGroup", "InvalidGroup.InUse", "", Class::Busy),
            ("ec2:CreateVpc", "UnauthorizedOperation", "", Class::Denied),
            ("ec2:CreateFlowLogs", "InvalidParameter", "Unable to assume given IAM role", Class::NotYet),
            ("ec2:CreateFlowLogs", "InvalidParameter", "bad interval", Class::Invalid),
            ("ec2:CreateVpc", "RequestExpired", "Request has expired.", Class::Credentials),
            ("kms:CreateKey", "ExpiredTokenException", "", Class::Credentials),
            ("efs:CreateFileSystem", "RequestTimeoutException", "", Class::Lost),
            ("rds:DescribeDBInstances", "DBInstanceNotFound", "", Class::Absent),
            ("rds:DeleteDBCluster", "InvalidDBClusterStateFault", "", Class::Busy),
            ("rds:CreateDBCluster", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBClusterNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBParameterGroupNotFound", "", Class::NotYet),
            ("rds:DeleteDBSubnetGroup", "InvalidDBSubnetGroupStateFault", "", Class::Busy),
            ("kinesis:CreateStream", "ResourceInUseException", "", Class::Exists),
            ("kinesis:UpdateShardCount", "ResourceInUseException", "", Class::Busy),
            ("kinesis:CreateStream", "LimitExceededException", "Rate exceeded for stream", Class::Throttled),
            ("kms:CreateKey", "LimitExceededException", "", Class::Quota),
            ("iam:GetRole", "NoSuchEntity", "", Class::Absent),
            ("iam:GetRole", "InvalidClientTokenId", "", Class::Denied),
            ("sts:GetCallerIdentity", "InvalidClientTokenId", "", Class::Credentials),
            ("iam:CreateRole", "EntityAlreadyExists", "", Class::Exists),
            ("iam:DeleteRole", "DeleteConflict", "", Class::Busy),
            ("apigateway:PutRestApi", "ConflictException", "concurrent modification", Class::Busy),
            ("apigateway:GetStage", "TooManyRequestsException", "", Class::Throttled),
            ("secretsmanager:CreateSecret", "InvalidRequestException", "already scheduled for deletion", Class::Exists),
            (
                "cloudwatchlogs:CreateLogGroup",
                "AccessDeniedException",
                "The specified KMS key does not exist or is not allowed to be used with Arn",
                Class::NotYet,
            ),
            ("cloudwatchlogs:CreateLogGroup", "AccessDeniedException", "no identity-based policy", Class::Denied),
            ("wafv2:GetWebACL", "WAFNonexistentItemException", "", Class::Absent),
            ("wafv2:AssociateWebACL", "WAFUnavailableEntityException", "", Class::NotYet),
            ("wafv2:UpdateWebACL", "WAFOptimisticLockException", "", Class::Busy),
            ("wafv2:DeleteWebACL", "WAFAssociatedItemException", "", Class::Busy),
            ("rds:RegisterDBProxyTargets", "InvalidDBInstanceState", "", Class::Busy),
            ("rds:RegisterDBProxyTargets", "DBProxyTargetGroupNotFoundFault", "", Class::NotYet),
            ("rds:DescribeDBProxies", "DBProxyNotFoundFault", "", Class::Absent),
            ("guardduty:CreateDetector", "BadRequestException", "a detector already exists", Class::Exists),
            ("cognitoidentityprovider:DescribeUserPool", "ResourceNotFoundException", "", Class::Absent),
            ("elasticloadbalancingv2:CreateListener", "CertificateNotFound", "", Class::NotYet),
            ("elasticloadbalancingv2:DescribeListeners", "ListenerNotFound", "", Class::Absent),
            ("s3:CreateBucket", "BucketAlreadyExists", "", Class::Exists),
            ("s3:CreateBucket", "BucketAlreadyOwnedByYou", "", Class::Exists),
            ("s3:CreateBucket", "OperationAborted", "", Class::Busy),
            ("s3:CreateBucket", "TooManyBuckets", "", Class::Quota),
            ("s3:PutBucketPolicy", "NoSuchBucket", "", Class::Absent),
            ("s3:GetBucketVersioning", "AccessDenied", "Access Denied", Class::Denied),
            ("s3:DeleteBucket", "BucketNotEmpty", "", Class::Busy),
            ("s3:DeleteObjects", "SlowDown", "", Class::Throttled),
            ("cloudtrail:CreateTrail", "InsufficientS3BucketPolicyException", "", Class::NotYet),
            ("cloudtrail:CreateTrail", "TrailAlreadyExistsException", "", Class::Exists),
            ("cloudtrail:CreateTrail", "MaximumNumberOfTrailsExceededException", "", Class::Quota),
            ("cloudtrail:UpdateTrail", "ConflictException", "", Class::Busy),
            ("cloudtrail:GetTrail", "TrailNotFoundException", "", Class::Absent),
            ("sns:GetTopicAttributes", "NotFound", "", Class::Absent),
            ("sns:CreateTopic", "InvalidParameter", "Topic already exists with different tags", Class::Exists),
            ("sns:CreateTopic", "InvalidParameter", "Topic Name", Class::Invalid),
            ("sns:CreateTopic", "TopicLimitExceeded", "", Class::Quota),
            ("cloudwatch:GetDashboard", "ResourceNotFound", "", Class::Absent),
            ("cloudwatch:PutMetricAlarm", "LimitExceeded", "", Class::Quota),
        ] {
            assert_eq!(classify(operation, code, message, 400), class, "{operation} {code}");
        }
    }

    #[test]
    fn a_server_error_leaves_open_whether_the_call_took_effect() {
        assert_eq!(classify("ec2:CreateVpc", "InternalError", "", 500), Class::Lost);
    }
}
