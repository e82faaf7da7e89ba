"""Turns what a caller asks for into a recipe: the definition, the commit, and a config checked as far as it can be."""

from __future__ import annotations

from dataclasses import replace

from dataset_registry import names
from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.gathering import environment_of
from dataset_registry.records import Definition, RawDataset, Recipe, Runner
from dataset_registry.refusals import check_not_refused
from dataset_registry.repositories import Repositories, declared_handler
from dataset_registry.spec import normal_config, parse_config
from service_kit.errors import NotFound


class Recipes:
    """Makes recipes; refuses at once whatever needs no work to be refused."""

    def __init__(self, catalog: Catalog, repositories: Repositories) -> None:
        self._catalog = catalog
        self._repositories = repositories

    async def make(self, dataset_name: str, version: str, config_json: str) -> Recipe:
        """Return the recipe of a version. Raises what `draft` and `resolve` do."""
        return await self.resolve(await self.draft(dataset_name, version, config_json))

    async def draft(self, dataset_name: str, version: str, config_json: str) -> Recipe:
        """Return the recipe without its commit. Raises `InvalidArgument` and `NotFound`."""
        names.check_dataset_name(dataset_name)
        names.check_version(version)
        names.check_archive_name(dataset_name, version)
        config = parse_config(config_json)
        definition = await self._catalog.read_soon(lambda tx: tx.get(Definition, dataset_name))
        if definition is None:
            known = await self._catalog.read_soon(lambda tx: [each.id for each in tx.find(Definition, limit=20)])
            raise NotFound(f"no dataset is defined as {dataset_name!r}; there are: {listed(known)}")
        return Recipe(dataset_name, definition.repository, "", version, definition.handler, definition.raw, config)

    async def resolve(self, draft: Recipe) -> Recipe:
        """Return the recipe with its commit, the config checked against what that declares, if it is known.

        Raises `NotFound` for a version that is not there, `InvalidArgument`, and `RepositoryAway` when it cannot be
        said now which commit it is.
        """
        recipe = replace(draft, commit=await self.commit(draft.repository, draft.version))
        environment = await self._catalog.read_soon(lambda tx: environment_of(tx, recipe))
        if environment is not None:
            handler = declared_handler(environment.description, recipe.repository, recipe.handler)
            normal_config(recipe.config, list(handler.options))
        return recipe

    async def commit(self, repository: str, version: str) -> str:
        """Return the commit of a version. See `Repositories.resolve`."""
        return await self._repositories.resolve(repository, version)


def check_served(tx: Transaction, recipe: Recipe) -> None:
    """Raise `NotFound` for a raw dataset that no runner has ever served, `FailedPrecondition` for refused code."""
    # What was walked was served; only what was not is looked for among all that runners say.
    never_walked = {role: name for role, name in recipe.raw.items() if tx.get(RawDataset, name) is None}
    known = served_raw(tx) if never_walked else []
    for role, name in never_walked.items():
        if name not in known:
            raise NotFound(
                f"no runner serves the raw dataset {name!r} (role {role} of {recipe.dataset_name}); "
                f"there are: {listed(known)}"
            )
    # Once the environment is known it may be a hit, which no runner can refuse.
    if environment_of(tx, recipe) is None:
        check_not_refused(tx, recipe.repository)


def served_raw(tx: Transaction) -> list[str]:
    """Return the raw datasets that runners serve, or served when they last called."""
    return sorted({name for runner in tx.find(Runner) for name in runner.raw_datasets})


def listed(known: list[str]) -> str:
    """Return names for an error's text."""
    return ", ".join(known) or "none yet"
