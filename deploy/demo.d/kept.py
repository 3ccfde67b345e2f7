"""What can be done with a demo that was left running: publish a job, opt somebody out, look at the queues.

The same messages as any marketing system or call centre would send, with the same users.
"""

import argparse
import datetime
import json
import pathlib
import sys
import uuid

import amqp
import campaign
import servers

ANSWER_TIMEOUT_S = 10
USAGE = 64
SAMPLE = "job.json"
SAMPLE_JOB = """\
{"job_id": "try-1", "campaign_id": "try", "channel": "sms", "brand": "lulla.kz",
 "segments": [
  {"region": "KZ-79", "recipients": [
   {"user_id": "T-1", "phone": "8 (777) 111-31-11", "name": "Айгерім Сәрсенова", "vars": {"bonus": 5}},
   {"user_id": "T-2", "phone": 87011112233, "email": "Yerlan+promo@Mail.KZ", "name": "Ерлан Қасымов"}]},
  {"region": "Алматы", "recipients": [
   {"phone": "+7 705 444 55 66", "name": "Ольга Кузнецова"},
   {"phone": "7.77E+10", "name": "Excel"}]}]}
"""


class Words(argparse.ArgumentParser):
    """Arguments; a wrong one ends with the product's own code for that."""

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def usage(at):
    sample = at.directory / SAMPLE
    sample.write_text(SAMPLE_JOB)
    config = " ".join(f"--config {file}" for file in at.config)
    print(f"""
It keeps running, in {at.directory}

  publish a job      deploy/demo publish {sample}
  opt somebody out   deploy/demo opt-out --phone '+7 777 111 3 111'
  by e-mail          deploy/demo opt-out --source email --email yerlan@mail.kz
  what senders have  deploy/demo received
  how it is          {at.http}/  (for people, in a browser)
  ready?             curl {at.http}/ready
  metrics            curl {at.http}/metrics
  log                tail -f {at.directory}/suppressd.err
  configuration      {config}
  RabbitMQ           {at.url('marketing')} (publishes jobs)
                     {at.url('sender')} (receives them)
  stop it            deploy/demo stop""")


def publish(at, words):
    parser = Words(prog="deploy/demo publish", description="Publishes a campaign job.")
    parser.add_argument("file", type=pathlib.Path, metavar="FILE", help="the job, as JSON")
    parser.add_argument("--json", action="store_true", help="print the filtered job itself")
    arguments = parser.parse_args(words)
    try:
        text = arguments.file.read_text()
        job = json.loads(text)
        key = f"{job['channel']}.{job['segments'][0]['region'] if job['segments'] else 'none'}"
        job_id = job["job_id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise servers.Trouble(f"{arguments.file} is not a job: {error!r}") from error
    sender, marketing = amqp.Client(at.url("sender")), amqp.Client(at.url("marketing"))
    sender.inbox(f"sender.publish.{uuid.uuid4()}", "suppressd.filtered", ["#"], own=True)
    marketing.publish("suppressd.jobs", key, text)
    if not sender.wait(lambda received: received and received[-1].json["job_id"] == job_id, ANSWER_TIMEOUT_S):
        raise no_answer(at)
    print_job(sender.received[-1], arguments.json)


def received(at, words):
    parser = Words(prog="deploy/demo received", description="Takes what waits for the senders.")
    parser.add_argument("--json", action="store_true", help="print the filtered jobs themselves")
    arguments = parser.parse_args(words)
    sender = amqp.Client(at.url("sender"))
    for channel in campaign.CHANNELS:
        sender.inbox(f"sender.{channel}", "suppressd.filtered", [f"{channel}.*"])
    for message in sender.drain():
        print_job(message, arguments.json)
    if not sender.received:
        print("nothing waits", file=sys.stderr)


def print_job(message, whole):
    if whole:
        print(message.text)
        return
    document = message.json
    print(f"{document['job_id']}: {document['channel']}, revision {document['suppression']['revision']}")
    for segment in document["suppression"]["segments"]:
        removed = ", ".join(f"{count} {reason}" for reason, count in segment["removed"].items() if count)
        print(f"  {segment['region']:<24} {segment['received']:>6} → {segment['kept']:<6} {removed}")


def opt_out(at, words):
    parser = Words(prog="deploy/demo opt-out", description="Publishes an event, prints its receipt.")
    for identifier in ("user-id", "email", "phone"):
        parser.add_argument(f"--{identifier}", metavar="VALUE")
    parser.add_argument("--source", choices=["call_center", "email"], default="call_center")
    parser.add_argument("--kind", default="opt_out", help="opt_out (default), opt_in, hold, release, complaint, bounce")
    for dimension in ("region", "channel", "brand"):
        parser.add_argument(f"--{dimension}", action="append", metavar="NAME", help="may be repeated; left out: all")
    arguments = parser.parse_args(words)
    subject = {"user_id": arguments.user_id, "email": arguments.email, "phone": arguments.phone}
    scope = {"regions": arguments.region, "channels": arguments.channel, "brands": arguments.brand}
    event = {
        "event_id": f"demo-{uuid.uuid4()}", "source": arguments.source, "kind": arguments.kind,
        "occurred_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "subject": {name: value for name, value in subject.items() if value},
        "scope": {name: values for name, values in scope.items() if values},
    }
    if not event["subject"]:
        parser.error("name the person: --phone, --email or --user-id")
    if not event["scope"]:
        del event["scope"]
    source = amqp.Client(at.url("callcenter" if arguments.source == "call_center" else "mail"))
    source.inbox(f"{source.user}.{uuid.uuid4()}", "suppressd.events", [f"receipt.{arguments.source}"], own=True)
    source.publish("suppressd.opt-outs", arguments.source, json.dumps(event, ensure_ascii=False))
    if not source.wait(lambda got: got and got[-1].json["event_id"] == event["event_id"], ANSWER_TIMEOUT_S):
        raise no_answer(at)
    print(json.dumps(source.received[-1].json, ensure_ascii=False, indent=1))


def no_answer(at):
    """Only the operator may look into the dead queue; the log says why something went there."""
    said = at.last_words("suppressd", 1)
    return servers.Trouble(f"no answer in {ANSWER_TIMEOUT_S} s; the last of the log is\n{said}")
