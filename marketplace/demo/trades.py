"""The curated taxonomy of the demo market: occupations of a few trades and what each of them asks for.

One block per occupation: its name with other names, its ISCO-08 code; essential skills; optional skills. A skill may
bring alternative labels in brackets. Every skill lies under the heading of the trade that first names it.
"""

from __future__ import annotations

import re

from marketplace.core.everyday import EVERYDAY
from marketplace.core.folding import fold
from marketplace.core.sources import OccupationRow, SkillRow, TaxonomySource

TRADES = """
== software
backend developer; back-end engineer, server-side developer | 2512
+ Python, SQL, PostgreSQL, API design, REST APIs, Git, unit testing
- Go, Kafka, Redis, Docker, Kubernetes, distributed systems, GraphQL, Django, microservices, code review, Elasticsearch
frontend developer; front-end engineer, web developer | 2513
+ JavaScript, TypeScript, HTML, CSS, React, Git
- Next.js, Vue.js, Angular, accessibility testing (WCAG), UI design, Jest, Cypress, GraphQL, Tailwind CSS
mobile developer; app developer | 2512
+ Kotlin, Swift, mobile app architecture, Git, REST APIs
- Flutter, React Native, app store release, unit testing, Android, iOS
site reliability engineer; SRE, DevOps engineer, platform engineer | 2522
+ Linux, Kubernetes, Docker, Terraform, CI/CD, observability
- AWS, Google Cloud, Microsoft Azure, Prometheus, Grafana, Ansible, incident response (on-call), Helm, Go
- infrastructure as code
software tester; QA engineer, test engineer | 2519
+ test planning, test automation, defect reporting (bug reports), regression testing
- Selenium, Playwright, SQL, exploratory testing, load testing, CI/CD
systems administrator; sysadmin | 2522
+ Linux, Active Directory, backup and recovery, network administration, user support (helpdesk)
- VMware, PowerShell, firewall configuration, Microsoft Azure, IT asset management, Bash
security engineer; cybersecurity specialist | 2529
+ threat modelling, vulnerability assessment, network security, secure coding
- penetration testing (pentesting), SIEM, identity management, ISO 27001, Python, incident response
== data
data analyst; business intelligence analyst | 2511
+ SQL, data analysis, data visualisation, Excel, descriptive statistics
- Python, Power BI, Tableau, A/B testing, R, data storytelling, Looker
data engineer; | 2521
+ Python, SQL, data pipelines, data modelling, Apache Airflow
- Apache Spark, dbt, Snowflake, Kafka, BigQuery, data quality monitoring, stream processing
machine learning engineer; ML engineer, data scientist | 2120
+ Python, machine learning, feature engineering, model evaluation, PyTorch
- deep learning, MLOps, natural language processing, computer vision, recommender systems, CUDA, large language models
database administrator; DBA | 2521
+ PostgreSQL, SQL, database optimisation, backup and recovery, access control administration
- MySQL, Oracle Database, SQL Server, replication and failover, Linux
== design
product designer; UX designer | 2166
+ UX design, Figma, wireframing, prototyping, user research
- UI design, design systems, accessibility testing, usability testing (user tests), interaction design, copywriting
graphic designer; visual designer | 2166
+ Photoshop, Illustrator, typography, layout design, brand guidelines
- InDesign, motion graphics, print preparation (prepress), After Effects, photo retouching, illustration
video editor; | 3521
+ Premiere Pro, video editing, colour grading, sound editing, storyboarding
- After Effects, motion graphics, subtitling, multi-camera editing
technical writer; documentation specialist | 2641
+ technical writing, information architecture, copy editing, Markdown
- API documentation, terminology management, screencasting, Git
== care
registered nurse; staff nurse | 2221
+ patient care, medication administration, wound care, vital signs monitoring, infection control, nursing documentation
- intravenous therapy (IV therapy), CPR, intensive care, palliative care, triage, EHR
care assistant; healthcare assistant, carer | 5322
+ personal care, patient mobility assistance, hygiene care, meal assistance, empathic communication
- dementia care, first aid, medication reminders, palliative care, care planning
physiotherapist; physical therapist | 2264
+ musculoskeletal assessment, exercise therapy, manual therapy, treatment planning, patient education
- neurological rehabilitation, sports injuries, electrotherapy, post-operative rehabilitation
childcare worker; nursery worker, early years practitioner | 5311
+ child supervision, play-based learning, child safeguarding, nappy changing and hygiene, parent communication
- first aid, special educational needs, storytelling for children, outdoor play supervision
pharmacy assistant; pharmacy technician | 3213
+ dispensing medicines, prescription checking, stock control, customer advice on medicines
- compounding, cash handling, pharmaceutical regulations, cold chain handling
social worker; | 2635
+ case management, needs assessment, crisis intervention, safeguarding adults, report writing
- family mediation, addiction counselling, benefits advice, group facilitation
== logistics
warehouse operative; warehouse worker, order picker | 9333
+ order picking, packing goods, goods receipt, barcode scanning (handheld scanner), manual handling
- forklift driving, stocktaking, WMS, dispatch preparation, load securing, dangerous goods handling
forklift operator; forklift driver | 8344
+ forklift driving, pallet stacking, load securing, vehicle safety checks
- reach truck driving, goods receipt, WMS, dangerous goods handling
delivery driver; van driver, courier | 8322
+ van driving, route planning, parcel delivery, proof of delivery, customer service
- load securing, cash handling, vehicle safety checks, refrigerated transport
truck driver; lorry driver, HGV driver | 8332
+ heavy goods vehicle driving (HGV, category CE), tachograph use, load securing, vehicle safety checks
- dangerous goods handling, refrigerated transport, international transport documents (CMR), crane lorry operation
supply chain planner; logistics coordinator | 3331
+ demand forecasting, inventory management, Excel, carrier coordination, ERP
- customs clearance, SAP, contract negotiation, lean methods, transport cost analysis
== construction
welder; fabricator | 7212
+ MIG welding, TIG welding, blueprint reading, metal cutting, weld inspection
- stick welding (arc welding, MMA), plasma cutting, grinding and finishing, pipe welding, scaffold access
electrician; electrical installer | 7411
+ electrical installation, wiring regulations, fault finding, circuit testing, cable laying
- PLC programming, solar panel installation (photovoltaics), fire alarm systems, smart home installation
- working at height
plumber; pipefitter, heating installer | 7126
+ pipe installation, leak detection, soldering and brazing, sanitary installation, heating system maintenance
- gas safety, heat pump installation, pipe welding, underfloor heating, blueprint reading
carpenter; joiner | 7115
+ timber framing, joinery, power tool use, measuring and marking out, formwork
- roof construction, kitchen fitting, furniture making, scaffold access, blueprint reading
bricklayer; mason | 7112
+ bricklaying, mortar mixing, levelling and alignment, blueprint reading
- stone masonry, plastering, concrete placing, scaffold access, working at height
site manager; construction manager | 3123
+ construction site supervision, construction scheduling, site safety management, subcontractor coordination
+ cost control
- BIM, AutoCAD, contract negotiation, quality inspection, tendering
CNC machinist; CNC operator | 7223
+ CNC, metal turning, metal milling, precision measuring (callipers, micrometers), blueprint reading
- CAM programming, tool setting, quality inspection, SolidWorks, lean methods
== hospitality
chef; cook | 3434
+ menu planning, food preparation, HACCP, kitchen stock control, knife skills
- pastry making, allergen management, kitchen team leadership, food costing, vegan cooking
waiter; waitress, server | 5131
+ table service, taking orders, customer service, cash handling, hospitality upselling
- wine service, barista skills (coffee making), point of sale systems (POS systems), allergen management
bartender; barkeeper | 5132
+ cocktail making, bar stock control, customer service, cash handling
- wine service, beer cellar management, barista skills, event service
hotel receptionist; front desk agent | 4224
+ guest check-in, reservation management, customer service, complaint handling, telephone etiquette
- property management systems (Opera PMS), hospitality upselling, night audit, concierge service
housekeeper; room attendant | 9112
+ room cleaning, linen handling, cleaning chemicals handling, attention to detail
- laundry operation, minibar restocking, team supervision
== office
accountant; bookkeeper | 2411
+ bookkeeping, financial statements preparation, Excel, VAT returns, account reconciliation
- payroll, SAP, DATEV, QuickBooks, tax advice, cost control, IFRS
office administrator; office assistant, secretary | 4110
+ calendar management, Microsoft Office, correspondence, filing and records, telephone etiquette
- travel booking, minute taking, invoice processing, event organisation, CRM
customer support agent; customer service representative | 4222
+ customer service, complaint handling, ticketing systems, written communication
- Zendesk, live chat support, upselling by telephone, CRM, product training
project manager; | 2421
+ project planning, risk management, stakeholder management, budget management, meeting facilitation
- Scrum, agile, Jira, change management, contract negotiation, Kanban
recruiter; talent acquisition specialist | 2423
+ candidate sourcing, interviewing, job advert writing, applicant tracking systems (ATS)
- employer branding, salary negotiation, LinkedIn Recruiter, labour law basics
marketing manager; digital marketer | 2431
+ campaign planning, SEO, content marketing, marketing analytics, social media management
- SEM, Google Analytics, e-mail marketing, copywriting, HubSpot, marketing budget planning
"""

_SKILL = re.compile(r"\s*([^,(]+?)\s*(?:\(([^)]*)\))?\s*(?:,|$)")


def _skills(line: str) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (match[1], tuple(label.strip() for label in (match[2] or "").split(",") if label.strip()))
        for match in _SKILL.finditer(line)
    ]


def skill_uri(name: str) -> str:
    return f"muster:skill:{fold(name)}"


def occupation_uri(name: str) -> str:
    return f"muster:occupation:{fold(name)}"


_EVERYDAY = {fold(label): entry.row() for entry in reversed(EVERYDAY) for label in (*entry.labels, entry.name)}


def _read() -> TaxonomySource:
    skills: dict[str, SkillRow] = {}
    broader: list[tuple[str, str]] = []
    occupations: list[OccupationRow] = []
    links: list[tuple[str, str, bool]] = []
    trade = ""
    for line in TRADES.strip().splitlines():
        if line.startswith("== "):
            trade = f"muster:group:{line[3:]}"
            skills[trade] = SkillRow(trade, f"{line[3:]} skills", kind="group")
        elif line[0] not in "+-":
            names, _, code = line.partition(" | ")
            name, _, labels = names.partition(";")
            others = tuple(label.strip() for label in labels.split(",") if label.strip())
            occupations.append(OccupationRow(occupation_uri(name), name.strip(), others, isco_code=code.strip()))
        else:
            for skill, labels_of_skill in _skills(line[2:]):
                # What our everyday list knows is that very skill, by whichever of its names it is called here.
                known = _EVERYDAY.get(fold(skill))
                uri = known.uri if known else skill_uri(skill)
                if uri not in skills:
                    skills[uri] = known or SkillRow(uri, skill, labels_of_skill)
                    broader.append((uri, trade))
                links.append((occupations[-1].uri, uri, line[0] == "+"))
    for entry in EVERYDAY:
        skills.setdefault(entry.uri, entry.row())
    return TaxonomySource("muster", tuple(skills.values()), tuple(broader), tuple(occupations), tuple(links))


CURATED = _read()
