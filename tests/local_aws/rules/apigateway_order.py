"""API Gateway: what has to be there first, and what may not go yet."""

from ..journal import is_write
from ..policies import as_list, role_allows, roles_by_arn
from ..registry import AwsError, rule
from ..services.apigateway.shared import usage_plans
from ..trusts import trusts
from ..wire import service_model
from .apigateway import BRINGS, api_in, bad, integrations, patches


@rule(
    "order",
    "apigateway",
    *(name for name in service_model("apigateway").operation_names if is_write(name)),
    says="writes inside one API are made one after the other",
    source="Amazon API Gateway REST API Reference: ConflictException",
)
def concurrent_modification(call):
    if call.trace.get("overlaps"):
        message = "Unable to complete operation due to concurrent modification. Please try again later."
        raise AwsError("ConflictException", message)


@rule("order", "apigateway", *BRINGS, says="a VPC link exists and is AVAILABLE before an integration uses it")
def link_ready(call):
    second, first = call.shelf("apigatewayv2.vpc-links"), call.shelf("apigateway.vpc-links")
    for where, _, _, integration in integrations(call):
        link = integration.get("connectionId")
        if integration.get("connectionType") != "VPC_LINK" or not link or link.startswith("${stageVariables"):
            continue
        state = second.get(link, {}).get("VpcLinkStatus") or first.get(link, {}).get("status")
        if state is None:
            bad(f"Invalid connection ID: VPC link {link} does not exist ({where})")
        if state != "AVAILABLE":
            bad(f"Vpc link {link} is not in the state AVAILABLE but {state} ({where})")


def leads_through(resources, link):
    """Where an integration leads through a link: method and resource."""
    for resource in resources.values():
        for name, method in resource["resourceMethods"].items():
            if method.get("methodIntegration", {}).get("connectionId") == link:
                yield f"{name}:{resource['id']}"


@rule(
    "order",
    "apigatewayv2",
    "DeleteVpcLink",
    says="a VPC link cannot be deleted while a method leads through it or went so, nor while a stage still serves one",
    source="hashicorp/terraform-provider-aws#12195, hashicorp/terraform#18392 and klothoplatform/klotho#202 on GitHub",
)
def link_in_use(call):
    link, deployed = call.params["VpcLinkId"], []
    live = list(call.shelf("apigateway.dangling").get(link, []))
    for api_id, api in call.shelf("apigateway.apis").items():
        live += leads_through(api["resources"], link)
        for name, stage in api["stages"].items():
            snapshot = api["deployments"].get(stage["deploymentId"], {}).get("_snapshot", {})
            deployed += [f"{api_id}:{where}:{name}" for where in leads_through(snapshot, link)]
    if live or deployed:
        places, form = (live, "Method:Resource") if live else (deployed, "RESTApiId:Method:Resource:Stage")
        told = f"Vpc link '{link}', is referenced in [{', '.join(places)}] in format of [{form}]"
        raise AwsError("BadRequestException", f"Cannot delete vpc link. {told}")


@rule("strict", "apigateway", *BRINGS, says="the role of an integration is of the same account")
def integration_role(call):
    for _, _, _, integration in integrations(call):
        arn = integration.get("credentials") or ""
        if ":role/" in arn and f":{call.account}:" not in arn:
            raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.")


@rule(
    "order",
    "apigateway",
    "UpdateAccount",
    says="the logging role of the account trusts apigateway and may write logs",
    source="API Gateway Developer Guide: CloudWatch logging",
)
def account_role(call):
    for patch in patches(call, "/cloudwatchRoleArn"):
        arn = patch.get("value")
        if patch["op"] != "replace" or not arn:
            continue
        found = roles_by_arn(call).get(arn)
        if not trusts(call, found, "apigateway.amazonaws.com") or not role_allows(call, found, "logs:PutLogEvents"):
            message = (
                "The role ARN does not have required permissions configured. Please "
                "grant trust permission for API Gateway "
            )
            bad(message + "and add the required role policy.")


@rule(
    "order",
    "apigateway",
    "UpdateStage",
    says="a stage logs only once the account has a logging role",
    source="API Gateway Developer Guide: CloudWatch logging",
)
def logging_needs_account(call):
    wants = patches(call, "/accessLogSettings/destinationArn")
    wants += [
        p
        for p in call.get("patchOperations", [])
        if p["path"].endswith("/logging/loglevel") and p.get("value") != "OFF"
    ]
    if any(p["op"] == "replace" for p in wants) and not call.shelf("apigateway.account").get("cloudwatchRoleArn"):
        bad("CloudWatch Logs role ARN must be set in account settings to enable logging")


@rule(
    "order",
    "apigateway",
    "UpdateStage",
    says="an access log group exists before a stage writes to it",
    source="API Gateway Developer Guide: CloudWatch logging",
)
def access_log_group(call):
    for patch in patches(call, "/accessLogSettings/destinationArn"):
        name = (patch.get("value") or "").partition(":log-group:")[2].removesuffix(":*")
        if patch["op"] == "replace" and name and name not in call.backend("logs").groups:
            bad(f"The log group {name} does not exist")


@rule("order", "apigateway", "DeleteDeployment", says="a deployment that a stage points to cannot be deleted")
def deployment_in_use(call):
    api = api_in(call)
    if api and any(stage["deploymentId"] == call.params["deploymentId"] for stage in api["stages"].values()):
        bad("Active stages pointing to this deployment must be moved or deleted")


@rule(
    "order",
    "apigateway",
    "CreateDeployment",
    says="an API is deployed with at least one method, each with an integration",
)
def deployable(call):
    api = api_in(call)
    methods = (
        [m for r in api["resources"].values() for m in r["resourceMethods"].values()]
        if api
        else [{"methodIntegration": 1}]
    )
    if not methods:
        bad("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for method in methods):
        bad("No integration defined for method")


@rule(
    "order",
    "apigateway",
    "DeleteRestApi",
    "DeleteStage",
    says="an API or stage in a usage plan cannot be deleted",
    source="API Gateway Developer Guide: usage plans",
)
def in_a_usage_plan(call):
    for plan in usage_plans(call).values():
        for stage in as_list(plan["apiStages"]):
            if stage["apiId"] == call.params["restApiId"] and call.get("stageName") in (None, stage["stage"]):
                bad(f"Cannot delete: the stage is used by usage plan {plan['id']}.")


@rule(
    "order",
    "apigateway",
    "DeleteUsagePlan",
    says="a usage plan with stages cannot be deleted",
    source="API Gateway Developer Guide: usage plans",
)
def plan_has_stages(call):
    plan = usage_plans(call).get(call.params["usagePlanId"])
    if plan and plan["apiStages"]:
        stages = ", ".join(f"{s['apiId']}:{s['stage']}" for s in plan["apiStages"])
        bad(f"Cannot delete Usage Plan {plan['id']} because there are API Stages associated with it: {stages}")


@rule("order", "apigatewayv2", "CreateVpcLink", says="subnets and security groups exist before a VPC link")
def link_network(call):
    known = {s for zone in call.backend("ec2").subnets.values() for s in zone}
    groups = {g for vpc in call.backend("ec2").groups.values() for g in vpc}
    for wanted, present in ((call.get("SubnetIds", []), known), (call.get("SecurityGroupIds", []), groups)):
        for name in wanted:
            if name not in present:
                bad(f"The subnet or security group {name} does not exist")
