"""ECS without moto: there a service never reaches a steady state and forgets how it was configured."""

from . import clusters, deployments, service_calls, tags, task_definitions, tasks  # noqa: F401
