"""AWS Backup, as far as copies of file systems go: moto has its vaults and plans, and no recovery points.

"In general, AWS Backup copies tags from the resources it protects to your recovery points" (AWS Backup Developer Guide,
"Copying tags onto backups"). A recovery point outlives what it is a copy of.
"""

from ..common import page
from ..registry import AwsError, now, operation
from ..world import new_id
from .efs import file_systems


def recovery_points(call):
    """By ARN: what of, which vault, when, and the tags."""
    return call.shelf("backup.recovery-points")


def file_system_of(call):
    arn = call.params["ResourceArn"]
    for found in file_systems(call).values():
        if found["FileSystemArn"] == arn:
            return found
    raise AwsError("ResourceNotFoundException", f"Resource {arn} not found")


@operation("backup", "StartBackupJob")
def start_backup_job(call):
    """What on AWS takes a while is there at once."""
    source = file_system_of(call)
    arn = call.arn("backup", f"recovery-point:{new_id(8)}-{new_id(4)}-{new_id(4)}-{new_id(4)}-{new_id(12)}")
    extra = [{"Key": key, "Value": value} for key, value in call.get("RecoveryPointTags", {}).items()]
    recovery_points(call)[arn] = {
        "RecoveryPointArn": arn,
        "CreationDate": now(),
        "Status": "COMPLETED",
        "EncryptionKeyArn": source.get("KmsKeyId", ""),
        "BackupVaultName": call.params["BackupVaultName"],
        "ResourceType": "EFS",
        "_source": call.params["ResourceArn"],
        "_tags": source["Tags"] + extra,
    }
    return {"BackupJobId": new_id(36), "RecoveryPointArn": arn, "CreationDate": now()}


@operation("backup", "ListRecoveryPointsByResource")
def list_recovery_points_by_resource(call):
    points = [point for point in recovery_points(call).values() if point["_source"] == call.params["ResourceArn"]]
    points, more = page(call, points, "MaxResults", "NextToken", "NextToken")
    return {"RecoveryPoints": [{k: v for k, v in point.items() if not k.startswith("_")} for point in points]} | more
