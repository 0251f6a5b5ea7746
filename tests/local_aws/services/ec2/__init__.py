"""EC2 networking: moto's objects, with the states, tokens and refusals that moto leaves out."""

from . import account, addresses, endpoints, flow_logs, nat_gateways, routes, security_groups, tokens, vpcs  # noqa: F401, I001

# Last, because what is filtered is what all the others have made of a listing.
from . import filters  # noqa: F401, I001
