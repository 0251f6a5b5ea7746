"""A directory to run tapctl in, with settings and a state of its own."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass

# How long tapctl has to end by itself when it is asked to.
GRACE = 30
TICK = 0.2


class OutOfTime(Exception):
    """The hours are over."""


@dataclass
class Run:
    """A run of tapctl that ended."""

    command: str
    code: int
    out: str
    err: str
    seconds: float

    def json(self):
        return json.loads(self.out)

    def words(self):
        return f"`{self.command}` ended with {self.code}:\n{self.out[-2000:]}{self.err[-4000:]}"


class Desk:
    def __init__(self, directory, tapctl, stack, env, region, masks):
        self.directory, self.tapctl = directory, tapctl
        self.stack, self.env, self.region, self.masks = stack, env, region, masks
        self.deadline = None
        self.running = None
        self._runs = 0
        (directory / "said").mkdir(parents=True, exist_ok=True)

    def settings(self, text):
        (self.directory / "tapctl.toml").write_text(text)

    def at(self, forwarder):
        """Where tapctl is to find AWS. It gets no credentials but the key that the forwarder knows it by."""
        self.access = {
            "AWS_ENDPOINT_URL": forwarder.url,
            "AWS_ACCESS_KEY_ID": forwarder.access_key,
            "AWS_SECRET_ACCESS_KEY": "of-the-forwarder",
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self, *words):
        environment = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        environment |= {"HOME": str(self.directory), "NO_COLOR": "1"} | self.access
        command = [self.tapctl, *words, "--stack", self.stack, "--env", self.env]
        self._runs += 1
        names = [f"{self._runs:02}-{words[0]}-{which}.txt" for which in ("stdout", "stderr")]
        self._said = [self.directory / "said" / name for name in names]
        with open(self._said[0], "wb") as out, open(self._said[1], "wb") as err:
            # In a session of its own: a Ctrl-C at the terminal is for the trial, which then asks tapctl to end.
            self.running = subprocess.Popen(
                command,
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._command = f"tapctl {' '.join(words)}"
        self._began = time.monotonic()
        return self.running

    def finish(self):
        """Waits for the end of what was started; asks it to end where the hours are over."""
        while self.running.poll() is None:
            if self.deadline and time.time() > self.deadline:
                self.end()
                raise OutOfTime
            time.sleep(TICK)
        said = [path.read_text(encoding="utf-8", errors="replace") for path in self._said]
        run = Run(self._command, self.running.returncode, *said, time.monotonic() - self._began)
        self._over()
        return run

    def _over(self):
        self.running = None
        for path in self._said:
            self.masks.file(path)

    def run(self, *words):
        self.start(*words)
        return self.finish()

    def kill(self):
        os.killpg(self.running.pid, signal.SIGKILL)

    def end(self):
        """As a Ctrl-C would: saves and leaves."""
        if self.running is None:
            return
        if self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGINT)
            try:
                self.running.wait(GRACE)
            except subprocess.TimeoutExpired:
                self.kill()
                self.running.wait()
        self._over()
