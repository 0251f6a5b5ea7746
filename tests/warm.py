"""A Python that has the SDK loaded, and forks for each piece of Python that a test has: none of them loads it anew.

    warm.py SOCKET      answers {"argv": […], "code": … or null for argv[0] as a file} with {"code", "stdout", "stderr"}

Lives as long as its stdin is open.
"""

import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback

import boto3

# What sweeps and snippets ask for, with the data that their clients are made of.
SERVICES = (
    "acm apigateway apigatewayv2 application-autoscaling cloudtrail cloudwatch cognito-idp ec2 ecs efs elasticache elbv2 "
    "guardduty iam kinesis kms logs rds resourcegroupstaggingapi s3 secretsmanager sns sts wafv2"
).split()


def main():
    for service in SERVICES:
        boto3.client(service, region_name="us-east-1", aws_access_key_id="warm", aws_secret_access_key="warm")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(caller)
        caller.close()


def serve(caller):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with caller, caller.makefile("rw") as pipe:
        request = json.loads(pipe.readline())
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            code = run(request["argv"], request["code"])
            sys.stdout.flush()
            sys.stderr.flush()
            answer = {"code": code, "stdout": text(stdout), "stderr": text(stderr)}
        pipe.write(json.dumps(answer))
    os._exit(0)


def run(argv, code):
    """The exit code."""
    sys.argv = argv
    try:
        if code is None:
            sys.path[0] = os.path.dirname(argv[0])
            runpy.run_path(argv[0], run_name="__main__")
        else:
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def text(file):
    file.seek(0)
    return file.read().decode(errors="replace")


if __name__ == "__main__":
    main()
