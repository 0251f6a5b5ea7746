"""Stages to send requests to: an API imported, deployed and shown, and a client that signs."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SCHEMES = {
    "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
    "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
}


@dataclass
class Answered:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def refusal(self):
        """Status, error type and message of what API Gateway answers itself."""
        said = self.json()
        return self.status, self.headers["x-amzn-ErrorType"], said.get("message", said.get("Message"))


def send(url, method="GET", body=b"", headers=None, key=None, secret=None, region="us-east-1", token=None):
    """Sends a request; with a key it is signed, by default with the secret that keys of the account itself have."""
    body = body.encode() if isinstance(body, str) else body
    request = AWSRequest(method, url, headers=headers or {}, data=body)
    if key:
        SigV4Auth(Credentials(key, secret or key, token), "execute-api", region).add_auth(request)
    prepared = request.prepare()
    outgoing = urllib.request.Request(prepared.url, data=body or None, method=method, headers=dict(prepared.headers))
    try:
        with urllib.request.urlopen(outgoing) as answer:
            return Answered(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answered(error.code, error.headers, error.read())


@dataclass
class Stage:
    """The stage `dev` of an API of a test's own."""

    local: object
    api: str
    deployments: list = field(default_factory=list)

    def url(self, path):
        return f"{self.local.url}/restapis/{self.api}/dev/_user_request_{path}"

    def call(self, method, path, body=b"", headers=None, **signing):
        return send(self.url(path), method, body, headers, **signing)

    def deploy(self):
        """Lets the stage show the API as it is now."""
        gateway = self.local("apigateway")
        deployment = gateway.create_deployment(restApiId=self.api)["id"]
        if self.deployments:
            self.patch(("/deploymentId", deployment))
        else:
            gateway.create_stage(restApiId=self.api, stageName="dev", deploymentId=deployment)
        self.deployments.append(deployment)
        return self

    def patch(self, *changes):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in changes]
        self.local("apigateway").update_stage(restApiId=self.api, stageName="dev", patchOperations=operations)

    @property
    def arn(self):
        return f"arn:aws:apigateway:us-east-1::/restapis/{self.api}/stages/dev"


def stage_of(local, name, paths, **more):
    """A stage of an API with these paths, in the form of OpenAPI; `more` are members of the document."""
    gateway = local("apigateway")
    api = gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    document = {"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": paths}
    document |= {"components": {"securitySchemes": SCHEMES} | more.pop("components", {})} | more
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
    return Stage(local, api).deploy()


def mock(template='{"statusCode": 200}', responses=None, **more):
    """A method that API Gateway answers itself, as its templates say."""
    answers = responses or {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"ok": true}'}}}
    integration = {"type": "mock", "requestTemplates": {"application/json": template}, "responses": answers}
    integration["passthroughBehavior"] = more.pop("passthrough", "when_no_templates")
    statuses = {answer["statusCode"]: {"description": "an answer"} for answer in answers.values()}
    return {"responses": statuses, "x-amazon-apigateway-integration": integration} | more


def visible(name):
    return {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": name}


def guard(local, stage, name, *rules):
    waf = local("wafv2")
    made = waf.create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible(name), Rules=list(rules)
    )
    waf.associate_web_acl(WebACLArn=made["Summary"]["ARN"], ResourceArn=stage.arn)
