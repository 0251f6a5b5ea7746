"""S13: the record of what was done, and how long everything is kept."""

from requirements.live import absent, as_list, document


def bucket_policy(live):
    return document(live.s3.get_bucket_policy(Bucket=live.audit_bucket)["Policy"])["Statement"]


def test_the_trail_records_every_region(live):
    trail = live.trail
    assert trail["IsMultiRegionTrail"] is True
    assert trail["IncludeGlobalServiceEvents"] is True
    assert trail["HomeRegion"] == live.region


def test_the_trail_is_running(live):
    status = live.cloudtrail.get_trail_status(Name=live.trail["TrailARN"])
    assert status["IsLogging"] is True
    assert not status.get("LatestDeliveryError")


def test_the_trail_records_reads_and_writes(live):
    found = live.cloudtrail.get_event_selectors(TrailName=live.trail["TrailARN"])["EventSelectors"]
    assert [(s["ReadWriteType"], s["IncludeManagementEvents"]) for s in found] == [("All", True)]
    assert not any(selector.get("ExcludeManagementEventSources") for selector in found)


def test_its_files_can_be_proven_whole(live):
    assert live.trail["LogFileValidationEnabled"] is True


def test_it_is_encrypted_under_its_key(live):
    assert live.trail["KmsKeyId"] == live.key_arn("logs")


def test_it_goes_to_the_bucket_and_to_logs(live):
    trail = live.trail
    assert trail["S3BucketName"] == f"{live.name('audit')}-{live.account}-{live.region}"
    group = live.log_groups[live.name("trail")]
    assert trail["CloudWatchLogsLogGroupArn"] == f"{group['arn'].removesuffix(':*')}:*"
    assert trail["CloudWatchLogsRoleArn"] == live.roles["trail-logs"]["arn"]


def test_the_bucket_is_encrypted_under_its_key(live):
    found = live.s3.get_bucket_encryption(Bucket=live.audit_bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in found] == ["aws:kms"]
    assert found[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == live.key_arn("logs")


def test_the_bucket_keeps_every_version(live):
    assert live.s3.get_bucket_versioning(Bucket=live.audit_bucket)["Status"] == "Enabled"


def test_the_bucket_is_closed_to_the_public(live):
    found = live.s3.get_public_access_block(Bucket=live.audit_bucket)["PublicAccessBlockConfiguration"]
    assert set(found.values()) == {True} and len(found) == 4


def test_the_bucket_takes_tls_only(live):
    denied = [s for s in bucket_policy(live) if s["Effect"] == "Deny"]
    arn = f"arn:aws:s3:::{live.audit_bucket}"
    plain = [s for s in denied if s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}]
    assert plain
    assert plain[0]["Principal"] in ("*", {"AWS": "*"})
    assert set(as_list(plain[0]["Resource"])) == {arn, f"{arn}/*"}
    assert as_list(plain[0]["Action"]) == ["s3:*"]


def test_only_our_trail_writes_into_the_bucket(live):
    arn = f"arn:aws:s3:::{live.audit_bucket}"
    allowed = {as_list(s["Action"])[0]: s for s in bucket_policy(live) if s["Effect"] == "Allow"}
    assert set(allowed) == {"s3:GetBucketAcl", "s3:PutObject"}
    for statement in allowed.values():
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == live.trail["TrailARN"]
    assert as_list(allowed["s3:GetBucketAcl"]["Resource"]) == [arn]
    assert as_list(allowed["s3:PutObject"]["Resource"]) == [f"{arn}/AWSLogs/{live.account}/*"]
    assert allowed["s3:PutObject"]["Condition"]["StringEquals"]["s3:x-amz-acl"] == "bucket-owner-full-control"


def test_the_bucket_archives_and_expires(live, wanted):
    rules = live.s3.get_bucket_lifecycle_configuration(Bucket=live.audit_bucket)["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    moves = [move for rule in rules for move in rule.get("Transitions", [])]
    assert [(move["Days"], move["StorageClass"]) for move in moves] == [(90, "GLACIER")]
    expiry = [rule["Expiration"]["Days"] for rule in rules if "Days" in rule.get("Expiration", {})]
    # Seven years where it matters.
    assert expiry == [2557 if wanted.protect else 365]


def test_what_was_overwritten_does_not_stay_forever(live):
    rules = live.s3.get_bucket_lifecycle_configuration(Bucket=live.audit_bucket)["Rules"]
    assert [rule for rule in rules if rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")]


def test_the_bucket_is_no_web_site(live):
    assert absent(live.s3.get_bucket_website, Bucket=live.audit_bucket) == "NoSuchWebsiteConfiguration"


def test_every_log_group_has_its_retention(live, wanted):
    found = {name: group.get("retentionInDays") for name, group in live.log_groups.items()}
    assert len(found) >= 7
    assert found == dict.fromkeys(found, wanted.log_days)


def test_every_log_group_is_encrypted_under_its_key(live):
    found = {name: group.get("kmsKeyId") for name, group in live.log_groups.items()}
    assert found == dict.fromkeys(found, live.key_arn("logs"))


def test_no_service_made_a_log_group_of_its_own(live):
    """One that a service made itself has neither key nor retention."""
    words = (live.name("aurora"), live.name("cluster"), live.api["id"], live.name("proxy"))
    every = [group["logGroupName"] for group in live.all("logs", "describe_log_groups", "logGroups")]
    about_us = [name for name in every if any(word in name for word in words)]
    assert [name for name in about_us if name not in live.log_groups] == []
