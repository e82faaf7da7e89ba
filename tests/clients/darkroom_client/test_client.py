"""Asking for a dataset from an ordinary program."""

import asyncio
import dataclasses
import inspect
import multiprocessing
import re
import subprocess
import sys
import threading
import time
from enum import StrEnum
from pathlib import Path

import pytest

import darkroom_client
from darkroom_client import (
    AsyncClient,
    Client,
    DarkroomError,
    Dataset,
    DatasetRequest,
    DatasetSnapshot,
    Failure,
    InvalidArgument,
    NotFound,
    RequestFailed,
    RequestSnapshot,
    RequestState,
    Violation,
)


@pytest.fixture
def client(registry, tmp_path):
    with Client(registry.server, cache=tmp_path / "cache", requester="anna@gpu3") as client:
        yield client


def test_a_request_is_watched_to_its_end_and_its_dataset_is_in_the_cache(client, registry):
    request = client.request_dataset("street", "latest", {"image_size": [8, 8], "batch_size": 4})
    snapshots = list(request.watch())
    assert snapshots[-1].state is RequestState.READY
    assert snapshots[-1].started_by == "anna@gpu3"
    dataset = request.get()
    assert dataset.path == client.cache.dataset_folder(registry.facts["digest"])
    assert dataset.key == registry.facts["key"]
    assert dataset.splits == {"train": 80, "test": 20}
    assert dataset.examples == 100
    assert dataset.read_options == {"batch_size": 4}


def test_a_second_get_downloads_nothing(client, registry):
    client.request_dataset("street").get()
    reads = registry.lines("reads")
    client.request_dataset("street").get()
    assert registry.lines("reads") == reads
    assert len(registry.lines("downloads")) == 1
    assert registry.lines("downloads")[0].endswith("anna@gpu3")


def test_wrong_options_are_named_each_by_its_path(client):
    with pytest.raises(InvalidArgument) as caught:
        client.request_dataset("street", "latest", {"crop_sise": 3})
    assert caught.value.violations == (
        Violation("config.crop_sise", "unknown; did you mean crop_size?"),
        Violation("config.image_size", "missing"),
    )


def test_an_unknown_dataset_is_not_found(client):
    with pytest.raises(NotFound, match="no dataset is defined as 'nowhere'"):
        client.request_dataset("nowhere")


def test_a_failed_build_raises_with_the_handlers_traceback(client):
    with pytest.raises(RequestFailed, match="division by zero") as caught:
        client.request_dataset("street", "broken").get()
    assert caught.value.failure.failure_class == "HANDLER_ERROR"
    assert "ZeroDivisionError" in caught.value.failure.detail


def test_waiting_ends_after_its_timeout_and_the_build_goes_on(client, registry):
    (registry.home / "go").unlink()
    request = client.request_dataset("street")
    with pytest.raises(TimeoutError):
        request.wait(timeout=0.3)
    registry.set("go")
    assert request.wait(timeout=60).state is RequestState.READY


def test_a_cancelled_request_raises_for_who_waits(client, registry):
    (registry.home / "go").unlink()
    request = client.request_dataset("street")
    assert request.cancel().state is RequestState.CANCELLED
    with pytest.raises(RequestFailed, match="was cancelled"):
        request.wait()


def test_the_callback_gets_the_dataset_in_the_background(client, registry):
    (registry.home / "go").unlink()
    outcomes = []
    thread = client.request_dataset("street").on_ready(outcomes.append)
    time.sleep(0.2)
    assert outcomes == []
    registry.set("go")
    thread.join(60)
    assert isinstance(outcomes[0], Dataset)


def test_the_callback_gets_the_error_that_came_instead(client):
    outcomes = []
    client.request_dataset("street", "broken").on_ready(outcomes.append).join(60)
    assert isinstance(outcomes[0], RequestFailed)


def test_the_callback_may_use_the_client(client):
    found = []
    client.request_dataset("street").on_ready(lambda _: found.extend(client.list_datasets())).join(60)
    assert len(found) == 1


def test_a_request_is_returned_to_by_its_name(client):
    name = client.request_dataset("street").name
    assert client.get_request(name).get().examples == 100


def test_a_watch_left_early_leaves_nothing_behind(client, registry):
    (registry.home / "go").unlink()
    request = client.request_dataset("street")
    for _ in request.watch():
        break
    assert client.list_datasets()[0].key == registry.facts["key"]


@pytest.mark.parametrize(
    "name", ["street", "ababab", "datasets/" + "ab" * 32, "ab" * 32, f"street_latest_{'ab' * 32}.zip"]
)
def test_a_dataset_is_found_by_each_of_its_names(client, registry, name):
    assert client.get_dataset(name).key == registry.facts["key"]
    assert client.download(name).key == registry.facts["key"]


def test_it_works_inside_a_running_event_loop_as_in_a_notebook(client):
    async def cell() -> int:
        return client.request_dataset("street").get().examples

    assert asyncio.run(cell()) == 100


def test_two_threads_use_one_client(client):
    found = []
    threads = [threading.Thread(target=lambda: found.append(client.request_dataset("street").get())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [dataset.examples for dataset in found] == [100] * 4


def test_the_client_has_every_method_of_the_asynchronous_one_with_its_signature():
    for name, method in inspect.getmembers(AsyncClient, inspect.isfunction):
        if not name.startswith("_"):
            blocking = getattr(Client, name)
            assert list(inspect.signature(blocking).parameters) == list(inspect.signature(method).parameters), name
            assert blocking.__doc__


def test_a_forked_process_reads_the_dataset_and_is_told_why_it_cannot_ask_for_more(registry, client):
    dataset = client.download("street")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_use_after_fork, args=(client, dataset, answers), daemon=True)
    child.start()
    assert answers.get(timeout=20) == 80
    assert "open clients only after the fork" in answers.get(timeout=20)
    assert "open clients only after the fork" in answers.get(timeout=20)
    child.join()
    assert len(client.list_datasets()) == 1


def _use_after_fork(client, dataset, answers):
    answers.put(sum(1 for _ in dataset.as_numpy("train")))
    for ask in (client.list_datasets, lambda: Client(client.server)):
        try:
            ask()
        except RuntimeError as error:
            answers.put(str(error))


def test_importing_the_client_brings_no_library_that_only_some_calls_need():
    heavy = "{'tensorflow', 'cv2', 'torch', 'PIL', 'numpy', 'rich'}"
    code = f"import sys, darkroom_client; print(*({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_every_public_name_is_in_the_docs():
    text = (Path(__file__).parents[3] / "docs" / "client.md").read_text()
    for kind in (Client, DatasetRequest, Dataset):
        for name in vars(kind) | vars(kind.__base__):
            if not name.startswith("_") and name != "survive_exec":
                assert re.search(rf"\b{name}\b", text), f"{kind.__name__}.{name}"
    for kind in (RequestSnapshot, DatasetSnapshot, Failure):
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in text, f"{kind.__name__}.{field.name}"
    for name in darkroom_client.__all__:
        kind = getattr(darkroom_client, name)
        if inspect.isclass(kind) and issubclass(kind, DarkroomError):
            assert f"`{name}`" in text, name
        if inspect.isclass(kind) and issubclass(kind, StrEnum):
            assert all(f"`{value}`" in text for value in kind if value != "UNKNOWN"), name
