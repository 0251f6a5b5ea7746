"""Flow logs."""

from ...registry import operation


@operation("ec2", "DeleteFlowLogs")
def delete_flow_logs(call):
    known, refused = call.backend("ec2").flow_logs, []
    for flow_log in call.params["FlowLogIds"]:
        if known.pop(flow_log, None) is None:
            message = f"The flow log '{flow_log}' does not exist"
            refused.append({"ResourceId": flow_log, "Error": {"Code": "InvalidFlowLogId.NotFound", "Message": message}})
    return {"Unsuccessful": refused}
