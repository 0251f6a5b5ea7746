"""`python -m local_aws`: runs the server in the foreground."""

import argparse
import gc
import signal
import sys

from .journal import journal
from .life import durations
from .quotas import quotas
from .world import SPEEDS, world


def arguments():
    parser = argparse.ArgumentParser(prog="local-aws")
    parser.add_argument("--port", type=int, default=5555)
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--speed", choices=SPEEDS, default="fast")
    parser.add_argument("--no-strict", dest="strict", action="store_false")
    parser.add_argument("--no-quotas", dest="quotas", action="store_false")
    parser.add_argument("--lag", type=int, default=0, metavar="K")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--gaps", action="store_true")
    parser.add_argument("--guardduty", action="store_true")
    parser.add_argument("--ahead", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--disabled-region", dest="disabled_regions", action="append", default=[], metavar="NAME")
    parser.add_argument("--quota", type=pair(int), action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--duration", type=pair(float), action="append", default=[], metavar="NAME=SECONDS")
    parser.add_argument("--ready-file", metavar="FILE")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process ends")
    return parser, parser.parse_args()


def pair(number):
    def read(text):
        name, _, value = text.partition("=")
        return name, number(value)

    read.__name__ = "pair"
    return read


def spare_collections():
    """What is loaded stays for good, and to look through it again and again takes a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def main():
    parser, chosen = arguments()
    try:
        given = vars(chosen)
        world.settings.choose({name: given[name] for name in vars(world.settings) if name in given})
        quotas.start_with(dict(chosen.quota))
        durations.choose(dict(chosen.duration))
    except ValueError as error:
        parser.error(str(error))
    if chosen.log:
        journal.open(chosen.log)
    from .server import Server

    spare_collections()
    server = Server(chosen.port)
    server.parent = chosen.parent
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(0))
    if chosen.ready_file:
        with open(chosen.ready_file, "w") as ready:
            ready.write(f"{server.server_port}\n")
    print(f"local AWS on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()
