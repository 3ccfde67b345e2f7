#!/usr/bin/env python3
"""The peer as most would write it in Python: pika, redis-py and orjson, one process.

For each job one pipeline of SMISMEMBER, an identifier kind each, on Redis sets of plain identifiers; then publish with
confirm, then acknowledge. Deliberately absent: everything else that the worker promises.

    peer_script.py AMQP_URL REDIS_URL LIST
"""

import sys

import pika
import redis

try:
    import orjson
except ImportError:  # benches/run says so in the results
    import json

    class orjson:  # noqa: N801 - it stands in for the module
        loads = staticmethod(json.loads)

        @staticmethod
        def dumps(value):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


PREFETCH = 30
KINDS = ("user_id", "email", "phone")
NO_DIGITS = str.maketrans("", "", " ()-+.\t")


def canonical(kind, text):
    if kind == "email":
        return text.strip().lower()
    if kind == "phone":
        digits = text.translate(NO_DIGITS)
        if len(digits) == 11 and digits[0] == "8":
            return "+7" + digits[1:]
        return "+" + digits
    return text.strip()


def listed(server, sets, recipients):
    """For each recipient, whether one of its identifiers is on the list."""
    found = [False] * len(recipients)
    asked = []
    pipeline = server.pipeline(transaction=False)
    for kind, name in zip(KINDS, sets):
        places = [n for n, recipient in enumerate(recipients) if recipient.get(kind)]
        if places:
            pipeline.smismember(name, [canonical(kind, recipients[n][kind]) for n in places])
            asked.append(places)
    for places, answers in zip(asked, pipeline.execute()):
        for place, answer in zip(places, answers):
            if answer:
                found[place] = True
    return found


def main():
    amqp_url, redis_url, name = sys.argv[1:4]
    server = redis.Redis.from_url(redis_url)
    sets = [f"{name}:{kind}" for kind in KINDS]
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)
    channel.confirm_delivery()

    def on_job(channel, method, properties, body):
        job = orjson.loads(body)
        for segment in job["segments"]:
            recipients = segment["recipients"]
            removed = listed(server, sets, recipients)
            segment["recipients"] = [r for r, gone in zip(recipients, removed) if not gone]
        channel.basic_publish("suppressd.filtered", method.routing_key, orjson.dumps(job), properties)
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("suppressd.jobs", on_job)
    channel.start_consuming()


if __name__ == "__main__":
    main()
