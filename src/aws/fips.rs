//! AWS's FIPS and dual-stack endpoints. The SDK makes up a host name for every service, also where AWS has no such host.

use aws_config::SdkConfig;

use super::endpoints::Endpoints;
use super::profile::Profiles;
use crate::error::{Class, Fault, Result};

const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");

/// Services by the names in their hosts, and the regions with a FIPS endpoint: botocore's `endpoints.json`.
#[rustfmt::skip]
const REGIONS: [(&str, &[&str]); 24] = [
    ("acm", &["us-", "ca-"]),
    ("apigateway", &["us-", "ca-"]),
    ("application-autoscaling", &["us-gov-"]),
    ("backup", &[]),
    ("cloudtrail", &["us-"]),
    ("cognito-idp", &["us-"]),
    ("ec2", &["us-", "ca-"]),
    ("ecs", &["us-"]),
    ("elasticache", &["us-"]),
    ("elasticfilesystem", &[""]),
    ("elasticloadbalancing", &["us-"]),
    ("guardduty", &["us-", "ca-west-1"]),
    ("iam", &[""]),
    ("kinesis", &["us-"]),
    ("kms", &[""]),
    ("logs", &["us-", "ca-"]),
    ("monitoring", &["us-"]),
    ("rds", &["us-", "ca-"]),
    ("s3", &["us-", "ca-"]),
    ("secretsmanager", &["us-", "ca-"]),
    ("sns", &["us-", "ca-west-1"]),
    ("sts", &["us-"]),
    ("tagging", &[]),
    ("wafv2", &[""]),
];

fn has_fips(service: &str, region: &str) -> bool {
    let regions = REGIONS.iter().find(|(name, _)| *name == service).map(|(_, regions)| *regions);
    regions.is_some_and(|regions| regions.iter().any(|prefix| region.starts_with(prefix)))
}

/// The configuration of each service: the same for all, but without FIPS where AWS has no such endpoint.
pub(super) struct ByService {
    sdk: SdkConfig,
    plain: SdkConfig,
    region: String,
}

impl ByService {
    pub(super) fn new(sdk: SdkConfig, region: &str) -> Self {
        let plain = sdk.to_builder().use_fips(false).build();
        ByService { sdk, plain, region: region.to_owned() }
    }

    /// Of the service with this name in its hosts.
    pub(super) fn of(&self, service: &str) -> &SdkConfig {
        if has_fips(service, &self.region) { &self.sdk } else { &self.plain }
    }

    /// What is asked without FIPS though it was asked for.
    pub(super) fn remark(&self) -> Option<String> {
        let wanted = self.sdk.use_fips() == Some(true);
        let without = REGIONS.iter().map(|(service, _)| *service).filter(|service| !has_fips(service, &self.region));
        let without: Vec<&str> = without.filter(|_| wanted).collect();
        (!without.is_empty()).then(|| {
            let region = &self.region;
            format!("AWS has no FIPS endpoint in {region} for {}; the ordinary one is asked", without.join(", "))
        })
    }
}

/// Refuses FIPS or dual-stack endpoints beside one that is not AWS's: the SDK takes only one of both.
///
/// # Errors
/// Names the variable or the profile.
pub(super) fn check(sdk: &SdkConfig, endpoints: &Endpoints, profiles: &Profiles) -> Result<()> {
    let Some(words) = endpoints.words() else { return Ok(()) };
    for (on, (variable, key)) in [(sdk.use_fips(), FIPS), (sdk.use_dual_stack(), DUAL_STACK)] {
        if on == Some(true) {
            let by = match std::env::var_os(variable) {
                Some(_) => variable.to_owned(),
                None => format!("{key} of the {}", profiles.selected()),
            };
            let text = format!("{by} is true, and calls go elsewhere: {words}; allowed: only one of both");
            return Err(Fault::new(Class::Invalid, "InvalidEndpoint", text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_sts::config::Credentials;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_types::body::SdkBody;

    use super::super::reach::host_of;
    use super::*;

    /// Writes down which hosts are asked, and answers that it knows nothing.
    #[derive(Debug, Clone, Default)]
    struct Hosts(Arc<Mutex<Vec<String>>>);

    impl HttpClient for Hosts {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Hosts {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.0.lock().unwrap().push(host_of(request.uri()).to_owned());
            HttpConnectorFuture::ready(Ok(HttpResponse::new(400.try_into().unwrap(), SdkBody::empty())))
        }
    }

    /// The hosts that some services are asked at, with FIPS, in this region.
    async fn asked(region: &'static str) -> Vec<String> {
        let hosts = Hosts::default();
        let sdk = super::super::settings(region)
            .use_fips(true)
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(hosts.clone())
            .load()
            .await;
        let by = ByService::new(sdk, region);
        let _ = aws_sdk_sts::Client::new(by.of("sts")).get_caller_identity().send().await;
        let _ = aws_sdk_resourcegroupstagging::Client::new(by.of("tagging")).get_resources().send().await;
        let scaling = aws_sdk_applicationautoscaling::Client::new(by.of("application-autoscaling"));
        let ecs = aws_sdk_applicationautoscaling::types::ServiceNamespace::Ecs;
        let _ = scaling.describe_scalable_targets().service_namespace(ecs).send().await;
        let _ = aws_sdk_ec2::Client::new(by.of("ec2")).describe_vpcs().send().await;
        let _ = aws_sdk_kms::Client::new(by.of("kms")).list_keys().send().await;
        let _ = aws_sdk_iam::Client::new(by.of("iam")).list_roles().send().await;
        hosts.0.lock().unwrap().clone()
    }

    /// The names are those of botocore's `endpoints.json`.
    #[tokio::test]
    async fn only_hosts_that_exist_are_asked() {
        assert_eq!(
            asked("us-east-1").await,
            [
                "sts-fips.us-east-1.amazonaws.com",
                "tagging.us-east-1.amazonaws.com",
                "application-autoscaling.us-east-1.amazonaws.com",
                "ec2-fips.us-east-1.amazonaws.com",
                "kms-fips.us-east-1.amazonaws.com",
                "iam-fips.amazonaws.com",
            ]
        );
        assert_eq!(
            asked("us-gov-west-1").await,
            [
                "sts.us-gov-west-1.amazonaws.com",
                "tagging.us-gov-west-1.amazonaws.com",
                "application-autoscaling.us-gov-west-1.amazonaws.com",
                "ec2.us-gov-west-1.amazonaws.com",
                "kms-fips.us-gov-west-1.amazonaws.com",
                "iam.us-gov.amazonaws.com",
            ]
        );
    }

    #[tokio::test]
    async fn what_has_no_fips_endpoint_is_told_where_one_was_wanted() {
        let remark = async |fips: bool, region: &'static str| {
            let sdk = super::super::settings(region).use_fips(fips).no_credentials().load().await;
            ByService::new(sdk, region).remark()
        };
        assert_eq!(
            remark(true, "us-east-1").await.as_deref(),
            Some(
                "AWS has no FIPS endpoint in us-east-1 for application-autoscaling, backup, tagging; the ordinary one is asked"
            )
        );
        assert_eq!(remark(false, "us-east-1").await, None);
        let far = remark(true, "eu-west-1").await.unwrap();
        assert!(far.contains("ec2, ecs") && !far.contains("kms"), "{far}");
    }
}
