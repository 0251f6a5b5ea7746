"""Client tokens: the same token with the same wish gets the first answer again, whatever became of the object."""

import copy

from ...registry import AwsError, after, replay

TOKENED = ("CreateRouteTable", "CreateFlowLogs", "CreateNatGateway", "CreateVpcEndpoint")


def known(call):
    return call.shelf("ec2.tokens")


def wish(call):
    return {key: value for key, value in call.params.items() if key != "ClientToken"}


@replay("ec2", *TOKENED)
def first_answer(call):
    key = (call.operation, call.get("ClientToken"))
    if key not in known(call):
        return None
    first_wish, answer = known(call)[key]
    if first_wish != wish(call):
        message = "The request uses the same client token as a previous, but non-identical request."
        raise AwsError("IdempotentParameterMismatch", message)
    return answer


@after("ec2", *TOKENED)
def remember(call, answer):
    token = call.get("ClientToken")
    if token:
        answer["ClientToken"] = token
        known(call)[(call.operation, token)] = (wish(call), copy.deepcopy(answer))
