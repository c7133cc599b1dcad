"""Organisations and who acts for them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.actions.organisations import change_role, invite_member, remove_member
from accounts.actions.service_tokens import revoke_service_token
from accounts.admin.console import ReadOnlyAdmin, ReadOnlyInline, RecordedAdmin
from accounts.admin.rendering import count_of, link
from accounts.admin.steps import CAREFUL, Step, StepForm, choice
from accounts.models import Membership, Organisation, ServiceToken


class InviteMemberForm(StepForm):
    email = forms.EmailField(widget=UnfoldAdminEmailInputWidget(), label="E-mail address")
    role = choice(Membership.Role.choices, initial=Membership.Role.RECRUITER)


class RoleForm(StepForm):
    role = choice(Membership.Role.choices)


class MembersInline(ReadOnlyInline):
    model = Membership
    fk_name = "organisation"
    fields = ("user", "role", "invited_by", "created_at")
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organisation", "invited_by").order_by("id")


@admin.register(Organisation)
class OrganisationAdmin(RecordedAdmin):
    created_event = "OrganisationCreated"
    updated_event = "OrganisationUpdated"
    list_display = ("name", "slug", "country", "currency", "members_count", "is_suspended", "created_at")
    list_filter = ("country", ("suspended_at", admin.EmptyFieldListFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("name", "slug", "website")
    date_hierarchy = "created_at"
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("public_id", "created_at", "event_log")
    inlines = (MembersInline,)
    fieldsets = (
        (None, {"fields": ("name", "slug", "website", "country", "currency")}),
        ("Standing", {"fields": ("suspended_at", "public_id", "created_at")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    steps = (
        Step(
            name="invite_member",
            title="Invite a member",
            call=invite_member,
            subject="organisation_id",
            form=InviteMemberForm,
            icon="person_add",
            description="Whoever has no login yet gets one, without a password, and is told by mail.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return super().get_queryset(request).annotate(members_n=count_of(Membership.objects.all(), "organisation"))

    def get_inlines(self, request: HttpRequest, obj: Organisation | None) -> tuple[type[ReadOnlyInline], ...]:
        return self.inlines if obj else ()

    @display(description="Members", ordering="members_n")
    def members_count(self, organisation: Any) -> int:
        return organisation.members_n

    @display(description="Suspended", boolean=True, ordering="suspended_at")
    def is_suspended(self, organisation: Organisation) -> bool:
        return organisation.suspended_at is not None


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "organisation_link", "role", "invited_by", "created_at")
    list_select_related = ("user", "organisation", "invited_by")
    list_filter = ("role", ("organisation", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("=user__email", "user__name", "organisation__name")
    fields = ("user", "organisation", "role", "invited_by", "created_at", "public_id")
    steps = (
        Step(
            name="change_role",
            title="Change role",
            call=change_role,
            subject="membership_id",
            form=RoleForm,
            icon="badge",
        ),
        Step(
            name="remove_member",
            title="Remove from organisation",
            call=remove_member,
            subject="membership_id",
            icon="person_remove",
            variant=CAREFUL,
            description="They lose access to everything of this organisation.",
            bulk=True,
        ),
    )

    @display(description="Organisation", ordering="organisation__name")
    def organisation_link(self, membership: Membership) -> str:
        return link(membership.organisation)


@admin.register(ServiceToken)
class ServiceTokenAdmin(ReadOnlyAdmin):
    """Owners make them; their secret is shown to nobody else."""

    list_display = ("name", "organisation_link", "hint", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("organisation",)
    list_filter = (
        ("organisation", AutocompleteSelectFilter),
        ("revoked_at", admin.EmptyFieldListFilter),
        ("expires_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "hint", "organisation__name")
    fields = (
        "name", "organisation", "user", "hint", "scopes", "created_by", "created_at", "expires_at", "last_used_at",
        "revoked_at", "public_id",
    )  # fmt: skip
    steps = (
        Step(
            name="revoke",
            title="Revoke",
            call=revoke_service_token,
            subject="token_id",
            shown=lambda token: token.revoked_at is None,
            icon="block",
            variant=CAREFUL,
            description="Whatever program has it is shut out at once.",
            bulk=True,
        ),
    )

    @display(description="Organisation", ordering="organisation__name")
    def organisation_link(self, token: ServiceToken) -> str:
        return link(token.organisation)
