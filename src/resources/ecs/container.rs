//! The containers of a task definition, between our spec and what ECS gives back with its defaults filled in.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    ContainerDefinition, HealthCheck as EcsHealthCheck, KeyValuePair, LogConfiguration, LogDriver,
    MountPoint as EcsMountPoint, PortMapping, Secret, TransportProtocol,
};

use super::{built, check_name};
use crate::resources::prelude::*;

/// One container of a task. Fields that are `None` are left out of the spec, so that taking one away is a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Container {
    /// The image, with its tag or digest.
    pub image: String,
    /// Whether the task stops when this container does.
    pub essential: bool,
    /// TCP ports it listens on.
    pub port_mappings: BTreeSet<i32>,
    /// Environment variables. Never a secret: everyone who may read the task definition sees them.
    pub environment: BTreeMap<String, Out<String>>,
    /// Environment variables whose value ECS fetches: from a secret's ARN, or one key of it as `ARN:key::`.
    pub secrets: BTreeMap<String, Out<String>>,
    /// What to run; empty: what the image says.
    pub command: Vec<String>,
    /// How ECS tells whether it is well. `None`: as long as it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Volumes of the task, by the absolute path they appear at.
    pub mount_points: BTreeMap<String, MountPoint>,
    /// Where its output goes. `None`: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// Whether its own file system refuses writes.
    pub read_only_root: bool,
    /// The user it runs as, as `1000` or `1000:1000`. `None`: what the image says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A command that tells whether a container is well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `CMD` and its arguments, or `CMD-SHELL` and one line.
    pub command: Vec<String>,
    /// Seconds between two checks, 5-300.
    pub interval_seconds: i32,
    /// Seconds until a check counts as failed, 2-60.
    pub timeout_seconds: i32,
    /// Failures in a row until it is unhealthy, 1-10.
    pub retries: i32,
    /// Seconds in which failures do not count yet, 0-300.
    pub start_period_seconds: i32,
}

/// A volume inside a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MountPoint {
    /// The volume's name in the task definition.
    pub volume: String,
    /// Whether it refuses writes.
    pub read_only: bool,
}

/// A CloudWatch log group that takes a container's output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Log {
    /// The group's name. It must exist.
    pub group: Out<String>,
    /// What its streams' names begin with.
    pub stream_prefix: String,
    /// `non-blocking`, what does not fit into the buffer is lost, or `blocking`, the container waits. Left out, a setting of
    /// the account decides: ECS API reference, `LogConfiguration`.
    #[serde(default)]
    pub mode: String,
    /// The buffer where it is `non-blocking`, as `25m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_buffer_size: Option<String>,
}

/// What becomes of output that CloudWatch Logs does not take at once.
const LOG_MODES: [&str; 2] = ["blocking", "non-blocking"];

impl Container {
    pub(super) fn check(&self, name: &str, volumes: &[&str]) -> std::result::Result<(), String> {
        check_name("a container's name", name)?;
        if let Some(port) = self.port_mappings.iter().find(|port| !(1..=65535).contains(*port)) {
            return Err(format!("port_mappings of {name} has {port}; AWS allows 1-65535"));
        }
        if let Some(key) = self.environment.keys().find(|key| self.secrets.contains_key(*key)) {
            return Err(format!("{key} is in both environment and secrets of {name}; one variable has one source"));
        }
        for (path, mount) in &self.mount_points {
            if !path.starts_with('/') {
                return Err(format!("mount_points of {name} has the path {path:?}; it must be absolute"));
            }
            if !volumes.contains(&mount.volume.as_str()) {
                return Err(format!("{path} of {name} mounts {:?}, which is not among the volumes", mount.volume));
            }
        }
        self.log.as_ref().map_or(Ok(()), |log| log.check(name))?;
        self.health_check.as_ref().map_or(Ok(()), |check| check.check(name))
    }

    pub(super) fn to_ecs(&self, name: &str, region: &str) -> Result<ContainerDefinition> {
        Ok(ContainerDefinition::builder()
            .name(name)
            .image(&self.image)
            .essential(self.essential)
            .set_port_mappings(Some(self.port_mappings.iter().map(|port| tcp(*port)).collect()))
            .set_environment(Some(self.environment.iter().map(variable).collect::<Result<_>>()?))
            .set_secrets(Some(self.secrets.iter().map(secret).collect::<Result<_>>()?))
            .set_command(Some(self.command.clone()).filter(|command| !command.is_empty()))
            .set_health_check(self.health_check.as_ref().map(HealthCheck::to_ecs).transpose()?)
            .set_mount_points(Some(self.mount_points.iter().map(|(path, mount)| mount.to_ecs(path)).collect()))
            .set_log_configuration(self.log.as_ref().map(|log| log.to_ecs(region)).transpose()?)
            .readonly_root_filesystem(self.read_only_root)
            .set_user(self.user.clone())
            .build())
    }

    pub(super) fn from_ecs(live: &ContainerDefinition) -> Self {
        let secret = |secret: &Secret| (secret.name.clone(), Out::Known(secret.value_from.clone()));
        Container {
            image: live.image().unwrap_or_default().to_owned(),
            essential: live.essential().unwrap_or(true),
            port_mappings: live.port_mappings().iter().filter_map(PortMapping::container_port).collect(),
            environment: live.environment().iter().map(known).collect(),
            secrets: live.secrets().iter().map(secret).collect(),
            command: live.command().to_vec(),
            health_check: live.health_check().map(HealthCheck::from_ecs),
            mount_points: live.mount_points().iter().map(MountPoint::from_ecs).collect(),
            log: live.log_configuration().map(Log::from_ecs),
            read_only_root: live.readonly_root_filesystem().unwrap_or_default(),
            user: live.user().filter(|user| !user.is_empty()).map(str::to_owned),
        }
    }
}

impl HealthCheck {
    fn check(&self, container: &str) -> std::result::Result<(), String> {
        if self.command.len() < 2 || !["CMD", "CMD-SHELL"].contains(&self.command[0].as_str()) {
            return Err(format!("health_check.command of {container} must be CMD or CMD-SHELL and what to run"));
        }
        for (field, value, low, high) in [
            ("interval_seconds", self.interval_seconds, 5, 300),
            ("timeout_seconds", self.timeout_seconds, 2, 60),
            ("retries", self.retries, 1, 10),
            ("start_period_seconds", self.start_period_seconds, 0, 300),
        ] {
            if !(low..=high).contains(&value) {
                return Err(format!("health_check.{field} of {container} is {value}; AWS allows {low}-{high}"));
            }
        }
        Ok(())
    }

    fn to_ecs(&self) -> Result<EcsHealthCheck> {
        built(
            EcsHealthCheck::builder()
                .set_command(Some(self.command.clone()))
                .interval(self.interval_seconds)
                .timeout(self.timeout_seconds)
                .retries(self.retries)
                .start_period(self.start_period_seconds)
                .build(),
        )
    }

    fn from_ecs(live: &EcsHealthCheck) -> Self {
        HealthCheck {
            command: live.command.clone(),
            interval_seconds: live.interval().unwrap_or(30),
            timeout_seconds: live.timeout().unwrap_or(5),
            retries: live.retries().unwrap_or(3),
            start_period_seconds: live.start_period().unwrap_or(0),
        }
    }
}

impl MountPoint {
    fn to_ecs(&self, path: &str) -> EcsMountPoint {
        EcsMountPoint::builder().source_volume(&self.volume).container_path(path).read_only(self.read_only).build()
    }

    fn from_ecs(live: &EcsMountPoint) -> (String, Self) {
        let volume = live.source_volume().unwrap_or_default().to_owned();
        let mount = MountPoint { volume, read_only: live.read_only().unwrap_or_default() };
        (live.container_path().unwrap_or_default().to_owned(), mount)
    }
}

impl Log {
    fn check(&self, container: &str) -> std::result::Result<(), String> {
        if !LOG_MODES.contains(&self.mode.as_str()) {
            return Err(format!("log.mode of {container} is {:?}; AWS allows {}", self.mode, LOG_MODES.join(", ")));
        }
        match &self.max_buffer_size {
            Some(_) if self.mode == "blocking" => {
                Err(format!("log.max_buffer_size of {container} is set; only a non-blocking log has a buffer"))
            }
            _ => Ok(()),
        }
    }

    fn to_ecs(&self, region: &str) -> Result<LogConfiguration> {
        let mut log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", self.group.get()?)
            .options("awslogs-region", region)
            .options("awslogs-stream-prefix", &self.stream_prefix)
            .options("mode", &self.mode);
        if let Some(size) = &self.max_buffer_size {
            log = log.options("max-buffer-size", size);
        }
        built(log.build())
    }

    fn from_ecs(live: &LogConfiguration) -> Self {
        let set = |key: &str| live.options().and_then(|all| all.get(key)).cloned();
        let option = |key: &str| set(key).unwrap_or_default();
        Log {
            group: option("awslogs-group").into(),
            stream_prefix: option("awslogs-stream-prefix"),
            mode: option("mode"),
            max_buffer_size: set("max-buffer-size"),
        }
    }
}

fn tcp(port: i32) -> PortMapping {
    PortMapping::builder().container_port(port).host_port(port).protocol(TransportProtocol::Tcp).build()
}

fn variable((name, value): (&String, &Out<String>)) -> Result<KeyValuePair> {
    Ok(KeyValuePair::builder().name(name).value(value.get()?).build())
}

fn known(pair: &KeyValuePair) -> (String, Out<String>) {
    (pair.name().unwrap_or_default().to_owned(), pair.value().unwrap_or_default().into())
}

fn secret((name, from): (&String, &Out<String>)) -> Result<Secret> {
    built(Secret::builder().name(name).value_from(from.get()?).build())
}
