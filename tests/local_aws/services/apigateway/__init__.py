"""API Gateway REST APIs without moto: there tags, VPC link targets and half of every patch get lost."""

from . import (  # noqa: F401
    account,
    apis,
    authorizers,
    deployments,
    export,
    keys,
    methods,
    resources,
    stages,
    tags,
    usage_plans,
    vpc_links,
)
