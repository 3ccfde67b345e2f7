"""The part of deploy/demo that is not shell: `main.py COMMAND --directory DIRECTORY …`.

Deliberately absent: cleaning up. deploy/demo calls `stop` however `run` ended, killed or not.
"""

import argparse
import signal
import sys

import pika.exceptions

import kept
import report
import servers
import show

UNAVAILABLE = 69


def run(at, words):
    parser = argparse.ArgumentParser(prog="deploy/demo")
    parser.add_argument("--program", required=True)
    program = parser.parse_args(words).program
    # So that a command that runs meanwhile is ended, and waited for, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    whole, watch = report.Watch(), report.Watch()
    print("suppressd, on servers of its own", flush=True)
    at.prepare()
    at.start_redis()
    at.start_rabbitmq()
    demo = show.Show(at)
    demo.prepare_data()  # while RabbitMQ starts
    at.wait_for_port("redis", "redis")
    at.wait_for_port("rabbitmq", "amqp")
    report.step("servers", f"RabbitMQ and Redis, private, in {at.directory} ({watch.seconds():.1f} s)")
    watch = report.Watch()
    at.start_suppressd(program)
    at.wait_ready()
    report.step("suppressd", f"initialised, running and ready at {at.http} ({watch.seconds():.1f} s)")
    demo.connect()
    demo.opt_outs()
    demo.campaign()
    demo.late_opt_outs()
    demo.close()
    if demo.failures:
        raise SystemExit(f"deploy/demo: {len(demo.failures)} FAILED")
    report.step("done", f"all checks passed, {whole.seconds():.1f} s")


COMMANDS = {
    "run": run,
    "usage": lambda at, words: kept.usage(at),
    "publish": kept.publish,
    "opt-out": kept.opt_out,
    "received": kept.received,
    "stop": lambda at, words: at.stop(),
}


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--directory", required=True)
    arguments, words = parser.parse_known_args()
    at = servers.Servers(arguments.directory)
    try:
        COMMANDS[arguments.command](at, words)
    except (servers.Trouble, pika.exceptions.AMQPError) as trouble:
        text = str(trouble) if isinstance(trouble, servers.Trouble) else f"RabbitMQ: {trouble!r}"
        print("\n".join([f"deploy/demo: {text}", *at.ended()]), file=sys.stderr)
        sys.exit(UNAVAILABLE)


if __name__ == "__main__":
    main()
