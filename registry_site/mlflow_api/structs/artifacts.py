"""Messages about artifacts."""

from registry_site.mlflow_api.structs.base import Message
from registry_site.mlflow_api.structs.runs import RunArguments


class FileInfo(Message):
    """A file, or a folder, which has no size."""

    path: str
    is_dir: bool
    file_size: int | None = None


class FilesAnswer(Message):
    """What lies in a folder, by names below it."""

    files: list[FileInfo] = []


class RunFilesAnswer(Message):
    """What lies in a folder of a run or logged model, by paths below its root."""

    root_uri: str
    files: list[FileInfo] = []


class ListArtifactsArguments(RunArguments):
    """A folder of a run; none is its root."""

    path: str = ""
