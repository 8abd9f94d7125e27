"""Messages about artifacts."""

from registry_site.artifacts.direct import DOWNLOAD_SECONDS
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.structs.base import Arguments, Int64, Message
from registry_site.mlflow_api.structs.model_versions import VersionArguments, VersionArtifactArguments
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


# -- past this server --------------------------------------------------------------------------------------------------
class UploadCredential(Message):
    """Where to put one part, and what to send with it."""

    url: str
    part_number: int
    headers: dict[str, str]


class UploadAnswer(Message):
    """An upload in parts that has begun."""

    upload_id: str
    credentials: list[UploadCredential]


class AddressAnswer(Message):
    """Where a file can be read; `file_size` is in bytes."""

    url: str
    headers: dict[str, str]
    file_size: int


class PresignedAnswer(Message):
    """Where a file can be read or put; `file_size` is in bytes."""

    presigned_url: str
    headers: dict[str, str]
    file_size: int | None = None


class UploadArguments(Arguments):
    """A file for a folder; `path` is where the client has it, of which the name counts."""

    folder: str
    path: str


class CreateUploadArguments(UploadArguments):
    """A file that will come in so many parts."""

    num_parts: Int64 = 1


class UploadedPart(Arguments):
    """What the store said of a part."""

    part_number: Int64
    etag: str


class CompleteUploadArguments(UploadArguments, kw_only=True):
    """The parts that have all arrived."""

    upload_id: str
    parts: list[UploadedPart]


class AbortUploadArguments(UploadArguments):
    """An upload that is given up."""

    upload_id: str


class PresignedArguments(Arguments):
    """A file of a run or of a logged model, and for how many seconds its address shall hold."""

    path: str
    run_id: str = ""
    model_id: str = ""
    expiration: Int64 = DOWNLOAD_SECONDS

    def __post_init__(self) -> None:
        if bool(self.run_id) == bool(self.model_id):
            raise InvalidParameter("Exactly one of run_id and model_id must be provided.", field="run_id")


# -- of versions, as Databricks has them -------------------------------------------------------------------------------
class ListVersionArtifactsArguments(VersionArguments):
    """A folder of a version, none is its root; and which page of it."""

    path: str = ""
    page_token: str = ""


class VersionFilesAnswer(Message):
    """A page of what lies in a folder of a version, by paths below its root."""

    files: list[FileInfo] = []
    next_page_token: str = ""


class SignedDownloadArguments(VersionArtifactArguments):
    """Which file of a version."""


class Header(Message):
    """A header that has to be sent."""

    name: str
    value: str


class SignedDownloadAnswer(Message):
    """An address, and the headers that have to be sent there."""

    signed_uri: str
    headers: list[Header]
