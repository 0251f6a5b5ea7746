"""The metrics that AWS publishes of what the two stacks have: under which dimensions, in which unit, and where AWS says so.

An alarm on a metric that is in no such table waits for ever, and nobody is told: CloudWatch takes it without a word.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    dimensions: tuple
    unit: str
    page: str


def of(page, unit, *dimensions):
    """`dimensions` are the sets that it is published under, each a text of names."""
    return Metric(tuple(frozenset(names.split()) for names in dimensions), unit, page)


API = "API Gateway developer guide: Amazon API Gateway dimensions and metrics"
API_DIMENSIONS = ("ApiName", "ApiName Stage", "ApiName Stage Resource Method")
BALANCER = "User guide for Application Load Balancers: CloudWatch metrics for your Application Load Balancer"
BALANCER_DIMENSIONS = ("LoadBalancer TargetGroup", "LoadBalancer TargetGroup AvailabilityZone")
ECS = "Amazon ECS developer guide: Amazon ECS CloudWatch metrics"
INSIGHTS = "CloudWatch user guide: Amazon ECS Container Insights metrics"
RDS = "Amazon RDS user guide: Amazon CloudWatch metrics for Amazon RDS"
AURORA = "Amazon Aurora user guide: Amazon CloudWatch metrics for Amazon Aurora"
AURORA_DIMENSIONS = ("DBClusterIdentifier", "DBInstanceIdentifier", "DBClusterIdentifier Role")
CACHE_HOST = "Amazon ElastiCache user guide: Host-level metrics"
CACHE_ENGINE = "Amazon ElastiCache user guide: Metrics for Valkey and Redis OSS"
CACHE_DIMENSIONS = ("CacheClusterId", "CacheClusterId CacheNodeId")
KINESIS = "Kinesis Data Streams developer guide: Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch"
ACM = "AWS Certificate Manager user guide: Supported CloudWatch metrics"

METRICS = {
    ("AWS/ApiGateway", "4XXError"): of(API, "Count", *API_DIMENSIONS),
    ("AWS/ApiGateway", "5XXError"): of(API, "Count", *API_DIMENSIONS),
    ("AWS/ApiGateway", "Count"): of(API, "Count", *API_DIMENSIONS),
    ("AWS/ApiGateway", "Latency"): of(API, "Milliseconds", *API_DIMENSIONS),
    ("AWS/ApiGateway", "IntegrationLatency"): of(API, "Milliseconds", *API_DIMENSIONS),
    ("AWS/ApplicationELB", "HealthyHostCount"): of(BALANCER, "Count", *BALANCER_DIMENSIONS),
    ("AWS/ApplicationELB", "UnHealthyHostCount"): of(BALANCER, "Count", *BALANCER_DIMENSIONS),
    ("AWS/ECS", "CPUUtilization"): of(ECS, "Percent", "ClusterName", "ClusterName ServiceName"),
    ("AWS/ECS", "MemoryUtilization"): of(ECS, "Percent", "ClusterName", "ClusterName ServiceName"),
    ("ECS/ContainerInsights", "RunningTaskCount"): of(INSIGHTS, "Count", "ClusterName ServiceName"),
    ("ECS/ContainerInsights", "DesiredTaskCount"): of(INSIGHTS, "Count", "ClusterName ServiceName"),
    ("AWS/RDS", "CPUUtilization"): of(RDS, "Percent", "DBInstanceIdentifier", "DBClusterIdentifier"),
    ("AWS/RDS", "FreeStorageSpace"): of(RDS, "Bytes", "DBInstanceIdentifier"),
    ("AWS/RDS", "DatabaseConnections"): of(AURORA, "Count", *AURORA_DIMENSIONS),
    ("AWS/RDS", "ACUUtilization"): of(AURORA, "Percent", *AURORA_DIMENSIONS),
    ("AWS/ElastiCache", "CPUUtilization"): of(CACHE_HOST, "Percent", *CACHE_DIMENSIONS),
    ("AWS/ElastiCache", "CPUCreditBalance"): of(CACHE_HOST, "Count", *CACHE_DIMENSIONS),
    ("AWS/ElastiCache", "EngineCPUUtilization"): of(CACHE_ENGINE, "Percent", *CACHE_DIMENSIONS),
    ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage"): of(CACHE_ENGINE, "Percent", *CACHE_DIMENSIONS),
    ("AWS/ElastiCache", "Evictions"): of(CACHE_ENGINE, "Count", *CACHE_DIMENSIONS),
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"): of(KINESIS, "Milliseconds", "StreamName"),
    ("AWS/Kinesis", "GetRecords.Success"): of(KINESIS, "Count", "StreamName"),
    ("AWS/Kinesis", "IncomingRecords"): of(KINESIS, "Count", "StreamName"),
    ("AWS/Kinesis", "PutRecord.Success"): of(KINESIS, "Count", "StreamName"),
    ("AWS/Kinesis", "WriteProvisionedThroughputExceeded"): of(KINESIS, "Count", "StreamName"),
    ("AWS/CertificateManager", "DaysToExpiry"): of(ACM, "Count", "CertificateArn"),
}

PUBLISHED_BY_AWS = ("AWS/", "ECS/ContainerInsights")
