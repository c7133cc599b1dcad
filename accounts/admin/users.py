"""Who can log in, and who of them is staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.admin.console import ConsoleAdmin, ReadOnlyInline
from accounts.admin.rendering import count_of
from accounts.models import Membership, User


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, Any] = {}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()


class MembershipsOfUser(ReadOnlyInline):
    model = Membership
    fk_name = "user"
    fields = ("organisation", "role", "created_at")
    verbose_name_plural = "organisations"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("organisation", "user")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):  # type: ignore[misc]  # two signatures of get_form
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("-id",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "memberships_count", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", ("joined_at", RangeDateTimeFilter))
    search_fields = ("=email", "name")
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("public_id", "joined_at", "last_login")
    inlines = (MembershipsOfUser,)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Record", {"fields": ("public_id", "joined_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    # What makes somebody more than they are is for superusers to give.
    RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(memberships_n=count_of(Membership.objects.all(), "user"))

    @display(description="Organisations", ordering="memberships_n")
    def memberships_count(self, user: Any) -> int:
        return user.memberships_n

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, *self.RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes over an account that may do more than their own."""
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[ReadOnlyInline], ...]:
        return self.inlines if obj else ()
