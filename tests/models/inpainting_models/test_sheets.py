import numpy as np
from skimage import data

from inpainting_models.painters import painter
from inpainting_models.sheets import (
    CAPTION_PX,
    MARGIN_PX,
    TILE_WIDTH_PX,
    crop_for_sheet,
    models_sheet,
    recording,
    shrinking_mask_sheet,
    two_step_sheet,
)

TRAINING_SIZE = (64, 96)


def scene():
    photo = data.coffee()[:200, :300].astype(np.float32) / 255
    mask = np.zeros((200, 300), bool)
    mask[60:140, 100:220] = True
    mask[20:28, 20:28] = True
    return photo, mask


def width_of(columns):
    return MARGIN_PX + columns * (TILE_WIDTH_PX + MARGIN_PX)


def test_a_recorded_painter_paints_the_same_and_remembers_what_it_saw():
    photo, mask = scene()
    paint, calls = recording(painter("mean").paint)
    painted = paint(photo[None], mask[None])
    assert np.array_equal(painted, painter("mean").paint(photo[None], mask[None]))
    assert len(calls) == 1
    assert np.array_equal(calls[0].mask, mask)
    assert np.array_equal(calls[0].painted, painted[0])


def test_models_stand_side_by_side_with_photo_and_hole():
    photo, mask = scene()
    sheet = models_sheet(photo, mask, {"mean": photo * 0, "telea": photo}, columns=4)
    height = round(200 * TILE_WIDTH_PX / 300)
    assert sheet.shape == (2 * MARGIN_PX + height + CAPTION_PX, width_of(4), 3)
    third = sheet[MARGIN_PX : MARGIN_PX + height, MARGIN_PX + 2 * (TILE_WIDTH_PX + MARGIN_PX) :][:, :TILE_WIDTH_PX]
    assert third.max() == 0
    # Captions are drawn.
    assert sheet[MARGIN_PX + height + 1 : -1].min() == 0


def test_the_shrinking_mask_has_a_row_for_each_pass_and_one_for_the_result():
    photo, mask = scene()
    sheet = shrinking_mask_sheet(painter("telea").paint, photo, mask, TRAINING_SIZE)
    row = round(64 * TILE_WIDTH_PX / 96) + CAPTION_PX + MARGIN_PX
    last = round(200 * TILE_WIDTH_PX / 300) + CAPTION_PX + MARGIN_PX
    assert sheet.shape == (MARGIN_PX + 4 * row + last, width_of(3), 3)
    # The first column holds the masks: each whiter than the next.
    whites = []
    for number in range(4):
        top = MARGIN_PX + number * row
        whites.append(sheet[top : top + row - CAPTION_PX - MARGIN_PX, MARGIN_PX : MARGIN_PX + TILE_WIDTH_PX].mean())
    assert whites == sorted(whites, reverse=True)
    assert whites[0] > 2 * whites[3]


def test_the_two_steps_come_with_their_three_masks():
    photo, mask = scene()
    sheet = two_step_sheet(painter("telea").paint, photo, mask, TRAINING_SIZE)
    step = round(64 * TILE_WIDTH_PX / 96) + CAPTION_PX + MARGIN_PX
    last = round(200 * TILE_WIDTH_PX / 300) + CAPTION_PX + MARGIN_PX
    assert sheet.shape == (MARGIN_PX + 3 * step + last, width_of(3), 3)


def test_a_photo_without_a_second_step_has_no_masks_for_it():
    photo, mask = scene()
    sheet = two_step_sheet(painter("mean").paint, photo[:60, :90], mask[40:100, 60:150], TRAINING_SIZE)
    first = round(64 * TILE_WIDTH_PX / 96) + CAPTION_PX + MARGIN_PX
    last = round(60 * TILE_WIDTH_PX / 90) + CAPTION_PX + MARGIN_PX
    assert sheet.shape[0] == MARGIN_PX + first + last


def test_the_part_worth_showing_holds_the_holes():
    photo, mask = scene()
    part = crop_for_sheet(photo, mask, least_px=10)
    assert mask[part].sum() == mask.sum()
    assert photo[part].shape[0] <= 200
