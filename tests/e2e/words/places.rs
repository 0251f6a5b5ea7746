//! Where and as whom: regions, profiles, files, environments that are new.

use super::{CASE, Case, UNASKED};

/// Regions that nobody knows, and two who name different ones.
pub(super) const REGIONS: &[Case] = &[
    Case {
        settings: "region = \"us-eats-1\"",
        variables: &[("AWS_REGION", "")],
        says: "error: us-eats-1 (tapctl.toml:1) is no region that this tapctl knows; did you mean us-east-1?\n\
               hint: where AWS has added it since, add --new-region us-eats-1\n",
        ..UNASKED
    },
    Case {
        settings: "region = \"eu-west-1\"",
        says: "error: the region is eu-west-1 by tapctl.toml:1, and us-east-1 by AWS_REGION\n\
               hint: let both name the same region, or take one of them away\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --env eu --target vpc",
        variables: &[("AWS_REGION", "eu-west-1")],
        code: 2,
        place: "student-records eu in account 123456789012, eu-west-1, at AWS",
        says: "note: the environment eu is new: no state, no [env.eu] in tapctl.toml, nothing of it in AWS; no other is \
               known here\n",
        prints: "…student-records eu in account 123456789012, eu-west-1: 1 to create\n",
        ..CASE
    },
];

/// Profiles that are not there, and nobody's credentials.
pub(super) const PROFILES: &[Case] = &[
    Case {
        arguments: "plan --profile nope",
        code: 4,
        says: "error: NoSuchProfile: --profile is \"nope\", and ~/.aws/config and ~/.aws/credentials have no such profile; \
               there are none\nhint: make it with `aws configure --profile nope`\n",
        ..UNASKED
    },
    Case {
        files: &[(".aws/config", "[profile campus]\nregion = us-east-1\n[default]\n")],
        variables: &[("AWS_PROFILE", "nope"), ("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
        code: 4,
        says: "error: NoSuchProfile: AWS_PROFILE is \"nope\", and ~/.aws/config and ~/.aws/credentials have no such \
               profile; there are campus, default\nhint: name one of these, or make it with `aws configure --profile \
               nope`\n",
        ..UNASKED
    },
    Case {
        variables: &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_EC2_METADATA_DISABLED", "true")],
        code: 4,
        says: "error: sts:GetCallerIdentity: NoCredentials: there are no credentials: not in the environment, not in the \
               selected profile, not of this machine\nhint: log in (aws sso login), or set AWS_PROFILE or \
               AWS_ACCESS_KEY_ID\n",
        ..UNASKED
    },
];

/// Nobody listens on this port.
pub(super) const UNREACHABLE: &[Case] = &[Case {
    variables: &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")],
    says: "note: no connection to 127.0.0.1 yet; trying again\n\
           error: sts:GetCallerIdentity: NoConnection: no connection to 127.0.0.1: client error (Connect): tcp connect \
           error: Connection refused (os error 111) (the region is us-east-1 by AWS_REGION)\n\
           hint: check network, proxy, region and AWS_ENDPOINT_URL, then run again\n",
    ..UNASKED
}];

/// A file in place of a directory, and files that are not there or nothing.
pub(super) const FILES: &[Case] = &[
    Case {
        arguments: "status --state-dir tapctl.toml",
        says: "error: tapctl.toml/student-records-dev.json: Not a directory (os error 20)\n\
               hint: name a directory that can be written to, and has room, with --state-dir or TAPCTL_STATE_DIR\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --state-dir /proc/none",
        says: "error: /proc/none/student-records-dev.lock: No such file or directory (os error 2)\n\
               hint: name a directory that can be written to, and has room, with --state-dir or TAPCTL_STATE_DIR\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --config nope.toml",
        says: "error: there is no nope.toml\n\
               hint: name one that is there; `tapctl init nope.toml` writes one, and --config none leaves all to the \
               defaults\n",
        ..UNASKED
    },
    Case {
        arguments: "state push nope.json",
        says: "error: nope.json cannot be read: No such file or directory (os error 2)\n\
               hint: name a file that `tapctl state pull` has written; `-` reads one from stdin\n",
        ..UNASKED
    },
    Case {
        arguments: "state push -",
        says: "error: stdin is empty\nhint: name a file that `tapctl state pull` has written; `-` reads one from stdin\n",
        ..UNASKED
    },
    Case {
        arguments: "state push -",
        stdin: "{",
        says: "error: stdin is damaged: EOF while parsing an object at line 1 column 1\n\
               hint: correct it, or begin again from what `tapctl state pull --env dev` prints\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --target vpc --state-dir kept",
        files: &[("kept/student-records-dev.lock", "{\"fence\": ")],
        says: "error: kept/student-records-dev.lock is damaged: EOF while parsing a value at line 1 column 10\n\
               hint: make sure that no other run is under way, then free it with `tapctl state unlock --env dev \
               --state-dir kept`\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --lock-wait soon",
        code: 64,
        says: "error: invalid value 'soon' for '--lock-wait <TIME>': allowed: a time, as 90s, 10m or 1h\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
];

/// Of what there is nothing.
pub(super) const NEW: &[Case] = &[
    Case {
        arguments: "plan --target vpc --env prdo",
        code: 2,
        place: "student-records prdo in account 123456789012, us-east-1, at AWS",
        says: "note: the environment prdo is new: no state, no [env.prdo] in tapctl.toml, nothing of it in AWS; no other is \
               known here\n",
        prints: "+ create  vpc  ec2.vpc\n      cidr: \"10.0.0.0/16\"\n\
                 student-records prdo in account 123456789012, us-east-1: 1 to create\n",
        ..CASE
    },
    Case {
        settings: "[env.prod]\n[env.stage]",
        arguments: "apply --yes --target vpc",
        variables: &[("ENVIRONMENT_SUFFIX", "qa")],
        says: "note: the environment qa is new: no state, no [env.qa] in tapctl.toml, nothing of it in AWS; there are prod, \
               stage\nerror: the environment qa is new, and --yes makes none that nobody has named; nothing was changed\n\
               hint: if qa is meant, add --new-env, or name it in tapctl.toml: environments = [\"qa\"]\n",
        prints: "…student-records qa in account 123456789012, us-east-1: 1 to create\n",
        ..CASE
    },
    Case {
        arguments: "plan --target group-rules-rds",
        code: 2,
        prints: "+ create  vpc              ec2.vpc\n      cidr: \"10.0.0.0/16\"\n\
                 + create  group-rds        ec2.security_group\n\
                 + create  group-service    ec2.security_group\n\
                 + create  group-rules-rds  ec2.security_group_rules\n      \
                       ingress[tcp 5432 from group-service.group_id \"from the service\"]\n      \
                       egress: []\n\
                 student-records dev in account 123456789012, us-east-1: 4 to create\n",
        ..CASE
    },
    Case {
        arguments: "apply --target vpc",
        says: "error: there is no terminal to ask on\nhint: add --yes to go ahead without asking\n",
        prints: "…student-records dev in account 123456789012, us-east-1: 1 to create\n",
        ..CASE
    },
    Case {
        arguments: "destroy --yes --env typo",
        code: 0,
        prints: "student-records typo: nothing to do: nothing is recorded in state/student-records-typo.json, and nothing \
                 with its tags stands in account 123456789012, us-east-1\n",
        ..CASE
    },
    Case {
        arguments: "rotate --yes",
        says: "error: nothing is recorded for student-records dev\n\
               hint: run apply first, or name the directory of the state with --state-dir\n",
        ..CASE
    },
    Case {
        arguments: "backups",
        code: 0,
        prints: "student-records dev: nothing that holds data is recorded, and nothing is kept of any\n",
        ..CASE
    },
    Case {
        arguments: "backups db-clustr",
        says: "error: there is no node db-clustr\nhint: `tapctl backups` without a node lists all that hold data\n",
        ..CASE
    },
    Case {
        arguments: "snapshot cache",
        says: "error: nothing is recorded for student-records dev\n\
               hint: run apply first, or name the directory of the state with --state-dir\n",
        ..UNASKED
    },
    Case {
        arguments: "state rm vpc --yes",
        says: "error: nothing is recorded for student-records dev\n\
               hint: run apply first, or name the directory of the state with --state-dir\n",
        ..UNASKED
    },
    Case {
        arguments: "status",
        code: 2,
        prints: "student-records dev: nothing is recorded\n\
                 hint: `tapctl apply` makes it; or name the directory of the state with --state-dir\n",
        ..CASE
    },
];
