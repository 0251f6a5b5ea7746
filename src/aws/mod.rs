//! Talking to AWS: the clients, what their errors mean, how fast they may be called.

mod clock;
mod endpoints;
pub mod errors;
pub mod index;
mod pace;
pub mod sharing;
pub mod tags;
mod transport;

use std::time::SystemTime;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_types::sdk_config::TimeSource;

use self::clock::Clock;
use self::transport::Gate;
use crate::error::{Class, Fault, Result};
use crate::resource;

/// What a kind gets for one call to AWS.
pub type Cx<'a> = resource::Cx<'a, Aws>;

/// A client for each service, and whose account it is.
pub struct Aws {
    /// Account id, twelve digits.
    pub account: String,
    /// Region, as `us-east-1`.
    pub region: String,
    /// Partition: `aws`, `aws-us-gov`, `aws-cn`.
    pub partition: String,
    /// AWS Certificate Manager.
    pub acm: aws_sdk_acm::Client,
    clock: Clock,
    gate: Gate,
    /// API Gateway, REST APIs.
    pub apigateway: aws_sdk_apigateway::Client,
    /// API Gateway V2, for its VPC links.
    pub apigatewayv2: aws_sdk_apigatewayv2::Client,
    /// Application Auto Scaling.
    pub autoscaling: aws_sdk_applicationautoscaling::Client,
    /// CloudTrail.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// CloudWatch: alarms and dashboards.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Cognito user pools.
    pub cognito: aws_sdk_cognitoidentityprovider::Client,
    /// EC2: networks.
    pub ec2: aws_sdk_ec2::Client,
    /// ECS.
    pub ecs: aws_sdk_ecs::Client,
    /// EFS.
    pub efs: aws_sdk_efs::Client,
    /// ElastiCache.
    pub elasticache: aws_sdk_elasticache::Client,
    /// Elastic Load Balancing v2.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// GuardDuty.
    pub guardduty: aws_sdk_guardduty::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// Kinesis Data Streams.
    pub kinesis: aws_sdk_kinesis::Client,
    /// KMS.
    pub kms: aws_sdk_kms::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// RDS.
    pub rds: aws_sdk_rds::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// Resource Groups Tagging API.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// WAFv2.
    pub wafv2: aws_sdk_wafv2::Client,
}

/// Builds a service's client with our transport rules on it.
macro_rules! client {
    ($service:ident, $sdk:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($sdk)
                .interceptor(transport::Courtesy)
                .retry_classifier(clock::Again)
                .retry_classifier(too_many_requests())
                .retry_partition(reads_may_retry())
                .build(),
        )
    };
}

/// The SDK knows throttling by its codes, and `Throttled`, as SNS says, is none of them: botocore's model of SNS,
/// `ThrottledException`. The status is the same with all.
fn too_many_requests() -> HttpStatusCodeClassifier {
    HttpStatusCodeClassifier::new_from_codes(&[429_u16][..])
}

/// The SDK shares one bucket of retries among all clients of a service, and stops retrying when it is empty. We only
/// let it retry reads, where that limit has no use.
fn reads_may_retry() -> RetryPartition {
    RetryPartition::custom("tapctl").token_bucket(TokenBucket::unlimited()).build()
}

/// The ambient AWS configuration (environment, profile, SSO, instance role), with our transport under it.
async fn sdk_config(region: &str, clock: &Clock, gate: &Gate) -> SdkConfig {
    let client = transport::paced_client(clock.clone(), gate.clone());
    settings(region).http_client(client).time_source(clock.clone()).load().await
}

fn settings(region: &str) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .stalled_stream_protection(transport::stalls())
        .retry_config(RetryConfig::standard().with_max_attempts(8).with_initial_backoff(transport::FIRST_BACKOFF))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(transport::CONNECT_TIMEOUT)
                .read_timeout(transport::ANSWER_TIMEOUT)
                .build(),
        )
}

impl Aws {
    /// Makes the clients and asks AWS whose credentials these are.
    ///
    /// # Errors
    /// Where there are no credentials, or AWS refuses them, or the environment names an endpoint that is none.
    pub async fn connect(region: &str) -> Result<Aws> {
        endpoints::check()?;
        let (clock, gate) = (Clock::default(), Gate::default());
        let sdk = sdk_config(region, &clock, &gate).await;
        let identity = client!(aws_sdk_sts, &sdk).get_caller_identity().send().await?;
        let account = identity.account.ok_or_else(|| Fault::unexpected("GetCallerIdentity gave no account"))?;
        let partition = identity
            .arn
            .as_deref()
            .and_then(|arn| arn.split(':').nth(1))
            .ok_or_else(|| Fault::unexpected("GetCallerIdentity gave no ARN"))?;
        Ok(Aws {
            account,
            clock,
            gate,
            region: region.to_owned(),
            partition: partition.to_owned(),
            acm: client!(aws_sdk_acm, &sdk),
            apigateway: client!(aws_sdk_apigateway, &sdk),
            apigatewayv2: client!(aws_sdk_apigatewayv2, &sdk),
            autoscaling: client!(aws_sdk_applicationautoscaling, &sdk),
            cloudtrail: client!(aws_sdk_cloudtrail, &sdk),
            cloudwatch: client!(aws_sdk_cloudwatch, &sdk),
            cognito: client!(aws_sdk_cognitoidentityprovider, &sdk),
            ec2: client!(aws_sdk_ec2, &sdk),
            ecs: client!(aws_sdk_ecs, &sdk),
            efs: client!(aws_sdk_efs, &sdk),
            elasticache: client!(aws_sdk_elasticache, &sdk),
            elbv2: client!(aws_sdk_elasticloadbalancingv2, &sdk),
            guardduty: client!(aws_sdk_guardduty, &sdk),
            iam: client!(aws_sdk_iam, &sdk),
            kinesis: client!(aws_sdk_kinesis, &sdk),
            kms: client!(aws_sdk_kms, &sdk),
            logs: client!(aws_sdk_cloudwatchlogs, &sdk),
            rds: client!(aws_sdk_rds, &sdk),
            s3: client!(aws_sdk_s3, &sdk),
            secrets: client!(aws_sdk_secretsmanager, &sdk),
            sns: client!(aws_sdk_sns, &sdk),
            tagging: client!(aws_sdk_resourcegroupstagging, &sdk),
            wafv2: client!(aws_sdk_wafv2, &sdk),
        })
    }

    /// From now on calls that would change something leave only while `allowed` says so; it is asked right before each.
    pub fn change_only_while(&self, allowed: impl Fn() -> bool + Send + Sync + 'static) {
        self.gate.guard(allowed);
    }

    /// How many seconds AWS's clock is ahead of this machine's, where they are too far apart to sign by this machine's.
    pub fn seconds_ahead(&self) -> Option<i64> {
        self.clock.ahead()
    }

    /// AWS's time, as far as it is known.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// An ARN in this partition, region and account.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}

/// What a call gave, if the object it asks for exists.
pub trait IfPresent<T> {
    /// `None` in place of a fault that means the object does not exist.
    ///
    /// # Errors
    /// Every other fault.
    fn if_present(self) -> Result<Option<T>>;
}

impl<T, E: Into<Fault>> IfPresent<T> for std::result::Result<T, E> {
    fn if_present(self) -> Result<Option<T>> {
        match self.map_err(Into::into) {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.class == Class::Absent => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// A field that AWS always fills but its model calls optional.
pub trait Always<T> {
    /// The value.
    ///
    /// # Errors
    /// Names the field where AWS left it out.
    fn always(self, field: &str) -> Result<T>;
}

impl<T> Always<T> for Option<T> {
    fn always(self, field: &str) -> Result<T> {
        self.ok_or_else(|| Fault::unexpected(format!("AWS gave no {field}")))
    }
}
