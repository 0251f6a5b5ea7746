//! What AWS holds of that stack and what people do to it, asked and done by boto3.

use serde_json::{Value, json};

use crate::harness::LocalAws;

/// What both of the following need.
const TOOLS: &str = r#"
s3, trail, sns, watch, logs = map(client, ('s3', 'cloudtrail', 'sns', 'cloudwatch', 'logs'))
bucket = {'Bucket': 'audit-logs-dev'}
topic = 'arn:aws:sns:us-east-1:123456789012:audit-alarms-dev'
keys = {k['KeyId']: client('kms').describe_key(KeyId=k['KeyId'])['KeyMetadata']['Description'] for k in client('kms').list_keys()['Keys']}
def key(text): return keys.get((text or '').rpartition('/')[2], text)
def owner(tags): return {t['Key']: t['Value'] for t in tags}.get('Owner')
"#;

/// What AWS holds, as a person would look it up.
const LOOK: &str = r#"
encryption = s3.get_bucket_encryption(**bucket)['ServerSideEncryptionConfiguration']['Rules'][0]
rules = s3.get_bucket_lifecycle_configuration(**bucket)['Rules']
found = trail.get_trail(Name='audit-trail-dev')['Trail']
attributes = sns.get_topic_attributes(TopicArn=topic)['Attributes']
alarm = watch.describe_alarms(AlarmNames=['audit-latency-dev'])['MetricAlarms'][0]
filter = logs.describe_metric_filters(logGroupName='/audit/dev')['metricFilters'][0]
print(json.dumps({
    'bucket': {
        'key': key(encryption['ApplyServerSideEncryptionByDefault'].get('KMSMasterKeyID')),
        'bucket key': encryption['BucketKeyEnabled'],
        'versioning': s3.get_bucket_versioning(**bucket)['Status'],
        'rules': [(r['ID'], [(t['Days'], t['StorageClass']) for t in r.get('Transitions', [])], r['Expiration']['Days'], r['NoncurrentVersionExpiration']['NoncurrentDays']) for r in rules],
        'blocked': sorted(set(s3.get_public_access_block(**bucket)['PublicAccessBlockConfiguration'].values())),
        'ownership': s3.get_bucket_ownership_controls(**bucket)['OwnershipControls']['Rules'][0]['ObjectOwnership'],
        'owner': owner(s3.get_bucket_tagging(**bucket)['TagSet']),
        'statements': len(json.loads(s3.get_bucket_policy(**bucket)['Policy'])['Statement']),
    },
    'trail': {
        'multi-region': found['IsMultiRegionTrail'], 'validated': found['LogFileValidationEnabled'], 'prefix': found.get('S3KeyPrefix'),
        'key': key(found['KmsKeyId']), 'group': found['CloudWatchLogsLogGroupArn'].rpartition('log-group:')[2],
        'logging': trail.get_trail_status(Name='audit-trail-dev')['IsLogging'],
        'selectors': [(s['ReadWriteType'], s['IncludeManagementEvents']) for s in trail.get_event_selectors(TrailName='audit-trail-dev')['EventSelectors']],
        'owner': owner(trail.list_tags(ResourceIdList=[found['TrailARN']])['ResourceTagList'][0]['TagsList']),
    },
    'topic': {
        'key': key(attributes['KmsMasterKeyId']), 'statements': len(json.loads(attributes['Policy'])['Statement']),
        'owner': owner(sns.list_tags_for_resource(ResourceArn=topic)['Tags']),
        'subscriptions': sorted((s['Protocol'], s['Endpoint']) for s in sns.list_subscriptions_by_topic(TopicArn=topic)['Subscriptions']),
    },
    'alarm': {
        'metric': [alarm.get('Namespace'), alarm.get('MetricName'), {d['Name']: d['Value'] for d in alarm['Dimensions']}],
        'statistic': alarm.get('Statistic') or alarm.get('ExtendedStatistic'),
        'when': [alarm['Period'], alarm['EvaluationPeriods'], alarm['DatapointsToAlarm'], alarm['Threshold'], alarm['ComparisonOperator'], alarm['TreatMissingData']],
        'description': alarm['AlarmDescription'], 'enabled': alarm['ActionsEnabled'],
        'actions': [len(alarm['AlarmActions']), len(alarm['OKActions'])],
        'owner': owner(watch.list_tags_for_resource(ResourceARN=alarm['AlarmArn'])['Tags']),
    },
    'filter': [filter['filterPattern'], filter['metricTransformations']],
    'dashboard': json.loads(watch.get_dashboard(DashboardName='audit-dev')['DashboardBody']),
}))
"#;

/// What people do to all of it, and the fields in which it shows.
const MEDDLE: &str = r#"
s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'AES256'}}]})
s3.put_bucket_versioning(**bucket, VersioningConfiguration={'Status': 'Suspended'})
purge = {'ID': 'purge', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 1}}
s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={'Rules': [purge]})
s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration={'BlockPublicAcls': True, 'IgnorePublicAcls': True, 'BlockPublicPolicy': False, 'RestrictPublicBuckets': True})
s3.put_bucket_ownership_controls(**bucket, OwnershipControls={'Rules': [{'ObjectOwnership': 'ObjectWriter'}]})
s3.put_bucket_tagging(**bucket, Tagging={'TagSet': [t if t['Key'] != 'Owner' else t | {'Value': 'me'} for t in s3.get_bucket_tagging(**bucket)['TagSet']]})
policy = json.loads(s3.get_bucket_policy(**bucket)['Policy'])
policy['Statement'] = [s for s in policy['Statement'] if s['Effect'] == 'Allow']
s3.put_bucket_policy(**bucket, Policy=json.dumps(policy))
trail.stop_logging(Name='audit-trail-dev')
trail.update_trail(Name='audit-trail-dev', EnableLogFileValidation=False, IsMultiRegionTrail=False)
trail.put_event_selectors(TrailName='audit-trail-dev', EventSelectors=[{'ReadWriteType': 'WriteOnly', 'IncludeManagementEvents': True}])
arn = trail.get_trail(Name='audit-trail-dev')['Trail']['TrailARN']
trail.remove_tags(ResourceId=arn, TagsList=[{'Key': 'Owner'}])
sns.set_topic_attributes(TopicArn=topic, AttributeName='KmsMasterKeyId', AttributeValue='alias/aws/sns')
policy = json.loads(sns.get_topic_attributes(TopicArn=topic)['Attributes']['Policy'])
policy['Statement'].append(policy['Statement'][0] | {'Sid': 'Anybody', 'Principal': {'AWS': '*'}})
sns.set_topic_attributes(TopicArn=topic, AttributeName='Policy', AttributeValue=json.dumps(policy))
sns.tag_resource(ResourceArn=topic, Tags=[{'Key': 'Extra', 'Value': 'x'}])
for s in sns.list_subscriptions_by_topic(TopicArn=topic)['Subscriptions']:
    if s['SubscriptionArn'].startswith('arn:'): sns.unsubscribe(SubscriptionArn=s['SubscriptionArn'])
watch.put_metric_alarm(AlarmName='audit-latency-dev', Namespace='AWS/ApiGateway', MetricName='Latency', Dimensions=[{'Name': 'ApiName', 'Value': 'theirs'}], Statistic='Average', Period=60, EvaluationPeriods=5, Threshold=9000, ComparisonOperator='GreaterThanThreshold')
watch.disable_alarm_actions(AlarmNames=['audit-latency-dev'])
watch.tag_resource(ResourceARN='arn:aws:cloudwatch:us-east-1:123456789012:alarm:audit-latency-dev', Tags=[{'Key': 'Owner', 'Value': 'me'}])
watch.put_dashboard(DashboardName='audit-dev', DashboardBody=json.dumps({'widgets': []}))
logs.put_metric_filter(logGroupName='/audit/dev', filterName='key-deletion', filterPattern='nothing', metricTransformations=[{'metricName': 'Other', 'metricNamespace': 'elsewhere', 'metricValue': '2'}])
"#;

pub const DRIFTED: &[&str] = &[
    "alarm: actions_enabled",
    "alarm: alarm_actions",
    "alarm: datapoints_to_alarm",
    "alarm: description",
    "alarm: dimensions.ApiName",
    "alarm: evaluation_periods",
    "alarm: ok_actions",
    "alarm: period_seconds",
    "alarm: statistic",
    "alarm: tags.Owner",
    "alarm: threshold",
    "alarm: treat_missing_data",
    "bucket: archive_after_days",
    "bucket: expire_after_days",
    "bucket: kms_key_arn",
    "bucket: object_ownership",
    "bucket: other_lifecycle_rules",
    "bucket: public_access_blocked",
    "bucket: tags.Owner",
    "bucket: versioning",
    "bucket-policy: policy.Statement",
    "dashboard: body.widgets",
    "filter: default_value",
    "filter: metric_name",
    "filter: namespace",
    "filter: pattern",
    "filter: value",
    "subscription-queue: missing",
    "topic: kms_key_id",
    "topic: policy.Statement",
    "topic: tags.Extra",
    "trail: log_file_validation",
    "trail: logging",
    "trail: management_events",
    "trail: multi_region",
    "trail: tags.Owner",
];

/// All that the stack is, as AWS has it.
pub fn look(aws: &LocalAws) -> Value {
    act(aws, LOOK)
}

/// Changes all of it behind tapctl's back.
pub fn meddle(aws: &LocalAws) {
    act(aws, MEDDLE);
}

/// Runs Python with clients, the bucket and the topic at hand.
pub fn act(aws: &LocalAws, snippet: &str) -> Value {
    aws.python(&format!("{TOOLS}{snippet}"))
}

/// What the first wish looks like.
pub fn first() -> Value {
    json!({
        "bucket": {
            "key": "one", "bucket key": true, "versioning": "Enabled", "blocked": [true], "owner": "security",
            "rules": [["retention", [[90, "GLACIER"]], 2557, 2557]], "ownership": "BucketOwnerEnforced", "statements": 3,
        },
        "trail": {
            "multi-region": true, "validated": true, "prefix": null, "key": "one", "group": "/audit/dev:*",
            "logging": true, "selectors": [["All", true]], "owner": "security",
        },
        "topic": {
            "key": "one", "statements": 1, "owner": "security",
            "subscriptions": [["email", "security@example.edu"], ["sqs", "arn:aws:sqs:us-east-1:123456789012:q"]],
        },
        "alarm": {
            "metric": ["AWS/ApiGateway", "Latency", { "ApiName": "records" }], "statistic": "p95",
            "when": [300, 3, 2, 200.0, "GreaterThanThreshold", "notBreaching"], "description": "Look at it, soon.",
            "enabled": true, "actions": [1, 1], "owner": "security",
        },
        "filter": ["{ $.eventName = \"ScheduleKeyDeletion\" }", [{ "metricName": "KeyDeletion",
            "metricNamespace": "audit", "metricValue": "1", "defaultValue": 0.0 }]],
        "dashboard": dashboard("first", "KeyDeletion"),
    })
}

/// What the second wish looks like. The mail address of the first has not confirmed, so AWS keeps it.
pub fn second() -> Value {
    json!({
        "bucket": {
            "key": "two", "bucket key": false, "versioning": "Enabled", "blocked": [true], "owner": "registrar",
            "rules": [["retention", [], 400, 400]], "ownership": "BucketOwnerPreferred", "statements": 4,
        },
        "trail": {
            "multi-region": false, "validated": false, "prefix": "moved", "key": "two", "group": "/audit/dev:*",
            "logging": false, "selectors": [["All", true]], "owner": "registrar",
        },
        "topic": {
            "key": "two", "statements": 2, "owner": "registrar",
            "subscriptions": [["email", "registrar@example.edu"], ["email", "security@example.edu"],
                ["sqs", "arn:aws:sqs:us-east-1:123456789012:q"]],
        },
        "alarm": {
            "metric": ["AWS/ApiGatewayV2", "IntegrationLatency", { "ApiName": "other" }], "statistic": "Maximum",
            "when": [60, 4, 4, 1000.5, "GreaterThanOrEqualToThreshold", "breaching"], "description": "Look at it, now.",
            "enabled": true, "actions": [1, 0], "owner": "registrar",
        },
        "filter": ["{ $.eventName = \"DisableKey\" }", [{ "metricName": "KeyDisabled",
            "metricNamespace": "audit-two", "metricValue": "2", "defaultValue": 1.0 }]],
        "dashboard": dashboard("second", "KeyDisabled"),
    })
}

fn dashboard(title: &str, metric: &str) -> Value {
    json!({ "widgets": [{ "type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties":
        { "title": title, "region": "us-east-1", "metrics": [["audit", metric]] } }] })
}
