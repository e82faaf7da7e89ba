"""Turns values into messages and back: the only place that knows both."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf import duration_pb2, timestamp_pb2

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from inpainting.batch_job import SHOWN_FAILURES, JobSpec, JobView
from inpainting.inpainter import Finished
from inpainting.kept_photos import KeptPhotos
from inpainting.model_catalog import Model
from inpainting.task import Candidate, Options, Outcome, Preview, Shapes, Source, Step, Task
from inpainting.work_queue import WorkQueue
from service_kit.errors import InvalidArgument, status_code

# A message holds 16 MiB; what a result's words take is far less than the rest.
INLINE_BYTES = 12 << 20


def task_value(
    request: pb.InpaintRequest | pb.WatchInpaintRequest | pb.InpaintBatchRequest,
) -> Task:
    """Return what a request asks for."""
    return Task(
        source_value(request.photo),
        source_value(request.mask.image),
        shapes_value(request.mask),
        options_value(request.options),
    )


def source_value(message: pb.Photo) -> Source:
    """Return where a photo is."""
    return Source(message.content, message.name, message.object)


def shapes_value(message: pb.Mask) -> Shapes:
    """Return what is marked beside the image."""
    return Shapes(
        tuple((box.x, box.y, box.width, box.height) for box in message.boxes),
        tuple(tuple((point.x, point.y) for point in each.points) for each in message.polygons),
        tuple((tuple((point.x, point.y) for point in each.points), each.width_px) for each in message.strokes),
        message.grow_px,
        message.feather_px,
    )


def options_value(message: pb.InpaintOptions) -> Options:
    """Return how to fill."""
    return Options(message.model, message.strategy, message.seed, message.candidate_count or 1)


def outcome_message(outcome: Outcome, kept: KeptPhotos) -> pb.InpaintResponse:
    """Return the results; together too large for a message, they are kept and named. Blocking."""
    inline = sum(len(each.data) for each in outcome.candidates) <= INLINE_BYTES
    return pb.InpaintResponse(
        candidates=[
            candidate_message(each, pb.Photo(content=each.data) if inline else pb.Photo(name=kept.keep(each.data)))
            for each in outcome.candidates
        ]
    )


def candidate_message(candidate: Candidate, photo: pb.Photo) -> pb.Candidate:
    """Return one result."""
    return pb.Candidate(
        photo=photo,
        model=candidate.model,
        strategy=candidate.strategy,
        reason=candidate.reason,
        warnings=candidate.warnings,
        pass_count=candidate.pass_count,
        elapsed=duration(candidate.elapsed_s),
        seed=candidate.seed,
        methods=candidate.methods,
    )


def progress_message(step: Step) -> pb.InpaintProgress:
    """Return how far it is."""
    return pb.InpaintProgress(
        stage=f"INPAINT_STAGE_{step.stage.value}",
        queue_position=step.queue_position,
        step=step.step,
        steps_done=step.steps_done,
        step_count=step.step_count,
        plan=step.plan,
    )


def watch_message(event: Step | Preview | Outcome, kept: KeptPhotos) -> pb.WatchInpaintResponse:
    """Return one message of a watch. Blocking."""
    match event:
        case Step():
            return pb.WatchInpaintResponse(progress=progress_message(event))
        case Preview():
            return pb.WatchInpaintResponse(preview=event.jpeg)
        case Outcome():
            return pb.WatchInpaintResponse(result=outcome_message(event, kept))


def finished_message(finished: Finished, kept: KeptPhotos) -> pb.InpaintBatchResponse:
    """Return one item's end. Blocking."""
    if finished.outcome is not None:
        return pb.InpaintBatchResponse(id=finished.id, result=outcome_message(finished.outcome, kept))
    error = finished.error
    assert error is not None
    failure = pb.ItemFailure(code=status_code(error).value[0], message=error.message)
    if isinstance(error, InvalidArgument) and error.violations:
        failure.field = error.violations[0][0]
    return pb.InpaintBatchResponse(id=finished.id, failure=failure)


def job_value(request: pb.StartBatchJobRequest) -> JobSpec:
    """Return what a job is to do."""
    if not request.WhichOneof("masks"):
        raise InvalidArgument.of([("masks", "set mask_prefix, or one mask for all")])
    return JobSpec(
        request.photo_prefix,
        request.output_prefix,
        request.mask_prefix,
        source_value(request.mask.image),
        shapes_value(request.mask),
        options_value(request.options),
    )


def job_message(view: JobView) -> pb.BatchJob:
    """Return a job as it stands."""
    return pb.BatchJob(
        name=f"batchJobs/{view.id}",
        state=f"BATCH_JOB_STATE_{view.state}",
        photo_count=view.photo_count,
        done_count=view.done_count,
        failed_count=len(view.failed),
        failures=view.failed[:SHOWN_FAILURES],
        photos_per_minute=view.photos_per_minute,
        eta=None if view.eta_s is None else duration(view.eta_s),
        waiting_for=view.waiting_for,
    )


def model_message(model: Model) -> pb.Model:
    """Return a model."""
    height, width = model.training_size or (0, 0)
    return pb.Model(
        name=model.name,
        description=model.description,
        default=model.default,
        training_height_px=height,
        training_width_px=width,
        strategies=model.strategies,
        ready=model.ready,
        seeded=model.seeded,
        added=model.added,
    )


def duration(seconds: float) -> duration_pb2.Duration:
    """Return a span."""
    span = duration_pb2.Duration()
    span.FromMicroseconds(round(seconds * 1e6))
    return span


def moment(seconds: float) -> timestamp_pb2.Timestamp:
    """Return a moment; seconds since the epoch."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp


def metrics_message(queue: WorkQueue, batch_sizes: Mapping[int, int]) -> pb.GetMetricsResponse:
    """Return the counts."""
    counts = queue.counts
    return pb.GetMetricsResponse(
        waiting_count=queue.waiting,
        running_count=queue.running,
        done_count=counts.done,
        failed_count=counts.failed,
        rejected_count=counts.rejected,
        cancelled_count=counts.cancelled,
        expired_count=counts.expired,
        waited=duration(counts.waited_s),
        worked=duration(counts.worked_s),
        batch_sizes=batch_sizes,
    )
