"""Writes one phone number or e-mail address in the many ways of CRMs, call-centre software and spreadsheets.

All spellings of a value mean the same person: that they do is for suppressd to find out. What this file
returns is never read back by the demo, which knows from the start whom it meant.
"""

NBSP, SOFT_HYPHEN, NARROW = "\u00a0", "\u00ad", "\u202f"
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789+", "０１２３４５６７８９＋")

BROKEN_PHONES = ["7.77E+10", "7,70125E+10", "12345", "нет", "уточнить", "8 777 111-31", "+7 701 000 00 01, +7 701 000 00 02"]
BROKEN_EMAILS = ["нет", "aigerim@", "@mail.ru", "olga.mail.ru", "a@mail.kz; b@mail.kz", "---"]


def phone(rng, digits):
    """Text for a JSON string, or an int, which some systems send."""
    if not digits.startswith("7"):
        return rng.choice([f"+{digits}", f"00{digits}", f"8~10 {digits}", f"+{digits[:3]} {digits[3:5]} {digits[5:]}"])
    c, m, b, d = digits[1:4], digits[4:7], digits[7:9], digits[9:11]
    if rng.random() < 0.75:
        return rng.choice([
            f"8 ({c}) {m}-{b}-{d}", f"8{c}{m}{b}{d}", f"+7 {c} {m} {b} {d}", f"+7{c}{m}{b}{d}", f"+7 ({c}) {m} {b}{d}",
            f"+7 {c} {m[0]}{m[1]}{m[2]} {b[0]} {b[1]}{d}", f"8-{c}-{m}-{b}-{d}", f"7{c}{m}{b}{d}", f"{c}{m}{b}{d}",
        ])
    return rng.choice([
        int(f"8{c}{m}{b}{d}"), int(f"7{c}{m}{b}{d}"), f"8{NBSP}({c}){NBSP}{m}-{b}-{d}", f"+7{NARROW}{c}{NARROW}{m}{b}{d}",
        f"'+7{c}{m}{b}{d}", f"7{c}{m}{b}{d}.0", f"  8 {c} {m} {b} {d} ", f"+7 {c} {m}{SOFT_HYPHEN}{b}{SOFT_HYPHEN}{d}",
        f"+8 {c} {m} {b} {d}", f"8 ({c}) {m}-{b}-{d} доб. 12", f"8~10 7 {c} {m}{b}{d}", f"007 {c} {m} {b} {d}",
        f"+7 {c} {m} {b} {d}".translate(ARABIC), f"+7 {c} {m} {b} {d}".translate(FULL_WIDTH),
    ])


def email(rng, address):
    local, domain = address.split("@")
    if rng.random() < 0.6:
        return rng.choice([address, address, address, f"{local.capitalize()}@{domain}"])
    if domain == "gmail.com" and rng.random() < 0.5:
        return f"{local[:3]}.{local[3:5]}.{local[5:]}@{rng.choice(['gmail.com', 'GMail.com', 'googlemail.com'])}"
    return rng.choice([
        address.upper(), f"{local}+lulla@{domain}", f"{local.title()}+promo.2026@{domain.title()}", f" {address} ",
        f"<{address}>", f"mailto:{address}", f"{address}.", f"{NBSP}{address}",
    ])


def broken_phone(rng):
    return rng.choice(BROKEN_PHONES)


def broken_email(rng):
    return rng.choice(BROKEN_EMAILS)
