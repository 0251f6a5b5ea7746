"""Flow logs: whether they can deliver, which AWS tells late and forgets never."""

from ...life import durations
from ...policies import role_allows, roles_by_arn
from ...registry import after, operation
from ...world import new_id, world


@operation("ec2", "DeleteFlowLogs")
def delete_flow_logs(call):
    known, refused = call.backend("ec2").flow_logs, []
    for flow_log in call.params["FlowLogIds"]:
        if known.pop(flow_log, None) is None:
            message = f"The flow log '{flow_log}' does not exist"
            refused.append({"ResourceId": flow_log, "Error": {"Code": "InvalidFlowLogId.NotFound", "Message": message}})
        troubles(call).pop(flow_log, None)
    return {"Unsuccessful": refused}


@after("ec2", "CreateFlowLogs")
def repeat_the_token(call, answer):
    """An answer has the token of the call, or one that AWS drew."""
    answer.setdefault("ClientToken", call.get("ClientToken") or new_id(44))


def troubles(call):
    """Since when a flow log cannot deliver, by its id."""
    return call.shelf("ec2.flow-log-troubles")


def can_deliver(call, flow_log):
    if not flow_log.log_group_name:
        return True
    role = roles_by_arn(call).get(flow_log.deliver_logs_permission_arn)
    return role_allows(call, role, "logs:PutLogEvents") and flow_log.log_group_name in call.backend("logs").groups


@after("ec2", "DescribeFlowLogs")
def show_what_cannot_deliver(call, answer):
    """A flow log that could not deliver once stays so, whatever becomes of its role (terraform-aws-modules/terraform-aws-vpc
    #1262 on GitHub); it is ACTIVE, with a message and no status (cloud-custodian, test_vpc_flow_logs_absent)."""
    known = call.backend("ec2").flow_logs
    for shown in answer.get("FlowLogs", []):
        flow_log = known.get(shown["FlowLogId"])
        if flow_log is None:
            continue
        since = troubles(call).get(flow_log.id)
        if since is None and not can_deliver(call, flow_log):
            since = troubles(call)[flow_log.id] = world.clock.now()
        if since is None:
            continue
        if world.clock.seconds_since(since) >= durations["ec2.flow-log.delivery"]:
            shown.pop("DeliverLogsStatus", None)
            shown["DeliverLogsErrorMessage"] = "Access error"
        elif can_deliver(call, flow_log):
            del troubles(call)[flow_log.id]
