"""Who must not be in an output and why: the contract's rules, worked out here a second time, the slow way.

This knows what each event and each recipient *means* (see `events` and `campaign`) and never reads a
spelling, a digest or anything that suppressd said.
"""

import collections

# Strongest first; the last needs no event.
REASONS = ["hold", "opt_out", "complaint", "bounce", "unidentifiable"]
# What lifts each, if it came later. At equal times the restriction stays.
LIFTED_BY = {"hold": "release", "opt_out": "opt_in", "complaint": "opt_in", "bounce": "opt_in"}


class Book:
    """Everything that was said, by identifier."""

    def __init__(self, events):
        self.said = collections.defaultdict(list)
        self.changes = collections.defaultdict(list)
        for event in events:
            self.add(event)

    def add(self, event):
        if event.kind == "identifier_changed":
            for new in event.new_identifiers:
                self.changes[new].append(event)
        else:
            for identifier in event.identifiers:
                self.said[identifier].append(event)

    def about(self, identifier):
        """What counts for an identifier: its own, and what its old ones had when it took their place."""
        yield from self.said[identifier]
        for change in self.changes[identifier]:
            for old in change.identifiers:
                yield from (event for event in self.said[old] if event.at <= change.at)

    def reason(self, recipient, region, channel, brand):
        """Why this recipient is to be removed; None keeps it."""
        found = set()
        for identifier in recipient.identifiers:
            here = [event for event in self.about(identifier) if event.scope.covers(region, channel, brand)]
            for kind, lift in LIFTED_BY.items():
                last = max((event.at for event in here if event.kind == kind), default=None)
                lifted = max((event.at for event in here if event.kind == lift), default=None)
                if last is not None and (lifted is None or lifted <= last):
                    found.add(kind)
        if not recipient.usable:
            found.add("unidentifiable")
        return next((reason for reason in REASONS if reason in found), None)
