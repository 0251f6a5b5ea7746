"""VPCs and subnets."""

from ...registry import after


@after("ec2", "CreateVpc")
def vpc_pending(call, answer):
    answer["Vpc"]["State"] = "pending"


@after("ec2", "CreateSubnet")
def subnet_pending(call, answer):
    answer["Subnet"]["State"] = "pending"


@after("ec2", "DeleteVpc")
def drop_network_acls(call, answer):
    acls = call.backend("ec2").network_acls
    for acl_id in [acl.id for acl in acls.values() if acl.vpc_id == call.params["VpcId"]]:
        acls.pop(acl_id)


@after("ec2", "DeleteSubnet")
def drop_associations(call, answer):
    for table in call.backend("ec2").route_tables.values():
        gone = [key for key, target in table._associations.items() if target == call.params["SubnetId"]]
        for key in gone:
            table._associations.pop(key)
