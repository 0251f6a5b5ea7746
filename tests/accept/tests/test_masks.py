"""Nothing that opens anything, and nothing that says whose account it is, is written down."""

import json

import botocore.session
import pytest
from accept.masks import ACCOUNT, MASK, Masks

OWN = "210987654321"
PASSWORD = 'pa"ss/word €42'


def shapes(service, operation):
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return model.input_shape, model.output_shape


def test_a_secret_is_masked_where_it_stands_and_everywhere_after():
    masks = Masks()
    text = json.dumps({"username": "u8c72kd92jx", "password": PASSWORD, "host": "db.example.internal", "port": 5432})
    shape = shapes("secretsmanager", "GetSecretValue")[1]
    answer = {"Name": "db", "SecretString": text}
    masks.learn(answer, shape)
    assert masks.written(answer, shape) == {"Name": "db", "SecretString": MASK}
    quoted = json.dumps(PASSWORD)
    later = f"user u8c72kd92jx of db.example.internal with {PASSWORD} or {quoted} {json.dumps(quoted)}"
    written = masks.text(later)
    assert PASSWORD not in written and "u8c72kd92jx" not in written and "pa" not in written.replace("passw", "")
    assert "db.example.internal" in written, "what a secret opens is no secret"


@pytest.mark.parametrize("form", ["url", "base64"])
def test_a_secret_is_found_in_other_clothes(form):
    import base64
    from urllib.parse import quote

    masks = Masks()
    masks.hide(PASSWORD)
    dressed = quote(PASSWORD, safe="") if form == "url" else base64.b64encode(PASSWORD.encode()).decode()
    assert masks.text(f"x={dressed};").startswith(f"x={MASK}")


@pytest.mark.parametrize(
    ("service", "operation", "request_", "secret"),
    [
        ("rds", "CreateDBInstance", {"MasterUserPassword": "correct-horse"}, "correct-horse"),
        ("rds", "ModifyDBCluster", {"MasterUserPassword": "correct-horse"}, "correct-horse"),
        ("elasticache", "ModifyReplicationGroup", {"AuthToken": "correct-horse-battery"}, "correct-horse-battery"),
        ("elasticache", "ModifyUser", {"Passwords": ["correct-horse-battery"]}, "correct-horse-battery"),
        ("acm", "ImportCertificate", {"PrivateKey": b"-----BEGIN PRIVATE KEY-----"}, "-----BEGIN PRIVATE KEY-----"),
        ("secretsmanager", "PutSecretValue", {"SecretString": "correct-horse"}, "correct-horse"),
        ("secretsmanager", "CreateSecret", {"SecretBinary": b"correct-horse"}, "correct-horse"),
        ("apigateway", "CreateApiKey", {"name": "campus", "value": "correct-horse-battery"}, "correct-horse-battery"),
    ],
)
def test_secrets_in_requests(service, operation, request_, secret):
    masks = Masks()
    shape = shapes(service, operation)[0]
    masks.learn(request_, shape)
    assert secret not in json.dumps(masks.written(request_, shape))
    assert secret not in masks.text(f"in a text: {secret} or {request_}")


@pytest.mark.parametrize(
    ("service", "operation", "answer", "secret"),
    [
        ("secretsmanager", "GetRandomPassword", {"RandomPassword": "correct-horse"}, "correct-horse"),
        (
            "apigateway",
            "GetApiKeys",
            {"items": [{"id": "k", "value": "correct-horse-battery"}]},
            "correct-horse-battery",
        ),
        ("apigateway", "GetUsagePlanKeys", {"items": [{"id": "k", "value": "correct-horse"}]}, "correct-horse"),
        (
            "cognito-idp",
            "DescribeUserPoolClient",
            {"UserPoolClient": {"ClientSecret": "correct-horse"}},
            "correct-horse",
        ),
        ("sts", "AssumeRole", {"Credentials": {"SessionToken": "tok-123456789"}}, "tok-123456789"),
        ("kms", "GenerateDataKey", {"Plaintext": b"correct-horse"}, "correct-horse"),
    ],
)
def test_secrets_in_answers(service, operation, answer, secret):
    masks = Masks()
    shape = shapes(service, operation)[1]
    masks.learn(answer, shape)
    assert secret not in json.dumps(masks.written(answer, shape))
    assert secret not in masks.text(f"in a text: {secret}")


def test_what_is_no_secret_stays():
    masks = Masks()
    shape = shapes("ecs", "RegisterTaskDefinition")[0]
    request = {"containerDefinitions": [{"environment": [{"name": "AWS_REGION", "value": "us-east-1"}]}]}
    masks.learn(request, shape)
    assert masks.text("subnet in us-east-1a") == "subnet in us-east-1a", "a variable may be a word that is everywhere"
    shape = shapes("cloudwatch", "PutMetricAlarm")[0]
    alarm = {"AlarmName": "a", "Metrics": [{"Id": "m", "Expression": "m1 / m2"}]}
    assert masks.written(alarm, shape) == alarm


def test_account_and_caller_are_replaced():
    masks = Masks()
    arn = f"arn:aws:sts::{OWN}:assumed-role/OrgAdministrator/jane.doe@example.edu"
    masks.hide_caller({"Account": OWN, "Arn": arn, "UserId": "AROAEXAMPLEEXAMPLE:jane.doe@example.edu"})
    written = masks.text(f"User: {arn} is not authorized; arn:aws:s3:::logs-{OWN}/AROAEXAMPLEEXAMPLE")
    assert OWN not in written and "jane" not in written and "OrgAdmin" not in written and "AROAEX" not in written
    assert f"arn:aws:s3:::logs-{ACCOUNT}/" in written
    masks.hide_caller({"Account": OWN, "Arn": f"arn:aws:iam::{OWN}:user/bob", "UserId": "AIDAEXAMPLEEXAMPLE"})
    assert masks.text(f"arn:aws:iam::{OWN}:user/bob") == f"arn:aws:iam::{ACCOUNT}:user/somebody"
    masks.hide_caller({"Account": OWN, "Arn": f"arn:aws:iam::{OWN}:root", "UserId": OWN})
    assert masks.text(OWN) == ACCOUNT


def test_credentials_and_where_one_calls_from_are_replaced():
    class Credentials:
        access_key, secret_key, token = "AKIAEXAMPLEKEY000001", "own-secret-access-key", "own-session-token"

    masks = Masks()
    masks.hide_credentials(Credentials)
    text = "AKIAEXAMPLEKEY000001 own-secret-access-key own-session-token from 8.8.8.8, 10.0.1.7, 0.0.0.0/0 and 8.8.8.8"
    assert masks.text(text) == f"{MASK} {MASK} {MASK} from 203.0.113.1, 10.0.1.7, 0.0.0.0/0 and 203.0.113.1"
    assert masks.text("engine 16.11.2, TLS-1-2, 1.2.3.4.5") == "engine 16.11.2, TLS-1-2, 1.2.3.4.5"
    denied = "not authorized. Encoded authorization failure message: aGVsbG8td29ybGQ_"
    assert masks.text(denied) == f"not authorized. Encoded authorization failure message: {MASK}"


def test_headers_that_prove_who_calls_are_masked():
    sent = {"Authorization": "AWS4-HMAC-SHA256 …", "X-Api-Key": "k", "Content-Type": "application/json"}
    written = Masks().headers(sent)
    assert written == {"Authorization": MASK, "X-Api-Key": MASK, "Content-Type": "application/json"}
