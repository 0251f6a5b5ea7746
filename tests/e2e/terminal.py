"""Runs a command on a terminal of its own, types answers into it, and prints all that the terminal showed.

    terminal.py '{"columns": 60, "rows": 20, "answers": [["goes ahead: ", "yes\\n"]]}' COMMAND ARGUMENT...

Each answer is typed once its text has appeared after the one before; "\\u0003" is Ctrl-C. Ends as the command does.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios


def main():
    wishes, command = json.loads(sys.argv[1]), sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        size = struct.pack("HHHH", wishes["rows"], wishes["columns"], 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(command[0], command)
    answers, shown, seen = wishes["answers"], b"", 0
    while True:
        try:
            some = os.read(terminal, 65536)
        except OSError:  # Nobody has it open any more.
            break
        if not some:
            break
        shown += some
        while answers and (at := shown.find(answers[0][0].encode(), seen)) >= 0:
            seen = at + len(answers[0][0].encode())
            os.write(terminal, answers.pop(0)[1].encode())
    sys.stdout.buffer.write(shown)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
