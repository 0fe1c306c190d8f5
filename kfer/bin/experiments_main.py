"""Runs the cells of the paper's tables and makes the tables and figures.

kfer-experiments run --table=1 --scale=cpu --seeds=3 --data_root=RAW --out_dir=DIR
kfer-experiments report --table=1 --scale=cpu --out_dir=DIR [--report_dir=DIR]

RAW holds cifar-10-batches-py, cifar10n_human_labels.npz and ferplus, or prepared data
sets of the tables' names (docs/guide/experiments.md). A cell runs once; the same
command goes on after a kill, and cells whose data are missing are skipped with their
reason.
"""

import os
from collections.abc import Sequence

from absl import flags

from kfer import methods
from kfer.bin import common
from kfer.errors import UserError
from kfer.experiments import cells as cells_lib
from kfer.experiments import runner
from kfer.experiments import table as table_lib
from kfer.experiments import tables as tables_lib
from kfer.settings.recipes import RECIPES

FLAGS = flags.FLAGS

flags.DEFINE_list(
    "table", [], f"One or more of {', '.join(tables_lib.TABLES)}; all if not given."
)
flags.DEFINE_enum("scale", "cpu", list(cells_lib.SCALES), "How large the cells are.")
flags.DEFINE_integer("seeds", 3, "How many seeds every cell is run from.", 1)
flags.DEFINE_integer("first_seed", 0, "The first of them.", 0)
flags.DEFINE_integer(
    "data_seed",
    0,
    "Of simulated labels and drawn pictures; each has its own folders.",
    0,
)
flags.DEFINE_list(
    "methods", [], "Only cells and rows of these methods; all if not given."
)
flags.DEFINE_string("data_root", "", "Folder of raw or prepared data sets.")
flags.DEFINE_string("out_dir", "runs/experiments", "Folder of all cells and results.")
flags.DEFINE_enum("recipe", "kfer", list(RECIPES), "How it is done.")
flags.DEFINE_integer(
    "jobs", 0, "Cells side by side; 0 is one a core (cpu) or one (paper).", 0
)
flags.DEFINE_multi_string(
    "train_flag", [], "One more flag of kfer-train for every cell; may be repeated."
)
flags.DEFINE_string("report_dir", "", "Where tables and figures go; --out_dir's if ''.")

COMMANDS = ("run", "report")


def plan_from_flags() -> runner.Plan:
    """What the flags ask for."""
    jobs = FLAGS.jobs or (os.cpu_count() or 1 if FLAGS.scale == "cpu" else 1)
    return runner.Plan(
        cells_lib.scale_of(FLAGS.scale),
        FLAGS.out_dir,
        FLAGS.data_root,
        FLAGS.recipe,
        jobs,
        tuple(FLAGS.train_flag),
        FLAGS.data_seed,
    )


def chosen_tables() -> list[table_lib.Table]:
    """The tables asked for, with the methods asked for."""
    for name in FLAGS.methods:
        methods.method_row(name)
    names = FLAGS.table or tables_lib.TABLES
    found = [tables_lib.table_of(name).narrowed(FLAGS.methods) for name in names]
    known = {entry.method for table in found for entry in table.entries}
    if unknown := sorted(set(FLAGS.methods) - known):
        raise UserError(f"No cell of these tables has method {unknown[0]}")
    return [table for table in found if table.rows]


def chosen_seeds() -> range:
    """The seeds asked for."""
    return range(FLAGS.first_seed, FLAGS.first_seed + FLAGS.seeds)


def chosen_cells() -> list[cells_lib.Cell]:
    """Their cells, seed by seed, each once."""
    found: dict[cells_lib.Cell, None] = {}
    for seed in chosen_seeds():
        for table in chosen_tables():
            found |= dict.fromkeys(table.cells([seed]))
    return list(found)


def main(argv: Sequence[str]) -> int:
    if len(argv) != 2 or argv[1] not in COMMANDS:
        raise UserError(
            f"kfer-experiments takes one of {', '.join(COMMANDS)} and flags, got "
            f"{' '.join(argv[1:])!r}"
        )
    plan, cells = plan_from_flags(), chosen_cells()
    if argv[1] == "run":
        counts = runner.run(plan, cells)
        print(
            ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
        )
        return 1 if runner.FAILED in counts else 0
    return report(plan, cells)


def report(plan: runner.Plan, cells: Sequence[cells_lib.Cell]) -> int:
    """Writes results.csv and the tables asked for."""
    from kfer.experiments import report as report_lib
    from kfer.experiments import results

    out_dir = FLAGS.report_dir or os.path.join(plan.root, "report")
    rows = results.collect(plan, cells)
    print(results.write(os.path.join(out_dir, results.FILE), rows))
    for table in chosen_tables():
        print(*report_lib.write(plan, table, chosen_seeds(), rows, out_dir), sep="\n")
    return 0


def entry() -> None:
    """The console command kfer-experiments."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()
