//! Token buckets for the control planes whose limits are known, so that throttling is avoided, not suffered.
//!
//! Rates are AWS's documented ones for API Gateway and for VPC endpoints; the others are what the field has found to
//! hold. An operation may draw from several buckets: its own and its service's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// One bucket: which operations draw from it, how many may go at once, and how fast it refills.
#[derive(Debug)]
struct Limit {
    name: &'static str,
    draws: fn(&str) -> bool,
    burst: f64,
    per_second: f64,
}

const fn limit(name: &'static str, burst: f64, per_second: f64, draws: fn(&str) -> bool) -> Limit {
    Limit { name, draws, burst, per_second }
}

/// Names are `service:Operation` as the SDK spells them.
const LIMITS: &[Limit] = &[
    limit("api-gateway", 40.0, 10.0, |op| op.starts_with("API Gateway:") || op.starts_with("ApiGatewayV2:")),
    limit("api-gateway-create", 1.0, 1.0 / 3.0, |op| op == "API Gateway:CreateRestApi"),
    limit("api-gateway-put", 1.0, 1.0, |op| op == "API Gateway:PutRestApi"),
    limit("api-gateway-resources", 5.0, 2.5, |op| op == "API Gateway:GetResources"),
    limit("api-gateway-deployment", 1.0, 0.2, |op| op == "API Gateway:CreateDeployment"),
    limit("api-gateway-delete", 1.0, 1.0 / 30.0, |op| op == "API Gateway:DeleteRestApi"),
    limit("api-gateway-account", 1.0, 0.05, |op| op == "API Gateway:UpdateAccount"),
    limit("api-gateway-usage-plan", 1.0, 0.05, |op| op == "API Gateway:UpdateUsagePlan"),
    limit("api-gateway-link", 1.0, 1.0 / 15.0, |op| op == "ApiGatewayV2:CreateVpcLink"),
    limit("api-gateway-link-delete", 1.0, 1.0 / 30.0, |op| op == "ApiGatewayV2:DeleteVpcLink"),
    limit("alarm-put", 8.0, 3.5, |op| op == "CloudWatch:PutMetricAlarm"),
    limit("alarm-delete", 8.0, 3.5, |op| op == "CloudWatch:DeleteAlarms"),
    limit("ec2-endpoints", 4.0, 0.3, |op| {
        op.starts_with("EC2:") && op.contains("VpcEndpoint") && !op.contains("Describe")
    }),
    limit("ec2-nat", 10.0, 1.0, |op| op == "EC2:CreateNatGateway" || op == "EC2:DeleteNatGateway"),
    limit("ecs-register", 5.0, 1.0, |op| op == "ECS:RegisterTaskDefinition"),
    limit("elb-create", 10.0, 0.2, |op| op == "Elastic Load Balancing v2:CreateLoadBalancer"),
    limit("kinesis-streams", 5.0, 5.0, |op| matches!(op, "Kinesis:CreateStream" | "Kinesis:DeleteStream")),
    limit("log-groups", 5.0, 5.0, |op| op == "CloudWatch Logs:DescribeLogGroups"),
    limit("kms-create", 5.0, 5.0, |op| matches!(op, "KMS:CreateKey" | "KMS:CreateAlias")),
];

/// What a call that has to wait waits besides: AWS counts when calls arrive, and the first one, which still connects, takes
/// longer on its way than those it is to make room for. Where AWS takes few, a quarter of the time between two of them and
/// at most a second, since each that comes too early costs more.
fn slack(limit: &Limit) -> Duration {
    Duration::from_secs_f64((0.25 / limit.per_second).clamp(0.25, 1.0))
}

#[derive(Debug, Clone, Copy)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// The buckets' levels.
#[derive(Debug)]
pub(super) struct Pace {
    limits: &'static [Limit],
    levels: Mutex<HashMap<&'static str, Level>>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { limits: LIMITS, levels: Mutex::default() }
    }
}

impl Pace {
    /// One call of anything every `pause`.
    #[cfg(test)]
    pub(super) fn every(pause: Duration) -> Self {
        let limit = limit("test", 1.0, 1.0 / pause.as_secs_f64(), |_| true);
        Pace { limits: Box::leak(Box::new([limit])), ..Pace::default() }
    }

    /// Returns once this operation may be sent.
    pub(super) async fn turn(&self, operation: &str) {
        let now = Instant::now();
        let pause = self.reserve(operation, now);
        if pause > Duration::ZERO {
            tracing::debug!(operation, ?pause, "held back for AWS's rate limit");
            let unsent = Unsent { pace: self, operation };
            let slack = self.drawn_by(operation).map(slack).max().unwrap_or_default();
            tokio::time::sleep_until(now + pause + slack).await;
            std::mem::forget(unsent);
        }
    }

    /// Puts back what an operation took that was not sent after all.
    fn give_back(&self, operation: &str) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        for limit in self.drawn_by(operation) {
            if let Some(level) = levels.get_mut(limit.name) {
                level.tokens = (level.tokens + 1.0).min(limit.burst);
            }
        }
    }

    /// Takes a token from every bucket the operation draws from, and tells how long until all of them are there.
    fn reserve(&self, operation: &str, now: Instant) -> Duration {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        self.drawn_by(operation).map(|limit| draw(&mut levels, limit, now)).max().unwrap_or_default()
    }

    fn drawn_by(&self, operation: &str) -> impl Iterator<Item = &'static Limit> {
        self.limits.iter().filter(move |limit| (limit.draws)(operation))
    }
}

/// An operation that waits for its turn. Dropped before that, because its time or the run is over, it gives its tokens
/// back: otherwise tries that were never sent would put off the next ones ever further.
struct Unsent<'a> {
    pace: &'a Pace,
    operation: &'a str,
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        self.pace.give_back(self.operation);
    }
}

/// Takes one token, into debt if need be; the debt is the pause.
fn draw(levels: &mut HashMap<&'static str, Level>, limit: &Limit, now: Instant) -> Duration {
    let level = levels.entry(limit.name).or_insert(Level { tokens: limit.burst, at: now });
    let refill = now.duration_since(level.at).as_secs_f64() * limit.per_second;
    level.tokens = (level.tokens + refill).min(limit.burst) - 1.0;
    level.at = now;
    Duration::from_secs_f64((-level.tokens).max(0.0) / limit.per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_deletion_of_an_api_waits_thirty_seconds() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.reserve("API Gateway:DeleteRestApi", now), Duration::ZERO);
        assert_eq!(pace.reserve("API Gateway:DeleteRestApi", now), Duration::from_secs(30));
    }

    #[test]
    fn the_alarms_of_a_stack_are_spread_over_some_seconds() {
        let (pace, now) = (Pace::default(), Instant::now());
        let pauses: Vec<Duration> = (0..30).map(|_| pace.reserve("CloudWatch:PutMetricAlarm", now)).collect();
        assert_eq!(pauses[7], Duration::ZERO, "8 at once");
        assert_eq!(pauses[29], Duration::from_secs_f64(22.0 / 3.5), "then 22 at 3.5 a second");
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (pace, now) = (Pace::default(), Instant::now());
        let pauses: Vec<Duration> = (0..60).map(|_| pace.reserve("API Gateway:GetStage", now)).collect();
        assert_eq!(pauses[39], Duration::ZERO, "40 at once");
        assert_eq!(pauses[59], Duration::from_secs(2), "then 20 at 10 a second");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_does_not_hold_up_the_others() {
        let (pace, start) = (Pace::default(), Instant::now());
        pace.turn("API Gateway:UpdateUsagePlan").await;
        for _ in 0..5 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), pace.turn("API Gateway:UpdateUsagePlan"));
            assert!(given_up.await.is_err());
        }
        let next = pace.reserve("API Gateway:UpdateUsagePlan", start);
        assert!(next <= Duration::from_secs(20), "{next:?}");
    }

    #[test]
    fn other_operations_are_not_held_back() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert!((0..1000).all(|_| pace.reserve("EC2:DescribeVpcs", now) == Duration::ZERO));
    }
}
