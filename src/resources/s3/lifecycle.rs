//! The lifecycle of a bucket's objects: one rule of ours for all objects, and the names of all rules that are not.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, Transition, TransitionDefaultMinimumObjectSize,
    TransitionStorageClass,
};
use aws_smithy_types::error::operation::BuildError;

use super::unbuilt;
use crate::error::Result;

/// The id of our rule.
const RULE: &str = "retention";
/// Days after which AWS gives up an upload in parts that nobody has finished.
const UPLOAD_DAYS: i32 = 7;

/// That objects under 128 KB stay where they are, as AWS has it unless told otherwise: S3 user guide, "Lifecycle
/// transition general considerations".
pub(super) const LARGE_ONLY: TransitionDefaultMinimumObjectSize =
    TransitionDefaultMinimumObjectSize::AllStorageClasses128K;

/// What a bucket's lifecycle configuration says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lifecycle {
    /// Days after which objects move to GLACIER.
    pub(super) archive_after_days: Option<i32>,
    /// Days after which objects expire, and versions that are no longer current as many days after that.
    pub(super) expire_after_days: Option<i32>,
    /// The ids of rules that say anything else.
    pub(super) other_rules: BTreeSet<String>,
}

impl Lifecycle {
    pub(super) fn read(rules: &[LifecycleRule]) -> Lifecycle {
        let mut read = Lifecycle::default();
        for rule in rules {
            match days(rule) {
                Some((archive, expire)) => (read.archive_after_days, read.expire_after_days) = (archive, expire),
                None => drop(read.other_rules.insert(rule.id().unwrap_or_default().to_owned())),
            }
        }
        read
    }

    /// The configuration with our rule alone; `None` where there is nothing to rule.
    pub(super) fn configuration(&self) -> Result<Option<BucketLifecycleConfiguration>> {
        if self.archive_after_days.is_none() && self.expire_after_days.is_none() {
            return Ok(None);
        }
        let configuration = self
            .rule()
            .and_then(|rule| BucketLifecycleConfiguration::builder().rules(rule).build())
            .map_err(unbuilt)?;
        Ok(Some(configuration))
    }

    fn rule(&self) -> Result<LifecycleRule, BuildError> {
        let transition = |days| Transition::builder().days(days).storage_class(TransitionStorageClass::Glacier).build();
        let expiration = |days| LifecycleExpiration::builder().days(days).build();
        let noncurrent = |days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build();
        let uploads = AbortIncompleteMultipartUpload::builder().days_after_initiation(UPLOAD_DAYS).build();
        LifecycleRule::builder()
            .id(RULE)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .set_transitions(self.archive_after_days.map(|days| vec![transition(days)]))
            .set_expiration(self.expire_after_days.map(expiration))
            .set_noncurrent_version_expiration(self.expire_after_days.map(noncurrent))
            .abort_incomplete_multipart_upload(uploads)
            .build()
    }
}

/// After how many days objects are archived and expire, where the rule is ours and as we write it.
fn days(rule: &LifecycleRule) -> Option<(Option<i32>, Option<i32>)> {
    let archive = rule.transitions().first().and_then(Transition::days);
    let expire = rule.expiration().and_then(LifecycleExpiration::days);
    let ours = Lifecycle { archive_after_days: archive, expire_after_days: expire, ..Lifecycle::default() };
    let same = ours.rule().is_ok_and(|ours| says(&ours) == says(rule));
    same.then_some((archive, expire))
}

/// What a rule says, without the ways AWS has to say nothing.
fn says(rule: &LifecycleRule) -> impl PartialEq {
    let expiration = rule.expiration().map(|expiration| (expiration.days(), expiration.date().copied()));
    let noncurrent = rule.noncurrent_version_expiration();
    let noncurrent = noncurrent.map(|versions| (versions.noncurrent_days(), versions.newer_noncurrent_versions()));
    (
        (rule.id().map(str::to_owned), rule.status().clone(), for_all_objects(rule)),
        (rule.transitions().to_vec(), rule.noncurrent_version_transitions().to_vec()),
        (expiration, noncurrent),
        rule.abort_incomplete_multipart_upload().and_then(AbortIncompleteMultipartUpload::days_after_initiation),
    )
}

fn for_all_objects(rule: &LifecycleRule) -> bool {
    let Some(filter) = rule.filter() else { return false };
    let narrowed = filter.tag().is_some()
        || filter.and().is_some()
        || filter.object_size_greater_than().is_some()
        || filter.object_size_less_than().is_some();
    !narrowed && filter.prefix().unwrap_or_default().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycle(archive: Option<i32>, expire: Option<i32>) -> Lifecycle {
        Lifecycle { archive_after_days: archive, expire_after_days: expire, other_rules: BTreeSet::new() }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for (archive, expire) in [(Some(90), Some(2557)), (Some(90), None), (None, Some(30))] {
            let wanted = lifecycle(archive, expire);
            let written = wanted.configuration().unwrap().unwrap();
            assert_eq!(Lifecycle::read(written.rules()), wanted);
        }
        assert!(lifecycle(None, None).configuration().unwrap().is_none());
        assert_eq!(Lifecycle::read(&[]), lifecycle(None, None));
    }

    #[test]
    fn a_rule_that_was_changed_is_not_ours_any_more() {
        let ours = lifecycle(Some(90), Some(365)).rule().unwrap();
        let changes: [fn(&mut LifecycleRule); 5] = [
            |rule| rule.status = ExpirationStatus::Disabled,
            |rule| rule.filter = Some(LifecycleRuleFilter::builder().prefix("AWSLogs/").build()),
            |rule| {
                let soon = NoncurrentVersionExpiration::builder().noncurrent_days(1).build();
                rule.noncurrent_version_expiration = Some(soon);
            },
            |rule| {
                let elsewhere = Transition::builder().days(90).storage_class(TransitionStorageClass::OnezoneIa).build();
                rule.transitions = Some(vec![elsewhere]);
            },
            |rule| rule.abort_incomplete_multipart_upload = None,
        ];
        for change in changes {
            let mut changed = ours.clone();
            change(&mut changed);
            assert_eq!(Lifecycle::read(&[changed]).other_rules, BTreeSet::from([RULE.to_owned()]));
        }
        let mut theirs = ours.clone();
        theirs.id = Some("purge".to_owned());
        let read = Lifecycle::read(&[ours, theirs]);
        assert_eq!((read.expire_after_days, read.other_rules), (Some(365), BTreeSet::from(["purge".to_owned()])));
    }
}
