"""``darkroom inpaint-batch --remote``: a prefix of the service's own store, which the service works on by itself."""

from __future__ import annotations

import typer

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom_client.client import Inpainting
from darkroom_client.errors import InvalidArgument
from darkroom_client.inpainting import BatchJob, Marks
from darkroom_client.inpainting_proto import mask_message
from darkroom_client.output import ExitCode, print_answer, print_json, say
from darkroom_client.progress_text import duration_text
from darkroom_client.progress_view import CountView


def job_request(
    photos: str, output: str, mask: str | None, marks: Marks, options: pb.InpaintOptions
) -> pb.StartBatchJobRequest:
    """Return what the service is asked. A mask that ends with a slash is a prefix with one for each photo."""
    request = pb.StartBatchJobRequest(photo_prefix=prefix(photos), output_prefix=prefix(output), options=options)
    if mask is not None and mask.endswith("/"):
        if marks != Marks():
            raise InvalidArgument(
                f"--mask {mask} has a mask for each photo; --box and the like cannot be added to them"
            )
        request.mask_prefix = mask
    else:
        request.mask.CopyFrom(mask_message(marks, pb.Photo(object=mask) if mask else None))
    return request


def prefix(text: str) -> str:
    """Return a prefix as the store has it: with a slash at its end, without one before."""
    return f"{text.strip('/')}/"


def run_job(server: str | None, request: pb.StartBatchJobRequest, *, detach: bool, cancel: bool, as_json: bool) -> None:
    """Start the job, or attach to it, and watch it to its end; or stop it."""
    with Inpainting(server) as client:
        job = client.start_batch_job(request)
        if cancel:
            job = client.cancel_batch_job(job.name)
        elif not detach:
            job = _watched(client, job, request.photo_prefix)
    if as_json:
        print_json(vars(job))
    else:
        for failure in job.failures:
            say(f"failed: {failure}")
        say(f"{job.name} {job.state.lower()}: {job.done_count} of {job.photo_count} filled, {job.failed_count} failed")
        print_answer(job.name if detach else request.output_prefix)
    if job.failed_count and not detach:
        raise typer.Exit(ExitCode.FAILED)


def _watched(client: Inpainting, job: BatchJob, title: str) -> BatchJob:
    with CountView(title) as view:
        try:
            for snapshot in client.watch_batch_job(job.name):
                view.show(snapshot.done_count + snapshot.failed_count, snapshot.photo_count, _words(snapshot))
        except KeyboardInterrupt:
            say("")
            say("detached; the job goes on. The same command returns to it, and with --cancel stops it.")
            raise typer.Exit(ExitCode.DETACHED) from None
    return snapshot


def _words(job: BatchJob) -> str:
    words = ["photos"]
    if job.failed_count:
        words.append(f"{job.failed_count} failed")
    if job.waiting_for:
        words.append(f"waiting for {job.waiting_for}")
    elif job.eta is not None and job.state == "RUNNING":
        words.append(f"{duration_text(job.eta)} left")
    return ", ".join(words)
