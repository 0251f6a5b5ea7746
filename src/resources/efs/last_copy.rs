//! The last copy of a file system, by AWS Backup, before the file system goes: EFS takes none itself, and the daily ones may be
//! a day old, or none may be there yet. Which job it is AWS tells, so that a run that is killed goes on with the same.

use std::time::{Duration, SystemTime};

use aws_sdk_backup::types::{BackupJob, BackupJobState as State};

use crate::error::Class;
use crate::resource::Owner;
use crate::resources::prelude::*;
use crate::resources::values::text;

/// The vault that AWS's console keeps what it is asked to copy in. That of the daily copies refuses all who would restore from
/// it. Its key is AWS's own, so that what is in it can be read when ours are gone.
pub(super) const VAULT: &str = "Default";
/// How old a copy may be that counts: the file system has no mount targets any more when it is made, and was used until then.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long ago a job must have failed for another to be begun. A younger one has failed in this very run, most likely.
const BEFORE: Duration = Duration::from_secs(2 * 60);
/// What it is called that a copy is being made, or ended badly: no error of AWS's.
const COPYING: &str = "CopyingBeforeDeletion";

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// There is a copy.
    Delete,
    /// To ask for a job.
    Begin,
    /// A job is under way.
    Wait(String),
    /// It failed.
    GiveUp(String),
}

/// Sees to it that there is a fresh copy of a file system: asks AWS Backup for one, by this role, or looks what has become of
/// what was asked for.
///
/// # Errors
/// Of class busy as long as there is none yet, of class invalid where it could not be made.
pub(super) async fn ensure(cx: &Cx<'_>, arn: &str, role: &str) -> Result<()> {
    let jobs = cx.backup.list_backup_jobs().by_resource_arn(arn);
    let jobs: Vec<BackupJob> = jobs.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let ours = jobs.iter().filter(|job| job.iam_role_arn() == Some(role));
    let last = ours.max_by_key(|job| job.creation_date().map(|made| made.secs()));
    match next(last, cx.now()) {
        Next::Delete => Ok(()),
        Next::Begin => begin(cx, arn, role, last).await,
        Next::Wait(words) => Err(Fault::new(Class::Busy, COPYING, words)),
        Next::GiveUp(words) => {
            let advice = format!(
                "mend what stands in the way, and run destroy again after two minutes; or, if its files may go as they are, \
                 add --skip-final-snapshot {}",
                cx.owner.node
            );
            Err(Fault::new(Class::Invalid, COPYING, words).with_advice(advice))
        }
    }
}

fn next(last: Option<&BackupJob>, now: SystemTime) -> Next {
    let Some(job) = last else { return Next::Begin };
    let id = text(job.backup_job_id());
    let ended = job.completion_date().and_then(|ended| SystemTime::try_from(*ended).ok());
    let age = ended.map_or(Duration::MAX, |ended| now.duration_since(ended).unwrap_or_default());
    match job.state() {
        Some(State::Completed) if age <= FRESH => Next::Delete,
        Some(State::Completed) => Next::Begin,
        Some(State::Failed | State::Aborted | State::Expired | State::Partial) if age <= BEFORE => {
            Next::GiveUp(format!("AWS Backup made no last copy: {}; job {id}", text(job.status_message())))
        }
        Some(State::Failed | State::Aborted | State::Expired | State::Partial) => Next::Begin,
        state => {
            let state = state.map_or_else(String::new, |state| state.as_str().to_lowercase());
            let done = job.percent_done().unwrap_or("0.0");
            Next::Wait(format!("its last copy is {state}, {done} % of it made; job {id}"))
        }
    }
}

/// Asks for a job. The token is the same until a later job than this last one is known, so that no two are begun.
async fn begin(cx: &Cx<'_>, arn: &str, role: &str, last: Option<&BackupJob>) -> Result<()> {
    let last = last.and_then(|job| job.backup_job_id()).unwrap_or("none");
    let token = Owner { attempt: format!("{arn} after {last}"), ..cx.owner.clone() }.token();
    let ask = cx.backup.start_backup_job().backup_vault_name(VAULT).resource_arn(arn).iam_role_arn(role);
    if ask.idempotency_token(token).send().await.if_present()?.is_none() {
        make_vault(cx).await?;
    }
    Err(Fault::new(Class::Busy, COPYING, "its last copy is about to be made"))
}

/// Only AWS's console makes it by itself.
async fn make_vault(cx: &Cx<'_>) -> Result<()> {
    match cx.backup.create_backup_vault().backup_vault_name(VAULT).send().await.map_err(Fault::from) {
        Err(fault) if fault.class != Class::Exists => Err(fault),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_backup::primitives::DateTime;

    use super::*;

    #[test]
    fn only_a_fresh_copy_counts_and_only_a_fresh_failure_ends_the_run() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100_000);
        let job = |state: State, ago: i64| {
            let ended = (ago >= 0).then(|| DateTime::from_secs(100_000 - ago));
            BackupJob::builder()
                .backup_job_id("j")
                .state(state)
                .set_completion_date(ended)
                .status_message("no room")
                .build()
        };
        assert_eq!(next(None, now), Next::Begin);
        assert_eq!(next(Some(&job(State::Completed, 30)), now), Next::Delete);
        assert_eq!(next(Some(&job(State::Completed, 3600)), now), Next::Begin);
        for state in [State::Failed, State::Aborted, State::Expired, State::Partial] {
            let why = "AWS Backup made no last copy: no room; job j".to_owned();
            assert_eq!(next(Some(&job(state.clone(), 5)), now), Next::GiveUp(why));
            assert_eq!(next(Some(&job(state, 300)), now), Next::Begin);
        }
        let words = "its last copy is running, 0.0 % of it made; job j".to_owned();
        assert_eq!(next(Some(&job(State::Running, -1)), now), Next::Wait(words));
    }
}
