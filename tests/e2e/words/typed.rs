//! What is mistyped on the command line and in the settings.

use super::{CASE, Case, UNASKED};

/// Wrong usage, and what the file's rules say of flags.
pub(super) const USAGE: &[Case] = &[
    Case {
        arguments: "plan --nonsense",
        code: 64,
        says: "error: unexpected argument '--nonsense' found\n\nUsage: tapctl plan [OPTIONS]\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --evn prod",
        code: 64,
        says: "error: unexpected argument '--evn' found\n\n  tip: a similar argument exists: '--env'\n\n\
               Usage: tapctl plan [OPTIONS]\n\nFor more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "plam",
        code: 64,
        says: "error: unrecognized subcommand 'plam'\n\n  tip: a similar subcommand exists: 'plan'\n\n\
               Usage: tapctl <COMMAND>\n\nFor more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "plan --stack student-record",
        code: 64,
        says: "error: invalid value 'student-record' for '--stack <NAME>'\n  \
               [possible values: student-records, data-pipeline]\n\n  \
               tip: a similar value exists: 'student-records'\n\nFor more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --timeout 0",
        code: 64,
        says: "error: invalid value '0' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 minutes\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --timeout 10m",
        code: 64,
        says: "error: invalid value '10m' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 minutes\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --timeout 18446744073709551615",
        code: 64,
        says: "error: invalid value '18446744073709551615' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 \
               minutes\n\nFor more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --parallelism -1",
        code: 64,
        says: "error: invalid value '-1' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "destroy --yes --parallelism many",
        code: 64,
        says: "error: invalid value 'many' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "rotate --yes --parallelism 0",
        code: 64,
        says: "error: invalid value '0' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "snapshot cache --name -wrong-",
        code: 64,
        says: "error: invalid value '-wrong-' for '--name <NAME>': allowed: 1-63 lower-case letters, digits and single hyphens, \
               a letter first and no hyphen last\n\nFor more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "snapshot",
        code: 64,
        says: "error: the following required arguments were not provided:\n  <NODE>\n\nUsage: tapctl snapshot <NODE>\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
    Case {
        arguments: "apply --yes --parallelism 999999999",
        code: 64,
        says: "error: invalid value '999999999' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..UNASKED
    },
];

/// Settings.
pub(super) const SETTINGS: &[Case] = &[
    Case {
        settings: "service.image = \"a:b:c\"",
        says: "error: tapctl.toml:1: service.image is \"a:b:c\"; it has two tags; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..UNASKED
    },
    Case {
        settings: "service.image = \"a@@b\"",
        says: "error: tapctl.toml:1: service.image is \"a@@b\"; it has two @; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..UNASKED
    },
    Case {
        settings: "service.image = \"a@sha256:zz\"",
        says: "error: tapctl.toml:1: service.image is \"a@sha256:zz\"; its digest is \"sha256:zz\", and a digest is sha256: \
               and 64 digits of 0-9 and a-f; allowed: [host[:port]/]path[:tag][@sha256:digest], with the path in lower \
               case\n",
        ..UNASKED
    },
    Case {
        settings: "service.image = \"MyOrg/App:1\"",
        says: "error: tapctl.toml:1: service.image is \"MyOrg/App:1\"; \"MyOrg\" has upper-case letters; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..UNASKED
    },
    Case {
        settings: "network.azs = \"2\"",
        says: "error: tapctl.toml:1: network.azs is \"2\", a text; allowed: the number 2 or 3, without quotes\n",
        ..UNASKED
    },
    Case {
        settings: "protect = \"true\"",
        says: "error: tapctl.toml:1: protect is \"true\", a text; allowed: true or false, without quotes\n",
        ..UNASKED
    },
    Case {
        settings: "monitoring.alarm_emails = [\"oncall\"]",
        says: "error: tapctl.toml:1: monitoring.alarm_emails has \"oncall\"; it has no @; allowed: a list of at most 20 \
               different mail addresses\n",
        ..UNASKED
    },
    Case {
        settings: "ingress.host = \"api_1.university.edu\"",
        says: "error: tapctl.toml:1: ingress.host is \"api_1.university.edu\"; \"api_1\" is no part of a host's name: \
               letters, digits, hyphens inside, at most 63; allowed: a host's name, as api.university.edu\n",
        ..UNASKED
    },
    Case {
        settings: "database.engine_version = \"15.4\"",
        says: "error: tapctl.toml:1: database.engine_version is \"15.4\"; allowed: \"15.10\", \"15.12\", \"15.13\" (the \
               nearest) or another of \"13.9\", …",
        ..UNASKED
    },
    Case {
        settings: "regoin = \"eu-west-1\"\nnetwork.azs = 5",
        says: "error: tapctl.toml:1: regoin is not a setting; did you mean region?\n\
               tapctl.toml:2: network.azs is 5; allowed: 2 or 3\n2 problems; nothing was done\n",
        ..UNASKED
    },
];

/// Names of nodes, before there is anything.
pub(super) const NODES: &[Case] = &[
    Case {
        arguments: "plan --target vpcc",
        says: "error: --target: there is no node vpcc; did you mean vpc?\nhint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "plan --target vpc --exclude vpc",
        says: "error: --target vpc --exclude vpc leaves no node: each is excluded, stands on what is, or is still used by \
               what is left alone\nhint: leave one of them out; `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --allow-data-loss nope",
        says: "error: --allow-data-loss: there is no node nope\nhint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --allow-data-loss db-clustr",
        says: "error: --allow-data-loss: there is no node db-clustr; did you mean db-cluster?\n\
               hint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --recreate db-clustr",
        says: "error: --recreate: there is no node db-clustr; did you mean db-cluster?\n\
               hint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
];

/// The end of a plan of one node.
const ONE: &str = "…student-records dev in account 123456789012, us-east-1: 1 to create\n";

/// What is allowed, and remarked.
pub(super) const REMARKS: &[Case] = &[
    Case {
        settings: "network.cidr = \"8.8.0.0/16\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: network.cidr is 8.8.0.0/16, which are public addresses: their owners cannot be reached from this VPC; \
               private are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16\n",
        prints: ONE,
        ..CASE
    },
    Case {
        settings: "network.cidr = \"172.17.0.0/16\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: network.cidr is 172.17.0.0/16, which Docker's bridge, AWS Cloud9 and SageMaker use themselves: what \
               runs there does not reach this VPC\n",
        prints: ONE,
        ..CASE
    },
    Case {
        settings: "service.image = \"university/student-api\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: service.image is \"university/student-api\", without a tag or digest: each task that starts runs what \
               is the latest by then; add :tag or @sha256:digest\n",
        prints: ONE,
        ..CASE
    },
    Case {
        settings: "monitoring.alarm_emails = [\"oncall@University.edu\", \"alarm@3m.com\", \"a@xn--mnchen-3ya.de\"]",
        arguments: "plan --target vpc",
        code: 2,
        prints: ONE,
        ..CASE
    },
];
