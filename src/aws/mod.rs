//! Talking to AWS: the clients, what their errors mean, how fast they may be called.

mod clock;
mod credentials;
mod discreet;
mod endpoints;
pub mod errors;
mod faults;
mod fips;
pub mod index;
mod pace;
mod profile;
mod reach;
pub mod sharing;
pub mod tags;
mod transport;
mod trust;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_types::sdk_config::TimeSource;

pub use self::credentials::AskCode;
pub use self::endpoints::Endpoints;
pub use self::profile::Profiles;
pub use self::reach::Tell;

use self::clock::Clock;
use self::fips::ByService;
use self::reach::Reach;
use self::transport::Gate;
use crate::config::regions;
use crate::error::{Class, Fault, Result};
use crate::resource;

/// What a kind gets for one call to AWS.
pub type Cx<'a> = resource::Cx<'a, Aws>;

/// Where and as whom AWS is asked.
#[derive(Clone)]
pub struct Login {
    /// The region, as `us-east-1`.
    pub region: String,
    /// The profile that a person names, before what the environment names.
    pub profile: Option<String>,
    /// Asks for an MFA code; none where nobody can be asked.
    pub ask: Option<AskCode>,
    /// Takes remarks while AWS does not answer.
    pub tell: Tell,
}

impl Login {
    /// As the environment says, with nobody to ask or to tell.
    pub fn to(region: &str) -> Self {
        Login { region: region.to_owned(), profile: None, ask: None, tell: Arc::new(|_| {}) }
    }
}

/// A client for each service, and whose account it is.
pub struct Aws {
    /// Account id, twelve digits.
    pub account: String,
    /// Region, as `us-east-1`.
    pub region: String,
    /// Partition: `aws` or `aws-us-gov`.
    pub partition: String,
    /// Where calls go, where that is not AWS.
    pub endpoints: Endpoints,
    /// What a person should know of how AWS is asked.
    pub remarks: Vec<String>,
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
    /// AWS Backup.
    pub backup: aws_sdk_backup::Client,
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
async fn sdk_config(login: &Login, profiles: &Profiles, clock: &Clock, gate: &Gate) -> Result<SdkConfig> {
    let reach = Reach::new(login.tell.clone());
    let client = transport::paced_client(clock.clone(), gate.clone(), reach, trust::context(profiles)?);
    let loader = settings(&login.region).http_client(client).time_source(clock.clone());
    let loader = match &login.profile {
        Some(name) => loader.profile_name(name),
        None => loader,
    };
    credentials::choose(loader.load().await, profiles, login.profile.as_deref(), login.ask.clone())
}

/// Whose credentials these are.
struct Identity {
    account: String,
    partition: String,
}

async fn identity(sdk: &SdkConfig) -> Result<Identity> {
    let identity = client!(aws_sdk_sts, sdk).get_caller_identity().send().await?;
    let account = identity.account.ok_or_else(|| Fault::unexpected("GetCallerIdentity gave no account"))?;
    let partition = identity.arn.as_deref().and_then(|arn| arn.split(':').nth(1));
    let partition = partition.ok_or_else(|| Fault::unexpected("GetCallerIdentity gave no ARN"))?.to_owned();
    match regions::PARTITIONS.contains(&partition.as_str()) {
        true => Ok(Identity { account, partition }),
        false => Err(Fault::invalid(format!(
            "these credentials are of the partition {partition}; allowed: {}",
            regions::PARTITIONS.join(" and ")
        ))),
    }
}

/// What it means that AWS does not take the credentials. A region that an account has not enabled answers as if they were
/// wrong; the one that is always enabled tells: IAM User Guide, "Manage AWS STS in an AWS Region".
async fn refused(sdk: &SdkConfig, region: &str, fault: Fault) -> Fault {
    let home = regions::home(regions::partition(region));
    if fault.code != "InvalidClientTokenId" || region == home {
        return fault;
    }
    let at_home = sdk.to_builder().region(Region::new(home)).build();
    match identity(&at_home).await {
        Ok(Identity { account, .. }) => {
            let text = format!(
                "{region} does not take credentials that {home} takes: it is not enabled in account {account}, or they are a \
                 session token of version 1, as the global endpoint of STS gives it"
            );
            let advice =
                format!("enable {region} in the account, or get the credentials from a regional endpoint of STS");
            Fault { operation: fault.operation, ..Fault::new(Class::Invalid, "RegionNotEnabled", text) }
                .with_advice(advice)
        }
        Err(_) => {
            let advice = format!(
                "renew the credentials and run again; it goes on from here. Where they are good, {region} may not be enabled \
                 in the account"
            );
            fault.with_advice(advice)
        }
    }
}

/// Longest time to get credentials. A person may be asked for a code, by us or by a process of theirs; the SDK's own limit
/// is five seconds.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(300);

fn settings(region: &str) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .stalled_stream_protection(transport::stalls())
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build())
        .retry_config(RetryConfig::standard().with_max_attempts(8).with_initial_backoff(transport::FIRST_BACKOFF))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(transport::CONNECT_TIMEOUT)
                .read_timeout(transport::ANSWER_TIMEOUT)
                .build(),
        )
}

impl Aws {
    /// As [`connect_as`](Self::connect_as), as the environment says.
    ///
    /// # Errors
    /// The same.
    pub async fn connect(region: &str) -> Result<Aws> {
        let profiles = Profiles::load(None).await?;
        Aws::connect_as(&Login::to(region), &profiles).await
    }

    /// Makes the clients and asks AWS whose credentials these are.
    ///
    /// # Errors
    /// Where there are no credentials, or AWS refuses them, or an endpoint is none, or the partition is not ours.
    pub async fn connect_as(login: &Login, profiles: &Profiles) -> Result<Aws> {
        endpoints::check(profiles)?;
        let (clock, gate) = (Clock::default(), Gate::default());
        let sdk = sdk_config(login, profiles, &clock, &gate).await?;
        let endpoints = Endpoints::of(&sdk, profiles)?;
        fips::check(&sdk, &endpoints, profiles)?;
        let sdk = ByService::new(sdk, &login.region);
        match identity(sdk.of("sts")).await {
            Ok(identity) => Ok(Aws::made_of(&sdk, identity, &login.region, (clock, gate), endpoints)),
            Err(fault) if fault.class == Class::Credentials => {
                let fault = refused(sdk.of("sts"), &login.region, fault).await;
                Err(match profiles.login_hint().filter(|_| fault.advice.is_none()) {
                    Some(hint) => fault.with_advice(hint),
                    None => fault,
                })
            }
            Err(fault) => Err(fault),
        }
    }

    fn made_of(sdk: &ByService, identity: Identity, region: &str, shared: (Clock, Gate), endpoints: Endpoints) -> Aws {
        let unsealed = endpoints.unsealed().into_iter().map(|host| {
            format!("{host} is asked without TLS: signed requests and passwords can be read on the way; use https://")
        });
        let (clock, gate) = shared;
        Aws {
            account: identity.account,
            clock,
            gate,
            region: region.to_owned(),
            partition: identity.partition,
            remarks: unsealed.chain(sdk.remark()).collect(),
            endpoints,
            acm: client!(aws_sdk_acm, sdk.of("acm")),
            apigateway: client!(aws_sdk_apigateway, sdk.of("apigateway")),
            apigatewayv2: client!(aws_sdk_apigatewayv2, sdk.of("apigateway")),
            autoscaling: client!(aws_sdk_applicationautoscaling, sdk.of("application-autoscaling")),
            backup: client!(aws_sdk_backup, sdk.of("backup")),
            cloudtrail: client!(aws_sdk_cloudtrail, sdk.of("cloudtrail")),
            cloudwatch: client!(aws_sdk_cloudwatch, sdk.of("monitoring")),
            cognito: client!(aws_sdk_cognitoidentityprovider, sdk.of("cognito-idp")),
            ec2: client!(aws_sdk_ec2, sdk.of("ec2")),
            ecs: client!(aws_sdk_ecs, sdk.of("ecs")),
            efs: client!(aws_sdk_efs, sdk.of("elasticfilesystem")),
            elasticache: client!(aws_sdk_elasticache, sdk.of("elasticache")),
            elbv2: client!(aws_sdk_elasticloadbalancingv2, sdk.of("elasticloadbalancing")),
            guardduty: client!(aws_sdk_guardduty, sdk.of("guardduty")),
            iam: client!(aws_sdk_iam, sdk.of("iam")),
            kinesis: client!(aws_sdk_kinesis, sdk.of("kinesis")),
            kms: client!(aws_sdk_kms, sdk.of("kms")),
            logs: client!(aws_sdk_cloudwatchlogs, sdk.of("logs")),
            rds: client!(aws_sdk_rds, sdk.of("rds")),
            s3: client!(aws_sdk_s3, sdk.of("s3")),
            secrets: client!(aws_sdk_secretsmanager, sdk.of("secretsmanager")),
            sns: client!(aws_sdk_sns, sdk.of("sns")),
            tagging: client!(aws_sdk_resourcegroupstagging, sdk.of("tagging")),
            wafv2: client!(aws_sdk_wafv2, sdk.of("wafv2")),
        }
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
