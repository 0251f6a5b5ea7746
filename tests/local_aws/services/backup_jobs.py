"""Jobs of AWS Backup, as far as they copy file systems: what is begun now ends in time, well or not."""

from ..common import find, page
from ..life import conclude
from ..registry import now, operation
from ..world import new_id
from .backup import file_system_of, keep, point_arn
from .efs import file_systems


def jobs(call):
    """By id."""
    return call.shelf("backup.jobs")


def shown(job):
    return {key: value for key, value in job.items() if not key.startswith("_")}


@operation("backup", "StartBackupJob")
def start_backup_job(call):
    """API reference, IdempotencyToken: "Retrying a successful request with the same idempotency token results in a
    success message with no action taken"."""
    token = call.get("IdempotencyToken")
    job = next((job for job in jobs(call).values() if token and job["_token"] == token), None) or begin(call, token)
    return {key: job[key] for key in ("BackupJobId", "RecoveryPointArn", "CreationDate", "IsParent")}


def begin(call, token):
    source, vault = file_system_of(call), call.params["BackupVaultName"]
    job = {
        "AccountId": call.account,
        "BackupJobId": f"{new_id(8)}-{new_id(4)}-{new_id(4)}-{new_id(4)}-{new_id(12)}",
        "BackupVaultName": vault,
        "BackupVaultArn": call.arn("backup", f"backup-vault:{vault}"),
        "RecoveryPointArn": point_arn(call),
        "ResourceArn": source["FileSystemArn"],
        "ResourceType": "EFS",
        "IamRoleArn": call.params["IamRoleArn"],
        "CreationDate": now(),
        "State": "RUNNING",
        "PercentDone": "0.0",
        "IsParent": False,
        "_token": token,
    }
    jobs(call)[job["BackupJobId"]] = job
    extra = [{"Key": key, "Value": value} for key, value in call.get("RecoveryPointTags", {}).items()]

    def good():
        if source["FileSystemId"] not in file_systems(call):
            return fail(job, "The file system does not exist.")
        keep(call, job["RecoveryPointArn"], source, vault, extra)
        job.update(State="COMPLETED", PercentDone="100.0", CompletionDate=now())

    conclude("backup.job", "backup.job", source["FileSystemId"], good, lambda text: fail(job, text))
    return job


def fail(job, text):
    job.update(State="FAILED", StatusMessage=text or "Backup job failed.", CompletionDate=now())


@operation("backup", "DescribeBackupJob")
def describe_backup_job(call):
    wanted = call.params["BackupJobId"]
    return shown(find(jobs(call), wanted, "ResourceNotFoundException", f"Backup job {wanted} not found"))


@operation("backup", "ListBackupJobs")
def list_backup_jobs(call):
    found = list(jobs(call).values())
    for field in ("ResourceArn", "State", "BackupVaultName"):
        if call.get(f"By{field}"):
            found = [job for job in found if job[field] == call.params[f"By{field}"]]
    found, more = page(call, found, "MaxResults", "NextToken", "NextToken")
    return {"BackupJobs": [shown(job) for job in found]} | more
