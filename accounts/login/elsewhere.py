"""Logging in with what another provider has signed."""

from __future__ import annotations

from typing import Any

from allauth.headless.adapter import get_adapter
from allauth.headless.socialaccount import views
from allauth.headless.socialaccount.inputs import ProviderTokenInput as StockInput


class ProviderTokenInput(StockInput):
    def clean(self) -> Any:
        """As allauth's, for whom a token that names no key is a bug of its own."""
        try:
            return super().clean()
        except (KeyError, TypeError, ValueError) as error:
            raise get_adapter().validation_error("invalid_token") from error


class ProviderTokenView(views.ProviderTokenView):
    input_class = ProviderTokenInput
