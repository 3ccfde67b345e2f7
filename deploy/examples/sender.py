#!/usr/bin/python3
"""Takes filtered jobs from suppressd and sends them: here, prints one JSON object for each recipient.

  AMQP_URL=amqps://sender:PASSWORD@rabbitmq/suppressd sender.py --queue sender.sms --key 'sms.#' --done /var/lib/sender

A job is acknowledged when all of it is sent. What was sent is remembered in the directory --done by message_id, because
a job may come again after a crash. If this program itself ends in the middle of a job, that one job is begun anew: give
each recipient to your gateway under a name of its own (message_id and place) if it can pass over copies.
Exit code: 0 told to end, 64 wrong arguments, 69 RabbitMQ is away: start it again.
"""
import argparse, datetime, gzip, hashlib, json, os, pathlib, sys
import pika

def stop(code, why):
    print(f"sender: {why}", file=sys.stderr)
    sys.exit(code)

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda why: stop(64, why.split(":")[0] + ", see --help")
    parser.add_argument("--queue", required=True, help="begins with sender.")
    parser.add_argument("--key", required=True, help="which jobs: sms.#, say")
    parser.add_argument("--done", required=True, type=pathlib.Path, help="a directory that is kept")
    parser.add_argument("--count", type=int, help="ends after so many messages")
    return parser.parse_args()

def send(name, address, recipient):
    print(json.dumps({"name": name, "to": recipient.get(address)}, ensure_ascii=False))

def is_late(job):
    until = job.get("send_until")
    return until is not None and datetime.datetime.fromisoformat(until) < datetime.datetime.now(datetime.timezone.utc)

def handle(body, properties, done):
    mark = done / hashlib.sha256(properties.message_id.encode()).hexdigest()
    if mark.exists():
        return  # a copy
    job = json.loads(gzip.decompress(body) if properties.content_encoding == "gzip" else body)
    address = "email" if job["channel"] == "email" else "phone"
    recipients = [recipient for segment in job["segments"] for recipient in segment["recipients"]]
    for place, recipient in enumerate([] if is_late(job) else recipients):
        send(f"{properties.message_id}/{place}", address, recipient)
    sys.stdout.flush()
    mark.touch()

def work(it, url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(it.queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(it.queue, "suppressd.filtered", it.key)
        channel.basic_qos(prefetch_count=2)  # large bodies: one that is sent, one that waits
        taken = 0
        for method, properties, body in channel.consume(it.queue):
            handle(body, properties, it.done)
            channel.basic_ack(method.delivery_tag)
            taken += 1
            if taken == it.count:
                return

it = arguments()
it.done.is_dir() or stop(64, "--done is no directory")
try:
    work(it, os.environ.get("AMQP_URL") or stop(64, "AMQP_URL is not set"))
except (pika.exceptions.AMQPError, OSError) as error:
    stop(69, f"start it again: {type(error).__name__}")
except KeyboardInterrupt:
    pass  # what was not acknowledged comes again
