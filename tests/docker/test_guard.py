"""docker/guard.py, on folders of packages that have nothing but their metadata."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
GUARD = ROOT / "docker" / "guard.py"
TORCH = "2.10.0a0+b4e4ee8.nv26.01"
LATER = "take a later BASE_IMAGE, 26.01 or one after it"


class Base:
    """A Python with packages, and the guard in it."""

    def __init__(self, folder):
        self.site = folder / "site"
        self.record = folder / "base.json"
        self.add("torch", TORCH)
        self.add("torchvision", "0.25.0a0+nv26.01")
        self.add("triton", "3.5.0+nv26.01")
        self.add("numpy", "2.1.0")
        self.add("nvidia-dali-cuda130", "1.53.0")
        self.add("filelock", "3.20.0")

    def add(self, name, version, *requires, files="", site=None):
        stem = name.replace("-", "_")
        for old in self.site.glob(f"{stem}-*") if site is None else ():
            shutil.rmtree(old)
        info = (site or self.site) / f"{stem}-{version}.dist-info"
        info.mkdir(parents=True)
        extras = {extra for text in requires for extra in ("ja",) if f"'{extra}'" in text}
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        lines += [f"Requires-Dist: {text}" for text in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "RECORD").write_text(f"{stem}/__init__.py,sha256=abc,1\n{files}")

    def remove(self, name):
        shutil.rmtree(next(self.site.glob(f"{name}-*")))

    def guard(self, when, *arguments, paths=()):
        folders = [f"--path={path}" for path in (*paths, self.site)]
        return subprocess.run(
            [sys.executable, GUARD, when, self.record, *folders, *arguments],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def problems(self, when, *arguments, paths=()):
        done = self.guard(when, *arguments, paths=paths)
        assert done.returncode == (1 if done.stderr else 0)
        lines = done.stderr.splitlines()
        assert all(line.startswith("guard: ") for line in lines), done.stderr
        return [line.removeprefix("guard: ") for line in lines]


@pytest.fixture
def base(tmp_path):
    return Base(tmp_path)


@pytest.fixture
def recorded(base):
    assert base.problems("before") == []
    return base


def test_what_may_change_is_no_problem(recorded):
    recorded.add("filelock", "4.0")
    recorded.add("soundfile", "0.14.0")
    recorded.add("nvidia-ml-py", "13.615.71")
    assert recorded.problems("after") == []


def test_what_is_there_is_said(recorded):
    said = recorded.guard("after").stdout
    assert f"torch {TORCH}" in said
    assert "numpy 2.1.0" in said
    assert "filelock" not in said


@pytest.mark.parametrize("version", ["2.8.0a0+5228986.nv25.08", "2.5.0a0+e000cf0.nv24.09"])
def test_too_old_a_torch_stops_at_once(base, version):
    base.add("torch", version)
    assert base.problems("before") == [f"the base's torch {version} is older than 2.8: {LATER}"]
    assert not base.record.exists()


def test_too_old_a_numpy_stops_at_once(base):
    base.add("numpy", "1.26.4")
    assert base.problems("before") == [f"the base's numpy 1.26.4 is older than 2.0.2: {LATER}"]


def test_a_base_without_torch_is_none(base):
    base.remove("torch")
    assert base.problems("before") == [
        "the base has no torch: BASE_IMAGE has to be NVIDIA's PyTorch image"
    ]


def test_a_swapped_torch(recorded):
    recorded.add("torch", "2.14.1")
    assert recorded.problems("after") == [f"torch was replaced: {TORCH} before, 2.14.1 now"]


def test_a_torch_of_the_same_version_with_other_files(recorded):
    recorded.add("torch", TORCH, files="torch/lib/libtorch.so,sha256=def,2\n")
    assert recorded.problems("after") == [
        f"torch {TORCH} was installed anew: its files are not the base's"
    ]


def test_a_torch_that_hides_the_bases(recorded, tmp_path):
    recorded.add("torch", "2.14.1", site=tmp_path / "first")
    (problem,) = recorded.problems("after", paths=[tmp_path / "first"])
    assert problem.startswith(f"torch is there more than once: 2.14.1 and {TORCH}, in ")


def test_a_torch_that_is_gone(recorded):
    recorded.remove("torch")
    assert recorded.problems("after") == [f"torch {TORCH} is gone"]


def test_cuda_wheels_that_slipped_in_are_all_named(recorded):
    recorded.add("nvidia-cublas", "13.1.1.3")
    recorded.add("cuda-bindings", "13.4.4")
    recorded.add("torchaudio", "2.11.0")
    assert recorded.problems("after") == [
        "cuda-bindings 13.4.4 was added: the base brings its own CUDA",
        "nvidia-cublas 13.1.1.3 was added: the base brings its own CUDA",
        "torchaudio 2.11.0 was added: the base brings its own CUDA",
    ]


def test_a_requirement_that_is_too_old_or_not_there(recorded):
    recorded.add("tts-toolkit", "0.1.0", "torch>=2.11", "numpy>=2.0.2", "librosa>=0.11")
    assert recorded.problems("after", "--project=tts-toolkit") == [
        f"tts-toolkit wants torch>=2.11, have {TORCH}",
        "tts-toolkit wants librosa>=0.11, which is not installed",
    ]


def test_a_requirement_of_a_requirement(recorded):
    recorded.add("tts-toolkit", "0.1.0", "numba", "torch>=2.8")
    recorded.add("numba", "0.68.1", "numpy<2.1", "tts-toolkit")
    assert recorded.problems("after", "--project=tts-toolkit") == [
        "numba wants numpy<2.1, have 2.1.0"
    ]


def test_what_the_base_requires_is_its_own_matter(recorded):
    recorded.add("tts-toolkit", "0.1.0", "triton")
    recorded.add("torch", TORCH, "nvidia-cublas==13.1")
    assert recorded.problems("after", "--project=tts-toolkit") == []


def test_requirements_count_by_their_markers_and_extras(recorded):
    recorded.add(
        "tts-toolkit", "0.1.0", "winloop; sys_platform == 'win32'", "fugashi; extra == 'ja'"
    )
    assert recorded.problems("after", "--project=tts-toolkit") == []
    assert recorded.problems("after", "--project=tts-toolkit", "--extra=ja") == [
        "tts-toolkit wants fugashi, which is not installed"
    ]


def test_an_extra_of_a_requirement_counts(recorded):
    recorded.add("tts-toolkit", "0.1.0", "indextts25-inference[ja]; extra == 'ja'")
    recorded.add("indextts25-inference", "0.2.0", "fugashi>=1.2; extra == 'ja'")
    assert recorded.problems("after", "--project=tts-toolkit", "--extra=ja") == [
        "indextts25-inference wants fugashi>=1.2, which is not installed"
    ]


def test_a_project_that_was_not_installed(recorded):
    assert recorded.problems("after", "--project=tts-toolkit") == ["tts-toolkit is not installed"]


def test_the_oldest_versions_are_those_of_the_project():
    from importlib.metadata import requires

    least = runpy.run_path(str(GUARD))["LEAST"]
    needs = [Requirement(text) for text in requires("tts-toolkit")]
    assert least == {
        need.name: str(need.specifier).removeprefix(">=") for need in needs if need.name in least
    }
