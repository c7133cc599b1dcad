"""manage.py trusted_documents: which operations clients may name by their hash, and in production perhaps those alone.

    trusted_documents register CLIENT FILE…          # checks each against the schema and its limits; all or none
    trusted_documents register CLIENT FILE… --only   # and forgets what the client registered before
    trusted_documents forget CLIENT
    trusted_documents list [CLIENT]

A file is what a client's build writes: `{hash: text}` (Relay, GraphQL Code Generator), Apollo's manifest, or a document
(.graphql). Hashes are SHA-256.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from graphql import GraphQLError, OperationDefinitionNode

from accounts.actions.trusted_documents import document_hash, forget_documents, register_documents
from accounts.errors import DomainError
from accounts.models import TrustedDocument


class Command(BaseCommand):
    help = "Register, forget and list the operations of clients."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        register = verbs.add_parser("register", help="trust the operations in these files")
        register.add_argument("client")
        register.add_argument("files", nargs="+", type=Path, metavar="FILE")
        register.add_argument("--only", action="store_true", help="forget what else the client registered")
        verbs.add_parser("forget", help="trust none of a client's operations").add_argument("client")
        verbs.add_parser("list", help="what is trusted").add_argument("client", nargs="?")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    def _register(self, client: str, files: list[Path], only: bool, **options: Any) -> None:
        documents: dict[str, str] = {}
        for path in files:
            for text in documents_of(path):
                documents[text] = checked(text, path)
        new = register_documents(client=client, documents=documents, now=timezone.now())
        kept = frozenset(map(document_hash, documents))
        gone = forget_documents(client=client, but=kept) if only else 0
        self.stdout.write(f"{len(documents)} operations of {client} are trusted, {new} of them new; {gone} forgotten.")

    def _forget(self, client: str, **options: Any) -> None:
        self.stdout.write(f"{forget_documents(client=client)} operations of {client} are trusted no longer.")

    def _list(self, client: str | None, **options: Any) -> None:
        found = TrustedDocument.objects.order_by("client", "name", "hash")
        for one in found.filter(client=client) if client else found:
            self.stdout.write(f"{one.hash}  {one.registered_at:%Y-%m-%d}  {one.client}  {one.name}")


def documents_of(path: Path) -> list[str]:
    """The texts that a file holds. Raises CommandError for one that cannot be read, or whose hashes are not theirs."""
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix in (".graphql", ".gql"):
            return [content]
        read = json.loads(content)
    except (OSError, ValueError) as problem:
        raise CommandError(f"{path}: {problem}") from problem
    operations = read.get("operations") if isinstance(read, dict) and "format" in read else None
    if isinstance(operations, list):
        pairs = [(one.get("id"), one.get("body")) for one in operations if isinstance(one, dict)]
    else:
        pairs = list(read.items()) if isinstance(read, dict) else []
    named = {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
    if not pairs or len(named) != len(pairs):
        raise CommandError(f"{path}: neither a map of hashes to documents nor a manifest of operations")
    for name, text in named.items():
        if name.removeprefix("sha256:") != document_hash(text):
            raise CommandError(f"{path}: {name} is not the SHA-256 of its document")
    return list(named.values())


def checked(text: str, path: Path) -> str:
    """The name of a document's operation. Raises CommandError for one that would be refused when it is asked for."""
    from config.graphql_operations import faults, parsed
    from config.schema import schema

    try:
        document = parsed(text)
        named = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        name = (named[0].name.value if named[0].name else "") if named else ""
        found = faults(schema._schema, document, {}, name or None)
    except GraphQLError as error:
        found = [error]
    if found or not named:
        problem = found[0].message if found else "it has no operation"
        raise CommandError(f"{path}: {text.strip()[:60]!r} would be refused: {problem}")
    return name
