"""The demo's households and persons, and whom one may sign in as."""

import unicodedata
from typing import Final, NamedTuple

PASSWORD: Final = "three jars of damson jam"  # noqa: S105 - printed when the demo starts; its money is not real
DOMAIN: Final = "riverside.example"


class Household(NamedTuple):
    """A household: its share (`half`, `full`, `double`), `waits` for a double one, or "" as a guest of the season."""

    name: str
    people: tuple[str, ...]
    share: str
    point: str = "mill"


class Desk(NamedTuple):
    """A log-in that is printed when the demo starts."""

    role: str
    person: str
    sees: str


HOUSEHOLDS: Final = (
    Household("Reilly", ("Ada Reilly", "Conor Reilly"), "full"),
    Household("Okafor", ("Chidi Okafor", "Ngozi Okafor"), "double"),
    Household("Nowak", ("Tomas Nowak",), "half", "school"),
    Household("Gallagher", ("Niamh Gallagher",), "full"),
    Household("Byrne & Silva", ("Eoin Byrne", "Teresa Silva"), "full"),
    Household("Fitzgerald", ("Una Fitzgerald",), "half"),
    Household("Hussain", ("Farah Hussain", "Imran Hussain"), "full", "school"),
    Household("Petrenko", ("Olena Petrenko",), "half", "school"),
    Household("Lawlor", ("Declan Lawlor",), "half"),
    Household("Brennan", ("Marie Brennan",), "full"),
    Household("Adeyemi", ("Folake Adeyemi",), "half", "school"),
    Household("Keane", ("Seamus Keane", "Nora Keane"), "double"),
    Household("Costa", ("Rui Costa",), "half"),
    Household("Moloney", ("Aoife Moloney",), "full"),
    Household("Schmidt & Daly", ("Anke Schmidt", "Ger Daly"), "full"),
    Household("Quinn", ("Bernadette Quinn",), "half"),
    Household("Hogan", ("Liam Hogan",), "half", "school"),
    Household("Tanaka", ("Yuki Tanaka",), "half"),
    Household("Power", ("Catherine Power",), "full"),
    Household("Kovács", ("Zsófia Kovács",), "half", "school"),
    Household("Sheehan", ("Pat Sheehan", "Helen Sheehan"), "double"),
    Household("Popescu", ("Ioana Popescu",), "half"),
    Household("Whelan", ("Martin Whelan",), "full"),
    Household("Farrell", ("Gráinne Farrell",), "full", "school"),
    Household("Nolan", ("Dympna Nolan",), "half"),
    Household("Cullen", ("Oisín Cullen",), "half"),
    Household("Singh", ("Harpreet Singh", "Simran Singh"), "full", "school"),
    Household("Duffy", ("Breda Duffy",), "double"),
    Household("Hayes", ("Kieran Hayes",), "half"),
    Household("Leclerc", ("Manon Leclerc",), "full"),
    Household("Burke", ("Tadhg Burke",), "half", "school"),
    Household("Ní Bhriain", ("Caoimhe Ní Bhriain",), "full"),
    Household("Balogun", ("Tunde Balogun",), "half"),
    Household("Walsh", ("Eileen Walsh",), "full"),
    Household("Doyle", ("Frank Doyle",), "waits"),
    Household("Ferreira", ("Lucia Ferreira",), "waits", "school"),
    Household("Lynch", ("Shane Lynch",), ""),
    Household("Kaminska", ("Ewa Kaminska",), "", "school"),
    Household("Roche", ("Vincent Roche",), ""),
    Household("Mulcahy", ("Deirdre Mulcahy",), ""),
)

DESKS: Final = (
    Desk("member", "Ada Reilly", "orders, awards, balance"),
    Desk("maker", "Maeve Doran", "Marsh & Alder Distillery"),
    Desk("packer", "Tomas Nowak", "hand-overs; a member too"),
    Desk("treasurer", "Helen Sheehan", "money, payouts"),
    Desk("treasurer", "Imran Hussain", "approves what Helen asks for"),
    Desk("admin", "Niamh Gallagher", "seasons, pools, sharing out"),
    Desk("admin", "Brian Tuohy", "the second admin, not a member"),
)

PACKERS: Final = ("Tomas Nowak", "Farah Hussain")
TREASURERS: Final = ("Helen Sheehan", "Imran Hussain")
ADMINS: Final = ("Niamh Gallagher", "Brian Tuohy")
MEMBER: Final = "Ada Reilly"


def address(person: str) -> str:
    """Return a person's mail address: ada.reilly@riverside.example."""
    plain = unicodedata.normalize("NFKD", person.casefold().replace("ł", "l")).encode("ascii", "ignore").decode()
    words = plain.replace("'", "").split()
    return f"{'.'.join(words)}@{DOMAIN}"
