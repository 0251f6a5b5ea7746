//! What stands, what goes, what is gone, and what somebody has touched since.

use super::{CASE, Case, UNASKED};

/// Where `vpc` alone is made.
pub(super) const VPC: &[Case] = &[
    Case {
        arguments: "state show vpcc",
        says: "error: there is no node vpcc in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n",
        ..UNASKED
    },
    Case {
        arguments: "state rm vcp --yes",
        says: "error: there is no node vcp in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --target vpc",
        code: 0,
        prints: "student-records dev: nothing to do, the one node is as it should be\n",
        ..CASE
    },
    Case { arguments: "drift", code: 0, prints: "no drift: the one node is as it was left\n", ..CASE },
    Case {
        arguments: "backups vpc",
        says: "error: vpc (ec2.vpc) holds no data\nhint: `tapctl backups` without a node lists all that hold data\n",
        ..CASE
    },
    Case {
        arguments: "snapshot vpc",
        says: "error: AWS takes no snapshot of vpc (ec2.vpc) when asked to: it holds no data of its own\n\
               hint: `tapctl backups` shows what there is to go back to\n",
        ..UNASKED
    },
    Case {
        arguments: "snapshot vcp",
        says: "error: there is no node vcp in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --destroy",
        code: 2,
        prints: "- delete  vpc  ec2.vpc  vpc-[id]\n\
                 student-records dev in account 123456789012, us-east-1: 1 to delete\n",
        ..CASE
    },
];

/// Where all of it was destroyed.
pub(super) const GONE: &[Case] = &[
    Case {
        arguments: "destroy --yes",
        code: 0,
        prints: "student-records dev: nothing to do: nothing is recorded in state/student-records-dev.json, and nothing \
                 with its tags stands in account 123456789012, us-east-1\n",
        ..CASE
    },
    Case { arguments: "state list", says: NOTHING, ..UNASKED },
    Case { arguments: "state list --json", says: NOTHING, ..UNASKED },
    Case { arguments: "drift", says: NOTHING, ..CASE },
    Case {
        arguments: "status",
        code: 2,
        prints: "student-records dev: nothing is recorded\n\
                 hint: `tapctl apply` makes it; or name the directory of the state with --state-dir\n",
        ..CASE
    },
];

const NOTHING: &str = "error: nothing is recorded for student-records dev\n\
                       hint: run apply first, or name the directory of the state with --state-dir\n";

/// Where all of it stands, as it should.
pub(super) const WHOLE: &[Case] = &[
    Case {
        settings: "network.cidr = \"10.1.0.0/16\"",
        arguments: "apply --yes",
        says: "error: tapctl.toml:1: network.cidr is \"10.1.0.0/16\"; vpc would have to go for that, and cache, db-cluster, \
               load-balancer and nat-gateway-a cannot move out of it\n\
               AWS does not let this be changed; nothing was touched\n\
               hint: put it back; or begin another environment with it, `tapctl apply --env NAME`; or `tapctl destroy \
               --env dev` first\n",
        ..CASE
    },
    Case {
        arguments: "plan --destroy",
        code: 2,
        says: FORGET,
        prints: "…\nstudent-records dev in account 123456789012, us-east-1: 127 to delete, 4 to forget\n",
        ..CASE
    },
    // Its state is lost, or another directory is named.
    Case {
        arguments: "plan --destroy --state-dir elsewhere",
        code: 2,
        says: "note: nothing is recorded in elsewhere/student-records-dev.json: all of this was found by its names and \
               tags\nnote: to forget: it is gone already, or is shared, and goes with the last who uses it\n",
        prints: "…\nstudent-records dev in account 123456789012, us-east-1: 127 to delete, 4 to forget\n",
        ..CASE
    },
    Case {
        arguments: "status --state-dir elsewhere",
        code: 2,
        prints: "student-records dev: nothing is recorded…",
        ..CASE
    },
    Case { arguments: "drift --state-dir elsewhere", says: NOTHING, ..CASE },
];

const FORGET: &str = "note: to forget: it is gone already, or is shared, and goes with the last who uses it\n";

/// What a destroy of all of it asks, and what it says when the answer is no.
pub(super) const QUESTION: &str = "\
note: this cannot be had again: the audit record of trail
note: this cannot be had again: the logs of log-group-flow, log-group-service, log-group-insights, log-group-trail, \
log-group-database, log-group-api-execution, log-group-api-access
note: this cannot be had again: the key of api-key-campus
note: this cannot be had again: the address of elastic-ip-nat-a
note: this cannot be had again: the URL of rest-api
note: this cannot be had again: the DNS name of load-balancer
Remove student-records dev in account 123456789012, us-east-1, with the data of audit-bucket, secret-third-party, \
db-cluster, key-rds, cache, secret-cache, key-secrets, key-cache, stream, key-kinesis, key-logs, file-system, key-efs? Only \
`yes` goes ahead: no
cancelled; nothing was changed (only `yes` goes ahead)
";

/// What somebody does to it by hand.
pub(super) const SOMEBODY: &str = "
client('logs').delete_log_group(logGroupName='student-service-dev')
ec2, kms = client('ec2'), client('kms')
group = ec2.describe_security_groups(Filters=[{'Name': 'tag:tapctl:node', 'Values': ['group-rds']}])['SecurityGroups'][0]
rule = {'IpProtocol': 'tcp', 'FromPort': 5432, 'ToPort': 5432, 'IpRanges': [{'CidrIp': '203.0.113.7/32', 'Description': 'my laptop'}]}
ec2.authorize_security_group_ingress(GroupId=group['GroupId'], IpPermissions=[rule])
kms.disable_key(KeyId=kms.describe_key(KeyId='alias/student-rds-dev')['KeyMetadata']['KeyId'])";

/// Where that was done, and a run ended before it saw `key-efs` ready.
pub(super) const TOUCHED: &[Case] = &[
    Case {
        code: 2,
        prints: "~ resume  key-efs            kms.key  [id]  (an earlier run did not see it ready)\n\
                 ~ resume  key-rds            kms.key  [id]  (status: Disabled; apply enables it)\n\
                 ~ update  group-rules-rds    ec2.security_group_rules  sg-[id]\n      \
                       - ingress[tcp 5432 from 203.0.113.7/32 \"my laptop\"]\n\
                 + create  log-group-service  logs.log_group  student-service-dev\n      \
                       retention_days: 30\n      \
                       kms_key_arn: \"arn:aws:kms:us-east-1:123456789012:key/[id]\"\n\
                 student-records dev in account 123456789012, us-east-1: 1 to create, 2 to resume, 1 to update\n",
        ..CASE
    },
    Case { arguments: "drift", code: 2, prints: DRIFT, ..CASE },
];

const DRIFT: &str = " \
NODE               KIND                      FIELD                                              LIVE                                WANTED
 group-rules-rds    ec2.security_group_rules  ingress[tcp 5432 from 203.0.113.7/32 \"my laptop\"]  there                               (none)
 key-rds            kms.key                   -                                                  failed: Disabled; apply enables it  ready
 log-group-service  logs.log_group            -                                                  missing                             to exist

drift in 3 of 131 nodes; the next apply repairs it in 2
  key-rds: the next apply asks AWS to try again
";

/// The same on terminals, by their width.
pub(super) const ON_A_TERMINAL: &[(usize, &str, &str)] = &[
    (
        60,
        "drift",
        "group-rules-rds  ec2.security_group_rules\n    \
             ingress[tcp 5432 from 203.0.113.7/32 \"my laptop\"]\n    \
             there\n    \
             (none)\n\
         key-rds  kms.key\n    \
             -  failed: Disabled; apply enables it  ready\n\
         log-group-service  logs.log_group\n    \
             -  missing  to exist\n\n\
         drift in 3 of 131 nodes; the next apply repairs it in 2\n  \
           key-rds: the next apply asks AWS to try again\n",
    ),
    (
        80,
        "drift",
        "group-rules-rds  ec2.security_group_rules\n    \
             ingress[tcp 5432 from 203.0.113.7/32 \"my laptop\"]  there  (none)\n\
         key-rds  kms.key\n    \
             -  failed: Disabled; apply enables it  ready\n\
         log-group-service  logs.log_group\n    \
             -  missing  to exist\n\n\
         drift in 3 of 131 nodes; the next apply repairs it in 2\n  \
           key-rds: the next apply asks AWS to try again\n",
    ),
];
