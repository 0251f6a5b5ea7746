//! The kinds: one folder a service, one file a kind, each an implementation of [`Resource`](crate::resource::Resource).

pub mod acm;
pub mod apigateway;
pub mod apigatewayv2;
pub mod applicationautoscaling;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod cognito;
pub mod ec2;
pub mod ecs;
pub mod efs;
pub mod elasticache;
pub mod elbv2;
pub mod guardduty;
pub mod iam;
pub mod kinesis;
pub mod kms;
mod last_snapshot;
pub mod logs;
mod named;
pub mod origin_key;
pub mod rds;
pub mod s3;
pub mod secretsmanager;
pub mod sns;
mod values;
pub mod wafv2;

use crate::aws::Aws;
use crate::resource::{IgnoredTags, Kinds};

type Register = fn(Kinds<Aws>) -> Kinds<Aws>;

/// Every kind there is.
pub fn registry() -> Kinds<Aws> {
    registry_ignoring(IgnoredTags::default())
}

/// Every kind there is, each passing over these tags of live objects.
pub fn registry_ignoring(ignored: IgnoredTags) -> Kinds<Aws> {
    let register: [Register; 22] = [
        acm::register,
        apigateway::register,
        apigatewayv2::register,
        applicationautoscaling::register,
        cloudtrail::register,
        cloudwatch::register,
        cognito::register,
        ec2::register,
        ecs::register,
        efs::register,
        elasticache::register,
        elbv2::register,
        guardduty::register,
        iam::register,
        kinesis::register,
        kms::register,
        logs::register,
        rds::register,
        s3::register,
        secretsmanager::register,
        sns::register,
        wafv2::register,
    ];
    register.iter().fold(Kinds::ignoring(ignored), |kinds, register| register(kinds))
}

/// What every kind imports.
mod prelude {
    pub(super) use serde::{Deserialize, Serialize};

    pub(super) use crate::aws::{Always, Aws, Cx, IfPresent, index, tags};
    pub(super) use crate::diff::Diff;
    pub(super) use crate::error::{Fault, Result};
    pub(super) use crate::resource::{
        Backup, BackupKey, Besides, Found, Holder, Lodger, Loss, Observed, OutOfReach, Phase, Queue, Replace, Resource,
        Tags, Turn, Wait, WayBack,
    };
    pub(super) use crate::stack::{Node, Out};
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// What is found in AWS and in no record is looked at, and removed, by such a spec.
    #[test]
    fn every_kind_has_a_spec_of_which_nothing_is_known() {
        let kinds = super::registry();
        for name in kinds.names() {
            let spec = kinds.get(name).unwrap().blank(&serde_json::Value::Null);
            assert!(spec.is_ok_and(|spec| spec.is_object()), "{name}");
        }
        let key = kinds.get("kms.key").unwrap().blank(&serde_json::json!({ "gone": 1, "rotation": true })).unwrap();
        assert_eq!((&key["deletion_window_days"], &key["rotation"]), (&30.into(), &true.into()));
        let cluster = kinds.get("rds.db_cluster").unwrap().blank(&serde_json::Value::Null).unwrap();
        assert_eq!(cluster["final_snapshot"], true, "what nobody knows is not thrown away");
        let bucket = kinds.get("s3.bucket").unwrap().blank(&serde_json::Value::Null).unwrap();
        assert_eq!(bucket["stays_while_full"], true, "nor is what is in a bucket");
    }

    /// A file that is not registered would be dead code that looks alive.
    #[test]
    fn every_kind_file_is_registered_under_its_own_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
        let mut files = BTreeSet::new();
        for folder in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                let source = fs::read_to_string(&file).unwrap();
                let Some(kind) = source.split("const KIND: &'static str = \"").nth(1) else { continue };
                let kind = kind.split('"').next().unwrap();
                let service = folder.file_name().unwrap().to_str().unwrap();
                let stem = file.file_stem().unwrap().to_str().unwrap();
                assert_eq!(kind, format!("{service}.{stem}"), "{}", file.display());
                files.insert(kind.to_owned());
            }
        }
        let registered = super::registry().names().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(registered, files);
    }
}
