"""AWS Backup, as far as copies of file systems go: moto has its vaults and plans, and no recovery points.

"In general, AWS Backup copies tags from the resources it protects to your recovery points" (AWS Backup Developer Guide,
"Copying tags onto backups"). A recovery point outlives what it is a copy of.
"""

from datetime import timedelta

from ..common import page
from ..nights import moments, nightly
from ..registry import AwsError, behaviour, now, operation
from ..world import new_id
from .efs import file_systems

AUTOMATIC = "aws/efs/automatic-backup-vault"
KEPT_DAYS = 35


def recovery_points(call):
    """By ARN: what of, which vault, when, and the tags."""
    return call.shelf("backup.recovery-points")


def file_system_of(call):
    arn = call.params["ResourceArn"]
    for found in file_systems(call).values():
        if found["FileSystemArn"] == arn:
            return found
    raise AwsError("ResourceNotFoundException", f"Resource {arn} not found")


def point_arn(call):
    return call.arn("backup", f"recovery-point:{new_id(8)}-{new_id(4)}-{new_id(4)}-{new_id(4)}-{new_id(12)}")


def keep(call, arn, source, vault, extra=(), moment=None):
    """A copy is encrypted under the key of the vault, whatever the key of the files (AWS Backup Developer Guide,
    "Encryption for backups": so it is for all that AWS Backup manages in full, as EFS)."""
    recovery_points(call)[arn] = {
        "RecoveryPointArn": arn,
        "CreationDate": moment or now(),
        "Status": "COMPLETED",
        "EncryptionKeyArn": call.arn("kms", "key/aws-backup"),
        "BackupVaultName": vault,
        "BackupSizeBytes": source["SizeInBytes"]["Value"],
        "ResourceName": next((tag["Value"] for tag in source["Tags"] if tag["Key"] == "Name"), ""),
        "ResourceType": "EFS",
        "_source": source["FileSystemArn"],
        "_tags": [*source["Tags"], *extra],
    }


@behaviour(
    "backup",
    says="files whose backup policy is on are copied every night into the vault of automatic backups, and kept for 35 days",
    source="Amazon EFS User Guide: Managing automatic backups of EFS file systems",
)
def back_up(call, nights):
    for point in recovery_points(call).values():
        point["CreationDate"] -= timedelta(days=nights)
    for source in file_systems(call).values():
        for moment in moments(nights) if source["_backup"] == "ENABLED" else ():
            keep(call, point_arn(call), source, AUTOMATIC, moment=moment)
    oldest = now() - timedelta(days=KEPT_DAYS)
    for arn, point in list(recovery_points(call).items()):
        if point["BackupVaultName"] == AUTOMATIC and point["CreationDate"] < oldest:
            del recovery_points(call)[arn]


nightly(back_up)


@operation("backup", "ListRecoveryPointsByResource")
def list_recovery_points_by_resource(call):
    points = [point for point in recovery_points(call).values() if point["_source"] == call.params["ResourceArn"]]
    points, more = page(call, points, "MaxResults", "NextToken", "NextToken")
    return {"RecoveryPoints": [{k: v for k, v in point.items() if not k.startswith("_")} for point in points]} | more
