"""Workers here and elsewhere, with stand-ins for Dask."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.runtime import cluster
from gcmock.runtime.cluster import LOCAL, check_installed, connect

distributed = pytest.importorskip("distributed", reason="the extra [hats] is not installed")


class Recorded:
    """A context manager that remembers how it was made, and whether it is open."""

    made: list[Recorded]

    def __init__(self, *arguments, **options):
        self.arguments, self.options, self.open = arguments, options, False
        self.made.append(self)

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *error):
        self.open = False


@pytest.fixture
def made(monkeypatch):
    """All stand-ins that were made, in their order."""
    found: list[Recorded] = []
    for name in ("Client", "LocalCluster"):
        monkeypatch.setattr(distributed, name, type(name, (Recorded,), {"made": found}))
    return found


def test_libraries_that_are_missing_are_named():
    check_installed("json", "math")
    with pytest.raises(InputError) as caught:
        check_installed("json", "no_such_library", "nor_this")
    assert str(caught.value) == (
        "HATS catalogues need no_such_library, nor_this, not installed here: "
        "pip install 'gcmock[hats]'"
    )


def test_local_workers_are_processes_of_one_thread(made):
    with connect(LOCAL, 3) as client:
        workers, found = made
        assert client is found
        assert workers.open
        assert client.open
        assert client.arguments == (workers,)
    assert (workers.open, client.open) == (False, False)
    options = workers.options
    assert (options["n_workers"], options["threads_per_worker"]) == (3, 1)
    assert options["processes"]
    assert options["memory_limit"] == 0
    # The dashboard is nobody's business, and Ctrl-C that of the process that started the run.
    assert options["dashboard_address"].startswith("127.0.0.1")
    assert options["preload"] == ["gcmock.runtime.worker"]


def test_a_scheduler_elsewhere_is_left_as_it_was(made):
    with connect("tcp://10.0.0.1:8786", 3) as client:
        assert made == [client]
        assert client.arguments == ("tcp://10.0.0.1:8786",)
        assert client.options == {"timeout": cluster._SECONDS_TO_CONNECT}
    assert not client.open


@pytest.mark.parametrize("kind", [OSError, ValueError, TypeError])
def test_schedulers_that_do_not_answer_are_named(monkeypatch, kind):
    def fails(*_, **__):
        raise kind("no route")

    monkeypatch.setattr(distributed, "Client", fails)
    words = r"no Dask scheduler at 'loca': no route; expected 'local' or an address such as tcp"
    with pytest.raises(InputError, match=words), connect("loca", 1):
        pass


def test_errors_of_the_work_are_not_those_of_the_connection(made):
    with pytest.raises(ValueError, match="of the work"), connect("tcp://10.0.0.1:8786", 1):
        raise ValueError("of the work")
    assert not made[0].open
