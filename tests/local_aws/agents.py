"""What GuardDuty puts into a network by itself where it manages the agents of Fargate tasks: an endpoint and its group.

Source: Amazon GuardDuty User Guide, "Using Infrastructure as Code (IaC) with GuardDuty automated security agents", and "How
Runtime Monitoring works with Fargate". They stay for as long as Runtime Monitoring is on, whatever becomes of the tasks,
and come again as long as one runs.
"""

from .life import later
from .services.ec2.endpoints import begin_interface, endpoints
from .services.ec2.shared import subnets
from .world import world

MANAGED = {"GuardDutyManaged": "true"}


def arrive(call, subnet_ids):
    """With the first task that runs in a network, if GuardDuty watches over the account."""
    known = subnets(call)
    vpcs = {known[subnet].vpc_id for subnet in subnet_ids if subnet in known}
    for vpc_id in vpcs if world.settings.guardduty else ():
        if not any(is_agents(e) and e.vpc_id == vpc_id and e.state != "deleting" for e in endpoints(call).values()):
            put_endpoint(call, vpc_id, [subnet for subnet in subnet_ids if known[subnet].vpc_id == vpc_id])


def is_agents(endpoint):
    return "guardduty-data" in endpoint.service_name


def put_endpoint(call, vpc_id, subnet_ids):
    suffix = "-fips" if call.region.startswith("us-gov-") else ""
    endpoint = call.backend("ec2").create_vpc_endpoint(
        vpc_id,
        f"com.amazonaws.{call.region}.guardduty-data{suffix}",
        "Interface",
        None,
        [],
        subnet_ids=subnet_ids,
        security_group_ids=[group_in(call, vpc_id).id],
        tags=dict(MANAGED),
        private_dns_enabled=True,
    )
    endpoint.add_tags(MANAGED)
    begin_interface(call, endpoint)


def group_in(call, vpc_id):
    ec2, name = call.backend("ec2"), f"GuardDutyManagedSecurityGroup-{vpc_id}"
    found = ec2.get_security_group_from_name(name, vpc_id)
    if found is None:
        found = ec2.create_security_group(name, "Associated with VPC endpoint for GuardDuty", vpc_id, tags=dict(MANAGED))
    return found


def come_again(call, endpoint):
    """Removed too early, the endpoint is made anew for the tasks that still run."""

    def look():
        ours = call.backend("ec2").enis.values()
        tasks = [e for e in ours if e.subnet.vpc_id == endpoint.vpc_id and ":ecs:" in (e.description or "")]
        arrive(call, sorted({e.subnet.id for e in tasks}))

    if is_agents(endpoint):
        later("guardduty.agents", look)
