"""Mails in a folder, for local mode."""

import stat

import pytest

from roster.email.delivery import DeliveryFailed
from roster.email.file_backend import FileBackend, link_of, text_of
from tests.roster.email.conftest import CHANGED, RESET, TOKEN


@pytest.fixture
def place(tmp_path):
    return tmp_path / "data" / "mail"


@pytest.fixture
def folder(place):
    return FileBackend(place)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestDeliver:
    def test_one_file(self, composer, folder, place):
        """A mail is one file, which any mail reader opens."""
        folder.deliver(composer.compose(RESET))

        [path] = place.iterdir()
        assert path.suffix == ".eml"
        assert b"Subject: Reset your password" in path.read_bytes()

    def test_private(self, composer, folder, place):
        """Nobody else on the computer can read the mails: they let their readers into accounts."""
        folder.deliver(composer.compose(RESET))

        assert mode_of(place) == 0o700
        assert [mode_of(path) for path in place.iterdir()] == [0o600]

    def test_said_on_stdout(self, composer, folder, place, capsys):
        """The terminal says what came, where it is and where its link leads."""
        folder.deliver(composer.compose(RESET))

        [path] = place.iterdir()
        assert capsys.readouterr().out.splitlines() == [
            "Email: Reset your password",
            f"  {path}",
            f"  https://accounts.example.org/reset-password#token={TOKEN}",
        ]

    def test_said_without_a_link(self, composer, folder, capsys):
        """A mail without a link is said without one."""
        folder.deliver(composer.compose(CHANGED))

        assert len(capsys.readouterr().out.splitlines()) == 2

    def test_newest_are_kept(self, composer, place):
        """The folder does not grow for ever."""
        folder = FileBackend(place, kept=3)
        for _ in range(5):
            folder.deliver(composer.compose(CHANGED))
        folder.deliver(composer.compose(RESET))

        assert len(list(place.iterdir())) == len(folder.ids()) == 3
        assert folder.find(folder.ids()[0])["Subject"] == "Reset your password"

    def test_other_files_stay(self, composer, place):
        """What somebody else has put into the folder is neither listed nor removed."""
        place.mkdir(parents=True)
        for name in ("notes.txt", "kept.eml"):
            (place / name).write_text("mine")
        folder = FileBackend(place, kept=1)
        for _ in range(3):
            folder.deliver(composer.compose(CHANGED))

        assert len(folder.ids()) == 1
        assert len(list(place.iterdir())) == 3

    def test_no_folder_can_be_made(self, composer, tmp_path):
        """What keeps a mail from being written may pass, as a full disk does."""
        (tmp_path / "file").touch()
        with pytest.raises(DeliveryFailed) as failure:
            FileBackend(tmp_path / "file" / "mail").deliver(composer.compose(RESET))

        assert failure.value.may_pass


class TestFind:
    def test_as_it_was_sent(self, composer, folder):
        """A mail is read back as it was written."""
        message = composer.compose(RESET)
        folder.deliver(message)

        [id] = folder.ids()
        found = folder.find(id)
        assert text_of(found) == text_of(message)
        assert link_of(found) == link_of(message)
        assert dict(found) == dict(message)

    def test_nothing_came_yet(self, folder):
        """Before the first mail there is no folder, and no mail."""
        assert folder.ids() == []
        assert folder.find("20260102T030405000000-00000000") is None

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
    def test_ids_that_are_none(self, folder, place, id):
        """Nothing but an id names a file: nobody climbs out of the folder."""
        place.mkdir(parents=True)
        (place.parent / "secret-key").write_text("secret")

        assert folder.find(id) is None
