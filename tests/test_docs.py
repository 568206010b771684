"""What is written is checked: pages against the code, examples by running them."""

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import flask_pynamodb
from api.problems import PROBLEMS
from flask_pynamodb.settings import DEFAULTS
from models import EventType, db
from roster.config import Config
from roster.config.secret_keys import weakness
from tests.support.documents import DOCS, ROOT, blocks, code, rows
from tests.support.engine import local_engine
from tests.support.process_harness import ProcessHarness
from tests.support.secret_key import SECRET_KEY

EXTENSION = ROOT / "flask_pynamodb"
QUICKSTART = EXTENSION / "README.md"
GUIDES = sorted((EXTENSION / "docs").glob("*.md"))
PAGES = [
    *ROOT.glob("*.md"),
    *DOCS.glob("*.md"),
    *DOCS.glob("how-to/*.md"),
    *EXTENSION.glob("*.md"),
    *GUIDES,
]
PATIENCE = 120


def program(page: Path) -> str:
    """The Python blocks as one program, each line where it stands on the page."""
    kept, is_code = [], False
    for line in page.read_text().splitlines():
        is_code = line != "```" if is_code else line == "```python"
        kept.append(line if is_code and line != "```python" else "")
    return "\n".join(kept)


def run_program(*pages: Path) -> None:
    """Run the Python blocks of pages as one program, each line where it stands on its page."""
    names = {"__name__": "todo"}
    for page in pages:
        exec(compile(program(page), page, "exec"), names)


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to, included pages and all."""
    text = page.read_text()
    for name in re.findall(r"^```\{include\} (.+)$", text, re.MULTILINE):
        text += (page.parent / name).read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def keys_of(model: Any) -> tuple[str | None, ...]:
    """A table's name without its prefix, its partition key and its sort key if it has one."""
    keys = model._hash_key_attribute(), model._range_key_attribute()
    return (model.Meta.table_name, *(key and key.attr_name for key in keys))


SETTINGS = {
    code(row[0]): row
    for row in rows(DOCS / "configuration.md")
    if len(row) == 4 and row[0].startswith(("`ROSTER_", "`DYNAMODB_"))
}
# Some settings are only taken together with others.
_NEEDED_TOO = {
    "DYNAMODB_READ_CAPACITY_UNITS": ["DYNAMODB_WRITE_CAPACITY_UNITS"],
    "DYNAMODB_WRITE_CAPACITY_UNITS": ["DYNAMODB_READ_CAPACITY_UNITS"],
    "ROSTER_SMTP_HOST": ["ROSTER_MAIL_FROM", "ROSTER_PUBLIC_URL"],
    "ROSTER_SMTP_USERNAME": ["ROSTER_SMTP_PASSWORD"],
    "ROSTER_SMTP_PASSWORD": ["ROSTER_SMTP_USERNAME"],
}


@pytest.fixture
def bare_environment(monkeypatch) -> None:
    """No setting but the one that has no default."""
    for name in list(os.environ):
        if name.startswith(("ROSTER_", "DYNAMODB_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ROSTER_SECRET_KEY", SECRET_KEY)


@pytest.fixture(scope="class")
def base(tmp_path_factory) -> Iterator[str]:
    """The address of a service with demo data."""
    stage = ProcessHarness(tmp_path_factory.mktemp("service"), is_covered=False)
    yield f"http://127.0.0.1:{stage.serve().port}"
    stage.close()


def run(*command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the project's folder to its end."""
    return subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


class TestConfiguration:
    def test_committed_tables_are_current(self):
        """The tables of settings are generated; if not: python docs/_scripts/write_settings.py."""
        writer = runpy.run_path(str(DOCS / "_scripts" / "write_settings.py"))

        for path in writer["PATHS"]:
            assert path.read_text() == writer["render"](path)

    def test_every_setting_has_a_row(self, bare_environment):
        """The tables have every variable that the service reads."""
        read = {one.variable for one, _ in Config.from_env().by_setting()}

        assert read == SETTINGS.keys()

    def test_every_secret_is_listed(self, bare_environment):
        """The section about files lists exactly the settings that may be in files."""
        text = (DOCS / "configuration.md").read_text()
        sentence = re.search(r"^Secrets are (.*)\.$", text, re.MULTILINE)[1]
        secrets = {one.variable for one, _ in Config.from_env().by_setting() if one.is_secret}

        assert set(re.findall(r"`(\w+)`", sentence)) == secrets

    def test_environment_example(self):
        """Every name in .env.example is a documented setting."""
        lines = (ROOT / ".env.example").read_text().splitlines()
        names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}

        assert names
        assert names <= set(SETTINGS)

    def test_every_key_of_the_extension_is_named(self):
        """A key that is not read from the environment is named all the same."""
        text = (DOCS / "configuration.md").read_text()

        assert [key for key in DEFAULTS if f"`{key}`" not in text] == []

    def test_defaults_are_those_of_the_code(self, bare_environment, monkeypatch):
        """Setting every variable to its documented default changes nothing."""
        bare = Config.from_env()
        for name, row in SETTINGS.items():
            if code(row[1]) is not None:
                monkeypatch.setenv(name, code(row[1]))

        assert Config.from_env() == bare

    @pytest.mark.parametrize("name", SETTINGS)
    def test_example_is_accepted(self, bare_environment, monkeypatch, name):
        """Every example is a value that the setting can have."""
        for given in {name, *_NEEDED_TOO.get(name, ())}:
            monkeypatch.setenv(given, code(SETTINGS[given][2]))

        # The public example of a secret key must not start a service.
        assert Config.from_env(local=name == "ROSTER_SECRET_KEY")


class TestErrors:
    def test_committed_page_is_current(self):
        """docs/errors.md is the registry; if not: python docs/_scripts/write_errors.py."""
        writer = runpy.run_path(str(DOCS / "_scripts" / "write_errors.py"))

        assert writer["PATH"].read_text() == writer["render"]()

    def test_every_problem_has_an_anchor(self):
        """`errors.md#email-taken` leads to the explanation of that problem."""
        assert PROBLEMS.keys() <= anchors(DOCS / "errors.md")


class TestRestReference:
    def test_committed_page_is_current(self):
        """The page is current; if not: python docs/_scripts/write_rest_reference.py."""
        writer = runpy.run_path(str(DOCS / "_scripts" / "write_rest_reference.py"))

        assert writer["PATH"].read_text() == writer["render"]()

    def test_every_operation_is_described(self):
        """Every operation of the API is on the page."""
        paths = json.loads((ROOT / "openapi" / "openapi.json").read_text())["paths"]
        described = re.findall(r"^([A-Z]+ /\S*)$", (DOCS / "rest-api.md").read_text(), re.MULTILINE)

        assert sorted(described) == sorted(
            f"{method.upper()} {path}"
            for path in paths
            for method in paths[path].keys() - {"parameters"}
        )


class TestArchitecture:
    @pytest.mark.parametrize(
        "package",
        [
            "roster",
            "web",
            "api",
            "models",
            "models/services",
            "models/tables",
            "models/security",
            "flask_pynamodb",
        ],
    )
    def test_every_module_has_a_line(self, package):
        """The list of modules has exactly the modules of each package."""
        modules = blocks(DOCS / "architecture.md", "text")[0]
        section = re.search(rf"^{package}/ .*\n((?: .*\n)+)", modules, re.MULTILINE)
        drawn = set(re.findall(r"^    (\w+\.py)", section[1], re.MULTILINE))
        built = {path.name for path in (ROOT / package).glob("*.py")}

        assert drawn - {"__init__.py"} == built - {"__init__.py"}

    def test_every_table_has_a_row(self):
        """Every table has a row with its keys."""
        told = {tuple(map(code, row[:3])) for row in rows(DOCS / "architecture.md")}

        assert {keys_of(model) for model in db.models} <= told

    def test_every_event_is_named(self):
        """Every type of audit event is named."""
        text = (DOCS / "architecture.md").read_text()

        assert [type.value for type in EventType if f"`{type.value}`" not in text] == []


class TestContributing:
    def test_every_target_is_listed(self):
        """A new target of make needs a row in CONTRIBUTING.md."""
        targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
        listed = [code(row[0]) for row in rows(ROOT / "CONTRIBUTING.md")]

        assert {f"make {target}" for target in targets} == {
            name for name in listed if name.startswith("make ")
        }


class TestExtension:
    def test_reference_has_every_name(self):
        """What the extension exports is in the reference."""
        text = (DOCS / "api-reference.md").read_text()

        assert [name for name in flask_pynamodb.__all__ if name not in text] == []

    @pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
    def test_program_runs(self, monkeypatch, page):
        """The Python blocks of a page continue the quickstart, and their assertions pass."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")

        # The program names its tables itself, so it has an engine of its own.
        with local_engine() as engine:
            monkeypatch.setenv("DYNAMODB_HOST", engine.host)
            run_program(QUICKSTART, page)

    def test_every_page_is_listed(self):
        """The README leads to each page of the folder, and the site has each."""
        listed = re.findall(r"^\| \[.*\]\(docs/(.+)\.md\)", QUICKSTART.read_text(), re.MULTILINE)
        on_site = {page.stem for page in (DOCS / "extension").glob("*.md")}

        assert sorted(listed) == [page.stem for page in GUIDES]
        assert on_site == {*listed, "changelog"}


class TestSessions:
    def test_tour_can_be_repeated(self, base):
        """docs/_scripts/curl-session.sh runs to its end, and leaves things as they were."""
        tour = DOCS / "_scripts" / "curl-session.sh"
        first, second = run(tour, BASE=base), run(tour, BASE=base)

        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr

    def test_tour_stops_at_a_wrong_status(self, base):
        """An answer that is not as it should be ends the tour and is shown."""
        answer = run(DOCS / "_scripts" / "curl-session.sh", BASE=f"{base}/nowhere")

        assert answer.returncode == 1
        assert "expected 201" in answer.stderr
        assert "/problems/not-found" in answer.stderr

    @pytest.fixture
    def readme(self):
        """The session in README.md."""
        text = (ROOT / "README.md").read_text()
        return re.search(r"<!-- session -->\n```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]

    def test_session_of_the_readme(self, base, readme):
        """The session runs to its end twice, and each response is a line of its own."""
        answers = [run("bash", "-euo", "pipefail", "-c", readme, BASE=base) for _ in range(2)]

        assert [answer.returncode for answer in answers] == [0, 0], answers
        documents = [json.loads(line) for line in answers[0].stdout.split("\n") if line]
        assert len(documents[0]["items"]) == 2
        assert documents[1]["full_name"] == "Ada Lovelace"

    def test_interrupted_session_of_the_readme(self, base, readme):
        """After an interruption the session can be repeated."""
        begun, _, _ = readme.partition("ETAG=")
        answers = [
            run("bash", "-euo", "pipefail", "-c", session, BASE=base) for session in (begun, readme)
        ]

        assert [answer.returncode for answer in answers] == [0, 0], answers

    def test_error_in_the_readme(self, base, readme):
        """An error shows what is wrong, and not a traceback."""
        session = readme.replace("correct horse", "wrong horse")
        answer = run("bash", "-euo", "pipefail", "-c", session, BASE=base)

        assert answer.returncode != 0
        assert "/problems/invalid-credentials" in answer.stderr
        assert "Traceback" not in answer.stderr

    def test_guide_to_accounts(self, base):
        """The examples of docs/accounts.md are one session, which runs to its end twice."""
        session = "".join(blocks(DOCS / "accounts.md", "bash"))
        answers = [run("bash", "-euo", "pipefail", "-c", session, BASE=base) for _ in range(2)]

        assert [answer.returncode for answer in answers] == [0, 0], answers

    def test_guide_to_invitations(self, base):
        """The examples of docs/invitations.md are one session, which runs to its end twice."""
        session = "".join(blocks(DOCS / "invitations.md", "bash"))
        answers = [run("bash", "-euo", "pipefail", "-c", session, BASE=base) for _ in range(2)]

        assert [answer.returncode for answer in answers] == [0, 0], answers

    def test_health_check_of_the_container(self, base):
        """The image's health check finds a service that lives, and misses one that does not."""
        check = re.search(r'CMD \["python", "-c", "(.*)"\]', (ROOT / "Dockerfile").read_text())[1]
        live = check.replace("http://127.0.0.1:8080", base)
        dead = check.replace("8080", "9")

        assert run(sys.executable, "-c", live).returncode == 0
        assert run(sys.executable, "-c", dead).returncode == 1


class TestContainer:
    def test_what_is_copied_is_there(self):
        """Every source of a COPY exists, and .dockerignore lets it through."""
        copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
        sources = " ".join(copies).split()
        let_through = (ROOT / ".dockerignore").read_text().splitlines()

        assert sources
        assert [name for name in sources if not (ROOT / name).exists()] == []
        assert [name for name in sources if f"!{name}" not in let_through] == []

    def test_installs_as_make_does(self):
        """The image is built from the same lock by the same commands, but not editable."""
        made = re.findall(r"pip (install .+)", (ROOT / "Makefile").read_text())
        built = re.findall(r"pip (install .+)", (ROOT / "Dockerfile").read_text())

        assert built[:2] == [command.replace(" -e .", " .") for command in made[:2]]

    def test_compose_sets_what_there_is(self):
        """compose.yaml names no setting that the service does not have."""
        compose = yaml.safe_load((ROOT / "compose.yaml").read_text())

        names = {
            name.removesuffix("_FILE")
            for service in compose["services"].values()
            for name in service.get("environment", ())
        }
        assert names <= SETTINGS.keys()

    def test_compose_pins_its_images(self):
        """Images of other projects have a version; ROSTER_IMAGE replaces ours."""
        compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
        images = {service["image"] for service in compose["services"].values()}

        assert "${ROSTER_IMAGE:-roster}" in images
        assert [
            image
            for image in images - {"${ROSTER_IMAGE:-roster}"}
            if not re.search(r":v?\d+\.\d+\.\d+$", image)
        ] == []

    def test_compose_publishes_on_loopback_only(self):
        """Other computers reach no port, since the demo users have a public password."""
        compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
        ports = [port for one in compose["services"].values() for port in one.get("ports", ())]

        assert ports
        assert [port for port in ports if not port.startswith("127.0.0.1:")] == []

    def test_compose_creates_a_secret_key(self, tmp_path):
        """L1: the service of compose.yaml has a random key of its own, which stays."""
        compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
        command = [
            part.replace("$$", "$") for part in compose["services"]["secret-key"]["entrypoint"]
        ]
        file = tmp_path / "secret-key"
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        keys = []
        for _ in range(2):
            environment = {"PATH": path, "ROSTER_SECRET_KEY_FILE": str(file)}
            subprocess.run(command, check=True, env=environment)
            keys.append(file.read_text().strip())

        assert keys[0] == keys[1]
        assert weakness(keys[0]) is None


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_links_lead_somewhere(self, page):
        """Every link inside the project leads to a file, and to a heading if it names one."""
        links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text())
        targets = [((page.parent / path).resolve() if path else page, anchor)
                   for path, anchor in links]  # fmt: skip

        assert [str(path) for path, _ in targets if not path.exists()] == []
        assert [anchor for path, anchor in targets if anchor and anchor not in anchors(path)] == []

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_included_files_exist(self, page):
        """Every file that a page includes is there."""
        included = re.findall(r"^```\{(?:literal)?include\} (.+)$", page.read_text(), re.M)

        assert [name for name in included if not (page.parent / name).is_file()] == []
