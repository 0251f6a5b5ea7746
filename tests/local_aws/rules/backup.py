"""AWS Backup: what a job needs before it can begin."""

from ..policies import role_allows, roles_by_arn
from ..registry import AwsError, rule
from ..trusts import trusts

SERVICE = "backup.amazonaws.com"
LINKED = ":role/aws-service-role/backup.amazonaws.com/"


@rule(
    "order",
    "backup",
    "StartBackupJob",
    says="a job needs a vault: the one that is named Default is there only once the console, or somebody, has made it",
    source="AWS Backup Developer Guide: Creating and deleting a backup vault",
)
def vault_exists(call):
    name = call.params["BackupVaultName"]
    if name not in call.backend("backup").vaults:
        raise AwsError("ResourceNotFoundException", f"Backup vault {name} cannot be found")


@rule(
    "order",
    "backup",
    "StartBackupJob",
    says="a job's role exists, AWS Backup may take it on, and it may copy what is to be copied",
    source="AWS Backup Developer Guide: IAM service roles; Managed policies, customer managed policies for Amazon EFS",
)
def role_of_a_job(call):
    arn = call.params["IamRoleArn"]
    role = roles_by_arn(call).get(arn)
    if LINKED in arn:
        return
    if not trusts(call, role, SERVICE):
        raise AwsError("InvalidParameterValueException", f"IAM Role {arn} cannot be assumed by AWS Backup")
    if not role_allows(call, role, "elasticfilesystem:Backup"):
        message = f"IAM Role {arn} does not have sufficient permissions to execute the backup"
        raise AwsError("InvalidParameterValueException", message)
