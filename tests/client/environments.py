"""The environments of the real clients: one per client and version, under `.cache/clients/`.

`python -m tests.client.environments` makes those that are missing or out of date; the tests only look for them.
"""

import json
import shutil
import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "clients"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with one version of the client. `name` is also its folder."""

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def _stamp(self) -> Path:
        return self.folder / "requirements.json"

    @property
    def is_ready(self) -> bool:
        """True for an environment that was finished with these very requirements."""
        wanted = json.dumps(self.requirements)
        return self.python.exists() and self._stamp.exists() and self._stamp.read_text("utf-8") == wanted

    def make(self) -> None:
        """Build it anew. Raises subprocess.CalledProcessError when a package cannot be installed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        uv = shutil.which("uv")
        if uv and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(self.folder)], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        else:
            venv.create(self.folder, with_pip=True)
            install = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *self.requirements], check=True)
        self._stamp.write_text(json.dumps(self.requirements), "utf-8")


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        # mlflow 2 reads pkg_resources, which setuptools gave up in 81; what it serves models with is written for the
        # FastAPI of its days.
        Environment("mlflow-2", ("mlflow==2.22.5", "scikit-learn==1.6.1", "setuptools<81", "fastapi<0.116")),
        Environment(
            "mlflow-3",
            (
                *("mlflow==3.17.2", "scikit-learn==1.8.0", "pandas==3.1.1", "matplotlib==3.11.2"),
                "xgboost-cpu==3.2.0; sys_platform == 'linux'",  # for scans of its models; elsewhere it weighs 300 MB
            ),
        ),
    )
}
DATABRICKS = Environment("databricks", ("databricks-sdk==0.156.0",))


def _make_if_needed(environment: Environment) -> str:
    if environment.is_ready:
        return f"{environment.name}: ready"
    started = time.monotonic()
    environment.make()
    return f"{environment.name}: made in {time.monotonic() - started:.0f} s"


def main() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as together:
        for line in together.map(_make_if_needed, (*ENVIRONMENTS.values(), DATABRICKS)):
            print(line, flush=True)  # noqa: T201  a command's output


if __name__ == "__main__":
    main()
