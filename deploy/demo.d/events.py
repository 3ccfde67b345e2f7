"""What people told the company before the campaign: events of the call centre and of the mailbox.

An `Event` holds the message as the source writes it, and beside it what is meant, in plain form. Only the
message is sent; the meaning is for `rules`, so that suppressd and the demo cannot make the same mistake.
"""

import dataclasses
import datetime
import json

import people
import spelling

BRAND = "lulla.kz"
OTHER_BRAND = "lunafresh.kz"
# How the call centre names a region.
REGION_NAMES = {"KZ-79": "SHY", "KZ-61": "Туркестанская область", "KZ-75": "г. Алматы", "KZ-19": "Алматинская область",
                "KZ-71": "Нұр-Сұлтан", "KZ-35": "Караганда"}
# An old code that stands for the two regions it was split into.
SPLIT = ("YUZ", frozenset({"KZ-61", "KZ-79"}))


@dataclasses.dataclass(frozen=True)
class Scope:
    """What is meant; None is all."""

    regions: frozenset = None
    channels: frozenset = None
    brands: frozenset = None

    def covers(self, region, channel, brand):
        mine = ((self.regions, region), (self.channels, channel), (self.brands, brand))
        return all(wanted is None or value in wanted for wanted, value in mine)


ALL = Scope()


@dataclasses.dataclass(frozen=True)
class Event:
    """One statement: `identifiers` (and `new_identifiers`) are pairs of a type and a value in plain form."""

    source: str
    event_id: str
    kind: str
    at: datetime.datetime
    identifiers: frozenset
    scope: Scope
    new_identifiers: frozenset
    text: str


class Writer:
    """Makes events, with numbers that continue."""

    def __init__(self, rng, now):
        self.rng, self.now, self.number = rng, now, 0

    def write(self, source, kind, about, scope=ALL, written=None, at=None, new=None):
        """`about` maps identifier types to plain values; `written` is the scope as the source names it."""
        self.number += 1
        event_id = f"{'cc' if source == 'call_center' else 'mail'}-{self.number:06}"
        at = at or self.now - datetime.timedelta(seconds=self.rng.randrange(3_600, 36_000))
        message = {"event_id": event_id, "source": source, "kind": kind, "occurred_at": at.isoformat(),
                   "subject": self.spell(about)}
        if scope != ALL:
            message["scope"] = written or in_words(scope)
        if new:
            message["new_subject"] = self.spell(new)
        if source == "call_center":
            message |= {"request_id": f"CRM-{self.number}", "agent": f"op-{self.rng.randrange(1, 30)}"}
        text = json.dumps(message, ensure_ascii=self.rng.random() < 0.3)
        plain = frozenset(about.items()), frozenset((new or {}).items())
        return Event(source, event_id, kind, at, plain[0], scope, plain[1], text)

    def spell(self, about):
        ways = {"phone": spelling.phone, "email": spelling.email}
        return {kind: ways[kind](self.rng, value) if kind in ways else value for kind, value in about.items()}


def in_words(scope):
    members = {"regions": scope.regions, "channels": scope.channels, "brands": scope.brands}
    return {name: sorted(values) for name, values in members.items() if values is not None}


def history(rng, everybody, now):
    """About eight hundred events, in the order in which they arrive, which is not that in which they happened."""
    writer, told = Writer(rng, now), []
    draw = iter(rng.sample(everybody, 900))
    for _ in range(330):
        told.append(by_phone(writer, next(draw)))
    for _ in range(240):
        told.append(by_mail(writer, next(draw)))
    for _ in range(90):
        bounced = {"email": next(draw).email}
        told.append(writer.write("email", "bounce", bounced, Scope(channels=frozenset({"email"}))))
    for _ in range(45):
        told.append(writer.write("email", "complaint", {"email": next(draw).email}))
    for _ in range(12):
        told.append(writer.write("call_center", "complaint", {"phone": next(draw).phone}))
    for _ in range(24):
        person = next(draw)
        about = {"user_id": person.user_id, "phone": person.phone, "email": person.email}
        hold = writer.write("call_center", "hold", about)
        told.append(hold)
        if rng.random() < 0.3:
            told.append(writer.write("call_center", "release", about, at=later(rng, hold)))
    for _ in range(15):
        told.extend(new_number(writer, next(draw)))
    told.extend(changes_of_mind(writer, [event for event in told if event.kind == "opt_out"]))
    rng.shuffle(told)
    return told


def by_phone(writer, person):
    """The agent has the number, and the customer's card for some."""
    rng, about = writer.rng, {"phone": person.phone}
    if rng.random() < 0.4:
        about["user_id"] = person.user_id
    if rng.random() < 0.15:
        about["email"] = person.email
    scope, written = choose_scope(rng, person)
    return writer.write("call_center", "opt_out", about, scope, written)


def by_mail(writer, person):
    """Mail knows the address that it came from."""
    about = {"email": person.email}
    if writer.rng.random() < 0.1:
        about["phone"] = person.phone
    one_channel = writer.rng.random() < 0.15
    return writer.write("email", "opt_out", about, Scope(channels=frozenset({"email"})) if one_channel else ALL)


def choose_scope(rng, person):
    """Most people mean everything. Returns the scope, and how the call centre writes it where that differs."""
    dice, here = rng.random(), frozenset({person.region})
    if dice < 0.60:
        return ALL, None
    if dice < 0.68:
        return Scope(regions=here), {"regions": [REGION_NAMES[person.region]]}
    if dice < 0.74:
        return Scope(regions=SPLIT[1]), {"regions": [SPLIT[0]]}
    if dice < 0.86:
        return Scope(channels=frozenset({"sms", "call"})), None
    if dice < 0.92:
        return Scope(brands=frozenset({OTHER_BRAND})), None
    if dice < 0.97:
        return Scope(here, frozenset({"sms"}), frozenset({BRAND})), None
    # A region that nobody knows widens to all: removing one person too many is the safe side.
    return Scope(channels=frozenset({"sms"})), {"regions": ["Жаңа облыс"], "channels": ["sms"]}


def new_number(writer, person):
    """Somebody refuses, and later reports a new phone: the CRM still has the new one, the refusal the old one."""
    old = {"phone": people.new_phone(writer.rng, set())}
    opt_out = writer.write("call_center", "opt_out", old)
    return [opt_out, writer.write("call_center", "identifier_changed", old, at=later(writer.rng, opt_out),
                                  new={"phone": person.phone})]


def changes_of_mind(writer, opt_outs):
    """Some come back, with everything or for e-mail only."""
    back = []
    for opt_out in writer.rng.sample(opt_outs, 45):
        scope = writer.rng.choice([ALL, ALL, Scope(channels=frozenset({"email"}))])
        back.append(writer.write("call_center", "opt_in", dict(opt_out.identifiers), scope, at=later(writer.rng, opt_out)))
    return back


def later(rng, event):
    return event.at + datetime.timedelta(seconds=rng.randrange(60, 3_000))
