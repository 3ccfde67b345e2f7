"""Made-up people of six regions, the same in every run.

A person's phone and e-mail are kept in one plain form here; `spelling` writes them as real lists do.
"""

import dataclasses

REGIONS = {
    "KZ-79": "Шымкент",
    "KZ-61": "Түркістан облысы",
    "KZ-75": "Алматы қаласы",
    "KZ-19": "Алматы облысы",
    "KZ-71": "Астана",
    "KZ-35": "Қарағанды облысы",
}
# How many of a hundred people live there.
SHARES = {"KZ-79": 34, "KZ-61": 20, "KZ-75": 17, "KZ-19": 9, "KZ-71": 12, "KZ-35": 8}

# Cyrillic and the Latin form that e-mail addresses are made of.
KAZAKH = {
    "woman": [
        ("Айгерім", "aigerim"), ("Әсел", "assel"), ("Гүлнұр", "gulnur"), ("Мөлдір", "moldir"), ("Жанар", "zhanar"),
        ("Динара", "dinara"), ("Күләш", "kulash"), ("Назым", "nazym"), ("Сәуле", "saule"), ("Ұлжан", "ulzhan"),
    ],
    "man": [
        ("Нұрлан", "nurlan"), ("Ерлан", "yerlan"), ("Қайрат", "kairat"), ("Дәурен", "dauren"), ("Бауыржан", "baurzhan"),
        ("Әлихан", "alikhan"), ("Жандос", "zhandos"), ("Мұрат", "murat"), ("Санжар", "sanzhar"), ("Ғалым", "galym"),
    ],
    "surname": [
        ("Сәрсенов", "sarsenov"), ("Нұрланов", "nurlanov"), ("Ахметов", "akhmetov"), ("Қасымов", "kassymov"),
        ("Жұмабаев", "zhumabayev"), ("Оспанов", "ospanov"), ("Әбдірахманов", "abdrakhmanov"), ("Төлегенов", "tolegenov"),
        ("Сейітқалиев", "seitkaliyev"), ("Байжанов", "baizhanov"), ("Ысқақов", "iskakov"), ("Мұқанов", "mukanov"),
    ],
}
RUSSIAN = {
    "woman": [
        ("Ольга", "olga"), ("Наталья", "natalya"), ("Елена", "elena"), ("Татьяна", "tatyana"), ("Алёна", "alyona"),
        ("Ирина", "irina"), ("Светлана", "svetlana"), ("Юлия", "yulia"),
    ],
    "man": [
        ("Сергей", "sergey"), ("Алексей", "alexey"), ("Дмитрий", "dmitry"), ("Андрей", "andrey"), ("Пётр", "petr"),
        ("Николай", "nikolay"), ("Владимир", "vladimir"), ("Игорь", "igor"),
    ],
    "surname": [
        ("Иванов", "ivanov"), ("Кузнецов", "kuznetsov"), ("Смирнов", "smirnov"), ("Попов", "popov"),
        ("Соловьёв", "solovyov"), ("Королёв", "korolev"), ("Щербаков", "shcherbakov"), ("Ким", "kim"),
    ],
}
PREFIXES = ["700", "701", "702", "705", "707", "708", "747", "771", "775", "776", "777", "778"]
DOMAINS = ["mail.ru", "gmail.com", "gmail.com", "inbox.ru", "yandex.kz", "bk.ru", "mail.kz", "example.kz", "icloud.com"]


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody in the CRM. `phone` is all digits with the country code; `email` has no dots at Gmail."""

    user_id: str
    name: str
    region: str
    phone: str
    email: str


def population(rng, count):
    """`count` people; nobody shares anything, but one in a hundred has the phone of the one before."""
    taken, people = set(), []
    regions, shares = list(SHARES), list(SHARES.values())
    for number in range(count):
        (first, latin_first), (last, latin_last) = name(rng)
        phone = people[-1].phone if people and rng.random() < 0.01 else new_phone(rng, taken)
        # The number makes it nobody else's.
        email = f"{latin_first}{rng.choice(['.', '_', ''])}{latin_last}{number}@{rng.choice(DOMAINS)}"
        if email.endswith("@gmail.com"):
            email = email.removesuffix("@gmail.com").replace(".", "") + "@gmail.com"
        region = rng.choices(regions, shares)[0]
        people.append(Person(f"U-{number:06}", f"{first} {last}", region, phone, email))
    return people


def name(rng):
    nation = KAZAKH if rng.random() < 0.72 else RUSSIAN
    sex = rng.choice(["woman", "man"])
    (last, latin) = rng.choice(nation["surname"])
    ending = "а" if sex == "woman" and last.endswith("в") else ""
    return rng.choice(nation[sex]), (last + ending, latin + ("a" if ending else ""))


def new_phone(rng, taken):
    while True:
        digits = f"7{rng.choice(PREFIXES)}{rng.randrange(10**7):07}"
        if rng.random() < 0.01:
            digits = f"99890{rng.randrange(10**7):07}"  # Tashkent is an hour away from Shymkent
        if digits not in taken:
            taken.add(digits)
            return digits
