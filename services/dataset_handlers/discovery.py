"""Finds the handlers of a repository: the stock ones, or all that a module defines."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Dict, Optional, Type

from dataset_handlers import same_name
from dataset_handlers.errors import HandlerError
from dataset_handlers.handler_class import is_handler, name_of

STOCK = {
    "coco": ("dataset_handlers.stock_coco", "CocoHandler"),
    "compositing": ("dataset_handlers.stock_compositing", "CompositingHandler"),
    "duts": ("dataset_handlers.stock_duts", "DutsHandler"),
    "images": ("dataset_handlers.stock_images", "ImagesHandler"),
    "inpainting": ("dataset_handlers.stock_inpainting", "InpaintingHandler"),
}


def find_handlers(repository: str, module: Optional[str] = None, path: Optional[str] = None) -> Dict[str, Type[Any]]:
    """Returns the handler classes by name.

    ``repository`` "stock": those of this package. Else those that ``module``, or a module below it that it imports,
    defines; ``path`` is a folder to import it from. Raises ``HandlerError`` if there are none or two of one name.
    """
    if repository == "stock":
        return {name: getattr(import_module(home), class_name) for name, (home, class_name) in STOCK.items()}
    if not module:
        raise HandlerError(f"the repository {repository!r} needs the name of its module")
    if path and path not in sys.path:
        sys.path.insert(0, path)
    if path and module.split(".")[0] == same_name.NAME:
        same_name.load_same_name(path)
    handlers: Dict[str, Type[Any]] = {}
    for candidate in list(vars(import_module(module)).values()):
        if not is_handler(candidate) or not f"{candidate.__module__}.".startswith(f"{module}."):
            continue
        name = name_of(candidate)
        if handlers.setdefault(name, candidate) is not candidate:
            raise HandlerError(f"{module} defines two handlers named {name!r}; a class attribute `name` would do")
    if not handlers:
        raise HandlerError(
            f"{module} defines no handler; a class that extends DatasetHandler, or that has config_options() and "
            "as_tfrecord(), would do"
        )
    return handlers
