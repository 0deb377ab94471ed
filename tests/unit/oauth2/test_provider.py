"""What a provider says, and whether to try again, to ask a person, or to look at the configuration."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.servers.place import NAMES, sign

from mailrules.api import OptionsError, PersonNeeded, Secret, TokenCredential, Transient, build_options
from mailrules.builtin.oauth2.options import OAuth2Options

SPENT = {"access": "old", "refresh": "refresh-1", "obtained": 1.0, "expires": 2.0}

REFUSALS = {
    "unwell": ((503, b"<html>down</html>"), Transient, "status 503: <html>down</html>"),
    "unwell, says so": ((500, {"error": "server_error", "error_description": "oops"}), Transient, "server_error: oops"),
    "not now": ((400, {"error": "temporarily_unavailable"}), Transient, "temporarily_unavailable"),
    "too often": ((429, {"error": "x"}, {"Retry-After": "7"}), Transient, "x"),
    "no JSON": ((200, b"<html>"), Transient, "its answer is no JSON"),
    "no token": ((200, {"token_type": "Bearer"}), Transient, "it gives no access token"),
    "not for mail": ((200, {"access_token": "t", "token_type": "mac"}), Transient, "a token of type 'mac'"),
    "endless": ((200, b" " * 2_000_000), Transient, "its answer is too large"),
    "dripping": (("drip", b""), Transient, "no whole answer within 1 s"),
    "dripping headers": (("drip header", b""), Transient, "no whole answer within 1 s"),
    "revoked": ((400, {"error": "invalid_grant", "error_description": "gone"}), PersonNeeded, "invalid_grant: gone"),
    "consent withdrawn": ((400, {"error": "consent_required"}), PersonNeeded, "cannot log in: consent_required"),
    "client unknown": ((401, {"error": "invalid_client"}), PersonNeeded, "invalid_client"),
    "scope unknown": (
        (400, {"error": "invalid_scope", "error_description": "imp"}),
        PersonNeeded,
        "invalid_scope: imp",
    ),
    "several lines": (
        (400, {"error": "invalid_grant", "error_description": "a\r\nb"}),
        PersonNeeded,
        "invalid_grant: a b",
    ),
    "echoes the secret": (
        (400, {"error": "invalid_grant", "error_description": "refresh-1 is bad"}),
        PersonNeeded,
        "invalid_grant: *** is bad",
    ),
}


@pytest.mark.parametrize(("answer", "kind", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_one_line_and_says_whether_to_try_again(made, keep, provider, answer, kind, said):
    provider.answers = [answer]
    keep(**SPENT)
    with pytest.raises(kind) as error:
        made().credential()

    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["revoked", "consent withdrawn"])
def test_a_log_in_that_ended_is_remedied_by_another(made, keep, provider, name):
    provider.answers = [REFUSALS[name][0]]
    keep(**SPENT)
    for _ in range(3):
        with pytest.raises(PersonNeeded) as error:
            made().credential()

        assert error.value.remedy == "run: mailrules auth login box"
    assert len(provider.asked) == 1


@pytest.mark.parametrize("name", ["client unknown", "scope unknown"])
def test_a_client_that_is_refused_is_remedied_in_the_configuration(made, keep, provider, name):
    provider.answers = [REFUSALS[name][0]]
    keep(**SPENT)
    with pytest.raises(PersonNeeded) as error:
        made().credential()

    assert error.value.remedy == "check client_id, client_secret, scopes and flow"


def test_the_provider_says_how_long_to_wait(made, keep, provider):
    provider.answers = [REFUSALS["too often"][0]]
    keep(**SPENT)
    with pytest.raises(Transient) as error:
        made().credential()

    assert error.value.after == 7


def test_an_early_renewal_that_fails_is_not_tried_again_at_once(made, keep, provider):
    provider.answers = [(503, b"")]
    now = time.time()
    keep(access="old", refresh="refresh-1", obtained=now - 3500, expires=now + 100)

    assert [made().credential().token.reveal() for _ in range(3)] == ["old"] * 3
    assert len(provider.asked) == 1


def test_a_token_that_is_refused_before_its_end_is_replaced_once_in_ten_minutes(made, keep, provider):
    provider.granting(("token-2", "refresh-2"), ("token-3", "refresh-3"))
    keep(access="old", refresh="refresh-1", obtained=time.time(), expires=time.time() + 3600)
    second = made().renewed(TokenCredential("jo@x.example", Secret.holding("old")))

    assert second.token.reveal() == "token-2"
    assert made().renewed(second) is None
    assert made().renewed(TokenCredential("jo@x.example", Secret.holding("old"))).token.reveal() == "token-2"
    assert len(provider.asked) == 1


def test_a_token_that_only_a_person_can_replace_is_not(made, keep):
    keep(access="old", obtained=time.time(), expires=time.time() + 3600)

    assert made().renewed(made().credential()) is None


DESCRIPTIONS = {
    "no JSON": (b"<html>", "no JSON where the provider should describe itself"),
    "no token endpoint": ({"token_endpoint": None}, "no token_endpoint there"),
    "secrets in the clear": ({"token_endpoint": "http://login.example/token"}, "its token_endpoint is not https"),
    "no address": ({"token_endpoint": "https://[login"}, "its token_endpoint is not https"),
}


@pytest.mark.parametrize(("described", "said"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_provider_that_describes_itself_badly_is_a_matter_of_configuration(made, keep, provider, described, said):
    provider.described = described
    keep(**SPENT)
    with pytest.raises(PersonNeeded) as error:
        made().credential()

    assert said in str(error.value)
    assert "check discovery_url" in error.value.remedy
    assert provider.asked == []


METHODS = {
    "as the standard says": ({}, {}, "header"),
    "what the provider knows": ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, {}, "body"),
    "what is written": ({}, {"client_auth": "post"}, "body"),
}


@pytest.mark.parametrize(("described", "options", "where"), METHODS.values(), ids=METHODS)
def test_the_client_secret_is_shown(made, provider, described, options, where):
    provider.described = described
    made(client_secret="hush-hush", scopes=["imap", "smtp"], **options).credential()
    _, body, header = provider.asked[0]
    form = parse_qs(body)

    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["imap smtp"]
    assert (header.startswith("Basic "), form.get("client_secret")) == (
        (True, None) if where == "header" else (False, ["hush-hush"])
    )


@pytest.fixture
def authority(provider, tmp_path):
    """The provider speaks TLS; gives its authority's certificate."""
    sign(tmp_path, "ca", "an authority")
    sign(tmp_path, "server", "localhost", "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", NAMES)
    provider.encrypt(tmp_path / "server.crt", tmp_path / "server.key")
    return tmp_path / "ca.crt"


def test_the_providers_own_authority_can_be_named(made, keep, authority):
    keep(**SPENT)

    assert made(certificate=authority.name).credential().token.reveal() == "token-1"


def test_an_authority_that_nobody_knows_needs_a_person(made, keep, authority, provider):
    keep(**SPENT)
    with pytest.raises(PersonNeeded, match="the certificate is signed by an unknown authority"):
        made().credential()

    assert provider.asked == []


MISTAKES = {
    "in the clear": ({"discovery_url": "http://login.example/x"}, "'discovery_url' begins with https://"),
    "no address": ({"discovery_url": "https://[x"}, "'discovery_url' begins with https://"),
    "no secret": ({"flow": "client_credentials"}, "needs a 'client_secret'"),
    "no place": ({"tokens": "env:TOKENS"}, "'tokens' is file:PATH or keyring:SERVICE/USER"),
    "back elsewhere": ({"redirect_uri": "https://x.example/callback"}, "'redirect_uri' is on this machine"),
}


@pytest.mark.parametrize(("options", "said"), MISTAKES.values(), ids=MISTAKES)
def test_options_that_can_never_work_are_refused(options, said):
    usual = {"login": "jo", "client_id": "me", "discovery_url": "https://login.example/x"}

    with pytest.raises(OptionsError, match=said):
        build_options(OAuth2Options, usual | options, root=Path())
