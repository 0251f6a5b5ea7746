"""A request template by itself, carried out as the local AWS does it when the API runs."""

from types import SimpleNamespace

from local_aws.services.apigateway.execution.refusals import Refusal as Refused
from local_aws.services.apigateway.execution.templates import Overrides, carry_out
from local_aws.world import world

__all__ = ["Refused", "evaluate"]


def evaluate(template, body, lenient=False):
    """The request that the template makes of a body, as text. Whether API Gateway's parser minds what follows a record
    AWS does not say; a lenient one does not."""
    asked = SimpleNamespace(
        context={}, stage={}, note=print, parameters=lambda: {"path": {}, "querystring": {}, "header": {}}
    )
    world.settings.trailing_json = lenient
    return carry_out(template, body, asked, Overrides())
