//! S14: what wakes people, how they hear of it, and one page that shows everything.

use std::collections::BTreeMap;

use super::super::watch::{
    ABOVE, BELOW, SILENCE_IS_WELL, SILENCE_IS_WRONG, SILENCE_SAYS_NOTHING, Watch, dimensions, of_stream, tasks_missing,
    watch,
};
use super::api::Api;
use super::compute::Compute;
use super::data::Data;
use super::ingress::Ingress;
use super::keys::Keys;
use super::{Builder, Class};
use crate::resources::elasticache::ReplicationGroup;
use crate::resources::logs::{LogGroup, MetricFilter};
use crate::resources::rds::DbInstance;
use crate::stack::Node;

/// Percent of a node's or task's CPU, memory or capacity that leaves too little for a bad hour.
const BUSY_PERCENT: f64 = 85.0;
/// Connections a PostgreSQL on Aurora takes for each capacity unit, and at most where it may shrink to half a unit or
/// less, or at all: user guide of Aurora, "Maximum connections for Aurora Serverless v2".
const CONNECTIONS_PER_ACU: f64 = 200.0;
const CONNECTIONS_WHEN_SMALL: f64 = 2000.0;
const MOST_CONNECTIONS: f64 = 5000.0;
/// How old the oldest unread event may be, in milliseconds.
const ITERATOR_AGE_MS: f64 = 60_000.0;
/// Percent of its one core that leaves the cache's engine too little, and what that is of all cores of a node with two:
/// user guide of ElastiCache, "Which metrics should I monitor?".
const BUSY_ENGINE_PERCENT: f64 = 90.0;
const BUSY_OF_TWO_CORES_PERCENT: f64 = BUSY_ENGINE_PERCENT / 2.0;
/// CPU credits of a cache node that last for minutes only. A node that has none left is held to a share of its CPU.
const FEW_CREDITS: f64 = 5.0;
/// Days that a certificate should still be valid. ACM renews its own 60 days before they end, and tapctl one of its own
/// with the first run of `apply` in the last 30.
const CERTIFICATE_DAYS_LEFT: f64 = 30.0;
const FIVE_MINUTES: i32 = 300;
const DAY: i32 = 86_400;

/// The layers that are watched.
pub(super) struct Watched<'a> {
    pub data: &'a Data,
    pub ingress: &'a Ingress,
    pub compute: &'a Compute,
    pub api: &'a Api,
    pub trail: Option<&'a Node<LogGroup>>,
}

impl Builder<'_> {
    pub(super) fn monitoring(&mut self, keys: &Keys, watched: &Watched) {
        self.layer("cloudwatch", Class::Internal);
        let topic = self.alarm_topic(&keys.logs);
        let mut watches = self.api_watches(watched);
        watches.extend(self.service_watches(watched));
        watches.push(certificate_watch(watched.ingress));
        watches.extend(self.database_watches(watched.data));
        watches.extend(self.cache_watches(&watched.data.cache));
        watches.extend(self.stream_watches(watched.data));
        if let Some(group) = watched.trail {
            watches.push(self.key_deletion(group));
        }
        if self.config.monitoring.dashboard {
            self.dashboard("records", &watches);
        }
        for watch in watches {
            self.alarm(watch, &topic);
        }
    }

    fn api_watches(&self, watched: &Watched) -> Vec<Watch> {
        let of_stage =
            dimensions([("ApiName", self.name("records").as_str().into()), ("Stage", watched.api.stage.stage_name())]);
        let watch = |thing, description, metric, statistic, threshold, minutes| {
            watch(thing, description, "AWS/ApiGateway", metric, &of_stage, statistic, threshold, minutes)
        };
        vec![
            watch("api-5xx", "The API fails", "5XXError", "Sum", 5.0, 3),
            watch("api-latency-200ms", "95 % of answers take over 200 ms", "Latency", "p95", 200.0, 15),
            watch("api-latency-1s", "95 % of answers take over 1 s", "Latency", "p95", 1000.0, 5),
        ]
    }

    fn database_watches(&self, data: &Data) -> Vec<Watch> {
        let settings = &self.config.database;
        let mut most = (settings.max_acu * CONNECTIONS_PER_ACU).min(MOST_CONNECTIONS);
        if settings.min_acu <= 0.5 {
            most = most.min(CONNECTIONS_WHEN_SMALL);
        }
        let cluster = dimensions([("DBClusterIdentifier", data.database.cluster_identifier())]);
        let connections = watch(
            "database-connections",
            "The database nears its most connections",
            "AWS/RDS",
            "DatabaseConnections",
            &cluster,
            "Maximum",
            (most * BUSY_PERCENT / 100.0).floor(),
            5,
        );
        capacity_watches(&data.instances).chain([connections]).collect()
    }

    /// ElastiCache measures each node, by a number that none has twice.
    fn cache_watches(&self, cache: &Node<ReplicationGroup>) -> Vec<Watch> {
        let mut watches = Vec::new();
        for number in 1..=self.config.cache.nodes {
            let node = dimensions([("CacheClusterId", cache.member(number))]);
            let of_node = |thing: &str, description, metric, statistic, threshold| {
                let thing = format!("cache-{thing}-{number}");
                watch(&thing, description, "AWS/ElastiCache", metric, &node, statistic, threshold, 5)
            };
            let (busy, engine) = ("A node of the cache is busy", "The engine of a node of the cache is busy");
            watches.push(of_node("engine", engine, "EngineCPUUtilization", "Average", BUSY_ENGINE_PERCENT));
            if self.config.cache.has_two_cores() {
                watches.push(of_node("cpu", busy, "CPUUtilization", "Average", BUSY_OF_TWO_CORES_PERCENT));
            }
            if self.config.cache.is_burstable() {
                let few = "A node of the cache has used up its CPU credits";
                let few = of_node("credits", few, "CPUCreditBalance", "Average", FEW_CREDITS);
                // A node begins with none, and gets some within the hour.
                watches.push(Watch { comparison: BELOW, period: FIVE_MINUTES, periods: 12, points: 12, ..few });
            }
            let (full, metric) = ("A node of the cache fills up", "DatabaseMemoryUsagePercentage");
            watches.push(of_node("memory", full, metric, "Average", BUSY_PERCENT));
            let evicts = "The cache drops answers for want of memory";
            watches.push(of_node("evictions", evicts, "Evictions", "Sum", 0.0));
        }
        watches
    }

    /// CloudTrail tells some five minutes later, under the time of the call, and no alarm looks back further than its
    /// periods: so one value in a quarter of an hour is enough. The key is still there for at least a week.
    fn key_deletion(&mut self, trail: &Node<LogGroup>) -> Watch {
        let namespace = format!("StudentRecords/{}", self.config.env);
        let filter = self.stack.add(
            "key-deletion-filter",
            MetricFilter {
                log_group: trail.group_name(),
                name: self.name("key-deletion"),
                pattern: "{ ($.eventSource = \"kms.amazonaws.com\") && (($.eventName = \"ScheduleKeyDeletion\") || \
                          ($.eventName = \"DisableKey\")) }"
                    .into(),
                namespace: namespace.clone(),
                metric_name: "KeyDeletionScheduled".into(),
                value: "1".into(),
                default_value: None,
            },
        );
        Watch {
            thing: "key-deletion".into(),
            description: "A key was scheduled for deletion or disabled",
            namespace,
            metric: filter.metric_name(),
            dimensions: BTreeMap::new(),
            statistic: "Sum",
            comparison: ABOVE,
            threshold: 0.0,
            period: 60,
            periods: 15,
            points: 1,
            silence: SILENCE_IS_WELL,
        }
    }

    fn service_watches(&self, watched: &Watched) -> Vec<Watch> {
        let targets = dimensions([
            ("LoadBalancer", watched.ingress.balancer.full_name()),
            ("TargetGroup", watched.ingress.targets.full_name()),
        ]);
        let service = dimensions([
            ("ClusterName", watched.compute.cluster.cluster_name()),
            ("ServiceName", watched.compute.service.service_name()),
        ]);
        let of_targets = |thing, description, metric, statistic, threshold| {
            watch(thing, description, "AWS/ApplicationELB", metric, &targets, statistic, threshold, 3)
        };
        let busy = |thing, description, metric| {
            watch(thing, description, "AWS/ECS", metric, &service, "Average", BUSY_PERCENT, 5)
        };
        let (unhealthy, nobody) = ("A task does not pass its health checks", "No task answers");
        let nobody = of_targets("healthy-hosts", nobody, "HealthyHostCount", "Minimum", 1.0);
        vec![
            of_targets("unhealthy-hosts", unhealthy, "UnHealthyHostCount", "Maximum", 0.0),
            Watch { comparison: BELOW, silence: SILENCE_IS_WRONG, ..nobody },
            busy("service-cpu", "The tasks are busy", "CPUUtilization"),
            busy("service-memory", "The tasks run out of memory", "MemoryUtilization"),
            tasks_missing(&service, self.config.service.min_tasks),
        ]
    }

    fn stream_watches(&self, data: &Data) -> Vec<Watch> {
        let stream = dimensions([("StreamName", data.stream.stream_name())]);
        let (age, metric) = ("Events wait to be read", "GetRecords.IteratorAgeMilliseconds");
        let mut watches = of_stream(&stream, self.config.stream.readers);
        watches.push(watch("stream-iterator-age", age, "AWS/Kinesis", metric, &stream, "Maximum", ITERATOR_AGE_MS, 5));
        watches
    }
}

/// Each instance grows by itself, up to the largest capacity: readers that are idle would lower what the cluster has on
/// average, while the writer has no more to grow into.
fn capacity_watches(instances: &[Node<DbInstance>]) -> impl Iterator<Item = Watch> {
    let description = "An instance of the database nears its largest capacity";
    instances.iter().zip(1..).map(move |(instance, number)| {
        // The first alarm watched the whole cluster once, under this name.
        let thing = if number == 1 { "database-acu".to_owned() } else { format!("database-acu-{number}") };
        let instance = dimensions([("DBInstanceIdentifier", instance.instance_identifier())]);
        watch(&thing, description, "AWS/RDS", "ACUUtilization", &instance, "Maximum", BUSY_PERCENT, 5)
    })
}

/// ACM measures once a day, and no longer once the certificate has ended: then the alarm must stay as it is.
fn certificate_watch(ingress: &Ingress) -> Watch {
    let certificate = dimensions([("CertificateArn", ingress.certificate_arn.clone())]);
    let ends = watch(
        "certificate-expiry",
        "The load balancer's certificate ends soon, and then no call gets through: run tapctl apply",
        "AWS/CertificateManager",
        "DaysToExpiry",
        &certificate,
        "Minimum",
        CERTIFICATE_DAYS_LEFT,
        1,
    );
    Watch { comparison: BELOW, period: DAY, silence: SILENCE_SAYS_NOTHING, ..ends }
}
