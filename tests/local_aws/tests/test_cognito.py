"""Cognito user pools."""

import pytest
from conftest import proves, refused


@pytest.fixture
def pool(local, name):
    return local("cognito-idp").create_user_pool(PoolName=name, UserPoolTags={"k": "v"})["UserPool"]["Id"]


@proves("cognito-idp.protected_pool", "cognito-idp.mfa_needs_a_factor", "cognito-idp.mfa_config_has_a_factor")
def test_user_pools(local, name):
    cognito = local("cognito-idp")
    with refused("InvalidParameterException"):
        cognito.create_user_pool(PoolName=name, MfaConfiguration="ON")
    policy = {"PasswordPolicy": {"MinimumLength": 12}}
    made = cognito.create_user_pool(PoolName=name, Policies=policy, DeletionProtection="ACTIVE")["UserPool"]
    with refused("InvalidParameterException"):
        cognito.set_user_pool_mfa_config(UserPoolId=made["Id"], MfaConfiguration="ON")
    app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    cognito.set_user_pool_mfa_config(UserPoolId=made["Id"], MfaConfiguration="OPTIONAL", **app)
    with refused("InvalidParameterException"):
        cognito.delete_user_pool(UserPoolId=made["Id"])
    cognito.tag_resource(ResourceArn=made["Arn"], Tags={"l": "w"})
    found = cognito.describe_user_pool(UserPoolId=made["Id"])["UserPool"]
    assert (found["MfaConfiguration"], found["UserPoolTags"]) == ("OPTIONAL", {"l": "w"})
    cognito.update_user_pool(UserPoolId=made["Id"], LambdaConfig={})
    found = cognito.describe_user_pool(UserPoolId=made["Id"])["UserPool"]
    assert found["Policies"]["PasswordPolicy"]["MinimumLength"] == 8, "what an update leaves out is set back"
    assert (found["MfaConfiguration"], found["DeletionProtection"], found["UserPoolTags"]) == ("OFF", "INACTIVE", {})
    cognito.delete_user_pool(UserPoolId=made["Id"])
    with refused("ResourceNotFoundException"):
        cognito.describe_user_pool(UserPoolId=made["Id"])


@proves("cognito-idp.pool_with_domain", "cognito-idp.reserved_words", "cognito-idp.domain_is_free")
def test_domains(local, pool, name):
    cognito = local("cognito-idp")
    assert cognito.describe_user_pool_domain(Domain=name)["DomainDescription"] == {}
    with refused("InvalidParameterException"):
        cognito.create_user_pool_domain(Domain=f"aws-{name}", UserPoolId=pool)
    cognito.create_user_pool_domain(Domain=name, UserPoolId=pool)
    for taken in (name, f"{name}-2"):
        with refused("InvalidParameterException"):
            cognito.create_user_pool_domain(Domain=taken, UserPoolId=pool)
    with refused("InvalidParameterException"):
        cognito.delete_user_pool(UserPoolId=pool)
    cognito.delete_user_pool_domain(Domain=name, UserPoolId=pool)
    cognito.delete_user_pool(UserPoolId=pool)


@proves(
    "cognito-idp.client_flows", "cognito-idp.client_scopes", "cognito-idp.token_lifetime", "cognito-idp.server_is_new"
)
def test_clients_get_what_resource_servers_offer(local, pool):
    cognito = local("cognito-idp")
    wish = {"UserPoolId": pool, "ClientName": "c", "AllowedOAuthFlows": ["client_credentials"]}
    wish |= {"AllowedOAuthScopes": ["api/read"], "AllowedOAuthFlowsUserPoolClient": True}
    with refused("ScopeDoesNotExistException"):
        cognito.create_user_pool_client(**wish, GenerateSecret=True)
    server = {"UserPoolId": pool, "Identifier": "api", "Name": "api"}
    cognito.create_resource_server(**server, Scopes=[{"ScopeName": "read", "ScopeDescription": "reads"}])
    with refused("InvalidParameterException"):
        cognito.create_resource_server(**server)
    with refused("InvalidOAuthFlowException"):
        cognito.create_user_pool_client(**wish)
    with refused("InvalidOAuthFlowException"):
        both = {"AllowedOAuthFlows": ["client_credentials", "code"]}
        cognito.create_user_pool_client(**wish | both, GenerateSecret=True)
    with refused("InvalidParameterException"):
        cognito.create_user_pool_client(**wish, GenerateSecret=True, AccessTokenValidity=48)
    made = cognito.create_user_pool_client(**wish, GenerateSecret=True, AccessTokenValidity=2)["UserPoolClient"]
    which = {"UserPoolId": pool, "ClientId": made["ClientId"]}
    cognito.update_user_pool_client(**which, ClientName="d")
    found = cognito.describe_user_pool_client(**which)["UserPoolClient"]
    assert (found["ClientName"], found["ClientSecret"]) == ("d", made["ClientSecret"])
    assert "AllowedOAuthScopes" not in found and "AccessTokenValidity" not in found
