"""The languages of pages and emails, and their catalogs."""

import json
import re
from dataclasses import replace
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from api.problems import PROBLEMS
from models import (
    ClientScope,
    EmailKind,
    EventType,
    MetadataRules,
    PasswordPolicy,
    Role,
    Scope,
    compile_schema,
    field_rules,
)
from models import errors as domain
from models.services.user_update import RECORDED_FIELDS
from roster.config import EmailSettings
from roster.email.file_backend import html_of, text_of
from roster.email.render import EmailRenderer, Product
from tests.roster.email.conftest import RESET
from tests.support.page_client import PageClient, errors_of
from tests.support.person import NEW_PASSWORD, PASSWORD
from tools import translations
from web import texts
from web.admin.forms import STATUSES
from web.languages import LANGUAGES, catalog

ROSA = {"username": "rosa", "email": "rosa@example.com", "password": NEW_PASSWORD}
OTHERS = [language for language in LANGUAGES if language != "en"]
# A sentence of the sign-in page, and of a rejected form.
SIGN_IN = {"en": "Sign in", "de": "Anmelden", "es": "Iniciar sesión", "fr": "Se connecter"}
MISSING = {
    "en": "Fill in this field.",
    "de": "Füllen Sie dieses Feld aus.",
    "es": "Rellene este campo.",
    "fr": "Remplissez ce champ.",
}
WEAK = [
    "short",
    "aaaaaaaaaaaaaab",
    "qwertyuiop12345",
    "administrador123",
    "password1password1",
    "roster-jane-password-1",
    "correct horse battery staple",
]
# Errors that only the API can cause: of clients, and of requests that pages do not send.
OF_THE_API = (
    domain.FixedSigningKeysChange,
    domain.InvalidClient,
    domain.RolesNotHeld,
    domain.ScopesNotHeld,
    domain.SigningKeyNotFound,
    domain.UnknownAudience,
    domain.RecentAuthenticationRequired,
    domain.Unauthenticated,
)
RULES = [
    field_rules.USERNAME,
    field_rules.EMAIL,
    field_rules.LOGIN,
    field_rules.PASSWORD,
    field_rules.FULL_NAME,
    field_rules.API_KEY_NAME,
    field_rules.CLIENT_NAME,
    field_rules.AUDIENCE,
    field_rules.OTP,
    field_rules.EMAILED_TOKEN,
]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def parsed(language):
    """Return the catalog of a language."""
    with translations.path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def strings(message):
    """Return the translations of a message, of which one with a plural has several."""
    return [*message.string] if message.pluralizable else [message.string]


def source_of(message):
    """Return the English text of a message, in the singular."""
    return message.id[0] if message.pluralizable else message.id


def names_in(text):
    """Return the placeholders of a text, in order of the alphabet."""
    return sorted(PLACEHOLDER.findall(text))


def get(browser, path, languages):
    """Open a page with a browser that prefers these languages."""
    return browser.get(path, headers={"Accept-Language": languages})


def errors_without_arguments(kind=domain.AccountError):
    """Return the texts of the errors of the domain that are always the same."""
    found = []
    for each in kind.__subclasses__():
        if each.__init__ is not domain.InvalidField.__init__ and not issubclass(
            each, domain.TooManyRequests | domain.InvalidField
        ):
            found += [] if each in OF_THE_API else [str(each())]
        found += errors_without_arguments(each)
    return found


def reason(password):
    """Return why a password is rejected."""
    with pytest.raises(domain.WeakPassword) as rejected:
        PasswordPolicy().validate(password, "jane", "jane@example.com")
    return str(rejected.value)


@pytest.fixture
def in_german(app):
    """Show pages in German."""
    with app.test_request_context(headers={"Accept-Language": "de"}):
        yield


@pytest.mark.parametrize("language", OTHERS)
class TestCatalogs:
    def test_complete(self, language):
        """Each text is translated, and no other one is; if this fails, run `make translations`."""
        found = parsed(language)
        expected = {text if isinstance(text, str) else text[0] for text in translations.extract()}
        known = {source_of(message) for message in found if message.id}

        assert known == expected
        assert translations.missing(found) == []

    def test_placeholders(self, language):
        """A translation has the placeholders of its text, so that it can be filled in."""
        differing = [
            message.id
            for message in parsed(language)
            for text in strings(message)
            if message.id and names_in(text) != names_in(source_of(message))
        ]

        assert differing == []

    def test_no_markup(self, language):
        """A translation is text: it has no tags, and no percent sign but those of placeholders."""
        faulty = [
            text
            for message in parsed(language)
            for text in strings(message)
            if message.id and re.search(r"[<>{}]|%(?!\(\w+\)s)", text)
        ]

        assert faulty == []

    def test_reviewed(self, language):
        """No translation is marked as a guess."""
        assert [message.id for message in parsed(language) if message.fuzzy] == []

    def test_compiled(self, language):
        """The compiled catalog is that of the text; if this fails, run `make translations`."""
        expected = GNUTranslations(BytesIO(translations.compiled(parsed(language))))
        ids = [source_of(message) for message in parsed(language) if message.id]

        assert [catalog(language).gettext(id) for id in ids] == [expected.gettext(id) for id in ids]


class TestLanguageOfPages:
    @pytest.mark.parametrize(
        "accepted, language",
        [
            ("de", "de"),
            ("de-CH, en;q=0.5", "de"),
            ("fr-CA", "fr"),
            ("es-419,es;q=0.9", "es"),
            ("es;q=0.3, de;q=0.9", "de"),
            ("pl, fr;q=0.2", "fr"),
            ("en-US, de;q=0.9", "en"),
            ("de;q=0, fr;q=0.1", "fr"),
            ("DE_at", "en"),
            ("pl", "en"),
            ("", "en"),
            ("*", "en"),
            ("de;q=x, ;;;,\u00e4", "en"),
            ("../../etc/passwd", "en"),
        ],
    )
    def test_accepted(self, tableless_browser, accepted, language):
        """A page is in the language that the browser prefers of those that there are."""
        page = get(tableless_browser, "/sign-in", accepted)

        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{SIGN_IN[language]}</h1>" in page.text

    def test_setting(self, make_app):
        """ROSTER_LANGUAGE is the language for browsers that prefer none of ours."""
        browser = PageClient(make_app(language="fr"))

        assert '<html lang="fr">' in get(browser, "/sign-in", "pl").text
        assert '<html lang="fr">' in browser.get("/sign-in").text
        assert '<html lang="en">' in get(browser, "/sign-in", "en").text

    def test_caches(self, tableless_browser):
        """CVE-2023-30861: no cache shows a page in the language of another browser."""
        assert "Accept-Language" in tableless_browser.get("/sign-in").headers["Vary"]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_error(self, tableless_browser, language):
        """The errors of a form are in the language of the page."""
        page = get(tableless_browser, "/sign-in", language)
        form = {"csrf_token": tableless_browser.token_of(page), "login": "", "password": ""}
        rejected = tableless_browser.post("/sign-in", form, headers={"Accept-Language": language})

        assert errors_of(rejected)["login"] == MISSING[language]

    def test_notice(self, browser, jane):
        """What was done is said in the language of the next page."""
        browser.sign_in("jane", PASSWORD)
        browser.send("/account", do="profile", full_name="Jane Doe")

        assert "Ihr Profil ist gespeichert." in get(browser, "/account", "de").text

    def test_error_page(self, janes_browser):
        """A page of an error is in the language, too."""
        page = get(janes_browser, "/account/nothing", "de")

        assert page.status_code == 404
        assert "Unter dieser Adresse gibt es nichts." in page.text

    def test_api(self, client):
        """The API is in English."""
        response = client.get("/v1/users/me", headers={"Accept-Language": "de"})

        assert response.json["title"] == PROBLEMS["unauthenticated"].title

    def test_scripts(self, tableless_browser):
        """What scripts show is in the language of the page."""
        assert 'data-show="Passwort anzeigen"' in get(tableless_browser, "/sign-in", "de").text

    @pytest.mark.parametrize("path", ["/problems", "/problems/not-found"])
    def test_documentation(self, tableless_browser, path):
        """The explanations of the API's errors are in English, and say so."""
        headers = {"Accept": "text/html", "Accept-Language": "de"}

        assert '<html lang="en">' in tableless_browser.get(path, headers=headers).text


class TestLanguageOfUsers:
    @pytest.mark.parametrize(
        "locale, language",
        [("de", "de"), ("de-CH", "de"), ("es-419", "es"), ("pl", "fr"), ("x-de", "fr")],
    )
    def test_locale(self, janes_browser, jane, locale, language):
        """A page is in the language of its user, else in that of the browser."""
        jane.patch("/v1/users/me", json={"locale": locale})

        assert f'<html lang="{language}">' in get(janes_browser, "/account", "fr").text

    def test_without_one(self, janes_browser):
        """Without one, the browser decides."""
        assert '<html lang="fr">' in get(janes_browser, "/account", "fr").text

    def test_costs_nothing(self, janes_browser, jane, database_calls):
        """The language comes with the user: no further round trip."""
        with database_calls() as without:
            janes_browser.get("/account")
        jane.patch("/v1/users/me", json={"locale": "de"})
        with database_calls() as with_one:
            janes_browser.get("/account")

        assert with_one == without

    def test_errors(self, janes_browser, jane):
        """The errors of its forms, and pages of errors, are in the language of the user."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        rejected = janes_browser.send("/account/data", do="delete", username="")
        absent = janes_browser.send("/account", do="nothing")

        assert errors_of(rejected)["username"] == MISSING["de"]
        assert '<html lang="de">' in absent.text

    def test_after_signing_in(self, browser, jane):
        """The first page after signing in is in the language of the user."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        browser.sign_in("jane", PASSWORD)

        assert '<html lang="de">' in browser.get("/account").text

    def test_after_signing_out(self, janes_browser, jane):
        """After signing out, the browser decides."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        janes_browser.send("/sign-out")

        assert '<html lang="fr">' in get(janes_browser, "/sign-in", "fr").text

    def test_in_place_of_another(self, janes_browser, jane, eve):
        """The language of a user does not stay for the next one of the browser."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        janes_browser.send("/sign-out")
        janes_browser.sign_in("eve", PASSWORD)

        assert '<html lang="en">' in janes_browser.get("/account").text

    def test_documentation(self, janes_browser, jane):
        """The explanations of the API's errors are in English for every user."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        page = janes_browser.get("/problems", headers={"Accept": "text/html"})

        assert '<html lang="en">' in page.text

    def test_check_of_passwords(self, janes_browser, jane):
        """While a password is typed, the sentence is in the language of the page."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        page = janes_browser.get("/account/password")
        [check] = set(re.findall(r'data-check="\.\./(password-check[^"]*)"', page.text))
        form = {"csrf_token": janes_browser.token_of(page), "password": "x"}
        answer = janes_browser.post(f"/{check}", form)

        assert check == "password-check?language=de"
        assert answer.json["text"].startswith("Ein Passwort hat mindestens")

    @pytest.mark.parametrize("query", ["", "?language=", "?language=../de", "?language=pl"])
    def test_unknown_language_of_a_check(self, tableless_browser, query):
        """Another language than ours is ignored."""
        token = tableless_browser.token_of(tableless_browser.get("/sign-up"))
        form = {"csrf_token": token, "password": "x"}
        headers = {"Accept-Language": "fr"}
        answer = tableless_browser.post(f"/password-check{query}", form, headers=headers)

        assert answer.json["text"].startswith("Un mot de passe")

    @pytest.mark.parametrize("accepted, locale", [("de-CH,en;q=0.5", "de"), ("pl", "en")])
    def test_sign_up(self, app, browser, accepted, locale):
        """A new user has the language of the page that it signed up at."""
        form = {"csrf_token": browser.token_of(browser.get("/sign-up")), **ROSA}
        response = browser.post("/sign-up", form, headers={"Accept-Language": accepted})

        assert response.status_code == 303
        with app.app_context():
            assert app.extensions["roster"].accounts.find("rosa").locale == locale


class TestEmailsToUsers:
    @pytest.fixture
    def client(self, email_app):
        """Return a client of a service that sends emails."""
        return email_app.test_client()

    @pytest.fixture
    def texts_to(self, sent_emails):
        """Return the texts of the emails to an address."""
        return lambda address: [email.text for email in sent_emails() if email.to == address]

    def test_request(self, client, jane, texts_to):
        """An email is in the language of the user, whatever the request for it prefers."""
        jane.patch("/v1/users/me", json={"locale": "de"})
        body = {"email": "jane@example.com"}
        client.post("/v1/password-resets", json=body, headers={"Accept-Language": "fr"})

        assert [text.partition("\n")[0] for text in texts_to("jane@example.com")] == ["Guten Tag,"]

    def test_new_address(self, jane, texts_to):
        """The email to a new address is in the language of the user, too."""
        jane.patch("/v1/users/me", json={"locale": "es"})
        jane.patch("/v1/users/me", json={"email": "jane@example.org"})

        assert [text.partition("\n")[0] for text in texts_to("jane@example.org")] == ["Hola:"]

    def test_address_of_another_user(self, jane, eve, edit_row, texts_to):
        """A notice to the owner of an address is in the language of that user."""
        edit_row(eve, locale="fr", email_verified=True)
        jane.patch("/v1/users/me", json={"locale": "de"})
        jane.patch("/v1/users/me", json={"email": "eve@example.com"})

        assert [text.partition("\n")[0] for text in texts_to("eve@example.com")] == ["Bonjour eve,"]

    def test_change(self, john, jane, edit_row, texts_to):
        """A notice is in the language that the same change has set."""
        edit_row(jane, locale="fr", email_verified=True)
        john.patch(jane.path, json={"locale": "de", "roles": []})

        assert [text.partition("\n")[0] for text in texts_to("jane@example.com")] == [
            "Guten Tag jane,"
        ]


# A schema of a field of the metadata, and a value that does not match it.
MISMATCHES = [
    ({"type": "string"}, 1),
    ({"type": ["string", "integer"]}, None),
    ({"enum": ["light", "dark"]}, 3),
    ({"enum": ["a", "b", "c", "d"]}, 3),
    ({"const": "x"}, "y"),
    ({"minLength": 1}, ""),
    ({"minLength": 3}, "x"),
    ({"maxLength": 1}, "xx"),
    ({"maxLength": 2}, "xxx"),
    ({"minimum": 3}, 1),
    ({"maximum": 2}, 3),
    ({"exclusiveMinimum": 3}, 3),
    ({"exclusiveMaximum": 2}, 2),
    ({"multipleOf": 3}, 4),
    ({"minItems": 1}, []),
    ({"minItems": 2}, [1]),
    ({"maxItems": 1}, [1, 2]),
    ({"maxItems": 2}, [1, 2, 3]),
    ({"uniqueItems": True}, [1, 1]),
    ({"minProperties": 1}, {}),
    ({"minProperties": 2}, {}),
    ({"maxProperties": 0}, {"a": 1}),
    ({"maxProperties": 1}, {"a": 1, "b": 2}),
    ({"format": "date"}, "x"),
    ({"pattern": "^x"}, "y"),
    ({"anyOf": [{"type": "string"}]}, 1),
    ({"oneOf": [{"type": "string"}]}, 1),
    ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1),
    ({"contains": {"type": "string"}}, [1]),
    (False, 1),
    ({"required": ["a"]}, {}),
    ({"additionalProperties": False}, {"a": 1}),
]


class TestTextsOfTheDomain:
    @pytest.mark.parametrize("text", dict.fromkeys(errors_without_arguments()))
    def test_errors(self, in_german, text):
        """Each error that a page can show has a translation."""
        assert texts.error_text(text) != text

    @pytest.mark.parametrize("text", dict.fromkeys(rule.requirement for rule in RULES))
    def test_rules(self, in_german, text):
        """Each rule of a field of a page has a translation."""
        assert texts.error_text(text) != text

    @pytest.mark.parametrize("password", WEAK)
    def test_passwords(self, in_german, password):
        """Each reason why a password is rejected has a translation, with its values."""
        assert re.search("Passwort|Passwörter", texts.error_text(reason(password)))

    def test_values(self, in_german):
        """The values of an error are kept."""
        text = str(domain.TooManyAttempts(42))

        assert texts.error_text(text) == (
            "Zu viele Anmeldeversuche. Versuchen Sie es in 42 Sekunden noch einmal."
        )

    def test_hostile_value(self, in_german):
        """A value is no format: it is shown as it is."""
        text = texts.error_text("It is no JSON object: %(x)s {0} %s\nUse at most 5 characters.")

        assert text == "Das ist kein JSON-Objekt: %(x)s {0} %s\nUse at most 5 characters."

    @pytest.mark.parametrize("address", ["jane", "a@b", "a..b@example.com", "a@b@c", "a@exa mple"])
    def test_addresses(self, tableless_browser, address):
        """The reasons of the library that checks addresses are translated or replaced."""
        form = {"csrf_token": tableless_browser.token_of(tableless_browser.get("/sign-up"))}
        fields = {**form, "email": address, "username": "rosa", "password": ""}
        page = tableless_browser.post("/sign-up", fields, headers={"Accept-Language": "de"})

        assert re.search("E-Mail-Adresse|@-Zeichen", errors_of(page)["email"])

    @pytest.mark.parametrize(("schema", "value"), MISMATCHES)
    def test_metadata(self, in_german, schema, value):
        """What does not match the operator's schema is translated, and named by its place."""
        described = {"properties": {"metadata": {"properties": {"x": schema}}}}
        rules = MetadataRules(compile_schema(json.dumps(described).encode()))
        [fault] = rules.faults_of({"metadata": {"x": value}})
        text = texts.error_text(texts.TextAt("/x", str(fault)))

        assert re.match("/x: (Es|Das|Erwartet|Keines) ", text), text

    @pytest.mark.parametrize("field", RECORDED_FIELDS)
    def test_changed_fields(self, field):
        """Each field that events name has a name for people."""
        assert field in texts._VALUES

    @pytest.mark.parametrize("value", [*EventType, *STATUSES, *Role, *Scope])
    def test_names(self, in_german, value):
        """Each type of event, status, role and scope has a name for people."""
        assert texts.value_text(value) != value or value in ("admin", "user")

    @pytest.mark.parametrize("scope", ClientScope)
    def test_client_scopes(self, in_german, scope):
        """Each scope of a client is explained."""
        assert texts.client_scope_text(scope).startswith(f"{scope}: ")

    def test_api_terms(self, in_german):
        """Pages do not name fields, methods and URLs of the API."""
        shown = [*texts._INSTEAD.values(), *texts._SAME, *texts._PATTERNS]

        assert [text for text in shown if "`" in text or "/v1" in text] == []


@pytest.mark.parametrize("language", OTHERS)
class TestEmails:
    @pytest.mark.parametrize("kind", EmailKind)
    def test_every_kind(self, language, kind):
        """Each email is in the language of the setting: subject, text and HTML."""
        email = replace(RESET, kind=kind, detail="X", count=3, hours=2)
        english = EmailRenderer(EmailSettings()).compose(email)
        message = EmailRenderer(EmailSettings(), Product(language=language)).compose(email)
        lines = set(text_of(english).splitlines()) & set(text_of(message).splitlines())

        assert message["Subject"] != english["Subject"]
        assert f'<html lang="{language}">' in html_of(message)
        assert {line for line in lines if " " in line.strip()} == {"Roster, http://127.0.0.1:8080"}

    def test_outside_ascii(self, language):
        """The raw email is ASCII, the subject included."""
        message = EmailRenderer(EmailSettings(), Product(language=language)).compose(RESET)

        assert message.as_bytes().isascii()
        assert message["Subject"] == catalog(language).gettext("Reset your password")
