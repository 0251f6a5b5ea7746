"""Who may call a method: by IAM signature, by a token of a Cognito user pool, and by the policy of the API.

Sources: API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow" (the table of
what each of the two policies must say), "Control access to a REST API with IAM permissions" and "Control access to REST
APIs using Amazon Cognito user pools as an authorizer".
"""

import json

from ....policies import statements
from ....registry import behaviour
from . import signature, tokens
from .principals import ALLOWED, DENIED, decision, principal_of
from .refusals import refuse


def authorize(invocation):
    kind = invocation.method["authorizationType"]
    if kind == "AWS_IAM":
        return by_signature(invocation)
    if kind == "COGNITO_USER_POOLS":
        by_token(invocation)
    elif kind == "CUSTOM":
        # Nobody here can run a Lambda function.
        refuse("AUTHORIZER_CONFIGURATION_ERROR", "null")
    return by_policy_alone(invocation)


@behaviour(
    "apigateway",
    says="a method with IAM needs the signature of somebody who may execute-api:Invoke, by own policies or the API's",
    source="API Gateway Developer Guide: How API Gateway resource policies affect authorization workflow",
)
def by_signature(invocation):
    """Within an account either the caller's policies or that of the API have to allow it, and neither to deny it."""
    call, request = invocation.call, invocation.request
    signed = signature.read(request)
    who = principal_of(call, signed.access_key)
    if who is None:
        message = "The security token included in the request is invalid."
        refuse("MISSING_AUTHENTICATION_TOKEN", message, "UnrecognizedClientException")
    signature.check(request, signed, who.secret, call.region)
    identity = {"caller": who.caller, "user": who.caller, "userArn": who.arn, "accessKey": signed.access_key}
    invocation.context["identity"] |= identity | {"accountId": call.account}
    said = {
        who.decision("execute-api:Invoke", execute_arn(invocation), known(invocation)),
        policy_says(invocation, who),
    }
    if DENIED in said:
        deny(invocation, who.arn, " with an explicit deny")
    if ALLOWED not in said:
        deny(invocation, who.arn)


@behaviour(
    "apigateway",
    says="without IAM the policy of an API has to allow every call",
    source="API Gateway Developer Guide: How API Gateway resource policies affect authorization workflow",
)
def by_policy_alone(invocation):
    """Without IAM the policy of the API has to allow the call, if there is one."""
    if policy_of(invocation) is None:
        return
    said = policy_says(invocation, None)
    if said != ALLOWED:
        deny(invocation, "anonymous", " with an explicit deny" if said == DENIED else "")


def policy_of(invocation):
    text = invocation.api["record"].get("policy")
    return json.loads(text) if text else None


def policy_says(invocation, who):
    policy = policy_of(invocation)
    if policy is None:
        return None
    speaking = [full(invocation, s) for s in statements(policy) if about(s, who)]
    return decision([{"Statement": speaking}], "execute-api:Invoke", execute_arn(invocation), known(invocation))


def about(statement, who):
    """Whether a statement is about a caller: everybody, the account, or that one."""
    principal = statement.get("Principal")
    if principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"])):
        return True
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    named = named if isinstance(named, list) else [named]
    account = who.arn.split(":")[4] if who else None
    return who is not None and any(n in (who.arn, account) or n.endswith(f"::{account}:root") for n in named)


def full(invocation, statement):
    """Resources may be written from `execute-api:/` on."""
    call, api_id = invocation.call, invocation.api["record"]["id"]
    start = f"{call.arn('execute-api', api_id)}/"
    resources = statement.get("Resource", "*")
    resources = resources if isinstance(resources, list) else [resources]
    return statement | {"Resource": [resource.replace("execute-api:/", start, 1) for resource in resources]}


def known(invocation):
    """The values of condition keys."""
    call = invocation.call
    return {
        "aws:requestedregion": [call.region],
        "aws:principalaccount": [call.account],
        "aws:sourceip": [invocation.context["identity"]["sourceIp"]],
    }


def execute_arn(invocation):
    call, stage = invocation.call, invocation.stage["stageName"]
    path = invocation.path.strip("/")
    return call.arn("execute-api", f"{invocation.api['record']['id']}/{stage}/{invocation.request.method}/{path}")


def deny(invocation, who, why=""):
    """The account in the ARN is hidden but for its end."""
    account = invocation.call.account
    resource = execute_arn(invocation).replace(f":{account}:", f":********{account[-4:]}:")
    where = f"is not authorized to perform: execute-api:Invoke on resource: {resource}"
    refuse("ACCESS_DENIED", f"User: {who} {where}{why}")


@behaviour(
    "apigateway",
    says="an authorizer of a user pool wants a token of that pool, with one of the scopes of the method if it has any",
    source="Cognito Developer Guide: Scopes, M2M, and APIs with resource servers",
)
def by_token(invocation):
    """An authorizer without scopes on the method wants an identity token, one with scopes an access token that has one
    of them. Source: "Scopes, M2M, and APIs with resource servers" in the Cognito Developer Guide."""
    authorizer = invocation.api["authorizers"].get(invocation.method.get("authorizerId"))
    if authorizer is None:
        refuse("AUTHORIZER_CONFIGURATION_ERROR", "null")
    source = authorizer.get("identitySource") or "method.request.header.Authorization"
    given = invocation.header(source.rpartition(".")[2], "")
    claims = tokens.claims_of(invocation.call, given.removeprefix("Bearer ").strip(), authorizer["providerARNs"])
    scopes = invocation.method.get("authorizationScopes") or []
    held = str(claims.get("scope", "")).split()
    right = any(scope in held for scope in scopes) if scopes else claims["token_use"] == "id"
    if not right:
        refuse("UNAUTHORIZED", "Unauthorized")
    invocation.context["authorizer"] = {"claims": {name: str(value) for name, value in claims.items()}}
