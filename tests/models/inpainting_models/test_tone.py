import numpy as np

from inpainting_models.patchmatch import copied, synthesise
from inpainting_models.tone import match_rim_tone


def test_a_part_copied_from_a_darker_place_takes_the_light_of_where_it_is():
    rng = np.random.default_rng(0)
    texture = rng.normal(0, 0.02, (160, 240)).astype(np.float32)
    light = np.linspace(0.4, 0.5, 240, dtype=np.float32)[None]
    photo = np.repeat((texture + light)[..., None], 3, axis=2)
    mask = np.zeros((160, 240), bool)
    mask[60:100, 120:170] = True
    allowed = np.zeros_like(mask)
    allowed[:, :70] = True
    level = synthesise(photo, mask, np.random.default_rng(0), allowed=allowed)
    hard = copied(photo, mask, level)
    soft = match_rim_tone(photo, hard, mask, level)
    wanted = photo[mask].mean()
    assert abs(hard[mask].mean() - wanted) > 0.02
    assert abs(soft[mask].mean() - wanted) < 0.015
    # Only the light changes: the texture is that of the copy.
    assert abs((soft - hard)[mask].std()) < 0.01
    assert np.array_equal(soft[~mask], photo[~mask])


def test_another_thing_at_the_rim_is_not_evened_out():
    rng = np.random.default_rng(0)
    photo = np.repeat((0.3 + rng.normal(0, 0.02, (120, 200, 1))).astype(np.float32), 3, axis=2)
    photo[:, 100:] += 0.5
    mask = np.zeros((120, 200), bool)
    mask[50:70, 110:140] = True
    allowed = np.zeros_like(mask)
    allowed[:, :90] = True
    level = synthesise(photo, mask, np.random.default_rng(0), allowed=allowed)
    hard = copied(photo, mask, level)
    soft = match_rim_tone(photo, hard, mask, level)
    # The last pixels fade into the rim; beyond them the light stays as it was copied.
    assert np.abs(soft - hard)[58:62, 118:132].max() < 0.06
