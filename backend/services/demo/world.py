"""The invented brokerage's fixed facts: offices, neighbourhoods, people, sources, words. No real person is meant."""

from __future__ import annotations

from dataclasses import dataclass

SEED = 20_261_122
LEADS = 1_500
COMPS_PER_OFFICE = 760
DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A neighbourhood: its middle, what a square foot costs there, and what is built there."""

    city: str
    zip: str
    lat: float
    lon: float
    dollars_per_sqft: float
    sqft: float
    built: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    key: str
    name: str
    state: str
    zone: str
    lat: float
    lon: float
    share: float
    areas: tuple[Area, ...]
    area_codes: tuple[str, ...]
    agents: tuple[tuple[str, str], ...]


def _area(  # noqa: PLR0917 (a table's row)
    city: str, code: str, where: tuple[float, float], price: float, size: float, built: int, to: int
) -> Area:
    return Area(
        city=city, zip=code, lat=where[0], lon=where[1], dollars_per_sqft=price, sqft=size, built=(built, to)
    )


INLAND = Office(
    key="inland",
    name="Rancho Cucamonga",
    state="CA",
    zone="America/Los_Angeles",
    lat=34.1064,
    lon=-117.5931,
    share=0.55,
    areas=(
        _area("Rancho Cucamonga", "91730", (34.1070, -117.5941), 415, 1650, 1968, 2008),
        _area("Rancho Cucamonga", "91739", (34.1405, -117.5282), 392, 2450, 1994, 2019),
        _area("Rancho Cucamonga", "91701", (34.1376, -117.5999), 428, 2050, 1972, 1998),
        _area("Upland", "91786", (34.1044, -117.6583), 420, 1750, 1950, 1990),
        _area("Ontario", "91764", (34.0763, -117.6254), 388, 1450, 1955, 2005),
        _area("Fontana", "92336", (34.1333, -117.4478), 345, 2200, 1985, 2021),
    ),
    area_codes=("909", "951", "626", "714", "840", "562", "949", "760", "310"),
    agents=(("agent1", "Maya Torres"), ("agent2", "Daniel Okafor"), ("agent3", "Grace Lindqvist")),
)
SOUND = Office(
    key="sound",
    name="Seattle",
    state="WA",
    zone="America/Los_Angeles",
    lat=47.6205,
    lon=-122.3493,
    share=0.45,
    areas=(
        _area("Seattle", "98103", (47.6733, -122.3426), 585, 1750, 1905, 2015),
        _area("Seattle", "98115", (47.6849, -122.2968), 560, 1850, 1920, 1975),
        _area("Seattle", "98118", (47.5412, -122.2750), 470, 1650, 1910, 2012),
        _area("Kirkland", "98033", (47.6786, -122.1894), 640, 2350, 1960, 2020),
        _area("Bellevue", "98006", (47.5614, -122.1552), 615, 2750, 1965, 2005),
        _area("Seattle", "98178", (47.4924, -122.2459), 400, 1600, 1940, 1985),
    ),
    area_codes=("206", "253", "360", "425", "509", "564", "971", "503"),
    agents=(("agent4", "Priya Raman"), ("agent5", "Tom Hallberg"), ("agent6", "Lucía Mendes")),
)
OFFICES = (INLAND, SOUND)
MANAGER = ("manager", "Ruth Adeyemi")
ADMIN = ("admin", "Alex Kowalski")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where leads come from: how many, how ready they are (0 to 1), and by which channel they write first."""

    name: str
    weight: float
    readiness: float
    channel: str
    seller: float


SOURCES = (
    Source(name="Website", weight=20, readiness=0.40, channel="web", seller=0.55),
    Source(name="Zillow", weight=18, readiness=0.33, channel="web", seller=0.35),
    Source(name="Facebook ads", weight=16, readiness=0.26, channel="text", seller=0.62),
    Source(name="Referral", weight=11, readiness=0.62, channel="call", seller=0.58),
    Source(name="Open house", weight=9, readiness=0.38, channel="visit", seller=0.25),
    Source(name="Sign call", weight=7, readiness=0.42, channel="call", seller=0.30),
    Source(name="Home value page", weight=11, readiness=0.36, channel="web", seller=0.97),
    Source(name="Past client", weight=8, readiness=0.66, channel="text", seller=0.64),
)
# Arrivals by month and by weekday against the mean: spring is strong, the weeks around New Year are weak.
MONTHS = (0.75, 0.85, 1.05, 1.20, 1.30, 1.25, 1.15, 1.10, 1.00, 0.95, 0.80, 0.60)
WEEKDAYS = (1.12, 1.10, 1.05, 1.00, 0.92, 0.86, 0.95)
# Local hours at which people write to an agent, 0:00 to 23:00.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 20, 19, 17, 17, 18, 20, 24, 28, 30, 26, 17, 8, 3)

FIRST_NAMES = tuple(
    "Amara Ben Carla Dmitri Elena Farid Gloria Hugo Ines Jamal Keiko Liam Marisol Nadia Omar Paula Quinn Rafael "
    "Sofia Theo Uma Victor Wendy Ximena Yusuf Zoe Aaron Bianca Caleb Dalia Ethan Fiona Gavin Hana Isaac Joy "
    "Kofi Leila Marcus Nina Oscar Petra Ravi Selma Tariq Vera Walter Yara".split()
)
LAST_NAMES = tuple(
    "Abbott Barros Castellanos Dvorak Eastman Ferrante Gupta Hollis Ibarra Jansen Kessler Lombardi Madsen Novak "
    "Ortega Pham Quintero Reyes Sandoval Tanaka Underwood Vasquez Whitfield Xu Yamamoto Zamora Alvarado Brandt "
    "Chung Delgado Ekberg Fuentes Greene Haddad Ivanov Jordan Kim Larsen Moreno Nakamura Olsen Prescott Rosales "
    "Stein Thorne Valdez Winslow Zeller".split()
)
STREETS = tuple(
    "Alder Bayberry Camelia Dogwood Elmwood Foothill Garnet Haven Ivywood Juniper Klusman Laurel Magnolia "
    "Northridge Orchard Palo Alto|Quail Run|Redwood|Sycamore|Terra Vista|Vineyard|Willow|Yarrow".replace(" ", "|")
    .replace("Palo|Alto", "Palo Alto").replace("Quail|Run", "Quail Run").replace("Terra|Vista", "Terra Vista").split("|")
)  # fmt: skip
STREET_KINDS = ("St", "Ave", "Ct", "Dr", "Ln", "Pl", "Way")
SELLER_REASONS = (
    ("relocation", 0.20), ("downsizing", 0.18), ("upsizing", 0.14), ("divorce", 0.09), ("probate", 0.07),
    ("tired landlord", 0.08), ("cash out", 0.10), ("curious", 0.14),
)  # fmt: skip
BUYER_MONEY = (
    ("cash", 0.07),
    ("pre-approved", 0.28),
    ("pre-qualified", 0.22),
    ("talking", 0.27),
    ("none", 0.16),
)
CONDITIONS = (("excellent", 0.12), ("good", 0.38), ("average", 0.30), ("needs work", 0.16), ("poor", 0.04))
