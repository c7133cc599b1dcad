"""What everyone says and the official taxonomies do not: short names, spellings, and the things they lack.

One line per skill: name, then what else it is called. A skill that ESCO or O*NET has keeps their name and gains these
labels; one that neither has is added. Technologies stand apart from methods because only they merge by maker.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.core.folding import fold
from marketplace.core.sources import SkillRow

TECHNOLOGIES = """
Python: Python 3, Python3, CPython
JavaScript: JS, ECMAScript, ES6, Vanilla JS
TypeScript: TS
Java: Java SE, Core Java
Kotlin: Kotlin Multiplatform
Go: Golang
Rust: Rust language
C: ANSI C
C++: CPP, C plus plus, C++17, C++20
C#: C sharp, CSharp
.NET: dotnet, dot net, Microsoft .NET Framework, .NET Core
Ruby: Ruby language
Ruby on Rails: Rails, RoR
PHP: PHP 8
Perl: Perl 5
Scala: Scala language
Swift: Swift language
Objective-C: ObjC, Objective C
R: R language, R programming
Julia: Julia language
Elixir: Elixir language
Erlang: Erlang/OTP
Clojure: ClojureScript
Haskell: GHC
F#: F sharp, FSharp
Dart: Dart language
Lua: LuaJIT
MATLAB: The MathWorks MATLAB
Bash: Bash scripting, GNU Bash
shell scripting: shell script, shell scripts, Unix shell
PowerShell: Microsoft PowerShell
SQL: structured query language
T-SQL: Transact-SQL, TSQL
PL/SQL: Oracle PL/SQL, PLSQL
HTML: HTML5, Hypertext markup language HTML
CSS: CSS3, Cascading style sheets
Sass: SCSS
Tailwind CSS: Tailwind, TailwindCSS
Bootstrap: Bootstrap CSS
React: React.js, ReactJS
React Native: ReactNative
Redux: Redux Toolkit
Next.js: NextJS
Vue.js: Vue, VueJS, Vue 3
Nuxt: Nuxt.js, NuxtJS
Angular: AngularJS, Angular 2+, Google Angular
Svelte: SvelteKit
jQuery: jQuery UI
Node.js: Node, NodeJS, Node JS
Deno: Deno runtime
Express.js: Express, ExpressJS
NestJS: Nest.js
Django: Django REST framework, DRF
Flask: Flask framework
FastAPI: Fast API
Celery: Celery task queue
Spring Framework: Spring, Java Spring
Spring Boot: SpringBoot
Hibernate: Hibernate ORM
Laravel: Laravel PHP
Symfony: Symfony PHP
ASP.NET: ASP.NET Core, Microsoft ASP.NET
Entity Framework: EF Core
PostgreSQL: Postgres, PSQL, pgsql, Postgre SQL
MySQL: My SQL
MariaDB: Maria DB
SQLite: SQLite3
SQL Server: MSSQL, MS SQL, Microsoft SQL Server, MS SQL Server
Oracle Database: Oracle DB
MongoDB: Mongo
Redis: Redis cache
Valkey: Valkey cache
Memcached: memcache
Cassandra: Apache Cassandra
DynamoDB: Amazon DynamoDB
CockroachDB: Cockroach DB
Neo4j: Neo4j graph database
ClickHouse: Click House
Elasticsearch: Elastic Search, ES cluster
OpenSearch: Amazon OpenSearch
Solr: Apache Solr
ELK stack: ELK, Elastic Stack
NoSQL: No SQL, non-relational databases
Kafka: Apache Kafka
Kinesis: Amazon Kinesis, AWS Kinesis
RabbitMQ: Rabbit MQ
NATS: NATS messaging
Amazon SQS: AWS SQS, SQS
Google Pub/Sub: Pub/Sub, Cloud Pub/Sub
Temporal: Temporal workflows, Temporal.io
Apache Airflow: Airflow
Apache Spark: Spark, PySpark, Spark SQL
Hadoop: Apache Hadoop
Hive: Apache Hive
Flink: Apache Flink
Apache Beam: Google Dataflow
dbt: data build tool
Snowflake: Snowflake data warehouse
BigQuery: Google BigQuery
Redshift: Amazon Redshift
Databricks: Azure Databricks
Pandas: pandas library
NumPy: Numerical Python
SciPy: SciPy library
scikit-learn: sklearn, scikit learn
PyTorch: Torch
TensorFlow: Tensor Flow
Keras: Keras API
Hugging Face: HuggingFace, Hugging Face Transformers
LangChain: Lang Chain
Jupyter: Jupyter Notebook, JupyterLab
CUDA: NVIDIA CUDA
OpenCV: Open CV
Tableau: Tableau Desktop
Power BI: Microsoft Power BI, PowerBI
Looker: Looker Studio
Grafana: Grafana Loki
Prometheus: Prometheus monitoring
Jaeger: Jaeger tracing
OpenTelemetry: OTel, Open Telemetry
Datadog: Data Dog
Splunk: Splunk Enterprise
Sentry: Sentry.io
New Relic: NewRelic
PagerDuty: Pager Duty
AWS: Amazon Web Services, Amazon AWS
Amazon EC2: EC2, AWS EC2, Amazon Elastic Compute Cloud EC2
Amazon S3: S3, AWS S3, Amazon Simple Storage Service S3
AWS Lambda: Amazon Lambda
CloudFormation: AWS CloudFormation
Google Cloud: GCP, Google Cloud Platform
Microsoft Azure: Azure, MS Azure, Microsoft Azure software
Cloudflare: Cloudflare Workers
Heroku: Heroku platform
Vercel: Vercel platform
DigitalOcean: Digital Ocean
Kubernetes: k8s, kube, K8
Docker: Docker Compose, dockerised, dockerized
Podman: Podman containers
Helm: Helm charts
OpenShift: Red Hat OpenShift
Istio: Istio service mesh
Envoy: Envoy proxy
Terraform: HashiCorp Terraform, OpenTofu
Pulumi: Pulumi IaC
Ansible: Ansible Playbooks
Puppet: Puppet Enterprise
Chef: Chef Infra
Vagrant: HashiCorp Vagrant
Consul: HashiCorp Consul
HashiCorp Vault: Vault secrets
Jenkins: Jenkins CI
GitHub Actions: GitHub CI
GitLab CI: GitLab CI/CD
CircleCI: Circle CI
Argo CD: ArgoCD
Git: git version control, Git SCM
GitHub: GitHub Enterprise
GitLab: GitLab SCM
Bitbucket: Atlassian Bitbucket
Jira: Atlassian Jira
Confluence: Atlassian Confluence
Linux: GNU/Linux, Linux administration
Red Hat Enterprise Linux: RHEL
Nginx: NGINX Plus
Apache HTTP Server: Apache httpd, Apache web server
HAProxy: HA Proxy
GraphQL: Graph QL, Apollo GraphQL
gRPC: Protocol Buffers, protobuf
WebSockets: WebSocket, Web Sockets
OpenAPI: Swagger
OAuth: OAuth2, OAuth 2.0, OpenID Connect, OIDC
JWT: JSON Web Token, JSON Web Tokens
JSON: JavaScript Object Notation JSON
XML: Extensible markup language XML
YAML: YAML files
Selenium: Selenium WebDriver
Cypress: Cypress.io
Playwright: Microsoft Playwright
Jest: Jest testing
pytest: py.test
JUnit: JUnit 5
Postman: Postman API
Webpack: Webpack bundler
Vite: ViteJS, Vite.js
Flutter: Flutter SDK
Android: Android SDK, Android development
iOS: iPhone OS, iOS development
Unity: Unity3D, Unity 3D
Unreal Engine: UE4, UE5, Unreal
Figma: Figma design
Sketch: Sketch app
Photoshop: Adobe Photoshop
Illustrator: Adobe Illustrator
InDesign: Adobe InDesign
After Effects: Adobe After Effects
Premiere Pro: Adobe Premiere Pro, Adobe Premiere
Canva: Canva Pro
Blender: Blender 3D
AutoCAD: Auto CAD, Autodesk AutoCAD
Revit: Autodesk Revit
SolidWorks: Solid Works, Dassault Systemes SolidWorks
SketchUp: Sketch Up, Trimble SketchUp Pro
BIM: building information modelling, building information modeling
Excel: MS Excel, Microsoft Excel, Excel spreadsheets
Word: MS Word, Microsoft Word
PowerPoint: MS PowerPoint, Microsoft PowerPoint
Outlook: MS Outlook, Microsoft Outlook
Microsoft Office: MS Office, Office 365, Microsoft 365, M365, O365, Microsoft Office software
Microsoft Teams: MS Teams
SharePoint: MS SharePoint, Microsoft SharePoint
Google Workspace: G Suite, GSuite, Google Workspace software
Slack: Slack app
Notion: Notion.so
Salesforce: SFDC, Salesforce CRM, Salesforce software
HubSpot: Hub Spot, HubSpot software
Zendesk: Zen Desk
SAP: SAP software, SAP S/4HANA, SAP HANA, S/4HANA
SAP ERP: SAP R/3
Workday: Workday HCM, Workday software
ServiceNow: Service Now
QuickBooks: Quick Books, Intuit QuickBooks
DATEV: DATEV Unternehmen online
Xero: Xero accounting
Shopify: Shopify Plus
WordPress: Word Press
Google Analytics: GA4
Google Ads: AdWords, Google AdWords
Epic: Epic Systems, Epic EHR, Epic EMR
EHR: electronic health records, electronic health record, EMR, electronic medical records
PLC programming: PLC, programmable logic controller
SCADA: SCADA systems
CNC: CNC machining, CNC machines, CNC programming
WMS: warehouse management system, warehouse management systems
ERP: enterprise resource planning, ERP systems
CRM: CRM software, CRM systems
GIS: geographic information systems
ROS: Robot Operating System
Arduino: Arduino boards
Raspberry Pi: RasPi
VMware: VMware vSphere, vSphere
Active Directory: Microsoft Active Directory
"""

METHODS = """
distributed systems: distributed system, distributed computing
microservices: micro-services, microservice architecture, microservices architecture, micro services
service mesh: service meshes
event-driven architecture: event-driven systems, event driven architecture, event-driven architectures, event-driven
system design: systems design, software architecture, system design patterns, system architecture
API design: APIs, API development, application programming interfaces, API
REST APIs: REST, RESTful, RESTful APIs, REST API, RESTful services
data modelling: data modeling, data models, data schemas
database optimisation: database optimization, query optimisation, query optimization, database tuning
relational databases: relational database, RDBMS
data structures: data structures and algorithms
algorithms: algorithm design
concurrency: concurrent programming, multithreading, multi-threading
asynchronous processing: asynchronous workflows, asynchronous programming, async processing
caching: caching strategies, cache design
message queues: message queue, message brokers, queues, queueing
stream processing: streaming data, real-time data processing
data pipelines: data pipeline, ETL pipelines
load balancing: load balancers
performance optimisation: performance optimization, performance tuning, backend performance optimization
observability: observability tooling, monitoring and alerting
site reliability engineering: SRE, site reliability
DevOps: Dev Ops, DevOps practices
CI/CD: CICD, continuous integration, continuous delivery, continuous deployment, CI/CD pipelines
infrastructure as code: IaC, infrastructure-as-code
cloud infrastructure: cloud platforms, cloud computing, cloud services
containerisation: containerization, containers, container orchestration
serverless: serverless architecture, serverless computing
unit testing: unit tests, automated unit tests
integration testing: integration tests
end-to-end testing: E2E testing, end to end testing
test-driven development: TDD, test driven development
test automation: automated testing, automated tests
code review: code reviews, peer review of code
debugging: troubleshooting software
secure coding: secure coding practices, secure software development
machine learning: ML, machine-learning
deep learning: neural networks
large language models: LLM, LLMs, generative AI, GenAI
agentic AI: AI agents, agentic AI tools, agentic workflows
MLOps: ML Ops, model deployment, model inference
natural language processing: NLP
computer vision: image recognition
recommender systems: recommendation systems, recommendation engines, recommendations
search engineering: information retrieval, search relevance
data engineering: data engineer
data analysis: data analytics, analysing data, analyzing data
data visualisation: data visualization, dashboards
A/B testing: AB testing, split testing
technical leadership: tech lead, technical leadership abilities
mentoring: mentorship, coaching engineers, mentor engineers
stakeholder management: stakeholder communication
agile: agile methodologies, agile development, agile methods
Scrum: scrum master
Kanban: kanban board
product management: product ownership, product owner
UX design: user experience design, UX
UI design: user interface design, UI
user research: usability testing
wireframing: wireframes
SEO: search engine optimisation, search engine optimization
SEM: search engine marketing, paid search
first aid: first aider, first aid certificate
CPR: cardiopulmonary resuscitation
wound care: wound dressing, dressing wounds
patient care: care of patients, nursing care
medication administration: administering medication, administer medication
HACCP: food hygiene, food safety
forklift driving: forklift, forklift licence, forklift license, forklift operator, fork-lift
order picking: picking and packing, pick and pack
MIG welding: MIG, MAG welding, MIG/MAG, GMAW
TIG welding: TIG, GTAW
blueprint reading: read blueprints, technical drawings, reading technical drawings
bookkeeping: book-keeping
payroll: payroll accounting
customer service: customer support, customer care
"""


@dataclass(frozen=True, slots=True)
class Everyday:
    name: str
    labels: tuple[str, ...]
    technology: bool

    @property
    def uri(self) -> str:
        return f"muster:skill:{fold(self.name)}"

    def row(self) -> SkillRow:
        return SkillRow(self.uri, self.name, self.labels, kind="technology" if self.technology else "knowledge")


def _entries(text: str, *, technology: bool) -> tuple[Everyday, ...]:
    entries = []
    for line in text.strip().splitlines():
        name, _, labels = line.partition(": ")
        entries.append(Everyday(name, tuple(label.strip() for label in labels.split(",")), technology))
    return tuple(entries)


EVERYDAY = _entries(TECHNOLOGIES, technology=True) + _entries(METHODS, technology=False)
EVERYDAY_LABELS = frozenset(fold(text) for entry in EVERYDAY for text in (entry.name, *entry.labels))
