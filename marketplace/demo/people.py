"""Invented people and places of the demo market. Names are mixed from many languages, and belong to nobody."""

from __future__ import annotations

from typing import NamedTuple

_GIVEN = """
Ada Adaeze Aisha Akira Alejandro Alma Amina Amir Anders Andrea Aneta Anh Anna Antonio Arjun Aylin Beatriz Bilal
Bogdan Bruno Camille Carlos Chiara Chidi Chloe Daan Dana Daniel Davide Deniz Diego Dilara Dmytro Dorota Eero
Ehsan Elena Elif Elsa Emeka Emil Emre Erik Esther Eva Fatima Fatou Felix Femi Filip Finn Francesca Freja Gabriel
Giorgos Grace Greta Hana Hannah Haruka Hassan Helena Hugo Ida Ifeoma Igor Ilse Imani Ines Ioana Isabel Ivan Jakub
Jamal Jana Jasper Jelena Joana Johan Jonas Jorge Julia Kaito Karim Karolina Kateryna Kofi Kwame Lars Laura Layla
Lea Leila Leon Liam Lina Linh Liv Lucia Lukas Luca Maja Malik Marco Maria Mariam Marta Mateo Matti Maya Mehmet
Mei Mia Mikkel Milan Mina Mira Mohammed Nadia Naoko Nasrin Natalia Niamh Nikos Nils Noa Noah Noor Nora Nuria
Obinna Olga Oliver Omar Oskar Paula Pavel Pedro Petra Pia Priya Rafael Rahul Rania Ravi Rosa Ruben Rui Samir
Samuel Sana Sanne Santiago Sara Selin Sergio Shirin Siobhan Sofia Soraya Stefan Stella Sunita Svetlana Tamara
Tariq Tatiana Teresa Thabo Theo Thomas Tiago Tomas Tuan Ulla Valentina Vera Viktor Wanjiru Wei Xenia Yara Yasmin
Yuki Yusuf Zahra Zainab Zofia Zuzana
"""
GIVEN = _GIVEN.split()

_FAMILY = """
Abara Adler Adeyemi Aguilar Ahmed Almeida Andersson Antonov Araya Asante Aydin Baker Bakshi Balogun Barros Bauer
Becker Bell Bergström Bianchi Blom Boateng Borg Bos Braun Brennan Bueno Byrne Calder Campos Castro Celik Chaudhry
Chen Cohen Conti Correia Cruz Dahl Danso Demir Desai Diallo Dimitrov Doyle Dubois Duarte Ebner Egger Ekström Eze
Farkas Fernandes Ferrari Fischer Fontaine Fournier Frank Fraser Gallo Garcia Gebre Georgiou Ghosh Gomes Graf
Greco Gruber Gupta Haas Haddad Halloran Hansen Hasan Heikkinen Hoang Hofer Horvat Huber Ibrahim Ilić Ionescu
Ivanova Jansen Jensen Jovanović Kamau Karlsson Kaya Keller Khan Kimura Klein Kovács Kowalska Kruger Kumar Lange
Larsen Laurent Le Lehtonen Lemaire Lindqvist López Lombardi Maier Mancini Marin Martel Mbeki Mendes Mensah Meyer
Mihai Moreau Moreno Mukherjee Nagy Nakamura Navarro Ncube Nguyen Nielsen Novak Nowak Nwosu Okafor Okoye Oliveira
Olsen Öztürk Papadakis Park Patel Pereira Petrov Pham Popescu Prieto Quinn Rahimi Ramos Reis Reuter Ricci Rossi
Roy Ruiz Sahin Salazar Santos Sato Schmid Schneider Schulz Serrano Sharma Silva Singh Soler Sørensen Steiner
Suzuki Szabó Takahashi Tavares Tesfaye Torres Tran Vale Varga Vasquez Vidal Virtanen Visser Vogel Wagner Walsh
Wang Weber Wójcik Wood Yamada Yıldız Zeller Zhang Zimmermann
"""
FAMILY = _FAMILY.split()


class Town(NamedTuple):
    city: str
    country: str
    region: str  # ISO 3166-2
    latitude: float
    longitude: float
    timezone: str
    currency: str
    language: str  # ISO 639-1
    weight: int  # how many live there, relative to the others
    pay: float  # level of pay, Berlin = 1


TOWNS = (
    Town("Berlin", "DE", "DE-BE", 52.52, 13.405, "Europe/Berlin", "EUR", "de", 12, 1.0),
    Town("Hamburg", "DE", "DE-HH", 53.551, 9.994, "Europe/Berlin", "EUR", "de", 7, 1.02),
    Town("Munich", "DE", "DE-BY", 48.137, 11.575, "Europe/Berlin", "EUR", "de", 7, 1.15),
    Town("Vienna", "AT", "AT-9", 48.208, 16.372, "Europe/Vienna", "EUR", "de", 6, 0.97),
    Town("Zurich", "CH", "CH-ZH", 47.377, 8.541, "Europe/Zurich", "CHF", "de", 4, 1.7),
    Town("London", "GB", "GB-LND", 51.507, -0.128, "Europe/London", "GBP", "en", 10, 1.15),
    Town("Manchester", "GB", "GB-MAN", 53.481, -2.242, "Europe/London", "GBP", "en", 5, 0.95),
    Town("Dublin", "IE", "IE-D", 53.35, -6.26, "Europe/Dublin", "EUR", "en", 4, 1.15),
    Town("Amsterdam", "NL", "NL-NH", 52.368, 4.904, "Europe/Amsterdam", "EUR", "nl", 6, 1.08),
    Town("Rotterdam", "NL", "NL-ZH", 51.924, 4.478, "Europe/Amsterdam", "EUR", "nl", 4, 1.0),
    Town("Paris", "FR", "FR-IDF", 48.857, 2.352, "Europe/Paris", "EUR", "fr", 8, 1.0),
    Town("Lyon", "FR", "FR-ARA", 45.764, 4.836, "Europe/Paris", "EUR", "fr", 3, 0.9),
    Town("Madrid", "ES", "ES-MD", 40.417, -3.704, "Europe/Madrid", "EUR", "es", 5, 0.75),
    Town("Lisbon", "PT", "PT-11", 38.722, -9.139, "Europe/Lisbon", "EUR", "pt", 4, 0.65),
    Town("Milan", "IT", "IT-25", 45.464, 9.19, "Europe/Rome", "EUR", "it", 4, 0.8),
    Town("Warsaw", "PL", "PL-14", 52.23, 21.012, "Europe/Warsaw", "PLN", "pl", 6, 0.6),
    Town("Prague", "CZ", "CZ-10", 50.076, 14.438, "Europe/Prague", "CZK", "cs", 3, 0.6),
    Town("Stockholm", "SE", "SE-AB", 59.329, 18.069, "Europe/Stockholm", "SEK", "sv", 4, 1.0),
    Town("Copenhagen", "DK", "DK-84", 55.676, 12.568, "Europe/Copenhagen", "DKK", "da", 3, 1.2),
    Town("New York", "US", "US-NY", 40.713, -74.006, "America/New_York", "USD", "en", 6, 1.6),
    Town("Austin", "US", "US-TX", 30.267, -97.743, "America/Chicago", "USD", "en", 3, 1.35),
    Town("Toronto", "CA", "CA-ON", 43.653, -79.383, "America/Toronto", "CAD", "en", 3, 1.05),
)

# Units for one euro; of an ordinary day, rounded. Staff replace them by the day's own.
RATES = {
    "EUR": "1",
    "USD": "1.0842",
    "GBP": "0.8437",
    "CHF": "0.9621",
    "SEK": "11.412",
    "DKK": "7.4598",
    "NOK": "11.685",
    "PLN": "4.3015",
    "CZK": "25.214",
    "CAD": "1.4893",
    "AUD": "1.6372",
    "JPY": "163.84",
    "INR": "90.315",
}

ORGANISATIONS = (
    ("Northlight Software", "software"),
    ("Kiebitz Data", "data"),
    ("Atelier Mirage", "design"),
    ("St. Brigid Care", "care"),
    ("Lindenhof Clinics", "care"),
    ("Harbour Freight Lines", "logistics"),
    ("Parcelwise", "logistics"),
    ("Steelyard Works", "construction"),
    ("Greenbeam Construction", "construction"),
    ("Hotel Aurora Group", "hospitality"),
    ("Table Seven", "hospitality"),
    ("Ledger & Lamp", "office"),
    ("Farside Robotics", "software"),
)
