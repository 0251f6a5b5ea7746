//! How a service deploys its tasks, and where a load balancer reaches them.

use aws_sdk_ecs::types::{DeploymentCircuitBreaker, DeploymentConfiguration, LoadBalancer};

use crate::resources::prelude::*;

/// How a service goes from one task definition to the next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    /// Whether ECS gives up a deployment whose tasks keep failing.
    pub circuit_breaker: bool,
    /// Whether it then goes back to the last deployment that completed.
    pub rollback: bool,
    /// Percent of the desired count that stays healthy meanwhile, 0-100.
    pub min_healthy_percent: i32,
    /// Percent of the desired count that may run meanwhile, 100-200.
    pub max_percent: i32,
}

/// Where a load balancer reaches the tasks of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The target group, of type `ip`.
    pub target_group_arn: Out<String>,
    /// The container's name.
    pub container_name: String,
    /// The port it listens on.
    pub container_port: i32,
}

impl Deployment {
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let (min, max) = (self.min_healthy_percent, self.max_percent);
        if !(0..=100).contains(&min) || !(100..=200).contains(&max) {
            return Err(format!(
                "deployment has min_healthy_percent {min} and max_percent {max}; AWS allows 0-100 and 100-200"
            ));
        }
        if min == max {
            return Err("deployment has min_healthy_percent and max_percent 100; it could never begin".into());
        }
        if self.rollback && !self.circuit_breaker {
            return Err("deployment.rollback is on and circuit_breaker off; only a circuit breaker rolls back".into());
        }
        Ok(())
    }

    pub(super) fn to_ecs(&self) -> DeploymentConfiguration {
        let breaker = DeploymentCircuitBreaker::builder().enable(self.circuit_breaker).rollback(self.rollback);
        DeploymentConfiguration::builder()
            .deployment_circuit_breaker(breaker.build())
            .minimum_healthy_percent(self.min_healthy_percent)
            .maximum_percent(self.max_percent)
            .build()
    }

    /// AWS's defaults stand where it names nothing.
    pub(super) fn from_ecs(live: Option<&DeploymentConfiguration>) -> Self {
        let breaker = live.and_then(|live| live.deployment_circuit_breaker());
        Deployment {
            circuit_breaker: breaker.is_some_and(|breaker| breaker.enable()),
            rollback: breaker.is_some_and(|breaker| breaker.rollback()),
            min_healthy_percent: live.and_then(|live| live.minimum_healthy_percent()).unwrap_or(100),
            max_percent: live.and_then(|live| live.maximum_percent()).unwrap_or(200),
        }
    }
}

impl Target {
    pub(super) fn to_ecs(&self) -> Result<LoadBalancer> {
        Ok(LoadBalancer::builder()
            .target_group_arn(self.target_group_arn.get()?)
            .container_name(&self.container_name)
            .container_port(self.container_port)
            .build())
    }

    pub(super) fn from_ecs(live: &LoadBalancer) -> Self {
        Target {
            target_group_arn: live.target_group_arn().unwrap_or_default().into(),
            container_name: live.container_name().unwrap_or_default().to_owned(),
            container_port: live.container_port().unwrap_or_default(),
        }
    }
}
