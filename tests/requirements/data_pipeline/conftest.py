"""Judges one live pipeline: whatever these tests say, they read it from AWS, never from tapctl.

    PROJECT=pipeline ENVIRONMENT_SUFFIX=dev AWS_ENDPOINT_URL=http://127.0.0.1:5555 OUTPUTS=outputs.json \
        scripts/local-aws python -m pytest tests/requirements/data_pipeline

OUTPUTS is the file that `tapctl outputs --json` was written to, which P10 judges. PROTECT=1 tells that the environment
was made with protect = true.
"""

import json
import os
from pathlib import Path

import pytest
from pipeline import Pipeline


@pytest.fixture(scope="session")
def live():
    return Pipeline(os.environ.get("PROJECT", "pipeline"), os.environ.get("ENVIRONMENT_SUFFIX", "dev"))


@pytest.fixture(scope="session")
def protect():
    return os.environ.get("PROTECT") == "1"


@pytest.fixture(scope="session")
def outputs():
    return json.loads(Path(os.environ["OUTPUTS"]).read_text())
