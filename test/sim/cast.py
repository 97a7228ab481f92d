"""Who appears in the scenarios: made-up companies, and callers drawn at random.

All numbers lie in the 555-01xx ranges that are reserved for fiction.
"""

import random
from dataclasses import dataclass

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
    office_id: int
    email: str = ""

    def in_call(self) -> dict:
        return {"email": self.email, "id": self.id, "name": self.name,
                "office_id": self.office_id, "phone": self.phone, "type": self.type}

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


@dataclass(frozen=True)
class Cast:
    """The people, groups and numbers of one company. The first agent is its admin."""

    company_id: int
    company_name: str
    office: Target
    department: Target
    call_center: Target
    agents: tuple[Target, ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.office, self.department, self.call_center, *self.agents)


AGENT_NAMES = ("Maya Lindqvist", "Tomás Ferreira", "Priya Raman", "Sam Okafor")
MOST_COMPANIES = 100  # each has an area code of its own


def draw_cast(number: int) -> Cast:
    """Company `number`, counted from 0: always the same people, names and ids."""
    rng = random.Random(f"company/{number}")
    company_id, office_id, department_id, call_center_id = (new_id(rng) for _ in range(4))
    agent_ids = [new_id(rng) for _ in AGENT_NAMES]
    exchange = f"+1{810 + number}55501"
    agents = []
    for place, (agent_id, name) in enumerate(zip(agent_ids, AGENT_NAMES)):
        mailbox = f"{name.split()[0].lower()}@company{number + 1}.example.com"
        agents.append(Target(agent_id, "user", name, f"{exchange}{50 + place}", office_id,
                             mailbox.replace("á", "a")))
    return Cast(
        company_id, f"Example Company {number + 1}",
        Target(office_id, "office", "Main Office", f"{exchange}60", office_id),
        Target(department_id, "department", "Service Desk", f"{exchange}61", office_id),
        Target(call_center_id, "call_center", "Support Queue", f"{exchange}62", office_id),
        tuple(agents))


FIRST_CAST = draw_cast(0)

FIRST_NAMES = ("Ada", "Bruno", "Chen", "Dara", "Elif", "Farid", "Greta", "Hugo", "Inés",
               "Jonas", "Kwame", "Lena", "Milo", "Nadia", "Oscar", "Petra")
LAST_NAMES = ("Abbott", "Berg", "Castillo", "Dumas", "Eriksen", "Fontaine", "Gupta",
              "Hayashi", "Ivanova", "Jensen", "Kowalski", "Moreau", "Novak", "Okoye")
AREA_CODES = ("212", "303", "312", "415", "503", "512", "602", "617", "619", "702", "720",
              "801", "804", "916")


def draw_caller(rng: random.Random, company_id: int) -> Caller:
    """A known local contact, a contact of the shared pool, or an unknown number."""
    phone = f"+1{rng.choice(AREA_CODES)}55501{rng.randrange(100):02d}"
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    sort = rng.choice(("known", "known", "shared", "unknown"))
    if sort == "shared":
        contact_id = f"shared_contact_pool_Company:{company_id}_uid_{rng.randrange(10**6)}"
        return Caller(contact_id, "shared", name, phone)
    # Dialpad names a caller it does not know by the formatted number.
    return Caller(new_id(rng), "local", pretty(phone) if sort == "unknown" else name, phone)
