"""Names of places as they stand in adverts, and the codes that they mean.

Not a gazetteer of the world: countries, the regions that adverts of a few countries name, and large cities. A place
that is not here is left unread rather than guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Place(NamedTuple):
    country: str  # ISO 3166-1 alpha-2
    region: str = ""  # ISO 3166-2
    city: str = ""

    @property
    def code(self) -> str:
        """The narrowest code: `US-CA/Los Angeles`, `US-CA`, `US`."""
        code = self.region or self.country
        return f"{code}/{self.city}" if self.city else code


_COUNTRIES = """
US United States|United States of America|USA|U.S.A.|U.S.|US
GB United Kingdom|UK|U.K.|Great Britain|England|Scotland|Wales
DE Germany|Deutschland
FR France
ES Spain|España
PT Portugal
IT Italy|Italia
NL Netherlands|The Netherlands|Nederland
BE Belgium
LU Luxembourg
CH Switzerland|Schweiz|Suisse
AT Austria|Österreich
PL Poland|Polska
CZ Czech Republic|Czechia
SK Slovakia
HU Hungary
RO Romania
BG Bulgaria
GR Greece
HR Croatia
SI Slovenia
RS Serbia
UA Ukraine
EE Estonia
LV Latvia
LT Lithuania
DK Denmark|Danmark
SE Sweden|Sverige
NO Norway|Norge
FI Finland
IS Iceland
IE Ireland
MT Malta
CY Cyprus
TR Turkey|Türkiye
CA Canada
MX Mexico
BR Brazil|Brasil
AR Argentina
CL Chile
CO Colombia
PE Peru
AU Australia
NZ New Zealand
IN India
PK Pakistan
BD Bangladesh
LK Sri Lanka
CN China
HK Hong Kong
TW Taiwan
JP Japan
KR South Korea
SG Singapore
MY Malaysia
TH Thailand
VN Vietnam
PH Philippines
ID Indonesia
AE United Arab Emirates|UAE
SA Saudi Arabia
QA Qatar
IL Israel
EG Egypt
MA Morocco
TN Tunisia
NG Nigeria
GH Ghana
KE Kenya
ZA South Africa
"""

_REGIONS = """
US-AL Alabama|US-AK Alaska|US-AZ Arizona|US-AR Arkansas|US-CA California|US-CO Colorado|US-CT Connecticut
US-DE Delaware|US-FL Florida|US-HI Hawaii|US-ID Idaho|US-IL Illinois|US-IN Indiana|US-IA Iowa|US-KS Kansas
US-KY Kentucky|US-LA Louisiana|US-ME Maine|US-MD Maryland|US-MA Massachusetts|US-MI Michigan|US-MN Minnesota
US-MS Mississippi|US-MO Missouri|US-MT Montana|US-NE Nebraska|US-NV Nevada|US-NH New Hampshire|US-NJ New Jersey
US-NM New Mexico|US-NY New York State|US-NC North Carolina|US-ND North Dakota|US-OH Ohio|US-OK Oklahoma|US-OR Oregon
US-PA Pennsylvania|US-RI Rhode Island|US-SC South Carolina|US-SD South Dakota|US-TN Tennessee|US-TX Texas|US-UT Utah
US-VT Vermont|US-VA Virginia|US-WA Washington State|US-WV West Virginia|US-WI Wisconsin|US-WY Wyoming
US-DC District of Columbia|CA-ON Ontario|CA-BC British Columbia|CA-QC Quebec|CA-AB Alberta|CA-MB Manitoba
DE-BW Baden-Württemberg|DE-BY Bavaria|DE-BY Bayern|DE-HE Hesse|DE-HE Hessen|DE-NI Lower Saxony|DE-NI Niedersachsen
DE-NW North Rhine-Westphalia|DE-NW Nordrhein-Westfalen|DE-SN Saxony|DE-SN Sachsen|DE-TH Thuringia|DE-BB Brandenburg
ES-CT Catalonia|ES-AN Andalusia|AU-NSW New South Wales|AU-VIC Victoria|AU-QLD Queensland
"""

_CITIES = """
US-CA San Francisco Bay Area|San Francisco|SF|Bay Area|Los Angeles|LA|San Diego
US-CA San Jose|Oakland|Palo Alto|Mountain View|Sacramento
US-NY New York City|New York|NYC|Brooklyn|Manhattan|Buffalo
US-WA Seattle|Bellevue|Redmond
US-IL Chicago
US-MA Boston|Cambridge, MA
US-FL Miami|Orlando|Tampa
US-MO St. Louis|Kansas City
US-TX Houston|Austin|Dallas|San Antonio
US-CO Denver|Boulder
US-GA Atlanta
US-PA Philadelphia|Pittsburgh
US-AZ Phoenix, AZ
US-OR Portland
US-MI Detroit
US-MN Minneapolis
US-NV Las Vegas
US-NC Charlotte, NC|Raleigh
US-UT Salt Lake City
US-DC Washington, DC|Washington D.C.|Washington, D.C.
US-TN Nashville
CA-ON Toronto|Ottawa
CA-BC Vancouver
CA-QC Montreal|Montréal
CA-AB Calgary|Edmonton
GB London|Manchester|Birmingham|Leeds|Bristol|Liverpool|Sheffield|Nottingham|Oxford|Cambridge|Newcastle|Brighton
GB-SCT Edinburgh|Glasgow|Aberdeen
GB-WLS Cardiff|Swansea
GB-NIR Belfast
IE Dublin|Cork|Galway|Limerick
DE-BE Berlin
DE-HH Hamburg
DE-BY München|Munich|Nürnberg|Nuremberg|Augsburg
DE-NW Köln|Cologne|Düsseldorf|Dortmund|Essen|Duisburg|Bonn|Münster|Bielefeld
DE-HE Frankfurt am Main|Frankfurt|Wiesbaden|Darmstadt
DE-BW Stuttgart|Karlsruhe|Mannheim|Freiburg|Heidelberg
DE-NI Hannover|Hanover|Braunschweig
DE-HB Bremen
DE-SN Leipzig|Dresden|Chemnitz
AT Vienna|Wien|Graz|Linz|Salzburg|Innsbruck
CH-ZH Zürich|Zurich|Winterthur
CH-GE Geneva|Genève|Genf
CH-BS Basel
CH-BE Bern|Berne
CH-VD Lausanne
FR Paris|Lyon|Marseille|Toulouse|Bordeaux|Lille|Nantes|Strasbourg|Nice, France
ES Madrid|Barcelona|Valencia|Seville|Bilbao|Málaga
PT Lisbon|Lisboa|Porto|Braga
IT Rome|Milan|Milano|Turin|Naples|Bologna|Florence
NL Amsterdam|Rotterdam|The Hague|Utrecht|Eindhoven|Groningen
BE Brussels|Antwerp|Ghent
PL Warsaw|Kraków|Krakow|Wrocław|Wroclaw|Gdańsk|Gdansk|Poznań|Poznan
CZ Prague|Brno
HU Budapest
RO Bucharest|Cluj-Napoca
GR Athens|Thessaloniki
DK Copenhagen|København|Aarhus
SE Stockholm|Gothenburg|Göteborg|Malmö
NO Oslo|Bergen|Trondheim
FI Helsinki|Tampere
EE Tallinn
LV Riga
LT Vilnius
TR Istanbul|Ankara
AU-NSW Sydney
AU-VIC Melbourne
AU-QLD Brisbane
NZ Auckland|Wellington
IN Bangalore|Bengaluru|Mumbai|Delhi|Hyderabad|Chennai|Pune
JP Tokyo|Osaka|Kyoto
CN Beijing|Shanghai|Shenzhen
AE Dubai|Abu Dhabi
IL Tel Aviv
NG Lagos|Abuja
KE Nairobi
ZA Cape Town|Johannesburg
EG Cairo
BR São Paulo|Sao Paulo|Rio de Janeiro
MX Mexico City
AR Buenos Aires
"""

_STATE_CODES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY DC"
)
_STATES = frozenset(_STATE_CODES.split())
_SAME_CITY = {
    "sf": "San Francisco",
    "nyc": "New York City",
    "la": "Los Angeles",
    "bay area": "San Francisco Bay Area",
    "münchen": "Munich",
    "köln": "Cologne",
    "wien": "Vienna",
    "zürich": "Zurich",
}


def _names() -> dict[str, Place]:
    names: dict[str, Place] = {}
    for line in _COUNTRIES.strip().splitlines():
        code, _, labels = line.partition(" ")
        for label in labels.split("|"):
            names[label] = Place(code)
    for entry in _REGIONS.strip().replace("\n", "|").split("|"):
        code, _, label = entry.partition(" ")
        names[label] = Place(code[:2], code)
    for line in _CITIES.strip().splitlines():
        code, _, labels = line.partition(" ")
        for label in labels.split("|"):
            city = _SAME_CITY.get(label.casefold(), re.sub(r",.*", "", label))
            names[label] = Place(code[:2], code if "-" in code else "", city)
    return names


_NAMES = _names()
_PATTERN = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True))
    + r")(?![\w-])(?:,\s*(?P<state>[A-Z]{2})\b)?"
)
_TOWN_AND_STATE = re.compile(r"(?<!\w)(?P<town>[A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,2}),\s*(?P<state>[A-Z]{2})\b")


def places_in(text: str) -> list[Place]:
    """The places named, in their order, each once. "Toledo, OH" is read although Toledo is not in the list."""
    found: list[tuple[int, Place]] = []
    taken: list[tuple[int, int]] = []
    for match in _PATTERN.finditer(text):
        state = match["state"]
        name = match[0].partition(",")[0] if state in _STATES else match[0]
        if name not in _NAMES and state:
            name = match[0][: match.start("state") - match.start()].rstrip(", ")
        place = _NAMES.get(match[0]) or _NAMES.get(name)
        if place is None:
            continue
        if state in _STATES and place.city:
            place = Place("US", f"US-{state}", place.city)
        found.append((match.start(), place))
        taken.append(match.span())
    for match in _TOWN_AND_STATE.finditer(text):
        overlaps = any(start < match.end() and match.start() < end for start, end in taken)
        if match["state"] in _STATES and not overlaps:
            found.append((match.start(), Place("US", f"US-{match['state']}", match["town"])))
    places = list(dict.fromkeys(place for _, place in sorted(found)))
    # "Berlin, Germany" is one place: a country or region beside a place within it adds nothing.
    finer = {place.country for place in places if place.city or place.region}
    return [place for place in places if place.city or place.region or place.country not in finer]


def without_places(text: str) -> str:
    """The text with every place that `places_in` reads taken out."""
    return _TOWN_AND_STATE.sub(" ", _PATTERN.sub(" ", text))
