from accounts.models.api_client import DeprecatedUse, TrustedDocument
from accounts.models.attempt import AttemptCounter, KnownPlace
from accounts.models.audit import AuditEntry, AuditSeal
from accounts.models.base import PublicModel, ReferencedModel
from accounts.models.event import AggregateSequence, Delivery, Event, Transition
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.organisation import Membership, Organisation
from accounts.models.sealed import HashOf, SealedAddressField, SealedLineField, SealedTextField
from accounts.models.service_token import ServiceToken
from accounts.models.signing_key import SigningKey
from accounts.models.table_state import TableState
from accounts.models.timer import Timer
from accounts.models.user import User

__all__ = [
    "AggregateSequence",
    "AttemptCounter",
    "AuditEntry",
    "AuditSeal",
    "Delivery",
    "DeprecatedUse",
    "Event",
    "HashOf",
    "IdempotencyRecord",
    "KnownPlace",
    "Membership",
    "Organisation",
    "PublicModel",
    "ReferencedModel",
    "SealedAddressField",
    "SealedLineField",
    "SealedTextField",
    "ServiceToken",
    "SigningKey",
    "TableState",
    "Timer",
    "Transition",
    "TrustedDocument",
    "User",
]
