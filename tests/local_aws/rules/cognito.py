"""Cognito user pools."""

from ..registry import AwsError, rule
from ..services.cognito import domains, pools

RESERVED = ("aws", "amazon", "cognito")
CLIENT_WRITES = ("CreateUserPoolClient", "UpdateUserPoolClient")
OPENID = {"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}


def refuse(message):
    raise AwsError("InvalidParameterException", message)


def pool_in(call):
    return pools(call).get(call.params["UserPoolId"])


@rule("order", "cognito-idp", "DeleteUserPool", says="a protected user pool is not deleted")
def protected_pool(call):
    pool = pool_in(call)
    if pool and pool["DeletionProtection"] == "ACTIVE":
        refuse("The user pool cannot be deleted because deletion protection is activated.")


@rule("order", "cognito-idp", "DeleteUserPool", says="the domain of a user pool goes before the pool")
def pool_with_domain(call):
    if any(domain["UserPoolId"] == call.params["UserPoolId"] for domain in domains(call).values()):
        refuse("User pool cannot be deleted. It has a domain configured that should be deleted first.")


@rule("strict", "cognito-idp", "CreateUserPoolDomain", says="a domain's prefix has no word of AWS's own")
def reserved_words(call):
    for word in RESERVED:
        if word in call.params["Domain"] and "CustomDomainConfig" not in call.params:
            refuse(f"Domain cannot contain reserved word: {word}")


@rule("order", "cognito-idp", "CreateUserPoolDomain", says="a domain is one pool's, and a pool has one")
def domain_is_free(call):
    if call.params["Domain"] in domains(call):
        refuse("Domain already associated with another user pool.")
    if any(domain["UserPoolId"] == call.params["UserPoolId"] for domain in domains(call).values()):
        refuse("User pool already has a domain configured.")


@rule(
    "strict", "cognito-idp", "CreateUserPool", "UpdateUserPool", says="a second factor is asked for once one is set up"
)
def mfa_needs_a_factor(call):
    pool = pools(call).get(call.get("UserPoolId"), {})
    wanted = call.get("MfaConfiguration", "OFF") != "OFF"
    if wanted and not pool.get("_factors") and not call.get("SmsConfiguration"):
        refuse("Invalid MFA configuration given, can't turn on MFA without at least one MFA factor configured.")


@rule("strict", "cognito-idp", "SetUserPoolMfaConfig", says="a second factor that is asked for is configured")
def mfa_config_has_a_factor(call):
    factors = ("SoftwareTokenMfaConfiguration", "SmsMfaConfiguration", "EmailMfaConfiguration")
    given = any(call.get(factor, {}).get("Enabled", bool(call.get(factor))) for factor in factors)
    if call.get("MfaConfiguration", "OFF") != "OFF" and not given:
        refuse("Invalid MFA configuration given, can't disable all MFAs and require them.")


@rule("strict", "cognito-idp", *CLIENT_WRITES, says="client_credentials needs a secret, and excludes the other flows")
def client_flows(call):
    flows = call.get("AllowedOAuthFlows", [])
    if "client_credentials" not in flows:
        return
    pool = pool_in(call) or {"_clients": {}}
    existing = pool["_clients"].get(call.get("ClientId"), {})
    if len(flows) > 1:
        raise AwsError(
            "InvalidOAuthFlowException", "client_credentials flow can not be selected along with code or implicit flow."
        )
    if not call.get("GenerateSecret") and "ClientSecret" not in existing:
        raise AwsError(
            "InvalidOAuthFlowException", "client_credentials flow can not be selected if client does not have a secret."
        )


@rule("order", "cognito-idp", *CLIENT_WRITES, says="the scopes of a client exist, on a resource server of its pool")
def client_scopes(call):
    pool = pool_in(call)
    if pool is None:
        return
    servers = pool["_servers"].values()
    known = {f"{server['Identifier']}/{scope['ScopeName']}" for server in servers for scope in server["Scopes"]}
    for scope in call.get("AllowedOAuthScopes", []):
        if scope not in known | OPENID:
            raise AwsError("ScopeDoesNotExistException", f"Invalid scope requested: {scope}")


@rule("strict", "cognito-idp", *CLIENT_WRITES, says="an access token is good for five minutes to a day")
def token_lifetime(call):
    length = call.get("AccessTokenValidity")
    if length is None:
        return
    unit = call.get("TokenValidityUnits", {}).get("AccessToken", "hours")
    seconds = length * {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[unit]
    if not 300 <= seconds <= 86400:
        refuse("Invalid range for token validity: the access token's must be between 5 minutes and 1 day.")


@rule("order", "cognito-idp", "CreateResourceServer", says="an identifier is one resource server's in its pool")
def server_is_new(call):
    pool = pool_in(call)
    if pool and call.params["Identifier"] in pool["_servers"]:
        refuse(f"{call.params['Identifier']} already exists in user pool {call.params['UserPoolId']}.")
