#!/usr/bin/python3
"""A whole worker: greets whom the instructions name. Run it, then from anywhere:

    zq run --to greeter --instructions Ada
"""
import os
import signal
import sys

from zq_worker import Worker


def greet(task):
    if not task.instructions:
        raise ValueError("nobody to greet: submit with --instructions NAME")
    return f"Hello, {task.instructions}!\n"


endpoint = os.environ.get("ZQ_CONNECT", "tcp://127.0.0.1:5570")
worker = Worker(endpoint, ["greeter"], greet, state=sys.argv[1] if len(sys.argv) > 1 else "greeter-state")
signal.signal(signal.SIGTERM, lambda *_: worker.stop())
worker.run()
