#!/usr/bin/python3
"""Tells suppressd what a caller asked for, and waits for the receipt with which the ticket can be closed.

  AMQP_URL=amqp://callcenter:PASSWORD@rabbitmq/suppressd call_center.py --event-id cc-123 --ticket CRM-88 \\
    --at 2026-11-22T10:15:00+05:00 --phone "8 777 111 31 11"

--phone is the number that the person names, not the one that the call comes from. The same command again is
harmless. Exit code: 0 it stands, 64 wrong arguments, 65 somebody must look at it, 69 not known: ask again.
"""
import argparse, json, os, sys, uuid
import pika

def stop(code, why):
    print(f"call_center: {why}", file=sys.stderr)
    sys.exit(code)

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda why: stop(64, why.split(":")[0] + ", see --help")
    parser.add_argument("--event-id", required=True, help="a name for this entry of the ticket, unique")
    parser.add_argument("--at", required=True, help="when the person asked: the deadline counts from then")
    parser.add_argument("--kind", default="opt_out", choices=[
        "opt_out", "opt_in", "hold", "release", "complaint", "identifier_changed", "dismiss"])
    parser.add_argument("--requested-by", choices=["subject", "representative", "authority"])
    for name in ["ticket", "agent", "phone", "email", "user-id", "new-phone", "new-email", "new-user-id"]:
        parser.add_argument("--" + name)
    for name in ["regions", "channels", "brands"]:
        parser.add_argument("--" + name, type=lambda names: names.split(","), help="with commas; default: all")
    parser.add_argument("--wait-s", type=int, default=30)
    given = parser.parse_args()
    given.phone or given.email or given.user_id or given.kind == "dismiss" or stop(64, "whom is it about?")
    return given

def receipt_for(event, url, wait_s):
    parameters = pika.URLParameters(url)
    parameters.blocked_connection_timeout = wait_s
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        replies = channel.queue_declare(f"callcenter.{uuid.uuid4()}", exclusive=True).method.queue
        properties = pika.BasicProperties(user_id=parameters.credentials.username, delivery_mode=2,
            content_type="application/json", reply_to=replies, correlation_id=event["event_id"])
        channel.basic_publish("suppressd.opt-outs", event["source"], json.dumps(event), properties, mandatory=True)
        _, answer, body = next(channel.consume(replies, auto_ack=True, inactivity_timeout=wait_s))
        return json.loads(body) if answer and answer.correlation_id == event["event_id"] else None

it = arguments()  # what is None is left out
event = {"event_id": it.event_id, "source": "call_center", "kind": it.kind, "occurred_at": it.at, "agent": it.agent,
         "subject": {"phone": it.phone, "email": it.email, "user_id": it.user_id},
         "new_subject": {"phone": it.new_phone, "email": it.new_email, "user_id": it.new_user_id},
         "scope": {"regions": it.regions, "channels": it.channels, "brands": it.brands},
         "request_id": it.ticket, "requested_by": it.requested_by}
try:
    receipt = receipt_for(event, os.environ.get("AMQP_URL") or stop(64, "AMQP_URL is not set"), it.wait_s)
except (pika.exceptions.AMQPError, OSError) as error:
    stop(69, f"RabbitMQ did not take it, run the same command again: {error!r}")
receipt or stop(69, "no receipt yet: run the same command again; if none ever comes, look at the dead letters")
if receipt["status"] in ["review", "rejected"]:
    stop(65, f"{receipt['status']}, somebody must look at it (reason: {receipt['reason']})")
print(json.dumps({name: receipt.get(name) for name in ["status", "revision", "due_at", "late", "ignored"]}))
