"""The command line. Every error is one line; ``--debug`` shows the traceback. Exit codes: 2 bad input, 1 failed run."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import shlex
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from . import __version__
from .bench.overwrite import Overwrite
from .errors import InputError, RunError, one_line

if TYPE_CHECKING:
    from .bench.store import RunStore
    from .datasets.spec import SimulatorSpec
    from .methods.configuration import MethodConfig
    from .registry import Registry
    from .sim.processes.executor import Executor


class _Commands(TyperGroup):
    """The commands; what is said of a wrong value of theirs is without the name of a Python exception."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(said := getattr(error, "message", None), str):
                error.message = said.removeprefix("Value error, ")  # type: ignore[attr-defined]
            raise


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
environments = typer.Typer(no_args_is_help=True, help="The interpreters of simulators that need one of their own.")
app.add_typer(environments, name="env")
# Names and paths are shown as they are. Where no terminal says how wide it is, tables are as wide as they need to be.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
console = Console(markup=False, emoji=False, width=_WIDTH)
_INTERRUPTED = 130  # the exit code that typer makes of Ctrl-C


class Size(StrEnum):
    """The three sizes of every track."""

    mini = "mini"
    small = "small"
    full = "full"


class Sampling(StrEnum):
    """Where the frames of a training house are taken from."""

    planar = "planar"
    free = "6dof"
    trajectory = "trajectory"


class Split(StrEnum):
    """Which houses a run localizes in."""

    test = "test"
    val = "val"


class Listing(StrEnum):
    """What ``relocbench list`` can list."""

    tracks = "tracks"
    methods = "methods"
    networks = "networks"
    descriptors = "descriptors"
    simulators = "simulators"
    executors = "executors"
    protocols = "protocols"
    questions = "questions"
    formats = "formats"


Track = Annotated[
    str, typer.Argument(help="A track's name (see 'relocbench list tracks') or the path of a track YAML.")
]
_SIZES = "mini: seconds; small: minutes on two cores; full: the paper's scale."
SizeOption = Annotated[Size, typer.Option(help=_SIZES)]
SizeOrDefault = Annotated[Size | None, typer.Option(help=f"{_SIZES} By default small, or the only one of the track.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Processes at once; all cores by default. Never changes a result.")
]
ExecutorOption = Annotated[
    str, typer.Option("--executor", help="Where to compute: local, ray, or the name of one that is installed.")
]
Address = Annotated[
    str | None,
    typer.Option(
        help="With --executor ray: the head of a cluster whose machines all see datasets and results under the same "
        "paths (shared storage); without it, Ray is started on this machine."
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder to write into; runs/<track>-<size> by default.")]
MethodFiles = Annotated[
    list[str] | None, typer.Option("--method", help="Also run the method in file.py:Class; may be repeated.")
]
Python = Annotated[
    str | None, typer.Option(help="Run the methods in file.py:Class under this interpreter; it needs NumPy only.")
]
MemoryLimit = Annotated[float | None, typer.Option(min=0.01, help="GiB that such a method may take; with --python.")]
SimulatorOption = Annotated[
    str | None, typer.Option("--simulator", help="Render with this one; see 'relocbench list simulators'.")
]
SimulatorSettings = Annotated[
    list[str] | None, typer.Option("--simulator-option", help="key=value for --simulator; may be repeated.")
]
Dataset = Annotated[Path | None, typer.Option(help="Use this dataset instead of generating the track's.")]


@app.command()
def run(
    track: Track,
    size: SizeOrDefault = None,
    methods: Annotated[str | None, typer.Option(help="Comma-separated names; the track's own by default.")] = None,
    method: MethodFiles = None,
    python: Python = None,
    memory_limit: MemoryLimit = None,
    jobs: Jobs = None,
    executor: ExecutorOption = "local",
    address: Address = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Do the I-th of N shares only; 'relocbench merge' joins them.")
    ] = None,
    out: Out = None,
    simulator: SimulatorOption = None,
    simulator_option: SimulatorSettings = None,
    dataset: Dataset = None,
    fit_from: Annotated[
        Path | None, typer.Option(help="Learn from this dataset's training views instead.", metavar="DATASET")
    ] = None,
    split: Annotated[Split, typer.Option(help="val is for tuning; what is reported comes from test.")] = Split.test,
    overwrite: Annotated[
        Overwrite, typer.Option(help="What to do about results that are there.")
    ] = Overwrite.only_missing,
    query_timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds per query; the track's by default.")
    ] = None,
    map_timeout: Annotated[float | None, typer.Option(min=0.1, help="Seconds per map; the track's by default.")] = None,
) -> None:
    """Generate what is missing, fit, build maps, localize, score and report. The main job; resumes where it stopped."""
    from .bench.computing import Share
    from .bench.runner import run_track
    from .bench.track_dataset import default_folder

    share = None if shard is None else Share.parse(shard)
    chosen = _size(track, size)
    rendered_by = _simulator(simulator, simulator_option)
    store = run_track(
        track,
        size=chosen,
        methods=None if methods is None else [name.strip() for name in methods.split(",") if name.strip()],
        method_files=method or [],
        python=python,
        memory_limit=memory_limit,
        jobs=jobs,
        executor=_executor(executor, jobs, address),
        share=share,
        out=out or default_folder(track, chosen, rendered_by),
        simulator=rendered_by,
        dataset=dataset,
        fit_from=fit_from,
        split=split.value,
        overwrite=overwrite,
        query_timeout=query_timeout,
        map_timeout=map_timeout,
    )
    if share is not None:
        everybody = f"{store.folder.parent}/*-of-{share.count} --out {store.folder.parents[1]}"
        print(f"share {share} is done; then: relocbench merge {everybody}")
        return
    _report(store)


@app.command()
def generate(
    track: Track,
    out: Annotated[Path, typer.Option()],
    size: SizeOrDefault = None,
    jobs: Jobs = None,
    executor: ExecutorOption = "local",
    address: Address = None,
    simulator: SimulatorOption = None,
    simulator_option: SimulatorSettings = None,
) -> None:
    """Generate a track's dataset, resuming where an earlier call stopped."""
    from .bench.tracks import load_track
    from .datasets.generate import generate as generate_dataset

    spec = load_track(track).rendered_by(_simulator(simulator, simulator_option)).size(_size(track, size))
    dataset = generate_dataset(spec.dataset, out, jobs=jobs, executor=_executor(executor, jobs, address))
    print(f"{len(dataset.views)} views in {out}, sha256 {dataset.sha256}")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="The folder or file of the data set.")],
    form: Annotated[str, typer.Option("--format", help="Which format it is in.")],
    out: Annotated[Path, typer.Option(help="New folder for the dataset.")],
) -> None:
    """Turn a data set in another format into one that check, view, run and report take: images with poses suffice."""
    from .datasets.formats import FORMATS
    from .datasets.importing import import_dataset

    dataset = import_dataset(FORMATS.load(form)(), source, out)
    print(f"{len(dataset.views)} views in {out}, sha256 {dataset.sha256}")


@app.command()
def check(folder: Path, jobs: Jobs = None, executor: ExecutorOption = "local", address: Address = None) -> None:
    """Verify a dataset: checksums, ranges, and that its depth maps and poses agree with each other."""
    from .datasets.check import check as check_dataset
    from .datasets.check import raise_if_unsound
    from .reports.check_table import check_table

    found = check_dataset(folder, jobs=jobs, executor=_executor(executor, jobs, address))
    console.print(check_table(found))
    raise_if_unsound(found)


@app.command()
def view(
    folder: Path, out: Annotated[Path | None, typer.Option(help="PNG to write; overview.png in the folder.")] = None
) -> None:
    """Draw a dataset: where its cameras stood, on floor plans where there are any, and a contact sheet, as one PNG."""
    from .reports.dataset_overview import write_overview

    print(write_overview(folder, out))


@app.command()
def house(
    seed: Annotated[int, typer.Argument(min=0)],
    out: Annotated[Path, typer.Option(help="Folder for house-<seed>.glb and its sidecar.")] = Path(),
    triangles: Annotated[
        int, typer.Option(min=20_000, max=2_000_000, help="Level of detail: about this many triangles.")
    ] = 100_000,
) -> None:
    """Generate one furnished house as a .glb that any viewer opens, with its JSON sidecar."""
    from .sim.scene_files import save_scene
    from .sim.scenes.houses import generate_house

    print(save_scene(generate_house(seed, triangles=triangles), out))


@app.command()
def houses(
    out: Annotated[Path, typer.Option(help="JPEG or PNG to write.")] = Path("houses.jpg"),
    first: Annotated[int, typer.Option(min=0, help="The first house's seed.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many houses, one view of each.")] = 12,
    condition: Annotated[str, typer.Option(help="day, evening or dim.")] = "day",
) -> None:
    """Draw one interior view of each of several houses side by side, to judge them by eye."""
    import cv2

    from .sim.scenes.houses.contact_sheet import contact_sheet

    if not out.parent.is_dir() or out.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
        raise InputError(f"{out}: name a .jpg or .png in a folder that exists")
    sheet = contact_sheet(range(first, first + count), condition=condition)
    cv2.imwrite(str(out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(out)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    network: Annotated[str, typer.Argument(help="See 'relocbench list networks', with the options of each.")],
    out: Annotated[Path | None, typer.Option(help="Folder for what is learned; weights/<network>.")] = None,
    jobs: Jobs = None,
    executor: ExecutorOption = "local",
    address: Address = None,
    houses: Annotated[int, typer.Option(min=1, max=10_000, help="Training houses to stream.")] = 120,
    first_house: Annotated[int, typer.Option(help="The first house's seed, 100000 to 109999.")] = 100_000,
    steps_per_house: Annotated[int, typer.Option(min=1, help="Steps for each new house.")] = 30,
    batch: Annotated[int, typer.Option(min=2, help="Frames per step.")] = 32,
    learning_rate: Annotated[float, typer.Option(min=1e-6, help="AdamW's, at its highest.")] = 2e-3,
    init: Annotated[
        str | None,
        typer.Option(help="imagenet, where there is a backbone; scratch; a checkpoint, as segmentation."),
    ] = None,
    sampling: Annotated[Sampling, typer.Option(help="Where a house's frames are taken.")] = Sampling.planar,
    frames: Annotated[int, typer.Option(min=2, help="Frames of each house.")] = 192,
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is drawn.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps rendered frames.")] = None,
    simulator: SimulatorOption = None,
) -> None:
    """Train a network on frames of generated houses; goes on where it stopped when the same command is given again."""
    from .methods.trainable import NETWORKS

    task = NETWORKS.load(network)
    from .methods.training.loop import TrainingSettings
    from .methods.training.sampling import FrameSettings
    from .methods.training.train import train_task

    settings = TrainingSettings(
        houses=houses,
        first_house=first_house,
        steps_per_house=steps_per_house,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        frames=FrameSettings(frames=frames, sampling=sampling.value, simulator=simulator or "raycast"),
    )
    folder = train_task(
        network,
        out or Path("weights") / network,
        settings=settings,
        options=_own_options(network, task.Config, context.args),
        init=init,
        command=shlex.join(["relocbench", *sys.argv[1:]]),
        jobs=jobs,
        executor=_executor(executor, jobs, address),
        cache=cache,
    )
    print(folder)


def _own_options(network: str, config: type[MethodConfig], arguments: list[str]) -> dict[str, Any]:
    """Return what the rest of a command line sets of a network's configuration, whose fields are its options."""
    parser = argparse.ArgumentParser(
        prog=f"relocbench train {network}", add_help=False, allow_abbrev=False, exit_on_error=False
    )
    for name, field in config.model_fields.items():
        action = "store_true" if field.annotation is bool else "store"
        parser.add_argument(_option(name), dest=name, action=action, default=argparse.SUPPRESS)
    try:
        own, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise InputError(f"{network}: {error}") from error
    if unknown:
        known = ", ".join(map(_option, config.model_fields)) or "none"
        raise InputError(
            f"unknown option {unknown[0]}: those of {network} itself are {known}; see --help for all others"
        )
    return vars(own)


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


@app.command()
def fit(
    method: Annotated[str, typer.Argument(help="A method of the track, a method's name, or file.py:Class.")],
    track: Annotated[str, typer.Option(help="Learn from this track's training scenes.")] = "sparse-reference-v1",
    size: SizeOrDefault = None,
    out: Annotated[Path | None, typer.Option(help="Folder for what is learned; weights/<method>.")] = None,
    jobs: Jobs = None,
    executor: ExecutorOption = "local",
    address: Address = None,
    simulator: SimulatorOption = None,
    simulator_option: SimulatorSettings = None,
    dataset: Dataset = None,
) -> None:
    """Fit a method once on the training scenes of a track, and keep what it learned."""
    from .bench.fitting import fit_method

    rendered_by = _simulator(simulator, simulator_option)
    folder = fit_method(
        method,
        track,
        size=_size(track, size),
        out=out,
        jobs=jobs,
        executor=_executor(executor, jobs, address),
        simulator=rendered_by,
        dataset=dataset,
    )
    print(folder)


@app.command()
def profile(
    track: Track,
    method: Annotated[str, typer.Option(help="A method's name or file.py:Class.")],
    size: SizeOption = Size.mini,
    python: Python = None,
    memory_limit: MemoryLimit = None,
    out: Out = None,
    jobs: Jobs = None,
    simulator: SimulatorOption = None,
    simulator_option: SimulatorSettings = None,
    dataset: Dataset = None,
) -> None:
    """Measure what one query costs, stage by stage, with nothing else running; writes pytest-benchmark's JSON."""
    from .bench.profile import profile_method
    from .bench.track_dataset import default_folder
    from .reports.benchmark_json import write_benchmark_json
    from .reports.profile_table import profile_table

    rendered_by = _simulator(simulator, simulator_option)
    result = profile_method(
        track,
        method,
        size=size.value,
        python=python,
        memory_limit=memory_limit,
        out=out or default_folder(track, size.value, rendered_by),
        jobs=jobs,
        simulator=rendered_by,
        dataset=dataset,
    )
    console.print(profile_table(result))
    print(f"pytest-benchmark JSON: {write_benchmark_json(result)}")


@app.command()
def report(
    runs: list[Path],
    out: Annotated[Path | None, typer.Option(help="Folder; <first run>/report by default.")] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Write into this JSON what 'relocbench docs' makes pages of, and no report.")
    ] = None,
) -> None:
    """Write tables, plots and the self-contained report.html from one or more results folders."""
    if summary is not None:
        from .reports.published.from_run import summarise_run
        from .reports.published.summaries import write_summary

        write_summary(summary, summarise_run(runs))
        print(summary)
        return
    from .reports.html import write_report

    print(write_report(runs, out or runs[0] / "report").html.resolve())


@app.command()
def merge(
    runs: Annotated[list[Path], typer.Argument(help="Results folders of one track, such as runs/x/shards/*.")],
    out: Annotated[Path, typer.Option(help="Folder for the results that they make together.")],
) -> None:
    """Join results folders, such as the shares of a run, into one, and report it."""
    from .bench.merging import merge_runs

    _report(merge_runs(runs, out))


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where something would change.")] = False,
) -> None:
    """Fill in the tables, numbers and pictures of README and docs/ from the summaries in docs/results."""
    from .reports.published.pages import Pages

    pages = Pages.here()
    for path in [] if check else pages.write():
        print(path)
    problems = pages.problems()
    if problems:
        for problem in problems:
            print(problem)
        raise RunError(f"pages and results disagree in {len(problems)} places; they are printed above")


@app.command()
def doctor(
    compare: Annotated[
        str | None, typer.Option(metavar="SCENE", help="A house's seed or a .glb: do the simulators show it alike?")
    ] = None,
    simulators: Annotated[
        str | None, typer.Option(help="Comma-separated names to compare; by default all that run here.")
    ] = None,
    condition: Annotated[str, typer.Option(help="Compare under these lights: day, evening, ...")] = "day",
    count: Annotated[int, typer.Option(min=1, help="How many poses to compare.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Decides the poses.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Draw the comparison into this JPEG or PNG.")] = None,
    documented: Annotated[
        bool, typer.Option("--docs", help="List the results in docs/results that older code than this one made.")
    ] = False,
) -> None:
    """Say which simulators run here, how, and what to do about the others; or whether they show a scene alike."""
    if documented:
        from .reports.published.freshness import print_stale
        from .reports.published.pages import Pages

        print_stale(Pages.here().shelf, console)
        return
    from .reports.doctor import print_comparison, print_diagnoses

    if compare is None:
        print_diagnoses(console)
        return
    names = None if simulators is None else [name.strip() for name in simulators.split(",") if name.strip()]
    print_comparison(compare, names, condition=condition, count=count, seed=seed, out=out, console=console)


@environments.command("create")
def create_environment(
    name: Annotated[str, typer.Argument(help="A simulator; see 'relocbench list simulators'.")],
) -> None:
    """Make a simulator's interpreter from the pinned requirements that come with relocbench, and try it."""
    from .sim.environments import create_environment

    with console.status(f"{name}: making its environment") as status:
        made = create_environment(name, progress=lambda line: status.update(escape(line[:160])))
    versions = ", ".join(f"{package} {version}" for package, version in made.versions.items())
    print(f"{made.folder}: {'made' if made.new else 'was there already'}")
    print(f"it runs {versions}; renderer: {made.renderer}")
    if made.overridden_by:
        print(f"not used as long as {made.overridden_by} names another interpreter")


_REGISTRIES = {
    Listing.methods: ".methods.registry:METHODS",
    Listing.networks: ".methods.trainable:NETWORKS",
    Listing.descriptors: ".methods.retrieval.descriptor:DESCRIPTORS",
    Listing.simulators: ".sim.simulators:SIMULATORS",
    Listing.executors: ".sim.processes.executor:EXECUTORS",
    Listing.protocols: ".datasets.protocols:PROTOCOLS",
    Listing.questions: ".bench.questions:QUESTIONS",
    Listing.formats: ".datasets.formats:FORMATS",
}


@app.command("list")
def list_(what: Listing) -> None:
    """List what there is by name, with a line on each."""
    if what is Listing.tracks:
        from .bench.tracks import list_tracks

        rows = [(track.name, track.description) for track in list_tracks()]
    else:
        module, _, table = _REGISTRIES[what].partition(":")
        registry = getattr(importlib.import_module(module, __package__), table)
        rows = _registered(registry, _network if what is Listing.networks else _first_line)
        if not rows:
            print(registry.known())
    width = max((len(name) for name, _ in rows), default=0)
    for name, description in rows:
        print(f"{name:<{width}}  {description}")


def _network(network: Any) -> str:
    options = ", ".join(map(_option, network.Config.model_fields))
    return _first_line(network) + (f" Options: {options}" if options else "")


def _first_line(documented: Any) -> str:
    return (documented.__doc__ or "").strip().partition("\n")[0]


def _registered(registry: Registry[Any], describe: Callable[[Any], str]) -> list[tuple[str, str]]:
    """Return each name with its description, or with what it lacks to be imported here."""
    rows = []
    for name in registry.names():
        try:
            rows.append((name, describe(registry.load(name))))
        except InputError as error:
            rows.append((name, str(error)))
    return rows


def _simulator(name: str | None, settings: list[str] | None) -> SimulatorSpec | None:
    """Return what --simulator and --simulator-option ask for; raises `InputError` before anything is generated."""
    import yaml

    from .datasets.spec import SimulatorSpec
    from .sim.simulators import open_simulator

    if name is None:
        if settings:
            raise InputError("--simulator-option goes with --simulator")
        return None
    options = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise InputError(f"--simulator-option {setting!r}: give it as key=value")
        try:
            options[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"--simulator-option {setting!r}: {value!r} is no value as YAML writes it") from error
    open_simulator(name, options=options).close()  # says what is wrong with them
    return SimulatorSpec(name=name, options=options)


def _size(track: str, size: Size | None) -> str:
    """Return the size that was asked for, or else the one that a track is for."""
    from .bench.tracks import load_track

    return load_track(track).default_size if size is None else size.value


def _report(store: RunStore) -> None:
    """Write the report of a run beside its results, print its leaderboard; a fit that failed is an error, said last."""
    from .reports.console import print_failures, print_leaderboard
    from .reports.html import write_report
    from .reports.terms import Terms

    paths = write_report([store.folder], store.folder / "report")  # first: a terminal may refuse what is printed
    print_leaderboard(store.leaderboard(), Terms.of(store), console)
    print_failures(store.estimates(["method", "status", "reason"]), console)
    if store.record.dataset_differs:
        print(f"not the track's own dataset: {store.record.dataset_differs}")
    print(f"report: {paths.html.resolve()}")
    fits = store.failed_fits()
    reasons = {reason: ", ".join(method for method in fits if fits[method] == reason) for reason in fits.values()}
    failed = "; ".join(f"{methods}: {reason}" for reason, methods in reasons.items())
    if failed:
        printed = f"what was printed is in {store.folder}/fits/*.log"
        raise RunError(f"{failed}; all else is done, {printed}; the next run tries again")


def _executor(name: str, jobs: int | None, address: str | None) -> Executor | None:
    """Return where --executor says to compute, None for the processes of this machine."""
    from .sim.processes.executor import make_executor

    return None if (name, address) == ("local", None) else make_executor(name, jobs=jobs, address=address)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """relocbench: a simulation-driven benchmark suite for visual localization."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors become one line on stderr and an exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what a terminal cannot show must not end the work
    _guarded(lambda: app(arguments, standalone_mode=True), debug="--debug" in arguments)


def _guarded(command: Callable[[], None], *, debug: bool) -> None:
    try:
        command()
    except SystemExit as end:
        if end.code != _INTERRUPTED:
            raise
        _stop("interrupted; the same command resumes where this one stopped", _INTERRUPTED)
    except InputError as error:
        if debug:
            raise
        _stop(str(error), 2)
    except RunError as error:
        if debug:
            raise
        _stop(str(error), 1)
    except Exception as error:
        if debug:
            raise
        _stop(f"unexpected {one_line(error)} (run again with --debug to see where)", 1)


def _stop(message: str, code: int) -> None:
    print(f"relocbench: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
