"""The demo itself, from the first server to the last line; what it proves is in `check` and `rules`.

Steps happen in the order in which a company lives them: people refuse, a campaign goes out, somebody
refuses late. A step that does not work raises `Trouble`; a check that fails is reported and remembered.
"""

import collections
import datetime
import json
import random
import statistics

import amqp
import campaign
import check
import events
import people
import report
import rules
import servers
from report import step

SEED = 2027
PEOPLE = 20_000
ANSWER_TIMEOUT_S = 30
LATE_ROUNDS = 20
LATE_JOB_RECIPIENTS = 50
DUPLICATES = 5
# An opt-out that was overtaken by the opt-in that lifts it stands nowhere: superseded.
ACCEPTED = {"applied", "superseded", "duplicate"}


Late = collections.namedtuple("Late", "gone person written called receipt_ms job_ms")


class Show:
    """One demo on running servers."""

    def __init__(self, at):
        self.at = at
        self.rng = random.Random(SEED)
        self.failures = []

    def prepare_data(self):
        self.people = people.population(self.rng, PEOPLE)
        now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=5))).replace(microsecond=0)
        self.history = events.history(self.rng, self.people, now)
        self.writer = events.Writer(self.rng, now)
        self.writer.number = 900_000
        self.jobs = list(campaign.jobs(self.rng, self.people))
        self.book = rules.Book(self.history)

    def connect(self):
        self.marketing = amqp.Client(self.at.url("marketing"))
        self.sender = amqp.Client(self.at.url("sender"))
        self.sources = {"call_center": amqp.Client(self.at.url("callcenter")), "email": amqp.Client(self.at.url("mail"))}
        for channel in campaign.CHANNELS:
            self.sender.inbox(f"sender.{channel}", "suppressd.filtered", [f"{channel}.*"])
        for source, client in self.sources.items():
            client.inbox(f"{client.user}.receipts", "suppressd.events", [f"receipt.{source}"])

    def close(self):
        for client in (self.marketing, self.sender, *self.sources.values()):
            client.close()

    def verify(self, passed, text):
        step("  ok" if passed else "  FAILED", text)
        if not passed:
            self.failures.append(text)

    # ── people refuse ────────────────────────────────────────────────────────────────────────────────────

    def opt_outs(self):
        again = self.rng.sample(self.history, DUPLICATES)
        watch = report.Watch()
        for event in [*self.history, *again]:
            self.tell(event)
        receipts = []
        for source, client in self.sources.items():
            expected = sum(event.source == source for event in [*self.history, *again])
            client.wait(lambda received, expected=expected: len(received) >= expected, ANSWER_TIMEOUT_S)
            receipts.extend(message.json for message in client.received)
        seconds = watch.seconds()
        count = len(self.history) + len(again)
        statuses = collections.Counter(receipt["status"] for receipt in receipts)
        said = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
        step("opt-outs", f"{count} events of the call centre and the mailbox, {len(receipts)} receipts: {said}")
        step("", f"{seconds:.1f} s, {report.rate(count, seconds)} events/s")
        answered = {(receipt["source"], receipt["event_id"]) for receipt in receipts}
        missing = [event for event in self.history if (event.source, event.event_id) not in answered]
        if missing or not set(statuses) <= ACCEPTED:
            refused = [receipt for receipt in receipts if receipt["status"] not in ACCEPTED][:3]
            raise servers.Trouble(f"{len(missing)} events have no receipt; refused, for instance: {refused}")
        self.verify(statuses["duplicate"] == DUPLICATES, f"the {DUPLICATES} events that were sent twice counted once")

    def tell(self, event):
        self.sources[event.source].publish("suppressd.opt-outs", event.source, event.text)

    # ── a campaign goes out ──────────────────────────────────────────────────────────────────────────────

    def campaign(self):
        watch = report.Watch()
        for job in self.jobs:
            self.marketing.publish("suppressd.jobs", f"{job.channel}.kz", job.text, job.packed)
        wanted = {job.job_id for job in self.jobs}
        arrived = self.sender.wait(lambda received: wanted <= ids(received), ANSWER_TIMEOUT_S)
        seconds = watch.seconds()
        recipients = sum(len(group) for job in self.jobs for _, group in job.segments)
        step("campaign", f"{len(self.jobs)} jobs, {recipients:,} recipients, {len(people.REGIONS)} regions,"
                         f" {' and '.join(campaign.CHANNELS)}")
        step("", f"{seconds:.1f} s from the first job published to the last received,"
                 f" {report.rate(recipients, seconds)} recipients/s")
        if not arrived:
            raise servers.Trouble(f"{len(wanted - ids(self.sender.received))} of {len(wanted)} jobs did not come out")
        self.outputs = {message.properties.message_id: message for message in self.sender.received}
        checked = check.Check(self.book, campaign.BRAND)
        for job in self.jobs:
            checked.job(job, self.outputs[job.job_id])
        report.table(checked.tally, campaign.CHANNELS)
        self.conclude(checked, recipients)

    def conclude(self, checked, recipients):
        faults, total = checked.faults, checked.tally.total()
        step("checks", "against the demo's own computation, which never reads a spelling")
        self.verify(not faults[check.SHAPE] and len(self.outputs) == len(self.jobs), "each job came out under its own id")
        removed = total["received"] - total["kept"]
        self.verify(not faults[check.COVERED], f"none of the {removed:,} who must not be reached is in an output")
        self.verify(not faults[check.CHANGED], f"the {total['kept']:,} others are, in order and byte for byte")
        self.verify(not faults[check.SUMS] and total["received"] == recipients,
                    f"received = kept + removed in each of {checked.segments} segments")
        self.verify(not faults[check.NUMBERS], "each segment's numbers, reason by reason, are the demo's own")
        for fault, count in faults.items():
            if count:
                step("", f"{count} {fault}")

    # ── somebody refuses late ────────────────────────────────────────────────────────────────────────────

    def late_opt_outs(self):
        rounds = [self.late_opt_out(number) for number in range(LATE_ROUNDS)]
        one = max(rounds, key=lambda late: len(late.written) + len(late.called))  # the least plain spelling
        step("late", f"{one.person.name} was kept, as {one.written}; now refuses on the phone, from {one.called}")
        step("", f"receipt `applied` after {one.receipt_ms:.0f} ms; the next job, published then, came out in {one.job_ms:.0f} ms")
        self.verify(all(late.gone for late in rounds), f"gone from it, and so were {LATE_ROUNDS - 1} others, one by one")
        step("", f"{LATE_ROUNDS} receipts in {spread(late.receipt_ms for late in rounds)}")
        step("", f"{LATE_ROUNDS} jobs in {spread(late.job_ms for late in rounds)}")

    def late_opt_out(self, number):
        """One person of the SMS campaign refuses; then their neighbourhood's next job is published."""
        region, group = self.kept_group()
        chosen = group[self.rng.randrange(len(group))]
        now = datetime.datetime.now(datetime.timezone.utc)
        event = self.writer.write("call_center", "opt_out", {"phone": chosen.person.phone}, at=now)
        client = self.sources["call_center"]
        watch = report.Watch()
        self.tell(event)
        client.wait(lambda received: answers(received, event), ANSWER_TIMEOUT_S)
        receipt_ms = watch.seconds() * 1e3
        if not answers(client.received, event) or client.received[-1].json["status"] != "applied":
            raise servers.Trouble(f"the late opt-out {event.event_id} was not applied")
        self.book.add(event)
        job = campaign.job(self.rng, f"{campaign.CAMPAIGN}-late-{number}", "sms", [(region, group)])
        watch = report.Watch()
        self.marketing.publish("suppressd.jobs", f"sms.{region}", job.text)
        if not self.sender.wait(lambda received: received[-1].properties.message_id == job.job_id, ANSWER_TIMEOUT_S):
            raise servers.Trouble(f"the job {job.job_id} did not come out")
        job_ms = watch.seconds() * 1e3
        checked = check.Check(self.book, campaign.BRAND)
        checked.job(job, self.sender.received[-1])
        gone = not sum(checked.faults.values()) and checked.tally.total()["opt_out"] >= 1
        return Late(gone, chosen.person, spelled(chosen.text), spelled(event.text), receipt_ms, job_ms)

    def kept_group(self):
        """Neighbours whom the campaign reached, each with a phone."""
        job = self.rng.choice([job for job in self.jobs if job.channel == "sms"])
        region, sent = job.segments[0]
        reached = [one for one in sent if self.book.reason(one, region, "sms", campaign.BRAND) is None]
        return region, self.rng.sample(reached, LATE_JOB_RECIPIENTS)


def ids(messages):
    return {message.properties.message_id for message in messages}


def answers(receipts, event):
    return bool(receipts) and receipts[-1].json["event_id"] == event.event_id


def spelled(text):
    document = json.loads(text)
    return str(document.get("subject", document)["phone"]).strip()


def spread(times):
    times = list(times)
    return f"{statistics.median(times):.0f} ms (median), {max(times):.0f} ms (slowest)"
