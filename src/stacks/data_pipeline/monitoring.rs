//! P11: who watches: alarms, a dashboard, and GuardDuty.

use super::super::watch::{BELOW, Watch, dimensions, of_stream, tasks_missing, watch};
use super::api::Api;
use super::compute::Tasks;
use super::data::Data;
use super::{Builder, Class};
use crate::resources::guardduty::Detector;
use crate::resources::kms::Key;
use crate::stack::Node;

/// Percent of a task's or the database's CPU or memory that leaves too little for a bad hour.
const BUSY_PERCENT: f64 = 85.0;
/// Bytes of free storage that leave the time to add some.
const LITTLE_STORAGE: f64 = 2_147_483_648.0;
/// How many times the age at which there is another task records may reach before people hear of it.
const FAR_BEHIND: f64 = 5.0;

/// What GuardDuty looks at beside the trail, the flow logs and the name queries, and whether we have any of it.
const FEATURES: [(&str, bool); 8] = [
    ("AI_ANALYST", false),
    ("AI_PROTECTION", false),
    ("EBS_MALWARE_PROTECTION", false),
    ("EKS_AUDIT_LOGS", false),
    ("LAMBDA_NETWORK_LOGS", false),
    ("RDS_LOGIN_EVENTS", true),
    ("RUNTIME_MONITORING", false),
    ("S3_DATA_EVENTS", true),
];

/// The layers that are watched.
pub(super) struct Watched<'a> {
    pub data: &'a Data,
    pub tasks: &'a Tasks,
    pub api: &'a Api,
}

pub(super) fn monitoring(builder: &mut Builder, key: &Node<Key>, watched: &Watched) {
    builder.layer("cloudwatch", Class::Internal);
    let mut watches = Vec::from(of_the_api(builder, watched.api));
    watches.extend(of_the_stream(builder, watched.data));
    watches.extend(of_the_tasks(builder, watched.tasks));
    watches.extend(of_the_database(watched.data));
    if builder.config.monitoring.dashboard {
        builder.dashboard("ingest", &watches);
    }
    if builder.config.pipeline.alarms {
        let topic = builder.alarm_topic(key);
        for watch in watches {
            builder.alarm(watch, &topic);
        }
    }
    if builder.config.pipeline.guardduty {
        builder.layer("guardduty", Class::Internal);
        guardduty(builder);
    }
}

fn of_the_api(builder: &Builder, api: &Api) -> [Watch; 2] {
    let stage = dimensions([("ApiName", builder.name("api").as_str().into()), ("Stage", api.stage.stage_name())]);
    let watch = |thing, description, metric, threshold| {
        watch(thing, description, "AWS/ApiGateway", metric, &stage, "Sum", threshold, 3)
    };
    [
        watch("api-5xx", "The API fails", "5XXError", 5.0),
        watch("api-4xx", "Callers send what is refused", "4XXError", 50.0),
    ]
}

fn of_the_stream(builder: &Builder, data: &Data) -> Vec<Watch> {
    let stream = dimensions([("StreamName", data.stream.stream_name())]);
    let age_ms = f64::from(builder.config.pipeline.iterator_age_seconds) * 1000.0 * FAR_BEHIND;
    let mut watches = of_stream(&stream, builder.config.stream.readers);
    watches.push(watch(
        "stream-iterator-age",
        "Records wait to be read, and more tasks do not help",
        "AWS/Kinesis",
        "GetRecords.IteratorAgeMilliseconds",
        &stream,
        "Maximum",
        age_ms,
        5,
    ));
    watches
}

fn of_the_tasks(builder: &Builder, tasks: &Tasks) -> [Watch; 3] {
    let service =
        dimensions([("ClusterName", tasks.cluster.cluster_name()), ("ServiceName", tasks.service.service_name())]);
    let watch =
        |thing, description, metric| watch(thing, description, "AWS/ECS", metric, &service, "Average", BUSY_PERCENT, 5);
    [
        watch("tasks-cpu", "The tasks are busy", "CPUUtilization"),
        watch("tasks-memory", "The tasks run out of memory", "MemoryUtilization"),
        tasks_missing(&service, builder.config.service.min_tasks),
    ]
}

fn of_the_database(data: &Data) -> [Watch; 2] {
    let instance = dimensions([("DBInstanceIdentifier", data.database.instance_identifier())]);
    let watch = |thing, description, metric, threshold| {
        watch(thing, description, "AWS/RDS", metric, &instance, "Average", threshold, 5)
    };
    let storage = watch("db-storage", "The database fills up", "FreeStorageSpace", LITTLE_STORAGE);
    [watch("db-cpu", "The database is busy", "CPUUtilization", BUSY_PERCENT), Watch { comparison: BELOW, ..storage }]
}

/// Whether GuardDuty takes a tag of this key: less than other services do (API reference, TagResource: `tags`).
fn detector_takes(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphabetic() || (b'+'..=b'=').contains(&byte) || b".:_/".contains(&byte))
}

/// One an account and region, so all stacks share it, and whoever has one already keeps it.
fn guardduty(builder: &mut Builder) {
    let detector = Detector {
        finding_publishing_frequency: "FIFTEEN_MINUTES".into(),
        features: FEATURES.map(|(name, on)| (name.to_owned(), on)).into(),
        enabled: true,
        joined: true,
        tags_when_made: builder.config.tags.clone().into_iter().filter(|(key, _)| detector_takes(key)).collect(),
    };
    builder.stack.add("guardduty-detector", detector);
}
