"""The local AWS and its forks, a desk to run tapctl at, and independent eyes on the account."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sweep

LONGEST_RUN = 180
TICK = 0.01
# What a killed process wrote is there for the next one, synced or not, and without a disk it is there at once.
MEMORY = Path("/dev/shm")


class Failure(Exception):
    """Something is not as after an undisturbed run."""


class Aws:
    """A server of the local AWS, or a fork of one."""

    def __init__(self, port, parent=None, process=None):
        self.port, self.parent, self.process = port, parent, process
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(cls):
        """An empty one, in which everything happens at once. It ends with this process."""
        command = [sys.executable, "-m", "local_aws", "--port", "0", "--speed", "instant", "--parent", str(os.getpid())]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        port = process.stdout.readline().rpartition(":")[2]
        return cls(int(port), process=process)

    def fork(self, port=0):
        return Aws(self.ask("POST", "forks", {"port": port})["port"], parent=self)

    def end(self):
        if self.parent:
            self.parent.ask("DELETE", f"forks?port={self.port}")
        else:
            self.process.kill()
            self.process.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_RUN)
        try:
            connection.request(method, f"/_local/{path}", json.dumps(body or {}))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the local AWS refused {method} {path}: {text.decode()}")
        return json.loads(text)

    def log(self):
        return self.ask("GET", "log")["entries"]

    def let_calls_end(self):
        """Calls that a killed process had sent still take effect."""
        deadline = time.monotonic() + LONGEST_RUN
        while any(entry["status"] is None for entry in self.log()):
            if time.monotonic() > deadline:
                raise Failure("the local AWS does not finish the calls of the killed run")
            time.sleep(TICK)

    def check_lawful(self):
        """That no request was one that AWS would find invalid, or that the local AWS does not know."""
        wrong = self.ask("GET", "violations")["violations"]
        unknown = self.ask("GET", "unsupported")
        crashed = [entry["operation"] for entry in self.log() if entry["error_code"] == "LocalAwsCrash"]
        if wrong or unknown or crashed:
            raise Failure(f"requests AWS would not take: {wrong}, unknown: {unknown}, crashed on: {crashed}")


class Eyes:
    """What is in the account of the server on one port, read through boto3 and not through tapctl."""

    def __init__(self, url):
        self.account = sweep.Account(url, "us-east-1", deep=True)

    def look(self):
        self.account.kept.clear()
        return sweep.collect(self.account)


class Desk:
    """A directory to run tapctl in, with settings for a stack."""

    def __init__(self, tapctl, stack, like=None):
        self.tapctl = tapctl
        self.losses = [word for node in stack.losses for word in ("--allow-loss", node)]
        self.state_file = f"state/{stack.name}-dev.json"
        self.directory = Path(tempfile.mkdtemp(prefix="tapctl-crash-", dir=MEMORY if MEMORY.is_dir() else None))
        if like:
            shutil.copytree(like.directory, self.directory, dirs_exist_ok=True)
        self.settings(stack.settings)

    def settings(self, text):
        (self.directory / "tapctl.toml").write_text(f"{text}\n[engine]\nsettle_seconds = 5\n")

    def start(self, aws, *arguments):
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.directory),
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        with open(self.directory / "said", "wb") as said:
            return subprocess.Popen(
                [self.tapctl, *arguments, *(self.losses if arguments[0] == "apply" else [])],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def said(self):
        return (self.directory / "said").read_text(errors="replace")

    def finish(self, process, what):
        """The exit code of a run that must end by itself."""
        try:
            return process.wait(LONGEST_RUN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"{what} did not end within {LONGEST_RUN} s:\n{self.said()}") from None

    def run(self, aws, *arguments):
        """Runs tapctl to its end, which must be a good one."""
        what = f"tapctl {' '.join(arguments)}"
        code = self.finish(self.start(aws, *arguments), what)
        if code != 0:
            raise Failure(f"{what} ended with {code}:\n{self.said()}")

    @property
    def state_path(self):
        return self.directory / self.state_file

    def state(self):
        """The state document; none before the first save."""
        return json.loads(self.state_path.read_text()) if self.state_path.exists() else None

    def clear(self):
        shutil.rmtree(self.directory)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def picture(found, state):
    """Account and state, without what differs between two runs that end alike."""
    rename = sweep.namer(found)
    recorded = {key: value for key, value in (state or {}).items() if key not in ("serial", "lineage", "fence")}
    return {"account": sweep.dump(found), "state": rename(recorded)}


def fingerprint(of):
    return hashlib.sha256(sweep.written(of).encode()).hexdigest()


def difference(path, want, have):
    """The first few places where two values differ, for a person."""
    if want == have:
        return []
    if isinstance(want, dict) and isinstance(have, dict):
        keys = sorted({*want, *have})
        return [line for key in keys for line in difference(f"{path}.{key}", want.get(key), have.get(key))]
    if isinstance(want, list) and isinstance(have, list):
        return lists_differ(path, want, have)
    return [f"{path}: {sweep.written(have)[:300]} in place of {sweep.written(want)[:300]}"]


def lists_differ(path, want, have):
    missing = [item for item in want if item not in have]
    extra = [item for item in have if item not in want]
    if len(missing) == len(extra) == 1:
        return difference(f"{path}[]", missing[0], extra[0])
    lines = [f"{path}: lacks {sweep.written(item)[:300]}" for item in missing]
    lines += [f"{path}: has beside {sweep.written(item)[:300]}" for item in extra]
    return lines or [f"{path}: {len(have)} in place of {len(want)}, some of them twice"]
