"""Foregrounds and their mattes are found by their names."""

from __future__ import annotations

from dataset_handlers.foregrounds import ForegroundFile, foreground_files


def found(*names: str) -> list[tuple[str, str]]:
    return [tuple(file) for file in foreground_files(sorted(names))]


def test_a_matte_lies_beside_its_picture() -> None:
    assert found("a.jpg", "a_alpha.png", "b.png", "b-ALPHA.jpg", "x/c.jpg", "x/c_matte.png") == [
        ("a.jpg", "a_alpha.png"),
        ("b.png", "b-ALPHA.jpg"),
        ("x/c.jpg", "x/c_matte.png"),
    ]


def test_a_matte_lies_in_a_folder_beside_that_of_pictures() -> None:
    assert found("image/a.jpg", "alpha/a.png", "image/b.jpg", "t/fg/c.png", "t/alphas/c.jpg") == [
        ("image/a.jpg", "alpha/a.png"),
        ("image/b.jpg", "alpha/b.png"),
        ("t/fg/c.png", "t/alphas/c.jpg"),
    ]


def test_else_a_picture_has_alpha_of_its_own_or_lacks_a_matte() -> None:
    assert list(foreground_files(["image/a.png", "b.webp", "c.jpg"])) == [
        ForegroundFile("image/a.png", ""),
        ForegroundFile("b.webp", ""),
        ForegroundFile("c.jpg", "c_alpha.png"),
    ]
