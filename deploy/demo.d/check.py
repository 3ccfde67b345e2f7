"""Compares what the senders received with what the demo worked out itself.

Three accounts of one thing must agree, job by job and segment by segment: the recipients in the output, its
`suppression` member, and the demo's own rules. Every difference is counted, nothing stops at the first.
"""

import collections
import json

import rules

COVERED = "people who must not be in an output are in one"
CHANGED = "people who are to be kept are missing, moved or changed by a byte"
SUMS = "segments where received is not kept plus removed"
NUMBERS = "segments where `suppression` says other numbers than the demo counts"
SHAPE = "outputs that are not the job that was sent"


class Tally:
    """Counts per (channel, region): received, kept and one per reason."""

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, channel, region, numbers):
        self.counts[channel, region].update(numbers)

    def total(self, channel=None):
        total = collections.Counter()
        for (own, _), count in self.counts.items():
            if channel in (None, own):
                total.update(count)
        return total


class Check:
    """Takes each job with its output; `faults` tells what was wrong, by kind."""

    def __init__(self, book, brand):
        self.book, self.brand = book, brand
        self.tally, self.faults = Tally(), collections.Counter()
        self.segments = 0

    def job(self, job, output):
        document = output.json
        shown = document["suppression"]["segments"]
        same_job = output.properties.message_id == job.job_id == document["job_id"]
        if not same_job or not len(document["segments"]) == len(shown) == len(job.segments):
            self.faults[SHAPE] += 1
            return
        position = 0
        for (region, sent), out, counts in zip(job.segments, document["segments"], shown):
            position = self._bytes(job.channel, region, sent, output.text, position)
            self._people(job.channel, region, sent, out["recipients"])
            self._numbers(job.channel, region, sent, len(out["recipients"]), counts)
            self.segments += 1

    def _reasons(self, channel, region, sent):
        return [(one, self.book.reason(one, region, channel, self.brand)) for one in sent]

    def _bytes(self, channel, region, sent, text, position):
        """Who is kept stands in the output as sent, byte by byte and in the same order."""
        for recipient, reason in self._reasons(channel, region, sent):
            if reason is None:
                found = text.find(recipient.text, position)
                self.faults[CHANGED] += found < 0
                position = max(position, found + len(recipient.text))
        return position

    def _people(self, channel, region, sent, received):
        reasons = self._reasons(channel, region, sent)
        removed = [json.loads(recipient.text) for recipient, reason in reasons if reason]
        kept = [json.loads(recipient.text) for recipient, reason in reasons if not reason]
        self.faults[COVERED] += sum(recipient in received for recipient in removed)
        self.faults[CHANGED] += received != kept

    def _numbers(self, channel, region, sent, received, counts):
        reasons = collections.Counter(reason for _, reason in self._reasons(channel, region, sent))
        own = {"received": len(sent), "kept": reasons[None]} | {reason: reasons[reason] for reason in rules.REASONS}
        said = {"received": counts["received"], "kept": counts["kept"]} | counts["removed"]
        self.faults[SUMS] += said["received"] != said["kept"] + sum(counts["removed"].values())
        self.faults[NUMBERS] += said != own or said["kept"] != received
        self.tally.add(channel, region, said)
