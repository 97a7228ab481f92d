"""Who appears in the scenarios: one made-up company, and callers drawn at random.

All numbers lie in the 555-01xx ranges that are reserved for fiction.
"""

import random
from dataclasses import dataclass

COMPANY_ID = 4900310245113856
OFFICE_ID = 5527348325810176

# Datastore-style ids: always 16 digits and below 2^53, so that JSON readers which keep
# numbers as doubles lose nothing.
LOWEST_ID = 4_503_599_627_370_496
HIGHEST_ID = 6_755_399_441_055_743


def new_id(rng: random.Random) -> int:
    return rng.randint(LOWEST_ID, HIGHEST_ID)


def pretty(number: str) -> str:
    """+15105550150 as (510) 555-0150, the way text bodies show a target's number."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:12]}"


@dataclass(frozen=True)
class Target:
    """A user or group of the company: who is called, or who calls."""

    id: int
    type: str  # as payloads spell it: user, office, department, call_center
    name: str
    phone: str
    email: str = ""

    def in_call(self) -> dict:
        return {"email": self.email, "id": self.id, "name": self.name,
                "office_id": OFFICE_ID, "phone": self.phone, "type": self.type}

    def in_text(self) -> dict:
        return {"id": self.id, "name": self.name, "phone_number": pretty(self.phone),
                "type": self.type}

    @property
    def group_id(self) -> str:
        """Group ids read like Office:5527348325810176."""
        spoken = "".join(word.capitalize() for word in self.type.split("_"))
        return f"{spoken}:{self.id}"


@dataclass(frozen=True)
class Caller:
    """The outside party. The id is a number, or a string for a shared contact."""

    id: int | str
    type: str
    name: str
    phone: str

    def in_call(self) -> dict:
        return {"email": "", "id": self.id, "name": self.name, "phone": self.phone,
                "type": self.type}

    def in_text(self) -> dict:
        return {"id": self.id, "name": self.name, "phone_number": self.phone}


AGENTS = (
    Target(5991398486736896, "user", "Maya Lindqvist", "+15105550150", "maya@example.com"),
    Target(5187744120995840, "user", "Tomás Ferreira", "+15105550151", "tomas@example.com"),
    Target(6023715584417792, "user", "Priya Raman", "+15105550152", "priya@example.com"),
    Target(4811290377256960, "user", "Sam Okafor", "+15105550153", "sam@example.com"),
)
OFFICE = Target(OFFICE_ID, "office", "Main Office", "+15105550160")
DEPARTMENT = Target(5340926617812992, "department", "Service Desk", "+15105550161")
CALL_CENTER = Target(5600409256689664, "call_center", "Support Queue", "+15105550162")

FIRST_NAMES = ("Ada", "Bruno", "Chen", "Dara", "Elif", "Farid", "Greta", "Hugo", "Inés",
               "Jonas", "Kwame", "Lena", "Milo", "Nadia", "Oscar", "Petra")
LAST_NAMES = ("Abbott", "Berg", "Castillo", "Dumas", "Eriksen", "Fontaine", "Gupta",
              "Hayashi", "Ivanova", "Jensen", "Kowalski", "Moreau", "Novak", "Okoye")
AREA_CODES = ("212", "303", "312", "415", "503", "512", "602", "617", "619", "702", "720",
              "801", "804", "916")


def draw_caller(rng: random.Random) -> Caller:
    """A known local contact, a contact of the shared pool, or an unknown number."""
    phone = f"+1{rng.choice(AREA_CODES)}55501{rng.randrange(100):02d}"
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    sort = rng.choice(("known", "known", "shared", "unknown"))
    if sort == "shared":
        contact_id = f"shared_contact_pool_Company:{COMPANY_ID}_uid_{rng.randrange(10**6)}"
        return Caller(contact_id, "shared", name, phone)
    # Dialpad names a caller it does not know by the formatted number.
    return Caller(new_id(rng), "local", pretty(phone) if sort == "unknown" else name, phone)
