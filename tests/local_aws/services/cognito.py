"""Cognito user pools without moto, which keeps what an update leaves out, and lets a pool go that is protected."""

from ..common import find, page, picked
from ..registry import AwsError, now, operation
from ..world import new_id, new_name

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
PASSWORD = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
# A policy that is given, but not whole, asks for nothing it does not name.
LENIENT = {"MinimumLength": 8, "TemporaryPasswordValidityDays": 7} | dict.fromkeys(
    ("RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"), False
)
POOL_FIELDS = (
    "LambdaConfig",
    "AutoVerifiedAttributes",
    "VerificationMessageTemplate",
    "UserAttributeUpdateSettings",
    "DeviceConfiguration",
    "EmailConfiguration",
    "SmsConfiguration",
    "UserPoolAddOns",
    "AccountRecoverySetting",
)
CLIENT_FIELDS = (
    "ClientName",
    "RefreshTokenValidity",
    "AccessTokenValidity",
    "IdTokenValidity",
    "TokenValidityUnits",
    "ReadAttributes",
    "WriteAttributes",
    "ExplicitAuthFlows",
    "SupportedIdentityProviders",
    "CallbackURLs",
    "LogoutURLs",
    "DefaultRedirectURI",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "AllowedOAuthFlowsUserPoolClient",
    "PreventUserExistenceErrors",
    "EnableTokenRevocation",
    "AuthSessionValidity",
)


def pools(call):
    return call.shelf("cognito.pools")


def domains(call):
    return call.shelf("cognito.domains")


def pool_of(call):
    wanted = call.params["UserPoolId"]
    return find(pools(call), wanted, "ResourceNotFoundException", f"User pool {wanted} does not exist.")


def settings(call):
    """What a create and an update set; what they leave out gets AWS's default."""
    given = call.get("Policies", {}).get("PasswordPolicy")
    password = LENIENT | given if given else PASSWORD
    admin = call.get("AdminCreateUserConfig", {})
    return {
        "Policies": {"PasswordPolicy": password, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}},
        "DeletionProtection": call.get("DeletionProtection", "INACTIVE"),
        "MfaConfiguration": call.get("MfaConfiguration", "OFF"),
        "AdminCreateUserConfig": {
            "AllowAdminCreateUserOnly": False,
            "UnusedAccountValidityDays": password["TemporaryPasswordValidityDays"],
        }
        | admin,
        "UserPoolTags": dict(call.get("UserPoolTags", {})),
        "UserPoolTier": call.get("UserPoolTier", "ESSENTIALS"),
        "LastModifiedDate": now(),
    } | picked(call.params, *POOL_FIELDS)


def shown(item):
    return {name: value for name, value in item.items() if not name.startswith("_")}


@operation("cognito-idp", "CreateUserPool")
def create_user_pool(call):
    pool_id = f"{call.region}_{new_id(9, LETTERS)}"
    pool = {
        "Id": pool_id,
        "Arn": call.arn("cognito-idp", f"userpool/{pool_id}"),
        "Name": call.params["PoolName"],
        "CreationDate": now(),
        "EstimatedNumberOfUsers": 0,
        "_servers": {},
        "_clients": {},
        "_factors": set(),
    } | settings(call)
    pools(call)[pool_id] = pool
    return {"UserPool": shown(pool)}


@operation("cognito-idp", "DescribeUserPool")
def describe_user_pool(call):
    pool = {"EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"}, "LambdaConfig": {}} | shown(pool_of(call))
    mine = [domain for domain, owner in domains(call).items() if owner["UserPoolId"] == pool["Id"]]
    return {"UserPool": pool | ({"Domain": mine[0]} if mine else {})}


@operation("cognito-idp", "ListUserPools")
def list_user_pools(call):
    briefly = ("Id", "Name", "LambdaConfig", "LastModifiedDate", "CreationDate")
    found, more = page(call, [picked(p, *briefly) for p in pools(call).values()], "MaxResults", "NextToken", "NextToken")
    return {"UserPools": found} | more


@operation("cognito-idp", "UpdateUserPool")
def update_user_pool(call):
    pool = pool_of(call)
    for field in POOL_FIELDS:
        pool.pop(field, None)
    pool |= settings(call)
    pool["Name"] = call.get("PoolName", pool["Name"])
    return {}


@operation("cognito-idp", "SetUserPoolMfaConfig")
def set_user_pool_mfa_config(call):
    pool = pool_of(call)
    for factor in ("SoftwareTokenMfaConfiguration", "SmsMfaConfiguration", "EmailMfaConfiguration"):
        given = call.params.get(factor)
        enabled = given and given.get("Enabled", True)
        pool["_factors"].add(factor) if enabled else pool["_factors"].discard(factor)
    pool["MfaConfiguration"] = call.get("MfaConfiguration", "OFF")
    return {"MfaConfiguration": pool["MfaConfiguration"]}


@operation("cognito-idp", "DeleteUserPool")
def delete_user_pool(call):
    del pools(call)[pool_of(call)["Id"]]
    return {}


# Tags


def tagged(call):
    wanted = call.params["ResourceArn"].rpartition("/")[2]
    return find(pools(call), wanted, "ResourceNotFoundException", f"User pool {wanted} does not exist.")


@operation("cognito-idp", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"Tags": tagged(call)["UserPoolTags"]}


@operation("cognito-idp", "TagResource")
def tag_resource(call):
    tagged(call)["UserPoolTags"] |= call.params["Tags"]
    return {}


@operation("cognito-idp", "UntagResource")
def untag_resource(call):
    for key in call.params["TagKeys"]:
        tagged(call)["UserPoolTags"].pop(key, None)
    return {}


# Domains


@operation("cognito-idp", "CreateUserPoolDomain")
def create_user_pool_domain(call):
    domain = call.params["Domain"]
    domains(call)[domain] = {
        "UserPoolId": pool_of(call)["Id"],
        "AWSAccountId": call.account,
        "Domain": domain,
        "Status": "ACTIVE",
        "Version": "20260101000000",
        "ManagedLoginVersion": call.get("ManagedLoginVersion", 1),
    }
    return {}


@operation("cognito-idp", "DescribeUserPoolDomain")
def describe_user_pool_domain(call):
    return {"DomainDescription": domains(call).get(call.params["Domain"], {})}


@operation("cognito-idp", "DeleteUserPoolDomain")
def delete_user_pool_domain(call):
    domain = call.params["Domain"]
    if domains(call).get(domain, {}).get("UserPoolId") != pool_of(call)["Id"]:
        raise AwsError("InvalidParameterException", "No such domain or user pool exists.")
    del domains(call)[domain]
    return {}


# Resource servers


def server_of(call):
    wanted = call.params["Identifier"]
    return find(pool_of(call)["_servers"], wanted, "ResourceNotFoundException", f"Resource server {wanted} not found.")


@operation("cognito-idp", "CreateResourceServer", "UpdateResourceServer")
def put_resource_server(call):
    if call.operation == "UpdateResourceServer":
        server_of(call)
    server = picked(call.params, "UserPoolId", "Identifier", "Name") | {"Scopes": call.get("Scopes", [])}
    pool_of(call)["_servers"][server["Identifier"]] = server
    return {"ResourceServer": server}


@operation("cognito-idp", "DescribeResourceServer")
def describe_resource_server(call):
    return {"ResourceServer": server_of(call)}


@operation("cognito-idp", "ListResourceServers")
def list_resource_servers(call):
    found, more = page(call, list(pool_of(call)["_servers"].values()), "MaxResults", "NextToken", "NextToken", 50)
    return {"ResourceServers": found} | more


@operation("cognito-idp", "DeleteResourceServer")
def delete_resource_server(call):
    del pool_of(call)["_servers"][server_of(call)["Identifier"]]
    return {}


# Clients


def client_of(call):
    wanted = call.params["ClientId"]
    message = f"User pool client {wanted} does not exist."
    return find(pool_of(call)["_clients"], wanted, "ResourceNotFoundException", message)


def client_settings(call):
    sessions = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]
    return {
        "RefreshTokenValidity": 30,
        "TokenValidityUnits": {},
        "ExplicitAuthFlows": sessions,
        "AllowedOAuthFlowsUserPoolClient": False,
        "EnableTokenRevocation": True,
        "AuthSessionValidity": 3,
        "LastModifiedDate": now(),
    } | picked(call.params, *CLIENT_FIELDS)


@operation("cognito-idp", "CreateUserPoolClient")
def create_user_pool_client(call):
    client = {"UserPoolId": pool_of(call)["Id"], "ClientId": new_name(26), "CreationDate": now()}
    if call.get("GenerateSecret"):
        client["ClientSecret"] = new_name(51)
    client |= client_settings(call)
    pool_of(call)["_clients"][client["ClientId"]] = client
    return {"UserPoolClient": client}


@operation("cognito-idp", "UpdateUserPoolClient")
def update_user_pool_client(call):
    client = client_of(call)
    name = client["ClientName"]
    for field in CLIENT_FIELDS:
        client.pop(field, None)
    client |= {"ClientName": name} | client_settings(call)
    return {"UserPoolClient": client}


@operation("cognito-idp", "DescribeUserPoolClient")
def describe_user_pool_client(call):
    return {"UserPoolClient": client_of(call)}


@operation("cognito-idp", "ListUserPoolClients")
def list_user_pool_clients(call):
    briefly = [picked(c, "ClientId", "UserPoolId", "ClientName") for c in pool_of(call)["_clients"].values()]
    found, more = page(call, briefly, "MaxResults", "NextToken", "NextToken", 60)
    return {"UserPoolClients": found} | more


@operation("cognito-idp", "DeleteUserPoolClient")
def delete_user_pool_client(call):
    del pool_of(call)["_clients"][client_of(call)["ClientId"]]
    return {}
