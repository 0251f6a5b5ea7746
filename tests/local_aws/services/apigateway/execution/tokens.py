"""Tokens of Cognito user pools: given to clients with a secret, and checked by authorizers.

A client asks `POST /oauth2/token` with `Host: {prefix}.auth.{region}.amazoncognito.com`, or, where it cannot choose the
header, `POST /_local/cognito/{prefix}/oauth2/token`.

Sources: Cognito Developer Guide, "The token issuer endpoint" (client_credentials, errors), "Understanding the access
token" (claims), "Verifying JSON web tokens".
"""

import base64
import json
import re
from urllib.parse import parse_qs

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from ....registry import behaviour
from ....world import new_id, world
from .refusals import Answer, refuse

HOST = re.compile(r"(?P<prefix>[a-z0-9-]+)\.auth(-fips)?\.(?P<region>[a-z0-9-]+)\.amazoncognito\.com(:\d+)?")
PATH = re.compile(r"/_local/cognito/(?P<prefix>[a-z0-9-]+)/oauth2/token")
HOUR = 3600


def domain_of(request):
    """The prefix of the domain whose token endpoint a request is for, or None."""
    by_path = PATH.fullmatch(request.path)
    by_host = HOST.fullmatch(request.headers.get("Host", "").lower())
    if by_path:
        return by_path["prefix"]
    return by_host["prefix"] if by_host and request.path == "/oauth2/token" else None


@behaviour(
    "cognito-idp",
    says="a client gets a token for its secret, with scopes it may have that are there",
    source="Cognito Developer Guide: The token issuer endpoint",
)
def issue(request, prefix):
    """The answer of a token endpoint."""
    pool, region = pool_of_domain(prefix)
    form = {name: values[-1] for name, values in parse_qs(request.get_data().decode()).items()}
    if pool is None or request.method != "POST":
        return oauth_error("invalid_request", 404 if pool is None else 405)
    client = client_of(pool, request, form)
    if client is None:
        return oauth_error("invalid_client")
    if form.get("grant_type") != "client_credentials":
        return oauth_error("unsupported_grant_type")
    if "client_credentials" not in client.get("AllowedOAuthFlows", []):
        return oauth_error("unauthorized_client")
    allowed = client.get("AllowedOAuthScopes", [])
    wanted = form["scope"].split() if "scope" in form else allowed
    if not set(wanted) <= set(allowed) or not set(wanted) <= scopes_of(pool):
        return oauth_error("invalid_scope")
    lifetime = lifetime_of(client)
    token = signed(pool, region, client, wanted, lifetime)
    body = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
    return Answer(200, {"Content-Type": "application/json;charset=UTF-8"}, json.dumps(body).encode())


def oauth_error(code, status=400):
    return Answer(status, {"Content-Type": "application/json;charset=UTF-8"}, json.dumps({"error": code}).encode())


def pool_of_domain(prefix):
    for (account, region, name), shelf in list(world.shelves.items()):
        if name == "cognito.domains" and prefix in shelf:
            pools = world.shelf(account, region, "cognito.pools")
            return pools.get(shelf[prefix]["UserPoolId"]), region
    return None, None


def client_of(pool, request, form):
    """The client that a request names, with its secret."""
    header = request.headers.get("Authorization", "")
    given = (form.get("client_id"), form.get("client_secret"))
    if header.startswith("Basic "):
        given = tuple(base64.b64decode(header.removeprefix("Basic ")).decode().split(":", 1))
    client = pool["_clients"].get(given[0])
    secrets = secrets_of(client) if client else []
    return client if given[-1] in secrets else None


def secrets_of(client):
    """A client may have two at a time while one takes over from the other."""
    more = [item.get("ClientSecretValue") for item in client.get("_secrets", {}).values()]
    return [secret for secret in [client.get("ClientSecret"), *more] if secret]


def scopes_of(pool):
    servers = pool["_servers"].values()
    return {f"{server['Identifier']}/{scope['ScopeName']}" for server in servers for scope in server["Scopes"]}


UNITS = {"seconds": 1, "minutes": 60, "hours": HOUR, "days": 24 * HOUR}


def lifetime_of(client):
    unit = (client.get("TokenValidityUnits") or {}).get("AccessToken", "hours")
    return client.get("AccessTokenValidity", 0) * UNITS[unit] or HOUR


def key_of(pool):
    """The key that a pool signs with."""
    if "_signing_key" not in pool:
        pool["_signing_key"] = jwk.RSAKey.generate_key(2048, {"kid": new_id(43)}, private=True)
    return pool["_signing_key"]


def issuer(pool, region):
    return f"https://cognito-idp.{region}.amazonaws.com/{pool['Id']}"


def signed(pool, region, client, scopes, lifetime):
    now, key = int(world.time()), key_of(pool)
    claims = {
        "sub": client["ClientId"],
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": issuer(pool, region),
        "exp": now + lifetime,
        "iat": now,
        "version": 2,
        "jti": new_id(32),
        "client_id": client["ClientId"],
    }
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def claims_of(call, token, pool_arns):
    """The claims of a token that one of these pools has signed and that still holds."""
    pools = call.shelf("cognito.pools")
    trusted = [pools[arn.rpartition("/")[2]] for arn in pool_arns if arn.rpartition("/")[2] in pools]
    for pool in trusted:
        claims = verified(token, pool)
        if claims is not None and claims.get("iss") == issuer(pool, call.region):
            if claims["exp"] <= world.time():
                refuse("UNAUTHORIZED", "The incoming token has expired")
            return claims
    return refuse("UNAUTHORIZED", "Unauthorized")


def verified(token, pool):
    if "_signing_key" not in pool:
        return None
    try:
        return jwt.decode(token, pool["_signing_key"], algorithms=["RS256"]).claims
    except (JoseError, ValueError):
        return None
