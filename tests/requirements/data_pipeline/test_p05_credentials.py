"""P5: a user name and a password that nobody chose, which RDS takes and only the secret holds."""

import os
import re
from pathlib import Path


def test_the_secret_is_encrypted_under_our_key(live):
    assert live.secret["KmsKeyId"] == live.key_arn
    assert live.secret["Name"] == live.name("db-credentials")


def test_user_name_and_password_are_drawn_within_the_rules_of_rds(live):
    credentials = live.credentials
    assert re.fullmatch(r"[a-z][a-z0-9]{1,62}", credentials["username"])
    assert credentials["username"] not in ("admin", "postgres", "rdsadmin", "pipeline")
    assert 8 <= len(credentials["password"]) <= 128
    assert not set('/@" ') & set(credentials["password"])
    assert len(set(credentials["password"])) > 10


def test_it_says_how_to_connect(live):
    credentials = live.credentials
    assert (credentials["engine"], credentials["port"]) == ("postgres", "5432")
    assert credentials["dbname"] == live.database["DBName"]


def test_the_database_has_the_user_of_the_secret(live):
    assert live.database["MasterUsername"] == live.credentials["username"]


def test_the_task_reads_it_and_does_not_contain_it(live):
    (container,) = live.task["containerDefinitions"]
    sources = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
    assert sources["DB_PASSWORD"] == f"{live.secret['ARN']}:password::"
    assert sources["DB_USERNAME"] == f"{live.secret['ARN']}:username::"
    assert live.credentials["password"] not in str(live.task)


def test_nothing_that_tapctl_wrote_holds_the_password(live):
    directory = Path(os.environ["DESK"])
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert any(path.name == f"data-pipeline-{live.env}.json" for path in files), files
    credentials = live.credentials
    for path in files:
        text = path.read_text(errors="replace")
        assert credentials["password"] not in text, path
        assert credentials["username"] not in text, path
