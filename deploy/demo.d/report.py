"""What the demo prints: one line a step, one table a channel. Text for people, never parsed."""

import time

import people

# Before, after, and why: the words are the contract's.
COLUMNS = ["received", "kept", "opt_out", "hold", "complaint", "bounce", "unidentifiable"]
NAME_WIDTH = 24
WIDTHS = [max(8, len(heading) + 2) for heading in COLUMNS]


class Watch:
    """A stopwatch."""

    def __init__(self):
        self.began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.began


def step(name, text):
    print(f"  {name:<10}{text}", flush=True)


def table(tally, channels):
    for channel in channels:
        print()
        print(row(channel, COLUMNS))
        for region, name in people.REGIONS.items():
            print(row(f"  {region} {name}", cells(tally.counts[channel, region])))
        print(row("  all regions", cells(tally.total(channel))))
    print()
    print(row("both channels", cells(tally.total())))
    print(flush=True)


def cells(count):
    return [f"{count[column]:,}" for column in COLUMNS]


def row(name, texts):
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{text:>{width}}" for text, width in zip(texts, WIDTHS))


def rate(count, seconds):
    """Rounded to two digits: the third is noise."""
    per_second = count / max(seconds, 1e-6)
    step_size = 10 ** max(len(str(int(per_second))) - 2, 0)
    return f"{round(per_second / step_size) * step_size:,}"
