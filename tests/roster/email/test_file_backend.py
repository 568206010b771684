"""Emails in a folder, for local mode."""

import stat

import pytest

from roster.email.delivery import DeliveryFailed
from roster.email.file_backend import FileBackend, link_of, text_of
from tests.roster.email.conftest import CHANGED, RESET, TOKEN


@pytest.fixture
def folder_path(tmp_path):
    return tmp_path / "data" / "mail"


@pytest.fixture
def backend(folder_path):
    return FileBackend(folder_path)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestDeliver:
    def test_one_file(self, renderer, backend, folder_path):
        """An email is one file that any email client opens."""
        backend.deliver(renderer.compose(RESET))

        [path] = folder_path.iterdir()
        assert path.suffix == ".eml"
        assert b"Subject: Reset your password" in path.read_bytes()

    def test_file_permissions(self, renderer, backend, folder_path):
        """Other users of the computer cannot read the emails, which give access to accounts."""
        backend.deliver(renderer.compose(RESET))

        assert mode_of(folder_path) == 0o700
        assert [mode_of(path) for path in folder_path.iterdir()] == [0o600]

    def test_printed(self, renderer, backend, folder_path, capsys):
        """The terminal shows the subject, the file and the link."""
        backend.deliver(renderer.compose(RESET))

        [path] = folder_path.iterdir()
        assert capsys.readouterr().out.splitlines() == [
            "Email: Reset your password",
            f"  {path}",
            f"  https://accounts.example.org/reset-password#token={TOKEN}",
        ]

    def test_printed_without_a_link(self, renderer, backend, capsys):
        """An email without a link is shown without one."""
        backend.deliver(renderer.compose(CHANGED))

        assert len(capsys.readouterr().out.splitlines()) == 2

    def test_newest_are_kept(self, renderer, folder_path):
        """The number of files is limited; the oldest are removed."""
        backend = FileBackend(folder_path, kept=3)
        for _ in range(5):
            backend.deliver(renderer.compose(CHANGED))
        backend.deliver(renderer.compose(RESET))

        assert len(list(folder_path.iterdir())) == len(backend.ids()) == 3
        assert backend.find(backend.ids()[0])["Subject"] == "Reset your password"

    def test_other_files_stay(self, renderer, folder_path):
        """Other files in the folder are neither listed nor removed."""
        folder_path.mkdir(parents=True)
        for name in ("notes.txt", "kept.eml"):
            (folder_path / name).write_text("mine")
        backend = FileBackend(folder_path, kept=1)
        for _ in range(3):
            backend.deliver(renderer.compose(CHANGED))

        assert len(backend.ids()) == 1
        assert len(list(folder_path.iterdir())) == 3

    def test_folder_cannot_be_created(self, renderer, tmp_path):
        """A failure to write an email is temporary, as on a full disk."""
        (tmp_path / "file").touch()
        with pytest.raises(DeliveryFailed) as failure:
            FileBackend(tmp_path / "file" / "mail").deliver(renderer.compose(RESET))

        assert failure.value.is_temporary


class TestFind:
    def test_unchanged(self, renderer, backend):
        """An email is read as it was written."""
        message = renderer.compose(RESET)
        backend.deliver(message)

        [id] = backend.ids()
        found = backend.find(id)
        assert text_of(found) == text_of(message)
        assert link_of(found) == link_of(message)
        assert dict(found) == dict(message)

    def test_empty(self, backend):
        """Before the first email there is no folder, and no email."""
        assert backend.ids() == []
        assert backend.find("20260102T030405000000-00000000") is None

    @pytest.mark.parametrize(
        "id",
        [
            "",
            ".",
            "..",
            "../secret-key",
            "/etc/passwd",
            "20260102T030405000000-00000000\n",
            "20260102T030405000000-00000000.eml",
            "20260102T030405000000-0000000/",
            "\u0662\u0660\u0662\u06660102T030405000000-00000000",
        ],
    )
    def test_invalid_ids(self, backend, folder_path, id):
        """Only IDs are mapped to files, so path traversal is not possible."""
        folder_path.mkdir(parents=True)
        (folder_path.parent / "secret-key").write_text("secret")

        assert backend.find(id) is None
