"""The campaign: jobs as a marketing system writes them, and what each of their recipients means."""

import dataclasses
import json

import people
import spelling

CAMPAIGN = "nauryz-2027"
BRAND = "lulla.kz"
CHANNELS = ["sms", "email"]
JOB_RECIPIENTS = 1_000
# How the marketing system names a region, now this way, now that.
REGION_NAMES = {
    "KZ-79": ["KZ-79", "Шымкент", "SHY", "г. Шымкент"],
    "KZ-61": ["KZ-61", "Түркістан облысы", "Туркестанская область"],
    "KZ-75": ["KZ-75", "Алматы", "ALA"],
    "KZ-19": ["KZ-19", "Алматинская область"],
    "KZ-71": ["KZ-71", "Астана", "Нұр-Сұлтан"],
    "KZ-35": ["KZ-35", "Қарағанды облысы", "Карагандинская область"],
}


@dataclasses.dataclass(frozen=True)
class Recipient:
    """`text` is its JSON. `identifiers` are pairs of a type and a plain value, of those that can be read."""

    text: str
    identifiers: tuple
    usable: bool
    person: people.Person


@dataclasses.dataclass(frozen=True)
class Job:
    """`segments` is a list of pairs: a region's code, its recipients."""

    job_id: str
    channel: str
    segments: list
    text: str
    packed: bool


def jobs(rng, everybody):
    """One campaign on both channels: messages of about a thousand recipients, three regions each."""
    codes = list(people.REGIONS)
    for channel in CHANNELS:
        halves = []
        for regions in (codes[::2], codes[1::2]):
            halves.extend(cut(regions, everybody))
        for index, segments in enumerate(halves):
            written = [(region, [recipient(rng, person, channel) for person in group]) for region, group in segments]
            yield job(rng, f"{CAMPAIGN}-{channel}-{index}", channel, written, {"index": index, "of": len(halves)})


def cut(regions, everybody):
    groups = {region: [person for person in everybody if person.region == region] for region in regions}
    count = -(-sum(map(len, groups.values())) // JOB_RECIPIENTS)
    return [[(region, group[index::count]) for region, group in groups.items()] for index in range(count)]


def job(rng, job_id, channel, segments, part=None):
    # Each recipient's text is used as it is, so that the bytes in the output can be compared.
    lists = ", ".join(
        f'{{"region": {plain(rng.choice(REGION_NAMES[region]))}, "recipients": [{", ".join(r.text for r in group)}]}}'
        for region, group in segments
    )
    head = {"job_id": job_id, "campaign_id": CAMPAIGN, "channel": channel, "brand": BRAND}
    if part:
        head["part"] = part
    text = f"{plain(head)[:-1]}, \"segments\": [{lists}]}}"
    return Job(job_id, channel, segments, text, rng.random() < 0.25)


def recipient(rng, person, channel):
    """The channel's own address, and of the others what the list happens to have."""
    own, other = ("phone", "email") if channel == "sms" else ("email", "phone")
    written, identifiers, usable = {}, [], True
    dice = rng.random()
    if dice >= 0.002 and rng.random() < 0.8:
        written["user_id"] = person.user_id
        identifiers.append(("user_id", person.user_id))
    if dice < 0.002:  # nobody's: no identifier at all
        written[own], usable = rng.choice([None, ""]), False
    elif dice < 0.008:  # an address that nobody can read
        written[own], usable = broken(rng, own), False
    else:
        written[own] = spell(rng, own, getattr(person, own))
        identifiers.append((own, getattr(person, own)))
    if dice >= 0.002 and rng.random() < 0.3:
        written[other] = spell(rng, other, getattr(person, other))
        identifiers.append((other, getattr(person, other)))
    elif usable and rng.random() < 0.01:
        written[other] = broken(rng, other)  # not this channel's address: ignored
    written |= {"name": person.name, "vars": {"bonus": rng.randrange(0, 5_000, 50), "қала": people.REGIONS[person.region]}}
    compact = rng.random() < 0.5
    text = json.dumps(written, ensure_ascii=rng.random() < 0.2, separators=(",", ":") if compact else None)
    return Recipient(text, tuple(identifiers), usable, person)


def spell(rng, kind, value):
    return spelling.phone(rng, value) if kind == "phone" else spelling.email(rng, value)


def broken(rng, kind):
    return spelling.broken_phone(rng) if kind == "phone" else spelling.broken_email(rng)


def plain(value):
    return json.dumps(value, ensure_ascii=False)
