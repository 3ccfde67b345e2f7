#!/usr/bin/python3
"""Publishes a campaign to suppressd: recipients from standard input, one JSON object a line, in parts.

  AMQP_URL=amqps://marketing:PASSWORD@rabbitmq/suppressd campaign.py --campaign nauryz-2027 --channel sms \\
    --brand lulla.kz --region KZ-79 --send-until 2027-03-20T18:00:00+05:00 < recipients.ndjson

Every part is persistent and confirmed. The same command with the same input publishes the same jobs again, which is
harmless: senders know copies by message_id, and the campaign's report counts each part once. Exit code: 0 RabbitMQ has
all of it, 64 wrong arguments, 65 a line that is no JSON object: nothing was published, 69 run it again.
"""
import argparse, json, os, sys
import pika

def stop(code, why):
    print(f"campaign: {why}", file=sys.stderr)
    sys.exit(code)

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda why: stop(64, why.split(":")[0] + ", see --help")
    parser.add_argument("--campaign", required=True, help="its name, another one for each campaign")
    parser.add_argument("--channel", required=True, choices=["email", "sms", "call"])
    parser.add_argument("--brand", required=True)
    parser.add_argument("--region", required=True, help="a code, or an alias of exactly one")
    parser.add_argument("--send-until", help="RFC 3339 with an offset: senders send nothing after it")
    parser.add_argument("--part-size", type=int, default=10_000, help="recipients a job, at most 200000")
    return parser.parse_args()

def recipients():
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    return lines if all(isinstance(line, dict) for line in lines) else stop(65, "a line is no JSON object")

def jobs(it, people):
    parts = [people[start:start + it.part_size] for start in range(0, len(people), it.part_size)]
    for index, part in enumerate(parts):
        yield {"job_id": f"{it.campaign}:{index}", "campaign_id": it.campaign, "channel": it.channel, "brand": it.brand,
               "part": {"index": index, "of": len(parts)}, "send_until": it.send_until,
               "segments": [{"region": it.region, "recipients": part}]}

def publish(jobs, url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()  # from here on basic_publish waits for the confirm, and raises without one
        for job in jobs:
            properties = pika.BasicProperties(delivery_mode=2, content_type="application/json", message_id=job["job_id"])
            body = json.dumps(job, ensure_ascii=False).encode()
            key = f"{job['channel']}.{job['segments'][0]['region']}"
            channel.basic_publish("suppressd.jobs", key, body, properties, mandatory=True)

it = arguments()
url = os.environ.get("AMQP_URL") or stop(64, "AMQP_URL is not set")
try:
    all_jobs = list(jobs(it, recipients()))
except ValueError:
    stop(65, "a line is no JSON object")
try:
    publish(all_jobs, url)
except (pika.exceptions.AMQPError, OSError) as error:
    stop(69, f"RabbitMQ did not take all of it, run the same command again: {type(error).__name__}")
print(json.dumps({"jobs": len(all_jobs), "recipients": sum(len(job["segments"][0]["recipients"]) for job in all_jobs)}))
