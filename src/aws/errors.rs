//! One table from AWS's wire codes to what they mean. The engine acts on the class, never on a code.
//!
//! EC2 models no errors, and one code often means different things in different services, so the table goes from the
//! particular (service and message) to the general (the shape of the code).

use crate::error::Class;

/// A row for what the shape of the code does not tell: service prefix of the operation, code, a part of the message.
type Row = (&'static str, &'static str, &'static str, Class);

/// Read from the top; empty means any.
const ROWS: &[Row] = &[
    // A fresh dependency that the consumer cannot see yet (the messages are what those services answer then).
    ("kms:CreateAlias", "NotFoundException", "", Class::NotYet),
    ("kms:UpdateAlias", "NotFoundException", "", Class::NotYet),
    ("iam:PutRolePolicy", "NoSuchEntity", "role with name", Class::NotYet),
    ("iam:AttachRolePolicy", "NoSuchEntity", "role with name", Class::NotYet),
    ("iam:CreateServiceLinkedRole", "InvalidInput", "has been taken", Class::Exists),
    ("iam", "EntityTemporarilyUnmodifiable", "", Class::Busy),
    ("efs:CreateMountTarget", "SecurityGroupNotFound", "", Class::NotYet),
    ("efs:CreateMountTarget", "SubnetNotFound", "", Class::NotYet),
    ("efs:CreateMountTarget", "FileSystemNotFound", "", Class::NotYet),
    ("efs:CreateAccessPoint", "FileSystemNotFound", "", Class::NotYet),
    ("efs:PutFileSystemPolicy", "FileSystemNotFound", "", Class::NotYet),
    ("efs", "IncorrectMountTargetState", "", Class::Busy),
    ("backup:StartBackupJob", "InvalidParameterValueException", "cannot be assumed", Class::NotYet),
    ("efs", "InsufficientThroughputCapacity", "", Class::Busy),
    ("efs", "NoFreeAddressesInSubnet", "", Class::Quota),
    ("ec2:CreateRoute", "InvalidParameterValue", "belong to different networks", Class::NotYet),
    ("ec2:CreateTags", "InvalidID", "", Class::NotYet),
    ("ec2:CreateVpcEndpoint", "InvalidParameter", "enableDnsSupport", Class::NotYet),
    ("ec2:ReleaseAddress", "AuthFailure", "permission to access the specified resource", Class::Busy),
    // The address still refers to the interface of a NAT gateway that is gone.
    ("ec2:ReleaseAddress", "InvalidNetworkInterfaceID.NotFound", "", Class::Busy),
    ("rds", "InvalidParameterCombination", "deletion protection", Class::Invalid),
    // Hours later it would be taken: an answer, and nothing to wait for.
    ("rds:ModifyDBInstance", "InvalidParameterCombination", "previous storage change", Class::Invalid),
    ("rds", "InvalidVPCNetworkStateFault", "", Class::Invalid),
    ("elasticache", "InvalidVPCNetworkStateFault", "", Class::Invalid),
    ("rds", "DBInstanceNotReady", "", Class::Busy),
    ("rds", "InvalidParameterValue", "service linked role", Class::NotYet),
    ("rds", "InvalidSubnet", "", Class::NotYet),
    ("rds:CreateDBCluster", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBCluster", "DBClusterParameterGroupNotFound", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBClusterNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
    ("rds:CreateDBInstance", "DBParameterGroupNotFound", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyNotFoundFault", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyTargetGroupNotFoundFault", "", Class::NotYet),
    ("rds:RegisterDBProxyTargets", "DBProxyTargetAlreadyRegisteredFault", "", Class::Exists),
    ("rds", "InsufficientDBInstanceCapacity", "", Class::Quota),
    ("rds", "InsufficientDBClusterCapacityFault", "", Class::Quota),
    ("elasticache", "InvalidSubnet", "", Class::NotYet),
    ("elasticache:CreateReplicationGroup", "CacheSubnetGroupNotFoundFault", "", Class::NotYet),
    ("elasticache", "ServiceLinkedRoleNotFoundFault", "", Class::NotYet),
    ("elasticache", "InvalidKMSKeyFault", "", Class::NotYet),
    ("elasticache", "NodeQuotaForCustomerExceeded", "", Class::Quota),
    ("elasticache", "ClusterQuotaForCustomerExceeded", "", Class::Quota),
    ("elasticache", "NodeQuotaForClusterExceeded", "", Class::Quota),
    ("elasticache", "InsufficientCacheClusterCapacity", "", Class::Quota),
    ("elasticache", "APICallRateForCustomerExceeded", "", Class::Throttled),
    ("secretsmanager", "EncryptionFailure", "", Class::NotYet),
    ("apigateway", "BadRequestException", "API Stage not found", Class::NotYet),
    ("apigateway:CreateDeployment", "BadRequestException", "doesn't contain any methods", Class::NotYet),
    ("apigateway:CreateDeployment", "BadRequestException", "No integration defined", Class::NotYet),
    ("ec2:CreateFlowLogs", "InvalidParameter", "Unable to assume given IAM role", Class::NotYet),
    // Inside a success, AWS gives the HTTP status for the code.
    ("ec2:CreateFlowLogs", "400", "Unable to assume given IAM role", Class::NotYet),
    ("ec2:CreateFlowLogs", "400", "Access Denied for LogDestination", Class::NotYet),
    ("ec2:CreateFlowLogs", "400", "already exists", Class::Exists),
    ("ec2", "400", "does not exist", Class::Absent),
    ("apigateway", "BadRequestException", "role ARN does not have required permissions", Class::NotYet),
    ("apigateway", "BadRequestException", "could not successfully write to CloudWatch Logs", Class::NotYet),
    ("rds", "InvalidParameterValue", "IAM role ARN value is invalid", Class::NotYet),
    ("ecs", "ClientException", "Role is not valid", Class::NotYet),
    ("ecs", "InvalidParameterException", "verify that the ECS service role", Class::NotYet),
    ("ecs", "InvalidParameterException", "Unable to assume the service linked role", Class::NotYet),
    ("ecs", "InvalidParameterException", "Unable to assume role and validate", Class::NotYet),
    ("ecs", "InvalidParameterException", "does not have an associated load balancer", Class::NotYet),
    ("ecs:CreateService", "ClusterNotFoundException", "", Class::NotYet),
    ("ecs", "InvalidParameterException", "InvalidGroup.NotFound", Class::NotYet),
    ("ecs", "InvalidParameterException", "InvalidSubnetID.NotFound", Class::NotYet),
    ("ecs", "ClientException", "Unable to describe task definition", Class::Absent),
    ("ecs", "ClientException", "task definition does not exist", Class::Absent),
    ("ecs", "ServiceNotActiveException", "", Class::Absent),
    ("elasticloadbalancingv2:CreateLoadBalancer", "SubnetNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateLoadBalancer", "InvalidSecurityGroup", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateTargetGroup", "ValidationError", "VPC", Class::NotYet),
    ("elasticloadbalancingv2:CreateListener", "TargetGroupNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateListener", "LoadBalancerNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateRule", "ListenerNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2:CreateRule", "TargetGroupNotFound", "", Class::NotYet),
    ("applicationautoscaling:PutScalingPolicy", "ObjectNotFoundException", "", Class::NotYet),
    ("ecs", "InvalidParameterException", "still Draining", Class::Busy),
    ("ecs", "InvalidParameterException", "not idempotent", Class::Exists),
    ("ecs", "InvalidParameterException", "while deployments are active", Class::Busy),
    ("ecs", "InvalidParameterException", "dependent object", Class::Busy),
    ("applicationautoscaling", "ValidationException", "ECS service doesn't exist", Class::NotYet),
    ("applicationautoscaling", "FailedResourceAccessException", "", Class::NotYet),
    ("applicationautoscaling:RegisterScalableTarget", "ValidationException", "already exists", Class::Exists),
    (
        "applicationautoscaling:RegisterScalableTarget",
        "ValidationException",
        "Unable to assume IAM role",
        Class::NotYet,
    ),
    ("", "MalformedPolicyDocument", "Invalid principal", Class::NotYet),
    ("", "MalformedPolicyDocumentException", "invalid principal", Class::NotYet),
    ("secretsmanager", "MalformedPolicyDocumentException", "", Class::NotYet),
    ("efs", "InvalidPolicyException", "principal", Class::NotYet),
    ("cloudwatchlogs", "AccessDeniedException", "KMS key does not exist or is not allowed", Class::NotYet),
    ("cloudwatchlogs", "InvalidParameterException", "KMS Key", Class::NotYet),
    ("rds", "KMSKeyNotAccessibleFault", "", Class::NotYet),
    ("kinesis", "KMSNotFoundException", "", Class::NotYet),
    ("kinesis", "KMSAccessDeniedException", "", Class::NotYet),
    ("kinesis", "KMSInvalidStateException", "", Class::NotYet),
    ("elasticloadbalancingv2", "CertificateNotFound", "", Class::NotYet),
    ("elasticloadbalancingv2", "UnsupportedCertificate", "", Class::NotYet),
    // Names that come free later, and objects that are settling.
    ("secretsmanager:CreateSecret", "InvalidRequestException", "scheduled for deletion", Class::Exists),
    ("secretsmanager", "InvalidRequestException", "scheduled for deletion", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "was deleted", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "marked for deletion", Class::Absent),
    ("secretsmanager", "InvalidRequestException", "marked deleted", Class::Absent),
    ("apigateway", "ConflictException", "concurrent modification", Class::Busy),
    ("apigateway:CreateStage", "ConflictException", "already exists", Class::Exists),
    ("apigateway:CreateStage", "BadRequestException", "Deployment id does not exist", Class::NotYet),
    ("apigateway:CreateUsagePlanKey", "ConflictException", "", Class::Exists),
    ("apigateway", "UnauthorizedException", "", Class::Denied),
    ("apigateway", "BadRequestException", "Active stages pointing to this deployment", Class::Busy),
    ("apigateway", "BadRequestException", "CloudWatch Logs role ARN must be set", Class::NotYet),
    ("apigatewayv2:DeleteVpcLink", "BadRequestException", "is referenced in", Class::Busy),
    ("apigateway:", "BadRequestException", "VPC link", Class::NotYet),
    ("rds", "InvalidParameterCombination", "Cannot delete", Class::Busy),
    // No waiting brings an instance: apply makes it after the cluster. hashicorp/terraform-provider-aws#30131.
    ("rds:ModifyDBCluster", "InvalidDBClusterStateFault", "primary instance", Class::Invalid),
    ("kinesis:CreateStream", "ResourceInUseException", "", Class::Exists),
    ("kinesis", "LimitExceededException", "Rate exceeded", Class::Throttled),
    ("kinesis", "LimitExceededException", "simultaneously", Class::Busy),
    ("efs", "FileSystemAlreadyExists", "", Class::Exists),
    ("efs", "MountTargetConflict", "", Class::Exists),
    ("efs", "TooManyRequests", "", Class::Quota),
    ("efs", "PolicyNotFound", "", Class::Absent),
    ("kms", "KMSInvalidStateException", "pending deletion", Class::Absent),
    // Just enabled, it may still be disabled to the next call.
    ("kms", "DisabledException", "", Class::Busy),
    ("ec2:AssociateRouteTable", "Resource.AlreadyAssociated", "", Class::Exists),
    ("ec2", "RouteAlreadyExists", "", Class::Exists),
    ("ec2", "FlowLogAlreadyExists", "", Class::Exists),
    ("ec2", "NatGatewayNotFound", "", Class::Absent),
    ("ec2:DetachInternetGateway", "Gateway.NotAttached", "", Class::Absent),
    ("ec2:ReleaseAddress", "AuthFailure", "does not belong to you", Class::Busy),
    ("cognitoidentityprovider:CreateUserPoolDomain", "InvalidParameterException", "already", Class::Exists),
    ("cognitoidentityprovider:DeleteUserPool", "InvalidParameterException", "domain configured", Class::Busy),
    ("guardduty:CreateDetector", "BadRequestException", "already exists", Class::Exists),
    ("guardduty", "BadRequestException", "not owned by the current account", Class::Absent),
    ("wafv2", "WAFUnavailableEntityException", "", Class::NotYet),
    ("wafv2:AssociateWebACL", "WAFNonexistentItemException", "", Class::NotYet),
    ("wafv2", "WAFNonexistentItemException", "", Class::Absent),
    ("wafv2", "WAFAssociatedItemException", "", Class::Busy),
    ("wafv2", "WAFLimitsExceededException", "", Class::Quota),
    ("elasticloadbalancingv2", "OperationNotPermitted", "", Class::Invalid),
    // The audit: bucket, trail, topic, alarms.
    ("s3", "NoSuchBucket", "", Class::Absent),
    ("s3", "NoSuchBucketPolicy", "", Class::Absent),
    ("s3", "BucketAlreadyOwnedByYou", "", Class::Exists),
    ("s3", "BucketNotEmpty", "", Class::Busy),
    // An Object Lock is there for good.
    ("s3", "InvalidBucketState", "", Class::Invalid),
    ("s3:PutBucketPolicy", "MalformedPolicy", "invalid principal", Class::NotYet),
    ("cloudtrail", "InsufficientS3BucketPolicyException", "", Class::NotYet),
    ("cloudtrail", "InsufficientEncryptionPolicyException", "", Class::NotYet),
    ("cloudtrail", "S3BucketDoesNotExistException", "", Class::NotYet),
    ("cloudtrail", "KmsKeyNotFoundException", "", Class::NotYet),
    ("cloudtrail", "InvalidCloudWatchLogsLogGroupArnException", "", Class::NotYet),
    ("cloudtrail", "InvalidCloudWatchLogsRoleArnException", "", Class::NotYet),
    ("cloudtrail", "CloudWatchLogsDeliveryUnavailableException", "", Class::NotYet),
    ("cloudtrail", "MaximumNumberOfTrailsExceededException", "", Class::Quota),
    ("sns:CreateTopic", "InvalidParameter", "already exists with different", Class::Exists),
    ("sns", "StaleTag", "", Class::Busy),
    ("sns", "AuthorizationError", "", Class::Denied),
    ("", "TooManyRequestsException", "", Class::Throttled),
    ("", "PriorRequestNotComplete", "", Class::Throttled),
    ("", "IncorrectState", "", Class::Busy),
    ("", "IncorrectFileSystemLifeCycleState", "", Class::Busy),
    ("", "OperationAborted", "", Class::Busy),
    ("", "OperationAbortedException", "", Class::Busy),
    ("", "ConflictException", "", Class::Busy),
    ("", "DeleteConflict", "", Class::Busy),
    ("", "DependencyViolation", "", Class::Busy),
    ("", "DependencyTimeout", "", Class::Busy),
    ("", "OptInRequired", "", Class::Denied),
    ("", "PendingVerification", "", Class::Denied),
    ("", "UnauthorizedOperation", "", Class::Denied),
    ("", "AuthFailure", "validate the provided access credentials", Class::Credentials),
    ("", "AuthFailure", "", Class::Denied),
    // Alone it refuses what all others take: session tokens got without MFA. Renewed ones fare no better.
    ("iam", "InvalidClientTokenId", "", Class::Denied),
    ("", "InvalidClientTokenId", "", Class::Credentials),
    ("", "InvalidAccessKeyId", "", Class::Credentials),
    ("", "UnrecognizedClientException", "", Class::Credentials),
    ("", "SignatureDoesNotMatch", "", Class::Credentials),
    ("", "InvalidSignatureException", "", Class::Credentials),
    ("", "MissingAuthenticationToken", "", Class::Credentials),
    ("", "TokenRefreshRequired", "", Class::Credentials),
    ("", "RequestExpired", "", Class::Credentials),
    ("", "RequestTimeout", "", Class::Lost),
    ("", "RequestTimeoutException", "", Class::Lost),
    ("", "NoSuchEntity", "", Class::Absent),
];

/// What a service error means. `operation` is `service:Operation`; `status` the HTTP status, 0 if unknown.
pub fn classify(operation: &str, code: &str, message: &str, status: u16) -> Class {
    let message_lower = message.to_lowercase();
    let row = ROWS.iter().find(|(service, row_code, part, _)| {
        operation.starts_with(service) && code == *row_code && message_lower.contains(&part.to_lowercase())
    });
    row.map_or_else(|| by_shape(code, status), |(.., class)| *class)
}

fn by_shape(code: &str, status: u16) -> Class {
    let has = |part: &str| code.contains(part);
    let starts = |part: &str| code.starts_with(part);
    if has("Throttl") || has("RequestLimitExceeded") || has("SlowDown") || code == "RequestThrottled" {
        return Class::Throttled;
    }
    if has("ExpiredToken") {
        return Class::Credentials;
    }
    if has("AccessDenied") || has("NotAuthorized") || code == "Forbidden" {
        return Class::Denied;
    }
    if has("LimitExceeded") || has("QuotaExceeded") || starts("TooMany") || has("InsufficientAddressCapacity") {
        return Class::Quota;
    }
    if has("AlreadyExists") || has("Duplicate") || code == "ResourceExistsException" {
        return Class::Exists;
    }
    if has("InUse") || has("Concurrent") || has("InProgress") || starts("ClusterContains") || has("OptimisticLock") {
        return Class::Busy;
    }
    if (starts("Invalid") || starts("KMSInvalid")) && has("State") {
        return Class::Busy;
    }
    if has("NotFound") {
        return Class::Absent;
    }
    match status {
        500.. => Class::Lost,
        400..500 => Class::Invalid,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_aws_means() {
        for (operation, code, message, class) in [
            ("ec2:DescribeVpcs", "InvalidVpcID.NotFound", "", Class::Absent),
            ("ec2:DeleteSubnet", "DependencyViolation", "has dependencies", Class::Busy),
            ("ec2:CreateVpc", "VpcLimitExceeded", "", Class::Quota),
            ("ec2:CreateVpc", "RequestLimitExceeded", "", Class::Throttled),
            ("ec2:CreateSecurityGroup", "InvalidGroup.Duplicate", "", Class::Exists),
            ("ec2:DeleteSecurityGroup", "InvalidGroup.InUse", "", Class::Busy),
            ("ec2:CreateVpc", "UnauthorizedOperation", "", Class::Denied),
            ("ec2:CreateFlowLogs", "InvalidParameter", "Unable to assume given IAM role", Class::NotYet),
            ("ec2:CreateFlowLogs", "InvalidParameter", "bad interval", Class::Invalid),
            ("ec2:CreateVpc", "RequestExpired", "Request has expired.", Class::Credentials),
            ("kms:CreateKey", "ExpiredTokenException", "", Class::Credentials),
            ("efs:CreateFileSystem", "RequestTimeoutException", "", Class::Lost),
            ("rds:DescribeDBInstances", "DBInstanceNotFound", "", Class::Absent),
            ("rds:DeleteDBCluster", "InvalidDBClusterStateFault", "", Class::Busy),
            ("rds:CreateDBCluster", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBClusterNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBSubnetGroupNotFoundFault", "", Class::NotYet),
            ("rds:CreateDBInstance", "DBParameterGroupNotFound", "", Class::NotYet),
            ("rds:DeleteDBSubnetGroup", "InvalidDBSubnetGroupStateFault", "", Class::Busy),
            ("kinesis:CreateStream", "ResourceInUseException", "", Class::Exists),
            ("kinesis:UpdateShardCount", "ResourceInUseException", "", Class::Busy),
            ("kinesis:CreateStream", "LimitExceededException", "Rate exceeded for stream", Class::Throttled),
            ("kms:CreateKey", "LimitExceededException", "", Class::Quota),
            ("iam:GetRole", "NoSuchEntity", "", Class::Absent),
            ("iam:GetRole", "InvalidClientTokenId", "", Class::Denied),
            ("sts:GetCallerIdentity", "InvalidClientTokenId", "", Class::Credentials),
            ("iam:CreateRole", "EntityAlreadyExists", "", Class::Exists),
            ("iam:DeleteRole", "DeleteConflict", "", Class::Busy),
            ("apigateway:PutRestApi", "ConflictException", "concurrent modification", Class::Busy),
            ("apigateway:GetStage", "TooManyRequestsException", "", Class::Throttled),
            ("secretsmanager:CreateSecret", "InvalidRequestException", "already scheduled for deletion", Class::Exists),
            (
                "cloudwatchlogs:CreateLogGroup",
                "AccessDeniedException",
                "The specified KMS key does not exist or is not allowed to be used with Arn",
                Class::NotYet,
            ),
            ("cloudwatchlogs:CreateLogGroup", "AccessDeniedException", "no identity-based policy", Class::Denied),
            ("wafv2:GetWebACL", "WAFNonexistentItemException", "", Class::Absent),
            ("wafv2:AssociateWebACL", "WAFUnavailableEntityException", "", Class::NotYet),
            ("wafv2:UpdateWebACL", "WAFOptimisticLockException", "", Class::Busy),
            ("wafv2:DeleteWebACL", "WAFAssociatedItemException", "", Class::Busy),
            ("rds:RegisterDBProxyTargets", "InvalidDBInstanceState", "", Class::Busy),
            ("rds:RegisterDBProxyTargets", "DBProxyTargetGroupNotFoundFault", "", Class::NotYet),
            ("rds:DescribeDBProxies", "DBProxyNotFoundFault", "", Class::Absent),
            ("guardduty:CreateDetector", "BadRequestException", "a detector already exists", Class::Exists),
            ("cognitoidentityprovider:DescribeUserPool", "ResourceNotFoundException", "", Class::Absent),
            ("elasticloadbalancingv2:CreateListener", "CertificateNotFound", "", Class::NotYet),
            ("elasticloadbalancingv2:DescribeListeners", "ListenerNotFound", "", Class::Absent),
            ("s3:CreateBucket", "BucketAlreadyExists", "", Class::Exists),
            ("s3:CreateBucket", "BucketAlreadyOwnedByYou", "", Class::Exists),
            ("s3:CreateBucket", "OperationAborted", "", Class::Busy),
            ("s3:CreateBucket", "TooManyBuckets", "", Class::Quota),
            ("s3:PutBucketPolicy", "NoSuchBucket", "", Class::Absent),
            ("s3:GetBucketVersioning", "AccessDenied", "Access Denied", Class::Denied),
            ("s3:DeleteBucket", "BucketNotEmpty", "", Class::Busy),
            ("s3:DeleteObjects", "SlowDown", "", Class::Throttled),
            ("cloudtrail:CreateTrail", "InsufficientS3BucketPolicyException", "", Class::NotYet),
            ("cloudtrail:CreateTrail", "TrailAlreadyExistsException", "", Class::Exists),
            ("cloudtrail:CreateTrail", "MaximumNumberOfTrailsExceededException", "", Class::Quota),
            ("cloudtrail:UpdateTrail", "ConflictException", "", Class::Busy),
            ("cloudtrail:GetTrail", "TrailNotFoundException", "", Class::Absent),
            ("sns:GetTopicAttributes", "NotFound", "", Class::Absent),
            ("sns:CreateTopic", "InvalidParameter", "Topic already exists with different tags", Class::Exists),
            ("sns:CreateTopic", "InvalidParameter", "Topic Name", Class::Invalid),
            ("sns:CreateTopic", "TopicLimitExceeded", "", Class::Quota),
            ("cloudwatch:GetDashboard", "ResourceNotFound", "", Class::Absent),
            ("cloudwatch:PutMetricAlarm", "LimitExceeded", "", Class::Quota),
        ] {
            assert_eq!(classify(operation, code, message, 400), class, "{operation} {code}");
        }
    }

    #[test]
    fn a_server_error_leaves_open_whether_the_call_took_effect() {
        assert_eq!(classify("ec2:CreateVpc", "InternalError", "", 500), Class::Lost);
    }
}
