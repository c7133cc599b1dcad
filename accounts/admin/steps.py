"""Steps: what staff can have done to a row. Each is a button on its page that asks, and calls one action.

State is never a field to type into: it changes through the same actions as the API's, by an actor who is staff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    BASE_INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.core.actor import Actor
from accounts.core.machine import Machine
from accounts.errors import DomainError

CAREFUL = ActionVariant.DANGER


def actor_of(request: HttpRequest) -> Actor:
    """Who works at the console, in the capacity of staff."""
    return Actor(user_id=request.user.pk, is_staff=True, request_id=getattr(request, "request_id", ""))


class StepForm(BaseDialogForm):
    """What a step asks before it is taken. Its fields are the action's arguments, by name."""

    def arguments(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "_form_submitted"}


class ReasonForm(StepForm):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget())


class MomentField(forms.DateTimeField):
    """A moment, chosen with the browser's own picker: the dialogs load no scripts."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(BASE_INPUT_CLASSES)}
        super().__init__(widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs=attrs), **kwargs)


class DayField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "date", "class": " ".join(BASE_INPUT_CLASSES)}
        super().__init__(widget=forms.DateInput(format="%Y-%m-%d", attrs=attrs), **kwargs)


def line(**kwargs: Any) -> forms.CharField:
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **kwargs)


def text(**kwargs: Any) -> forms.CharField:
    return forms.CharField(widget=UnfoldAdminTextareaWidget(), **kwargs)


def whole_number(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget(), **kwargs)


def amount(**kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(max_digits=15, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget(), **kwargs)


def choice(choices: Iterable[tuple[str, str]], **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=list(choices), widget=UnfoldAdminSelectWidget(), **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`call` is an action, `subject` its keyword for the row, `key` what of the row it takes.

    `machine` and `move`: the button shows only where the table lets staff make that move. `bulk`: also offered for
    selected rows of the list, each of them refused or done on its own; such a step asks for nothing.
    """

    name: str
    title: str
    call: Callable[..., Any]
    subject: str
    key: str = "public_id"
    machine: Machine | None = None
    move: str = ""
    shown: Callable[[Any], bool] | None = None
    description: str = ""
    form: type[StepForm] = StepForm
    icon: str | None = None
    variant: ActionVariant = ActionVariant.DEFAULT
    bulk: bool = False

    @property
    def method(self) -> str:
        """Of the page's class; prefixed, because `exclude` is a word of Django's own."""
        return f"take_{self.name}"

    def is_open(self, row: Any) -> bool:
        """Whether the row's state lets it be taken."""
        if self.machine is not None:
            state = getattr(row, "status", None) or getattr(row, "state", "")
            if str(state) not in self.machine.sources(self.move):
                return False
        return self.shown is None or self.shown(row)

    def consequences(self) -> str:
        """What the dialog says: in the step's own words, or in those of the machine's table."""
        if self.description or self.machine is None:
            return self.description
        effects = {move.effects for move in self.machine.moves.values() if move.action == self.move and move.effects}
        told = "; ".join(sorted(effects))
        return f"This {told}." if told else ""

    def take(self, request: HttpRequest, row: Any, arguments: dict[str, Any]) -> Any:
        """Call the action. Raises DomainError."""
        return self.call(
            actor=actor_of(request), **{self.subject: getattr(row, self.key)}, **arguments, now=timezone.now()
        )


def page_button(step: Step) -> Callable[..., Any]:
    """The step as a button of the row's page."""

    def button(admin: Any, request: HttpRequest, form: StepForm, object_id: str) -> HttpResponse:
        row = admin.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if take(admin, request, step, row, form.arguments()):
            admin.message_user(request, f"{row}: {step.title.lower()}, done.", messages.SUCCESS)
        opts = admin.opts
        return HttpResponse(
            headers={"HX-Redirect": reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id])}
        )

    button.__name__ = step.method
    return action(
        description=step.title,
        url_path=step.name,
        permissions=["act"],
        icon=step.icon,
        variant=step.variant,
        dialog={
            "title": step.title,
            "description": step.consequences(),
            "form_class": step.form,
            "form_submit_text": step.title,
        },
    )(button)


def list_action(step: Step) -> Callable[..., Any]:
    """The step for all selected rows of a list."""

    def selected(admin: Any, request: HttpRequest, rows: models.QuerySet[Any]) -> None:
        done = sum(take(admin, request, step, row, {}) for row in rows)
        if done:
            admin.message_user(request, f"{step.title}: {done} done.", messages.SUCCESS)

    selected.__name__ = f"{step.method}_selected"
    return action(description=f"{step.title} selected", permissions=["act"], icon=step.icon)(selected)


def take(admin: Any, request: HttpRequest, step: Step, row: Any, arguments: dict[str, Any]) -> bool:
    """Take a step and say how it went. A refusal is an answer, not a failure."""
    try:
        step.take(request, row, arguments)
    except DomainError as refusal:
        admin.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
        return False
    admin.log_change(request, row, step.title)
    return True
