"""A campus system, as it calls the API of `student-records`."""

import base64
import urllib.parse
import urllib.request

from requirements.calls import Door, open_url
from requirements.live import one


class Campus:
    """A campus system: its key, and a signature or a token."""

    def __init__(self, live, by_token):
        self.live = live
        self.door = Door(live.endpoint, live.region, live.api["id"], live.stage["stageName"])
        key = one(live.apigateway.get_usage_plan_keys(usagePlanId=one(live.plans)["id"])["items"])
        self.key = {"x-api-key": live.apigateway.get_api_key(apiKey=key["id"], includeValue=True)["value"]}
        self.token = {"Authorization": token_of(live)} if by_token else {}

    def call(self, method, path, body="", key=True, known=True, headers=None):
        headers = (headers or {}) | (self.key if key else {}) | (self.token if known else {})
        return self.door.call(method, path, body, headers, signed=known and not self.token)


def token_of(live):
    """An access token for the secret of the one client there is."""
    pool = live.user_pool
    brief = one(live.all("cognito-idp", "list_user_pool_clients", "UserPoolClients", UserPoolId=pool["Id"]))
    found = live.cognito_idp.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=brief["ClientId"])[
        "UserPoolClient"
    ]
    url = f"https://{pool['Domain']}.auth.{live.region}.amazoncognito.com/oauth2/token"
    if live.endpoint:
        url = f"{live.endpoint}/_local/cognito/{pool['Domain']}/oauth2/token"
    basic = base64.b64encode(f"{found['ClientId']}:{found['ClientSecret']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    return open_url(urllib.request.Request(url, data=form, headers=headers)).json()["access_token"]
