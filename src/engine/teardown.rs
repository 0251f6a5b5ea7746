//! Orders of removal that creation does not have. Within one stack, every object of the first kind goes before any of
//! the second.

/// `(first, then, why)`.
pub(super) const TEARDOWN: &[(&str, &str, &str)] = &[
    ("ec2.elastic_ip", "ec2.internet_gateway_attachment", "a gateway with mapped addresses does not detach"),
    ("ecs.service", "ec2.security_group_rules", "draining tasks still serve requests"),
    ("ecs.service", "ec2.route", "draining tasks still call AWS"),
    ("ecs.service", "ec2.vpc_endpoint", "draining tasks still call AWS"),
    ("apigateway.usage_plan", "apigateway.stage", "a stage that a plan names is not deleted"),
    ("applicationautoscaling.scalable_target", "ecs.service", "auto-scaling would start tasks again"),
    ("ecs.service", "logs.log_group", "a writer makes its log group anew, without retention"),
    ("rds.db_cluster", "logs.log_group", "a writer makes its log group anew, without retention"),
    ("apigateway.stage", "logs.log_group", "a writer makes its log group anew, without retention"),
    ("ec2.flow_log", "logs.log_group", "a writer makes its log group anew, without retention"),
];
