"""What was found wrong with moto, line by line, and the test that shows each line to be as AWS has it.

With `--without-corrections` the tests of this table run against moto as it is, and every one of them has to fail there:
that is how a line is known to be proven, and when moto has caught up.
"""

from conftest import collected

MOTO = {
    "KMS": [
        ("forgets the period of a key's rotation", "test_small.test_key_rotation_period"),
        ("makes a key whose policy is garbage", "test_gaps_data.test_key_policy_that_is_no_policy_is_refused"),
        ("does not tell when a key goes", "test_gaps_data.test_key_pending_deletion_tells_when_it_goes"),
        ("rotates a key pending deletion", "test_gaps_data.test_key_pending_deletion_does_not_rotate"),
        ("schedules a deletion twice", "test_gaps_data.test_key_is_scheduled_for_deletion_once"),
        ("encrypts under a key pending deletion", "test_gaps_data.test_key_pending_deletion_does_not_encrypt"),
        ("deletes a key after three days", "test_gaps_data.test_key_is_kept_for_a_week_at_least"),
        ("does not tell when an alias was made", "test_gaps_data.test_an_alias_tells_when_it_was_made"),
    ],
    "IAM": [
        ("makes a role whose trust is garbage", "test_gaps_data.test_trust_policy_that_is_none_is_refused"),
    ],
    "VPC": [
        ("carries out a dry run", "test_ec2.test_dry_run_changes_nothing"),
        ("has a new VPC available at once", "test_gaps_network.test_new_vpc_is_pending_and_has_its_tags"),
        ("forgets what came with a VPC", "test_gaps_network.test_what_comes_with_a_vpc_goes_with_it"),
        ("has a new NAT gateway available at once", "test_gaps_network.test_new_nat_gateway_is_pending"),
        ("fails a NAT gateway's second call with its token", "test_ec2.test_nat_gateway_client_token"),
        ("makes two NAT gateways of one token", "test_ec2.test_nat_gateway_client_token"),
        (
            "has a NAT gateway deleted at once",
            "test_gaps_network.test_deleted_nat_gateway_is_deleting_before_it_is_deleted",
        ),
        (
            "releases the address of a NAT gateway",
            "test_ec2.test_internet_gateway_stays_while_addresses_are_mapped",
        ),
        (
            "detaches a gateway under mapped addresses",
            "test_ec2.test_internet_gateway_stays_while_addresses_are_mapped",
        ),
        (
            "deletes the subnet of a NAT gateway",
            "test_gaps_network.test_subnet_of_a_nat_gateway_cannot_be_deleted",
        ),
        ("deletes a subnet with an interface in it", "test_ec2.test_what_is_in_use_cannot_be_deleted"),
        (
            "deletes the subnet of a mount target",
            "test_gaps_network.test_subnet_of_a_mount_target_cannot_be_deleted",
        ),
        ("makes two route tables of one token", "test_ec2.test_other_client_tokens"),
        ("associates a subnet with two tables", "test_ec2.test_route_table_associations"),
        ("deletes a main route table", "test_ec2.test_what_belongs_to_a_vpc_cannot_be_deleted"),
        ("answers no tags of a new group", "test_gaps_network.test_new_security_group_answers_tags_and_arn"),
        (
            "deletes a group that another refers to",
            "test_ec2.test_groups_that_refer_to_each_other_need_their_rules_revoked_first",
        ),
        ("deletes the group of an interface", "test_ec2.test_what_is_in_use_cannot_be_deleted"),
        (
            "deletes the group of an endpoint",
            "test_ec2.test_interface_endpoint_keeps_its_interfaces_until_it_is_gone",
        ),
        (
            "deletes the group of a load balancer",
            "test_gaps_network.test_security_group_of_a_load_balancer_cannot_be_deleted",
        ),
        (
            "deletes the group of a database",
            "test_gaps_data.test_security_group_of_a_database_cannot_be_deleted",
        ),
        ("deletes a default group", "test_ec2.test_what_belongs_to_a_vpc_cannot_be_deleted"),
        ("makes two endpoints of one token", "test_ec2.test_other_client_tokens"),
        (
            "has an endpoint available at once, under wrong names",
            "test_gaps_network.test_interface_endpoint_tells_interfaces_names_and_groups",
        ),
        (
            "fails to delete an endpoint with routes",
            "test_ec2.test_gateway_endpoint_takes_its_routes_with_it",
        ),
        ("fails a flow log's second call with its token", "test_ec2.test_other_client_tokens"),
        ("answers no flow log of a token", "test_ec2.test_other_client_tokens"),
    ],
    "CloudWatch Logs": [
        ("keeps logs for 31 days", "test_small.test_log_groups_that_cannot_be"),
        ("cannot give a key to a group", "test_small.test_key_of_a_log_group"),
        ("forgets key and ARN of a group", "test_gaps_data.test_log_group_tells_retention_key_and_both_arns"),
    ],
    "Secrets Manager": [
        ("calls a secret on its way out existing", "test_small.test_name_of_a_secret_scheduled_for_deletion"),
    ],
    "EFS": [
        ("has a file system available at once", "test_kinesis_efs.test_file_system_passes_through_its_states"),
        (
            "has a mount target available at once",
            "test_gaps_network.test_mount_target_tells_interface_address_and_zone",
        ),
        ("cannot set a backup policy", "test_kinesis_efs.test_settings_of_a_file_system"),
        ("cannot tell a backup policy", "test_kinesis_efs.test_settings_of_a_file_system"),
        ("knows no backup policy", "test_gaps_network.test_backup_policy_is_enabling_before_it_is_enabled"),
        ("takes garbage for a policy", "test_kinesis_efs.test_settings_of_a_file_system"),
        ("makes two access points of one token", "test_kinesis_efs.test_access_point_token"),
        ("answers another access point to a token", "test_kinesis_efs.test_access_point_token"),
        ("cannot update a file system", "test_kinesis_efs.test_settings_of_a_file_system"),
    ],
    "Load balancing": [
        (
            "makes a load balancer in one zone",
            "test_rules_compute.test_balancers_that_cannot_be[zones-change3-ValidationError]",
        ),
        ("makes two load balancers of a name", "test_elbv2_acm.test_same_load_balancer_twice"),
        ("deletes a protected load balancer", "test_elbv2_acm.test_deletion_protection"),
        ("makes two listeners of a port", "test_elbv2_acm.test_listeners"),
        (
            "makes an HTTPS listener without certificate",
            "test_rules_compute.test_listeners_that_cannot_be[certificates-change0-ValidationError]",
        ),
        ("deletes the certificate of a listener", "test_elbv2_acm.test_listeners"),
    ],
    "RDS": [
        ("makes a subnet group in one zone", "test_rds.test_subnet_group_needs_two_zones"),
        ("makes two subnet groups of a name", "test_gaps_data.test_subnet_group_of_the_name_is_there_already"),
        ("cannot list versions", "test_rds.test_versions_no_longer_offered"),
        ("offers no version", "test_rds.test_versions_no_longer_offered"),
        ("calls a second cluster a snapshot", "test_gaps_data.test_cluster_of_the_name_is_there_already"),
        (
            "takes a password beside a managed one",
            "test_rds.test_clusters_that_cannot_be[rds.password_or_managed-change7-InvalidParameterCombination]",
        ),
        ("deletes a subnet group in use", "test_rds.test_order_of_deletion"),
        ("deletes a parameter group in use", "test_rds.test_order_of_deletion"),
        (
            "deletes an instance without asking for a snapshot",
            "test_gaps_data.test_instance_of_its_own_needs_a_final_snapshot_or_none",
        ),
        (
            "calls a deleted cluster available",
            "test_gaps_data.test_deleting_a_cluster_answers_that_it_is_deleting",
        ),
    ],
    "ElastiCache": [
        ("has no parameter groups", "test_elasticache.test_parameter_groups"),
        ("makes no user groups", "test_elasticache.test_users_and_user_groups"),
        ("deletes no user groups", "test_elasticache.test_users_and_user_groups"),
        ("has a group available at once", "test_elasticache.test_group_has_the_members_it_was_asked_for"),
        ("makes one member of two", "test_elasticache.test_group_has_the_members_it_was_asked_for"),
        ("cannot add a replica", "test_elasticache.test_replicas_come_and_go"),
        ("cannot refuse to delete a subnet group", "test_elasticache.test_deleted_group_goes_and_frees_its_name"),
        ("keeps a deleted group for ever", "test_elasticache.test_deleted_group_goes_and_frees_its_name"),
        ("cannot delete a subnet group", "test_elasticache.test_subnet_groups"),
        ("shows a subnet group that is gone", "test_elasticache.test_subnet_groups"),
    ],
    "Kinesis": [
        (
            "lets all consumers go but the one that is to",
            "test_rules_data.test_a_stream_with_consumers_goes_only_where_that_is_enforced",
        ),
        ("has a stream active at once", "test_kinesis_efs.test_stream_passes_through_its_states"),
        ("forgets the tags a stream was made with", "test_kinesis_efs.test_both_ways_of_tagging_a_stream_agree"),
        ("cannot list tags by ARN", "test_kinesis_efs.test_both_ways_of_tagging_a_stream_agree"),
        ("cannot tag by ARN", "test_kinesis_efs.test_both_ways_of_tagging_a_stream_agree"),
        (
            "does not say that a record is encrypted",
            "test_gaps_data.test_records_of_an_encrypted_stream_say_so",
        ),
    ],
    "ECS": [
        (
            "registers a task of a size Fargate has not",
            "test_rules_compute.test_tasks_that_cannot_be[fargate_size-0]",
        ),
        ("forgets how a service is deployed", "test_ecs.test_service_keeps_how_it_was_configured"),
        ("never has a service steady", "test_ecs.test_service_reaches_a_steady_state"),
        (
            "breaks on a target group that is not there",
            "test_rules_compute.test_services_that_cannot_be[target_group_ready-8]",
        ),
        ("cannot list the tags of a scalable target", "test_ecs.test_scaling_target_and_policies"),
        (
            "calls a second deregistration invalid",
            "test_gaps_account.test_scalable_target_is_deregistered_once",
        ),
        ("calls a running service missing", "test_ecs.test_deleted_service_drains_and_frees_its_name"),
        ("deletes a cluster with services", "test_ecs.test_cluster_life"),
    ],
    "API Gateway": [
        ("makes two resources of a path", "test_apigateway.test_one_call_at_a_time"),
        ("puts a method twice", "test_apigateway.test_one_call_at_a_time"),
        ("has a VPC link available at once", "test_apigateway.test_vpc_link_to_a_load_balancer"),
        ("forgets the target of an integration", "test_apigateway.test_proxy_integration_comes_back_whole"),
        ("forgets the link of an integration", "test_apigateway.test_proxy_integration_comes_back_whole"),
        ("patches what there is not", "test_apigateway.test_unknown_patch_path_is_refused"),
        ("cannot tag an API", "test_gaps_account.test_tags_of_an_api_can_be_read_back"),
        ("cannot tell the tags of an API", "test_gaps_account.test_tags_of_an_api_can_be_read_back"),
        ("knows no tags of an API", "test_apigateway.test_tags_on_everything"),
        ("deletes a usage plan with stages", "test_apigateway.test_usage_plans_and_keys"),
    ],
    "WAF": [
        ("calls a second web ACL wrongly", "test_gaps_account.test_web_acl_of_the_name_is_there_already"),
        ("cannot list what a web ACL guards", "test_audit.test_web_acls"),
        ("deletes a web ACL on guard", "test_audit.test_web_acls"),
        ("guards what there is not", "test_gaps_account.test_web_acl_guards_only_what_exists"),
    ],
    "S3": [
        ("takes garbage for a policy", "test_audit.test_bucket_policies_that_cannot_be"),
        (
            "takes a policy for everybody",
            "test_gaps_account.test_policy_for_everybody_is_refused_while_public_access_is_blocked",
        ),
    ],
    "CloudTrail": [
        ("makes two trails of a name", "test_gaps_account.test_trail_of_the_name_is_there_already"),
        ("knows no shadow of a trail", "test_audit.test_a_trail_of_all_regions_has_a_shadow_in_every_other"),
    ],
    "CloudWatch": [
        ("calls a new alarm fine", "test_gaps_account.test_alarm_comes_back_as_it_was_put"),
        ("has no composite alarms", "test_audit.test_alarms"),
        ("has dashboards in each region", "test_audit.test_dashboards_are_of_no_region"),
    ],
    "GuardDuty": [
        ("makes two detectors", "test_gaps_account.test_region_has_one_detector"),
    ],
    "Service Quotas": [
        ("cannot list quotas", "test_quotas.test_quotas_can_be_looked_up"),
        ("knows no default quotas", "test_gaps_account.test_default_quotas_are_those_of_aws"),
        ("knows no quota of addresses", "test_quotas.test_quotas_can_be_looked_up"),
    ],
}
PROOFS = sorted({proof for lines in MOTO.values() for _, proof in lines})


def test_every_line_has_its_test():
    assert set(PROOFS) <= {name for known in collected for name in (known, known.partition("[")[0])}


def test_no_line_is_told_twice():
    for service, lines in MOTO.items():
        told = [text for text, _ in lines]
        assert len(set(told)) == len(told), service
