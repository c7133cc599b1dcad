"""The page on which people let a program know who they are, and the way to the frontend's login from there."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode, urljoin

from allauth.idp.oidc.forms import AuthorizationForm
from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import AuthorizationView
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


class Consent(AuthorizationForm):
    """Programs are told the address that somebody logs in with: of another one allauth would keep a plain copy."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.pop("email", None)


class Authorization(AuthorizationView):
    """allauth's, with a page of ours. A program that cannot keep a secret proves with PKCE that it is the one
    that asked, and with S256: in plain, whoever sees the question has the answer (RFC 7636, 7.2)."""

    form_class = Consent
    template_name = "console/authorize.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        public = Client.objects.filter(pk=request.GET.get("client_id", ""), type=Client.Type.PUBLIC).exists()
        if public and (not request.GET.get("code_challenge") or request.GET.get("code_challenge_method") != "S256"):
            return HttpResponseBadRequest("Public clients need PKCE with S256.", content_type="text/plain")
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.nonce = secrets.token_urlsafe(16)
        return {**super().get_context_data(**kwargs), "nonce": self.nonce}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **options)
        response["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'nonce-{self.nonce}'; img-src data:; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        response["Cache-Control"] = "no-store"
        return response


authorization = Authorization.as_view()


def frontend_login(request: HttpRequest) -> HttpResponse:
    """To the frontend's page, which comes back to where somebody had to log in: on this server alone."""
    wanted = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    query = f"?{urlencode({'next': urljoin(settings.SERVER_URL, wanted)})}" if ours else ""
    return HttpResponseRedirect(f"{settings.FRONTEND_URL}/login{query}")
