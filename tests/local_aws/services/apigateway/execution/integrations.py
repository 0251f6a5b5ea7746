"""What a method is integrated with, by the type of its integration."""

import re

from . import aws_service, http_endpoint
from .refusals import Answer, refuse


def mock(invocation, prepared):
    """Answers with the status that its template writes; `{statusCode: 200}` is no JSON, but is taken.

    Source: API Gateway Developer Guide, "Mock integrations for REST APIs". Recorded: localstack/localstack,
    test_apigateway_integrations.snapshot.json, test_integration_mock_with_path_param.
    """
    found = re.search(r"[\"']?statusCode[\"']?\s*:\s*[\"']?(\d{3})", prepared.body.decode())
    if found is None:
        invocation.note("Execution failed due to configuration error: Unable to parse statusCode")
        refuse("API_CONFIGURATION_ERROR", "Internal server error")
    return Answer(int(found[1]), {}, b"")


SENDERS = {
    "AWS": aws_service.send,
    "HTTP": http_endpoint.send,
    "HTTP_PROXY": http_endpoint.send,
    "MOCK": mock,
}
