"""Turns the inpainting service's messages into values, and values into messages."""

from __future__ import annotations

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom_client.inpainting import BatchJob, InpaintModel, InpaintProgress, Marks


def mask_message(marks: Marks, image: pb.Photo | None) -> pb.Mask:
    """Return what is to go."""
    return pb.Mask(
        image=image,
        boxes=[pb.Box(x=x, y=y, width=width, height=height) for x, y, width, height in marks.boxes],
        polygons=[pb.Polygon(points=[pb.Point(x=x, y=y) for x, y in points]) for points in marks.polygons],
        strokes=[
            pb.Stroke(points=[pb.Point(x=x, y=y) for x, y in stroke.points], width_px=stroke.width_px)
            for stroke in marks.strokes
        ],
        grow_px=marks.grow_px,
        feather_px=marks.feather_px,
    )


def progress_value(message: pb.InpaintProgress) -> InpaintProgress:
    """Return how far a photo is."""
    return InpaintProgress(
        pb.InpaintStage.Name(message.stage).removeprefix("INPAINT_STAGE_"),
        message.step,
        message.steps_done,
        message.step_count,
        message.queue_position,
        message.plan,
    )


def model_value(message: pb.Model) -> InpaintModel:
    """Return a model."""
    size = (message.training_height_px, message.training_width_px)
    return InpaintModel(
        message.name,
        message.description,
        message.default,
        size if all(size) else None,
        tuple(message.strategies),
        message.ready,
        message.seeded,
        message.added,
    )


def job_value(message: pb.BatchJob) -> BatchJob:
    """Return a job."""
    return BatchJob(
        message.name,
        pb.BatchJobState.Name(message.state).removeprefix("BATCH_JOB_STATE_"),
        message.photo_count,
        message.done_count,
        message.failed_count,
        tuple(message.failures),
        message.photos_per_minute,
        message.eta.ToTimedelta() if message.HasField("eta") else None,
        message.waiting_for,
    )
