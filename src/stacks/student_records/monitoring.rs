//! S14: what wakes people, how they hear of it, and one page that shows everything.

use std::collections::BTreeMap;

use super::super::watch::{ABOVE, Watch, dimensions, watch};
use super::api::Api;
use super::compute::Compute;
use super::data::Data;
use super::ingress::Ingress;
use super::keys::Keys;
use super::{Builder, Class};
use crate::resources::logs::{LogGroup, MetricFilter};
use crate::stack::Node;

/// Percent of a node's or task's CPU, memory or capacity that leaves too little for a bad hour.
const BUSY_PERCENT: f64 = 85.0;
/// Connections a PostgreSQL on Aurora takes for each capacity unit, and at most where it may shrink to half a unit or
/// less: user guide of Aurora, "Maximum connections for Aurora Serverless v2".
const CONNECTIONS_PER_ACU: f64 = 200.0;
const CONNECTIONS_WHEN_SMALL: f64 = 2000.0;
/// How old the oldest unread event may be, in milliseconds.
const ITERATOR_AGE_MS: f64 = 60_000.0;

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
        watches.extend(service_watches(watched));
        watches.extend(self.database_watches(watched.data));
        watches.extend(self.cache_watches());
        watches.extend(stream_watches(watched.data));
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
        let mut most = settings.max_acu * CONNECTIONS_PER_ACU;
        if settings.min_acu <= 0.5 {
            most = most.min(CONNECTIONS_WHEN_SMALL);
        }
        let cluster = dimensions([("DBClusterIdentifier", data.database.cluster_identifier())]);
        let watch = |thing, description, metric, statistic, threshold| {
            watch(thing, description, "AWS/RDS", metric, &cluster, statistic, threshold, 5)
        };
        vec![
            watch("database-acu", "The database nears its largest capacity", "ACUUtilization", "Average", BUSY_PERCENT),
            watch(
                "database-connections",
                "The database nears its most connections",
                "DatabaseConnections",
                "Maximum",
                (most * BUSY_PERCENT / 100.0).floor(),
            ),
        ]
    }

    /// ElastiCache measures each node, and numbers them.
    fn cache_watches(&self) -> Vec<Watch> {
        let mut watches = Vec::new();
        for number in 1..=self.config.cache.nodes {
            let node = format!("{}-{number:03}", self.name("redis"));
            let node = dimensions([("CacheClusterId", node.as_str().into())]);
            let mut add = |thing: &str, description, metric, statistic, threshold| {
                let thing = format!("cache-{thing}-{number}");
                watches.push(watch(&thing, description, "AWS/ElastiCache", metric, &node, statistic, threshold, 5));
            };
            add("cpu", "A node of the cache is busy", "CPUUtilization", "Average", BUSY_PERCENT);
            add("memory", "A node of the cache fills up", "DatabaseMemoryUsagePercentage", "Average", BUSY_PERCENT);
            add("evictions", "The cache drops answers for want of memory", "Evictions", "Sum", 0.0);
        }
        watches
    }

    /// CloudTrail hears of it within minutes; the key is still there for at least a week.
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
            minutes: 1,
        }
    }
}

fn service_watches(watched: &Watched) -> Vec<Watch> {
    let targets = dimensions([
        ("LoadBalancer", watched.ingress.balancer.full_name()),
        ("TargetGroup", watched.ingress.targets.full_name()),
    ]);
    let service = dimensions([
        ("ClusterName", watched.compute.cluster.cluster_name()),
        ("ServiceName", watched.compute.service.service_name()),
    ]);
    let busy =
        |thing, description, metric| watch(thing, description, "AWS/ECS", metric, &service, "Average", BUSY_PERCENT, 5);
    vec![
        watch(
            "unhealthy-hosts",
            "A task does not pass its health checks",
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            &targets,
            "Maximum",
            0.0,
            3,
        ),
        busy("service-cpu", "The tasks are busy", "CPUUtilization"),
        busy("service-memory", "The tasks run out of memory", "MemoryUtilization"),
    ]
}

fn stream_watches(data: &Data) -> Vec<Watch> {
    let stream = dimensions([("StreamName", data.stream.stream_name())]);
    let watch = |thing, description, metric, statistic, threshold| {
        watch(thing, description, "AWS/Kinesis", metric, &stream, statistic, threshold, 5)
    };
    vec![
        watch(
            "stream-iterator-age",
            "Events wait to be read",
            "GetRecords.IteratorAgeMilliseconds",
            "Maximum",
            ITERATOR_AGE_MS,
        ),
        watch(
            "stream-throttled",
            "Events are turned away, the shards are full",
            "WriteProvisionedThroughputExceeded",
            "Sum",
            0.0,
        ),
    ]
}
