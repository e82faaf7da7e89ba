import cv2
import numpy as np

from inpainting_models.grain import fine_detail, grain_like, grain_samples, ring_around
from inpainting_models.smooth import fill_flat, fill_smooth_with_grain


def grainy_photo(seed=0, height=200, width=240):
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width, 3)).astype(np.float32), (0, 0), 0.8)
    return np.clip(0.5 + 0.06 * noise, 0, 1).astype(np.float32)


def hole(height=200, width=240):
    mask = np.zeros((height, width), bool)
    mask[80:130, 90:150] = True
    return mask


def gradient_energy(photo, where):
    gray = photo.mean(axis=2)
    down, right = np.gradient(gray)
    return (down**2 + right**2)[where].mean()


def test_grain_has_the_energy_and_the_spectrum_of_its_samples():
    photo = grainy_photo()
    samples = grain_samples(photo, hole())
    grain = grain_like(samples, (128, 128), np.random.default_rng(1))
    assert abs(grain.std() / samples.std() - 1) < 0.05
    ours, theirs = (np.corrcoef(g[..., 1:, :].ravel(), g[..., :-1, :].ravel())[0, 1] for g in (grain, samples))
    assert abs(ours - theirs) < 0.05


def test_grain_has_the_colours_of_its_samples():
    photo = grainy_photo()
    photo[..., 2] = 0.7 * photo[..., 0] + 0.3 * photo[..., 2]
    samples = grain_samples(photo, hole())
    grain = grain_like(samples, (200, 200), np.random.default_rng(1))
    ours, theirs = (np.corrcoef(g.reshape(-1, 3).T) for g in (grain, samples))
    assert np.abs(ours - theirs).max() < 0.05


def repeats(gray):
    """Returns how like itself a texture is 9 to 24 pixels away: chance alone gives a little, cloth gives much."""
    fine = (gray - cv2.blur(gray, (31, 31)))[16:-16, 16:-16]
    likeness = np.fft.fftshift(np.fft.ifft2(np.abs(np.fft.fft2(fine)) ** 2).real)
    middle = fine.shape[0] // 2
    near = likeness[middle - 24 : middle + 25, middle - 24 : middle + 25] / likeness.max()
    near[24 - 8 : 24 + 9, 24 - 8 : 24 + 9] = 0
    return near.std()


def test_grain_in_the_dark_of_a_jpeg_file_is_no_cloth():
    # Grain with the spectrum of a single window, with its few waves, looked woven: twice the repeats of the photo.
    noise = cv2.GaussianBlur(np.random.default_rng(0).standard_normal((400, 400, 3)).astype(np.float32), (0, 0), 0.8)
    slope = np.linspace(0.08, 0.12, 400, dtype=np.float32)[:, None, None]
    _, data = cv2.imencode(".jpg", np.rint(255 * (slope + 0.012 * noise)), [cv2.IMWRITE_JPEG_QUALITY, 95])
    photo = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32) / 255
    mask = np.zeros((400, 400), bool)
    mask[120:280, 120:280] = True
    filled = [fill_flat(photo, mask, np.random.default_rng(seed)).mean(axis=2)[120:280, 120:280] for seed in range(3)]
    truth = photo.mean(axis=2)[120:280, 120:280]
    assert np.mean([repeats(each) for each in filled]) < 1.5 * repeats(truth)
    assert 0.9 < np.mean([each.std() for each in filled]) / truth.std() < 1.1


def test_grain_that_black_cuts_off_is_as_dark_and_as_strong_as_around():
    # Symmetric grain on the mean of clipped grain was 0.4 levels too bright and had four fifths of its strength.
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.standard_normal((400, 400, 3)).astype(np.float32), (0, 0), 0.7)
    photo = np.clip(np.rint(1 + 6 * noise / noise.std()), 0, 255).astype(np.float32) / 255
    mask = np.zeros((400, 400), bool)
    mask[130:270, 120:290] = True
    for seen, back in ((photo, photo[mask]), (1 - photo, 1 - photo[mask])):
        filled = fill_flat(seen, mask, np.random.default_rng(0))[mask]
        assert abs(filled.mean() - back.mean()) < 0.2 / 255
        assert 0.9 < filled.std() / back.std() < 1.1


def test_a_filled_hole_is_as_grainy_as_its_surroundings():
    photo, mask = grainy_photo(), hole()
    filled = fill_smooth_with_grain(photo, mask, np.random.default_rng(0))
    inside = np.zeros_like(mask)
    inside[84:126, 94:146] = True
    assert 0.7 < gradient_energy(filled, inside) / gradient_energy(photo, inside) < 1.3
    assert np.array_equal(filled[~mask], photo[~mask])


def test_the_same_generator_gives_the_same_grain():
    photo, mask = grainy_photo(), hole()
    one, two, other = (fill_smooth_with_grain(photo, mask, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_grain_is_taken_from_known_pixels_only():
    photo, mask = grainy_photo(), hole()
    spoiled = photo.copy()
    spoiled[mask] = 1
    assert np.array_equal(grain_samples(photo, mask), grain_samples(spoiled, mask))
    assert (fine_detail(spoiled, ~mask)[mask] == 0).all()


def test_a_photo_without_a_whole_window_gets_no_grain():
    photo = grainy_photo(height=5, width=5)
    mask = np.zeros((5, 5), bool)
    mask[2, 2] = True
    assert grain_samples(photo, mask) is None
    assert np.isfinite(fill_smooth_with_grain(photo, mask, np.random.default_rng(0))).all()


def test_the_ring_is_known_and_near():
    mask = hole()
    ring = ring_around(mask, 10)
    assert not (ring & mask).any()
    assert ring[79, 100]
    assert not ring[60, 100]
