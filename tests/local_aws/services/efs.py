"""EFS without moto, where a file system is ready at once, keeps no backup policy and cannot be updated."""

import json

from .. import enis
from ..common import picked, with_tags, without_tags
from ..life import conclude, later
from ..registry import AwsError, now, operation
from ..world import new_id


def file_systems(call):
    return call.shelf("efs.file-systems")


def mount_targets(call):
    return call.shelf("efs.mount-targets")


def access_points(call):
    return call.shelf("efs.access-points")


def bare(reference):
    return reference.rpartition("/")[2]


def file_system_of(call, reference=None):
    wanted = bare(reference or call.params["FileSystemId"])
    if wanted not in file_systems(call):
        raise AwsError("FileSystemNotFound", f"File system '{wanted}' does not exist.")
    return file_systems(call)[wanted]


def mount_target_of(call):
    wanted = call.params["MountTargetId"]
    if wanted not in mount_targets(call):
        raise AwsError("MountTargetNotFound", f"Mount target '{wanted}' does not exist.")
    return mount_targets(call)[wanted]


def access_point_of(call, reference=None):
    wanted = bare(reference or call.params["AccessPointId"])
    if wanted not in access_points(call):
        raise AwsError("AccessPointNotFound", f"Access Point '{wanted}' does not exist.")
    return access_points(call)[wanted]


def shown(call, item):
    out = {key: value for key, value in item.items() if not key.startswith("_")}
    names = [tag["Value"] for tag in item.get("Tags", []) if tag["Key"] == "Name"]
    out |= {"Name": names[0]} if names else {}
    if "CreationToken" in item:
        mine = [t for t in mount_targets(call).values() if t["FileSystemId"] == item["FileSystemId"]]
        out["NumberOfMountTargets"] = len(mine)
    return out


def listed(call, key, items):
    start, size = (
        int(call.get("Marker") or call.get("NextToken") or 0),
        call.get("MaxItems") or call.get("MaxResults") or 100,
    )
    token = "NextMarker" if key in ("FileSystems", "MountTargets") else "NextToken"
    more = {token: str(start + size)} if start + size < len(items) else {}
    return {key: [shown(call, item) for item in items[start : start + size]]} | more


def available(item, from_states=("creating", "updating")):
    if item["LifeCycleState"] in from_states:
        item["LifeCycleState"] = "available"


def broken(item):
    item["LifeCycleState"] = "error"


@operation("efs", "CreateFileSystem")
def create_file_system(call):
    token = call.params["CreationToken"]
    for known in file_systems(call).values():
        if known["CreationToken"] == token:
            message = f"File system '{known['FileSystemId']}' already exists with creation token '{token}'"
            raise AwsError("FileSystemAlreadyExists", message, FileSystemId=known["FileSystemId"])
    file_system_id = f"fs-{new_id()}"
    item = {
        "OwnerId": call.account,
        "CreationToken": token,
        "FileSystemId": file_system_id,
        "FileSystemArn": call.arn("elasticfilesystem", f"file-system/{file_system_id}"),
        "CreationTime": now(),
        "LifeCycleState": "creating",
        "SizeInBytes": {
            "Value": 6144,
            "ValueInIA": 0,
            "ValueInStandard": 6144,
            "ValueInArchive": 0,
            "Timestamp": now(),
        },
        "PerformanceMode": call.get("PerformanceMode", "generalPurpose"),
        "Encrypted": call.get("Encrypted", False),
        "ThroughputMode": call.get("ThroughputMode", "bursting"),
        "Tags": call.get("Tags", []),
        "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
        "_lifecycle": [],
        "_backup": "ENABLED" if call.get("Backup", bool(call.get("AvailabilityZoneName"))) else "DISABLED",
    } | picked(call.params, "KmsKeyId", "ProvisionedThroughputInMibps", "AvailabilityZoneName")
    if item["Encrypted"] and "KmsKeyId" not in item:
        item["KmsKeyId"] = call.arn("kms", "key/aws-elasticfilesystem")
    elif "KmsKeyId" in item and not item["KmsKeyId"].startswith("arn:"):
        item["KmsKeyId"] = call.arn("kms", f"key/{item['KmsKeyId']}")
    file_systems(call)[file_system_id] = item
    answer = shown(call, item)
    conclude("efs.file-system", "efs.file-system", token, lambda: available(item), lambda text: broken(item))
    return answer


@operation("efs", "DescribeFileSystems")
def describe_file_systems(call):
    found = list(file_systems(call).values())
    if call.get("FileSystemId"):
        found = [file_system_of(call)]
    if call.get("CreationToken"):
        found = [item for item in found if item["CreationToken"] == call.params["CreationToken"]]
    return listed(call, "FileSystems", found)


@operation("efs", "UpdateFileSystem")
def update_file_system(call):
    item = file_system_of(call)
    item.update(picked(call.params, "ThroughputMode", "ProvisionedThroughputInMibps"))
    if item["ThroughputMode"] != "provisioned":
        item.pop("ProvisionedThroughputInMibps", None)
    item["LifeCycleState"] = "updating"
    later("efs.file-system", lambda: available(item))
    return shown(call, item)


@operation("efs", "UpdateFileSystemProtection")
def update_file_system_protection(call):
    item = file_system_of(call)
    item["FileSystemProtection"] = picked(call.params, "ReplicationOverwriteProtection")
    return item["FileSystemProtection"]


@operation("efs", "DeleteFileSystem")
def delete_file_system(call):
    item = file_system_of(call)
    item["LifeCycleState"] = "deleting"
    later("efs.file-system", lambda: remove_file_system(call, item["FileSystemId"]))
    return {}


def remove_file_system(call, file_system_id):
    file_systems(call).pop(file_system_id, None)
    for point in [p for p in access_points(call).values() if p["FileSystemId"] == file_system_id]:
        access_points(call).pop(point["AccessPointId"])


def replications(call):
    """By the id of their source, which is here; the copy may be in another region."""
    return call.shelf("efs.replications")


def replications_of(call, file_system_id):
    sides = lambda one: [one["SourceFileSystemId"], *(to["FileSystemId"] for to in one["Destinations"])]  # noqa: E731
    return [one for one in replications(call).values() if file_system_id in sides(one)]


@operation("efs", "CreateReplicationConfiguration")
def create_replication_configuration(call):
    item, wanted = file_system_of(call, call.params["SourceFileSystemId"]), call.params["Destinations"][0]
    if replications_of(call, item["FileSystemId"]):
        raise AwsError("ConflictException", f"File system '{item['FileSystemId']}' is part of a replication already.", 409)
    to = {
        "Status": "ENABLED",
        "FileSystemId": wanted.get("FileSystemId", f"fs-{new_id()}"),
        "Region": wanted.get("Region", call.region),
    }
    replications(call)[item["FileSystemId"]] = {
        "SourceFileSystemId": item["FileSystemId"],
        "SourceFileSystemRegion": call.region,
        "SourceFileSystemArn": item["FileSystemArn"],
        "OriginalSourceFileSystemArn": item["FileSystemArn"],
        "CreationTime": now(),
        "Destinations": [to],
    }
    return replications(call)[item["FileSystemId"]]


@operation("efs", "DescribeReplicationConfigurations")
def describe_replication_configurations(call):
    found = list(replications(call).values())
    if call.get("FileSystemId"):
        found = replications_of(call, file_system_of(call)["FileSystemId"])
        if not found:
            raise AwsError("ReplicationNotFound", "The file system is not part of a replication.", 404)
    return {"Replications": found}


@operation("efs", "DeleteReplicationConfiguration")
def delete_replication_configuration(call):
    wanted = bare(call.params["SourceFileSystemId"])
    if replications(call).pop(wanted, None) is None:
        raise AwsError("ReplicationNotFound", f"File system '{wanted}' is not replicated.", 404)
    return {}


@operation("efs", "PutLifecycleConfiguration")
def put_lifecycle_configuration(call):
    item = file_system_of(call)
    item["_lifecycle"] = call.params["LifecyclePolicies"]
    return {"LifecyclePolicies": item["_lifecycle"]}


@operation("efs", "DescribeLifecycleConfiguration")
def describe_lifecycle_configuration(call):
    return {"LifecyclePolicies": file_system_of(call)["_lifecycle"]}


@operation("efs", "PutBackupPolicy")
def put_backup_policy(call):
    item, wanted = file_system_of(call), call.params["BackupPolicy"]["Status"].replace("ING", "ED")
    if item["_backup"] != wanted:
        item["_backup"] = wanted.replace("ED", "ING")
        later("efs.backup-policy", lambda: item.update(_backup=wanted))
    return {"BackupPolicy": {"Status": item["_backup"]}}


@operation("efs", "DescribeBackupPolicy")
def describe_backup_policy(call):
    return {"BackupPolicy": {"Status": file_system_of(call)["_backup"]}}


@operation("efs", "PutFileSystemPolicy")
def put_file_system_policy(call):
    item = file_system_of(call)
    try:
        json.loads(call.params["Policy"])["Statement"]
    except (ValueError, KeyError, TypeError):
        raise AwsError("InvalidPolicyException", "The policy is malformed.") from None
    item["_policy"] = call.params["Policy"]
    return {"FileSystemId": item["FileSystemId"], "Policy": item["_policy"]}


@operation("efs", "DescribeFileSystemPolicy")
def describe_file_system_policy(call):
    item = file_system_of(call)
    if "_policy" not in item:
        raise AwsError("PolicyNotFound")
    return {"FileSystemId": item["FileSystemId"], "Policy": item["_policy"]}


@operation("efs", "DeleteFileSystemPolicy")
def delete_file_system_policy(call):
    file_system_of(call).pop("_policy", None)
    return {}


def subnet_of(call):
    subnet_id = call.params["SubnetId"]
    for zone in call.backend("ec2").subnets.values():
        if subnet_id in zone:
            return zone[subnet_id]
    raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")


@operation("efs", "CreateMountTarget")
def create_mount_target(call):
    item, subnet = file_system_of(call), subnet_of(call)
    for known in mount_targets(call).values():
        same = known["FileSystemId"] == item["FileSystemId"]
        if same and known["AvailabilityZoneName"] == subnet.availability_zone:
            raise AwsError("MountTargetConflict", "mount target already exists in this AZ")
        if same and known["VpcId"] != subnet.vpc_id:
            raise AwsError("MountTargetConflict", "requested subnet for new mount target is not in the same VPC")
    target = new_mount_target(call, item, subnet)
    mount_targets(call)[target["MountTargetId"]] = target
    answer = shown(call, target)
    name = item["CreationToken"]
    conclude("efs.mount-target", "efs.mount-target", name, lambda: available(target), lambda text: broken(target))
    return answer


def new_mount_target(call, item, subnet):
    target_id = f"fsmt-{new_id()}"
    groups = call.get("SecurityGroups") or [default_group(call, subnet)]
    description = f"EFS mount target for {item['FileSystemId']} ({target_id})"
    eni = enis.attach(call, target_id, subnet.id, groups, description, call.account, "efs")
    return {
        "OwnerId": call.account,
        "MountTargetId": target_id,
        "FileSystemId": item["FileSystemId"],
        "SubnetId": subnet.id,
        "LifeCycleState": "creating",
        "IpAddress": call.get("IpAddress") or eni.private_ip_address,
        "NetworkInterfaceId": eni.id,
        "AvailabilityZoneId": subnet._availability_zone.zone_id,
        "AvailabilityZoneName": subnet.availability_zone,
        "VpcId": subnet.vpc_id,
        "_groups": groups,
    }


def default_group(call, subnet):
    return call.backend("ec2").get_default_security_group(subnet.vpc_id).id


@operation("efs", "DescribeMountTargets")
def describe_mount_targets(call):
    if call.get("MountTargetId"):
        return listed(call, "MountTargets", [mount_target_of(call)])
    if call.get("AccessPointId"):
        file_system_id = access_point_of(call)["FileSystemId"]
    elif not call.get("FileSystemId"):
        raise AwsError("BadRequest", "One of the parameters MountTargetId, FileSystemId, AccessPointId is required.")
    else:
        file_system_id = file_system_of(call)["FileSystemId"]
    mine = [t for t in mount_targets(call).values() if t["FileSystemId"] == file_system_id]
    return listed(call, "MountTargets", mine)


@operation("efs", "DescribeMountTargetSecurityGroups")
def describe_mount_target_security_groups(call):
    return {"SecurityGroups": mount_target_of(call)["_groups"]}


@operation("efs", "ModifyMountTargetSecurityGroups")
def modify_mount_target_security_groups(call):
    target = mount_target_of(call)
    if call.get("SecurityGroups"):
        enis.regroup(call, target["MountTargetId"], call.params["SecurityGroups"])
        target["_groups"] = call.params["SecurityGroups"]
    return {}


@operation("efs", "DeleteMountTarget")
def delete_mount_target(call):
    target = mount_target_of(call)
    if target["LifeCycleState"] != "deleting":
        target["LifeCycleState"] = "deleting"
        later("efs.mount-target.delete", lambda: remove_mount_target(call, target["MountTargetId"]))
    return {}


def remove_mount_target(call, target_id):
    mount_targets(call).pop(target_id, None)
    enis.release(call, target_id)


@operation("efs", "CreateAccessPoint")
def create_access_point(call):
    token, item = call.params["ClientToken"], file_system_of(call)
    for known in access_points(call).values():
        if known["ClientToken"] == token and known["FileSystemId"] == item["FileSystemId"]:
            return repeated(call, known)
    point_id = f"fsap-{new_id()}"
    point = {
        "ClientToken": token,
        "Tags": call.get("Tags", []),
        "AccessPointId": point_id,
        "AccessPointArn": call.arn("elasticfilesystem", f"access-point/{point_id}"),
        "FileSystemId": item["FileSystemId"],
        "RootDirectory": {"Path": "/"} | call.get("RootDirectory", {}),
        "OwnerId": call.account,
        "LifeCycleState": "creating",
    } | picked(call.params, "PosixUser")
    access_points(call)[point_id] = point
    answer = shown(call, point)
    later("efs.access-point", lambda: available(point))
    return answer


def repeated(call, known):
    """The same token with the same wish is the same access point; with another one it is refused."""
    asked = {"PosixUser": call.get("PosixUser"), "RootDirectory": {"Path": "/"} | call.get("RootDirectory", {})}
    if all(known.get(key) == value for key, value in asked.items()):
        return shown(call, known)
    point_id = known["AccessPointId"]
    raise AwsError("AccessPointAlreadyExists", f"Access point already exists: {point_id}", AccessPointId=point_id)


@operation("efs", "DescribeAccessPoints")
def describe_access_points(call):
    if call.get("AccessPointId"):
        return listed(call, "AccessPoints", [access_point_of(call)])
    found = list(access_points(call).values())
    if call.get("FileSystemId"):
        wanted = file_system_of(call)["FileSystemId"]
        found = [point for point in found if point["FileSystemId"] == wanted]
    return listed(call, "AccessPoints", found)


@operation("efs", "DeleteAccessPoint")
def delete_access_point(call):
    point = access_point_of(call)
    point["LifeCycleState"] = "deleting"
    later("efs.access-point", lambda: access_points(call).pop(point["AccessPointId"], None))
    return {}


def tagged(call, reference):
    return access_point_of(call, reference) if bare(reference).startswith("fsap-") else file_system_of(call, reference)


@operation("efs", "ListTagsForResource", "DescribeTags")
def list_tags_for_resource(call):
    return {"Tags": tagged(call, call.get("ResourceId") or call.params["FileSystemId"])["Tags"]}


@operation("efs", "TagResource", "CreateTags")
def tag_resource(call):
    item = tagged(call, call.get("ResourceId") or call.params["FileSystemId"])
    item["Tags"] = with_tags(item["Tags"], call.params["Tags"])
    return {}


@operation("efs", "UntagResource", "DeleteTags")
def untag_resource(call):
    item = tagged(call, call.get("ResourceId") or call.params["FileSystemId"])
    item["Tags"] = without_tags(item["Tags"], call.params["TagKeys"])
    return {}
