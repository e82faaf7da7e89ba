"""The settings of the sandbox: what confined code may use up before it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from handler_runner.sandbox_limits import SandboxLimits, share_of_memory

_DEFAULT = SandboxLimits()
_MIB = 1024**2


class SandboxSettings(BaseModel):
    """A runner's settings class inherits these fields; each one is an environment variable with its prefix."""

    model_config = ConfigDict(frozen=True)

    sandbox_memory_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Memory that one confined worker may have with all that it starts; 0: its share of three "
            "quarters of the machine's.",
        ),
    ] = 0
    sandbox_process_memory_bytes: Annotated[
        int, Field(ge=0, description="Memory that one confined process may ask for; 0: as much as the worker may have.")
    ] = 0
    sandbox_processes: Annotated[
        int, Field(ge=8, description="Processes and threads that one confined worker may have at a time.")
    ] = _DEFAULT.processes
    sandbox_file_bytes: Annotated[
        int, Field(ge=_MIB, description="How large one file of confined code may become.")
    ] = _DEFAULT.file_bytes
    sandbox_folder_bytes: Annotated[
        int, Field(ge=_MIB, description="What one confined worker's folder may hold, temporary files included.")
    ] = _DEFAULT.folder_bytes
    sandbox_folder_files: Annotated[
        int, Field(ge=16, description="How many files and folders one confined worker's folder may hold.")
    ] = _DEFAULT.folder_files
    sandbox_free_bytes: Annotated[
        int, Field(ge=0, description="Space on the disk that confined code must leave free.")
    ] = _DEFAULT.free_bytes
    sandbox_open_files: Annotated[
        int, Field(ge=64, description="Files that one confined process may have open at a time.")
    ] = _DEFAULT.open_files
    sandbox_log_bytes: Annotated[
        int, Field(ge=4096, description="What confined code may print during one command.")
    ] = _DEFAULT.log_bytes
    sandbox_command_s: Annotated[
        float, Field(gt=0, description="How long one command of confined code may take: one shard, or one whole run.")
    ] = _DEFAULT.command_s
    sandbox_cgroups: Annotated[
        list[Path],
        Field(
            description="Folders of cgroups that were handed to the runner, as a JSON list: one of version 2 without "
            "processes, or one for each controller of version 1; each confined worker gets its own below."
        ),
    ] = []

    def sandbox_limits(self, workers: int) -> SandboxLimits:
        """Return the limits of each of that many workers."""
        memory_bytes = self.sandbox_memory_bytes or share_of_memory(workers)
        return SandboxLimits(
            memory_bytes=memory_bytes,
            process_memory_bytes=self.sandbox_process_memory_bytes or memory_bytes,
            processes=self.sandbox_processes,
            file_bytes=self.sandbox_file_bytes,
            folder_bytes=self.sandbox_folder_bytes,
            folder_files=self.sandbox_folder_files,
            free_bytes=self.sandbox_free_bytes,
            open_files=self.sandbox_open_files,
            log_bytes=self.sandbox_log_bytes,
            command_s=self.sandbox_command_s,
        )
