"""The bases of all pages of the console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.db import IntegrityError, models, transaction
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.actions.events import append
from accounts.admin import codes
from accounts.admin.logged import LoggedAdmin
from accounts.admin.rendering import events_of, history_of
from accounts.admin.steps import Step, actor_of, list_action, page_button
from accounts.core.actor import ActorKind
from accounts.errors import DomainError
from accounts.models.sealed import SealedField

_CAPITAL = re.compile(r"[A-Z]")  # refusals name fields as the API does: weeklyHours


class CodedFields:
    """Codes of countries, currencies, time zones and languages are chosen or checked, not typed blindly."""

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        return codes.formfield(db_field) or super().formfield_for_dbfield(  # type: ignore[misc]
            db_field, request, **kwargs
        )


class ConsoleAdmin(CodedFields, LoggedAdmin):
    """A page whose rows may be changed, and never deleted: what happened is referred to from elsewhere.

    `steps` become buttons and list actions. A refusal while saving shows the form again, with what was typed.
    """

    steps: ClassVar[Sequence[Step]] = ()
    list_per_page = 50
    show_full_result_count = False  # a second count of the whole table, for one number
    list_filter_submit = True
    warn_unsaved_form = True
    save_on_top = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "steps" not in cls.__dict__:
            return
        for step in cls.steps:
            setattr(cls, step.method, page_button(step))
            if step.bulk:
                setattr(cls, f"{step.method}_selected", list_action(step))
        cls.actions_detail = [step.method for step in cls.steps]
        cls.actions = [f"{step.method}_selected" for step in cls.steps if step.bulk]

    @display(description="History")
    def history(self, row: models.Model) -> str:
        return history_of(row)

    @display(description="Events")
    def event_log(self, row: models.Model) -> str:
        return events_of(row)

    def get_sortable_by(self, request: HttpRequest) -> list[str]:
        """Not by what lies sealed: the database does not know its order."""
        sealed = {each.name for each in self.opts.concrete_fields if isinstance(each, SealedField)}
        return [name for name in super().get_sortable_by(request) if name not in sealed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May take steps: the right to change, also where no field is open to change."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that the row's state allows."""
        allowed = super().get_actions_detail(request, object_id)
        row = self.get_object(request, unquote(str(object_id))) if allowed and self.steps else None
        if row is None:
            return allowed
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        closed = {f"{prefix}{step.method}" for step in self.steps if not step.is_open(row)}
        return [one for one in allowed if one.action_name not in closed]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (DomainError, IntegrityError) as error:
            if request.method != "POST":
                raise
            # Rolled back by now. The second round finds the refusal in the form, so it saves nothing and shows it.
            request.refusal = refusal_text(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return form if refusal is None else type("RefusedForm", (Refused, form), {"refusal": refusal})


class Refused:
    """A form that carries an action's refusal back to whoever filled it in."""

    refusal: ClassVar[tuple[str | None, str]]

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        field, sentence = self.refusal
        self.add_error(field if field in self.fields else None, sentence)  # type: ignore[attr-defined]
        return cleaned


def refusal_text(error: DomainError | IntegrityError) -> tuple[str | None, str]:
    """The field, where one is to blame, and the sentence. The database's refusals are named for what holds."""
    if isinstance(error, DomainError):
        field = _CAPITAL.sub(r"_\g<0>", str(error.data.get("field", ""))).lower()
        return field or None, error.message
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if name is None:
        raise error
    return None, f"This would break a rule of the database: {name.replace('_', ' ')}."


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that only actions write: looked at, never typed into."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AddOnlyAdmin(ConsoleAdmin):
    """Rows that are made once and then stand."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordedAdmin(ConsoleAdmin):
    """Saved by its form, in one transaction with the event that tells the rest of Muster."""

    created_event: ClassVar[str]
    updated_event: ClassVar[str]

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseInlineFormSet], change: bool
    ) -> None:
        formsets = list(formsets)
        super().save_related(request, form, formsets, change)
        changed = changed_names(form, formsets)
        if changed or not change:
            self.record(request, form.instance, changed, change)

    def record(self, request: HttpRequest, row: Any, changed: list[str], change: bool) -> None:
        append(
            row,
            self.updated_event if change else self.created_event,
            actor=actor_of(request),
            by=ActorKind.STAFF,
            now=timezone.now(),
            payload={"changed": changed} if change else {},
        )


def changed_names(form: ModelForm, formsets: Iterable[BaseInlineFormSet]) -> list[str]:
    """Names of what an admin form changed, its inlines' included."""
    inner = {formset.fk.remote_field.get_accessor_name() for formset in formsets if formset.has_changed()}
    return sorted({*form.changed_data, *inner})


class SavedByActionAdmin(ConsoleAdmin):
    """The form only gathers; an action writes."""

    def save_by_action(
        self, request: HttpRequest, form: ModelForm, formsets: Sequence[BaseInlineFormSet], change: bool
    ) -> models.Model:
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Nothing yet: the inlines belong to the same call."""

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseInlineFormSet], change: bool
    ) -> None:
        formsets = list(formsets)
        with transaction.atomic():
            saved = self.save_by_action(request, form, formsets, change)
        form.instance.pk = saved.pk
        form.instance.refresh_from_db()
        for formset in formsets:  # what the log of the console reads
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []


def rows_of(formset: BaseInlineFormSet) -> list[dict[str, Any]]:
    """The inline's rows as filled in, without those to be deleted and the empty ones."""
    return [
        form.cleaned_data
        for form in formset.forms
        if form.cleaned_data and not form.cleaned_data.get("DELETE") and (form.instance.pk or form.has_changed())
    ]


def stable_order(inline: Any) -> Sequence[str]:
    """Inlines come in pages, which need an order."""
    return inline.ordering or inline.model._meta.ordering or ("pk",)


class ReadOnlyInline(TabularInline):
    """Inner rows to look at."""

    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 20
    tab = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return self.fields

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return stable_order(self)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EditableInline(CodedFields, TabularInline):
    """Inner rows that are part of the outer one: whoever may change that may change these."""

    extra = 0

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return stable_order(self)

    def _may(self, request: HttpRequest) -> bool:
        opts = self.parent_model._meta
        return request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        opts = self.parent_model._meta
        return self._may(request) or request.user.has_perm(f"{opts.app_label}.view_{opts.model_name}")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)
